CREATE DOMAIN price AS int;
CREATE DOMAIN low_price AS price;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b int);
CREATE TABLE t (id int, p price, m mood);
CREATE TABLE u (p low_price);
CREATE TABLE w (id int);
INSERT INTO t VALUES (1, 1, 'ok');
INSERT INTO u VALUES (1);
INSERT INTO w VALUES (1);

-- case: a domain check reads every table that uses it
-- statement
ALTER DOMAIN price ADD CONSTRAINT c CHECK (VALUE > 0);

-- case: a domain check fails if a column holds arrays of the domain
CREATE TABLE x (q price[]);
-- statement
ALTER DOMAIN price ADD CONSTRAINT c CHECK (VALUE > 0);

-- case: a domain check that is not valid locks nothing
-- statement
ALTER DOMAIN price ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;

-- case: validating a domain check reads every table that uses it
ALTER DOMAIN price ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;
-- statement
ALTER DOMAIN price VALIDATE CONSTRAINT c;

-- case: not null of a domain reads every table that uses it
-- statement
ALTER DOMAIN price SET NOT NULL;

-- case: dropping not null of a domain locks nothing
-- statement
ALTER DOMAIN price DROP NOT NULL;

-- case: a default of a domain locks nothing
-- statement
ALTER DOMAIN price SET DEFAULT 5;

-- case: a check of a domain over a domain
-- statement
ALTER DOMAIN low_price ADD CHECK (VALUE < 100);

-- case: an unused domain
CREATE DOMAIN unused AS int;
-- statement
ALTER DOMAIN unused ADD CHECK (VALUE > 0);

-- case: a domain on a partitioned table
CREATE DOMAIN cents AS int;
CREATE TABLE m (k int, c cents) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
INSERT INTO m VALUES (1, 1);
-- statement
ALTER DOMAIN cents ADD CHECK (VALUE > 0);

-- case: dropping a domain constraint
ALTER DOMAIN price ADD CONSTRAINT c CHECK (VALUE > 0);
-- statement
ALTER DOMAIN price DROP CONSTRAINT c;

-- case: dropping a missing domain constraint fails
-- statement
ALTER DOMAIN price DROP CONSTRAINT missing;

-- case: a domain that does not exist fails
-- statement
ALTER DOMAIN nowhere ADD CHECK (VALUE > 0);

-- case: dropping a type that is used fails
-- statement
DROP TYPE mood;

-- case: dropping a type with CASCADE drops columns
CREATE INDEX t_m_idx ON t (m);
-- statement
DROP TYPE mood CASCADE;

-- case: dropping an unused type
CREATE TYPE unused AS ENUM ('a');
-- statement
DROP TYPE unused;

-- case: dropping a missing type fails
-- statement
DROP TYPE nowhere;

-- case: dropping a missing type IF EXISTS does nothing
-- statement
DROP TYPE IF EXISTS nowhere;

-- case: dropping a domain with CASCADE
-- statement
DROP DOMAIN low_price CASCADE;

-- case: dropping a domain that is used fails
-- statement
DROP DOMAIN price;

-- case: adding an attribute to a composite type
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int;

-- case: adding an attribute to a composite type that a column uses
CREATE TABLE x (p pair);
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int;

-- case: changing an attribute that a column uses fails
CREATE TABLE x (p pair);
-- statement
ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint;

-- case: adding an attribute with a typed table fails
CREATE TABLE typed OF pair;
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int;

-- case: adding an attribute with CASCADE locks the typed table
CREATE TABLE typed OF pair;
INSERT INTO typed VALUES (1, 2);
-- statement
ALTER TYPE pair ADD ATTRIBUTE c int CASCADE;

-- case: changing an attribute with CASCADE rewrites the typed table
CREATE TABLE typed OF pair;
INSERT INTO typed VALUES (1, 2);
-- statement
ALTER TYPE pair ALTER ATTRIBUTE a TYPE bigint CASCADE;
