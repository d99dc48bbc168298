CREATE EXTENSION citext;
CREATE TABLE parents (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, status text, amount int, created_at timestamptz);
CREATE INDEX orders_status_idx ON orders (status);
INSERT INTO parents VALUES (1);
INSERT INTO orders (id, status, amount) VALUES (1, 'new', 1), (2, 'old', 2);

-- case: a nullable column is metadata only
-- statement
ALTER TABLE orders ADD COLUMN note text;

-- case: a constant default is metadata only
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL DEFAULT 0;

-- case: a stable default is metadata only
-- statement
ALTER TABLE orders ADD COLUMN at timestamptz NOT NULL DEFAULT now();

-- case: CURRENT_TIMESTAMP and arithmetic on it are stable
-- statement
ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT CURRENT_TIMESTAMP - interval '1 day';

-- case: CURRENT_DATE is stable
-- statement
ALTER TABLE orders ADD COLUMN day date DEFAULT current_date;

-- case: an immutable call is metadata only
-- statement
ALTER TABLE orders ADD COLUMN note text DEFAULT lower('X');

-- case: an array default is metadata only
-- statement
ALTER TABLE orders ADD COLUMN tags text[] NOT NULL DEFAULT '{}'::text[];

-- case: random() rewrites
-- statement
ALTER TABLE orders ADD COLUMN r float8 DEFAULT random();

-- case: clock_timestamp() rewrites
-- statement
ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT clock_timestamp();

-- case: gen_random_uuid() rewrites
-- statement
ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();

-- case: uuidv7() rewrites
-- versions: 18..
-- statement
ALTER TABLE orders ADD COLUMN token uuid DEFAULT uuidv7();

-- case: a volatile call deep inside an expression rewrites
-- statement
ALTER TABLE orders ADD COLUMN r text DEFAULT 'a' || (random() * 10)::int::text;

-- case: nextval of an existing sequence rewrites
CREATE SEQUENCE numbers;
-- statement
ALTER TABLE orders ADD COLUMN n bigint DEFAULT nextval('numbers');

-- case: a volatile plpgsql function rewrites
CREATE FUNCTION token() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
-- statement
ALTER TABLE orders ADD COLUMN t text DEFAULT token();

-- case: a stable plpgsql function is metadata only
CREATE FUNCTION token() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
-- statement
ALTER TABLE orders ADD COLUMN t text DEFAULT token();

-- case: a SQL function with a constant body is inlined
CREATE FUNCTION token() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- statement
ALTER TABLE orders ADD COLUMN t int DEFAULT token();

-- case: a SQL function with a volatile body rewrites
CREATE FUNCTION token() RETURNS float8 LANGUAGE sql AS 'SELECT random()';
-- statement
ALTER TABLE orders ADD COLUMN t float8 DEFAULT token();

-- case: serial rewrites
-- statement
ALTER TABLE orders ADD COLUMN n bigserial;

-- case: an identity column rewrites
-- statement
ALTER TABLE orders ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;

-- case: a stored generated column rewrites
-- statement
ALTER TABLE orders ADD COLUMN double int GENERATED ALWAYS AS (amount * 2) STORED;

-- case: a virtual generated column is metadata only
-- versions: 18..
-- statement
ALTER TABLE orders ADD COLUMN double int GENERATED ALWAYS AS (amount * 2) VIRTUAL;

-- case: a generated column is virtual from 18 if nothing is said
-- statement
ALTER TABLE orders ADD COLUMN double int GENERATED ALWAYS AS (amount * 2);

-- case: a virtual generated column that is not null is verified
-- versions: 18..
-- statement
ALTER TABLE orders ADD COLUMN double int GENERATED ALWAYS AS (amount * 2) VIRTUAL NOT NULL;

-- case: VIRTUAL is a syntax error before 18
-- versions: ..17
-- statement
ALTER TABLE orders ADD COLUMN double int GENERATED ALWAYS AS (amount * 2) VIRTUAL;

-- case: a domain without constraints is metadata only
CREATE DOMAIN free AS int;
-- statement
ALTER TABLE orders ADD COLUMN f free;

-- case: a domain with a check rewrites
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
-- statement
ALTER TABLE orders ADD COLUMN p positive;

-- case: a domain with a check rewrites even with a constant default
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
-- statement
ALTER TABLE orders ADD COLUMN p positive DEFAULT 1;

-- case: a domain over a constrained domain rewrites
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN small AS positive;
-- statement
ALTER TABLE orders ADD COLUMN p small;

-- case: a domain with a constant default is metadata only
CREATE DOMAIN zero AS int DEFAULT 0;
-- statement
ALTER TABLE orders ADD COLUMN z zero;

-- case: a domain with a volatile default rewrites
CREATE DOMAIN rnd AS float8 DEFAULT random();
-- statement
ALTER TABLE orders ADD COLUMN z rnd;

-- case: an array of a constrained domain
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
-- statement
ALTER TABLE orders ADD COLUMN p positive[];

-- case: a not null column without default fails
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL;

-- case: an inline unique constraint builds an index
-- statement
ALTER TABLE orders ADD COLUMN code text UNIQUE;

-- case: an inline primary key with serial rewrites and builds every index
CREATE TABLE logs (note text, at int);
CREATE INDEX logs_at_idx ON logs (at);
INSERT INTO logs VALUES ('a', 1), ('b', 2);
-- statement
ALTER TABLE logs ADD COLUMN id serial PRIMARY KEY;

-- case: an inline check is verified
-- statement
ALTER TABLE orders ADD COLUMN n int CHECK (n > 0);

-- case: an inline check with a constant default is verified
-- statement
ALTER TABLE orders ADD COLUMN n int NOT NULL DEFAULT 1 CHECK (n > 0);

-- case: an inline foreign key without default is not checked
-- statement
ALTER TABLE orders ADD COLUMN parent_id bigint REFERENCES parents;

-- case: an inline foreign key with a default is checked
-- statement
ALTER TABLE orders ADD COLUMN parent_id bigint DEFAULT 1 REFERENCES parents;

-- case: an inline foreign key with an explicit null default is checked
-- statement
ALTER TABLE orders ADD COLUMN parent_id bigint DEFAULT NULL REFERENCES parents;

-- case: an inline foreign key to the table itself
-- statement
ALTER TABLE orders ADD COLUMN previous_id bigint REFERENCES orders;

-- case: an inline foreign key to a partitioned table locks every partition
CREATE TABLE regions (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE regions_1 PARTITION OF regions FOR VALUES FROM (0) TO (10);
CREATE TABLE regions_2 PARTITION OF regions FOR VALUES FROM (10) TO (20);
INSERT INTO regions VALUES (1), (11);
-- statement
ALTER TABLE orders ADD COLUMN region_id int REFERENCES regions;

-- case: a column that exists fails
-- statement
ALTER TABLE orders ADD COLUMN status text;

-- case: IF NOT EXISTS of an existing column only locks
-- statement
ALTER TABLE orders ADD COLUMN IF NOT EXISTS status text REFERENCES parents;

-- case: IF NOT EXISTS of a new column with a volatile default rewrites
-- statement
ALTER TABLE orders ADD COLUMN IF NOT EXISTS r float8 DEFAULT random();

-- case: two columns in one statement
-- statement
ALTER TABLE orders ADD COLUMN a int DEFAULT 1, ADD COLUMN b float8 DEFAULT random(), ADD CONSTRAINT c CHECK (a > 0);

-- case: a foreign key constraint written beside its column is checked
-- statement
ALTER TABLE orders ADD COLUMN parent_id bigint, ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;

-- case: a partitioned table locks every partition
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO events VALUES (1, '2024-02-02'), (2, '2025-02-02');
-- statement
ALTER TABLE events ADD COLUMN note text;

-- case: a volatile default on a partitioned table rewrites every partition
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (id);
CREATE TABLE events_1_1 PARTITION OF events_1 FOR VALUES IN (1);
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE INDEX events_id_idx ON events (id);
INSERT INTO events VALUES (1, '2024-02-02'), (2, '2025-02-02');
-- statement
ALTER TABLE events ADD COLUMN token uuid DEFAULT gen_random_uuid();

-- case: ONLY on a partitioned table fails
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE ONLY events ADD COLUMN note text;

-- case: a partition alone fails
CREATE TABLE events (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE events_1 ADD COLUMN note text;

-- case: inheritance children are locked too
CREATE TABLE animals (id int);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1);
INSERT INTO dogs VALUES (2, 'woof');
-- statement
ALTER TABLE animals ADD COLUMN age int;

-- case: a table that does not exist fails
-- statement
ALTER TABLE nowhere ADD COLUMN age int;

-- case: IF EXISTS of a table that does not exist does nothing
-- statement
ALTER TABLE IF EXISTS nowhere ADD COLUMN age int;

-- case: an enum default is metadata only
CREATE TYPE mood AS ENUM ('sad', 'ok');
-- statement
ALTER TABLE orders ADD COLUMN m mood NOT NULL DEFAULT 'ok';

-- case: a view over the table is no obstacle
CREATE VIEW v AS SELECT * FROM orders;
-- statement
ALTER TABLE orders ADD COLUMN note text;
