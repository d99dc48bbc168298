CREATE TABLE people (id int PRIMARY KEY, boss int, name text);
INSERT INTO people VALUES (1, NULL, 'a');

-- case: statistics without a name
-- statement
CREATE STATISTICS ON boss, name FROM people;

-- case: statistics on an expression
-- statement
CREATE STATISTICS people_lower ON (lower(name)) FROM people;

-- case: an unlogged sequence
-- statement
CREATE UNLOGGED SEQUENCE fast;

-- case: setting some columns to null
-- statement
ALTER TABLE people ADD FOREIGN KEY (boss) REFERENCES people ON DELETE SET NULL (boss);

-- case: setting some columns to null, in a new table
-- statement
CREATE TABLE pets (id int, owner int REFERENCES people ON DELETE SET NULL (owner));

-- case: a publication with a list of columns
-- statement
CREATE PUBLICATION of_people FOR TABLE people (id, name);

-- case: a publication with a row filter
-- statement
CREATE PUBLICATION of_people FOR TABLE people WHERE (id > 1);

-- case: merge by source
-- statement
MERGE INTO people USING (SELECT 1 AS id) s ON people.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE;

-- case: merge returning
-- statement
MERGE INTO people USING (SELECT 1 AS id) s ON people.id = s.id WHEN MATCHED THEN UPDATE SET name = 'b' RETURNING people.id;

-- case: an update that returns old values by alias
-- statement
UPDATE people SET name = 'b' RETURNING WITH (OLD AS before) before.name;

-- case: statistics target default
-- statement
ALTER TABLE people ALTER COLUMN name SET STATISTICS DEFAULT;
