CREATE TABLE customers (id bigint PRIMARY KEY, email varchar(50));
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, email varchar(50), state text);
CREATE TABLE lines (order_id bigint REFERENCES orders ON DELETE CASCADE, n int, PRIMARY KEY (order_id, n));
CREATE INDEX orders_email_idx ON orders (email) INCLUDE (state);
CREATE VIEW v AS SELECT orders.id, customers.email FROM orders JOIN customers ON customers.id = orders.customer_id;
CREATE SCHEMA app;
INSERT INTO customers VALUES (1, 'a');
INSERT INTO orders VALUES (1, 1, 'a', 'x');
INSERT INTO lines VALUES (1, 1);

-- case: an int to bigint of a key that is referenced, in one statement with a new column
ALTER TABLE orders DROP COLUMN state;
DROP VIEW v;
-- statement
ALTER TABLE orders ALTER COLUMN id TYPE numeric, ADD COLUMN note text DEFAULT 'x';

-- case: a column of the same name that the view reads from another table is not certain
-- ignore: fails
-- statement
ALTER TABLE customers ALTER COLUMN email TYPE text;

-- case: dropping a table in the middle with CASCADE
-- statement
DROP TABLE orders CASCADE;

-- case: dropping all tables at once
-- statement
DROP TABLE customers, lines, orders CASCADE;

-- case: a table in another schema through the search path
CREATE TABLE app.orders (id int, email text);
INSERT INTO app.orders VALUES (1, 'a');
SET search_path = app, public;
-- statement
ALTER TABLE orders ALTER COLUMN email SET NOT NULL;

-- case: a quoted name
CREATE TABLE "Order Lines" ("Id" int, "user" text);
INSERT INTO "Order Lines" VALUES (1, 'a');
-- statement
ALTER TABLE "Order Lines" ADD CONSTRAINT "Check It" CHECK ("Id" > 0);

-- case: a composite foreign key
CREATE TABLE notes (order_id bigint, n int, body text);
INSERT INTO notes VALUES (1, 1, 'a');
-- statement
ALTER TABLE notes ADD FOREIGN KEY (order_id, n) REFERENCES lines MATCH FULL;

-- case: a constraint trigger is not dropped with a foreign key of another table
CREATE TABLE notes (order_id bigint REFERENCES orders, customer_id bigint REFERENCES customers);
-- statement
ALTER TABLE notes DROP CONSTRAINT notes_order_id_fkey;

-- case: a rename followed by an index on the new name
ALTER TABLE orders RENAME COLUMN email TO mail;
-- statement
ALTER TABLE orders DROP COLUMN mail;

-- case: an index that was renamed
ALTER INDEX orders_email_idx RENAME TO by_mail;
-- statement
ALTER TABLE orders ALTER COLUMN email TYPE varchar(100);

-- case: a table that was renamed
ALTER TABLE lines RENAME TO items;
-- statement
DROP TABLE items;

-- case: a foreign key that was dropped before no longer locks
ALTER TABLE lines DROP CONSTRAINT lines_order_id_fkey;
-- statement
DROP TABLE lines;

-- case: a temporary table of the same name
CREATE TEMPORARY TABLE orders (id int);
-- statement
ALTER TABLE orders ADD COLUMN r float8 DEFAULT random();

-- case: a key column that is part of a longer key
-- statement
ALTER TABLE lines ALTER COLUMN n TYPE bigint;

-- case: two foreign keys in one statement
CREATE TABLE notes (order_id bigint, customer_id bigint);
INSERT INTO notes VALUES (1, 1);
-- statement
ALTER TABLE notes ADD FOREIGN KEY (order_id) REFERENCES orders, ADD FOREIGN KEY (customer_id) REFERENCES customers;

-- case: a primary key and a rewrite in one statement
CREATE TABLE notes (id int NOT NULL, body text);
CREATE INDEX notes_body_idx ON notes (body);
INSERT INTO notes VALUES (1, 'a');
-- statement
ALTER TABLE notes ADD PRIMARY KEY (id), ALTER COLUMN id TYPE bigint;

-- case: a default and not null in one statement
-- statement
ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'new', ALTER COLUMN state SET NOT NULL;

-- case: dropping a column and adding another of its name
-- statement
ALTER TABLE orders DROP COLUMN state, ADD COLUMN state int;

-- case: a foreign key on a column that is added beside it with a constant
-- statement
ALTER TABLE lines ADD COLUMN customer_id bigint NOT NULL DEFAULT 1, ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;

-- case: an unlogged table
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY, n int);
INSERT INTO scratch VALUES (1, 1);
-- statement
ALTER TABLE scratch ALTER COLUMN n TYPE text;

-- case: a column with a toast table
ALTER TABLE orders ADD COLUMN body text;
-- statement
ALTER TABLE orders ALTER COLUMN body TYPE varchar;

-- case: three levels of partitions
CREATE TABLE m (a int, b int, c int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE m11 PARTITION OF m1 FOR VALUES IN (1) PARTITION BY HASH (c);
CREATE TABLE m111 PARTITION OF m11 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX m_c_idx ON m (c);
INSERT INTO m VALUES (1, 1, 1);
-- statement
ALTER TABLE m ADD CONSTRAINT c CHECK (c > 0);

-- case: attaching below a partition needs the proof of both bounds
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE leaf (a int, b int);
INSERT INTO leaf VALUES (1, 1);
ALTER TABLE leaf ADD CHECK (b IS NOT NULL AND b = 1);
-- statement
ALTER TABLE m1 ATTACH PARTITION leaf FOR VALUES IN (1);

-- case: attaching below a partition with the proof of both bounds
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE leaf (a int, b int);
INSERT INTO leaf VALUES (1, 1);
ALTER TABLE leaf ADD CHECK (b IS NOT NULL AND b = 1 AND a IS NOT NULL AND a >= 0 AND a < 10);
-- statement
ALTER TABLE m1 ATTACH PARTITION leaf FOR VALUES IN (1);

-- case: a default partition with partitions of its own
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE md PARTITION OF m DEFAULT PARTITION BY LIST (b);
CREATE TABLE md1 PARTITION OF md FOR VALUES IN (1);
INSERT INTO m VALUES (100, 1);
-- statement
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);

-- case: the first partition that is attached as default
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE leaf (a int, b int);
INSERT INTO leaf VALUES (1, 1);
-- statement
ALTER TABLE m ATTACH PARTITION leaf DEFAULT;

-- case: dropping a column of a partitioned table with a foreign key
CREATE TABLE m (a int, customer_id bigint REFERENCES customers) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
-- statement
ALTER TABLE m DROP COLUMN customer_id;

-- case: dropping a partition with a foreign key
CREATE TABLE m (a int, customer_id bigint REFERENCES customers) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
-- statement
DROP TABLE m1;

-- case: dropping a referenced partitioned table with CASCADE
CREATE TABLE m (a int PRIMARY KEY) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE users (a int REFERENCES m);
-- statement
DROP TABLE m CASCADE;

-- case: a type change of a column that a partitioned table's foreign key uses
CREATE TABLE m (a int, customer_id bigint REFERENCES customers) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
INSERT INTO m VALUES (1, 1);
-- statement
ALTER TABLE m ALTER COLUMN customer_id TYPE numeric;

-- case: a self-referencing foreign key of a partitioned table
CREATE TABLE m (a int PRIMARY KEY, up int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
INSERT INTO m VALUES (1, 1);
-- statement
ALTER TABLE m ADD FOREIGN KEY (up) REFERENCES m;

-- case: a foreign table has no rows of its own
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE remote (id int, n int) SERVER far;
-- statement
ALTER TABLE remote ADD COLUMN r float8 DEFAULT random();

-- case: inheritance with a rewrite
CREATE TABLE animals (id int, n int);
CREATE TABLE dogs (bark text) INHERITS (animals);
CREATE INDEX dogs_n_idx ON dogs (n);
INSERT INTO animals VALUES (1, 1);
INSERT INTO dogs VALUES (2, 2, 'woof');
-- statement
ALTER TABLE animals ALTER COLUMN n TYPE bigint;

-- case: an inheritance parent alone
CREATE TABLE animals (id int, n int);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1, 1);
-- statement
ALTER TABLE ONLY animals ALTER COLUMN n SET DEFAULT 5;

-- case: a foreign key of an inheritance parent is not its children's
CREATE TABLE animals (id int, customer_id bigint);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1, 1);
INSERT INTO dogs VALUES (2, 1, 'woof');
-- statement
ALTER TABLE animals ADD FOREIGN KEY (customer_id) REFERENCES customers;

-- case: a unique constraint of an inheritance parent is not its children's
CREATE TABLE animals (id int, customer_id bigint);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1, 1);
INSERT INTO dogs VALUES (2, 1, 'woof');
-- statement
ALTER TABLE animals ADD UNIQUE (id);

-- case: a primary key of an inheritance parent
CREATE TABLE animals (id int, customer_id bigint);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1, 1);
INSERT INTO dogs VALUES (2, 1, 'woof');
-- statement
ALTER TABLE animals ADD PRIMARY KEY (id);

-- case: a unique constraint of an inheritance parent that uses an index
CREATE TABLE animals (id int, customer_id bigint);
CREATE TABLE dogs (bark text) INHERITS (animals);
CREATE UNIQUE INDEX animals_id ON animals (id);
INSERT INTO animals VALUES (1, 1);
-- statement
ALTER TABLE animals ADD UNIQUE USING INDEX animals_id;

-- case: a partition of a partition
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
-- statement
CREATE TABLE m11 PARTITION OF m1 FOR VALUES IN (1);

-- case: detaching a partition of a partition
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE m11 PARTITION OF m1 FOR VALUES IN (1);
-- statement
ALTER TABLE m1 DETACH PARTITION m11;

-- case: dropping a partition of a partition
CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
CREATE TABLE m11 PARTITION OF m1 FOR VALUES IN (1);
-- statement
DROP TABLE m11;

-- case: a foreign key from numeric to bigint fails
CREATE TABLE notes (n numeric);
-- statement
ALTER TABLE notes ADD FOREIGN KEY (n) REFERENCES customers;

-- case: a foreign key from int to numeric is allowed
CREATE TABLE keys (n numeric PRIMARY KEY);
CREATE TABLE notes (n int);
INSERT INTO keys VALUES (1);
INSERT INTO notes VALUES (1);
-- statement
ALTER TABLE notes ADD FOREIGN KEY (n) REFERENCES keys;

-- case: an index on a table that does not exist fails
-- statement
CREATE INDEX ON never_made (a);

-- case: an index on a column that does not exist fails
CREATE TABLE has_no_b (a int);
-- statement
CREATE INDEX ON has_no_b (a, (b + 1));

-- case: an update of a column that does not exist fails
CREATE TABLE has_no_b (a int);
-- statement
UPDATE has_no_b SET b = 1;

-- case: a delete by a column that does not exist fails
CREATE TABLE has_no_b (a int);
-- statement
DELETE FROM has_no_b WHERE b = 1;

-- case: a delete by a column of another table is fine
CREATE TABLE has_no_b (a int);
CREATE TABLE has_b (b int);
-- statement
DELETE FROM has_no_b USING has_b WHERE b = 1;

-- case: a view over a table that does not exist fails
-- statement
CREATE VIEW over_nothing AS SELECT * FROM never_made;

-- case: reading the catalog is fine
-- ignore: locks
-- statement
SELECT count(*) FROM pg_class;
