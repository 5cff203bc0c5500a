-- Objects whose fetch or write failed: tried again, rejected, or dead-lettered.

set role tollgate_service;

-- Counts one failed try on the events that wait for this object.
create or replace function sync.count_attempt(p_kind text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update inbox.events e set attempts = e.attempts + 1
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
end
$$;

-- An expired lease counts as a try: its process may have died because of this object.
create or replace function sync.lose_lease(p_kind text, p_id text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dead boolean;
begin
	perform sync.count_attempt(p_kind, p_id);
	update sync.objects o set claimed_until = null, last_error = 'the lease expired', dead_at = now()
	where o.kind = p_kind and o.id = p_id and o.attempts >= 12 returning true into dead;
	if dead then
		perform sync.dead_letter(p_kind, p_id, 'dead_object', 'the lease expired');
	end if;
	return coalesce(dead, false);
end
$$;

-- Gives up on an object: marks its events as dead and raises an alert.
create or replace function sync.dead_letter(p_kind text, p_id text, p_alert text, p_error text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update inbox.events e set state = 'dead'
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
	perform ops.raise_alert(null, p_alert, p_kind || ':' || p_id, jsonb_build_object('error', p_error));
end
$$;

-- A document that must not be stored. A retry cannot help, unless a newer mark says that the object has changed.
create or replace function sync.reject(p_kind text, p_id text, p_version bigint, p_fault text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dead boolean;
begin
	update sync.objects o set claimed_until = null, last_error = p_fault,
		dead_at = case when o.version <= p_version then now() end
	where o.kind = p_kind and o.id = p_id returning o.dead_at is not null into dead;
	perform sync.count_attempt(p_kind, p_id);
	if dead then
		perform sync.dead_letter(p_kind, p_id, 'parked', p_fault);
	end if;
	return jsonb_build_object('clean', false, 'dead', dead, 'warning', p_fault);
end
$$;

-- Retries after 1 s, doubled each time up to 10 min, at a random moment of the interval's second half. The object is
-- dead-lettered after 12 errors of its own, or at once when the error is permanent. Outages and a key that Stripe
-- refuses do not count.
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
		perform sync.dead_letter(p_kind, p_id, 'dead_object', p_error);
	end if;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;

-- Alerts on the rights that Stripe refuses to our key, [] for none. When that is over, the objects it delayed are due.
create or replace function service.watch_key(p_refused jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.watch(p_refused <> '[]', null, 'stripe_key', 'jobs', jsonb_build_object('refused', p_refused));
	update sync.objects o set next_at = now()
	where p_refused = '[]' and (o.kind, o.id) in (
		select w.kind, w.id from sync.objects w
		where w.version > w.clean_version and w.dead_at is null and w.next_at > now()
			and w.last_error in ('key_refused', 'unavailable')
		for update skip locked);
	return null;
end
$$;

-- What a clock that was ahead has delayed is due now. No lease and no retry delay is as long as an hour.
create or replace function sync.wind_back() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	far timestamptz := now() + interval '1 hour';
	objects bigint;
	mails bigint;
begin
	update sync.objects o set next_at = least(o.next_at, now()), claimed_until = null
	where o.version > o.clean_version and o.dead_at is null and (o.next_at > far or o.claimed_until > far);
	get diagnostics objects = row_count;
	update mail.outbox m set next_at = least(m.next_at, now()), claimed_until = null
	where m.state = 'pending' and (m.next_at > far or m.claimed_until > far);
	get diagnostics mails = row_count;
	return objects + mails;
end
$$;

reset role;
