CREATE EXTENSION citext;
CREATE TABLE parents (id int PRIMARY KEY, code varchar(10) UNIQUE);
CREATE TABLE t (
    id int PRIMARY KEY, c varchar(20), n int, note text
);
ALTER TABLE t ADD CONSTRAINT c_check CHECK (length(c) > 0) NOT VALID;
INSERT INTO parents VALUES (1, 'a');
INSERT INTO t VALUES (1, 'a', 1, 'x');

-- case: a rewrite rebuilds every index
CREATE INDEX t_c_idx ON t (c);
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: a plain index is kept but locked
CREATE INDEX t_c_idx ON t (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: an expression index is rebuilt
CREATE INDEX t_c_idx ON t (lower(c));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a partial index on the column is rebuilt
CREATE INDEX t_c_idx ON t (c) WHERE n > 0;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: an index whose predicate uses the column is rebuilt
CREATE INDEX t_n_idx ON t (n) WHERE c = 'a';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(30);

-- case: an index that includes the column is kept
CREATE INDEX t_n_idx ON t (n) INCLUDE (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: an index on another column is not touched
CREATE INDEX t_n_idx ON t (n);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a pattern index is kept
CREATE INDEX t_c_idx ON t (c varchar_pattern_ops);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a hash index is kept
CREATE INDEX t_c_idx ON t USING hash (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: citext rebuilds a plain index
CREATE INDEX t_c_idx ON t (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE citext;

-- case: a new collation rebuilds the index
CREATE INDEX t_c_idx ON t (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20) COLLATE "POSIX";

-- case: a new collation without an index is metadata only
-- statement
ALTER TABLE t ALTER COLUMN note TYPE text COLLATE "POSIX";

-- case: leaving out the collation resets it and rebuilds the index
CREATE TABLE u (c text COLLATE "POSIX");
CREATE INDEX u_c_idx ON u (c);
INSERT INTO u VALUES ('a');
-- statement
ALTER TABLE u ALTER COLUMN c TYPE varchar;

-- case: a unique constraint is kept but locked
ALTER TABLE t ADD CONSTRAINT t_c_key UNIQUE (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a valid check is verified even without a rewrite
ALTER TABLE t VALIDATE CONSTRAINT c_check;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a check that is not valid is not verified
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a check on another column is not verified
ALTER TABLE t ADD CHECK (n > 0);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a foreign key column locks the parent
ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES parents (code);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a rewritten foreign key column locks the parent
ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES parents;
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: a rewrite of another column leaves the parent alone
ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES parents (code);
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: a referenced column that is rewritten checks the children
ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES parents;
-- statement
ALTER TABLE parents ALTER COLUMN id TYPE bigint;

-- case: a referenced column that is widened only locks the children
ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES parents (code);
-- statement
ALTER TABLE parents ALTER COLUMN code TYPE varchar(20);

-- case: a foreign key that is not valid is not checked again
ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES parents NOT VALID;
-- statement
ALTER TABLE parents ALTER COLUMN id TYPE bigint;

-- case: a foreign key to the table itself
ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES t;
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: a column that a view reads cannot be changed
CREATE VIEW v AS SELECT c FROM t;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a column that a view reads through * cannot be changed
CREATE VIEW v AS SELECT * FROM t;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a view on other columns is no obstacle
CREATE VIEW v AS SELECT id FROM t;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a materialized view is an obstacle
CREATE MATERIALIZED VIEW v AS SELECT c FROM t;
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a generated column is an obstacle
ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (n + 1) STORED;
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: the type of a generated column may change
ALTER TABLE t ADD COLUMN g int GENERATED ALWAYS AS (n + 1) STORED;
-- statement
ALTER TABLE t ALTER COLUMN g TYPE bigint;

-- case: a trigger on the column is an obstacle
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE OF c ON t FOR EACH ROW EXECUTE FUNCTION f();
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a trigger's WHEN is an obstacle
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.c IS DISTINCT FROM NEW.c) EXECUTE FUNCTION f();
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a trigger on any column is no obstacle
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a policy on the column is an obstacle
CREATE POLICY p ON t USING (c = 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: a missing column fails
-- statement
ALTER TABLE t ALTER COLUMN missing TYPE text;

-- case: text to int needs USING
-- statement
ALTER TABLE t ALTER COLUMN note TYPE int;

-- case: an identity column locks its sequence
CREATE TABLE u (id int GENERATED ALWAYS AS IDENTITY);
INSERT INTO u DEFAULT VALUES;
-- statement
ALTER TABLE u ALTER COLUMN id TYPE bigint;

-- case: a serial column
CREATE TABLE u (id serial PRIMARY KEY);
INSERT INTO u DEFAULT VALUES;
-- statement
ALTER TABLE u ALTER COLUMN id TYPE bigint;

-- case: a partitioned table is changed with every partition
CREATE TABLE m (k int, v varchar(10)) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
CREATE INDEX m_v_idx ON m (v);
INSERT INTO m VALUES (1, 'a'), (11, 'b');
-- statement
ALTER TABLE m ALTER COLUMN v TYPE text;

-- case: a rewrite of a partitioned table rewrites every partition
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
CREATE INDEX m_v_idx ON m (v);
INSERT INTO m VALUES (1, 1), (11, 1);
-- statement
ALTER TABLE m ALTER COLUMN v TYPE bigint;

-- case: the partition key cannot be changed
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
-- statement
ALTER TABLE m ALTER COLUMN k TYPE bigint;

-- case: an inherited column cannot be changed alone
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
-- statement
ALTER TABLE m1 ALTER COLUMN v TYPE bigint;

-- case: two changes in one statement
CREATE INDEX t_c_idx ON t (c);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text, ALTER COLUMN note TYPE varchar;

-- case: a default is converted with its column
ALTER TABLE t ALTER COLUMN n SET DEFAULT 5;
-- statement
ALTER TABLE t ALTER COLUMN n TYPE bigint;

-- case: not null of the column is not verified again
ALTER TABLE t ALTER COLUMN note SET NOT NULL;
-- statement
ALTER TABLE t ALTER COLUMN note TYPE varchar;
