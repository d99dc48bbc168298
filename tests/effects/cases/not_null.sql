CREATE TABLE t (id int PRIMARY KEY, a int, b int);
INSERT INTO t VALUES (1, 1, 1);
CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
INSERT INTO m VALUES (1, 1), (11, 1);

-- case: SET NOT NULL reads the table
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: SET NOT NULL of a column that is not null already only locks
-- statement
ALTER TABLE t ALTER COLUMN id SET NOT NULL;

-- case: a validated check proves it
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: a check AND-ed with others proves it
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0 AND a IS NOT NULL AND b > 0);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: a check that was validated later proves it
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE t VALIDATE CONSTRAINT c;
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: a check that is not valid proves nothing
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: a comparison proves nothing
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: an OR proves nothing
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL OR b IS NOT NULL);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: NOT (a IS NULL) proves it
ALTER TABLE t ADD CONSTRAINT c CHECK (NOT (a IS NULL));
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: another column's check proves nothing
ALTER TABLE t ADD CONSTRAINT c CHECK (b IS NOT NULL);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: two checks prove two columns
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL), ADD CONSTRAINT d CHECK (b IS NOT NULL);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN b SET NOT NULL;

-- case: the proof is lost if the check is dropped in the same statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL);
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL, DROP CONSTRAINT c;

-- case: the proof is also lost if the check is dropped first
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL);
-- statement
ALTER TABLE t DROP CONSTRAINT c, ALTER COLUMN a SET NOT NULL;

-- case: a check added in the same statement
-- statement
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL), ALTER COLUMN a SET NOT NULL;

-- case: SET NOT NULL on a partitioned table reads every partition
-- statement
ALTER TABLE m ALTER COLUMN v SET NOT NULL;

-- case: a check on the partitioned table proves it for every partition
ALTER TABLE m ADD CONSTRAINT c CHECK (v IS NOT NULL);
-- statement
ALTER TABLE m ALTER COLUMN v SET NOT NULL;

-- case: a check on one partition proves it for that one
ALTER TABLE m1 ADD CONSTRAINT c CHECK (v IS NOT NULL);
-- statement
ALTER TABLE m ALTER COLUMN v SET NOT NULL;

-- case: a partition that is not null already
ALTER TABLE m1 ALTER COLUMN v SET NOT NULL;
-- statement
ALTER TABLE m ALTER COLUMN v SET NOT NULL;

-- case: dropping not null of a partition whose parent is not null fails
ALTER TABLE m ALTER COLUMN v SET NOT NULL;
-- statement
ALTER TABLE m1 ALTER COLUMN v DROP NOT NULL;

-- case: SET NOT NULL of a missing column fails
-- statement
ALTER TABLE t ALTER COLUMN missing SET NOT NULL;

-- case: a named not null constraint reads the table
-- versions: 18..
-- statement
ALTER TABLE t ADD CONSTRAINT n NOT NULL a;

-- case: a not null constraint is a syntax error before 18
-- versions: ..17
-- statement
ALTER TABLE t ADD CONSTRAINT n NOT NULL a;

-- case: a not null constraint that is not valid is brief
-- versions: 18..
-- statement
ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;

-- case: validating a not null constraint
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
-- statement
ALTER TABLE t VALIDATE CONSTRAINT n;

-- case: SET NOT NULL validates a constraint that is not valid
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;
-- statement
ALTER TABLE t ALTER COLUMN a SET NOT NULL;

-- case: a check proves a not null constraint
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL);
-- statement
ALTER TABLE t ADD CONSTRAINT n NOT NULL a;

-- case: a not null constraint on a partitioned table reads every partition
-- versions: 18..
-- statement
ALTER TABLE m ADD CONSTRAINT n NOT NULL v;

-- case: a not null constraint on a partitioned table that is not valid
-- versions: 18..
-- statement
ALTER TABLE m ADD CONSTRAINT n NOT NULL v NOT VALID;

-- case: validating a not null constraint of a partitioned table
-- versions: 18..
ALTER TABLE m ADD CONSTRAINT n NOT NULL v NOT VALID;
-- statement
ALTER TABLE m VALIDATE CONSTRAINT n;

-- case: dropping a not null constraint by its name
-- versions: 18..
ALTER TABLE t ADD CONSTRAINT n NOT NULL a;
-- statement
ALTER TABLE t DROP CONSTRAINT n;
