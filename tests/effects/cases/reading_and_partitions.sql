CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers, n int);
CREATE VIEW named AS SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id;
CREATE VIEW people AS SELECT id, name FROM customers;
CREATE VIEW people_again AS SELECT id, name FROM people;
CREATE TABLE parts (id int NOT NULL, region int, body text, PRIMARY KEY (id, region)) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE VIEW all_parts AS SELECT id, region FROM parts;
CREATE TABLE animals (name text);
CREATE TABLE dogs () INHERITS (animals);
CREATE SEQUENCE numbers;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM customers WITH NO DATA;
INSERT INTO customers VALUES (1, 'a'), (2, 'b');
INSERT INTO orders (customer_id) VALUES (1);
INSERT INTO parts VALUES (1, 1, 'a'), (2, 11, 'b');
INSERT INTO animals VALUES ('x');
INSERT INTO dogs VALUES ('y');
REFRESH MATERIALIZED VIEW counted;

-- case: reading a table
-- statement
SELECT * FROM customers;

-- case: reading two tables and a sub-query
-- statement
SELECT * FROM customers c JOIN orders o ON o.customer_id = c.id WHERE EXISTS (SELECT 1 FROM animals);

-- case: reading through a view locks what is behind it
-- statement
SELECT * FROM named;

-- case: reading through a view of a view
-- statement
SELECT * FROM people_again;

-- case: reading a view of a partitioned table
-- statement
SELECT * FROM all_parts;

-- case: reading a materialized view
-- statement
SELECT * FROM counted;

-- case: reading a partitioned table
-- statement
SELECT * FROM parts;

-- case: reading one partition
-- statement
SELECT * FROM parts_1;

-- case: reading an inheritance parent
-- statement
SELECT * FROM animals;

-- case: a name of WITH is not a table
-- statement
WITH customers AS (SELECT 1 AS id) SELECT * FROM customers;

-- case: nothing is locked without a table
-- statement
SELECT 1;

-- case: system catalogs are not listed
-- statement
SELECT relname FROM pg_class LIMIT 1;

-- case: locking rows
-- statement
SELECT * FROM customers FOR UPDATE;

-- case: locking rows of one of two tables
-- statement
SELECT * FROM customers c JOIN orders o ON o.customer_id = c.id FOR SHARE OF o;

-- case: locking rows through a view
-- statement
SELECT * FROM people_again FOR UPDATE;

-- case: locking rows of a partitioned table
-- statement
SELECT * FROM parts FOR NO KEY UPDATE;

-- case: taking a number
-- statement
SELECT nextval('numbers');

-- case: setting a sequence behind a table
-- statement
SELECT setval('orders_id_seq', (SELECT max(id) FROM orders));

-- case: preparing a query expands views, not partitions
-- statement
PREPARE q AS SELECT * FROM all_parts;

-- case: declaring a cursor outside a transaction is refused
-- statement
DECLARE c CURSOR FOR SELECT * FROM customers;

-- case: explaining a query
-- statement
EXPLAIN SELECT * FROM named;

-- case: copying a table out
-- statement
COPY customers TO '/dev/null';

-- case: copying a query out
-- statement
COPY (SELECT * FROM people) TO '/dev/null';

-- case: an inheritance parent is copied out alone
-- statement
COPY animals TO '/dev/null';

-- case: a partitioned table is not copied out
-- statement
COPY parts TO '/dev/null';

-- case: inserting into every partition
-- statement
INSERT INTO parts VALUES (3, 3), (4, 13);

-- case: inserting into one partition reads the parent's definition
-- statement
INSERT INTO parts_1 VALUES (3, 3);

-- case: updating a partitioned table
-- statement
UPDATE parts SET body = 'z';

-- case: moving rows between partitions
-- statement
UPDATE parts SET region = 12 WHERE region = 1;

-- case: deleting from a partitioned table
-- statement
DELETE FROM parts;

-- case: deleting from one partition
-- statement
DELETE FROM parts_2;

-- case: updating an inheritance parent
-- statement
UPDATE animals SET name = 'z';

-- case: updating an inheritance parent only
-- statement
UPDATE ONLY animals SET name = 'z';

-- case: deleting from an inheritance parent only
-- statement
DELETE FROM ONLY animals;

-- case: inserting into an inheritance parent
-- statement
INSERT INTO animals VALUES ('z');

-- case: updating through a view
-- statement
UPDATE people_again SET name = 'z';

-- case: inserting through a view
-- statement
INSERT INTO people VALUES (3, 'c');

-- case: deleting through a view looks for children
-- statement
DELETE FROM people WHERE id = 2;

-- case: copying into a partitioned table
-- statement
COPY parts (id, region) FROM PROGRAM 'printf "5\t5\n6\t16\n"';

-- case: a block of code runs its statements
-- statement
DO $$ BEGIN UPDATE customers SET name = 'q'; DELETE FROM orders; END $$;

-- case: reading only the parent of an inheritance
-- statement
SELECT * FROM ONLY animals;

-- case: reading a parent with ONLY and without
-- statement
SELECT * FROM ONLY animals a JOIN animals b ON a.name = b.name;

-- case: reading only a partitioned table
-- statement
SELECT * FROM ONLY parts;

-- case: locking rows of only the parent
-- statement
SELECT * FROM ONLY animals FOR UPDATE;

-- case: a view of only the parent
CREATE VIEW wild AS SELECT name FROM ONLY animals;
-- statement
SELECT * FROM wild;

-- case: updating by what only the parent has
-- statement
UPDATE customers SET name = a.name FROM ONLY animals a;

-- case: copying only the parent
-- statement
COPY (SELECT * FROM ONLY animals) TO '/dev/null';
