-- The operator's view of the inbox. All times are UTC. A filter is {"id", "state", "type", "object", "since", "until"},
-- all optional. Two indexes hold the events of an object, one for done events: a query that names both conditions uses
-- both.

set role tollgate_service;

-- A time, or a span counted from now: backwards for p_sign -1, forwards for 1.
create or replace function ops.time_of(p_text text, p_sign int) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	if p_text ~ '^[0-9]{1,6}[smhdw]$' then
		return now() + p_sign * p_text::interval;
	end if;
	return p_text::timestamptz;
exception when invalid_datetime_format or datetime_field_overflow or invalid_text_representation then
	raise exception 'not a time' using errcode = 'TG422';
end
$$;

-- A pattern that ends in * matches as a prefix.
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
			'attempts', l.attempts, 'kind', l.object_kind, 'object', l.object_id)
			order by l.received_at desc, l.id desc), '[]')
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

-- Looks back step by step until there are enough events: the index on time serves that.
create or replace function ops.list_events(p_filter jsonb, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
	back interval;
	found jsonb;
begin
	if since >= until then
		raise exception 'an empty range of time' using errcode = 'TG422';
	end if;
	foreach back in array '{1 hour, 1 day, 30 days}'::interval[] loop
		found := ops.newest_events(p_filter, p_limit, greatest(since, least(until, now()) - back), until);
		if jsonb_array_length(found) = p_limit then
			return found;
		end if;
	end loop;
	return ops.newest_events(p_filter, p_limit, since, until);
end
$$;

-- The exact bytes in hex (they may be no text), the stored columns, and the state of its object; null for no event.
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

create or replace function ops.count_events(p_filter jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
begin
	if since >= until then
		raise exception 'an empty range of time' using errcode = 'TG422';
	end if;
	return (
		select jsonb_build_object('n', count(*)) from inbox.events e
		where e.received_at >= since and e.received_at < until
			and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
			and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
			and (p_filter ->> 'object' is null
				or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
			and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type')));
end
$$;

reset role;
