CREATE TABLE parents (id int PRIMARY KEY, code text UNIQUE, plain int);
CREATE TABLE t (id int, parent_id int, code text, a int, b int, r int4range);
INSERT INTO parents VALUES (1, 'a', 1);
INSERT INTO t VALUES (1, 1, 'a', 1, 1, '[1,2)');
CREATE TABLE m (k int NOT NULL, v int, parent_id int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
INSERT INTO m VALUES (1, 1, 1), (11, 1, 1);

-- case: a check is verified
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);

-- case: a check that is not valid is brief
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;

-- case: validating a check
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
-- statement
ALTER TABLE t VALIDATE CONSTRAINT c;

-- case: validating a check that is valid
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
-- statement
ALTER TABLE t VALIDATE CONSTRAINT c;

-- case: validating a constraint that is missing fails
-- statement
ALTER TABLE t VALIDATE CONSTRAINT missing;

-- case: adding and validating in one statement
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID, VALIDATE CONSTRAINT c;

-- case: a check that is not enforced is brief
-- versions: 18..
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;

-- case: NOT ENFORCED is a syntax error before 18
-- versions: ..17
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;

-- case: a check on a missing column fails
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (missing > 0);

-- case: a constraint whose name is taken fails
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0);

-- case: a check on a partitioned table is verified in every partition
-- statement
ALTER TABLE m ADD CONSTRAINT c CHECK (v > 0);

-- case: validating a check of a partitioned table
ALTER TABLE m ADD CONSTRAINT c CHECK (v > 0) NOT VALID;
-- statement
ALTER TABLE m VALIDATE CONSTRAINT c;

-- case: a check that a partition has already is merged
ALTER TABLE m1 ADD CONSTRAINT c CHECK (v > 0);
-- statement
ALTER TABLE m ADD CONSTRAINT c CHECK (v > 0);

-- case: a foreign key is checked
-- statement
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;

-- case: a foreign key that is not valid is brief
-- statement
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT VALID;

-- case: validating a foreign key
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT VALID;
-- statement
ALTER TABLE t VALIDATE CONSTRAINT f;

-- case: validating a foreign key to the table itself
ALTER TABLE t ADD PRIMARY KEY (id);
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES t NOT VALID;
-- statement
ALTER TABLE t VALIDATE CONSTRAINT f;

-- case: a foreign key to a unique column
-- statement
ALTER TABLE t ADD FOREIGN KEY (code) REFERENCES parents (code);

-- case: a foreign key to a column that is not unique fails
-- statement
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES parents (plain);

-- case: a foreign key to a table without primary key fails
-- statement
ALTER TABLE parents ADD FOREIGN KEY (id) REFERENCES t;

-- case: a foreign key to a missing table fails
-- statement
ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES nowhere;

-- case: a foreign key of a missing column fails
-- statement
ALTER TABLE t ADD FOREIGN KEY (missing) REFERENCES parents;

-- case: a foreign key between text and int fails
-- statement
ALTER TABLE t ADD FOREIGN KEY (code) REFERENCES parents (id);

-- case: a foreign key from bigint to int is allowed
ALTER TABLE t ADD COLUMN big bigint;
-- statement
ALTER TABLE t ADD FOREIGN KEY (big) REFERENCES parents (id);

-- case: a foreign key with two different column counts fails
-- statement
ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES parents (id);

-- case: a foreign key that is not enforced
-- versions: 18..
-- statement
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT ENFORCED;

-- case: enforcing a foreign key
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT ENFORCED;
-- statement
ALTER TABLE t ALTER CONSTRAINT f ENFORCED;

-- case: no longer enforcing a foreign key
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE t ALTER CONSTRAINT f NOT ENFORCED;

-- case: enforcing a check cannot be done by ALTER CONSTRAINT
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED;
-- statement
ALTER TABLE t ALTER CONSTRAINT c ENFORCED;

-- case: making a foreign key deferrable
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE t ALTER CONSTRAINT f DEFERRABLE INITIALLY DEFERRED;

-- case: making a foreign key of a partitioned table deferrable
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE m ALTER CONSTRAINT f DEFERRABLE;

-- case: making a check deferrable fails
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
-- statement
ALTER TABLE t ALTER CONSTRAINT c DEFERRABLE;

-- case: a foreign key of a partitioned table is checked in every partition
-- statement
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;

-- case: a foreign key of a partitioned table that is not valid
-- statement
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT VALID;

-- case: validating a foreign key of a partitioned table
-- versions: 18..
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents NOT VALID;
-- statement
ALTER TABLE m VALIDATE CONSTRAINT f;

-- case: a foreign key that every partition has already is taken over
ALTER TABLE m1 ADD CONSTRAINT f1 FOREIGN KEY (parent_id) REFERENCES parents;
ALTER TABLE m2 ADD CONSTRAINT f2 FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;

-- case: a foreign key to a partitioned table locks every partition
ALTER TABLE m ADD PRIMARY KEY (k);
-- statement
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES m;

-- case: validating a foreign key to a partitioned table
ALTER TABLE m ADD PRIMARY KEY (k);
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES m NOT VALID;
-- statement
ALTER TABLE t VALIDATE CONSTRAINT f;

-- case: a unique constraint builds an index
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, b);

-- case: a unique constraint without a name
-- statement
ALTER TABLE t ADD UNIQUE (a, b);

-- case: NULLS NOT DISTINCT
-- versions: 15..
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a);

-- case: NULLS NOT DISTINCT is a syntax error before 15
-- versions: ..14
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a);

-- case: a unique constraint that is not valid fails
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE (a) NOT VALID;

-- case: a unique constraint on a missing column fails
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE (missing);

-- case: a unique constraint on a partitioned table builds an index in every partition
-- statement
ALTER TABLE m ADD CONSTRAINT u UNIQUE (k, v);

-- case: a unique constraint without the partition key fails
-- statement
ALTER TABLE m ADD CONSTRAINT u UNIQUE (v);

-- case: a unique constraint that uses an index
CREATE UNIQUE INDEX t_a_idx ON t (a);
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX t_a_idx;

-- case: a constraint that uses a missing index fails
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX missing;

-- case: a constraint that uses an index that is not unique fails
CREATE INDEX t_a_idx ON t (a);
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX t_a_idx;

-- case: a constraint that uses a partial index fails
CREATE UNIQUE INDEX t_a_idx ON t (a) WHERE b > 0;
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX t_a_idx;

-- case: a constraint that uses an expression index fails
CREATE UNIQUE INDEX t_a_idx ON t (lower(code));
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX t_a_idx;

-- case: USING INDEX on a partitioned table fails
CREATE UNIQUE INDEX m_idx ON m (k);
-- statement
ALTER TABLE m ADD CONSTRAINT u UNIQUE USING INDEX m_idx;

-- case: a primary key verifies nullable columns and builds an index
-- statement
ALTER TABLE t ADD PRIMARY KEY (id);

-- case: a primary key on a column that is not null only builds an index
ALTER TABLE t ALTER COLUMN id SET NOT NULL;
-- statement
ALTER TABLE t ADD PRIMARY KEY (id);

-- case: a primary key on a column proved by a check only builds an index
ALTER TABLE t ADD CONSTRAINT c CHECK (id IS NOT NULL);
-- statement
ALTER TABLE t ADD PRIMARY KEY (id);

-- case: a primary key that uses an index on a nullable column verifies it
CREATE UNIQUE INDEX t_id_idx ON t (id);
-- statement
ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_id_idx;

-- case: a primary key that uses an index on a column that is not null is brief
ALTER TABLE t ALTER COLUMN id SET NOT NULL;
CREATE UNIQUE INDEX t_id_idx ON t (id);
-- statement
ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_id_idx;

-- case: a primary key that uses an index and a check that proves it is brief
ALTER TABLE t ADD CONSTRAINT c CHECK (id IS NOT NULL);
CREATE UNIQUE INDEX t_id_idx ON t (id);
-- statement
ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_id_idx;

-- case: a primary key on a column whose not null is not valid fails
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT n NOT NULL id NOT VALID;
-- statement
ALTER TABLE t ADD PRIMARY KEY (id);

-- case: a second primary key fails
-- statement
ALTER TABLE parents ADD PRIMARY KEY (plain);

-- case: a primary key of a partitioned table
-- statement
ALTER TABLE m ADD PRIMARY KEY (k, v);

-- case: an exclusion constraint builds an index
-- statement
ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&);

-- case: an exclusion constraint that is not valid fails
-- statement
ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&) NOT VALID;

-- case: WITHOUT OVERLAPS builds a GiST index
-- versions: 18..
CREATE EXTENSION btree_gist;
-- statement
ALTER TABLE t ADD CONSTRAINT u UNIQUE (id, r WITHOUT OVERLAPS);

-- case: dropping a check
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
-- statement
ALTER TABLE t DROP CONSTRAINT c;

-- case: dropping a unique constraint locks its index
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_code_key;

-- case: dropping a foreign key locks the parent
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE t DROP CONSTRAINT f;

-- case: dropping a primary key that is referenced fails
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey;

-- case: dropping a primary key with CASCADE locks the children
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE parents DROP CONSTRAINT parents_pkey CASCADE;

-- case: dropping a constraint that is missing fails
-- statement
ALTER TABLE t DROP CONSTRAINT missing;

-- case: dropping a missing constraint IF EXISTS only locks
-- statement
ALTER TABLE t DROP CONSTRAINT IF EXISTS missing;

-- case: dropping a check of a partitioned table
ALTER TABLE m ADD CONSTRAINT c CHECK (v > 0);
-- statement
ALTER TABLE m DROP CONSTRAINT c;

-- case: dropping an inherited check of a partition fails
ALTER TABLE m ADD CONSTRAINT c CHECK (v > 0);
-- statement
ALTER TABLE m1 DROP CONSTRAINT c;

-- case: dropping a foreign key of a partitioned table
ALTER TABLE m ADD CONSTRAINT f FOREIGN KEY (parent_id) REFERENCES parents;
-- statement
ALTER TABLE m DROP CONSTRAINT f;

-- case: dropping a foreign key to a partitioned table
ALTER TABLE m ADD PRIMARY KEY (k);
ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES m;
-- statement
ALTER TABLE t DROP CONSTRAINT f;

-- case: dropping a unique constraint of a partitioned table
ALTER TABLE m ADD CONSTRAINT u UNIQUE (k);
-- statement
ALTER TABLE m DROP CONSTRAINT u;

-- case: a check on an inheritance parent is verified in its children
CREATE TABLE animals (id int);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1);
INSERT INTO dogs VALUES (2);
-- statement
ALTER TABLE animals ADD CONSTRAINT c CHECK (id > 0);

-- case: a check with NO INHERIT is verified in the table alone
CREATE TABLE animals (id int);
CREATE TABLE dogs (bark text) INHERITS (animals);
INSERT INTO animals VALUES (1);
INSERT INTO dogs VALUES (2);
-- statement
ALTER TABLE animals ADD CONSTRAINT c CHECK (id > 0) NO INHERIT;
