CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE INDEX customers_name_idx ON customers (name);
CREATE TABLE reservations (room int, during int4range, CONSTRAINT reservations_free EXCLUDE USING gist (during WITH &&));
CREATE INDEX reservations_room_idx ON reservations (room);
CREATE TABLE parts (id int NOT NULL, region int, body text) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE INDEX parts_body_idx ON parts (body);
CREATE TABLE animals (name text);
CREATE TABLE dogs () INHERITS (animals);
CREATE MATERIALIZED VIEW names AS SELECT id, name FROM customers WITH NO DATA;
CREATE VIEW recent AS SELECT id, name FROM customers;
CREATE MATERIALIZED VIEW recent_names AS SELECT name FROM recent WITH NO DATA;
CREATE UNIQUE INDEX names_id ON names (id);
INSERT INTO customers VALUES (1, 'a'), (2, 'b');
INSERT INTO reservations VALUES (1, '[1,2]');
INSERT INTO parts VALUES (1, 1, 'a'), (2, 11, 'b');
INSERT INTO animals VALUES ('x');
INSERT INTO dogs VALUES ('y');
REFRESH MATERIALIZED VIEW names;
REFRESH MATERIALIZED VIEW recent_names;

-- case: rebuilding one index
-- statement
REINDEX INDEX customers_name_idx;

-- case: rebuilding one index concurrently
-- statement
REINDEX INDEX CONCURRENTLY customers_name_idx;

-- case: rebuilding the indexes of a table
-- statement
REINDEX TABLE customers;

-- case: rebuilding the indexes of a table concurrently
-- statement
REINDEX TABLE CONCURRENTLY customers;

-- case: rebuilding the indexes of a schema
-- statement
REINDEX SCHEMA public;

-- case: rebuilding the indexes of a schema concurrently
CREATE SCHEMA shop;
CREATE TABLE shop.items (id int PRIMARY KEY);
INSERT INTO shop.items VALUES (1);
-- statement
REINDEX SCHEMA CONCURRENTLY shop;

-- case: rebuilding the indexes of the database
-- ignore: locks
-- statement
REINDEX DATABASE postgres;

-- case: rebuilding system indexes
-- statement
REINDEX SYSTEM postgres;

-- case: rebuilding the indexes of a partitioned table
-- ignore: locks
-- statement
REINDEX TABLE parts;

-- case: rebuilding the indexes of a partitioned table concurrently
-- ignore: locks
-- statement
REINDEX TABLE CONCURRENTLY parts;

-- case: rebuilding a partitioned index
-- ignore: locks
-- statement
REINDEX INDEX parts_body_idx;

-- case: rebuilding a partitioned index concurrently
-- ignore: locks
-- statement
REINDEX INDEX CONCURRENTLY parts_body_idx;

-- case: rebuilding the indexes of one partition
-- statement
REINDEX TABLE parts_1;

-- case: the index of an exclusion constraint cannot be rebuilt concurrently
-- statement
REINDEX INDEX CONCURRENTLY reservations_free;

-- case: the index of an exclusion constraint is passed over
-- statement
REINDEX TABLE CONCURRENTLY reservations;

-- case: rebuilding the indexes of a materialized view
-- statement
REINDEX TABLE names;

-- case: clustering writes the table and its indexes again
-- statement
CLUSTER customers USING customers_name_idx;

-- case: clustering again as before
ALTER TABLE customers CLUSTER ON customers_name_idx;
-- statement
CLUSTER customers;

-- case: clustering a partitioned table
-- ignore: locks
-- statement
CLUSTER parts USING parts_body_idx;

-- case: clustering every table that was clustered before, none here
-- statement
CLUSTER;

-- case: vacuum lets reads and writes through
-- statement
VACUUM customers;

-- case: vacuum with statistics
-- statement
VACUUM ANALYZE customers;

-- case: vacuum of two tables
-- statement
VACUUM customers, reservations;

-- case: a full vacuum writes the table and its indexes again
-- statement
VACUUM FULL customers;

-- case: a full vacuum of a partitioned table
-- ignore: locks
-- statement
VACUUM (FULL) parts;

-- case: vacuum of a partitioned table
-- ignore: locks
-- statement
VACUUM parts;

-- case: vacuum of an inheritance parent
-- statement
VACUUM animals;

-- case: vacuum with statistics of an inheritance parent
-- ignore: locks
-- statement
VACUUM (ANALYZE) animals;

-- case: vacuum of every table
-- ignore: locks
-- statement
VACUUM;

-- case: statistics of a table
-- statement
ANALYZE customers;

-- case: statistics of one column
-- statement
ANALYZE customers (name);

-- case: statistics of a partitioned table
-- statement
ANALYZE parts;

-- case: statistics of one partition
-- statement
ANALYZE parts_1;

-- case: statistics of an inheritance parent
-- statement
ANALYZE animals;

-- case: statistics of a view are passed over
-- statement
ANALYZE recent;

-- case: statistics of a materialized view
-- statement
ANALYZE names;

-- case: statistics of everything
DROP TABLE animals CASCADE;
-- statement
ANALYZE;

-- case: refreshing blocks readers of the materialized view
-- statement
REFRESH MATERIALIZED VIEW names;

-- case: refreshing concurrently blocks only its writers
-- statement
REFRESH MATERIALIZED VIEW CONCURRENTLY names;

-- case: refreshing concurrently needs a unique index
-- statement
REFRESH MATERIALIZED VIEW CONCURRENTLY recent_names;

-- case: a unique index with a predicate does not serve
CREATE UNIQUE INDEX recent_names_idx ON recent_names (name) WHERE name <> '';
-- statement
REFRESH MATERIALIZED VIEW CONCURRENTLY recent_names;

-- case: refreshing reads through views
-- statement
REFRESH MATERIALIZED VIEW recent_names;

-- case: emptying a materialized view
-- statement
REFRESH MATERIALIZED VIEW names WITH NO DATA;

-- case: refreshing concurrently without data is refused
-- statement
REFRESH MATERIALIZED VIEW CONCURRENTLY names WITH NO DATA;

-- case: a table cannot be refreshed
-- statement
REFRESH MATERIALIZED VIEW customers;
