-- Handling events again, and what was dead-lettered. All times are UTC.

set role tollgate_service;

-- The events to replay, oldest first: 5000 after the event with this time and id. An event that named no known object
-- comes with its bytes, because its type may be known by now.
create or replace function ops.list_replay(p_filter jsonb, p_after jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	since timestamptz := greatest(ops.time_of(p_filter ->> 'since', -1), (p_after ->> 'at')::timestamptz, '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
	found jsonb;
begin
	select jsonb_agg(jsonb_build_object('id', l.id, 'type', l.type, 'state', l.state, 'at', l.received_at,
		'kind', l.object_kind, 'object', l.object_id,
		'raw', case when l.object_kind is null and l.outcome ->> 'foreign' is null then encode(l.raw, 'hex') end)
			order by l.received_at, l.id)
	into found from (
		select * from inbox.events e where e.received_at >= since and e.received_at < until
			and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
			and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
			and (p_filter ->> 'object' is null
				or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
			and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type'))
			and (p_after is null or (e.received_at, e.id) > ((p_after ->> 'at')::timestamptz, p_after ->> 'id'))
		order by e.received_at, e.id limit 5000) l;
	return coalesce(found, '[]');
end
$$;

-- [{"id", "kind", "object"}]: the objects are due again, once each. A dead event, or one whose type was unknown, waits
-- for its object. Objects are locked before events, as everywhere.
create or replace function ops.replay_events(p_events jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	objects bigint;
begin
	perform sync.mark(m.kind, m.object) from (
		select distinct n ->> 'kind' as kind, n ->> 'object' as object from jsonb_array_elements(p_events) n
		where n ->> 'kind' is not null order by 1, 2) m;
	get diagnostics objects = row_count;
	update inbox.events e set state = 'received', object_kind = n ->> 'kind', object_id = n ->> 'object', done_at = null
	from jsonb_array_elements(p_events) n
	where e.id = n ->> 'id' and n ->> 'kind' is not null
		and (e.state = 'dead' or (e.state = 'ignored' and e.object_kind is null));
	return jsonb_build_object('objects', objects);
end
$$;

-- Dead-lettered objects and the events that wait for them: 500 after the object with this kind and id.
create or replace function ops.list_dead(p_after jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	objects jsonb;
begin
	select jsonb_agg(jsonb_build_object('kind', o.kind, 'object', o.id, 'dead_at', o.dead_at, 'attempts', o.attempts,
		'last_error', o.last_error, 'events', coalesce(e.ids, '[]')) order by o.kind, o.id)
	into objects from (
		select * from sync.objects d where d.dead_at is not null
			and (p_after is null or (d.kind, d.id) > (p_after ->> 'kind', p_after ->> 'object'))
		order by d.kind, d.id limit 500) o
	left join lateral (
		select jsonb_agg(d.id order by d.received_at, d.id) as ids from inbox.events d
		where d.state = 'dead' and d.object_kind = o.kind and d.object_id = o.id) e on true;
	return coalesce(objects, '[]');
end
$$;

reset role;
