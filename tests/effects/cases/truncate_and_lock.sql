CREATE TABLE customers (id serial PRIMARY KEY, name text);
CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int REFERENCES customers);
CREATE TABLE lines (order_id int REFERENCES orders);
CREATE TABLE alone (id int PRIMARY KEY);
CREATE TABLE parts (id int NOT NULL, region int, PRIMARY KEY (id, region)) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE TABLE animals (name text);
CREATE TABLE dogs () INHERITS (animals);
CREATE VIEW people AS SELECT id, name FROM customers;
CREATE VIEW all_parts AS SELECT p.id FROM parts p JOIN people ON true;
CREATE SEQUENCE numbers;
INSERT INTO customers (name) VALUES ('a');
INSERT INTO orders (customer_id) VALUES (1);
INSERT INTO lines VALUES (1);
INSERT INTO alone VALUES (1);
INSERT INTO parts VALUES (1, 1), (2, 11);
INSERT INTO animals VALUES ('x');
INSERT INTO dogs VALUES ('y');

-- case: truncating is neither a rewrite nor a build
-- statement
TRUNCATE alone;

-- case: a referenced table is not truncated
-- statement
TRUNCATE customers;

-- case: a referenced table together with its children
-- statement
TRUNCATE customers, orders, lines;

-- case: truncating what references it too
-- statement
TRUNCATE customers CASCADE;

-- case: truncating a child alone
-- statement
TRUNCATE lines;

-- case: truncating with new numbers
-- statement
TRUNCATE orders, lines RESTART IDENTITY;

-- case: truncating a partitioned table
-- statement
TRUNCATE parts;

-- case: truncating one partition
-- statement
TRUNCATE parts_1;

-- case: truncating an inheritance parent
-- statement
TRUNCATE animals;

-- case: truncating an inheritance parent only
-- statement
TRUNCATE ONLY animals;

-- case: a partition whose parent is referenced
CREATE TABLE parts_refs (id int, region int, FOREIGN KEY (id, region) REFERENCES parts);
-- statement
TRUNCATE parts_1;

-- case: locking a table
-- statement
LOCK TABLE customers;

-- case: locking a table in a weak mode
-- statement
LOCK TABLE customers IN SHARE MODE;

-- case: locking two tables without waiting
-- statement
LOCK TABLE customers, orders IN SHARE ROW EXCLUSIVE MODE NOWAIT;

-- case: locking a partitioned table
-- statement
LOCK TABLE parts IN ROW EXCLUSIVE MODE;

-- case: locking an inheritance parent
-- statement
LOCK TABLE animals IN EXCLUSIVE MODE;

-- case: locking an inheritance parent only
-- statement
LOCK TABLE ONLY animals IN EXCLUSIVE MODE;

-- case: locking a view locks what is behind it
-- statement
LOCK TABLE people IN ACCESS EXCLUSIVE MODE;

-- case: locking a view of a view
-- statement
LOCK TABLE all_parts IN SHARE MODE;

-- case: a sequence is not locked so
-- statement
LOCK TABLE numbers;
