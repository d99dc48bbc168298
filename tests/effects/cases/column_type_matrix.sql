CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN free AS int;
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN small AS positive;
CREATE DOMAIN short AS varchar(20);

-- case: varchar(50) to varchar(100)
CREATE TABLE t (id int, c varchar(50));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(100);

-- case: varchar(50) to varchar
CREATE TABLE t (id int, c varchar(50));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar;

-- case: varchar(50) to text
CREATE TABLE t (id int, c varchar(50));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: varchar(50) to varchar(20)
CREATE TABLE t (id int, c varchar(50));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20);

-- case: varchar to varchar(20)
CREATE TABLE t (id int, c varchar);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20);

-- case: text to varchar
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar;

-- case: text to varchar(100)
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(100);

-- case: text to char(10)
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE char(10);

-- case: char(10) to text
CREATE TABLE t (id int, c char(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: char(10) to varchar(10)
CREATE TABLE t (id int, c char(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(10);

-- case: char(10) to char(20)
CREATE TABLE t (id int, c char(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE char(20);

-- case: char(10) to bpchar
CREATE TABLE t (id int, c char(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bpchar;

-- case: text to citext
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE citext;

-- case: varchar(20) to citext
CREATE TABLE t (id int, c varchar(20));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE citext;

-- case: citext to text
CREATE TABLE t (id int, c citext);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: citext to varchar(20)
CREATE TABLE t (id int, c citext);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20);

-- case: numeric(10,2) to numeric(12,2)
CREATE TABLE t (id int, c numeric(10,2));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(12,2);

-- case: numeric(10,2) to numeric
CREATE TABLE t (id int, c numeric(10,2));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric;

-- case: numeric(10,2) to numeric(12,3)
CREATE TABLE t (id int, c numeric(10,2));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(12,3);

-- case: numeric(10,2) to numeric(8,2)
CREATE TABLE t (id int, c numeric(10,2));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(8,2);

-- case: numeric to numeric(10,2)
CREATE TABLE t (id int, c numeric);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(10,2);

-- case: numeric(10) to numeric(12)
CREATE TABLE t (id int, c numeric(10));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(12);

-- case: numeric(10) to numeric(12,0)
CREATE TABLE t (id int, c numeric(10));
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(12,0);

-- case: int to numeric
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric;

-- case: smallint to int
CREATE TABLE t (id int, c smallint);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: int to bigint
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bigint;

-- case: bigint to int
CREATE TABLE t (id int, c bigint);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: int to oid
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE oid;

-- case: int to text
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: int to varchar(20)
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20);

-- case: real to double precision
CREATE TABLE t (id int, c real);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE double precision;

-- case: int to boolean
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE boolean;

-- case: bit(3) to bit(5)
CREATE TABLE t (id int, c bit(3));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bit(5);

-- case: bit(3) to varbit
CREATE TABLE t (id int, c bit(3));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varbit;

-- case: bit(3) to varbit(5)
CREATE TABLE t (id int, c bit(3));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varbit(5);

-- case: varbit(3) to varbit(5)
CREATE TABLE t (id int, c varbit(3));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varbit(5);

-- case: varbit(5) to varbit(3)
CREATE TABLE t (id int, c varbit(5));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varbit(3);

-- case: varbit(5) to varbit
CREATE TABLE t (id int, c varbit(5));
INSERT INTO t VALUES (1, B'101');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varbit;

-- case: timestamp(3) to timestamp(6)
CREATE TABLE t (id int, c timestamp(3));
INSERT INTO t VALUES (1, CAST (now() AS timestamp(3)));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp(6);

-- case: timestamp(3) to timestamp
CREATE TABLE t (id int, c timestamp(3));
INSERT INTO t VALUES (1, CAST (now() AS timestamp(3)));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp;

-- case: timestamp to timestamp(6)
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp(6);

-- case: timestamp to timestamp(3)
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp(3);

-- case: timestamptz(0) to timestamptz(3)
CREATE TABLE t (id int, c timestamptz(0));
INSERT INTO t VALUES (1, CAST (now() AS timestamptz(0)));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz(3);

-- case: time(3) to time
CREATE TABLE t (id int, c time(3));
INSERT INTO t VALUES (1, '10:00');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE time;

-- case: time to time(0)
CREATE TABLE t (id int, c time);
INSERT INTO t VALUES (1, '10:00');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE time(0);

-- case: timetz(3) to timetz(4)
CREATE TABLE t (id int, c timetz(3));
INSERT INTO t VALUES (1, '10:00');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timetz(4);

-- case: interval(3) to interval
CREATE TABLE t (id int, c interval(3));
INSERT INTO t VALUES (1, '1 day');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE interval;

-- case: interval to interval(3)
CREATE TABLE t (id int, c interval);
INSERT INTO t VALUES (1, '1 day');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE interval(3);

-- case: interval(3) to interval(5)
CREATE TABLE t (id int, c interval(3));
INSERT INTO t VALUES (1, '1 day');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE interval(5);

-- case: interval to interval day
CREATE TABLE t (id int, c interval);
INSERT INTO t VALUES (1, '1 day');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE interval day;

-- case: interval day to interval
CREATE TABLE t (id int, c interval day);
INSERT INTO t VALUES (1, '1 day');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE interval;

-- case: cidr to inet
CREATE TABLE t (id int, c cidr);
INSERT INTO t VALUES (1, '10.0.0.0/8');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE inet;

-- case: inet to cidr
CREATE TABLE t (id int, c inet);
INSERT INTO t VALUES (1, '10.0.0.1');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE cidr;

-- case: date to timestamp
CREATE TABLE t (id int, c date);
INSERT INTO t VALUES (1, CAST (now() AS date));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp;

-- case: date to timestamptz
CREATE TABLE t (id int, c date);
INSERT INTO t VALUES (1, CAST (now() AS date));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz;

-- case: json to jsonb
CREATE TABLE t (id int, c json);
INSERT INTO t VALUES (1, '{}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE jsonb;

-- case: jsonb to text
CREATE TABLE t (id int, c jsonb);
INSERT INTO t VALUES (1, '{}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: json to text
CREATE TABLE t (id int, c json);
INSERT INTO t VALUES (1, '{}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: uuid to text
CREATE TABLE t (id int, c uuid);
INSERT INTO t VALUES (1, gen_random_uuid());
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: text to uuid
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'x');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE uuid;

-- case: varchar(50)[] to text[]
CREATE TABLE t (id int, c varchar(50)[]);
INSERT INTO t VALUES (1, '{a}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text[];

-- case: varchar(50)[] to varchar(60)[]
CREATE TABLE t (id int, c varchar(50)[]);
INSERT INTO t VALUES (1, '{a}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(60)[];

-- case: int[] to bigint[]
CREATE TABLE t (id int, c int[]);
INSERT INTO t VALUES (1, '{1}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bigint[];

-- case: int[] to int[]
CREATE TABLE t (id int, c int[]);
INSERT INTO t VALUES (1, '{1}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int[];

-- case: text[] to varchar[]
CREATE TABLE t (id int, c text[]);
INSERT INTO t VALUES (1, '{a}');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar[];

-- case: int to int
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: name to text
CREATE TABLE t (id int, c name);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: text to name
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE name;

-- case: mood to text
CREATE TABLE t (id int, c mood);
INSERT INTO t VALUES (1, 'ok');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: mood to mood
CREATE TABLE t (id int, c mood);
INSERT INTO t VALUES (1, 'ok');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE mood;

-- case: int to money
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE money;

-- case: int to free
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE free;

-- case: int to positive
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE positive;

-- case: positive to int
CREATE TABLE t (id int, c positive);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: free to int
CREATE TABLE t (id int, c free);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: short to text
CREATE TABLE t (id int, c short);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: varchar(10) to short
CREATE TABLE t (id int, c varchar(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE short;

-- case: varchar(30) to short
CREATE TABLE t (id int, c varchar(30));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE short;

-- case: positive to small
CREATE TABLE t (id int, c positive);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE small;

-- case: bigint to free
CREATE TABLE t (id int, c bigint);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE free;

-- case: oid to int
CREATE TABLE t (id int, c oid);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: oid to regclass
CREATE TABLE t (id int, c oid);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE regclass;

-- case: bytea to text
CREATE TABLE t (id int, c bytea);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: "char" to text
CREATE TABLE t (id int, c "char");
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: double precision to numeric(10,2)
CREATE TABLE t (id int, c double precision);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE numeric(10,2);

-- case: bool to int
CREATE TABLE t (id int, c bool);
INSERT INTO t VALUES (1, true);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int;

-- case: bool to text
CREATE TABLE t (id int, c bool);
INSERT INTO t VALUES (1, true);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text;

-- case: timestamp to timestamptz
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz;

-- case: timestamptz to timestamp
CREATE TABLE t (id int, c timestamptz);
INSERT INTO t VALUES (1, CAST (now() AS timestamptz));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp;

-- case: timestamp(3) to timestamptz
CREATE TABLE t (id int, c timestamp(3));
INSERT INTO t VALUES (1, CAST (now() AS timestamp(3)));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz;

-- case: text to text using c
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text USING c;

-- case: int to bigint using c
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bigint USING c;

-- case: int to bigint using c::bigint
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE bigint USING c::bigint;

-- case: varchar(10) to text using c::text
CREATE TABLE t (id int, c varchar(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text USING c::text;

-- case: varchar(10) to text using lower(c)
CREATE TABLE t (id int, c varchar(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text USING lower(c);

-- case: text to int using c::int
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, '1');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int USING c::int;

-- case: mood to text using c::text
CREATE TABLE t (id int, c mood);
INSERT INTO t VALUES (1, 'ok');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text USING c::text;

-- case: text to mood using c::mood
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'ok');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE mood USING c::mood;

-- case: int to oid using c::oid
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE oid USING c::oid;

-- case: int to int using id
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int USING id;

-- case: int to int using 1
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int USING 1;

-- case: int to int using c + 0
CREATE TABLE t (id int, c int);
INSERT INTO t VALUES (1, 1);
-- statement
ALTER TABLE t ALTER COLUMN c TYPE int USING c + 0;

-- case: bytea to text using c::text
CREATE TABLE t (id int, c bytea);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE text USING c::text;

-- case: text to varchar(10) using c::varchar(10)
CREATE TABLE t (id int, c text);
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(10) USING c::varchar(10);

-- case: varchar(10) to varchar(20) using c::varchar(20)
CREATE TABLE t (id int, c varchar(10));
INSERT INTO t VALUES (1, 'a');
-- statement
ALTER TABLE t ALTER COLUMN c TYPE varchar(20) USING c::varchar(20);

-- case: timestamp to timestamptz using c AT TIME ZONE 'UTC'
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz USING c AT TIME ZONE 'UTC';

-- case: timestamp to timestamptz in UTC
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz;

-- case: timestamptz to timestamp in UTC
CREATE TABLE t (id int, c timestamptz);
INSERT INTO t VALUES (1, CAST (now() AS timestamptz));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamp;

-- case: timestamp to timestamptz in UTC with an index
CREATE TABLE t (id int, c timestamp);
CREATE INDEX t_c_idx ON t (c);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz;

-- case: timestamp to timestamptz USING c AT TIME ZONE 'UTC' in UTC
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz USING c AT TIME ZONE 'UTC';

-- case: timestamp to timestamptz USING c::timestamptz in UTC
CREATE TABLE t (id int, c timestamp);
INSERT INTO t VALUES (1, CAST (now() AS timestamp));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz USING c::timestamptz;

-- case: timestamp(3) to timestamptz(6) in UTC
CREATE TABLE t (id int, c timestamp(3));
INSERT INTO t VALUES (1, CAST (now() AS timestamp(3)));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz(6);

-- case: timestamp(3) to timestamptz(3) in UTC
CREATE TABLE t (id int, c timestamp(3));
INSERT INTO t VALUES (1, CAST (now() AS timestamp(3)));
SET timezone = 'UTC';
-- statement
ALTER TABLE t ALTER COLUMN c TYPE timestamptz(3);
