CREATE TABLE parents (id int PRIMARY KEY, code int NOT NULL, other int UNIQUE);
CREATE UNIQUE INDEX parents_code ON parents (code);
CREATE TABLE children (id int PRIMARY KEY, code int, parent int REFERENCES parents);
ALTER TABLE children ADD CONSTRAINT by_code FOREIGN KEY (code) REFERENCES parents (code);
CREATE VIEW grouped AS SELECT p.id, p.code, count(*) FROM parents p GROUP BY p.id;
INSERT INTO parents VALUES (1, 1, 1);

-- case: dropping a unique index that a foreign key needs
-- statement
DROP INDEX parents_code;

-- case: dropping it with CASCADE
-- statement
DROP INDEX parents_code CASCADE;

-- case: dropping it where another unique index serves
CREATE UNIQUE INDEX parents_code2 ON parents (code);
-- statement
DROP INDEX parents_code;

-- case: dropping the other one
CREATE UNIQUE INDEX parents_code2 ON parents (code);
-- statement
DROP INDEX parents_code2;

-- case: dropping a primary key that a foreign key needs
DROP VIEW grouped;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey;

-- case: dropping a primary key with CASCADE
DROP VIEW grouped;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey CASCADE;

-- case: dropping a unique constraint with CASCADE
ALTER TABLE children ADD CONSTRAINT by_other FOREIGN KEY (id) REFERENCES parents (other);
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_other_key CASCADE;

-- case: dropping the referenced column with CASCADE
-- statement
ALTER TABLE parents DROP COLUMN code CASCADE;

-- case: dropping an index twice named
CREATE INDEX i1 ON parents (other);
-- statement
DROP INDEX i1, i1;

-- case: dropping the replica identity's index
CREATE UNIQUE INDEX ri ON children (id);
ALTER TABLE children REPLICA IDENTITY USING INDEX ri;
-- statement
DROP INDEX ri;

-- case: dropping a clustered index
CREATE INDEX cl ON children (code);
ALTER TABLE children CLUSTER ON cl;
-- statement
DROP INDEX cl;

-- case: dropping a foreign key's referenced constraint in a partitioned table
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (10);
CREATE TABLE users (id int REFERENCES parted);
-- statement
ALTER TABLE parted DROP CONSTRAINT parted_pkey CASCADE;

-- case: dropping a primary key by which a view groups
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey;

-- case: dropping it where no foreign key is in the way
ALTER TABLE children DROP CONSTRAINT children_parent_fkey;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey;

-- case: dropping it with the view
ALTER TABLE children DROP CONSTRAINT children_parent_fkey;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey CASCADE;

-- case: a view that groups by the key and shows nothing else
CREATE VIEW plain AS SELECT id, count(*) FROM children GROUP BY id;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that groups by the key and shows the whole row
CREATE VIEW plain AS SELECT c.*, count(*) FROM children c GROUP BY c.id;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that groups by all that it shows
CREATE VIEW plain AS SELECT id, code, count(*) FROM children GROUP BY id, code;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that sums what it does not group by
CREATE VIEW plain AS SELECT id, sum(code) FROM children GROUP BY id;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that groups by the key and has another column in HAVING
CREATE VIEW plain AS SELECT id FROM children GROUP BY id HAVING code > 1;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that groups by the key and filters by another column
CREATE VIEW plain AS SELECT id FROM children WHERE code > 1 GROUP BY id;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: a view that groups by the key of one of two tables
CREATE TABLE more (id int PRIMARY KEY, child int);
CREATE VIEW plain AS SELECT c.id, c.code, count(m.id) FROM children c LEFT JOIN more m ON m.child = c.id GROUP BY c.id;
-- statement
ALTER TABLE more DROP CONSTRAINT more_pkey;

-- case: the other of the two
CREATE TABLE more (id int PRIMARY KEY, child int);
CREATE VIEW plain AS SELECT c.id, c.code, count(m.id) FROM children c LEFT JOIN more m ON m.child = c.id GROUP BY c.id;
-- statement
ALTER TABLE children DROP CONSTRAINT children_pkey;

-- case: dropping a column of the key by which a view groups
ALTER TABLE children DROP CONSTRAINT children_parent_fkey;
-- statement
ALTER TABLE parents DROP COLUMN id;

-- case: dropping the table of the view
-- statement
DROP TABLE parents CASCADE;
