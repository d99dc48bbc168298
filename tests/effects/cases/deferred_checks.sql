CREATE TABLE orders (id int PRIMARY KEY, n int);
INSERT INTO orders VALUES (1, 1);
CREATE FUNCTION dyn() RETURNS void LANGUAGE plpgsql AS $$ DECLARE t text := 'orders'; BEGIN EXECUTE 'ALTER TABLE ' || t || ' ADD COLUMN z int'; END $$;

-- case: a row inserted before is updated
CREATE TABLE lines (id int, o int REFERENCES orders);
INSERT INTO lines VALUES (1, 1);
-- transaction
INSERT INTO lines VALUES (2, 1);
-- statement
UPDATE lines SET id = 3;

-- case: a row updated twice
CREATE TABLE lines (id int, o int REFERENCES orders);
INSERT INTO lines VALUES (1, 1);
-- transaction
UPDATE lines SET id = 2;
-- statement
UPDATE lines SET id = 3;

-- case: a row updated twice outside
CREATE TABLE lines (id int, o int REFERENCES orders);
INSERT INTO lines VALUES (1, 1);
UPDATE lines SET id = 2;
-- statement
UPDATE lines SET id = 3;

-- case: a table made and filled and updated
-- transaction
CREATE TABLE lines (id int, o int REFERENCES orders);
INSERT INTO lines VALUES (1, 1);
-- statement
UPDATE lines SET id = 3;

-- case: pending trigger events of a deferred key
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines ADD COLUMN x int;

-- case: pending trigger events after SET CONSTRAINTS ALL DEFERRED
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE);
-- transaction
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines ADD COLUMN x int;

-- case: pending trigger events made due again
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
SET CONSTRAINTS ALL IMMEDIATE;
-- statement
ALTER TABLE lines ADD COLUMN x int;

-- case: pending trigger events block the index
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
CREATE INDEX ON lines (o);

-- case: pending trigger events block TRUNCATE
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
TRUNCATE lines;

-- case: pending trigger events block DROP TABLE
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
DROP TABLE lines;

-- case: pending trigger events block altering the parent
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE orders ADD COLUMN x int;

-- case: pending trigger events by a delete of the parent
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
DELETE FROM orders;
-- statement
ALTER TABLE orders ADD COLUMN x int;

-- case: an insert of nulls queues nothing
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines (id) VALUES (1);
-- statement
ALTER TABLE lines ADD COLUMN x int;

-- case: pending events do not block a rename
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines RENAME TO rows;

-- case: pending events do not block a renamed column
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines RENAME COLUMN id TO key;

-- case: a deferred unique constraint queues only conflicts
CREATE TABLE lines (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, o int);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines ADD COLUMN x int;

-- case: pending events and a trigger
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
CREATE TRIGGER tr BEFORE UPDATE ON lines FOR EACH ROW EXECUTE FUNCTION tf();

-- case: pending events and ADD FOREIGN KEY
CREATE TABLE lines (id int, o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines ADD FOREIGN KEY (id) REFERENCES orders;

-- case: pending events and VALIDATE
CREATE TABLE lines (id int, o int);
ALTER TABLE lines ADD CONSTRAINT k FOREIGN KEY (o) REFERENCES orders DEFERRABLE INITIALLY DEFERRED NOT VALID;
-- transaction
INSERT INTO lines VALUES (1, 1);
-- statement
ALTER TABLE lines VALIDATE CONSTRAINT k;
