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
