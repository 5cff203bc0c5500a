-- The objects to fetch from Stripe: marked as dirty, claimed, stored, or dead-lettered. One process at a time fetches
-- an object and stores it. The claim stays on the row until the next one, so that a write whose answer was lost can be
-- repeated; a write under a replaced claim is refused.

set role tollgate_service;

-- When a marked object is fetched. A waiting object keeps its place in the queue, or it might never reach the front; an
-- object that failed is due at once. Settling takes a minute at most: a later time comes from a clock that was wrong.
create or replace function sync.due_at(o sync.objects) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return greatest(
		case when o.version > o.clean_version and o.dead_at is null then least(o.next_at, now()) else now() end,
		case when o.quiet_until <= now() + interval '1 min' then o.quiet_until end);
end
$$;

-- The object may have changed: it is due now, or once it has settled, also after it was dead-lettered.
create or replace function sync.mark(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.objects as o (kind, id) values (p_kind, p_id)
	on conflict (kind, id) do update set version = o.version + 1, next_at = sync.due_at(o), dead_at = null,
		attempts = case when o.dead_at is null then o.attempts else 0 end;
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

-- p_settle_ms: until the object may be claimed again if it is marked meanwhile. Events come in bursts.
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
	elsif billing.waits_for_usage(claimed ->> 'kind', claimed ->> 'id') then
		update sync.objects o set claimed_until = null, next_at = now() + interval '30 s'
		where o.kind = claimed ->> 'kind' and o.id = claimed ->> 'id';
		return service.claim_object(p_lease_seconds, p_settle_ms);
	end if;
	return claimed;
end
$$;

-- Locks the object for a write, or refuses. It is the first lock of every write, before that of a tenant.
create or replace function sync.hold(p_claim uuid, p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from sync.objects o where o.kind = p_kind and o.id = p_id and o.claim = p_claim for update;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
end
$$;

-- The document fetched at p_version is stored; p_outcome is what that changed. Events are done when there is no newer
-- mark, with p_state. Events of an object that was ignored are done once it belongs to a tenant.
create or replace function sync.finish(p_kind text, p_id text, p_version bigint, p_state text, p_report jsonb,
	p_outcome jsonb default '{}') returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	clean boolean;
begin
	update sync.objects o set clean_version = greatest(o.clean_version, least(p_version, o.version)),
		claimed_until = null,
		attempts = 0, outages = 0, last_error = p_report ->> 'warning'
	where o.kind = p_kind and o.id = p_id returning o.clean_version = o.version into clean;
	update inbox.events e set state = case when clean then p_state else e.state end,
		done_at = case when clean then now() end, outcome = coalesce(e.outcome, '{}') || p_outcome
	where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done'
		and (clean and e.state <> p_state or p_outcome <> '{}');
	update ops.alerts a set cleared_at = now()
	where a.kind in ('parked', 'dead_object', case when not p_outcome ? 'gone' then 'gone' end)
		and a.subject = p_kind || ':' || p_id and a.cleared_at is null;
	if p_state = 'done' then
		delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	end if;
	return jsonb_build_object('clean', clean) || p_report;
end
$$;

-- The tenant of an object that must exist at Stripe as far as we know; null for any other object.
create or replace function sync.holder_of(p_kind text, p_id text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case p_kind
		when 'subscription' then (
			select s.tenant_id from billing.subscriptions s where s.id = p_id and billing.is_live(s.status))
		when 'customer' then (select c.tenant_id from billing.customers c where c.id = p_id and not c.deleted)
	end;
end
$$;

-- Stripe does not know the object, so there is nothing to store. An object that is live here keeps its state, because a
-- paying customer must not lose access by a wrong answer; an alert is raised.
create or replace function service.object_gone(p_claim uuid, p_kind text, p_id text, p_version bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	holder uuid;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	perform ops.end_alert(k, p_id) from unnest('{orphan,finalization_failed}'::text[]) k;
	perform sync.mark('subscription', p_id) where p_kind = 'cancellation';	-- it was over, which Stripe calls unknown
	holder := sync.holder_of(p_kind, p_id);
	perform ops.watch(holder is not null, holder, 'gone', p_kind || ':' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', case when holder is null then '{}'::jsonb
		else '{"warning": "Stripe does not know it"}' end, '{"gone": true}');
end
$$;

reset role;
