-- What Stripe finds wrong with meter events after it has taken them.

set role tollgate_service;

-- The identifier of a record's event at Stripe: its id, and how often that was used up.
create or replace function usage.identifier(p_id uuid, p_round int) returns text
language sql immutable as $$
	select p_id || case when p_round > 0 then '-' || p_round else '' end
$$;

-- The record that an identifier names, or nothing. An earlier round of it names it too. It is one row at most, or
-- PostgreSQL would read all records to join them.
create or replace function usage.identified(p_identifier text) returns table (id uuid, is_present boolean) rows 1
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_identifier ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[0-9]{1,9})?$' then
		return query
		select o.id, usage.identifier(o.id, o.round) = p_identifier from usage.outbox o
		where o.id = left(p_identifier, 36)::uuid;
	end if;
end
$$;

-- Parks the records of sample errors, [{"error_message", "request": {"identifier"}}...], each with its sentence; told
-- again, they need another identifier. What was told again meanwhile stays. Returns their meter, and how many are ours.
create or replace function usage.park_samples(p_samples jsonb, out meter text, out known int)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s record;
begin
	known := 0;
	for s in
		select i.id, i.is_present, o.meter, o.state, e ->> 'error_message' as sentence
		from jsonb_array_elements(case jsonb_typeof(p_samples) when 'array' then p_samples else '[]' end) e
			cross join lateral usage.identified(e #>> '{request,identifier}') i join usage.outbox o on o.id = i.id
		order by o.id for no key update of o
	loop
		meter := s.meter;
		known := known + 1;
		if s.is_present and s.state not in ('parked', 'dropped') then
			update usage.outbox o set round = o.round + 1, attempts = 0, tried_at = null where o.id = s.id;
			perform usage.park(s.id, left(s.sentence, 500));
		end if;
	end loop;
end
$$;

-- An error report: one alert for each meter and code, with how many events were wrong, and of how many of these samples
-- the records are ours. What no sample names is found by the comparison of the day. Counts of later reports are added.
create or replace function service.write_meter_report(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	e record;
	parked record;
	name text;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	for e in
		select coalesce(t ->> 'code', 'unknown') as code, t -> 'sample_errors' as samples,
			case jsonb_typeof(t -> 'error_count') when 'number' then (t -> 'error_count')::numeric else 1 end as n
		from jsonb_path_query(p_doc, 'lax $.data.reason.error_types[*]') t
		where p_doc ->> 'type' like 'v1.billing.meter.%'
	loop
		select p.* into parked from usage.park_samples(e.samples) p;
		name := coalesce(parked.meter, p_doc #>> '{related_object,id}', 'unknown');
		perform ops.raise_alert(null, 'meter_errors', name || ':' || e.code, jsonb_build_object('meter', name,
			'code', e.code, 'report', p_id, 'known', parked.known,
			'error', left(e.samples #>> '{0,error_message}', 500),
			'count', e.n + coalesce((
				select (a.detail -> 'count')::numeric - case when a.detail ->> 'report' = p_id then e.n else 0 end
				from ops.alerts a where a.kind = 'meter_errors' and a.subject = name || ':' || e.code
					and a.cleared_at is null), 0)));
	end loop;
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
