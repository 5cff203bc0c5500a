-- The inbox: a webhook stores the event's bytes and marks the object it names, in one transaction.

set role tollgate_service;

-- Events that arrived together, in one statement and one commit: [{"id", ..., "at", "size"}...], where at and size
-- locate an event's bytes in the blob. Answers the ids that are new. Events of another mode or Stripe account are
-- ignored, with an alert. Rows are locked in the order of their keys, so that concurrent calls do not deadlock.
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
			livemode boolean, signature text, key text, headers jsonb, kind text, object text, unpinned boolean,
			thin boolean, at int, size int)
	), kept as (
		insert into inbox.events as e (id, type, api_version, account, created, livemode, raw, signature_header, key_id,
			headers, state, object_kind, object_id, outcome)
		select a.id, a.type, a.api_version, a.account,
			case when a.created between 0 and 253402300799 then to_timestamp(a.created) end,	-- to the year 9999
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
		(select min(t.api_version) from told t where t.unpinned) as version,
		(select 'webhooks' from told t where t.thin limit 1) as thin
	into news from kept k;
	if coalesce(news.why, news.version, news.thin) is not null then
		-- an open alert is not written again, so that concurrent calls do not wait for its lock
		perform ops.raise_alert(null, w.kind, w.subject, null)
		from (values ('foreign_event', news.why), ('api_version', news.version),
			('thin_event', news.thin)) w (kind, subject)
		where w.subject is not null and not exists (select from ops.alerts a
			where a.kind = w.kind and a.subject = w.subject and a.cleared_at is null);
	end if;
	return news.ids;
end
$$;

-- Deliveries of Stripe's keep failing their signature: because of a clock, a secret, or a body that was changed on its
-- way. NULL: they verify again. An open alert is not written again.
create or replace function service.report_signature(p_cause text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_cause is null then
		perform ops.end_alert('webhook_signature', w.cause) from (values ('clock'), ('secret'), ('body')) w (cause);
	elsif p_cause in ('clock', 'secret', 'body') and not exists (select from ops.alerts a
			where a.kind = 'webhook_signature' and a.subject = p_cause and a.cleared_at is null) then
		perform ops.raise_alert(null, 'webhook_signature', p_cause, jsonb_build_object('look_at', case p_cause
			when 'clock' then 'the clock of the machine that runs webhooks'
			when 'secret' then 'stripe.webhook_secret_files against the secret of the endpoint at Stripe'
			else 'the proxy in front of webhooks: it changes or cuts the body' end));
	end if;
	return null;
end
$$;

-- Deletes handled events after the configured number of days, but never while Stripe still lists them, or they would
-- come in again. At most a thousand, without waiting for locked rows. Dead-lettered events stay until the operator
-- handles them.
create or replace function inbox.drop_events(p_keep_days int) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	dropped bigint;
begin
	delete from inbox.events d where d.id = any (array(
		select e.id from inbox.events e
		where e.received_at < now() - make_interval(days => greatest(p_keep_days, 31))
			and e.state in ('done', 'ignored')
		limit 1000 for update skip locked));
	get diagnostics dropped = row_count;
	return dropped;
end
$$;

-- Forgets what handled events say of these tenants' objects: their bytes, and the customer's address in what they
-- changed. Their ids stay, so that they do not come in again. One that another process is at waits for the next pass.
create or replace function inbox.forget_bodies(p_tenants uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	objects text[] := billing.objects_of(p_tenants);
begin
	update inbox.events e set raw = '', outcome = e.outcome - 'email'
	where e.id = any (array(
		select o.id from inbox.events o
		where (o.raw <> '' or o.outcome ? 'email') and (		-- as the indexes have it
			o.object_id = any (objects) and o.state = 'done'
			or o.object_id = any (objects) and o.state <> 'done' and o.object_id is not null and o.state <> 'received')
		for update skip locked));
end
$$;

-- The same for events that nothing understands, which name an object only somewhere in their bytes. There are few.
create or replace function inbox.forget_ignored(p_tenants uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	objects text[] := billing.objects_of(p_tenants);
begin
	update inbox.events e set raw = ''
	where e.id = any (array(
		select i.id from inbox.events i
		where i.state = 'ignored' and i.object_kind is null and exists (
			select from unnest(objects) o where position(convert_to(o, 'UTF8') in i.raw) > 0)
		for update skip locked));
end
$$;

reset role;
