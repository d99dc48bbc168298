-- case: text is no number
CREATE TABLE t (i int);
-- statement
ALTER TABLE t ALTER COLUMN i SET DEFAULT 'abc';

-- case: letters behind digits are no number
CREATE TABLE t (i int);
-- statement
ALTER TABLE t ALTER COLUMN i SET DEFAULT '12ab';

-- case: blanks around a number
CREATE TABLE t (i int);
-- statement
ALTER TABLE t ALTER COLUMN i SET DEFAULT ' -12 ';

-- case: an empty string is no number
-- statement
CREATE TABLE t (i int DEFAULT '');

-- case: a fraction in quotes is no integer
-- statement
CREATE TABLE t (i int DEFAULT '1.5');

-- case: a fraction without quotes is rounded
-- statement
CREATE TABLE t (i int DEFAULT 1.5);

-- case: hexadecimal digits in quotes
-- versions: 16..18
-- statement
CREATE TABLE t (i int DEFAULT '0x1f');

-- case: a word that is no truth
-- statement
CREATE TABLE t (b boolean DEFAULT 'maybe');

-- case: the beginning of a truth
-- statement
CREATE TABLE t (b boolean DEFAULT ' Tr ');

-- case: a number is no truth
-- statement
CREATE TABLE t (b boolean DEFAULT 0);

-- case: a truth is no number
-- statement
CREATE TABLE t (i int DEFAULT false);

-- case: a number is text
-- statement
CREATE TABLE t (i varchar(10) DEFAULT 0);

-- case: a number is no time
-- statement
CREATE TABLE t (at timestamptz DEFAULT 0);

-- case: a number is no json
-- statement
CREATE TABLE t (j jsonb DEFAULT 0);

-- case: a number cast to text is no number
-- statement
CREATE TABLE t (i int DEFAULT '1'::text);

-- case: a text cast to a date
-- statement
CREATE TABLE t (d timestamp DEFAULT '2020-01-01'::date);

-- case: text is no uuid
-- statement
CREATE TABLE t (u uuid DEFAULT '');

-- case: a uuid in braces
-- statement
CREATE TABLE t (u uuid DEFAULT '{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}');

-- case: brackets are no array
-- statement
CREATE TABLE t (a int[] DEFAULT '[]');

-- case: bounds before an array
-- statement
CREATE TABLE t (a int[] DEFAULT '[0:1]={1,2}');

-- case: an empty string is no array
-- statement
CREATE TABLE t (a text[] DEFAULT '');

-- case: braces are an array
-- statement
CREATE TABLE t (a text[] DEFAULT '{}');

-- case: an empty string is no json
-- statement
CREATE TABLE t (j json DEFAULT '');

-- case: an index on json
CREATE TABLE t (j json, i int);
-- statement
CREATE INDEX ON t (j);

-- case: an index on xml by hash
CREATE TABLE t (x xml);
-- statement
CREATE INDEX ON t USING hash (x);

-- case: an index on point
CREATE TABLE t (p point);
-- statement
CREATE INDEX ON t (p);

-- case: a gist index on point
CREATE TABLE t (p point);
-- statement
CREATE INDEX ON t USING gist (p);

-- case: a gin index on json
CREATE TABLE t (j json);
-- statement
CREATE INDEX ON t USING gin (j);

-- case: a gin index on jsonb
CREATE TABLE t (j jsonb);
-- statement
CREATE INDEX ON t USING gin (j jsonb_path_ops);

-- case: a gin index on text
CREATE TABLE t (x text);
-- statement
CREATE INDEX ON t USING gin (x);

-- case: a gin index on an array
CREATE TABLE t (x text[]);
-- statement
CREATE INDEX ON t USING gin (x);

-- case: a gist index on text
CREATE TABLE t (x text);
-- statement
CREATE INDEX ON t USING gist (x);

-- case: an index on jsonb
CREATE TABLE t (j jsonb);
-- statement
CREATE INDEX ON t (j);

-- case: an index that includes json
CREATE TABLE t (j json, i int);
-- statement
CREATE INDEX ON t (i) INCLUDE (j);

-- case: an index on a domain over json
CREATE DOMAIN document AS json;
CREATE TABLE t (j document);
-- statement
CREATE INDEX ON t (j);

-- case: an index on a member of json as text
CREATE TABLE t (j json);
-- statement
CREATE INDEX ON t ((j ->> 'a'));

-- case: an index on a cast to json
CREATE TABLE t (x text);
-- statement
CREATE INDEX ON t ((x::json));

-- case: a unique constraint on json
CREATE TABLE t (j json);
-- statement
ALTER TABLE t ADD UNIQUE (j);

-- case: a primary key of json in a new table
-- statement
CREATE TABLE t (j json PRIMARY KEY);

-- case: a unique column of json added
CREATE TABLE t (i int);
-- statement
ALTER TABLE t ADD COLUMN j json UNIQUE;

-- case: a column set twice
CREATE TABLE t (a int, b int, c int[]);
-- statement
UPDATE t SET a = 1, b = 2, a = 3;

-- case: a column set by a list and again
CREATE TABLE t (a int, b int, c int[]);
-- statement
UPDATE t SET (a, b) = (1, 2), a = 3;

-- case: two elements of an array set
CREATE TABLE t (a int, b int, c int[]);
-- statement
UPDATE t SET c[1] = 1, c[2] = 2;

-- case: an element and the whole array set
CREATE TABLE t (a int, b int, c int[]);
-- statement
UPDATE t SET c[1] = 1, c = ARRAY[1, 2];

-- case: a column twice in the list of INSERT
CREATE TABLE t (a int, b int);
-- statement
INSERT INTO t (a, b, a) VALUES (1, 2, 3);

-- case: a column set twice on conflict
CREATE TABLE t (a int PRIMARY KEY, b int);
-- statement
INSERT INTO t VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 1, b = 2;

-- case: a column inserted and set on conflict
CREATE TABLE t (a int PRIMARY KEY, b int);
-- statement
INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 2;

-- case: a column set twice in WITH
CREATE TABLE t (a int, b int);
-- statement
WITH u AS (UPDATE t SET a = 1, a = 2 RETURNING b) SELECT * FROM u;

-- case: a column twice in the list of COPY
CREATE TABLE t (a int, b int);
-- statement
COPY t (a, a) FROM '/dev/null';

-- case: a column twice in an index
CREATE TABLE t (a int, b int);
-- statement
CREATE INDEX ON t (a, a);

-- case: a column twice in a key
CREATE TABLE t (a int, b int);
-- statement
ALTER TABLE t ADD UNIQUE (a, a);

-- case: an exclusion constraint on a scalar by gist
CREATE TABLE t (room int, during tsrange);
-- statement
ALTER TABLE t ADD EXCLUDE USING gist (room WITH =, during WITH &&);

-- case: an exclusion constraint on a range
CREATE TABLE t (room int, during tsrange);
-- statement
ALTER TABLE t ADD EXCLUDE USING gist (during WITH &&);

-- case: an operator class that was named
CREATE TABLE t (x text);
-- statement
CREATE INDEX ON t (x text_pattern_ops);

-- case: spgist on text
CREATE TABLE t (x text);
-- statement
CREATE INDEX ON t USING spgist (x);
