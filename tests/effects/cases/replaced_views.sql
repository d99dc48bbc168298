CREATE TABLE orders (id int PRIMARY KEY, name varchar(20), n int, gen int GENERATED ALWAYS AS (n + 1) STORED, at timestamptz);
CREATE VIEW v AS SELECT id, name, n FROM orders;
CREATE VIEW w AS SELECT id FROM v;

-- case: replacing a view with the same
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n FROM orders;

-- case: a column more
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n, at FROM orders;

-- case: a column less
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name FROM orders;

-- case: another order
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, n, name FROM orders;

-- case: another name
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n AS m FROM orders;

-- case: another name by the list
-- statement
CREATE OR REPLACE VIEW v (id, name, m) AS SELECT id, name, n FROM orders;

-- case: the same type by another column
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, gen AS n FROM orders;

-- case: star over a table
CREATE VIEW s AS SELECT * FROM orders;
ALTER TABLE orders ADD COLUMN x int;
-- statement
CREATE OR REPLACE VIEW s AS SELECT * FROM orders;

-- case: star over a table that lost a column
CREATE TABLE t (a int, b int);
CREATE VIEW s AS SELECT * FROM t;
-- statement
CREATE OR REPLACE VIEW s AS SELECT a FROM t;

-- case: star with a column in front
CREATE TABLE t (a int, b int);
CREATE VIEW s AS SELECT * FROM t;
-- statement
CREATE OR REPLACE VIEW s AS SELECT 1 AS one, * FROM t;

-- case: a column before the star
CREATE TABLE t (a int, b int);
CREATE VIEW s AS SELECT * FROM t;
-- statement
CREATE OR REPLACE VIEW s AS SELECT t.*, 1 AS one FROM t;

-- case: replacing what is a table
-- statement
CREATE OR REPLACE VIEW orders AS SELECT 1 AS id;

-- case: replacing what is a materialized view
CREATE MATERIALIZED VIEW m AS SELECT 1 AS id;
-- statement
CREATE OR REPLACE VIEW m AS SELECT 1 AS id;

-- case: a renamed column of the table is fixed in the view
ALTER TABLE orders RENAME COLUMN n TO m;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, m FROM orders;

-- case: a renamed column of the table under its old name
ALTER TABLE orders RENAME COLUMN n TO m;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, m AS n FROM orders;

-- case: a renamed column of the view
ALTER VIEW v RENAME COLUMN n TO m;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n AS m FROM orders;

-- case: a view on a view with one column more
-- statement
CREATE OR REPLACE VIEW w AS SELECT id, name FROM v;

-- case: union
CREATE VIEW u AS SELECT id FROM orders UNION SELECT n FROM orders;
-- statement
CREATE OR REPLACE VIEW u AS SELECT id FROM orders UNION ALL SELECT n FROM orders;

-- case: a column cast to another type
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n::bigint AS n FROM orders;

-- case: a column cast to another length
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name::varchar(30) AS name, n FROM orders;

-- case: a column cast to the type it has
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name::varchar(20) AS name, n::int AS n FROM orders;

-- case: another column of another type under the old name
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, at AS name, n FROM orders;

-- case: a count where a column was
-- ignore: fails
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, count(*) AS n FROM orders GROUP BY id;

-- case: a sum of the type it has
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n + 1 AS n FROM orders;

-- case: a column of a table joined
CREATE TABLE other (n bigint);
-- statement
CREATE OR REPLACE VIEW v AS SELECT o.id, o.name, other.n FROM orders o CROSS JOIN other;

-- case: a column of two tables of one name
CREATE TABLE other (n bigint, name varchar(20));
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, orders.name, orders.n FROM orders CROSS JOIN other;

-- case: a column cast to a domain over its type
CREATE DOMAIN number AS int;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n::number AS n FROM orders;

-- case: a view of a view with another type
-- statement
CREATE OR REPLACE VIEW w AS SELECT id::text AS id FROM v;

-- case: a view over a table whose column changed its type while the view was gone
DROP VIEW v CASCADE;
ALTER TABLE orders ALTER COLUMN name TYPE text;
CREATE VIEW v AS SELECT id, name, n FROM orders;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name::text AS name, n FROM orders;

-- case: a table that took the name of the view's table
ALTER TABLE orders RENAME TO old_orders;
CREATE TABLE orders (id bigint, name text, n text);
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n FROM old_orders;

-- case: a column that took the name of the view's column
ALTER TABLE orders RENAME COLUMN n TO m;
ALTER TABLE orders ADD COLUMN n text;
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, m AS n FROM orders;

-- case: another type by a name of WITH
-- ignore: fails
-- statement
CREATE OR REPLACE VIEW v AS WITH orders AS (SELECT 1::bigint AS id, ''::text AS name, 2 AS n) SELECT id, name, n FROM orders;

-- case: a sub-query under the name of a table
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, n FROM (SELECT id, name, n FROM orders) orders;

-- case: a join that merges a column
CREATE TABLE other (id int, n int);
-- statement
CREATE OR REPLACE VIEW v AS SELECT id, name, other.n FROM orders JOIN other USING (id);
