-- Stripe's objects as they are now, written down. Each is a function of the fetched document alone, so that neither the
-- order nor the number of events matters. Locks are taken in one order, that of batches of events: marks by kind and
-- id, a price's row behind its mark, then the tenant, then alerts.

set role tollgate_service;

create or replace function billing.require_document(p_doc jsonb, p_id text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if p_doc ->> 'id' is distinct from p_id then
		raise exception 'the document is not of this object' using errcode = 'TG422';
	end if;
end
$$;

-- For the outcome of events: what became of the tenant.
create or replace function billing.tenant_change(p_tenant uuid, p_was text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	now_is text := (select t.status from app.tenants t where t.id = p_tenant);
begin
	return case when now_is = p_was then '{}' else jsonb_build_object('tenant', jsonb_build_array(p_was, now_is)) end;
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

-- Whether the payment of an unpaid session has failed, which it does not say itself: when its subscription has ended, or an
-- event has told it. Days may lie before it, but it is tried once: nothing undoes it but that it is paid after all.
create or replace function billing.payment_failed(p_id text, p_subscription text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.subscriptions s where s.id = p_subscription and not billing.is_live(s.status))
		or exists (select from billing.checkouts c where c.session_id = p_id and c.status = 'failed')
		or 'checkout_failed' = any (billing.hints_of('checkout', p_id));
end
$$;

-- The row of this session. One whose id never reached us (the worker died after asking Stripe) is found by its tenant;
-- one that expired or failed is not, because by then the row may wait for its next attempt, nor one that is open and to be
-- replaced.
drop function if exists billing.put_checkout(uuid, text, text);
create or replace function billing.put_checkout(p_tenant uuid, p_id text, p_status text, p_subscription text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.checkouts c set session_id = p_id, opened_at = coalesce(c.opened_at, now()), replaces = nullif(c.replaces, p_id)
	where p_status not in ('expired', 'failed') and not exists (select from billing.checkouts o where o.session_id = p_id)
		and (p_status <> 'open' or c.replaces is distinct from p_id)
		and c.key = (select n.key from billing.checkouts n where n.tenant_id = p_tenant and n.session_id is null
			order by n.created_at desc limit 1);
	update billing.checkouts c set status = p_status, subscription_id = coalesce(p_subscription, c.subscription_id)
	where c.session_id = p_id;
end
$$;

-- Ours is a session whose id we know, or that says so where only who makes it can: its reference is the buyer's to choose, by
-- the address of a payment link.
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
		return sync.put_aside(p_kind, p_id, p_version, customer);
	end if;
	delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	if status = 'unpaid' and billing.payment_failed(p_id, subscription) then
		status := 'failed';
	end if;
	perform sync.mark('customer', customer) where status = 'complete' and customer is not null;
	perform sync.mark('subscription', subscription) where status in ('complete', 'unpaid') and subscription is not null;
	perform billing.put_checkout(tenant, p_id, status, subscription);
	if status = 'failed' and before ->> 'status' <> 'failed' then
		perform billing.tell_checkout(c) from billing.checkouts c where c.session_id = p_id;
	end if;
	was := (select t.status from app.tenants t where t.id = tenant);
	if status = 'complete' then
		report := billing.promote(tenant, customer);
	end if;
	perform billing.watch_words(tenant, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', report, billing.tenant_change(tenant, was) || billing.changes(
		before, (select to_jsonb(c) - '{key,flow_hash,email,email_canonical}'::text[] from billing.checkouts c where c.session_id = p_id)));
end
$$;

-- Stripe's customer of a tenant is deleted. Another that pays for it may have come before this was known, and was not
-- bound then.
create or replace function billing.replace_customer(p_tenant uuid, p_gone text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	successor text;
begin
	select s.customer_id into successor from billing.subscriptions s
	where s.tenant_id = p_tenant and s.customer_id <> p_gone
		and not exists (select from billing.customers c where c.id = s.customer_id and c.deleted)
	order by s.created_at desc limit 1;
	if successor is not null and billing.bind_customer(p_tenant, successor) then
		perform sync.mark('customer', successor);
	end if;
end
$$;

-- A customer entitles to nothing: only one that is bound already is kept up to date. That one made for a click is gone is
-- written down too, for it must not be asked to pay again.
create or replace function service.write_customer(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	gone boolean := coalesce(p_doc -> 'deleted' = 'true', false);
	before jsonb := (select to_jsonb(c) from billing.customers c where c.id = p_id);
	tenant uuid := coalesce((select c.tenant_id from billing.customers c where c.id = p_id),
		(select k.tenant_id from billing.checkouts k where gone and k.customer_id = p_id limit 1));
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	perform from app.tenants t where gone and t.id = tenant for no key update;
	perform billing.clear_alert('second_customer', p_id) where gone;
	if tenant is null then
		return sync.put_aside(p_kind, p_id, p_version, p_id);
	end if;
	insert into billing.customers (id, tenant_id, deleted) select p_id, tenant, true where gone on conflict do nothing;
	update billing.customers c set email = p_doc ->> 'email', synced_at = now(), deleted = gone where c.id = p_id;
	if gone then
		perform billing.replace_customer(tenant, p_id);
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(c) from billing.customers c where c.id = p_id)));
end
$$;

reset role;
