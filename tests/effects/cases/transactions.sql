CREATE TABLE customers (id int PRIMARY KEY);

-- case: a savepoint needs a transaction
-- statement
SAVEPOINT here;

-- case: ALTER SYSTEM stands alone
-- statement
ALTER SYSTEM RESET work_mem;

-- case: CREATE DATABASE stands alone
-- statement
CREATE DATABASE another;

-- case: DROP DATABASE stands alone
-- statement
DROP DATABASE IF EXISTS missing;

-- case: DROP TABLESPACE stands alone
-- statement
DROP TABLESPACE IF EXISTS missing;

-- case: DISCARD ALL stands alone
-- statement
DISCARD ALL;

-- case: DISCARD PLANS does not
-- statement
DISCARD PLANS;

-- case: a setting
-- statement
SET lock_timeout = '2s';

-- case: a setting of the transaction
-- statement
SET LOCAL lock_timeout = '2s';

-- case: deferring constraints
-- statement
SET CONSTRAINTS ALL DEFERRED;

-- case: a notification
-- statement
NOTIFY channel;

-- case: a checkpoint
-- statement
CHECKPOINT;

-- case: a block of code without SQL
-- statement
DO $$ BEGIN NULL; END $$;

-- case: a block of code that commits
-- statement
DO $$ BEGIN COMMIT; END $$;
