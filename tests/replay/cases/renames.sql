-- case: foreign keys follow a renamed table and column
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (a int REFERENCES p);
ALTER TABLE p RENAME TO q;
ALTER TABLE q RENAME COLUMN id TO number;
ALTER TABLE t RENAME a TO b;
-- case: indexes, checks and generated columns follow a renamed column
CREATE TABLE t (a int CHECK (a > 0), b int, c int GENERATED ALWAYS AS (a + 1) STORED);
CREATE INDEX i ON t (a, b);
CREATE INDEX j ON t ((a + b));
CREATE INDEX k ON t (b) INCLUDE (a);
ALTER TABLE t RENAME a TO z;
CREATE INDEX ON t (z);
ALTER TABLE t DROP COLUMN z CASCADE;
-- case: a renamed table keeps the names of its indexes, and new ones use the new name
CREATE TABLE t (id serial PRIMARY KEY, a int);
ALTER TABLE t RENAME TO u;
CREATE INDEX ON u (a);
CREATE TABLE t (id serial, a int);
-- case: renaming the index of a constraint renames the constraint
CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE);
ALTER INDEX t_pkey RENAME TO first;
ALTER TABLE t RENAME CONSTRAINT t_b_key TO second;
ALTER TABLE t DROP CONSTRAINT first;
-- case: ALTER TABLE renames indexes and sequences
CREATE TABLE t (id serial, a int);
CREATE INDEX i ON t (a);
ALTER TABLE i RENAME TO j;
ALTER TABLE t_id_seq RENAME TO s;
ALTER SEQUENCE s RENAME TO s2;
-- case: SET SCHEMA takes indexes and owned sequences along
CREATE SCHEMA app;
CREATE TABLE p (id serial PRIMARY KEY);
CREATE TABLE t (a int REFERENCES p);
CREATE INDEX i ON p (id);
ALTER TABLE p SET SCHEMA app;
-- case: a renamed schema takes everything along
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('a');
CREATE TABLE app.t (id serial PRIMARY KEY, m app.mood);
CREATE TABLE u (a int REFERENCES app.t, m app.mood[]);
CREATE INDEX ON app.t (m);
ALTER SCHEMA app RENAME TO shop;
-- case: a renamed type is followed by columns
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN d AS mood;
CREATE TABLE t (a mood, b mood[], c d);
ALTER TYPE mood RENAME TO feeling;
ALTER DOMAIN d RENAME TO e;
-- case: the old type is replaced by a new one of its name
CREATE TYPE mood AS ENUM ('a', 'b', 'c');
CREATE TABLE t (a mood NOT NULL DEFAULT 'a');
ALTER TYPE mood RENAME TO mood_old;
CREATE TYPE mood AS ENUM ('a', 'b');
ALTER TABLE t ALTER COLUMN a DROP DEFAULT;
ALTER TABLE t ALTER COLUMN a TYPE mood USING a::text::mood;
ALTER TABLE t ALTER COLUMN a SET DEFAULT 'b';
DROP TYPE mood_old;
-- case: views survive when their table is renamed and go with it
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT a FROM t;
ALTER TABLE t RENAME TO u;
ALTER VIEW v RENAME TO w;
ALTER VIEW w RENAME COLUMN a TO z;
DROP TABLE u CASCADE;
-- case: a constraint of a parent is renamed on its children
CREATE TABLE p (a int CONSTRAINT c CHECK (a > 0));
CREATE TABLE k () INHERITS (p);
ALTER TABLE p RENAME CONSTRAINT c TO d;
ALTER TABLE p RENAME COLUMN a TO b;
