-- Claims on dirty objects: one process at a time fetches an object and writes it down. The claim stays on the row until
-- the next one, so a write whose answer was lost can be repeated; a claim that another has replaced is refused.

set role tollgate_service;

create or replace function service.claim_object(p_lease_seconds int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	claimed jsonb;
begin
	-- a lease that ran out counts as an attempt: its holder may have died of this very object
	update sync.objects o set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease_seconds),
		attempts = o.attempts + (o.claimed_until is not null)::int
	where (o.kind, o.id) = (
		select d.kind, d.id from sync.objects d
		where d.version > d.clean_version and d.dead_at is null and d.next_at <= now()
			and (d.claimed_until is null or d.claimed_until < now())
		order by d.next_at limit 1 for update skip locked)
	returning jsonb_build_object('kind', o.kind, 'id', o.id, 'version', o.version, 'attempts', o.attempts,
		'claim', o.claim) into claimed;
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

-- What was fetched at p_version is written down. Events are through when no newer mark is left; p_state says how. Those
-- of an object that was ignored are done once it turns out to be somebody's.
create or replace function sync.finish(p_kind text, p_id text, p_version bigint, p_state text, p_report jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	clean boolean;
begin
	update sync.objects o set clean_version = greatest(o.clean_version, least(p_version, o.version)), claimed_until = null,
		attempts = 0, last_error = p_report ->> 'warning'
	where o.kind = p_kind and o.id = p_id returning o.clean_version = o.version into clean;
	if clean then
		update inbox.events e set state = p_state, done_at = now()
		where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done' and e.state <> p_state;
	end if;
	return jsonb_build_object('clean', clean) || p_report;
end
$$;

-- Stripe does not know the object (any more): there is nothing to write.
create or replace function service.object_gone(p_claim uuid, p_kind text, p_id text, p_version bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.hold(p_claim, p_kind, p_id);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

-- Again later: 1 s doubled each time up to 10 min, somewhere in its second half; given up after 12 times.
create or replace function service.fail_object(p_claim uuid, p_kind text, p_id text, p_error text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	dead boolean;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	update sync.objects o set attempts = o.attempts + 1, claimed_until = null, last_error = left(p_error, 500),
		next_at = now() + least(interval '1 s' * 2 ^ least(o.attempts, 10), interval '10 min') * (0.5 + random() / 2),
		dead_at = case when o.attempts + 1 >= 12 then now() end
	where o.kind = p_kind and o.id = p_id and o.claimed_until is not null returning o.dead_at is not null into dead;
	if dead then
		update inbox.events e set state = 'dead'
		where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
	end if;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;

reset role;
