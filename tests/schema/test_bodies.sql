-- migrate loads functions without checking their bodies, so that the order of files does not matter. Each is checked
-- here.
begin;
select no_plan();

-- the faults when every function is loaded again with checking on
create function pg_temp.faults() returns setof text language plpgsql as $$
declare
	f record;
begin
	set local check_function_bodies = on;
	for f in select name, pg_get_functiondef(oid) as definition from tap.our_function loop
		begin
			execute f.definition;
		exception when others then
			return next f.name || ': ' || sqlerrm;
		end;
	end loop;
end
$$;

-- the names with a schema in bodies, and those that exist neither as a function nor as a table
create view pg_temp.called as
	select distinct f.name as caller, m.parts[1] as schema, m.parts[2] as object, m.parts[3] = '(' as is_call
	from tap.our_function f cross join lateral regexp_replace(f.prosrc, '--[^\n]*|''(''''|[^''])*''', '''''', 'g') r (
		code)
		cross join lateral regexp_matches(r.code, '(?<![\w.])([a-z]+)\.([a-z_0-9]+)\s*(\(?)', 'g') m (parts)
	where m.parts[1] in (select s.name from tap.our_schema s union select 'meta');
create view pg_temp.missing as
	select c.caller || ' names ' || c.schema || '.' || c.object as fault from pg_temp.called c
	where not exists (select from pg_proc p where p.pronamespace = to_regnamespace(c.schema) and p.proname = c.object)
		and not exists (select from pg_class t
			where t.relnamespace = to_regnamespace(c.schema) and t.relname = c.object);

select is_empty('select pg_temp.faults()', 'every function''s body is valid');
select is_empty('select fault from pg_temp.missing', 'every function or table that a body names exists');
select cmp_ok(count(*), '>', 400::bigint, 'of several hundred names') from pg_temp.called;

-- both find planted faults
set local check_function_bodies = off;
create function service.broken() returns void language plpgsql set search_path = pg_catalog, pg_temp
	as 'begin return; nd';
create function service.lost() returns void language plpgsql set search_path = pg_catalog, pg_temp as
	'begin perform billing.no_such_function(); end';
select is((select count(*) from pg_temp.faults() f where f like 'service.broken: %'), 1::bigint,
	'a body that does not parse is found');
select set_eq('select fault from pg_temp.missing', array['service.lost names billing.no_such_function'],
	'and so is a call of a function that does not exist');

select * from finish();
rollback;
