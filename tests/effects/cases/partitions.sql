CREATE TABLE m (k int, v int) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE l (k text, v int) PARTITION BY LIST (k);
CREATE TABLE l1 PARTITION OF l FOR VALUES IN ('a', 'b');
CREATE TABLE free (k int, v int);
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO m VALUES (1, 1);
INSERT INTO l VALUES ('a', 1);
INSERT INTO free VALUES (15, 1);
INSERT INTO parents VALUES (1);

-- case: a new partition locks its parent for good
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a new partition reads the default partition
CREATE TABLE md PARTITION OF m DEFAULT;
INSERT INTO m VALUES (100, 1);
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a check proves that the default partition holds no such row
CREATE TABLE md PARTITION OF m DEFAULT;
INSERT INTO m VALUES (100, 1);
ALTER TABLE md ADD CHECK (k IS NOT NULL AND k >= 20);
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a new default partition
-- statement
CREATE TABLE md PARTITION OF m DEFAULT;

-- case: a second default partition fails
CREATE TABLE md PARTITION OF m DEFAULT;
-- statement
CREATE TABLE me PARTITION OF m DEFAULT;

-- case: a new partition of a table with a foreign key locks the referenced table
ALTER TABLE m ADD FOREIGN KEY (v) REFERENCES parents;
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a new partition of a table with indexes
CREATE INDEX m_v_idx ON m (v);
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a new partition of a referenced table
ALTER TABLE m ADD PRIMARY KEY (k);
CREATE TABLE children (id int REFERENCES m);
INSERT INTO children VALUES (1);
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);

-- case: a new partition that overlaps fails
-- statement
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (5) TO (20);

-- case: attaching reads the new partition
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a check with IS NOT NULL proves it
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 10 AND k < 20);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a check without IS NOT NULL proves nothing
ALTER TABLE free ADD CHECK (k >= 10 AND k < 20);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a check together with NOT NULL proves it
ALTER TABLE free ADD CHECK (k >= 10 AND k < 20);
ALTER TABLE free ALTER COLUMN k SET NOT NULL;
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a check that is not valid proves nothing
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 10 AND k < 20) NOT VALID;
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a narrower check proves it
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k > 12 AND k <= 18);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: a wider check proves nothing
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 5 AND k < 20);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: two checks together prove it
ALTER TABLE free ADD CHECK (k >= 10 AND k < 20);
ALTER TABLE free ADD CHECK (k IS NOT NULL);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: BETWEEN proves it
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k BETWEEN 10 AND 19);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: equality proves it
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k = 15);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching as default reads it
-- statement
ALTER TABLE m ATTACH PARTITION free DEFAULT;

-- case: attaching beside a default partition reads both
CREATE TABLE md PARTITION OF m DEFAULT;
INSERT INTO m VALUES (100, 1);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching builds the indexes that are missing
CREATE INDEX m_v_idx ON m (v);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching takes over an index that matches
CREATE INDEX m_v_idx ON m (v);
CREATE INDEX free_v ON free (v);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching builds an index whose columns differ
CREATE INDEX m_v_idx ON m (v, k);
CREATE INDEX free_v ON free (v);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching to a table with a primary key
ALTER TABLE m ADD PRIMARY KEY (k);
ALTER TABLE free ALTER COLUMN k SET NOT NULL;
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching to a table with a foreign key checks it
ALTER TABLE m ADD FOREIGN KEY (v) REFERENCES parents;
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 10 AND k < 20);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching a table that has the foreign key already
ALTER TABLE m ADD FOREIGN KEY (v) REFERENCES parents;
ALTER TABLE free ADD FOREIGN KEY (v) REFERENCES parents;
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 10 AND k < 20);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching a table without a column of the parent fails
CREATE TABLE narrow (k int);
-- statement
ALTER TABLE m ATTACH PARTITION narrow FOR VALUES FROM (10) TO (20);

-- case: attaching a table with another column type fails
CREATE TABLE wide (k bigint, v int);
-- statement
ALTER TABLE m ATTACH PARTITION wide FOR VALUES FROM (10) TO (20);

-- case: attaching a table that is a partition already fails
-- statement
ALTER TABLE m ATTACH PARTITION m1 FOR VALUES FROM (10) TO (20);

-- case: attaching a table that is nullable where the parent is not fails
CREATE TABLE s (k int NOT NULL, v int) PARTITION BY RANGE (k);
-- statement
ALTER TABLE s ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching to a table that is not partitioned fails
-- statement
ALTER TABLE parents ATTACH PARTITION free FOR VALUES FROM (10) TO (20);

-- case: attaching a table that is partitioned itself reads its partitions
CREATE TABLE sub (k int, v int) PARTITION BY LIST (v);
CREATE TABLE sub1 PARTITION OF sub FOR VALUES IN (1);
INSERT INTO sub VALUES (15, 1);
-- statement
ALTER TABLE m ATTACH PARTITION sub FOR VALUES FROM (10) TO (20);

-- case: attaching a list partition reads it
CREATE TABLE more (k text, v int);
INSERT INTO more VALUES ('c', 1);
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('c', 'd');

-- case: a list check proves it
CREATE TABLE more (k text, v int);
INSERT INTO more VALUES ('c', 1);
ALTER TABLE more ADD CHECK (k IS NOT NULL AND k IN ('c', 'd'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('c', 'd');

-- case: a shorter list check proves it
CREATE TABLE more (k text, v int);
INSERT INTO more VALUES ('c', 1);
ALTER TABLE more ADD CHECK (k IS NOT NULL AND k = 'c');
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('c', 'd');

-- case: a list check with another value proves nothing
CREATE TABLE more (k text, v int);
INSERT INTO more VALUES ('c', 1);
ALTER TABLE more ADD CHECK (k IS NOT NULL AND k IN ('c', 'e'));
-- statement
ALTER TABLE l ATTACH PARTITION more FOR VALUES IN ('c', 'd');

-- case: an open range is proved by one comparison
ALTER TABLE free ADD CHECK (k IS NOT NULL AND k >= 10);
-- statement
ALTER TABLE m ATTACH PARTITION free FOR VALUES FROM (10) TO (MAXVALUE);

-- case: dates written as text prove it
CREATE TABLE d (at date) PARTITION BY RANGE (at);
CREATE TABLE d1 (at date);
INSERT INTO d1 VALUES ('2024-05-05');
ALTER TABLE d1 ADD CHECK (at IS NOT NULL AND at >= '2024-01-01' AND at < DATE '2025-01-01');
-- statement
ALTER TABLE d ATTACH PARTITION d1 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

-- case: a range over two columns is not proved by the first
CREATE TABLE two (a int, b int) PARTITION BY RANGE (a, b);
CREATE TABLE two1 (a int, b int);
INSERT INTO two1 VALUES (15, 1);
ALTER TABLE two1 ADD CHECK (a IS NOT NULL AND b IS NOT NULL AND a >= 10 AND a < 20);
-- statement
ALTER TABLE two ATTACH PARTITION two1 FOR VALUES FROM (10, 5) TO (20, 5);

-- case: a hash partition is always read
CREATE TABLE h (k int) PARTITION BY HASH (k);
CREATE TABLE h0 (k int NOT NULL);
-- statement
ALTER TABLE h ATTACH PARTITION h0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);

-- case: detaching
-- statement
ALTER TABLE m DETACH PARTITION m1;

-- case: detaching beside a default partition
CREATE TABLE md PARTITION OF m DEFAULT;
-- statement
ALTER TABLE m DETACH PARTITION m1;

-- case: detaching with a foreign key to another table
ALTER TABLE m ADD FOREIGN KEY (v) REFERENCES parents;
-- statement
ALTER TABLE m DETACH PARTITION m1;

-- case: detaching with indexes
CREATE INDEX m_v_idx ON m (v);
-- statement
ALTER TABLE m DETACH PARTITION m1;

-- case: detaching a partition of a referenced table
ALTER TABLE m ADD PRIMARY KEY (k);
CREATE TABLE children (id int REFERENCES m);
-- statement
ALTER TABLE m DETACH PARTITION m1;

-- case: detaching concurrently
-- versions: 14..
-- statement
ALTER TABLE m DETACH PARTITION m1 CONCURRENTLY;

-- case: detaching concurrently beside a default partition fails
-- versions: 14..
CREATE TABLE md PARTITION OF m DEFAULT;
-- statement
ALTER TABLE m DETACH PARTITION m1 CONCURRENTLY;

-- case: CONCURRENTLY is a syntax error before 14
-- versions: ..13
-- statement
ALTER TABLE m DETACH PARTITION m1 CONCURRENTLY;

-- case: detaching what is not a partition fails
-- statement
ALTER TABLE m DETACH PARTITION free;

-- case: inheriting
CREATE TABLE base (k int);
-- statement
ALTER TABLE free INHERIT base;

-- case: inheriting without a column of the parent fails
CREATE TABLE base (k int, other int);
-- statement
ALTER TABLE free INHERIT base;

-- case: no longer inheriting
CREATE TABLE base (k int);
ALTER TABLE free INHERIT base;
-- statement
ALTER TABLE free NO INHERIT base;
