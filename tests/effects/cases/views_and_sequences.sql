CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int, n int);
CREATE TABLE tickets (id int GENERATED ALWAYS AS IDENTITY, n int);
CREATE VIEW people AS SELECT id, name FROM customers;
CREATE VIEW people_again AS SELECT id, name FROM people;
CREATE VIEW counts AS SELECT n FROM orders;
CREATE MATERIALIZED VIEW names AS SELECT name FROM people_again WITH NO DATA;
CREATE UNIQUE INDEX names_idx ON names (name);
CREATE SEQUENCE numbers;
CREATE SEQUENCE owned OWNED BY customers.id;
CREATE SCHEMA shop;
INSERT INTO customers VALUES (1, 'a');
INSERT INTO orders (customer_id) VALUES (1);

-- case: creating a view reads what it names
-- statement
CREATE VIEW more AS SELECT * FROM people_again;

-- case: creating a view of two tables
-- statement
CREATE VIEW more AS SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id;

-- case: replacing a view locks its readers out
-- statement
CREATE OR REPLACE VIEW counts AS SELECT n, id FROM orders;

-- case: replacing a view that is not there
-- statement
CREATE OR REPLACE VIEW more AS SELECT n, id FROM orders;

-- case: creating a view that exists is refused
-- statement
CREATE VIEW counts AS SELECT n FROM orders;

-- case: dropping a view
-- statement
DROP VIEW counts;

-- case: a view that another one reads stays
-- statement
DROP VIEW people;

-- case: dropping a view with all that reads it
-- statement
DROP VIEW people CASCADE;

-- case: dropping a view that may not exist
-- statement
DROP VIEW IF EXISTS missing;

-- case: renaming a view
-- statement
ALTER VIEW people RENAME TO persons;

-- case: renaming a column of a view
-- statement
ALTER VIEW counts RENAME COLUMN n TO quantity;

-- case: an option of a view
-- statement
ALTER VIEW people SET (security_barrier = true);

-- case: a default of a view
-- statement
ALTER VIEW people ALTER COLUMN name SET DEFAULT 'x';

-- case: moving a view to another schema
-- statement
ALTER VIEW people SET SCHEMA shop;

-- case: a new owner of a view
-- statement
ALTER VIEW people OWNER TO CURRENT_USER;

-- case: creating a materialized view reads through views
-- statement
CREATE MATERIALIZED VIEW more AS SELECT * FROM people_again;

-- case: creating a materialized view without data looks at names only
-- statement
CREATE MATERIALIZED VIEW more AS SELECT * FROM people_again WITH NO DATA;

-- case: dropping a materialized view locks its indexes
-- statement
DROP MATERIALIZED VIEW names;

-- case: renaming a materialized view
-- statement
ALTER MATERIALIZED VIEW names RENAME TO name_list;

-- case: moving a materialized view to another schema
-- statement
ALTER MATERIALIZED VIEW names SET SCHEMA shop;

-- case: a sequence behind a column opens its table
-- statement
CREATE SEQUENCE more OWNED BY orders.n;

-- case: creating a sequence locks nothing
-- statement
CREATE SEQUENCE more;

-- case: restarting a sequence makes nextval wait
-- statement
ALTER SEQUENCE orders_id_seq RESTART WITH 100;

-- case: another increment
-- statement
ALTER SEQUENCE numbers INCREMENT 10;

-- case: another type of a sequence
-- statement
ALTER SEQUENCE orders_id_seq AS bigint;

-- case: a sequence gets an owner
-- statement
ALTER SEQUENCE numbers OWNED BY orders.n;

-- case: a sequence loses its owner
-- statement
ALTER SEQUENCE owned OWNED BY NONE;

-- case: renaming a sequence
-- statement
ALTER SEQUENCE numbers RENAME TO counters;

-- case: moving a sequence to another schema
-- statement
ALTER SEQUENCE numbers SET SCHEMA shop;

-- case: an owned sequence does not move alone
-- statement
ALTER SEQUENCE owned SET SCHEMA shop;

-- case: a new owner of a sequence
-- statement
ALTER SEQUENCE numbers OWNER TO CURRENT_USER;

-- case: an unlogged sequence
-- versions: 15..
-- statement
ALTER SEQUENCE numbers SET UNLOGGED;

-- case: dropping a sequence
-- statement
DROP SEQUENCE numbers;

-- case: dropping an owned sequence that no default uses
-- statement
DROP SEQUENCE owned;

-- case: a sequence in use stays
-- statement
DROP SEQUENCE orders_id_seq;

-- case: dropping a sequence with the default that uses it
-- statement
DROP SEQUENCE orders_id_seq CASCADE;

-- case: the sequence of an identity column stays
-- statement
DROP SEQUENCE tickets_id_seq CASCADE;
