-- What is ended at Stripe when a tenant closes with its last owner, and what is forgotten of who paid. Objects of kind
-- "cancellation" (a subscription's id), "expiry" (a checkout session's) and "erasure" (a customer's) ask jobs for it.
-- Amounts, dates and states of invoices, payments and disputes stay: the law wants them kept.

set role tollgate_service;

-- A tenant that closes, or is closed: nothing is charged for it any more.
create or replace function billing.is_closing(p_tenant uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from app.tenants t where t.id = p_tenant and t.closes_at is not null);
end
$$;

-- Asks for the end of live subscriptions, at once, and of open checkout sessions. Rows of these kinds are locked after
-- a tenant's, also by write_subscription(), and no write of theirs locks a tenant.
create or replace function billing.end_payments(p_tenants uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark(e.kind, e.id) from (
		select 'cancellation' as kind, s.id from billing.subscriptions s
		where s.tenant_id = any (p_tenants) and billing.is_live(s.status) union
		select 'expiry', n.id from billing.checkouts c cross join unnest(array[c.session_id, c.replaces]) n (id)
		where c.tenant_id = any (p_tenants) and c.status = 'open' and n.id is not null
		order by 1, 2) e;
end
$$;

-- Whether the end of a subscription waits: its last invoice has what Stripe was told before and has counted, which
-- takes a while. What is told is of work from before the tenant began to close, which may be under way still and ends
-- within an hour, so a day is enough; after it the subscription ends, and the operator is told.
create or replace function billing.waits_for_usage(p_kind text, p_id text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	t record;
begin
	select s.tenant_id, n.records, billing.is_counting(s.tenant_id) as counts,
		k.closes_at - case k.status when 'closed' then interval '0' else interval '720 hours' end as since into t
	from billing.subscriptions s join app.tenants k on k.id = s.tenant_id
		cross join lateral (
			select count(*) as records from (
				select from usage.outbox o where o.tenant_id = s.tenant_id and o.state = 'pending' union all
				select from usage.holds h where h.tenant_id = s.tenant_id and h.state = 'held' and h.sold) v) n
	where p_kind = 'cancellation' and s.id = p_id;
	if coalesce(t.records = 0 and not t.counts, true) then
		return false;
	elsif t.since > now() - interval '24 hours' then
		return true;
	end if;
	perform ops.raise_alert(t.tenant_id, 'usage_unbilled', p_id, jsonb_build_object('records', t.records))
	where t.records > 0;
	return false;
end
$$;

-- Whether Stripe was told of something so lately that an invoice may lack it: it counts meter events a little later.
create or replace function billing.is_counting(p_tenant uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from usage.meters m join usage.outbox o on o.tenant_id = p_tenant and o.meter = m.meter
			and o.at > now() - interval '48 hours'
		where o.sent_at > now() - interval '5 min');
end
$$;

-- Takes back what end_payments() has asked for and Stripe has not done: also where a call is under way, which is not
-- repeated when it fails. The end of a checkout session that would begin a second trial is asked for anyway.
create or replace function billing.keep_payments(p_tenants uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	with ended as (
		select o.kind, o.id from sync.objects o
		where o.version > o.clean_version and (o.kind = 'cancellation' and o.id in (
				select s.id from billing.subscriptions s where s.tenant_id = any (p_tenants))
			or o.kind = 'expiry' and o.id in (
				select n.id from billing.checkouts c cross join unnest(array[c.session_id, c.replaces]) n (id)
				where c.tenant_id = any (p_tenants)
					and not (c.trial and billing.had_trial(c.tenant_id, c.email_canonical))))
		order by o.kind, o.id for update)
	update sync.objects o set clean_version = o.version, attempts = 0, outages = 0, last_error = null, dead_at = null
	from ended e where o.kind = e.kind and o.id = e.id;
	perform ops.end_alert('dead_object', o.kind || ':' || o.id) from sync.objects o
	where o.kind in ('cancellation', 'expiry') and o.version = o.clean_version
		and o.id = any (billing.objects_of(p_tenants));
end
$$;

-- Whether something may still be charged: a subscription is live or not stored yet, a checkout session may be paid or
-- waits for a bank, or what has come in is not written down.
create or replace function billing.may_charge(p_tenants uuid[]) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from unnest(p_tenants) t where billing.checkout_state(t) <> 'open')
		or exists (
			select from billing.checkouts c
			where c.tenant_id = any (p_tenants) and (c.status = 'unpaid' or c.status = 'open'
				and c.session_id is not null and c.opened_at > now() - interval '25 hours'))
		or exists (
			select from sync.objects o
			where o.version > o.clean_version and o.kind in ('checkout', 'subscription')
				and o.id = any (billing.objects_of(p_tenants)));
end
$$;

-- The ids at Stripe of what belongs to these tenants.
create or replace function billing.objects_of(p_tenants uuid[]) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select c.id from billing.customers c where c.tenant_id = any (p_tenants) union
		select s.id from billing.subscriptions s where s.tenant_id = any (p_tenants) union
		select n.id from billing.invoices i cross join unnest(array[i.id, i.intent]) n (id)
		where i.tenant_id = any (p_tenants) and n.id is not null union
		select n.id from billing.disputes d cross join unnest(array[d.id, d.charge]) n (id)
		where d.tenant_id = any (p_tenants) and n.id is not null union
		select n.id from billing.checkouts c
			cross join unnest(array[c.session_id, c.replaces, c.customer_id, c.subscription_id]) n (id)
		where c.tenant_id = any (p_tenants) and n.id is not null);
end
$$;

-- The address that may be kept of what Stripe says of a customer: none of a closed tenant's, and none that was
-- forgotten.
create or replace function billing.kept_address(p_customer text, p_tenant uuid, p_email text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when not exists (select from app.tenants t where t.id = p_tenant and t.status = 'closed')
			and not exists (select from billing.customers c
				where c.id = p_customer and c.forgotten = sha256(convert_to(lower(p_email), 'UTF8')))
		then p_email end;
end
$$;

-- Who paid, in the rows of the tenants that close, and in others those of the addresses. At Stripe the customers of the
-- former lose name, addresses and phone.
create or replace function billing.forget_payer(p_user uuid, p_addresses text[], p_closing uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark('erasure', k.id) from (
		select c.id from billing.customers c where c.tenant_id = any (p_closing) and not c.deleted union
		select c.customer_id from billing.checkouts c
		where c.tenant_id = any (p_closing) and c.customer_id is not null
			and not exists (select from billing.customers g where g.id = c.customer_id and g.deleted)
		order by 1) k;
	update billing.checkouts c set email = 'deleted:' || c.tenant_id, email_canonical = 'deleted:' || c.tenant_id,
		flow_hash = null
	where c.tenant_id = any (p_closing) or c.email_canonical = any (p_addresses) or c.user_id = p_user;
	update billing.checkouts c set user_id = null where c.user_id = p_user;
	update billing.customers c set email = null, forgotten = sha256(convert_to(lower(c.email), 'UTF8'))
	where c.email is not null and (c.tenant_id = any (p_closing) or lower(c.email) = any (p_addresses));
	update billing.notifications n set user_id = null where n.user_id = p_user;
end
$$;

-- The subscription was canceled at Stripe, or was over: it is fetched as it is now.
create or replace function service.write_cancellation(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	perform sync.mark('subscription', p_id);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

-- Stripe has emptied the customer, so nothing of the document is kept.
create or replace function service.write_erasure(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
