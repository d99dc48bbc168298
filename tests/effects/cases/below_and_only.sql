CREATE TABLE t (id int PRIMARY KEY, n int, name text) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (3) PARTITION BY LIST (id);
CREATE TABLE t_1_1 PARTITION OF t_1 DEFAULT;
CREATE TABLE par (id int NOT NULL, n int);
CREATE TABLE kid () INHERITS (par);
INSERT INTO t VALUES (1, 1);

-- case: SET NOT NULL again on a partitioned table
-- statement
ALTER TABLE t ALTER COLUMN id SET NOT NULL;

-- case: SET NOT NULL again on a parent
-- statement
ALTER TABLE par ALTER COLUMN id SET NOT NULL;

-- case: SET NOT NULL again on a plain table
CREATE TABLE pl (id int NOT NULL);
-- statement
ALTER TABLE pl ALTER COLUMN id SET NOT NULL;

-- case: DROP NOT NULL of a nullable column of a partitioned table
-- statement
ALTER TABLE t ALTER COLUMN n DROP NOT NULL;

-- case: DROP NOT NULL of a nullable column of a parent
-- statement
ALTER TABLE par ALTER COLUMN n DROP NOT NULL;

-- case: detaching a partition with partitions
-- statement
ALTER TABLE t DETACH PARTITION t_1;

-- case: ONLY SET NOT NULL of a partitioned table
-- statement
ALTER TABLE ONLY t ALTER COLUMN n SET NOT NULL;

-- case: ONLY DROP COLUMN with heirs
-- statement
ALTER TABLE ONLY par DROP COLUMN n;

-- case: DROP CONSTRAINT IF EXISTS of a partitioned table
-- statement
ALTER TABLE t DROP CONSTRAINT IF EXISTS nope;

-- case: SET STATISTICS ONLY
-- statement
ALTER TABLE ONLY t ALTER COLUMN n SET STATISTICS 10;

-- case: DISABLE TRIGGER ALL with keys
CREATE TABLE refs (id int REFERENCES t);
-- statement
ALTER TABLE t DISABLE TRIGGER ALL;

-- case: SET LOGGED partitioned
-- statement
ALTER TABLE t SET LOGGED;

-- case: ONLY DROP CONSTRAINT of a check with heirs
ALTER TABLE par ADD CONSTRAINT c CHECK (n > 0);
-- statement
ALTER TABLE ONLY par DROP CONSTRAINT c;

-- case: ONLY DROP CONSTRAINT of a check with partitions
ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0);
-- statement
ALTER TABLE ONLY t DROP CONSTRAINT c;

-- case: merge into a partition
-- versions: 15..
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (3) TO (5);
INSERT INTO t VALUES (4, 4);
-- statement
MERGE INTO t_2 USING (SELECT 4 AS i) s ON t_2.id = s.i WHEN MATCHED THEN UPDATE SET n = 50;

-- case: adding a column with a key to a parent
CREATE TABLE goal (id int PRIMARY KEY);
INSERT INTO goal VALUES (1);
INSERT INTO kid VALUES (1, 1);
-- statement
ALTER TABLE par ADD COLUMN g int DEFAULT 1 REFERENCES goal;

-- case: compression of a partitioned table's column
-- versions: 14..
-- statement
ALTER TABLE t ALTER COLUMN name SET COMPRESSION pglz;

-- case: ADD CONSTRAINT that a parent gave already
CREATE TABLE top (n int, CONSTRAINT c CHECK (n > 0));
CREATE TABLE heir () INHERITS (top);
INSERT INTO heir VALUES (1);
-- statement
ALTER TABLE heir ADD CONSTRAINT c CHECK (n > 0);

-- case: renaming the primary key of a partition
-- statement
ALTER TABLE t_1 RENAME CONSTRAINT t_1_pkey TO other;

-- case: dropping identity IF EXISTS
-- statement
ALTER TABLE t ALTER COLUMN n DROP IDENTITY IF EXISTS;

-- case: ONLY SET NOT NULL of a partitioned table whose partitions say so
CREATE TABLE q (id int, n int) PARTITION BY RANGE (id);
CREATE TABLE q_1 PARTITION OF q (n NOT NULL) FOR VALUES FROM (0) TO (3);
-- statement
ALTER TABLE ONLY q ALTER COLUMN n SET NOT NULL;

-- case: detaching concurrently a partition with partitions
-- versions: 14..
CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (10) TO (13);
-- statement
ALTER TABLE t DETACH PARTITION t_1 CONCURRENTLY;
