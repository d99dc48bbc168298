CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE orders (id int PRIMARY KEY, name varchar(20), n int, at timestamptz);
INSERT INTO orders VALUES (1);

-- case: dropping a column of a column list
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders (id, n);
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping a column of a column list with CASCADE
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders (id, n);
-- statement
ALTER TABLE orders DROP COLUMN n CASCADE;

-- case: dropping a column of a row filter
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders WHERE (n > 1);
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping another column
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders (id, n) WHERE (id > 1);
-- statement
ALTER TABLE orders DROP COLUMN name;

-- case: retyping a column of a row filter
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders WHERE (n > 1);
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: retyping a column of a column list
-- versions: 15..
CREATE PUBLICATION p FOR TABLE orders (id, n);
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: dropping a column of a publication without a list
CREATE PUBLICATION p FOR TABLE orders;
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping the table of a publication
CREATE PUBLICATION p FOR TABLE orders;
-- statement
DROP TABLE orders;

-- case: dropping a column of statistics
CREATE STATISTICS st ON name, n FROM orders;
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: retyping a column of statistics
CREATE STATISTICS st ON name, n FROM orders;
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: retyping a column of statistics on an expression
-- versions: 14..
CREATE STATISTICS st ON (n + 1) FROM orders;
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: dropping a column of UPDATE OF
CREATE TRIGGER tr BEFORE UPDATE OF n ON orders FOR EACH ROW EXECUTE FUNCTION tf();
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: retyping a column of UPDATE OF
CREATE TRIGGER tr BEFORE UPDATE OF n ON orders FOR EACH ROW EXECUTE FUNCTION tf();
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: dropping a column of WHEN
CREATE TRIGGER tr BEFORE UPDATE ON orders FOR EACH ROW WHEN (NEW.n > 1) EXECUTE FUNCTION tf();
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping a column with a trigger by CASCADE
CREATE TRIGGER tr BEFORE UPDATE OF n ON orders FOR EACH ROW EXECUTE FUNCTION tf();
-- statement
ALTER TABLE orders DROP COLUMN n CASCADE;

-- case: dropping a column of a policy
CREATE POLICY po ON orders USING (n > 1);
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping a column of a policy by CASCADE
CREATE POLICY po ON orders USING (n > 1);
-- statement
ALTER TABLE orders DROP COLUMN n CASCADE;

-- case: dropping a column used by a policy of another table
CREATE TABLE other (id int);
CREATE POLICY po ON other USING (EXISTS (SELECT 1 FROM orders WHERE orders.n = other.id));
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: retyping a column used by a policy of another table
CREATE TABLE other (id int);
CREATE POLICY po ON other USING (EXISTS (SELECT 1 FROM orders WHERE orders.n = other.id));
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: dropping a table used by a policy of another table
CREATE TABLE other (id int);
CREATE POLICY po ON other USING (EXISTS (SELECT 1 FROM orders WHERE orders.n = other.id));
-- statement
DROP TABLE orders;

-- case: dropping a column of a generated column
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a + 1) STORED);
-- statement
ALTER TABLE g DROP COLUMN a;

-- case: dropping a column of a generated column by CASCADE
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a + 1) STORED);
-- statement
ALTER TABLE g DROP COLUMN a CASCADE;

-- case: dropping a key column
CREATE TABLE pt (a int, b int) PARTITION BY RANGE (a);
-- statement
ALTER TABLE pt DROP COLUMN a CASCADE;

-- case: dropping a column of a key expression
CREATE TABLE pt (a int, b int) PARTITION BY RANGE ((a + 1));
-- statement
ALTER TABLE pt DROP COLUMN a CASCADE;

-- case: retyping a column of a key expression
CREATE TABLE pt (a int, b int) PARTITION BY RANGE ((a + 1));
-- statement
ALTER TABLE pt ALTER COLUMN a TYPE bigint;

-- case: dropping a column of an atomic function
-- versions: 14..
CREATE FUNCTION af() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(n) FROM orders; END;
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: retyping a column of an atomic function
-- versions: 14..
CREATE FUNCTION af() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(n) FROM orders; END;
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: dropping the table of an atomic function
-- versions: 14..
CREATE FUNCTION af() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(n) FROM orders; END;
-- statement
DROP TABLE orders;

-- case: dropping a column of a view by CASCADE
CREATE VIEW v AS SELECT id, n FROM orders;
CREATE VIEW w AS SELECT id FROM v;
-- statement
ALTER TABLE orders DROP COLUMN n CASCADE;

-- case: dropping a column of a materialized view
CREATE MATERIALIZED VIEW v AS SELECT id, n FROM orders;
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: dropping a column a view does not use
CREATE VIEW v AS SELECT id, n FROM orders;
-- statement
ALTER TABLE orders DROP COLUMN name;

-- case: dropping a column of a row type
CREATE TABLE holder (o orders);
-- statement
ALTER TABLE orders DROP COLUMN n;

-- case: retyping a column of a row type
CREATE TABLE holder (o orders);
-- statement
ALTER TABLE orders ALTER COLUMN n TYPE bigint;

-- case: adding a column to a row type
CREATE TABLE holder (o orders);
-- statement
ALTER TABLE orders ADD COLUMN z int;

-- case: adding a column with a volatile default to a row type
CREATE TABLE holder (o orders);
-- statement
ALTER TABLE orders ADD COLUMN z float DEFAULT random();

-- case: dropping the replica identity's column
CREATE UNIQUE INDEX ri ON orders (id);
ALTER TABLE orders REPLICA IDENTITY USING INDEX ri;
-- statement
ALTER TABLE orders DROP COLUMN id;

-- case: renaming a column of everything
CREATE VIEW v AS SELECT id, n FROM orders;
CREATE TRIGGER tr BEFORE UPDATE OF n ON orders FOR EACH ROW EXECUTE FUNCTION tf();
CREATE POLICY po ON orders USING (n > 1);
CREATE STATISTICS st ON name, n FROM orders;
-- statement
ALTER TABLE orders RENAME COLUMN n TO m;

-- case: SET EXPRESSION of a column of a publication's list
-- versions: 18..
CREATE TABLE g (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) STORED);
CREATE PUBLICATION p FOR TABLE g (id, b);
-- statement
ALTER TABLE g ALTER COLUMN b SET EXPRESSION AS (a + 2);
