-- Stripe's objects as they are now, written down. Each is a function of the fetched document alone, so that neither the
-- order nor the number of events matters. Locks are taken in one order: the checkout's, the subscription's and the
-- customer's mark, then the tenant.

set role tollgate_service;

create or replace function billing.require_document(p_doc jsonb, p_id text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if p_doc ->> 'id' is distinct from p_id then
		raise exception 'the document is not of this object' using errcode = 'TG422';
	end if;
end
$$;

create or replace function billing.checkout_status_of(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_doc ->> 'status' is distinct from 'complete' then case p_doc ->> 'status' when 'expired' then 'expired' else 'open' end
		when p_doc ->> 'payment_status' in ('paid', 'no_payment_required') then 'complete'
		else 'unpaid' end;
end
$$;

-- The row of this session. One whose id never reached us (the worker died after asking Stripe) is found by its tenant;
-- an expired one is not, because by then the row may wait for its next attempt.
create or replace function billing.put_checkout(p_tenant uuid, p_id text, p_status text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.checkouts c set session_id = p_id, opened_at = coalesce(c.opened_at, now())
	where p_status <> 'expired' and not exists (select from billing.checkouts o where o.session_id = p_id)
		and c.key = (select n.key from billing.checkouts n where n.tenant_id = p_tenant and n.session_id is null
			order by n.created_at desc limit 1);
	update billing.checkouts c set status = p_status where c.session_id = p_id;
end
$$;

create or replace function service.write_checkout(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := coalesce((select c.tenant_id from billing.checkouts c where c.session_id = p_id),
		billing.tenant_named_in(p_doc));
	customer text := billing.id_of(p_doc -> 'customer');
	subscription text := billing.id_of(p_doc -> 'subscription');
	status text := billing.checkout_status_of(p_doc);
	report jsonb := '{}';
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if tenant is null then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	if status = 'complete' then
		perform sync.mark('subscription', subscription) where subscription is not null;
		perform sync.mark('customer', customer) where customer is not null;
	end if;
	perform billing.put_checkout(tenant, p_id, status);
	if status = 'complete' then
		report := billing.promote(tenant, customer);
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', report);
end
$$;

-- Whose subscription: as recorded, else as it says itself, else as its customer.
create or replace function billing.subscription_tenant(p_id text, p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select s.tenant_id from billing.subscriptions s where s.id = p_id),
		billing.tenant_named_in(p_doc),
		(select c.tenant_id from billing.customers c where c.id = billing.id_of(p_doc -> 'customer')));
end
$$;

-- A price that is no plan of ours changes no plan: the answer says so instead.
create or replace function billing.put_subscription(p_tenant uuid, p_id text, p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	item jsonb := billing.main_item_of(p_doc);
	known text := (select p.id from billing.plans p where p.price = billing.price_of(item));
begin
	insert into billing.subscriptions as s (id, tenant_id, customer_id, status, plan, price, quantity, period_start,
		period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at)
	values (p_id, p_tenant, billing.id_of(p_doc -> 'customer'), p_doc ->> 'status', known, billing.price_of(item),
		(item ->> 'quantity')::bigint, billing.period_start_of(p_doc), billing.period_end_of(p_doc),
		coalesce((p_doc ->> 'cancel_at_period_end')::boolean, false), billing.time_of(p_doc -> 'cancel_at'),
		billing.time_of(p_doc -> 'canceled_at'), billing.time_of(p_doc -> 'ended_at'),
		billing.time_of(p_doc -> 'trial_end'), billing.time_of(p_doc -> 'created'))
	on conflict (id) do update set customer_id = excluded.customer_id, status = excluded.status,
		plan = coalesce(excluded.plan, s.plan), price = excluded.price, quantity = excluded.quantity,
		period_start = excluded.period_start, period_end = excluded.period_end,
		cancel_at_period_end = excluded.cancel_at_period_end, cancel_at = excluded.cancel_at,
		canceled_at = excluded.canceled_at, ended_at = excluded.ended_at, trial_end = excluded.trial_end,
		created_at = excluded.created_at, synced_at = now();
	return case when known is null then '{"unknown_price": true}'::jsonb else '{}' end;
end
$$;

create or replace function service.write_subscription(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.subscription_tenant(p_id, p_doc);
	customer text := billing.id_of(p_doc -> 'customer');
	report jsonb;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if tenant is null then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform sync.mark('customer', customer)
	where customer is not null and not exists (select from billing.customers c where c.id = customer);
	report := billing.put_subscription(tenant, p_id, p_doc);
	if p_doc ->> 'status' in ('active', 'trialing') then
		report := report || billing.promote(tenant, customer);
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', report);
end
$$;

-- A customer entitles to nothing: only one that is bound already is kept up to date.
create or replace function service.write_customer(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	update billing.customers c set email = p_doc ->> 'email', synced_at = now(),
		deleted = coalesce((p_doc ->> 'deleted')::boolean, false)
	where c.id = p_id;
	if not found then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
