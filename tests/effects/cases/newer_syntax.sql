CREATE TABLE people (id int PRIMARY KEY, boss int, name text, doc jsonb, at timestamptz);
INSERT INTO people VALUES (1, NULL, 'a', '{}', now());

-- case: SEARCH
-- statement
WITH RECURSIVE t AS (SELECT id, boss FROM people WHERE boss IS NULL UNION ALL SELECT p.id, p.boss FROM people p JOIN t ON p.boss = t.id) SEARCH DEPTH FIRST BY id SET o SELECT * FROM t;

-- case: CYCLE
-- statement
WITH RECURSIVE t AS (SELECT id, boss FROM people WHERE boss IS NULL UNION ALL SELECT p.id, p.boss FROM people p JOIN t ON p.boss = t.id) CYCLE id SET c USING path SELECT * FROM t;

-- case: JSON_TABLE
-- statement
SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (n int PATH '$')) t;

-- case: JSON_VALUE
-- statement
SELECT JSON_VALUE(doc, '$.a') FROM people;

-- case: JSON_OBJECT by colon
-- statement
SELECT JSON_OBJECT('a': 1);

-- case: JSON_ARRAYAGG
-- statement
SELECT JSON_ARRAYAGG(name) FROM people;

-- case: IS JSON
-- statement
SELECT name IS JSON FROM people;

-- case: JSON_SERIALIZE
-- statement
SELECT JSON_SERIALIZE('{}');

-- case: subquery without alias
-- statement
SELECT * FROM (SELECT id FROM people);

-- case: VALUES without alias
-- statement
SELECT * FROM (VALUES (1));

-- case: a subquery with alias
-- statement
SELECT * FROM (SELECT id FROM people) s;

-- case: AT LOCAL
-- statement
SELECT at AT LOCAL FROM people;

-- case: jsonb subscript
-- statement
SELECT doc['a'] FROM people;

-- case: jsonb subscript assigned
-- statement
UPDATE people SET doc['a'] = '1';

-- case: GRANT ON PARAMETER
-- statement
GRANT SET ON PARAMETER work_mem TO CURRENT_USER;

-- case: MAINTAIN
-- statement
GRANT MAINTAIN ON people TO PUBLIC;

-- case: GRANTED BY
-- statement
GRANT SELECT ON people TO PUBLIC GRANTED BY CURRENT_USER;

-- case: RETURNING old
-- statement
UPDATE people SET name = 'b' RETURNING old.name, new.name;

-- case: RETURNING new of insert
-- statement
INSERT INTO people (id) VALUES (9) RETURNING new.id;

-- case: a table called new
CREATE TABLE new (id int);
-- statement
UPDATE new SET id = 1 RETURNING new.id;

-- case: DELETE RETURNING old star
-- statement
DELETE FROM people RETURNING old.*;

-- case: GROUP BY DISTINCT
-- statement
SELECT id FROM people GROUP BY DISTINCT ROLLUP (id), CUBE (id);

-- case: join alias
-- statement
SELECT j.id FROM people a JOIN people b USING (id) AS j;

-- case: MERGE in a CTE
-- statement
WITH m AS (MERGE INTO people USING (SELECT 1 AS id) s ON people.id = s.id WHEN MATCHED THEN UPDATE SET name = 'b' RETURNING people.id) SELECT * FROM m;

-- case: MERGE deep in EXPLAIN
-- statement
EXPLAIN MERGE INTO people USING (SELECT 1 AS id) s ON people.id = s.id WHEN MATCHED THEN DELETE;

-- case: CREATE VIEW over new syntax
-- statement
CREATE VIEW v AS SELECT * FROM (SELECT id FROM people);

-- case: CREATE TABLE AS over new syntax
-- statement
CREATE TABLE t AS SELECT * FROM (SELECT id FROM people);

-- case: COPY of a query
-- statement
COPY (SELECT * FROM (SELECT id FROM people)) TO STDOUT;

-- case: PREPARE
-- statement
PREPARE q AS SELECT * FROM (SELECT id FROM people);

-- case: a function with OUT in a procedure
-- statement
CREATE PROCEDURE pr(OUT a int) LANGUAGE plpgsql AS $$ BEGIN a := 1; END $$;

-- case: multirange
-- statement
CREATE TYPE r AS RANGE (subtype = int4, multirange_type_name = mr);

-- case: GRANT role with SET
-- statement
GRANT pg_monitor TO CURRENT_USER WITH SET TRUE;

-- case: VACUUM PROCESS_MAIN
-- statement
VACUUM (PROCESS_MAIN FALSE) people;

-- case: ANALYZE BUFFER_USAGE_LIMIT
-- statement
ANALYZE (BUFFER_USAGE_LIMIT '1MB') people;

-- case: VACUUM INDEX_CLEANUP AUTO
-- statement
VACUUM (INDEX_CLEANUP AUTO) people;

-- case: EXPLAIN GENERIC_PLAN
-- statement
EXPLAIN (GENERIC_PLAN) SELECT 1;

-- case: EXPLAIN SERIALIZE
-- statement
EXPLAIN (ANALYZE, SERIALIZE) SELECT 1;

-- case: COPY with FORCE_NULL of all columns
-- statement
COPY people FROM STDIN (FORMAT csv, FORCE_NULL *);

-- case: COPY HEADER in text format
-- statement
COPY people TO STDOUT (HEADER);

-- case: COPY REJECT_LIMIT
-- statement
COPY people FROM STDIN (ON_ERROR ignore, REJECT_LIMIT 5);

-- case: COPY of a materialized view
CREATE MATERIALIZED VIEW mv AS SELECT id FROM people;
-- statement
COPY mv TO STDOUT;

-- case: LIKE INCLUDING COMPRESSION
-- statement
CREATE TABLE l (LIKE people INCLUDING COMPRESSION);

-- case: ALTER DATABASE REFRESH
-- statement
ALTER DATABASE postgres REFRESH COLLATION VERSION;

-- case: CREATE DATABASE with a strategy
-- statement
CREATE DATABASE other STRATEGY = wal_log;

-- case: ALTER VIEW security_invoker
CREATE VIEW v AS SELECT 1 AS a;
-- statement
ALTER VIEW v SET (security_invoker = true);

-- case: WITHOUT OVERLAPS
-- statement
CREATE TABLE bookings (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));

-- case: window exclude
-- statement
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM people;

-- case: publication of generated columns
-- statement
CREATE PUBLICATION pub FOR TABLE people WITH (publish_generated_columns = stored);

-- case: not null no inherit
-- statement
CREATE TABLE n (a int NOT NULL NO INHERIT);

-- case: create table using
-- statement
CREATE TABLE pu (a int) PARTITION BY RANGE (a) USING heap;
