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
