CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, n int);
CREATE TABLE parts (id int NOT NULL, region int) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE VIEW people AS SELECT id, name FROM customers;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER orders_noted BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER parts_noted AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER parts_once AFTER INSERT ON parts FOR EACH STATEMENT EXECUTE FUNCTION noted();
CREATE POLICY orders_own ON orders USING (n > 0);
CREATE RULE customers_quiet AS ON DELETE TO customers DO ALSO NOTHING;
INSERT INTO customers VALUES (1, 'a');
INSERT INTO orders VALUES (1, 1, 1);
INSERT INTO parts VALUES (1, 1), (2, 11);

-- case: creating a trigger blocks writes
-- statement
CREATE TRIGGER more BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION noted();

-- case: replacing a trigger
-- versions: 14..
-- statement
CREATE OR REPLACE TRIGGER orders_noted BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted();

-- case: replacing a trigger before 14
-- versions: ..13
-- statement
CREATE OR REPLACE TRIGGER orders_noted BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted();

-- case: a trigger of the same name is refused
-- statement
CREATE TRIGGER orders_noted BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION noted();

-- case: a row trigger of a partitioned table is cloned to partitions
-- statement
CREATE TRIGGER more AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION noted();

-- case: a statement trigger of a partitioned table is not
-- statement
CREATE TRIGGER more AFTER INSERT ON parts FOR EACH STATEMENT EXECUTE FUNCTION noted();

-- case: a constraint trigger opens the other table
-- statement
CREATE CONSTRAINT TRIGGER more AFTER INSERT ON orders FROM customers FOR EACH ROW EXECUTE FUNCTION noted();

-- case: a trigger of a view
-- statement
CREATE TRIGGER more INSTEAD OF INSERT ON people FOR EACH ROW EXECUTE FUNCTION noted();

-- case: dropping a trigger blocks reads
-- statement
DROP TRIGGER orders_noted ON orders;

-- case: dropping a row trigger of a partitioned table
-- statement
DROP TRIGGER parts_noted ON parts;

-- case: dropping a statement trigger of a partitioned table
-- statement
DROP TRIGGER parts_once ON parts;

-- case: dropping a trigger that may not exist
-- statement
DROP TRIGGER IF EXISTS missing ON orders;

-- case: dropping a trigger that does not exist
-- statement
DROP TRIGGER missing ON orders;

-- case: renaming a trigger
-- statement
ALTER TRIGGER orders_noted ON orders RENAME TO orders_written;

-- case: renaming a trigger of a partitioned table
-- statement
ALTER TRIGGER parts_noted ON parts RENAME TO parts_written;

-- case: disabling a trigger
-- statement
ALTER TABLE orders DISABLE TRIGGER orders_noted;

-- case: disabling all triggers
-- statement
ALTER TABLE orders DISABLE TRIGGER ALL;

-- case: enabling a trigger of a partitioned table
-- statement
ALTER TABLE parts ENABLE TRIGGER parts_noted;

-- case: creating a rule
-- statement
CREATE RULE more AS ON UPDATE TO customers DO ALSO NOTHING;

-- case: creating a rule that writes another table
-- statement
CREATE RULE more AS ON UPDATE TO customers DO ALSO UPDATE orders SET n = 1;

-- case: dropping a rule
-- statement
DROP RULE customers_quiet ON customers;

-- case: renaming a rule
-- statement
ALTER RULE customers_quiet ON customers RENAME TO customers_silent;

-- case: disabling a rule
-- statement
ALTER TABLE customers DISABLE RULE customers_quiet;

-- case: creating a policy
-- statement
CREATE POLICY more ON orders USING (n > 1);

-- case: changing a policy
-- statement
ALTER POLICY orders_own ON orders USING (false);

-- case: renaming a policy
-- statement
ALTER POLICY orders_own ON orders RENAME TO orders_mine;

-- case: dropping a policy
-- statement
DROP POLICY orders_own ON orders;

-- case: dropping a policy that may not exist
-- statement
DROP POLICY IF EXISTS missing ON orders;

-- case: switching row security on
-- statement
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;

-- case: forcing row security
-- statement
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
