-- What the tables of a schema permit, as one digest: policies, grants, and whether row-level security is forced.

set role tollgate_owner;

create or replace function meta.rights_of(p_schema text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select encode(sha256(convert_to(coalesce(string_agg(v.fact, e'\n' order by v.fact), ''), 'UTF8')), 'hex')
		from (
			select to_jsonb(p)::text from pg_policies p where p.schemaname = p_schema
			union all
			select concat_ws(' ', c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relacl)
				from pg_class c where c.relnamespace = p_schema::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
			union all
			select concat_ws(' ', a.attrelid::regclass, a.attname, a.attacl)
				from pg_attribute a join pg_class c on c.oid = a.attrelid
				where c.relnamespace = p_schema::regnamespace and a.attacl is not null) v (fact));
end
$$;

reset role;
