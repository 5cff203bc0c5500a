-- What waits, what is stuck, what the operator should look at. It reads indexes of open rows: the cost does not grow
-- with the number of events. All times are UTC.

set role tollgate_service;

create or replace function ops.seconds_since(p_at timestamptz) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return extract(epoch from now() - p_at)::bigint;
end
$$;

create or replace function ops.open_alerts() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select jsonb_build_object('open', coalesce(sum(k.open), 0),
			'kinds', coalesce(jsonb_agg(to_jsonb(k) order by k.kind), '[]'))
		from (
			select a.kind, count(*) as open, min(a.raised_at) as since,
				(array_agg(a.subject order by a.raised_at desc, a.id desc))[:5] as newest
			from ops.alerts a where a.cleared_at is null group by a.kind) k);
end
$$;

-- Events of unknown types are acknowledged and ignored: which, how many, when the last. Events of another mode or
-- account have an outcome that says so.
create or replace function ops.unknown_types() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(t) order by t.events desc, t.type), '[]')
		from (
			select e.type, count(*) as events, max(e.received_at) as last from inbox.events e
			where e.state = 'ignored' and e.object_kind is null and e.outcome is null group by e.type) t);
end
$$;

create or replace function ops.queue_status() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('dirty', count(*), 'retrying', count(*) filter (where o.attempts + o.outages > 0),
			'overdue_seconds', ops.seconds_since(min(o.next_at) filter (where o.next_at <= now())))
		from sync.objects o where o.version > o.clean_version and o.dead_at is null)
	|| jsonb_build_object(
		'orphans', (select count(*) from sync.orphans),
		'dead_objects', (select count(*) from sync.objects o where o.dead_at is not null),
		'events', jsonb_build_object(
			'received', (select count(*) from inbox.events e where e.state = 'received'),
			'dead', (select count(*) from inbox.events e where e.state = 'dead')),
		'oldest_received_seconds', (
			select ops.seconds_since(min(e.received_at)) from inbox.events e where e.state = 'received'),
		'mail', jsonb_build_object(
			'pending', (select count(*) from mail.outbox o where o.state = 'pending'),
			'dead', (select count(*) from mail.outbox o where o.state = 'dead')),
		'oldest_mail_seconds', (
			select ops.seconds_since(min(o.created_at)) from mail.outbox o where o.state = 'pending'));
end
$$;

create or replace function ops.status() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return ops.queue_status() || jsonb_build_object(
		'alerts', ops.open_alerts(), 'unknown_types', ops.unknown_types(),
		'last_gap_look', (select c.finished_at from sync.cursors c where c.name = 'events'),
		'last_comparison', (select c.finished_at from sync.cursors c where c.name = 'subscriptions'),
		'lists_under_way', array(
			select c.name from sync.cursors c where c.started_at is not null
				and (c.finished_at is null or c.finished_at < c.started_at) order by c.name),
		'tenants', (select '{"draft": 0, "active": 0}' || coalesce(jsonb_object_agg(c.status, c.n), '{}')
			from (select t.status, count(*) n from app.tenants t group by t.status) c),
		'subscriptions', (select coalesce(jsonb_object_agg(c.status, c.n), '{}')
			from (select s.status || case when not billing.collects_at(s, now()) and billing.is_live(s.status)
				then ', collection paused' else '' end as status, count(*) n
				from billing.subscriptions s group by 1) c),
		'role_faults', ops.role_faults(), 'migrations', (select max(m.name) from meta.migrations m));
end
$$;

reset role;
