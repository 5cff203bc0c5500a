-- Webhooks only write down: the event's bytes and a mark on the object it names, in one transaction.

set role tollgate_service;

-- Something about this object may have changed: it is due now, also when it was given up before.
create or replace function sync.mark(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.objects as o (kind, id) values (p_kind, p_id)
	on conflict (kind, id) do update set version = o.version + 1, next_at = now(), dead_at = null,
		attempts = case when o.dead_at is null then o.attempts else 0 end;
end
$$;

create or replace function service.receive_event(p_id text, p_type text, p_api_version text, p_created bigint,
	p_livemode boolean, p_raw bytea, p_signature text, p_key_index int, p_kind text, p_object text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	known boolean := p_kind is not null and p_object is not null;
begin
	insert into inbox.events (id, type, api_version, created, livemode, raw, signature_header, key_index, state,
		object_kind, object_id)
	values (p_id, p_type, p_api_version,
		case when p_created between 0 and 253402300799 then to_timestamp(p_created) end,	-- up to year 9999
		p_livemode, p_raw, p_signature, p_key_index, case when known then 'received' else 'ignored' end,
		p_kind, p_object)
	on conflict (id) do nothing;
	if not found then
		return jsonb_build_object('duplicate', true);
	end if;
	if known then
		perform sync.mark(p_kind, p_object);
	end if;
	return jsonb_build_object('duplicate', false);
end
$$;

-- Several in one statement and one commit: [{"id", ..., "at", "size"}...], at and size saying where in the blob its bytes
-- are. Answers the ids that are new. Rows are locked in the order of their keys, so that two batches do not deadlock.
create or replace function service.receive_events(p_about jsonb, p_blob bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	fresh text[];
	kinds text[];
	objects text[];
begin
	with kept as (
		insert into inbox.events as e (id, type, api_version, created, livemode, raw, signature_header, key_index, state,
			object_kind, object_id)
		select a.id, a.type, a.api_version,
			case when a.created between 0 and 253402300799 then to_timestamp(a.created) end,
			a.livemode, substring(p_blob from a.at for a.size), a.signature, a.key_index,
			case when a.kind is not null and a.object is not null then 'received' else 'ignored' end, a.kind, a.object
		from jsonb_to_recordset(p_about) as a(id text, type text, api_version text, created bigint, livemode boolean,
			signature text, key_index int, kind text, object text, at int, size int)
		order by a.id
		on conflict (id) do nothing
		returning e.id, e.state, e.object_kind, e.object_id)
	select coalesce(array_agg(k.id), '{}'), array_agg(k.object_kind) filter (where k.state = 'received'),
		array_agg(k.object_id) filter (where k.state = 'received')
	into fresh, kinds, objects from kept k;
	perform sync.mark(d.kind, d.id) from (select distinct u.kind, u.id from unnest(kinds, objects) u(kind, id) order by 1, 2) d;
	return to_jsonb(fresh);
end
$$;

reset role;
