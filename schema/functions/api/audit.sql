-- The audit log of a tenant, for its owners.

set role tollgate_owner;

-- The newest 50 rows before this number (null: of all), of the tenant that the user's pages show, and of what was done
-- with the own user. TG403: the user is no owner of it. Row-level security shows other owners' tenants too, so the
-- tenant is named here. Which of the site's operators did something is not told.
create or replace function api.audit_page(p_tenant uuid default null, p_before bigint default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
	people jsonb;
	rows jsonb;
begin
	if mine.tenant_id is null or mine.tenant_id <> all (app.tenants_for('audit')) then
		raise exception 'not with this role' using errcode = 'TG403';
	end if;
	people := app.people(mine.tenant_id);
	rows := (
		select coalesce(jsonb_agg(jsonb_build_object('n', e.n, 'at', api.date_document(e.at),
			'clock', to_char(e.at at time zone 'UTC', 'HH24:MI:SS "UTC"'), 'kind', e.kind,
			'label', 'audit_' || e.kind, 'user', e.user_id, 'subject', e.subject_id, 'detail', e.detail,
			'by', people -> e.user_id::text -> 'name', 'gone', e.user_id is not null and not people ? e.user_id::text,
			'whom', case when e.subject_id is distinct from e.user_id
				then people -> e.subject_id::text -> 'name' end,
			'invited', (select i.email from app.invitations i where i.id = (e.detail ->> 'invitation')::uuid),
			'was', 'called_' || (e.detail ->> 'was'), 'role', 'called_' || (e.detail ->> 'role'))
			order by e.n desc), '[]')
		from (
			select a.n, a.at, a.kind, case when not k.by_operator then a.user_id end as user_id, a.subject_id, a.detail
			from audit.entries a join audit.kinds k on k.kind = a.kind
			where (a.tenant_id = mine.tenant_id or a.tenant_id is null and a.subject_id = me)
				and a.n < coalesce(p_before, 9223372036854775807)
			order by a.n desc limit 50) e);
	return jsonb_build_object('tenant', mine.tenant_id,
		'name', (select t.name from app.tenants t where t.id = mine.tenant_id), 'entries', rows,
		'before', case when jsonb_array_length(rows) = 50 then rows #> '{-1,n}' end);
end
$$;

reset role;
