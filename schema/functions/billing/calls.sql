-- Calls to Stripe that a browser waits for: how many a program has in flight, and how many a browser, a network and a
-- tenant may cause.

set role tollgate_service;

-- Takes one call of the asker's allowances, or TG429. The browser is known by its session, else by its flow cookie.
create or replace function billing.require_call_allowance(p_flow_hash bytea, p_ip inet, p_tenant uuid)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	session uuid := auth.session_id();
	tenant uuid := case when p_tenant = any (app.managed_tenants()) then p_tenant end;
begin
	if not (auth.allow('call_browser', coalesce(session::text, encode(p_flow_hash, 'hex')))
			and auth.allow_network('call', p_ip)
			and (tenant is null or auth.allow('call_tenant', tenant::text))) then
		raise exception 'too many calls to Stripe' using errcode = 'TG429';
	end if;
end
$$;

-- The permit for a call. When the program has p_calls of them in flight on this host, nothing is waited for: the answer
-- tells the processes that make them. p_gone: those of them that have ended, so their permits are free; a permit also
-- ends by itself after p_ms. p_holder names the request, which may make several calls one after the other under one
-- permit; each counts.
create or replace function api.take_call(p_host text, p_calls int, p_ms int, p_holder bytea, p_flow_hash bytea,
	p_ip inet, p_pid int, p_gone int[], p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	place text := session_user || '@' || p_host;
	taken int;
begin
	insert into billing.calls (slot, n, until)
	select place, g, '-infinity' from generate_series(1, p_calls) g
	where p_calls > (select count(*) from billing.calls c where c.slot = place)
	on conflict do nothing;
	select c.n into taken from billing.calls c
	where c.slot = place and c.n <= p_calls and (c.until < now() or c.holder = p_holder or c.pid = any (p_gone))
	order by c.holder = p_holder desc nulls last, c.n limit 1 for update skip locked;
	if taken is not null then
		perform billing.require_call_allowance(p_flow_hash, p_ip, p_tenant);
		update billing.calls c set holder = p_holder, pid = p_pid, until = now() + make_interval(secs => p_ms / 1000.0)
		where c.slot = place and c.n = taken;
	end if;
	return jsonb_build_object('permitted', taken is not null, 'pids', (
		select coalesce(jsonb_agg(distinct c.pid), '[]') from billing.calls c
		where taken is null and c.slot = place and c.until >= now()));
end
$$;

create or replace function api.end_call(p_holder bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.calls c set holder = null, pid = null, until = '-infinity' where c.holder = p_holder;
	return null;
end
$$;

reset role;
