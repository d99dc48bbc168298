-- case: a dropped table takes its sequence, indexes and foreign keys that point at it
CREATE TABLE p (id serial PRIMARY KEY);
CREATE TABLE t (a int REFERENCES p);
CREATE VIEW v AS SELECT id FROM p;
DROP TABLE p CASCADE;
CREATE TABLE p (id serial PRIMARY KEY);
-- case: several tables are dropped at once
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (a int REFERENCES p);
DROP TABLE t, p;
-- case: a type dropped with CASCADE takes its columns
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (a mood, b mood[], c int);
CREATE INDEX ON t (a, c);
DROP TYPE mood CASCADE;
-- case: a domain dropped with CASCADE takes its columns
CREATE DOMAIN d AS int CHECK (VALUE > 0);
CREATE TABLE t (a d, c int);
DROP DOMAIN d CASCADE;
-- case: a sequence dropped with CASCADE takes defaults
CREATE SEQUENCE s;
CREATE TABLE t (a int DEFAULT nextval('s'), b int DEFAULT 1);
DROP SEQUENCE s CASCADE;
-- case: a schema dropped with CASCADE takes everything in it
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('a');
CREATE TABLE app.p (id serial PRIMARY KEY);
CREATE TABLE t (a int REFERENCES app.p, m app.mood);
CREATE VIEW v AS SELECT id FROM app.p;
CREATE SEQUENCE app.s;
DROP SCHEMA app CASCADE;
-- case: an owned sequence goes with its column, a freed one stays
CREATE TABLE t (a serial, b serial, c int);
ALTER SEQUENCE t_a_seq OWNED BY NONE;
ALTER TABLE t DROP COLUMN a;
CREATE SEQUENCE s OWNED BY t.c;
ALTER TABLE t DROP COLUMN c, DROP COLUMN b;
-- case: a view is replaced with one column more and then dropped
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a FROM t;
CREATE OR REPLACE VIEW v AS SELECT a, b FROM t;
CREATE VIEW w (x, y) AS SELECT * FROM t;
CREATE VIEW z AS SELECT * FROM t;
CREATE VIEW q AS SELECT * FROM (SELECT a FROM t) s;
DROP VIEW v, w;
-- case: a materialized view with an index
CREATE TABLE t (a int, b int);
CREATE MATERIALIZED VIEW m AS SELECT a, sum(b) AS total FROM t GROUP BY a;
CREATE UNIQUE INDEX ON m (a);
REFRESH MATERIALIZED VIEW CONCURRENTLY m;
CREATE MATERIALIZED VIEW n AS SELECT a FROM t;
DROP MATERIALIZED VIEW n;
-- case: a parent is dropped with its children
CREATE TABLE p (a int);
CREATE TABLE c () INHERITS (p);
DROP TABLE p CASCADE;
-- case: views on views go together
CREATE TABLE t (a int);
CREATE VIEW v AS SELECT a FROM t;
CREATE VIEW w AS SELECT a FROM v;
DROP VIEW v CASCADE;
-- case: a type dropped with CASCADE takes the defaults that were converted from it
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (a mood DEFAULT 'a', b text DEFAULT 'x');
ALTER TABLE t ALTER a TYPE text;
DROP TYPE mood CASCADE;
-- case: a key in a branch that is not taken stays
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (a int REFERENCES p);
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'p_pkey') THEN
        ALTER TABLE p DROP CONSTRAINT p_pkey;
        ALTER TABLE p ADD PRIMARY KEY (id);
    END IF;
END $$;
