CREATE TABLE t (id int PRIMARY KEY, a int, note text);
CREATE INDEX t_a_idx ON t (a);
CREATE UNIQUE INDEX t_id_a_idx ON t (id);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE RULE ru AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE SEQUENCE s;
CREATE VIEW v AS SELECT a FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT a FROM t;
CREATE INDEX mv_a_idx ON mv (a);
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE SCHEMA app;
INSERT INTO t VALUES (1, 1, 'x');
INSERT INTO m VALUES (1, 1);

-- case: fillfactor
-- statement
ALTER TABLE t SET (fillfactor = 80);

-- case: autovacuum
-- statement
ALTER TABLE t SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);

-- case: resetting an option
-- statement
ALTER TABLE t RESET (fillfactor);

-- case: user_catalog_table
-- statement
ALTER TABLE t SET (user_catalog_table = true);

-- case: an option of an index
-- statement
ALTER INDEX t_a_idx SET (fillfactor = 80);

-- case: an option of a view
-- statement
ALTER VIEW v SET (security_barrier = true);

-- case: an option of a materialized view
-- statement
ALTER MATERIALIZED VIEW mv SET (fillfactor = 80);

-- case: SET UNLOGGED rewrites
-- statement
ALTER TABLE t SET UNLOGGED;

-- case: SET LOGGED of a table that is logged
-- statement
ALTER TABLE t SET LOGGED;

-- case: SET LOGGED rewrites
CREATE UNLOGGED TABLE u (id serial PRIMARY KEY);
INSERT INTO u DEFAULT VALUES;
-- statement
ALTER TABLE u SET LOGGED;

-- case: the same access method
-- versions: 15..
-- statement
ALTER TABLE t SET ACCESS METHOD heap;

-- case: SET ACCESS METHOD is a syntax error before 15
-- versions: ..14
-- statement
ALTER TABLE t SET ACCESS METHOD heap;

-- case: another access method rewrites
-- versions: 15..
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
-- statement
ALTER TABLE t SET ACCESS METHOD heap2;

-- case: the same tablespace
-- statement
ALTER TABLE t SET TABLESPACE pg_default;

-- case: owner
-- statement
ALTER TABLE t OWNER TO pg_monitor;

-- case: owner of a view
-- statement
ALTER VIEW v OWNER TO postgres;

-- case: owner of a sequence
-- statement
ALTER SEQUENCE s OWNER TO postgres;

-- case: owner of another role
CREATE TABLE w (id serial PRIMARY KEY);
-- statement
ALTER TABLE w OWNER TO pg_monitor;

-- case: schema
-- statement
ALTER TABLE t SET SCHEMA app;

-- case: schema of a table with a serial column
CREATE TABLE w (id serial PRIMARY KEY);
-- statement
ALTER TABLE w SET SCHEMA app;

-- case: schema of a sequence
-- statement
ALTER SEQUENCE s SET SCHEMA app;

-- case: schema of a view
-- statement
ALTER VIEW v SET SCHEMA app;

-- case: schema of a materialized view
-- statement
ALTER MATERIALIZED VIEW mv SET SCHEMA app;

-- case: a schema that does not exist fails
-- statement
ALTER TABLE t SET SCHEMA nowhere;

-- case: renaming an index
-- statement
ALTER INDEX t_a_idx RENAME TO t_a;

-- case: renaming an index through ALTER TABLE
-- statement
ALTER TABLE t_a_idx RENAME TO t_a;

-- case: renaming a sequence
-- statement
ALTER SEQUENCE s RENAME TO s2;

-- case: renaming a view
-- statement
ALTER VIEW v RENAME TO v2;

-- case: renaming a view's column
-- statement
ALTER VIEW v RENAME COLUMN a TO b;

-- case: renaming a materialized view
-- statement
ALTER MATERIALIZED VIEW mv RENAME TO mv2;

-- case: clustering on an index
-- statement
ALTER TABLE t CLUSTER ON t_a_idx;

-- case: without cluster
-- statement
ALTER TABLE t SET WITHOUT CLUSTER;

-- case: row level security
-- statement
ALTER TABLE t ENABLE ROW LEVEL SECURITY;

-- case: forcing row level security
-- statement
ALTER TABLE t FORCE ROW LEVEL SECURITY;

-- case: replica identity
-- statement
ALTER TABLE t REPLICA IDENTITY FULL;

-- case: replica identity by an index
-- statement
ALTER TABLE t REPLICA IDENTITY USING INDEX t_id_a_idx;

-- case: disabling a trigger
-- statement
ALTER TABLE t DISABLE TRIGGER tr;

-- case: disabling every trigger
-- statement
ALTER TABLE t DISABLE TRIGGER ALL;

-- case: enabling a trigger of a partitioned table
CREATE TRIGGER mtr AFTER UPDATE ON m FOR EACH ROW EXECUTE FUNCTION f();
-- statement
ALTER TABLE m DISABLE TRIGGER mtr;

-- case: disabling a missing trigger fails
-- statement
ALTER TABLE t DISABLE TRIGGER missing;

-- case: disabling a rule
-- statement
ALTER TABLE t DISABLE RULE ru;

-- case: a typed table
CREATE TYPE pair AS (k int, v int);
CREATE TABLE p (k int, v int);
-- statement
ALTER TABLE p OF pair;

-- case: a table that is no longer typed
CREATE TYPE pair AS (k int, v int);
CREATE TABLE p OF pair;
-- statement
ALTER TABLE p NOT OF;

-- case: options of a partitioned table fail
-- statement
ALTER TABLE m SET (fillfactor = 80);

-- case: a rename of a table IF EXISTS that is missing does nothing
-- statement
ALTER TABLE IF EXISTS nowhere RENAME TO there;

-- case: statistics of an expression index
CREATE INDEX t_lower_idx ON t (lower(note));
-- statement
ALTER INDEX t_lower_idx ALTER COLUMN 1 SET STATISTICS 500;
