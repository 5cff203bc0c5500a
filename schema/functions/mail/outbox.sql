-- The outbox: claimed under a lease like dirty objects, and sent at least once (the key makes its Message-ID). It holds
-- no secret.

set role tollgate_service;

-- Trigger hint_mail on mail.outbox: tells the mailer that there is work. NOTIFY makes the transactions that notify
-- commit one at a time, which mails are few enough for; a hint that is lost costs mail.poll_ms.
create or replace function mail.hint() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
	notify tollgate_mail;
	return null;
end
$$;

drop function if exists mail.due(int);		-- before p_awaited

-- The first mail of this rank that is due.
create or replace function mail.due(p_rank int, p_awaited boolean) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select o.id from mail.outbox o
		where o.state = 'pending' and o.rank = p_rank and o.awaited = p_awaited and o.next_at <= now()
			and (o.claimed_until is null or o.claimed_until < now())
		order by o.next_at limit 1 for update skip locked);
end
$$;

-- The next mail that is due, under a lease; a row of nulls when none is. The tenth lease that ends unreported is the
-- last: the processes may have died because of the mail, or have sent it.
create or replace function mail.claim(p_lease_seconds int) returns mail.outbox
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	claimed mail.outbox;
	due uuid;
begin
	loop
		due := coalesce(mail.due(0, true), mail.due(0, false), mail.due(1, true), mail.due(1, false));
		update mail.outbox o set claim = gen_random_uuid(),
			claimed_until = now() + make_interval(secs => p_lease_seconds),
			attempts = o.attempts + (o.claimed_until is not null)::int
		where o.id = due
		returning o.* into claimed;
		exit when claimed.id is null or claimed.attempts - claimed.outages < 10;
		update mail.outbox o set state = 'dead', claimed_until = null, last_error = 'the lease expired'
		where o.id = claimed.id;
	end loop;
	return claimed;
end
$$;

-- What a mail says of a purchase that has failed: its plan and price, as they are known when it is sent.
create or replace function mail.facts_of(o mail.outbox) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((
		select billing.bought(c) from billing.checkouts c
		where o.template = 'failed' and c.session_id = split_part(o.key, ':', 3)), '{}');
end
$$;

-- While mails wait that are above the ceiling for strangers, there is an alert.
--
-- A mail with a link gets a new one here. It is void when nobody may have one: the address is no user's, or the request
-- is over. So is one for payers whose address pays for nothing. After 50 of these the answer is {}: there may be more,
-- for another transaction.
create or replace function service.claim_mail(p_lease_seconds int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	claimed mail.outbox;
	minted jsonb;
begin
	perform ops.watch(exists (select from mail.outbox o where o.state = 'pending' and o.rank = 1), null, 'mail_ceiling',
		'strangers', '{}');
	for tries in 1..50 loop
		claimed := mail.claim(p_lease_seconds);
		minted := '{}';
		exit when claimed.id is null or not claimed.data ? 'request' and claimed.template <> 'paying';
		minted := case claimed.template when 'paying' then billing.paying_contact(claimed.recipient,
				(claimed.data ->> 'draft')::uuid)
			else auth.mint_link((claimed.data ->> 'request')::uuid) end;
		exit when minted is not null;
		update mail.outbox o set state = 'void', claimed_until = null where o.id = claimed.id;
	end loop;
	if claimed.id is null then
		return null;
	elsif minted is null then
		return '{}';
	end if;
	return jsonb_build_object('id', claimed.id, 'recipient', coalesce(minted ->> 'recipient', claimed.recipient),
		'template', coalesce(minted ->> 'template', claimed.template),
		'language', coalesce(minted ->> 'language', claimed.language),
		'data', mail.facts_of(claimed) || claimed.data - '{request,draft,by}'::text[] || minted
			- '{recipient,language,template}'::text[],
		'key', claimed.key, 'attempts', claimed.attempts, 'claim', claimed.claim);
end
$$;

create or replace function mail.hold(p_id uuid, p_claim uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from mail.outbox o where o.id = p_id and o.claim = p_claim for update;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
end
$$;

-- A refusal of us is an alert for as long as a mail waits because of it, with what the server said last. A server that
-- cannot be reached becomes one at the third try.
create or replace function mail.watch_cause(p_cause text, p_error text, p_tries int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_cause is not null and (p_cause <> 'unreachable' or p_tries >= 3) then
		perform ops.raise_alert(null, 'mail_refused', p_cause, jsonb_build_object('error', left(p_error, 500)));
	end if;
	perform ops.end_alert(a.kind, a.subject) from ops.alerts a
	where a.kind = 'mail_refused' and a.cleared_at is null and a.subject is distinct from p_cause
		and not exists (select from mail.outbox o where o.state = 'pending' and o.cause = a.subject);
end
$$;

-- Mails that waited for the same cause are due, as are those that waited for the connection, since one was sent.
create or replace function service.mail_sent(p_id uuid, p_claim uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	was text;
begin
	perform mail.hold(p_id, p_claim);
	select o.cause into was from mail.outbox o where o.id = p_id;
	update mail.outbox o set state = 'sent', sent_at = now(), claimed_until = null, last_error = null, cause = null
	where o.id = p_id and o.state = 'pending';
	update mail.outbox w set next_at = least(w.next_at, now()), cause = null
	where w.id in (
		select o.id from mail.outbox o
		where o.state = 'pending' and o.cause is not null and (o.cause = was or o.cause !~ '^(RCPT|DATA) ')
			and o.claimed_until is null
		for update skip locked);
	perform mail.watch_cause(null, null, 0);
	return null;
end
$$;

drop function if exists service.mail_failed(uuid, uuid, text, boolean);	-- before p_cause

-- Retries after 30 s, doubled each time. Dead after 10 tries, or at once when the refusal is permanent. A try that
-- fails for a cause which keeps other mails back too does not count, and the next one follows within the hour, for five
-- days.
create or replace function service.mail_failed(p_id uuid, p_claim uuid, p_error text, p_permanent boolean,
	p_cause text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tries int;
	dead boolean;
begin
	perform mail.hold(p_id, p_claim);
	update mail.outbox o set attempts = o.attempts + 1, outages = o.outages + (p_cause is not null)::int,
		claimed_until = null, last_error = left(p_error, 500), cause = p_cause,
		next_at = now() + interval '30 s' * 2 ^ least(o.attempts, case when p_cause is null then 10 else 6 end)
	where o.id = p_id and o.state = 'pending' and o.claimed_until is not null
	returning o.outages, p_permanent or o.attempts - o.outages >= 10 or o.created_at < now() - interval '120 hours'
	into tries, dead;
	if dead then
		update mail.outbox o set state = 'dead' where o.id = p_id;
	end if;
	perform mail.watch_cause(case when not dead then p_cause end, p_error, tries) where tries is not null;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;

reset role;
