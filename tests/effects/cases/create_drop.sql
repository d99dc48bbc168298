CREATE TABLE parents (id int PRIMARY KEY, code text);
CREATE TABLE others (id int PRIMARY KEY);
CREATE TABLE t (id serial PRIMARY KEY, parent_id int REFERENCES parents, code text DEFAULT 'x', n int GENERATED ALWAYS AS IDENTITY);
CREATE INDEX t_code_idx ON t (code);
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
INSERT INTO parents VALUES (1, 'a');
INSERT INTO others VALUES (1);
INSERT INTO t (parent_id) VALUES (1);
INSERT INTO m VALUES (1, 1);

-- case: a new table locks nothing
-- statement
CREATE TABLE n (id bigserial PRIMARY KEY, note text UNIQUE, CHECK (id > 0));

-- case: a new table with a foreign key locks the parent
-- statement
CREATE TABLE n (id int PRIMARY KEY, parent_id int REFERENCES parents, other_id int, FOREIGN KEY (other_id) REFERENCES others);

-- case: a new table with a foreign key to itself locks nothing
-- statement
CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n);

-- case: a table whose name is taken fails
-- statement
CREATE TABLE t (id int);

-- case: IF NOT EXISTS of a table that exists does nothing
-- statement
CREATE TABLE IF NOT EXISTS t (id int REFERENCES parents);

-- case: IF NOT EXISTS of a new table
-- statement
CREATE TABLE IF NOT EXISTS n (id int REFERENCES parents);

-- case: a foreign key to a missing table fails
-- statement
CREATE TABLE n (id int REFERENCES nowhere);

-- case: a copy of a table's columns reads its definition
-- statement
CREATE TABLE n (LIKE t);

-- case: a copy with everything
-- statement
CREATE TABLE n (LIKE t INCLUDING ALL);

-- case: a copy with indexes
-- statement
CREATE TABLE n (LIKE t INCLUDING INDEXES);

-- case: a child table locks its parent against other DDL
-- statement
CREATE TABLE n (extra int) INHERITS (t);

-- case: a default that reads a sequence
CREATE SEQUENCE numbers;
-- statement
CREATE TABLE n (id int DEFAULT nextval('numbers'));

-- case: CREATE TABLE AS reads its sources
-- statement
CREATE TABLE n AS SELECT t.id, parents.code FROM t JOIN parents ON parents.id = t.parent_id;

-- case: CREATE TABLE AS WITH NO DATA
-- statement
CREATE TABLE n AS SELECT * FROM t WITH NO DATA;

-- case: CREATE TABLE AS through a view
CREATE VIEW v AS SELECT * FROM t;
-- statement
CREATE TABLE n AS SELECT * FROM v;

-- case: CREATE TABLE AS from a partitioned table
-- statement
CREATE TABLE n AS SELECT * FROM m;

-- case: SELECT INTO
-- statement
SELECT id INTO n FROM parents;

-- case: a temporary table
-- statement
CREATE TEMPORARY TABLE n (id int);

-- case: a partitioned table
-- statement
CREATE TABLE n (id int, parent_id int REFERENCES parents) PARTITION BY RANGE (id);

-- case: dropping a table locks its parents
-- statement
DROP TABLE t;

-- case: dropping a table that nothing references
-- statement
DROP TABLE others;

-- case: dropping a referenced table fails
-- statement
DROP TABLE parents;

-- case: dropping a referenced table with CASCADE locks the children
-- statement
DROP TABLE parents CASCADE;

-- case: dropping two tables that reference each other
-- statement
DROP TABLE t, parents;

-- case: dropping a table that a view reads fails
CREATE VIEW v AS SELECT code FROM t;
-- statement
DROP TABLE t;

-- case: dropping it with CASCADE locks the views
CREATE VIEW v AS SELECT code FROM t;
CREATE MATERIALIZED VIEW w AS SELECT * FROM v;
-- statement
DROP TABLE t CASCADE;

-- case: dropping a missing table fails
-- statement
DROP TABLE nowhere;

-- case: dropping a missing table IF EXISTS does nothing
-- statement
DROP TABLE IF EXISTS nowhere;

-- case: dropping a view by DROP TABLE fails
CREATE VIEW v AS SELECT 1;
-- statement
DROP TABLE v;

-- case: dropping a partitioned table
-- statement
DROP TABLE m;

-- case: dropping a partition locks its parent
-- statement
DROP TABLE m1;

-- case: dropping a partition beside a default partition
CREATE TABLE md PARTITION OF m DEFAULT;
-- statement
DROP TABLE m1;

-- case: dropping an inheritance child
CREATE TABLE child (x int) INHERITS (t);
-- statement
DROP TABLE child;

-- case: dropping an inheritance parent fails
CREATE TABLE child () INHERITS (t);
-- statement
DROP TABLE t;

-- case: dropping a table whose sequence another table uses fails
CREATE TABLE user_of_sequence (id int DEFAULT nextval('t_id_seq'));
-- statement
DROP TABLE t;

-- case: the sequence of an identity column keeps no partitioned table
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, a int) PARTITION BY LIST (a);
CREATE TABLE numbered_rest PARTITION OF numbered DEFAULT;
-- statement
DROP TABLE numbered;
