CREATE TABLE l (k text, v int) PARTITION BY LIST (k);
CREATE TABLE more (k text, v int);
INSERT INTO more VALUES ('a', 1);

-- case: a check with IS NULL proves a bound with NULL
ALTER TABLE more ADD CHECK (k IS NULL OR k IN ('a', 'b'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL, 'b');

-- case: the other way round, and fewer values
ALTER TABLE more ADD CHECK (k = 'a' OR k IS NULL);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL, 'a', 'b');

-- case: a check without IS NULL is true for null as well
ALTER TABLE more ADD CHECK (k IN ('a', 'b'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL, 'a', 'b');

-- case: a check that only null meets
DELETE FROM more;
ALTER TABLE more ADD CHECK (k IS NULL);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL);

-- case: NULL is one of several
DELETE FROM more;
ALTER TABLE more ADD CHECK (k IS NULL);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL, 'a');

-- case: a column that is never null within a bound with NULL
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k IN ('a', 'b'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL, 'a', 'b');

-- case: a value that the bound lacks
ALTER TABLE more ADD CHECK (k IS NULL OR k IN ('a', 'c'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN (NULL, 'a', 'b');

-- case: a bound without NULL is not proved by a check with IS NULL
ALTER TABLE more ADD CHECK (k IS NULL OR k IN ('a', 'b'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b');

-- case: nor where the column is never null
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k IS NULL OR k IN ('a', 'b'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b');

-- case: OR instead of IN
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k = 'a' OR k = 'b');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: OR of two conditions each
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK ((k = 'a' AND v > 0) OR (v < 0 AND k IN ('b', 'c')));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: OR with a condition on another column
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k = 'a' OR v > 0);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: a check on another column
ALTER TABLE more ADD CHECK (v IS NULL OR v = 1);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: a check that names NULL among the values
ALTER TABLE more ADD CHECK (k IN (NULL, 'a'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: any of an array
ALTER TABLE more ADD CHECK (k IS NULL OR k = ANY (ARRAY['a', 'b']));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', NULL);

-- case: a check that is not valid
ALTER TABLE more ADD CHECK (k IS NULL OR k = 'a') NOT VALID;
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: the default partition keeps off both
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k IS NOT NULL AND k <> 'a');
ALTER TABLE more ADD CHECK (k IS NULL OR k = 'a');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: the default partition keeps other values
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ALTER COLUMN k SET NOT NULL;
ALTER TABLE d ADD CHECK (k = 'x' OR k = 'y');
ALTER TABLE more ADD CHECK (k IS NULL OR k = 'a');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: the default partition may keep nulls
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k = 'x' OR k = 'y');
ALTER TABLE more ADD CHECK (k IS NULL OR k = 'a');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', NULL);

-- case: a default partition of two values
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k = 'x' OR k = 'y');
-- statement
CREATE TABLE l_a PARTITION OF l FOR VALUES IN ('a');

-- case: two bounds with NULL
CREATE TABLE l_n PARTITION OF l FOR VALUES IN (NULL);
-- statement
CREATE TABLE l_m PARTITION OF l FOR VALUES IN ('z', NULL);

-- case: the default partition has no null, and NULL is all of the bound
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k IS NOT NULL);
-- statement
CREATE TABLE l_n PARTITION OF l FOR VALUES IN (NULL);

-- case: the default partition keeps off one of two values
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k <> 'a');
-- statement
CREATE TABLE l_n PARTITION OF l FOR VALUES IN ('a', 'b');

-- case: the default partition keeps off two values by two checks
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k <> 'a'), ADD CHECK (v > 1 AND k <> 'b');
-- statement
CREATE TABLE l_n PARTITION OF l FOR VALUES IN ('a', 'b');

-- case: any of an array with a cast
ALTER TABLE more ADD CHECK (k = ANY (ARRAY['a', 'b']::text[]));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', NULL);

-- case: numbers
CREATE TABLE n (k int, v int) PARTITION BY LIST (k);
CREATE TABLE n_more (k int, v int, CHECK (k IS NULL OR k IN (-1, 2)));
-- statement
ALTER TABLE n ATTACH PARTITION n_more FOR VALUES IN (-1, 2, 3, NULL);

-- case: the same for a bound with NULL
ALTER TABLE more ADD CHECK ((k = 'a' AND v > 0) OR (v < 0 AND k IN ('b', 'c')));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', NULL, 'c');

-- case: a list of values in OR
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k = 'a' OR k IN ('b', 'c'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: OR in parentheses
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (k = 'a' OR (k = 'b' OR k = 'c'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: OR below AND below OR
ALTER TABLE more ALTER COLUMN k SET NOT NULL;
ALTER TABLE more ADD CHECK (((k = 'a' OR k = 'b') AND v > 0) OR k = 'c');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('a', 'b', 'c');

-- case: the default partition keeps off by a list in OR
CREATE TABLE d PARTITION OF l DEFAULT;
ALTER TABLE d ADD CHECK (k = 'x' OR (k IN ('y', 'z') AND v > 0));
-- statement
CREATE TABLE l_a PARTITION OF l FOR VALUES IN ('a', 'b');
