-- How the site is, for everybody: /status and /api/status. A public answer has no id and no number of anything, and
-- nothing in it may depend on whether an address is a user's. So it does not say when a mail was sent last: a link is
-- mailed to users alone, and who asks for one on a quiet site would see it. It says when the mailer last looked for
-- mails, and since when one waits that should have left by now. Each part reads one row or the end of an index.

set role tollgate_service;

-- Whoever logs in to this database runs. jobs and mailer ask it every minute at least, so without a word from them for
-- two minutes (p_quiet, in seconds) they are down, or hang. Of the others none need be connected: Apache starts a
-- program when it is asked for, and after a restart of PostgreSQL a program connects when it is asked. Without
-- pg_read_all_stats PostgreSQL hides times.
create or replace function ops.program_states(p_quiet int default 120) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select jsonb_agg(jsonb_build_object('name', p.name, 'since', api.date_document(p.since), 'state', case
				when p.n > 0 and (p.name not in ('jobs', 'mailer')
					or coalesce(p.asked > clock_timestamp() - make_interval(secs => p_quiet), true)) then 'up'
				when p.name in ('jobs', 'mailer') then 'down' else 'idle' end) order by p.name)
		from (
			select substr(r.rolname, length('tollgate_') + 1) as name, count(a.pid) as n, min(a.backend_start) as since,
				max(a.state_change) as asked
			from pg_roles r
				left join pg_stat_activity a on a.usename = r.rolname and a.datname = current_database()
			where r.rolname like 'tollgate\_%' and r.rolcanlogin and r.rolname <> 'tollgate_operator'
			group by r.rolname) p);
end
$$;

-- pace: "paused", because Stripe asked for it; "busy", when a call has to wait for its turn or a program has no permit
-- left for one; else "free".
create or replace function ops.stripe_state(p_known boolean) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	this timestamptz := clock_timestamp();
begin
	return (
		select jsonb_build_object('state', case when not p_known or p.answered_at is null and p.refused_since is null
					then 'unknown' when p.refused_since is not null then 'down' else 'up' end,
			'since', api.date_document(case when p_known then p.refused_since end),
			'answered', api.date_document(p.answered_at),
			'pace', case when billing.sane_time(p.paused_until, this, interval '60 s') > this then 'paused'
				when billing.sane_time(p.full_at, this, interval '61 s') > this + interval '900 ms'
					or exists (select from billing.calls c group by c.slot having bool_and(c.until >= this)) then 'busy'
				else 'free' end)
		from billing.pace p);
end
$$;

-- A mail that waits for five minutes should have left. Those above the ceiling for strangers wait on purpose.
create or replace function ops.mail_state(p_known boolean) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	late timestamptz := (select min(o.created_at) from mail.outbox o where o.state = 'pending' and o.rank = 0);
begin
	late := case when late < clock_timestamp() - interval '5 min' then date_trunc('minute', late) end;
	return jsonb_build_object('state', case when not p_known then 'down' when late is not null then 'delayed'
			else 'up' end, 'waits_since', api.date_document(late), 'looked', api.date_document((
		select max(a.state_change) from pg_stat_activity a
		where a.usename = 'tollgate_mailer' and a.datname = current_database())));
end
$$;

create or replace function api.site_status() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	programs jsonb := ops.program_states();
	running text[] := array(select p ->> 'name' from jsonb_array_elements(programs) p where p ->> 'state' = 'up');
	models jsonb := ops.model_states();
	parts jsonb := jsonb_build_object(
		'models', models,
		'stripe', ops.stripe_state('jobs' = any (running)),
		'mail', ops.mail_state('mailer' = any (running)));
begin
	return jsonb_build_object('at', api.date_document(clock_timestamp()), 'programs', programs,
		'database', jsonb_build_object('state', 'up', 'since', api.date_document(pg_postmaster_start_time())),
		'state', case when running @> '{jobs,mailer}' and parts #>> '{stripe,state}' = 'up'
				and parts #>> '{stripe,pace}' <> 'paused' and parts #>> '{mail,state}' = 'up'
				and not models @? '$[*] ? (@.state != "up")' then 'up'
			else 'degraded' end) || parts;
end
$$;

-- What jobs has seen of Stripe: whether calls are refused here, since Stripe did not answer or does not know the key;
-- and how many milliseconds ago it answered last, null for never.
create or replace function service.note_stripe(p_refused boolean, p_ago bigint) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.pace p set refused_since = case when p_refused then coalesce(p.refused_since, clock_timestamp()) end,
		answered_at = greatest(p.answered_at, clock_timestamp() - make_interval(secs => p_ago / 1000.0));
	return null;
end
$$;

reset role;
