-- How a signed-in tenant buys a subscription. The tenant's row is locked during the decision: a tenant has at most one
-- open checkout, and none while it has a live subscription, however many clicks there are.

set role tollgate_service;

-- The wanted tenant, else the one that pages show; TG404 when it is none of the user's, TG403 when the user does not
-- manage it.
create or replace function billing.manager_tenant(p_wanted uuid default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine record;
begin
	select m.tenant_id, m.role into mine from app.my_tenant(p_wanted) m;
	if mine.tenant_id is null then
		raise exception 'no tenant' using errcode = 'TG404';
	elsif mine.role = 'member' then
		raise exception 'only for managers of the tenant' using errcode = 'TG403';
	end if;
	return mine.tenant_id;
end
$$;

-- portal: has a subscription; processing: has paid for one that is not stored yet; open: may buy.
create or replace function billing.checkout_state(p_tenant uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when exists (select from billing.subscriptions s where s.tenant_id = p_tenant and billing.is_live(s.status))
			then 'portal'
		when exists (select from billing.checkouts c where c.tenant_id = p_tenant and c.status in ('complete', 'unpaid')
			and c.subscription_id is not null
			and not exists (select from billing.subscriptions s where s.id = c.subscription_id)) then 'processing'
		else 'open' end;
end
$$;

-- Unused. Not in a migration, because until this commit the earlier billing page calls it.
drop function if exists billing.my_checkout_state(uuid);

-- Since when the tenant waits for a bank to carry out a debit or transfer; null: it does not.
create or replace function billing.bank_wait(p_tenant uuid) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select max(c.unpaid_since) from billing.checkouts c where c.tenant_id = p_tenant and c.status = 'unpaid');
end
$$;

-- The customer that must pay: the bound one, else the one made for an earlier click.
create or replace function billing.checkout_customer(p_tenant uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(
		(select c.id from billing.customers c where c.tenant_id = p_tenant and not c.deleted),
		(select c.customer_id from billing.checkouts c where c.tenant_id = p_tenant and c.customer_id is not null
			and not exists (select from billing.customers g where g.id = c.customer_id and g.deleted)
			order by c.created_at desc limit 1));
end
$$;

-- The tenant's open checkout, or a new one. Another plan, another customer, a session past its day or a sign-up's
-- session begins a new attempt, of who clicks; replaces then names the session that must not be paid any more.
create or replace function billing.ensure_checkout(p_tenant uuid, p_key bytea, p_plan text, p_price text,
	p_language text, p_customer text) returns billing.checkouts
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.uid();
	c billing.checkouts;
begin
	select o.* into c from billing.checkouts o where o.tenant_id = p_tenant and o.status = 'open';
	if found and c.plan = p_plan and c.user_id is not null and not billing.is_past_its_day(c.opened_at)
			and c.price is not null and c.metered is not null
			and coalesce(c.customer_id = p_customer, c.customer_id is null) then
		return c;
	elsif not auth.allow('draft_address', p_tenant::text) then
		raise exception 'too many checkouts' using errcode = 'TG429';
	elsif c.key is not null then
		update billing.checkouts o set attempt = o.attempt + 1, plan = p_plan, price = p_price,
			metered = usage.prices_for(p_plan), language = p_language,
			user_id = me, email = auth.email(), email_canonical = lower(auth.email()),
			replaces = coalesce(o.session_id, o.replaces), session_id = null, url = null,
			opened_at = null, returned_at = null
		where o.key = c.key returning o.* into c;
		return c;
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, price, metered, language, user_id)
	values (case when exists (select from billing.checkouts o where o.key = p_key)
			then sha256(p_key || uuid_send(gen_random_uuid())) else p_key end,
		p_tenant, auth.email(), lower(auth.email()), p_plan, p_price, usage.prices_for(p_plan), p_language,
		me)
	returning * into c;
	return c;
end
$$;

-- The idempotency key under which the checkout's customer is made. It changes when it is spent, and when the tenant's
-- customer is deleted.
create or replace function billing.customer_key(c billing.checkouts) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return format('customer:%s:%s', encode(c.key, 'hex'), c.customer_attempt
		+ (select count(*) from billing.customers g where g.tenant_id = c.tenant_id and g.deleted));
end
$$;

-- Null for a checkout that is unknown or of a tenant that the user does not manage.
create or replace function billing.checkout_tenant(p_key bytea) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select c.tenant_id from billing.checkouts c
		where c.key = p_key and c.tenant_id = any (app.managed_tenants()));
end
$$;

create or replace function api.open_checkout(p_key bytea, p_plan text, p_language text, p_tenant uuid default null)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.manager_tenant(p_tenant);
	cost text := (select p.price from billing.plans p where p.id = p_plan and p.offered);
	state text;
	payer text;
	c billing.checkouts;
begin
	if cost is null or usage.prices_for(p_plan) is null then
		raise exception 'unknown plan, or no price yet' using errcode = 'TG422';
	end if;
	perform from app.tenants t where t.id = tenant for no key update;
	state := billing.checkout_state(tenant);
	if state <> 'open' then
		return jsonb_build_object('state', state, 'tenant', tenant);
	end if;
	payer := billing.checkout_customer(tenant);
	c := billing.ensure_checkout(tenant, p_key, p_plan, cost, p_language, payer);
	update billing.checkouts o set customer_id = payer where o.key = c.key and o.customer_id is distinct from payer;
	return jsonb_build_object('state', state, 'tenant', tenant, 'email', c.email, 'plan', c.plan, 'price', c.price,
		'metered', c.metered, 'language', c.language, 'key', encode(c.key, 'hex'), 'attempt', c.attempt,
		'session', c.session_id,
		'idempotency', format('checkout:%s:%s', encode(c.key, 'hex'), c.attempt), 'expire', c.replaces,
		'url', billing.open_page(c), 'customer', payer, 'customer_key', billing.customer_key(c))
		|| billing.trial_of(c) || billing.page_of(tenant);
end
$$;

-- For a manager who comes back from Checkout without paying: the checkout of this plan is open, so nothing was charged.
create or replace function api.checkout_news(p_tenant uuid, p_plan text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when billing.checkout_state(p_tenant) = 'open' and exists (
			select from billing.checkouts c
			where c.tenant_id = p_tenant and c.plan = p_plan and billing.open_page(c) is not null)
			and p_tenant = any (app.managed_tenants())
		then '[{"label": "news_uncharged"}]' else '[]' end;
end
$$;

-- Records the customer made for this checkout. It opens no portal: only a payment binds a customer to its tenant.
create or replace function api.checkout_customer(p_key bytea, p_customer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.manager_tenant(billing.checkout_tenant(p_key));
begin
	perform from app.tenants t where t.id = tenant for no key update;
	update billing.checkouts c set customer_id = coalesce(billing.checkout_customer(tenant), p_customer)
	where c.key = p_key and c.tenant_id = tenant;
	if not found then
		raise exception 'no such checkout' using errcode = 'TG404';
	end if;
	return jsonb_build_object('customer', billing.checkout_customer(tenant));
end
$$;

-- Stripe refused the customer as unknown. One made for a click is given up at once; a bound one is fetched by jobs.
create or replace function api.customer_gone(p_key bytea, p_customer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.manager_tenant(billing.checkout_tenant(p_key));
begin
	perform sync.mark('customer', p_customer)
	where exists (select from billing.customers c where c.id = p_customer and c.tenant_id = tenant);
	perform from app.tenants t where t.id = tenant for no key update;
	insert into billing.customers (id, tenant_id, deleted)
	select c.customer_id, tenant, true from billing.checkouts c
	where c.key = p_key and c.tenant_id = tenant and c.customer_id = p_customer
	on conflict do nothing;
	return null;
end
$$;

-- Stripe has kept a failure under this key: the next click uses another key. Repeating the call changes nothing.
create or replace function api.customer_spent(p_key bytea, p_spent text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.manager_tenant(billing.checkout_tenant(p_key));
begin
	perform from app.tenants t where t.id = tenant for no key update;
	update billing.checkouts c set customer_attempt = c.customer_attempt + 1
	where c.key = p_key and c.tenant_id = tenant and billing.customer_key(c) = p_spent;
	return null;
end
$$;

reset role;
