-- case: labels are added where they are wanted
CREATE TYPE mood AS ENUM ('a', 'c');
ALTER TYPE mood ADD VALUE 'b' AFTER 'a';
ALTER TYPE mood ADD VALUE 'z' BEFORE 'a';
ALTER TYPE mood ADD VALUE 'end';
ALTER TYPE mood ADD VALUE IF NOT EXISTS 'end';
ALTER TYPE mood RENAME VALUE 'c' TO 'cc';
-- case: domains and their checks
CREATE DOMAIN d AS varchar(10) NOT NULL DEFAULT 'x' CHECK (VALUE <> '') CHECK (VALUE <> 'y');
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE <> 'z') NOT VALID;
ALTER DOMAIN d VALIDATE CONSTRAINT c;
ALTER DOMAIN d RENAME CONSTRAINT c TO cc;
ALTER DOMAIN d DROP CONSTRAINT d_check;
ALTER DOMAIN d DROP NOT NULL;
-- case: composite types
CREATE TYPE pair AS (a int, b text);
ALTER TYPE pair ADD ATTRIBUTE c date;
ALTER TYPE pair DROP ATTRIBUTE a;
ALTER TYPE pair ALTER ATTRIBUTE b TYPE varchar(5);
ALTER TYPE pair RENAME ATTRIBUTE b TO bb;
ALTER TYPE pair RENAME TO triple;
-- case: types of another schema are found through search_path
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('a');
SET search_path = app;
CREATE TABLE t (a mood);
RESET search_path;
CREATE TYPE mood AS ENUM ('b');
CREATE TABLE t (a mood, b app.mood);
-- case: types move to another schema
CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (a mood);
ALTER TYPE mood SET SCHEMA app;
-- case: a row type as a column type
CREATE TABLE p (a int);
CREATE TABLE t (p p, ps p[]);
ALTER TABLE p RENAME TO q;
-- case: types of an extension are found where it was put
CREATE SCHEMA extensions;
CREATE EXTENSION citext WITH SCHEMA extensions;
SET search_path = public, extensions;
CREATE TABLE t (a citext, b citext[]);
