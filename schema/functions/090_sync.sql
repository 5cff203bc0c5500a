-- Claims on dirty objects: one process at a time fetches an object and writes it down. The claim stays on the row until
-- the next one, so a write whose answer was lost can be repeated; a claim that another has replaced is refused.

set role tollgate_service;

-- One more try that came to nothing, for the events that wait for this object.
create or replace function sync.count_attempt(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update inbox.events e set attempts = e.attempts + 1
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
end
$$;

-- A lease that ran out counts as a try: its holder may have died of this very object.
create or replace function sync.lose_lease(p_kind text, p_id text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dead boolean;
begin
	perform sync.count_attempt(p_kind, p_id);
	update sync.objects o set claimed_until = null, last_error = 'lost with its lease', dead_at = now()
	where o.kind = p_kind and o.id = p_id and o.attempts >= 12 returning true into dead;
	if dead then
		perform sync.bury(p_kind, p_id, 'dead_object', 'lost with its lease');
	end if;
	return coalesce(dead, false);
end
$$;

-- The newest event that waits for an object, for the log.
create or replace function sync.newest_event(p_kind text, p_id text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select e.id from inbox.events e where e.object_id = p_id and e.object_kind = p_kind and e.state = 'received'
		order by e.received_at desc, e.id limit 1);
end
$$;

-- p_settle_ms: until it may be claimed again, if it is marked meanwhile. Events come in bursts.
drop function if exists service.claim_object(int);
create or replace function service.claim_object(p_lease_seconds int, p_settle_ms int default 0) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	claimed jsonb;
	lost boolean;
begin
	with due as (
		select d.kind, d.id, d.claimed_until is not null as lost from sync.objects d
		where d.version > d.clean_version and d.dead_at is null and d.next_at <= now()
			and (d.claimed_until is null or d.claimed_until < now())
		order by d.next_at limit 1 for update skip locked)
	update sync.objects o set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease_seconds),
		quiet_until = now() + make_interval(secs => p_settle_ms / 1000.0), attempts = o.attempts + due.lost::int
	from due where o.kind = due.kind and o.id = due.id
	returning jsonb_build_object('kind', o.kind, 'id', o.id, 'version', o.version, 'attempts', o.attempts,
		'claim', o.claim, 'newest_event', sync.newest_event(o.kind, o.id)), due.lost into claimed, lost;
	if lost and sync.lose_lease(claimed ->> 'kind', claimed ->> 'id') then
		return service.claim_object(p_lease_seconds, p_settle_ms);
	end if;
	return claimed;
end
$$;

-- Locks the object for a write, or refuses. Always the first lock of a write, before that of any tenant.
create or replace function sync.hold(p_claim uuid, p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from sync.objects o where o.kind = p_kind and o.id = p_id and o.claim = p_claim for update;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
end
$$;

-- What was fetched at p_version is written down, and p_outcome is what that changed. Events are through when no newer
-- mark is left; p_state says how. Those of an object that was ignored are done once it turns out to be somebody's.
drop function if exists sync.finish(text, text, bigint, text, jsonb);
create or replace function sync.finish(p_kind text, p_id text, p_version bigint, p_state text, p_report jsonb,
	p_outcome jsonb default '{}') returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	clean boolean;
begin
	update sync.objects o set clean_version = greatest(o.clean_version, least(p_version, o.version)), claimed_until = null,
		attempts = 0, outages = 0, last_error = p_report ->> 'warning'
	where o.kind = p_kind and o.id = p_id returning o.clean_version = o.version into clean;
	update inbox.events e set state = case when clean then p_state else e.state end, done_at = case when clean then now() end,
		outcome = coalesce(e.outcome, '{}') || p_outcome
	where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done' and (clean and e.state <> p_state or p_outcome <> '{}');
	update billing.alerts a set cleared_at = now()
	where a.kind in ('parked', 'dead_object', case when not p_outcome ? 'gone' then 'gone' end)
		and a.subject = p_kind || ':' || p_id and a.cleared_at is null;
	if p_state = 'done' then
		delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	end if;
	return jsonb_build_object('clean', clean) || p_report;
end
$$;

-- Given up: for the events and the operator.
create or replace function sync.bury(p_kind text, p_id text, p_alert text, p_error text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update inbox.events e set state = 'dead'
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
	perform billing.raise_alert(null, p_alert, p_kind || ':' || p_id, jsonb_build_object('error', p_error));
end
$$;

-- A document that must not be written down: no other try helps, unless a newer mark says that it changed meanwhile.
create or replace function sync.park(p_kind text, p_id text, p_version bigint, p_fault text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dead boolean;
begin
	update sync.objects o set claimed_until = null, last_error = p_fault, dead_at = case when o.version <= p_version then now() end
	where o.kind = p_kind and o.id = p_id returning o.dead_at is not null into dead;
	perform sync.count_attempt(p_kind, p_id);
	if dead then
		perform sync.bury(p_kind, p_id, 'parked', p_fault);
	end if;
	return jsonb_build_object('clean', false, 'dead', dead, 'warning', p_fault);
end
$$;

-- Before it is decided whose an object is: while its customer is nobody's, binding that customer waits for the decision.
create or replace function sync.lock_customer(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_customer is not null and not exists (select from billing.customers c where c.id = p_customer) then
		insert into sync.objects (kind, id, version) values ('customer', p_customer, 0) on conflict (kind, id) do nothing;
		perform from sync.objects o where o.kind = 'customer' and o.id = p_customer for update;
	end if;
end
$$;

-- Nobody's for now: until its customer is bound, or a subscription says whose its customer is.
create or replace function sync.put_aside(p_kind text, p_id text, p_version bigint, p_customer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.orphans (kind, id, customer_id) values (p_kind, p_id, p_customer)
	on conflict (kind, id) do update set customer_id = excluded.customer_id;
	return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
end
$$;

-- What was nobody's because its customer was is looked at again.
create or replace function sync.adopt(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark(o.kind, o.id) from (
		select o.kind, o.id from sync.orphans o where o.customer_id = p_customer order by o.kind, o.id) o;
end
$$;

-- Whose an object is that must be there at Stripe, as far as we know; null for any other.
create or replace function sync.holder_of(p_kind text, p_id text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case p_kind
		when 'subscription' then (select s.tenant_id from billing.subscriptions s where s.id = p_id and billing.is_live(s.status))
		when 'customer' then (select c.tenant_id from billing.customers c where c.id = p_id and not c.deleted)
	end;
end
$$;

-- Stripe does not know the object (any more): there is nothing to write. Of one that we hold as live that is hardly true, and
-- nobody who has paid is locked out for it: the operator must look.
create or replace function service.object_gone(p_claim uuid, p_kind text, p_id text, p_version bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	holder uuid;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	perform billing.clear_alert(k, p_id) from unnest('{orphan,finalization_failed}'::text[]) k;
	holder := sync.holder_of(p_kind, p_id);
	perform billing.watch(holder is not null, holder, 'gone', p_kind || ':' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', case when holder is null then '{}'::jsonb
		else '{"warning": "Stripe does not know it"}' end, '{"gone": true}');
end
$$;

-- Again later: 1 s doubled each time up to 10 min, somewhere in its second half. Given up after 12 errors of its own, or at
-- once when the error is permanent; an outage, however long, is not the object's, and neither is a key that Stripe refuses.
drop function if exists service.fail_object(uuid, text, text, text);
create or replace function service.fail_object(p_claim uuid, p_kind text, p_id text, p_error text,
	p_permanent boolean default false) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	outage boolean := p_error in ('unavailable', 'uncertain', 'key_refused');
	dead boolean;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	update sync.objects o set attempts = o.attempts + (not outage)::int, outages = o.outages + outage::int,
		claimed_until = null, last_error = left(p_error, 500), next_at = now() + (0.5 + random() / 2)
			* least(interval '1 s' * 2 ^ least(o.attempts + o.outages, 10), interval '10 min'),
		dead_at = case when p_permanent or not outage and o.attempts + 1 >= 12 then now() end
	where o.kind = p_kind and o.id = p_id and o.claimed_until is not null returning o.dead_at is not null into dead;
	perform sync.count_attempt(p_kind, p_id) where dead is not null and not outage;
	if dead then
		perform sync.bury(p_kind, p_id, 'dead_object', p_error);
	end if;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;

-- What Stripe refuses our key, [] for nothing. Once it is over, what it has kept waiting is due.
create or replace function service.watch_key(p_refused jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.watch(p_refused <> '[]', null, 'stripe_key', 'jobs', jsonb_build_object('refused', p_refused));
	update sync.objects o set next_at = now()
	where p_refused = '[]' and (o.kind, o.id) in (
		select w.kind, w.id from sync.objects w
		where w.version > w.clean_version and w.dead_at is null and w.next_at > now()
			and w.last_error in ('key_refused', 'unavailable')
		for update skip locked);
	return null;
end
$$;

reset role;
