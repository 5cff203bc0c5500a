-- The way in: a draft tenant and its checkout, before anybody is known.

set role tollgate_service;

create or replace function billing.require_draft_allowance(p_email text, p_ip inet) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not (auth.allow('draft_ip', auth.neighbourhood(p_ip)) and auth.allow('draft_address', lower(btrim(p_email)))
			and auth.allow('draft_global', '')) then
		raise exception 'too many drafts' using errcode = 'TG429';
	end if;
end
$$;

-- Stripe's session lives for a day, and so does the key under which it was asked for: after that, the same request would
-- make another. It is left a little before.
create or replace function billing.is_past_its_day(p_opened timestamptz) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(p_opened < now() - interval '23 hours', false);
end
$$;

-- The unique key decides which of several calls at once is the first; the others wait for it and find its row. A
-- checkout that ran out, or whose payment failed, starts its next attempt here. Of one that nobody has said to have run
-- out, jobs and who asks look first: it may have been paid.
create or replace function api.open_draft(p_key bytea, p_email text, p_plan text, p_language text, p_flow_hash bytea,
	p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	draft billing.checkouts;
	paid boolean;
begin
	if not exists (select from billing.plans p where p.id = p_plan and p.offered) then
		raise exception 'unknown plan' using errcode = 'TG422';
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, flow_hash, price)
	select p_key, gen_random_uuid(), btrim(p_email), lower(btrim(p_email)), p.id, p_language, p_flow_hash, p.price
	from billing.plans p where p.id = p_plan
	on conflict (key) do nothing returning * into draft;
	if draft.key is not null then
		perform billing.require_draft_allowance(p_email, p_ip);
		insert into app.tenants (id) values (draft.tenant_id);
	else
		perform sync.mark('checkout', c.session_id) from billing.checkouts c
		where c.key = p_key and c.status = 'open' and billing.is_past_its_day(c.opened_at);
		update billing.checkouts c set attempt = c.attempt + 1, replaces = case c.status when 'open' then c.session_id end,
			session_id = null, status = 'open', opened_at = null, returned_at = null,
			price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and (c.status in ('expired', 'failed') or c.status = 'open' and billing.is_past_its_day(c.opened_at))
			and exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft');
		update billing.checkouts c set price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and c.price is null and c.session_id is null;
		select c.* into draft from billing.checkouts c where c.key = p_key;
	end if;
	paid := draft.session_id is not null and (draft.status <> 'open'
		or exists (select from app.tenants t where t.id = draft.tenant_id and t.status = 'active'));
	return jsonb_build_object('tenant', draft.tenant_id, 'email', draft.email, 'plan', draft.plan,
		'price', draft.price, 'language', draft.language, 'attempt', draft.attempt, 'session', draft.session_id,
		'expire', draft.replaces, 'state', case when paid then 'complete' else 'open' end);
end
$$;

create or replace function api.checkout_opened(p_key bytea, p_attempt int, p_session text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	recorded text;
begin
	update billing.checkouts c set session_id = coalesce(c.session_id, p_session), opened_at = coalesce(c.opened_at, now()),
		replaces = null
	where c.key = p_key and c.attempt = p_attempt returning c.session_id into recorded;
	if recorded is null then
		raise exception 'no such attempt' using errcode = 'TG404';
	elsif recorded <> p_session then
		raise exception 'another session is recorded for this attempt' using errcode = 'TG409';
	end if;
	return null;
end
$$;

-- How often the welcome page asks again: eagerly at first, counted from the buyer's first return.
create or replace function billing.refresh_seconds(p_since timestamptz) returns int
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_since > now() - interval '1 min' then 2 when p_since > now() - interval '10 min' then 10 end;
end
$$;

-- Nothing private: whoever holds the session id learns whether its purchase has arrived. Grants nothing.
create or replace function api.welcome(p_session text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	checkout billing.checkouts;
	state text;
begin
	update billing.checkouts c set returned_at = now()
	where (c.session_id = p_session or c.replaces = p_session) and c.returned_at is null;
	select c.* into checkout from billing.checkouts c where c.session_id = p_session or c.replaces = p_session;
	state := case
		when checkout.key is null then 'unknown'
		when exists (select from app.tenants t where t.id = checkout.tenant_id and t.status = 'active') then 'ready'
		when checkout.status in ('unpaid', 'failed', 'expired') then checkout.status
		else 'processing' end;
	return jsonb_build_object('state', state, 'plan', 'plan_' || checkout.plan,
		'refresh', case state when 'processing' then billing.refresh_seconds(checkout.returned_at) end);
end
$$;

reset role;
