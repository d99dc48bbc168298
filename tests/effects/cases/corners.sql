CREATE SCHEMA shop;
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers, note text);
CREATE INDEX orders_note_idx ON orders (note);
CREATE TABLE parts (id int NOT NULL, region int, customer_id int REFERENCES customers, PRIMARY KEY (id, region)) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (region);
CREATE TABLE parts_2a PARTITION OF parts_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE pieces (id int, region int, FOREIGN KEY (id, region) REFERENCES parts ON DELETE CASCADE);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER parts_noted AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TRIGGER parts_once AFTER INSERT ON parts FOR EACH STATEMENT EXECUTE FUNCTION noted();
CREATE TYPE mood AS ENUM ('sad');
CREATE DOMAIN known_mood AS mood CHECK (value IS NOT NULL);
CREATE TABLE moods (id int, m known_mood, n int);
CREATE VIEW mood_ids AS SELECT id FROM moods;
CREATE TABLE shop.items (id int PRIMARY KEY, name text);
CREATE TABLE shop_refs (item_id int REFERENCES shop.items);
CREATE VIEW shop_view AS SELECT id FROM shop.items;
CREATE SEQUENCE shop.numbers;
CREATE TABLE numbered (id int DEFAULT nextval('shop.numbers'), body text);
INSERT INTO customers VALUES (1, 'a'), (2, 'b');
INSERT INTO orders (customer_id) VALUES (1);
INSERT INTO parts VALUES (1, 1, 1), (2, 11, 1);
INSERT INTO pieces VALUES (1, 1), (2, 11);
INSERT INTO moods VALUES (1, 'sad', 1);
INSERT INTO shop.items VALUES (1, 'x');

-- case: inserting at two levels of partitions
-- statement
INSERT INTO parts VALUES (3, 3, 2), (4, 14, 2);

-- case: inserting into a partition of a partition
-- statement
INSERT INTO parts_2a VALUES (4, 14, 2);

-- case: updating a foreign key in a partition
-- statement
UPDATE parts_2a SET customer_id = 2;

-- case: deleting at two levels with a cascade
-- statement
DELETE FROM parts;

-- case: deleting from the middle of partitions
-- statement
DELETE FROM parts_2;

-- case: a parent of everything
-- statement
DELETE FROM customers WHERE id = 2;

-- case: truncating two levels with a cascade
-- statement
TRUNCATE parts CASCADE;

-- case: truncating everything
-- statement
TRUNCATE customers RESTART IDENTITY CASCADE;

-- case: an index of two levels that exists
CREATE INDEX parts_customer ON parts (customer_id);
-- statement
CREATE INDEX IF NOT EXISTS parts_customer ON parts (customer_id);

-- case: dropping an index of two levels
CREATE INDEX parts_customer ON parts (customer_id);
-- statement
DROP INDEX parts_customer;

-- case: an index on the middle of partitions
-- statement
CREATE INDEX ON parts_2 (customer_id);

-- case: an index on a temporary table
CREATE TEMPORARY TABLE scratch (a int);
INSERT INTO scratch VALUES (1);
-- statement
CREATE INDEX scratch_a ON scratch (a);

-- case: an index on a temporary table, concurrently
CREATE TEMPORARY TABLE scratch (a int);
INSERT INTO scratch VALUES (1);
-- statement
CREATE INDEX CONCURRENTLY scratch_a ON scratch (a);

-- case: an index in another schema
-- statement
CREATE INDEX ON shop.items (name);

-- case: a unique index with a predicate and an order
-- statement
CREATE UNIQUE INDEX CONCURRENTLY orders_once ON orders (customer_id DESC NULLS LAST, lower(note)) WHERE note IS NOT NULL;

-- case: rebuilding the index of a primary key
-- statement
REINDEX INDEX orders_pkey;

-- case: a second index with the same columns gets a number
-- statement
CREATE INDEX ON orders (note);

-- case: disabling a statement trigger of a partitioned table
-- statement
ALTER TABLE parts DISABLE TRIGGER parts_once;

-- case: disabling the user's triggers of a partitioned table
-- statement
ALTER TABLE parts DISABLE TRIGGER USER;

-- case: disabling all triggers of a partitioned table
-- statement
ALTER TABLE parts DISABLE TRIGGER ALL;

-- case: a row trigger at two levels
-- statement
CREATE TRIGGER more AFTER UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION noted();

-- case: a trigger on one partition
-- statement
CREATE TRIGGER more AFTER UPDATE ON parts_1 FOR EACH ROW EXECUTE FUNCTION noted();

-- case: renaming a trigger at two levels
-- statement
ALTER TRIGGER parts_noted ON parts RENAME TO parts_written;

-- case: dropping an enum with the domain over it
-- statement
DROP TYPE mood CASCADE;

-- case: dropping a domain leaves views of other columns
-- statement
DROP DOMAIN known_mood CASCADE;

-- case: dropping a schema reaches out of it
-- statement
DROP SCHEMA shop CASCADE;

-- case: a default from a sequence of another schema
-- statement
INSERT INTO numbered (body) VALUES ('x');

-- case: dropping a sequence of another schema
-- statement
DROP SEQUENCE shop.numbers CASCADE;

-- case: a new owner of a table and its indexes and sequence
CREATE ROLE case_owner_1;
-- statement
ALTER TABLE orders OWNER TO case_owner_1;

-- case: a new owner of a partitioned table
CREATE ROLE case_owner_2;
-- statement
ALTER TABLE parts OWNER TO case_owner_2;

-- case: moving a table with its sequence
-- statement
ALTER TABLE orders SET SCHEMA shop;

-- case: moving a partitioned table
-- statement
ALTER TABLE parts SET SCHEMA shop;

-- case: renaming a table
-- statement
ALTER TABLE orders RENAME TO sales;

-- case: renaming a partitioned table
-- statement
ALTER TABLE parts RENAME TO pieces_of_it;

-- case: a temporary view
-- statement
CREATE TEMPORARY VIEW more AS SELECT * FROM parts;

-- case: a recursive view
-- statement
CREATE RECURSIVE VIEW more (n) AS SELECT id FROM customers UNION ALL SELECT n + 1 FROM more WHERE n < 5;

-- case: a materialized view of a partitioned table
-- statement
CREATE MATERIALIZED VIEW more AS SELECT count(*) FROM parts;

-- case: a comment on a policy
CREATE POLICY own ON orders USING (true);
-- statement
COMMENT ON POLICY own ON orders IS 'x';

-- case: a comment on a constraint of a domain
-- statement
COMMENT ON CONSTRAINT known_mood_check ON DOMAIN known_mood IS 'x';

-- case: a policy that reads another table
-- statement
CREATE POLICY own ON orders USING (EXISTS (SELECT 1 FROM customers WHERE customers.id = customer_id));

-- case: changing a policy so that it reads another table
CREATE POLICY own ON orders USING (true);
-- statement
ALTER POLICY own ON orders USING (customer_id IN (SELECT id FROM customers));

-- case: updating from a query of WITH
-- statement
WITH chosen AS (SELECT id FROM customers LIMIT 1) UPDATE orders SET note = 'x' FROM chosen WHERE customer_id = chosen.id;

-- case: inserting from the table itself
-- statement
INSERT INTO orders (customer_id, note) SELECT customer_id, note FROM orders;

-- case: locking rows under another name
-- statement
SELECT * FROM orders AS o JOIN customers AS c ON true FOR UPDATE OF c SKIP LOCKED;

-- case: a cursor that locks rows
-- statement
DECLARE c CURSOR FOR SELECT * FROM orders FOR UPDATE;

-- case: a write inside WITH of a read
-- statement
WITH added AS (INSERT INTO customers VALUES (7, 'g') RETURNING id) SELECT * FROM added, orders;

-- case: merging that deletes from a parent
-- versions: 15..
-- statement
MERGE INTO customers USING shop.items ON customers.id = items.id + 1 WHEN MATCHED THEN DELETE;

-- case: merging into a partitioned table
-- versions: 15..
-- statement
MERGE INTO parts USING customers ON parts.id = customers.id WHEN MATCHED THEN UPDATE SET customer_id = 2;

-- case: a table inside CREATE SCHEMA
-- statement
CREATE SCHEMA more CREATE TABLE things (customer_id int REFERENCES public.customers);

-- case: reading from the middle of partitions
-- statement
SELECT * FROM parts_2;

-- case: locking rows from the middle of partitions
-- statement
SELECT * FROM parts_2 FOR UPDATE;

-- case: updating from the middle of partitions
-- statement
UPDATE parts_2 SET customer_id = 2;

-- case: inserting into the middle of partitions
-- statement
INSERT INTO parts_2 VALUES (9, 19, 1);

-- case: truncating the middle of partitions
DROP TABLE pieces;
-- statement
TRUNCATE parts_2;

-- case: locking the middle of partitions
-- statement
LOCK TABLE parts_2 IN SHARE MODE;

-- case: a foreign key to the middle of partitions
CREATE TABLE bits (id int, region int, FOREIGN KEY (id, region) REFERENCES parts_2);
-- statement
INSERT INTO bits VALUES (2, 11);

-- case: two schemas dropped at once
CREATE SCHEMA other;
CREATE TABLE other.things (item_id int REFERENCES shop.items);
-- statement
DROP SCHEMA shop, other CASCADE;

-- case: two views dropped at once although one reads the other
CREATE VIEW first AS SELECT id FROM customers;
CREATE VIEW second AS SELECT id FROM first;
-- statement
DROP VIEW first, second;

-- case: explaining row locks of partitions
-- statement
EXPLAIN SELECT * FROM parts FOR UPDATE;

-- case: statistics of two levels of partitions
-- statement
ANALYZE parts;

-- case: a column list in COPY
-- statement
COPY orders (note) TO '/dev/null';

-- case: copying in without the foreign key
-- statement
COPY orders (note) FROM PROGRAM 'echo x';

-- case: another foreign key in the same ALTER makes PostgreSQL verify the inline one
CREATE TABLE seen_parent (id int PRIMARY KEY);
CREATE TABLE seen_child (id int, other int);
INSERT INTO seen_child VALUES (1, NULL);
-- statement
ALTER TABLE seen_child ADD COLUMN parent int REFERENCES seen_parent, ADD FOREIGN KEY (other) REFERENCES seen_parent;

-- case: a default of another column in the same ALTER leaves the inline foreign key unverified
CREATE TABLE seen_parent (id int PRIMARY KEY);
CREATE TABLE seen_child (id int);
INSERT INTO seen_child VALUES (1);
-- statement
ALTER TABLE seen_child ADD COLUMN parent int REFERENCES seen_parent, ADD COLUMN label text DEFAULT 'x';

-- case: a check in the same ALTER leaves the inline foreign key unverified
CREATE TABLE seen_parent (id int PRIMARY KEY);
CREATE TABLE seen_child (id int);
INSERT INTO seen_child VALUES (1);
-- statement
ALTER TABLE seen_child ADD COLUMN parent int REFERENCES seen_parent, ADD CHECK (id > 0);

-- case: ALTER TABLE IF EXISTS of a table that does not exist does nothing
-- statement
ALTER TABLE IF EXISTS never_made ADD CONSTRAINT never_made_check CHECK (id > 0);

-- case: ALTER TABLE IF EXISTS DROP COLUMN of a table that does not exist does nothing
-- statement
ALTER TABLE IF EXISTS never_made DROP COLUMN id;
