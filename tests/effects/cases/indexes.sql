CREATE TABLE customers (id int PRIMARY KEY, name text UNIQUE);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int REFERENCES customers, note text, n int);
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE INDEX orders_expr_idx ON orders (lower(note)) WHERE n > 0;
INSERT INTO customers VALUES (1, 'a'), (2, 'b');
INSERT INTO orders (customer_id, note, n) VALUES (1, 'x', 1), (2, 'y', 2);
CREATE TABLE parts (id int NOT NULL, region int, body text, PRIMARY KEY (id, region)) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, 1, 'a'), (2, 11, 'b');

-- case: building an index blocks writes
-- statement
CREATE INDEX orders_note_idx ON orders (note);

-- case: an unnamed index gets the name PostgreSQL chooses
-- statement
CREATE INDEX ON orders (note, n);

-- case: a unique index on an expression
-- statement
CREATE UNIQUE INDEX ON orders ((lower(note)), n) INCLUDE (customer_id);

-- case: building concurrently lets writes through and forbids a transaction
-- statement
CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);

-- case: building a unique index concurrently
-- statement
CREATE UNIQUE INDEX CONCURRENTLY ON orders (note, id);

-- case: an index that exists is not built again
-- statement
CREATE INDEX IF NOT EXISTS orders_customer_idx ON orders (note);

-- case: an index that exists is not built again concurrently
-- statement
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_idx ON orders (note);

-- case: a second index of the same name is refused
-- statement
CREATE INDEX orders_customer_idx ON orders (note);

-- case: an index on a partitioned table is built on every partition
-- statement
CREATE INDEX parts_body_idx ON parts (body);

-- case: an unnamed index on a partitioned table
-- statement
CREATE INDEX ON parts (region, lower(body));

-- case: an index on the parent only builds nothing
-- statement
CREATE INDEX parts_body_idx ON ONLY parts (body);

-- case: a partition that has an equal index keeps it
CREATE INDEX parts_1_own ON parts_1 (body);
-- statement
CREATE INDEX parts_body_idx ON parts (body);

-- case: an index on a partitioned table at two levels
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (region);
CREATE TABLE parts_3a PARTITION OF parts_3 FOR VALUES FROM (20) TO (30);
INSERT INTO parts VALUES (3, 21, 'c');
-- statement
CREATE INDEX parts_body_idx ON parts (body);

-- case: an index on one partition leaves the others alone
-- statement
CREATE INDEX ON parts_1 (body);

-- case: an index on one partition, concurrently
-- statement
CREATE INDEX CONCURRENTLY ON parts_1 (body);

-- case: a partitioned table cannot get an index concurrently
-- statement
CREATE INDEX CONCURRENTLY ON parts (body);

-- case: a unique index of a partitioned table needs the partition key
-- statement
CREATE UNIQUE INDEX ON parts (id);

-- case: an index of an inheritance parent is not inherited
CREATE TABLE animals (name text);
CREATE TABLE dogs () INHERITS (animals);
INSERT INTO animals VALUES ('x');
INSERT INTO dogs VALUES ('y');
-- statement
CREATE INDEX ON animals (name);

-- case: an index on a materialized view
CREATE MATERIALIZED VIEW names AS SELECT id, name FROM customers;
-- statement
CREATE INDEX names_idx ON names (name);

-- case: a view has no indexes
CREATE VIEW names AS SELECT id, name FROM customers;
-- statement
CREATE INDEX names_idx ON names (name);

-- case: dropping an index locks its table
-- statement
DROP INDEX orders_customer_idx;

-- case: dropping two indexes
-- statement
DROP INDEX orders_customer_idx, orders_expr_idx;

-- case: dropping one of two that may not exist
-- statement
DROP INDEX IF EXISTS missing_idx, orders_customer_idx;

-- case: dropping an index concurrently
-- statement
DROP INDEX CONCURRENTLY orders_customer_idx;

-- case: dropping an index concurrently that does not exist
-- statement
DROP INDEX CONCURRENTLY IF EXISTS missing_idx;

-- case: two indexes cannot be dropped concurrently
-- statement
DROP INDEX CONCURRENTLY orders_customer_idx, orders_expr_idx;

-- case: CONCURRENTLY and CASCADE do not go together
-- statement
DROP INDEX CONCURRENTLY orders_customer_idx CASCADE;

-- case: the index of a constraint cannot be dropped
-- statement
DROP INDEX customers_name_key;

-- case: the index of a constraint cannot be dropped concurrently
-- statement
DROP INDEX CONCURRENTLY customers_name_key;

-- case: dropping a partitioned index locks every partition
CREATE INDEX parts_body_idx ON parts (body);
-- statement
DROP INDEX parts_body_idx;

-- case: dropping a partitioned index that has no parts locks every partition too
CREATE INDEX parts_body_idx ON ONLY parts (body);
-- statement
DROP INDEX parts_body_idx;

-- case: a partitioned index cannot be dropped concurrently
CREATE INDEX parts_body_idx ON parts (body);
-- statement
DROP INDEX CONCURRENTLY parts_body_idx;

-- case: a part of a partitioned index cannot be dropped alone
CREATE INDEX parts_body_idx ON parts (body);
-- statement
DROP INDEX parts_1_body_idx;

-- case: attaching an index to the index of the parent
CREATE INDEX parts_body_idx ON ONLY parts (body);
CREATE INDEX parts_1_body ON parts_1 (body);
-- statement
ALTER INDEX parts_body_idx ATTACH PARTITION parts_1_body;

-- case: attaching an index on other columns is refused
CREATE INDEX parts_body_idx ON ONLY parts (body);
CREATE INDEX parts_1_region ON parts_1 (region);
-- statement
ALTER INDEX parts_body_idx ATTACH PARTITION parts_1_region;

-- case: renaming an index
-- statement
ALTER INDEX orders_customer_idx RENAME TO orders_buyer_idx;

-- case: renaming an index as if it were a table
-- statement
ALTER TABLE orders_customer_idx RENAME TO orders_buyer_idx;

-- case: renaming a table as if it were an index
-- statement
ALTER INDEX orders RENAME TO sales;

-- case: renaming the index of a primary key
-- statement
ALTER INDEX orders_pkey RENAME TO orders_primary;

-- case: storage parameters of an index
-- statement
ALTER INDEX orders_customer_idx SET (fillfactor = 70);

-- case: resetting storage parameters of an index
-- statement
ALTER INDEX orders_customer_idx RESET (fillfactor);

-- case: moving an index to the tablespace where it is
-- statement
ALTER INDEX orders_customer_idx SET TABLESPACE pg_default;

-- case: a statistics target for an expression of an index
-- statement
ALTER INDEX orders_expr_idx ALTER COLUMN 1 SET STATISTICS 100;
