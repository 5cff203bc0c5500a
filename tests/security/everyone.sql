-- What every login role tries.

-- 42501 reads a table
select * from {closed};

-- 42501 asks whether a table has rows
select exists (select from {closed});

-- 42501 inserts
insert into {table} default values;

-- 42501 deletes
delete from {table};

-- 42501 empties a table
truncate {table} cascade;

-- 42501 locks a table against all others
begin;
lock table {table} in access exclusive mode;

-- 42501 locks a table against what changes it
begin;
lock table {closed} in access share mode;

-- 42501 locks the rows of a table
select * from {table} for update;

-- 42501 copies a table out
copy {closed} to stdout;

-- 42501 copies into a table
copy {table} from '/etc/passwd';

-- 42501 drops a table
drop table {table} cascade;

-- 42501 takes a table
alter table {table} owner to current_user;

-- 42501 turns row-level security off for all
alter table {table} disable row level security;

-- 42501 turns it off for the owner
alter table {table} no force row level security;

-- 42501 makes a policy
create policy attack on {table} using (true);

-- 42501 makes a trigger
create trigger attack before insert on {table} for each row execute function suppress_redundant_updates_trigger();

-- 42501 makes a rule
create rule attack as on insert to {table} do instead nothing;

-- 42501 makes an index, whose expression would run as the table's owner
create index on {table} ((1));

-- 42501 makes statistics that tell values
create statistics pg_catalog.attack on tableoid, ctid from {closed};

-- 42501 comments on a table
comment on table {table} is 'attack';

-- 42501 reads with row-level security off
set row_security = off;
select * from {table};

-- 42501 gives a table to everybody
grant select on {closed} to public;

-- 42501 calls a function that is not its own
select {function};

-- 42501 calls it through a from clause
select * from {function} f;

-- 42501 draws numbers
select nextval('{sequence}');

-- 42501 sets numbers back
select setval('{sequence}', 1);

-- 42501 makes a table
create table {schema}.attack ();

-- 42501 makes a view
create view {schema}.attack as select 1;

-- 42501 makes a type
create type {schema}.attack as (a int);

-- 42501 makes an enum
create type {schema}.attack as enum ('a');

-- 42501 makes a domain
create domain {schema}.attack as int;

-- 42501 makes a sequence
create sequence {schema}.attack;

-- 42501 makes a function in PL/pgSQL
create function {schema}.attack() returns int language plpgsql as 'begin return 1; end';

-- 42501 makes a function in SQL
create function {schema}.attack() returns int language sql as 'select 1';

-- 42501 makes a function of the server's own C
create function {schema}.attack(int) returns int language internal as 'int4up';

-- 42501 makes a function of a library
create function {schema}.attack() returns int language c as '/tmp/attack', 'attack';

-- 42501 makes an operator that stands before the real one
create operator {schema}.= (leftarg = uuid, rightarg = uuid, procedure = uuid_ne);

-- 42501 makes an aggregate
create aggregate {schema}.attack(int) (sfunc = int4pl, stype = int);

-- 42501 makes a cast
create cast (text as int) with inout as implicit;

-- 42501 makes a collation
create collation {schema}.attack (locale = 'C');

-- 42501 makes a conversion
create default conversion {schema}.attack for 'latin1' to 'utf8' from iso8859_1_to_utf8;

-- 42501 makes a text search dictionary
create text search dictionary {schema}.attack (template = simple);

-- 42501 makes a schema
create schema attack;

-- 42501 renames a schema
alter schema {schema} rename to attack;

-- 42501 makes a temporary table
create temp table attack (a int);

-- 42501 makes a temporary view that stands before a table
create temp view tenants as select 1;

-- 42501 makes a temporary function that stands before a real one
create function pg_temp.now() returns timestamptz language internal as 'now';

-- 42501 makes a language
create language attack handler plpgsql_call_handler;

-- 42501 makes a trusted extension
create extension hstore;

-- 42501 makes an extension that reaches other servers
create extension dblink;

-- 42501 makes an extension that reads files
create extension file_fdw;

-- 42501 makes a foreign data wrapper
create foreign data wrapper attack;

-- 42501 makes an event trigger
create event trigger attack on ddl_command_start execute function plpgsql_call_handler();

-- 42501 publishes tables
create publication attack for all tables;

-- 42501 subscribes to another server
create subscription attack connection 'host=127.0.0.1' publication attack with (connect = false);

-- 42501 makes a tablespace
create tablespace attack location '/tmp';

-- 42501 makes a database
create database attack;

-- 42501 drops the database
drop database postgres;

-- 42501 makes a role
create role attack;

-- 42501 becomes another role
set role {role};

-- 42501 becomes another role for the whole session
set session authorization {role};

-- 42501 joins another role
grant {role} to current_user;

-- 42501|42939 sets the password of another role
alter role {role} password 'attack';

-- 42501 drops another role
drop role {role};

-- 42501 takes what another role owns
reassign owned by {role} to current_user;

-- 42501 drops what another role owns
drop owned by {role};

-- 42501 makes default rights for another role
alter default privileges for role {role} grant all on tables to public;

-- 42501 bypasses row-level security
alter role current_user bypassrls;

-- 42501 becomes a superuser
alter role current_user superuser;

-- 42501 may make roles
alter role current_user createrole;

-- 42501 may make databases
alter role current_user createdb;

-- 42501 may replicate
alter role current_user replication;

-- 42501 opens more connections
alter role current_user connection limit -1;

-- 42501 makes its password last
alter role current_user valid until 'infinity';

-- 42501 takes its limit of temporary files away, for good
alter role current_user set temp_file_limit = -1;

-- 42501 takes its limit of temporary files away
set temp_file_limit = -1;

-- 42501 has bound values logged
set log_parameter_max_length = -1;

-- 42501 has its statements not logged
set log_statement = 'none';

-- 42501 turns triggers and foreign keys off
set session_replication_role = replica;

-- 42501 turns them off by a function
select set_config('session_replication_role', 'replica', false);

-- 42501 loads a library
load '/tmp/attack.so';

-- harmless names libraries for its next connection: the server loads those in its own directory of plugins only
set local_preload_libraries = 'attack';

-- 42501 changes the server's configuration
alter system set archive_command = 'id';

-- 42501 changes the database's settings
alter database postgres set search_path = attack;

-- 42501 reads a setting that names files
select current_setting('data_directory');

-- nothing finds such settings in the view
select setting from pg_settings where name in ('data_directory', 'config_file', 'hba_file', 'ident_file');

-- 42501 runs a program with a query's rows
copy (select 1) to program 'id';

-- 42501 reads a program's output
copy billing.plans from program 'id';

-- 42501 writes a file
copy (select 1) to '/tmp/tollgate-attack';

-- 42501 reads a file
select pg_read_file('/etc/passwd');

-- 42501 reads a file's bytes
select pg_read_binary_file('PG_VERSION');

-- 42501 lists a directory
select pg_ls_dir('.');

-- 42501 lists the log
select pg_ls_logdir();

-- 42501 asks about a file
select pg_stat_file('PG_VERSION');

-- 42501 reads who may connect
select * from pg_hba_file_rules;

-- 42501 reads passwords
select * from pg_authid;

-- 42501 reads the raw statistics
select * from pg_statistic;

-- nothing reads sampled values of tables that hold tenants' rows
select most_common_vals::text from pg_stats
	where schemaname in ('auth', 'app', 'inbox', 'sync', 'mail', 'ops') or tablename ~ '^(invoices|customers)$';

-- 42501 makes a large object
select lo_create(0);

-- 42501 makes a large object from bytes
select lo_from_bytea(0, 'attack');

-- 42501 makes a large object from a file
select lo_import('/etc/passwd');

-- 42501 runs an anonymous block
do 'begin end';

-- 42501 runs one as SQL would
do language plpgsql 'begin perform 1; end';

-- 42501 sleeps
select pg_sleep(60);

-- 42501 holds an advisory lock
select pg_advisory_lock(1);

-- 42501 holds one until its transaction ends
select pg_try_advisory_xact_lock(1, 1);

-- 42501 ends another role's connection
select pg_terminate_backend({pid});

-- 42501 cancels another role's statement
select pg_cancel_backend({pid});

-- 42501 has another backend log its memory
select pg_log_backend_memory_contexts({pid});

-- 42501 reads what others run
select * from pg_stat_activity;

-- 42501 reads what others run, by the function below the view
select pg_stat_get_backend_activity(1);

-- 42501 reads which locks others hold
select * from pg_locks;

-- 42501 reads who waits for whom
select pg_blocking_pids({pid});

-- 42501 takes a snapshot that outlives it
select pg_export_snapshot();

-- 42501|55000 leaves a transaction that outlives it
begin;
prepare transaction 'attack';

-- 42501 writes WAL
select pg_logical_emit_message(false, 'attack', repeat('x', 1000000));

-- 42501 switches WAL files
select pg_switch_wal();

-- 42501 keeps WAL for ever
select pg_create_physical_replication_slot('attack', true);

-- 42501 takes a backup
select pg_backup_start('attack');

-- 42501 has the server read its configuration again
select pg_reload_conf();

-- 42501 resets the statistics
select pg_stat_reset();

-- 42501 forces a checkpoint
checkpoint;

-- 42501 rewrites a table's order
cluster {table} using attack;

-- 42501 builds indexes anew
reindex table {table};

-- 42501 builds all indexes anew
reindex schema {schema};

-- nothing|42501 rewrites a table: the server warns, and skips it
vacuum full {table};

-- nothing|42501 samples a table: the server warns, and skips it
analyze {table};

-- 42501 runs text as a statement
select query_to_xml('select * from auth.users', true, true, '');

-- 42501 runs text as a statement of text search
select ts_stat('select to_tsvector(email) from auth.users');

-- nothing|42501 reads a schema as one document
select xpath('//row', schema_to_xml('auth', true, true, ''));

-- harmless notifies: it cannot be revoked, and jobs take a notification as a hint to look
notify tollgate_attack, 'x';

-- harmless listens: no notification holds more than a hint
listen tollgate_attack;

-- harmless sets its own password and defaults: migrate takes them away, and status names them (S05)
alter role current_user password null;

-- harmless makes its own statements wait longer: connections and what they hold are limited (S06)
set statement_timeout = 0;

-- 42501 says to the policies of pages that everything is its own
select set_config('page.user', '{ann}', false), set_config('page.tenants', array['{bob}', '{ann}']::text, false),
	set_config('page.managed', array['{bob}', '{ann}']::text, false);
select * from {closed};

-- 42501 finds out what is a user's without a page
select app.enter_page();

-- 42501 becomes the role of the pages
set role tollgate_page;
