CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, parent int, status text, bits bit(4));
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE VIEW shown AS SELECT * FROM orders;
INSERT INTO parents VALUES (1);
INSERT INTO orders VALUES (1, 1, 'a', B'1010'), (2, 1, 'b', B'1010');
INSERT INTO events VALUES (1, '2020-02-02');

-- case: a column that old rows lack, after TRUNCATE in the same transaction
-- transaction
TRUNCATE orders;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a column that old rows lack, after DELETE of all rows in the same transaction
-- transaction
DELETE FROM orders;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a column that old rows lack, after DELETE of some rows
-- transaction
DELETE FROM orders WHERE id = 1;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a column that old rows lack, after TRUNCATE and INSERT
-- transaction
TRUNCATE orders;
INSERT INTO orders VALUES (3, 1, 'c', B'1010');
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a column that old rows lack, after TRUNCATE and an INSERT by SELECT
-- transaction
TRUNCATE orders;
INSERT INTO orders SELECT id, id FROM parents;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: truncating a partition does not empty the others
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO events VALUES (1, '2021-02-02');
-- transaction
TRUNCATE events_1;
-- statement
ALTER TABLE events ADD COLUMN n int NOT NULL;

-- case: truncating the whole partitioned table
-- transaction
TRUNCATE events;
-- statement
ALTER TABLE events ADD COLUMN n int NOT NULL;

-- case: truncating by CASCADE empties what references
ALTER TABLE orders ADD FOREIGN KEY (parent) REFERENCES parents;
-- transaction
TRUNCATE parents CASCADE;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: after ROLLBACK TO the rows are back
-- transaction
SAVEPOINT s;
TRUNCATE orders;
ROLLBACK TO s;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: an index after TRUNCATE is built all the same
-- transaction
TRUNCATE orders;
-- statement
CREATE INDEX ON orders (status);

-- case: a check after TRUNCATE scans all the same
-- transaction
TRUNCATE orders;
-- statement
ALTER TABLE orders ADD CHECK (id > 0);

-- case: SET NOT NULL after TRUNCATE
-- transaction
TRUNCATE orders;
-- statement
ALTER TABLE orders ALTER COLUMN status SET NOT NULL;

-- case: a rewrite after TRUNCATE
-- transaction
TRUNCATE orders;
-- statement
ALTER TABLE orders ALTER COLUMN status TYPE int USING id;

-- case: bits after TRUNCATE
-- transaction
TRUNCATE orders;
-- statement
ALTER TABLE orders ALTER COLUMN bits TYPE bit(3);

-- case: a delete with WHERE true
-- transaction
DELETE FROM orders WHERE true;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a delete through a view
-- transaction
DELETE FROM shown;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a delete from the parent only
CREATE TABLE more (x int) INHERITS (orders);
INSERT INTO more VALUES (3, 1, 'c', B'1010', 1);
-- transaction
DELETE FROM ONLY orders;
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: a foreign key after TRUNCATE of both
-- transaction
TRUNCATE orders, parents;
-- statement
ALTER TABLE orders ADD FOREIGN KEY (parent) REFERENCES parents;
