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

reset role;
