CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE INDEX customers_name_idx ON customers (name);
CREATE TABLE parts (id int NOT NULL, region int) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE animals (name text);
CREATE TABLE dogs () INHERITS (animals);
CREATE VIEW people AS SELECT id, name FROM customers;
CREATE MATERIALIZED VIEW names AS SELECT name FROM customers;
CREATE SEQUENCE numbers;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE lonely AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE pairs OF pair;
CREATE TABLE moods (id int PRIMARY KEY, m mood DEFAULT 'sad', many mood[]);
CREATE INDEX moods_m ON moods (m);
CREATE VIEW current_moods AS SELECT m FROM moods;
CREATE TABLE amounts (a positive);
CREATE FUNCTION plus_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION alone() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE counted (a int DEFAULT plus_one(1), b int);
CREATE INDEX counted_idx ON counted (plus_one(b));
CREATE VIEW one AS SELECT plus_one(1) AS n;
CREATE TRIGGER customers_noted BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION noted();
CREATE SCHEMA shop;
CREATE TABLE shop.items (id serial PRIMARY KEY, customer_id int REFERENCES customers);
CREATE VIEW shop.item_ids AS SELECT id FROM shop.items;
CREATE SCHEMA hollow;
CREATE PUBLICATION published FOR TABLE customers;
INSERT INTO customers VALUES (1, 'a');
INSERT INTO moods VALUES (1, 'sad');

-- case: a new value of an enum locks no table
-- statement
ALTER TYPE mood ADD VALUE 'calm';

-- case: a value that exists is refused
-- statement
ALTER TYPE mood ADD VALUE 'sad';

-- case: a value that exists may be skipped
-- statement
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad';

-- case: renaming a value
-- statement
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';

-- case: renaming an enum
-- statement
ALTER TYPE mood RENAME TO feeling;

-- case: a type in use stays
-- statement
DROP TYPE mood;

-- case: dropping a type with its columns
-- statement
DROP TYPE mood CASCADE;

-- case: dropping a domain with its columns
-- statement
DROP DOMAIN positive CASCADE;

-- case: a domain in use stays
-- statement
DROP DOMAIN positive;

-- case: dropping a composite type with its tables
-- statement
DROP TYPE pair CASCADE;

-- case: dropping a composite type that nothing uses
-- statement
DROP TYPE lonely;

-- case: a composite type with tables changes with CASCADE only
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int;

-- case: a new attribute reaches typed tables
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int CASCADE;

-- case: an attribute less
-- statement
ALTER TYPE lonely DROP ATTRIBUTE b;

-- case: renaming a composite type
-- statement
ALTER TYPE lonely RENAME TO couple;

-- case: creating types locks nothing
-- statement
CREATE TYPE more AS (a int, b customers);

-- case: creating a function that reads a table
-- statement
CREATE FUNCTION more() RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers';

-- case: creating a function that reads through a view
-- statement
CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT id FROM people';

-- case: creating a function that writes
-- statement
CREATE FUNCTION more() RETURNS void LANGUAGE sql AS $$ DELETE FROM animals; $$;

-- case: a function of the new style
-- versions: 14..
-- statement
CREATE FUNCTION more() RETURNS int BEGIN ATOMIC SELECT id FROM people; END;

-- case: a PL/pgSQL function is not analysed
-- statement
CREATE FUNCTION more() RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM * FROM customers; RETURN 1; END';

-- case: a function in use stays
-- statement
DROP FUNCTION plus_one(int);

-- case: dropping a function with what calls it
-- statement
DROP FUNCTION plus_one(int) CASCADE;

-- case: dropping a function that nothing calls
-- statement
DROP FUNCTION alone();

-- case: dropping a trigger function with its trigger
-- statement
DROP FUNCTION noted() CASCADE;

-- case: a schema with tables stays
-- statement
DROP SCHEMA shop;

-- case: dropping a schema with all it holds
-- statement
DROP SCHEMA shop CASCADE;

-- case: dropping an empty schema
-- statement
DROP SCHEMA hollow;

-- case: renaming a schema
-- statement
ALTER SCHEMA shop RENAME TO store;

-- case: creating a schema
-- statement
CREATE SCHEMA more;

-- case: a comment on a table
-- statement
COMMENT ON TABLE customers IS 'x';

-- case: a comment on a column
-- statement
COMMENT ON COLUMN customers.name IS 'x';

-- case: a comment on a column of a view
-- statement
COMMENT ON COLUMN people.name IS 'x';

-- case: a comment on an index
-- statement
COMMENT ON INDEX customers_name_idx IS 'x';

-- case: a comment on a sequence
-- statement
COMMENT ON SEQUENCE numbers IS 'x';

-- case: a comment on a materialized view
-- statement
COMMENT ON MATERIALIZED VIEW names IS 'x';

-- case: a comment on a constraint
-- statement
COMMENT ON CONSTRAINT customers_pkey ON customers IS 'x';

-- case: a comment on a trigger
-- statement
COMMENT ON TRIGGER customers_noted ON customers IS 'x';

-- case: a comment on a type
-- statement
COMMENT ON TYPE mood IS 'x';

-- case: a comment on a schema
-- statement
COMMENT ON SCHEMA shop IS 'x';

-- case: a privilege on a table
-- statement
GRANT SELECT ON customers TO PUBLIC;

-- case: a privilege on two relations
-- statement
GRANT SELECT ON customers, people TO PUBLIC;

-- case: a privilege on a column
-- statement
GRANT SELECT (name) ON customers TO PUBLIC;

-- case: a privilege on a sequence
-- statement
GRANT USAGE ON SEQUENCE numbers TO PUBLIC;

-- case: taking a privilege back
-- statement
REVOKE ALL ON customers FROM PUBLIC;

-- case: a privilege on all tables of a schema
-- statement
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;

-- case: a privilege on a schema
-- statement
GRANT USAGE ON SCHEMA shop TO PUBLIC;

-- case: a privilege on a partitioned table
-- statement
GRANT SELECT ON parts TO PUBLIC;

-- case: default privileges
-- statement
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;

-- case: extended statistics
-- statement
CREATE STATISTICS customers_both ON id, name FROM customers;

-- case: publishing a table
-- statement
CREATE PUBLICATION more FOR TABLE customers;

-- case: publishing a partitioned table
-- statement
CREATE PUBLICATION more FOR TABLE parts;

-- case: publishing an inheritance parent
-- statement
CREATE PUBLICATION more FOR TABLE animals;

-- case: publishing everything
-- statement
CREATE PUBLICATION more FOR ALL TABLES;

-- case: publishing one table more
-- statement
ALTER PUBLICATION published ADD TABLE parts;

-- case: publishing one table less
-- statement
ALTER PUBLICATION published DROP TABLE customers;

-- case: options of a publication
-- statement
ALTER PUBLICATION published SET (publish = 'insert');

-- case: dropping a publication
-- statement
DROP PUBLICATION published;

-- case: a role
-- statement
DROP ROLE IF EXISTS nobody_at_all;

-- case: an extension
-- statement
CREATE EXTENSION IF NOT EXISTS plpgsql;
