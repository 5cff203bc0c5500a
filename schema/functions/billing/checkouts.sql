-- Checkout sessions of Stripe: opened, returned from, and stored as Stripe has them.

set role tollgate_service;

-- A checkout session lives for a day, and so does its idempotency key: after that, the same request would make another
-- session. The margin is an hour.
create or replace function billing.is_past_its_day(p_opened timestamptz) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(p_opened < now() - interval '23 hours', false);
end
$$;

-- An address that a browser may be sent to for paying, or for what was paid: on one of Stripe's hosts, or, outside
-- production, on this machine, where a test's Stripe is. Null for any other. The tables' constraints allow either in
-- each environment.
create or replace function billing.payment_page(p_url text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.hosted_page(p_url), (select p_url from meta.stamp s where s.environment <> 'production'
		and p_url ~ '^http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?/[!#-;=?-\[\]-~]*$'));
end
$$;

-- The address of the checkout session's page, while it may be paid there.
create or replace function billing.open_page(c billing.checkouts) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case when c.status = 'open' and not billing.is_past_its_day(c.opened_at) then c.url end;
end
$$;

drop function if exists api.checkout_opened(bytea, int, text, text);	-- before p_trial

-- The address of Stripe's page is kept, so that the next click needs no call; one that may not be kept is not. p_trial:
-- the session begins a trial. When another has begun meanwhile, or the tenant closes, the session is expired.
create or replace function api.checkout_opened(p_key bytea, p_attempt int, p_session text, p_url text default null,
	p_trial boolean default false) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	recorded text;
begin
	update billing.checkouts c set session_id = coalesce(c.session_id, p_session),
		opened_at = coalesce(c.opened_at, now()),
		replaces = null, trial = p_trial,
		url = coalesce(c.url, billing.payment_page(p_url))
	where c.key = p_key and c.attempt = p_attempt returning c.session_id into recorded;
	if recorded is null then
		raise exception 'no such attempt' using errcode = 'TG404';
	elsif recorded <> p_session then
		raise exception 'another session is recorded for this attempt' using errcode = 'TG409';
	end if;
	perform sync.mark('expiry', c.session_id) from billing.checkouts c
	where c.key = p_key and c.status = 'open'
		and (c.trial and billing.had_trial(c.tenant_id, c.email_canonical) or billing.is_closing(c.tenant_id));
	return null;
end
$$;

-- The checkout session of this attempt cannot be paid any more, or its key is spent: the next attempt may begin.
create or replace function api.checkout_expired(p_key bytea, p_attempt int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.checkouts c set attempt = c.attempt + 1, session_id = null, url = null, opened_at = null,
		returned_at = null, replaces = null, price = (select p.price from billing.plans p where p.id = c.plan),
		metered = usage.prices_for(c.plan)
	where c.key = p_key and c.attempt = p_attempt and c.status = 'open';
	return null;
end
$$;

-- {"had_trial": true} where the checkout gets no trial; else {}.
create or replace function billing.trial_of(c billing.checkouts) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when billing.had_trial(c.tenant_id, c.email_canonical) then '{"had_trial": true}' else '{}' end;
end
$$;

-- How soon the welcome page reloads, by the time since the buyer's first return; null: it does not.
create or replace function billing.refresh_seconds(p_since timestamptz) returns int
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_since > now() - interval '1 min' then 2 when p_since > now() - interval '10 min' then 10 end;
end
$$;

drop function if exists api.welcome(text);	-- before p_flow_hash

-- Nothing private, and grants nothing: the holder of a session id learns whether its purchase has arrived. The browser
-- that bought, and no other, learns where the mail went, whether it may correct the address, and where the bank account
-- is proven: whoever enters wrong amounts there a few times ends it.
create or replace function api.welcome(p_session text, p_flow_hash bytea default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	checkout billing.checkouts;
	state text;
	page text;
	unverified boolean;
begin
	update billing.checkouts c set returned_at = now()
	where (c.session_id = p_session or c.replaces = p_session) and c.returned_at is null;
	select c.* into checkout from billing.checkouts c where c.session_id = p_session or c.replaces = p_session;
	select i.verify_url into page from billing.invoices i
	where checkout.status = 'unpaid' and i.tenant_id = checkout.tenant_id and i.status = 'open' and i.unverified
	limit 1;
	unverified := found;
	state := case
		when checkout.key is null then 'unknown'
		when exists (select from app.tenants t where t.id = checkout.tenant_id and t.status = 'active') then 'ready'
		when unverified then 'verify'
		when checkout.status in ('unpaid', 'failed', 'expired') then checkout.status
		else 'processing' end;
	return jsonb_build_object('state', state, 'plan', 'plan_' || checkout.plan,
		'refresh', case state when 'processing' then billing.refresh_seconds(checkout.returned_at) end)
		|| case state when 'unpaid' then jsonb_build_object('since', api.date_document(checkout.unpaid_since))
			else '{}' end
		|| case when state = 'verify' and checkout.flow_hash = sha256(p_flow_hash) then
			jsonb_build_object('verify_url', page) else '{}' end
		|| case when state = 'ready' and checkout.flow_hash = sha256(p_flow_hash) then jsonb_build_object(
			'email', checkout.email, 'may_correct', billing.may_correct(checkout, p_flow_hash)) else '{}' end;
end
$$;

create or replace function billing.checkout_status_of(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_doc ->> 'status' is distinct from 'complete' then
			case p_doc ->> 'status' when 'expired' then 'expired' else 'open' end
		when p_doc ->> 'payment_status' in ('paid', 'no_payment_required') then 'complete'
		else 'unpaid' end;
end
$$;

-- Whether the payment of an unpaid checkout session has failed. The session does not say it; the end of its
-- subscription does, or an event. It may take days, and only a later payment undoes it.
create or replace function billing.payment_failed(p_id text, p_subscription text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.subscriptions s where s.id = p_subscription and not billing.is_live(s.status))
		or exists (select from billing.checkouts c where c.session_id = p_id and c.status = 'failed')
		or 'checkout_failed' = any (billing.hints_of('checkout', p_id));
end
$$;

-- A session whose id was never recorded (the worker died after asking Stripe) is found by its tenant. An expired or
-- failed session is not matched so, because the row may wait for its next attempt; nor is an open session that is to be
-- replaced.
create or replace function billing.put_checkout(p_tenant uuid, p_id text, p_status text, p_subscription text)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.checkouts c set session_id = p_id, opened_at = coalesce(c.opened_at, now()),
		replaces = nullif(c.replaces, p_id)
	where p_status not in ('expired', 'failed')
		and not exists (select from billing.checkouts o where o.session_id = p_id)
		and (p_status <> 'open' or c.replaces is distinct from p_id)
		and c.key = (select n.key from billing.checkouts n where n.tenant_id = p_tenant and n.session_id is null
			order by n.created_at desc limit 1);
	update billing.checkouts c set status = p_status, subscription_id = coalesce(p_subscription, c.subscription_id),
		unpaid_since = case p_status when 'unpaid' then coalesce(c.unpaid_since,
			billing.event_time('checkout', p_id, 'checkout.session.completed'), now()) else c.unpaid_since end
	where c.session_id = p_id;
end
$$;

-- A session is ours when its id is recorded, or when its metadata says so. The client reference is not enough: the
-- buyer can choose it in the address of a payment link.
create or replace function service.write_checkout(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := coalesce((select c.tenant_id from billing.checkouts c where c.session_id = p_id),
		case p_doc ->> 'mode' when 'subscription' then billing.tenant_named_in(p_doc - 'client_reference_id') end);
	customer text := billing.id_of(p_doc -> 'customer');
	subscription text := billing.id_of(p_doc -> 'subscription');
	status text := billing.checkout_status_of(p_doc);
	before jsonb := (select to_jsonb(c) from billing.checkouts c where c.session_id = p_id);
	was text;
	report jsonb := '{}';
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if tenant is null then
		return sync.keep_orphan(p_kind, p_id, p_version, customer);
	end if;
	delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	if status = 'unpaid' and billing.payment_failed(p_id, subscription) then
		status := 'failed';
	end if;
	perform sync.mark('customer', customer) where status = 'complete' and customer is not null;
	perform sync.mark('invoice', billing.id_of(p_doc -> 'invoice'))		-- whose payment says what it waits for
	where status = 'unpaid' and billing.id_of(p_doc -> 'invoice') is not null;
	perform sync.mark('subscription', subscription) where status in ('complete', 'unpaid') and subscription is not null;
	perform billing.put_checkout(tenant, p_id, status, subscription);
	if status = 'failed' and before ->> 'status' <> 'failed' then
		perform billing.tell_checkout(c) from billing.checkouts c where c.session_id = p_id;
	end if;
	was := (select t.status from app.tenants t where t.id = tenant);
	if before ->> 'status' is distinct from status then
		perform billing.watch_trial(s) from billing.subscriptions s
		where s.id = subscription and s.trial_end is not null;
	end if;
	if status = 'complete' then
		report := billing.promote(tenant, customer);
	end if;
	perform billing.watch_words(tenant, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', report, billing.tenant_change(tenant, was) || billing.changes(
		before, (select to_jsonb(c) - '{key,flow_hash,email,email_canonical}'::text[] from billing.checkouts c
			where c.session_id = p_id)));
end
$$;

reset role;
