-- case: a rollback undoes the schema
CREATE TABLE t (a int);
BEGIN;
ALTER TABLE t ADD COLUMN b int;
CREATE TABLE u (a int);
ROLLBACK;
BEGIN;
CREATE TABLE v (a int);
COMMIT;
-- case: a savepoint undoes what came after it
BEGIN;
CREATE TABLE t (a int);
SAVEPOINT one;
CREATE TABLE u (a int);
SAVEPOINT two;
CREATE TABLE v (a int);
ROLLBACK TO one;
CREATE TABLE w (a int);
ROLLBACK TO one;
CREATE TABLE x (a int);
RELEASE one;
COMMIT;
-- case: a local search_path ends with its transaction
CREATE SCHEMA app;
BEGIN;
SET LOCAL search_path = app;
CREATE TABLE t (a int);
COMMIT;
CREATE TABLE u (a int);
SET LOCAL search_path = app;
CREATE TABLE v (a int);
-- case: a rollback undoes SET
CREATE SCHEMA app;
BEGIN;
SET search_path = app;
CREATE TABLE t (a int);
ROLLBACK;
CREATE TABLE u (a int);
-- case: a plain SET outlives a local one
CREATE SCHEMA app;
CREATE SCHEMA shop;
BEGIN;
SET search_path = app;
SET LOCAL search_path = shop;
CREATE TABLE t (a int);
COMMIT;
CREATE TABLE u (a int);
-- case: a savepoint undoes SET
CREATE SCHEMA app;
BEGIN;
SAVEPOINT s;
SET search_path = app;
ROLLBACK TO s;
CREATE TABLE t (a int);
COMMIT;
-- case: set_config is a SET
CREATE SCHEMA app;
SELECT set_config('search_path', 'app', false);
CREATE TABLE t (a int);
RESET ALL;
CREATE TABLE u (a int);
-- case: a second BEGIN is only a warning
BEGIN;
CREATE TABLE t (a int);
BEGIN;
CREATE TABLE u (a int);
ROLLBACK;
ROLLBACK;
CREATE TABLE v (a int);
-- case: COMMIT AND CHAIN opens the next transaction
BEGIN;
CREATE TABLE t (a int);
COMMIT AND CHAIN;
CREATE TABLE u (a int);
ROLLBACK;
