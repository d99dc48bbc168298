CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE shape AS (id int, name text);
CREATE TABLE t (id int PRIMARY KEY, name varchar(20) DEFAULT 'x', n int, at timestamptz, self int REFERENCES t, numbers int[], CONSTRAINT positive CHECK (n > 0));
CREATE TABLE holder (row t);
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
CREATE TABLE parted (id int, n int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10) PARTITION BY LIST (n);
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';
INSERT INTO t VALUES (1, 'a', 1);

-- case: USING converts values, not the default
-- statement
ALTER TABLE t ALTER COLUMN name TYPE int USING length(name);

-- case: an array is no number
-- statement
ALTER TABLE t ALTER COLUMN numbers TYPE int;

-- case: a check compares the column with a number
-- statement
ALTER TABLE t ALTER COLUMN n TYPE text;

-- case: a table's rows are values of another table's column
-- statement
ALTER TABLE t ADD COLUMN x int DEFAULT 1;

-- case: without a value nothing changes in them
-- statement
ALTER TABLE t ADD COLUMN x int;

-- case: a row type keeps its table
-- statement
DROP TABLE t;

-- case: a foreign key to the table itself needs the column
-- statement
ALTER TABLE t DROP COLUMN id;

-- case: a foreign key to the table itself compares types
-- statement
ALTER TABLE t ALTER COLUMN self TYPE text;

-- case: the column of a foreign key goes with it
-- statement
ALTER TABLE t DROP COLUMN self;

-- case: a permanent table cannot reference an unlogged one
-- statement
CREATE TABLE refs (id int REFERENCES fleeting);

-- case: an unlogged table can reference a permanent one
-- statement
CREATE UNLOGGED TABLE refs (id int REFERENCES t);

-- case: a level below is partitioned by the column
-- statement
ALTER TABLE parted DROP COLUMN n;

-- case: a level below is partitioned by the column that changes
-- statement
ALTER TABLE parted ALTER COLUMN n TYPE bigint;

-- case: a unique key has the columns of every level
-- statement
CREATE UNIQUE INDEX ON parted (id);

-- case: a unique key with the columns of every level
-- statement
CREATE UNIQUE INDEX ON parted (id, n);

-- case: a check of a partitioned table is inherited
-- statement
ALTER TABLE parted ADD CHECK (n > 0) NO INHERIT;

-- case: a partitioned table has no heirs
-- statement
CREATE TABLE sub () INHERITS (parted);

-- case: a partitioned table is truncated whole
-- statement
TRUNCATE ONLY parted;

-- case: options of a partitioned table are taken back
-- statement
ALTER TABLE parted RESET (fillfactor);

-- case: an enum label that does not exist
-- statement
ALTER TABLE t ADD COLUMN m mood DEFAULT 'bored';

-- case: an enum label that exists
-- statement
ALTER TABLE t ADD COLUMN m mood;

-- case: a number that is none
-- statement
CREATE TABLE u (a int DEFAULT 'x');

-- case: a number in quotes
-- statement
CREATE TABLE u (a int DEFAULT ' -12 ');

-- case: a neighbour that does not exist
-- statement
ALTER TYPE mood ADD VALUE 'new' BEFORE 'bored';

-- case: a label renamed to another one
-- statement
ALTER TYPE mood RENAME VALUE 'ok' TO 'sad';

-- case: a type that exists
-- statement
CREATE TYPE mood AS ENUM ('a');

-- case: a schema that exists
-- statement
CREATE SCHEMA public;

-- case: a function that exists
-- statement
CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql AS 'SELECT 1';

-- case: another function of that name
-- statement
CREATE FUNCTION plus(text) RETURNS int LANGUAGE sql AS 'SELECT 1';

-- case: a function that returns something else
-- statement
CREATE OR REPLACE FUNCTION plus(int) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';

-- case: a function with another body
-- statement
CREATE OR REPLACE FUNCTION plus(int) RETURNS int LANGUAGE sql AS 'SELECT 2';

-- case: an index on local time
-- statement
CREATE INDEX ON t ((at::date));

-- case: an index on the moment
-- statement
CREATE INDEX ON t (id) WHERE at > now();

-- case: an index on a fixed offset
-- statement
CREATE INDEX ON t (((at AT TIME ZONE 'UTC')::date));

-- case: a hash index of two columns
-- statement
CREATE INDEX ON t USING hash (id, n);

-- case: a column twice
-- statement
CREATE TABLE u (a int, a int);

-- case: two primary keys
-- statement
CREATE TABLE u (a int PRIMARY KEY, b int, PRIMARY KEY (b));

-- case: an identity column of text
-- statement
CREATE TABLE u (a text GENERATED ALWAYS AS IDENTITY);

-- case: a partition key that is no column
-- statement
CREATE TABLE u (a int) PARTITION BY RANGE (b);

-- case: INSTEAD OF is for views
-- statement
CREATE TRIGGER g INSTEAD OF INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();

-- case: a trigger on a column that does not exist
-- statement
CREATE TRIGGER g AFTER UPDATE OF nope ON t EXECUTE FUNCTION tf();

-- case: clustered on an index that does not exist
-- statement
ALTER TABLE t CLUSTER ON nope;

-- case: a number is not moved out
-- statement
ALTER TABLE t ALTER COLUMN n SET STORAGE EXTERNAL;

-- case: a constraint renamed to another one
-- statement
ALTER TABLE t RENAME CONSTRAINT positive TO t_pkey;

-- case: an unlogged table has no other that is logged after it
-- statement
ALTER TABLE fleeting SET LOGGED;

-- case: a row without a value that it must have
-- statement
INSERT INTO t (n) VALUES (1);

-- case: a row with all values that it must have
-- statement
INSERT INTO t (id) VALUES (2);
