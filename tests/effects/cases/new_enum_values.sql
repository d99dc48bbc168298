CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (id int PRIMARY KEY, mood mood, moods mood[], note text);
CREATE DOMAIN calm AS mood;
INSERT INTO people VALUES (1, 'sad');

-- case: inserting a new value in its own transaction
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
INSERT INTO people VALUES (2, 'happy');

-- case: updating to it
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
UPDATE people SET mood = 'happy';

-- case: comparing with it
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
UPDATE people SET note = 'x' WHERE mood = 'happy';

-- case: selecting it by cast
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
SELECT 'happy'::mood;

-- case: selecting it as text
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
SELECT 'happy';

-- case: inserting text
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
INSERT INTO people (id, note) VALUES (2, 'happy');

-- case: inserting an older value
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
INSERT INTO people (id, mood) VALUES (2, 'ok');

-- case: as a default
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'happy';

-- case: as a default of a new column
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ADD COLUMN m mood DEFAULT 'happy';

-- case: as a default of a new table
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE TABLE t (m mood DEFAULT 'happy');

-- case: in a check
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ADD CHECK (mood <> 'happy');

-- case: in the predicate of an index
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE INDEX ON people (id) WHERE mood = 'happy';

-- case: in a view
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE VIEW v AS SELECT * FROM people WHERE mood = 'happy';

-- case: in a PL/pgSQL body
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE people SET mood = 'happy'; END $$;

-- case: in an SQL body
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE people SET mood = 'happy' $$;

-- case: a type made in the same transaction
-- transaction
CREATE TYPE color AS ENUM ('red');
ALTER TYPE color ADD VALUE 'blue';
-- statement
CREATE TABLE paints (c color DEFAULT 'blue');

-- case: a type renamed in the same transaction
-- transaction
ALTER TYPE mood RENAME TO feeling;
ALTER TYPE feeling ADD VALUE 'happy';
-- statement
SELECT 'happy'::feeling;

-- case: a renamed value
-- transaction
ALTER TYPE mood RENAME VALUE 'ok' TO 'fine';
-- statement
INSERT INTO people VALUES (2, 'fine');

-- case: a renamed new value
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
ALTER TYPE mood RENAME VALUE 'happy' TO 'glad';
-- statement
INSERT INTO people VALUES (2, 'glad');

-- case: in a partition bound
CREATE TABLE parted (mood mood) PARTITION BY LIST (mood);
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN ('happy');

-- case: IF NOT EXISTS of an old value
-- transaction
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'ok';
-- statement
INSERT INTO people VALUES (2, 'ok');

-- case: changing a type USING it
CREATE TYPE color AS ENUM ('red');
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ALTER COLUMN mood TYPE mood USING 'happy'::mood;

-- case: cast of a text column
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ALTER COLUMN mood TYPE text USING mood::text;

-- case: inserting by SELECT
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
INSERT INTO people (id, mood) SELECT 7, 'happy';

-- case: new value in an IN list
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
DELETE FROM people WHERE mood IN ('sad', 'happy');

-- case: a default that does not exist
-- statement
ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'bored';

-- case: a trigger condition
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE TRIGGER tr BEFORE UPDATE ON people FOR EACH ROW WHEN (NEW.mood = 'happy') EXECUTE FUNCTION tf();

-- case: a policy
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
CREATE POLICY p ON people USING (mood = 'happy');

-- case: order by and max do not name it
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
SELECT max(mood) FROM people;

-- case: in an array literal
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
INSERT INTO people (id, moods) VALUES (2, '{sad,happy}');

-- case: in a quoted element of an array literal
-- transaction
ALTER TYPE mood ADD VALUE 'so happy';
-- statement
UPDATE people SET moods = '{"so happy"}';

-- case: in an array literal with a cast
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
SELECT '{happy}'::mood[];

-- case: in ARRAY with a cast
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
SELECT ARRAY['sad', 'happy']::mood[];

-- case: in ARRAY for a column
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
UPDATE people SET moods = ARRAY['happy']::mood[];

-- case: in an array literal of older values
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
UPDATE people SET moods = '{sad,ok}', note = 'happy';

-- case: in an array literal for text
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
UPDATE people SET note = '{happy}';

-- case: a column compared with any of an array literal
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
DELETE FROM people WHERE mood = ANY ('{sad,happy}');

-- case: a column compared with any of ARRAY
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
DELETE FROM people WHERE mood = ANY (ARRAY['happy']::mood[]);

-- case: an array compared with an array literal
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
DELETE FROM people WHERE moods @> '{happy}';

-- case: an array literal as the default of an array
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ALTER COLUMN moods SET DEFAULT '{happy}';

-- case: an array literal as the default of a new column
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ADD COLUMN more mood[] DEFAULT '{happy}';

-- case: an empty array literal
-- transaction
ALTER TYPE mood ADD VALUE 'happy';
-- statement
ALTER TABLE people ADD COLUMN happy mood[] DEFAULT '{}';

-- case: a word within an element of an array literal
-- transaction
ALTER TYPE mood ADD VALUE 's';
-- statement
UPDATE people SET moods = '{sad}';
