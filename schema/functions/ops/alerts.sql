-- What the operator must know: one open alert for each kind and subject, however often it is raised.

set role tollgate_service;

create or replace function ops.raise_alert(p_tenant uuid, p_kind text, p_subject text, p_detail jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into ops.alerts as a (tenant_id, kind, subject, detail)
	values (p_tenant, p_kind, p_subject, coalesce(p_detail, '{}'))
	on conflict (kind, subject) where cleared_at is null do update
		set detail = excluded.detail, tenant_id = coalesce(excluded.tenant_id, a.tenant_id)
		where a.detail <> excluded.detail or a.tenant_id is distinct from coalesce(excluded.tenant_id, a.tenant_id);
end
$$;

create or replace function ops.end_alert(p_kind text, p_subject text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update ops.alerts a set cleared_at = now()
	where a.kind = p_kind and a.subject = p_subject and a.cleared_at is null;
end
$$;

-- Raises the alert while p_wrong, else ends it: for conditions that every write checks.
create or replace function ops.watch(p_wrong boolean, p_tenant uuid, p_kind text, p_subject text, p_detail jsonb)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_wrong then
		perform ops.raise_alert(p_tenant, p_kind, p_subject, p_detail);
	else
		perform ops.end_alert(p_kind, p_subject);
	end if;
end
$$;

-- Open alerts, newest first.
create or replace function ops.list_alerts() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (select coalesce(jsonb_agg(to_jsonb(a) - 'cleared_at' order by a.raised_at desc, a.id desc), '[]')
		from ops.alerts a where a.cleared_at is null);
end
$$;

-- By hand, after the operator has handled it.
create or replace function ops.clear_alert(p_id bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update ops.alerts a set cleared_at = now() where a.id = p_id and a.cleared_at is null;
	return jsonb_build_object('cleared', found);
end
$$;

reset role;
