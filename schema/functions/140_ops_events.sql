-- The operator's view of what came in, and doing it again. All times are UTC.

set role tollgate_service;

-- A moment, or a span counted from now: back for p_sign -1, ahead for 1.
create or replace function ops.time_of(p_text text, p_sign int) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	if p_text ~ '^[0-9]{1,6}[smhdw]$' then
		return now() + p_sign * p_text::interval;
	end if;
	return p_text::timestamptz;
exception when invalid_datetime_format or datetime_field_overflow or invalid_text_representation then
	raise exception 'this is no time' using errcode = 'TG422';
end
$$;

-- A filter is {"id", "state", "type", "object", "since", "until"}, all optional. A type with * at its end: all that begin so.
-- Events of an object stand in two indexes, those that are done and the rest: a query that says so finds it in both.
create or replace function ops.type_fits(p_type text, p_wanted text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_type = p_wanted or (p_wanted like '%*' and starts_with(p_type, rtrim(p_wanted, '*')));
end
$$;

-- The newest, at most p_limit, of those since p_since.
create or replace function ops.newest_events(p_filter jsonb, p_limit int, p_since timestamptz, p_until timestamptz)
	returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'type', l.type, 'state', l.state,
			'received_at', l.received_at, 'created', l.created, 'api_version', l.api_version, 'livemode', l.livemode,
			'attempts', l.attempts, 'kind', l.object_kind, 'object', l.object_id) order by l.received_at desc, l.id desc), '[]')
		from (
			select * from inbox.events e where e.received_at >= p_since and e.received_at < p_until
				and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
				and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
				and (p_filter ->> 'object' is null
					or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
				and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type'))
			order by e.received_at desc, e.id desc limit p_limit) l);
end
$$;

-- Looks back further and further until there are enough: the index on time is made for that.
create or replace function ops.list_events(p_filter jsonb, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
	back interval;
	found jsonb;
begin
	foreach back in array '{1 hour, 1 day, 30 days}'::interval[] loop
		found := ops.newest_events(p_filter, p_limit, greatest(since, least(until, now()) - back), until);
		if jsonb_array_length(found) = p_limit then
			return found;
		end if;
	end loop;
	return ops.newest_events(p_filter, p_limit, since, until);
end
$$;

-- The exact bytes in hex (they need not be text), all else as it is kept, and how its object stands; null for none.
create or replace function ops.show_event(p_id text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select to_jsonb(e) || jsonb_build_object('raw', encode(e.raw, 'hex'),
			'object', (select to_jsonb(o) - 'kind' - 'id' - 'claim' from sync.objects o
				where o.kind = e.object_kind and o.id = e.object_id))
		from inbox.events e where e.id = p_id);
end
$$;

-- What would be done again, oldest first: 5000 events after the one with this time and id. An event of ours that named no
-- object when it came carries its bytes: the table of types may know it by now.
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

create or replace function ops.count_events(p_filter jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
begin
	return (select jsonb_build_object('n', count(*)) from inbox.events e where e.received_at >= since and e.received_at < until
			and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
			and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
			and (p_filter ->> 'object' is null
				or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
			and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type')));
end
$$;

-- [{"id", "kind", "object"}]: the objects are due again, once each; an event that was dead, or was not understood when it
-- came, waits for its object. Objects before events, as whoever writes an object down locks them.
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

-- Objects that were given up, and the events that wait for them: 500 after the one with this kind and id.
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
