CREATE TABLE customers (id bigint PRIMARY KEY, email text UNIQUE);
CREATE TABLE orders (
    id bigserial PRIMARY KEY, customer_id bigint REFERENCES customers, status text, amount int NOT NULL DEFAULT 0,
    code varchar(20), total int GENERATED ALWAYS AS (amount * 2) STORED, CONSTRAINT amount_positive CHECK (amount >= 0)
);
CREATE INDEX orders_status_idx ON orders (status);
CREATE INDEX orders_lower_idx ON orders (lower(code)) WHERE status = 'new';
INSERT INTO customers VALUES (1, 'a@b');
INSERT INTO orders (customer_id, status, code) VALUES (1, 'new', 'a'), (1, 'old', 'b');

-- case: dropping a plain column
ALTER TABLE orders ADD COLUMN note text;
-- statement
ALTER TABLE orders DROP COLUMN note;

-- case: dropping an indexed column locks its indexes
-- statement
ALTER TABLE orders DROP COLUMN status;

-- case: dropping a column used by an expression index
-- statement
ALTER TABLE orders DROP COLUMN code;

-- case: dropping a foreign key column locks the parent
-- statement
ALTER TABLE orders DROP COLUMN customer_id;

-- case: dropping a column that a generated column needs fails
-- statement
ALTER TABLE orders DROP COLUMN amount;

-- case: dropping it with CASCADE
-- statement
ALTER TABLE orders DROP COLUMN amount CASCADE;

-- case: dropping a referenced column fails
-- statement
ALTER TABLE customers DROP COLUMN id;

-- case: dropping a referenced column with CASCADE locks the children
-- statement
ALTER TABLE customers DROP COLUMN id CASCADE;

-- case: dropping a unique column
-- statement
ALTER TABLE customers DROP COLUMN email;

-- case: dropping a serial column locks its sequence
-- statement
ALTER TABLE orders DROP COLUMN id;

-- case: dropping a column that a view reads fails
CREATE VIEW v AS SELECT status FROM orders;
-- statement
ALTER TABLE orders DROP COLUMN status;

-- case: dropping it with CASCADE locks the view
CREATE VIEW v AS SELECT id, status FROM orders;
CREATE VIEW w AS SELECT status FROM v;
-- statement
ALTER TABLE orders DROP COLUMN status CASCADE;

-- case: dropping a column that is missing fails
-- statement
ALTER TABLE orders DROP COLUMN missing;

-- case: dropping a missing column IF EXISTS only locks
-- statement
ALTER TABLE orders DROP COLUMN IF EXISTS missing;

-- case: dropping a column of a partitioned table
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX events_note_idx ON events (note);
-- statement
ALTER TABLE events DROP COLUMN note;

-- case: dropping the partition key fails
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
-- statement
ALTER TABLE events DROP COLUMN at;

-- case: dropping an inherited column of a child fails
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE events_1 DROP COLUMN note;

-- case: dropping an identity column locks its sequence
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY, note text);
-- statement
ALTER TABLE logs DROP COLUMN id;

-- case: renaming a column
-- statement
ALTER TABLE orders RENAME COLUMN status TO state;

-- case: renaming a column of a partitioned table
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE events RENAME COLUMN note TO remark;

-- case: renaming a column that is missing fails
-- statement
ALTER TABLE orders RENAME COLUMN missing TO state;

-- case: renaming a column to one that exists fails
-- statement
ALTER TABLE orders RENAME COLUMN status TO code;

-- case: renaming an indexed column leaves the index
-- statement
ALTER TABLE customers RENAME COLUMN email TO mail;

-- case: renaming a table
-- statement
ALTER TABLE orders RENAME TO purchases;

-- case: renaming a table to a name that is taken fails
-- statement
ALTER TABLE orders RENAME TO customers;

-- case: renaming a constraint
-- statement
ALTER TABLE orders RENAME CONSTRAINT amount_positive TO amount_ok;

-- case: renaming a foreign key
-- statement
ALTER TABLE orders RENAME CONSTRAINT orders_customer_id_fkey TO orders_customer;

-- case: renaming a primary key locks its index
-- statement
ALTER TABLE customers RENAME CONSTRAINT customers_pkey TO customers_id;

-- case: setting a default
-- statement
ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';

-- case: a volatile default on an existing column does not rewrite
-- statement
ALTER TABLE orders ALTER COLUMN code SET DEFAULT random()::text;

-- case: dropping a default
-- statement
ALTER TABLE orders ALTER COLUMN amount DROP DEFAULT;

-- case: dropping the default of a serial column
-- statement
ALTER TABLE orders ALTER COLUMN id DROP DEFAULT;

-- case: a default for a generated column fails
-- statement
ALTER TABLE orders ALTER COLUMN total SET DEFAULT 1;

-- case: a default that reads a sequence
CREATE SEQUENCE numbers;
-- statement
ALTER TABLE orders ALTER COLUMN code SET DEFAULT nextval('numbers')::text;

-- case: setting a default on a partitioned table
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE events ALTER COLUMN note SET DEFAULT 'x';

-- case: setting a default ONLY on a partitioned table
CREATE TABLE events (id int, at date, note text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
-- statement
ALTER TABLE ONLY events ALTER COLUMN note SET DEFAULT 'x';

-- case: dropping not null
-- statement
ALTER TABLE orders ALTER COLUMN amount DROP NOT NULL;

-- case: dropping not null of a primary key column fails
-- statement
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;

-- case: statistics targets
-- statement
ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500;

-- case: n_distinct
-- statement
ALTER TABLE orders ALTER COLUMN status SET (n_distinct = 5);

-- case: storage
-- statement
ALTER TABLE orders ALTER COLUMN status SET STORAGE EXTERNAL;

-- case: storage of an unindexed column
-- statement
ALTER TABLE orders ALTER COLUMN code SET STORAGE EXTERNAL;

-- case: compression
-- versions: 14..
-- statement
ALTER TABLE orders ALTER COLUMN status SET COMPRESSION pglz;

-- case: compression is a syntax error before 14
-- versions: ..13
-- statement
ALTER TABLE orders ALTER COLUMN status SET COMPRESSION pglz;

-- case: changing the expression of a stored generated column rewrites
-- versions: 17..
-- statement
ALTER TABLE orders ALTER COLUMN total SET EXPRESSION AS (amount * 3);

-- case: SET EXPRESSION is a syntax error before 17
-- versions: ..16
-- statement
ALTER TABLE orders ALTER COLUMN total SET EXPRESSION AS (amount * 3);

-- case: changing the expression of a virtual column is metadata only
-- versions: 18..
CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL);
INSERT INTO v VALUES (1);
-- statement
ALTER TABLE v ALTER COLUMN b SET EXPRESSION AS (a + 2);

-- case: changing the expression of a virtual column with NOT NULL verifies
-- versions: 18..
CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL NOT NULL);
INSERT INTO v VALUES (1);
-- statement
ALTER TABLE v ALTER COLUMN b SET EXPRESSION AS (a + 2);

-- case: dropping the expression of a stored column is metadata only
-- statement
ALTER TABLE orders ALTER COLUMN total DROP EXPRESSION;

-- case: dropping the expression of a virtual column fails
-- versions: 18..
CREATE TABLE v (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL);
-- statement
ALTER TABLE v ALTER COLUMN b DROP EXPRESSION;

-- case: dropping the expression of a plain column fails
-- statement
ALTER TABLE orders ALTER COLUMN status DROP EXPRESSION;

-- case: adding identity to a column
-- statement
ALTER TABLE customers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;

-- case: adding identity to a nullable column fails
-- statement
ALTER TABLE customers ALTER COLUMN email ADD GENERATED BY DEFAULT AS IDENTITY;

-- case: adding identity to a column with a default fails
-- statement
ALTER TABLE orders ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;

-- case: changing an identity
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY, note text);
-- statement
ALTER TABLE logs ALTER COLUMN id SET GENERATED BY DEFAULT;

-- case: restarting an identity locks its sequence
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY, note text);
-- statement
ALTER TABLE logs ALTER COLUMN id RESTART WITH 100;

-- case: dropping an identity
CREATE TABLE logs (id int GENERATED ALWAYS AS IDENTITY, note text);
-- statement
ALTER TABLE logs ALTER COLUMN id DROP IDENTITY;

-- case: dropping an identity that is not one fails
-- statement
ALTER TABLE orders ALTER COLUMN status DROP IDENTITY;

-- case: dropping an identity IF EXISTS that is not one only locks
-- statement
ALTER TABLE orders ALTER COLUMN status DROP IDENTITY IF EXISTS;
