-- case: a label added in a transaction that is rolled back
CREATE TYPE m AS ENUM ('a');
BEGIN;
ALTER TYPE m ADD VALUE 'b';
ROLLBACK;
-- case: numbers avoid indexes of other tables
CREATE TABLE a_b (c int);
CREATE TABLE a (b_c int);
CREATE INDEX ON a_b (c);
CREATE INDEX ON a (b_c);
CREATE UNIQUE INDEX ON a (b_c);
ALTER TABLE a ADD UNIQUE (b_c);
ALTER TABLE a ADD UNIQUE (b_c);
-- case: repeated and nameless keys in index names
CREATE TABLE t (a int, b int, c int);
CREATE INDEX ON t (a, a);
CREATE INDEX ON t ((a+b), (b+c)) INCLUDE (c);
CREATE INDEX ON t (abs(a), abs(b));
ALTER TABLE t ADD UNIQUE (a) INCLUDE (b, c);
ALTER TABLE t ADD EXCLUDE USING btree (a WITH =, (b + 1) WITH =);
-- case: types in every spelling
CREATE TABLE t (a bit, b char, c "char", d name, e numeric(10), f numeric(3,-2), g interval day to second(3), h interval year, i time(2) with time zone, j timestamp(0) with time zone, k int[3][], l text ARRAY, m national character varying(4), n dec(4,2), o float(10), p float(30), q oid, r regclass, s money, t xml, u point, v inet, w tsvector, x int4range, y bytea, z varchar);
-- case: a foreign key of several columns to its own table
CREATE TABLE t (a int, b int, p_a int, p_b int, UNIQUE (a, b), FOREIGN KEY (p_a, p_b) REFERENCES t (a, b) ON DELETE SET NULL (p_a));
-- case: foreign keys in any column order need the key
CREATE TABLE p (a int, b int, UNIQUE (a, b));
CREATE TABLE t (x int, y int, FOREIGN KEY (x, y) REFERENCES p (a, b), FOREIGN KEY (y, x) REFERENCES p (b, a));
ALTER TABLE p DROP CONSTRAINT p_a_b_key CASCADE;
-- case: foreign tables are created, altered, renamed and dropped
CREATE EXTENSION postgres_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE f (a int NOT NULL, b text) SERVER s;
ALTER FOREIGN TABLE f ADD COLUMN c int;
ALTER FOREIGN TABLE f RENAME TO g;
DROP FOREIGN TABLE g;
-- case: a table has the name that an index wants
CREATE TABLE t (a int);
CREATE TABLE i (a int);
CREATE INDEX IF NOT EXISTS i ON t (a);
-- case: static statements of a DO block
DO $$ BEGIN CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int; END $$;
-- case: columns of views
CREATE TABLE t (a int, b int);
CREATE VIEW v AS SELECT t.*, 1 AS x FROM t;
CREATE VIEW w AS SELECT t.a, u.b FROM t JOIN t u ON true;
CREATE VIEW x AS SELECT a + 1, lower('x'), count(*), a::text, CASE WHEN a > 1 THEN b END FROM t GROUP BY a, b;
CREATE VIEW y AS VALUES (1, 2);
CREATE VIEW z AS SELECT (SELECT max(a) FROM t), EXISTS (SELECT 1), ARRAY[1], coalesce(1,2), current_date, greatest(1,2), nullif(1,2), not true FROM t;
CREATE VIEW zz AS SELECT interval '1 day', date '2020-01-01', a.b FROM t a;
CREATE OR REPLACE RECURSIVE VIEW r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5;
-- case: names that PostgreSQL derives from expressions
CREATE TABLE t (a int, b int, c text, d jsonb, e int[]);
CREATE VIEW v1 AS SELECT -1 FROM t;
CREATE VIEW v2 AS SELECT e[1], c COLLATE "C" FROM t;
CREATE VIEW v3 AS SELECT (d->'x')->>'y' FROM t;
CREATE VIEW v4 AS SELECT extract(year from now()), trim(c), substring(c from 1 for 2), position('a' in c), overlay(c placing 'x' from 1) FROM t;
CREATE VIEW v5 AS SELECT current_user, localtimestamp, session_user, grouping(a) FROM t GROUP BY a;
CREATE VIEW v6 AS SELECT row_number() OVER () AS rn, sum(a) FILTER (WHERE a > 1) OVER (PARTITION BY b), now() AT TIME ZONE 'utc' FROM t;
CREATE VIEW v7 AS WITH x AS (SELECT 1 AS one, 2 AS two) SELECT * FROM x;
CREATE VIEW v8 AS SELECT * FROM (SELECT a, b FROM t) s;
CREATE VIEW v9 AS SELECT * FROM t WHERE a IN (SELECT 1);
CREATE VIEW v10 AS SELECT t.a, u.* FROM t, LATERAL (SELECT 5 AS five) u;
CREATE VIEW v11 AS SELECT json_build_object('a', a) AS j, pg_catalog.upper(c), (SELECT b), (a, b) = (1, 2) FROM t;
CREATE VIEW v12 AS TABLE t;
CREATE VIEW v13 AS SELECT a FROM t UNION SELECT b AS zz FROM t;
CREATE VIEW v14 AS SELECT g FROM generate_series(1, 2) g;
CREATE VIEW v15 AS SELECT * FROM generate_series(1, 2) AS g (n);
CREATE INDEX ON t ((d -> 'x' ->> 'y'));
CREATE INDEX ON t (e);
CREATE INDEX ON t ((e[1]));
CREATE INDEX ON t ((c COLLATE "C"), c COLLATE "C" text_pattern_ops);
CREATE INDEX ON t ((a IS NULL), (a = 1), (nullif(a, 1)), (greatest(a, b)));
CREATE INDEX ON t (((d ->> 'x')::int));
CREATE INDEX ON t (date_trunc('day', timezone('utc', to_timestamp(a))));
CREATE INDEX ON t (substring(c from 1 for 2), trim(c));
CREATE INDEX ON t ((extract(epoch from make_date(a, 1, 1))));
-- case: a named NOT NULL constraint
CREATE TABLE t (a int CONSTRAINT nn NOT NULL, b int);
ALTER TABLE t RENAME CONSTRAINT nn TO mm;
ALTER TABLE t DROP CONSTRAINT mm;
-- case: named inline constraints
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0), CONSTRAINT f FOREIGN KEY (a) REFERENCES p);
ALTER TABLE t ADD COLUMN b int CONSTRAINT cb CHECK (b > 0) CONSTRAINT fb REFERENCES p CONSTRAINT ub UNIQUE;
-- case: a dropped table uncovers the one behind it in search_path
CREATE SCHEMA a;
SET search_path = a, public;
CREATE TABLE public.t (x int);
CREATE TABLE t (y int);
ALTER TABLE t ADD z int;
DROP TABLE t;
ALTER TABLE t ADD zz int;
-- case: identity and generated columns are added
CREATE TABLE t (a int);
ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS IDENTITY, ADD COLUMN c int GENERATED ALWAYS AS (a) STORED;
ALTER TABLE t ALTER COLUMN a SET DEFAULT 7;
