-- Webhooks only write down: the event's bytes and a mark on the object it names, in one transaction.

set role tollgate_service;

-- When an object that is marked is looked at. One that waits keeps its place in the queue, or it might never get to the
-- front; one that failed is tried at once. Settling takes a minute at most: a later time is of a clock that was wrong.
create or replace function sync.due_at(o sync.objects) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return greatest(case when o.version > o.clean_version and o.dead_at is null then least(o.next_at, now()) else now() end,
		case when o.quiet_until <= now() + interval '1 min' then o.quiet_until end);
end
$$;

-- Something about this object may have changed: it is due now, or as soon as it may be looked at again, also when it was
-- given up before.
create or replace function sync.mark(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.objects as o (kind, id) values (p_kind, p_id)
	on conflict (kind, id) do update set version = o.version + 1, next_at = sync.due_at(o), dead_at = null,
		attempts = case when o.dead_at is null then o.attempts else 0 end;
end
$$;

-- Events that came in together, in one statement and one commit: [{"id", ..., "at", "size"}...], at and size saying where
-- in the blob its bytes are. Answers the ids that are new. What another mode or account of Stripe's tells is ignored, and
-- the operator told. Rows are locked in the order of their keys, so that two such calls do not deadlock.
create or replace function service.receive_events(p_about jsonb, p_blob bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	news record;
	stamp meta.stamp;
begin
	select t.* into stamp from meta.stamp t;
	with told as (
		select a.*, case when a.livemode <> (stamp.environment = 'production') then 'livemode'
			when a.account <> coalesce(stamp.account, '') then 'account' end as why
		from jsonb_to_recordset(p_about) as a(id text, type text, api_version text, account text, created bigint,
			livemode boolean, signature text, key text, headers jsonb, kind text, object text, unpinned boolean, at int, size int)
	), kept as (
		insert into inbox.events as e (id, type, api_version, account, created, livemode, raw, signature_header, key_id,
			headers, state, object_kind, object_id, outcome)
		select a.id, a.type, a.api_version, a.account,
			case when a.created between 0 and 253402300799 then to_timestamp(a.created) end,	-- up to year 9999
			a.livemode, substring(p_blob from a.at for a.size), a.signature, a.key, a.headers,
			case when a.kind is not null and a.object is not null and a.why is null then 'received' else 'ignored' end,
			case when a.why is null then a.kind end, case when a.why is null then a.object end,
			case when a.why is not null then jsonb_build_object('foreign', a.why) end
		from told a
		order by a.id
		on conflict (id) do nothing
		returning e.id, e.state, e.object_kind, e.object_id, e.outcome ->> 'foreign' as why
	), marked as (
		insert into sync.objects as o (kind, id)
		select distinct k.object_kind, k.object_id from kept k where k.state = 'received' order by 1, 2
		on conflict (kind, id) do update set version = o.version + 1, next_at = sync.due_at(o), dead_at = null,
			attempts = case when o.dead_at is null then o.attempts else 0 end
	)
	select coalesce(jsonb_agg(k.id), '[]') as ids, min(k.why) as why,
		(select min(t.api_version) from told t where t.unpinned) as version
	into news from kept k;
	if coalesce(news.why, news.version) is not null then
		-- once it is told, those that store such events side by side do not wait for each other's lock on it
		perform billing.raise_alert(null, w.kind, w.subject, null)
		from (values ('foreign_event', news.why), ('api_version', news.version)) w (kind, subject)
		where w.subject is not null and not exists (select from billing.alerts a
			where a.kind = w.kind and a.subject = w.subject and a.cleared_at is null);
	end if;
	return news.ids;
end
$$;

-- One alone: {"duplicate": whether it was known}.
drop function if exists service.receive_event(text, text, text, bigint, boolean, bytea, text, int, text, text);
create or replace function service.receive_event(p_id text, p_type text, p_api_version text, p_created bigint,
	p_livemode boolean, p_raw bytea, p_signature text, p_key text, p_kind text, p_object text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('duplicate', '[]' = service.receive_events(jsonb_build_array(jsonb_build_object('id', p_id,
		'type', p_type, 'api_version', p_api_version, 'created', p_created, 'livemode', p_livemode, 'signature', p_signature,
		'key', p_key, 'kind', p_kind, 'object', p_object, 'at', 1, 'size', octet_length(p_raw))), p_raw));
end
$$;

reset role;
