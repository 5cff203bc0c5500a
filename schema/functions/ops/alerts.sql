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

create or replace function ops.detail_lines(p_detail jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('name', d.key, 'value', d.value #>> '{}') order by d.key), '[]')
		from jsonb_each(p_detail) d where d.value <> 'null');
end
$$;

-- Queues a mail for the operator about the open alerts that were not mailed yet, or so many hours ago: the first 50.
-- One mail a minute at most, so that what happens together is told together.
create or replace function service.mail_alerts(p_to text, p_language text, p_hours int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mail_key text := 'alerts:' || floor(extract(epoch from now()) / 60);
	due bigint[];
begin
	if exists (select from mail.outbox o where o.key = mail_key) then
		return null;
	end if;
	due := array(
		select a.id from ops.alerts a
		where a.cleared_at is null and coalesce(a.mailed_at < now() - make_interval(hours => p_hours), true)
		order by a.id limit 50 for update skip locked);
	insert into mail.outbox (key, recipient, template, language, data)
	select mail_key, p_to, 'alerts', p_language, jsonb_build_object('first', min(a.kind), 'many', count(*) > 1,
		'n', count(*), 'open', (select count(*) from ops.alerts o where o.cleared_at is null),
		'alerts', jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'subject', a.subject, 'tenant', a.tenant_id,
			'detail', ops.detail_lines(a.detail), 'date', api.date_document(a.raised_at)) order by a.id))
	from ops.alerts a where a.id = any (due) having count(*) > 0
	on conflict (key) do nothing;
	update ops.alerts a set mailed_at = now() where found and a.id = any (due);
	return null;
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
