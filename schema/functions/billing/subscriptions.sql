-- Subscriptions as Stripe has them.

set role tollgate_service;

-- Trigger keep_history on billing.subscriptions: a row for each change. The previous change may come from a transaction
-- that began later: the history never goes back in time.
create or replace function billing.keep_subscription_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	apart text[] := '{synced_at, customer_id, currency, amount, renews_at, previewed, charge, charge_at, coming_price,
		coming_plan, coming_at, pending_price, pending_plan, pending_until, collection_method,
		missing_card, has_card, card, metered}';
	at timestamptz := greatest(now(), (select h.from_at from billing.subscription_history h
		where h.subscription_id = new.id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and to_jsonb(old) - apart = to_jsonb(new) - apart then
		return null;
	end if;
	update billing.subscription_history h set to_at = at where h.subscription_id = new.id and h.to_at is null;
	insert into billing.subscription_history (subscription_id, tenant_id, from_at, status, plan, plans, price, quantity,
		period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, past_due_since,
		created_at, pause_behavior, pause_resumes_at, paused_since)
	values (new.id, new.tenant_id, at, new.status, new.plan, new.plans, new.price, new.quantity, new.period_start,
		new.period_end, new.cancel_at_period_end, new.cancel_at, new.canceled_at, new.ended_at, new.trial_end,
		new.past_due_since, new.created_at, new.pause_behavior, new.pause_resumes_at, new.paused_since);
	return null;
end
$$;

-- The tenant: the recorded one, else the one the document names, else the customer's.
create or replace function billing.subscription_tenant(p_id text, p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select s.tenant_id from billing.subscriptions s where s.id = p_id),
		billing.tenant_named_in(p_doc),
		(select c.tenant_id from billing.customers c where c.id = billing.id_of(p_doc -> 'customer')));
end
$$;

-- The subscription's present and former prices, by their ids, before the subscription is locked.
create or replace function billing.note_prices(p_id text, p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.note_price(n.id, n.doc) from (
		select distinct on (v.id) v.id, v.doc from (
			select billing.price_of(i), i -> 'price' from jsonb_array_elements(billing.items_of(p_doc)) i
			union all select s.price, null from billing.subscriptions s where s.id = p_id) v (id, doc)
		where v.id is not null order by v.id, v.doc is null) n;
end
$$;

-- The row of a document, from the document alone.
create or replace function billing.subscription_row(p_tenant uuid, p_id text, p_doc jsonb) returns billing.subscriptions
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	item jsonb := billing.main_item_of(p_doc);
	s billing.subscriptions;
begin
	s.id := p_id;
	s.tenant_id := p_tenant;
	s.customer_id := billing.id_of(p_doc -> 'customer');
	s.status := p_doc ->> 'status';
	s.price := billing.price_of(item);
	s.plan := billing.plan_of(s.price);
	s.plans := billing.plans_of(p_doc);
	s.quantity := billing.whole_of(item -> 'quantity');
	s.currency := coalesce(p_doc ->> 'currency', item #>> '{price,currency}');
	s.amount := billing.renewal_of(p_doc, s.currency);
	s.period_start := billing.period_start_of(p_doc);
	s.period_end := billing.period_end_of(p_doc);
	s.renews_at := billing.renews_at_of(p_doc);
	s.metered := billing.meters_of(p_doc);
	s.previewed := s.amount is null or billing.hides_amount(p_doc);
	s.cancel_at_period_end := coalesce(p_doc -> 'cancel_at_period_end' = 'true', false);
	s.cancel_at := billing.time_of(p_doc -> 'cancel_at');
	s.canceled_at := billing.time_of(p_doc -> 'canceled_at');
	s.ended_at := billing.time_of(p_doc -> 'ended_at');
	s.trial_end := billing.time_of(p_doc -> 'trial_end');
	s.created_at := billing.time_of(p_doc -> 'created');
	s.collection_method := p_doc ->> 'collection_method';
	s.missing_card := p_doc #>> '{trial_settings,end_behavior,missing_payment_method}';
	s.has_card := billing.names_card(p_doc);
	s.card := billing.card_of(p_doc);
	s.pause_behavior := p_doc #>> '{pause_collection,behavior}';
	s.pause_resumes_at := billing.time_of(p_doc #> '{pause_collection,resumes_at}');
	s.synced_at := now();
	return billing.put_coming(s, p_doc);
end
$$;

-- A price without a plan leaves the plan as it is. Past due counts from when it was first seen, until a status that
-- grants without grace; a pause, until collection is resumed or its date to resume is over.
create or replace function billing.put_subscription(n billing.subscriptions) returns billing.subscriptions
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	rule text := (select r.grants from billing.status_rules r where r.status = n.status);
	put billing.subscriptions;
begin
	insert into billing.subscriptions as s (id, tenant_id, customer_id, status, plan, plans, price, quantity, currency,
		amount, period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at,
		pause_behavior, pause_resumes_at, renews_at, previewed, coming_price, coming_plan, coming_at,
		pending_price, pending_plan, pending_until, collection_method, missing_card, has_card, card, metered,
		paused_since, past_due_since)
	values (n.id, n.tenant_id, n.customer_id, n.status, n.plan, n.plans, n.price, n.quantity, n.currency, n.amount,
		n.period_start, n.period_end, n.cancel_at_period_end, n.cancel_at, n.canceled_at, n.ended_at, n.trial_end,
		n.created_at, n.pause_behavior, n.pause_resumes_at, n.renews_at, n.previewed, n.coming_price,
		n.coming_plan, n.coming_at, n.pending_price, n.pending_plan, n.pending_until,
		n.collection_method, n.missing_card, n.has_card, n.card, n.metered,
		case when n.pause_behavior is not null then now() end, case rule when 'grace' then now() end)
	on conflict (id) do update set customer_id = excluded.customer_id, status = excluded.status,
		plan = coalesce(excluded.plan, s.plan), plans = coalesce(nullif(excluded.plans, '{}'), s.plans),
		price = excluded.price, quantity = excluded.quantity, currency = excluded.currency, amount = excluded.amount,
		period_start = excluded.period_start, period_end = excluded.period_end,
		cancel_at_period_end = excluded.cancel_at_period_end, cancel_at = excluded.cancel_at,
		canceled_at = excluded.canceled_at, ended_at = excluded.ended_at, trial_end = excluded.trial_end,
		created_at = excluded.created_at, synced_at = now(), pause_behavior = excluded.pause_behavior,
		pause_resumes_at = excluded.pause_resumes_at, renews_at = excluded.renews_at, previewed = excluded.previewed,
		charge = null, charge_at = null, coming_price = excluded.coming_price,
		coming_plan = excluded.coming_plan, coming_at = excluded.coming_at, pending_price = excluded.pending_price,
		pending_plan = excluded.pending_plan, pending_until = excluded.pending_until,
		collection_method = excluded.collection_method, missing_card = excluded.missing_card,
		has_card = excluded.has_card, card = excluded.card, metered = excluded.metered,
		paused_since = case when excluded.pause_behavior is not null then
			coalesce(case when coalesce(s.pause_resumes_at > now(), true) then s.paused_since end, now()) end,
		past_due_since = case rule
			when 'yes' then null when 'grace' then coalesce(s.past_due_since, now()) else s.past_due_since end
	returning s.* into put;
	return put;
end
$$;

create or replace function billing.watch_subscription(p_before billing.subscriptions, s billing.subscriptions)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	live text[] := array(select o.id from billing.subscriptions o
		where o.tenant_id = s.tenant_id and billing.is_live(o.status) and o.status <> 'incomplete' order by o.id);
begin
	perform ops.end_alert('orphan', s.id), ops.end_alert('drift', 'subscription:' || s.id);
	perform ops.watch(cardinality(live) > 1, s.tenant_id, 'second_subscription', s.tenant_id::text,
		jsonb_build_object('subscriptions', live));
	perform billing.watch_price(v.price) from (
		select distinct p as price from unnest(array[p_before.price, s.price]) p
			where billing.plan_of(p) is null order by p) v
	where v.price is not null;
	perform billing.watch_customer(v.customer) from (
		select distinct c as customer from unnest(array[p_before.customer_id, s.customer_id]) c order by c) v
	where v.customer is not null;
end
$$;

-- A live subscription that belongs to no tenant of ours: keep it as an orphan and raise an alert.
create or replace function billing.keep_orphan_subscription(p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
begin
	perform ops.end_alert('drift', 'subscription:' || p_id);
	perform ops.watch(billing.is_live(p_doc ->> 'status'), null, 'orphan', p_id,
		jsonb_build_object('customer', customer, 'status', p_doc -> 'status'));
	return sync.keep_orphan(p_kind, p_id, p_version, customer);
end
$$;

-- Fetches invoices again that were stored before the subscription's currency was known.
create or replace function billing.recheck_invoices(p_id text, p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark('invoice', d.id) from (
		select i.id from billing.invoices i
		where i.tenant_id = billing.subscription_tenant(p_id, p_doc) and i.subscription_id = p_id
			and i.currency <> p_doc ->> 'currency' order by i.id) d;
end
$$;

create or replace function service.write_subscription(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.subscription_fault(p_doc);
	tenant uuid;
	was text;
	before billing.subscriptions;
	after billing.subscriptions;
	report jsonb := '{}';
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.mark('checkout', c.session_id) from billing.checkouts c		-- whose payment has failed with it
	where c.subscription_id = p_id and c.status = 'unpaid' and c.session_id is not null
		and not billing.is_live(p_doc ->> 'status');
	perform sync.lock_customer(customer);
	perform billing.recheck_invoices(p_id, p_doc);
	tenant := billing.subscription_tenant(p_id, p_doc);
	perform billing.note_prices(p_id, p_doc) where tenant is not null and fault is null;
	perform sync.hold(p_claim, p_kind, p_id);
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	elsif tenant is null then
		return billing.keep_orphan_subscription(p_kind, p_id, p_version, p_doc);
	end if;
	perform sync.mark('customer', customer)
	where customer is not null and not exists (select from billing.customers c where c.id = customer);
	perform from app.tenants t where t.id = tenant for no key update;	-- its customer's balance stays meanwhile
	select s.* into before from billing.subscriptions s where s.id = p_id;
	after := billing.put_subscription(billing.ask_preview(before, billing.subscription_row(tenant, p_id, p_doc)));
	if before.id is null then
		delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
		perform sync.adopt(customer);
	end if;
	if billing.plan_of(after.price) is null then
		report := '{"unknown_price": true}';
	end if;
	was := (select t.status from app.tenants t where t.id = tenant);
	if was = 'active' or after.status in ('active', 'trialing') then
		report := report || billing.promote(tenant, customer);
	end if;
	perform billing.watch_words(tenant, p_kind, p_doc);
	perform billing.watch_subscription(before, after);
	perform billing.watch_late_payments(p_id) where not billing.is_live(after.status);
	perform billing.watch_payers(before, after);
	perform billing.begin_trial(before, after);
	perform sync.mark('cancellation', p_id) where billing.is_live(after.status) and billing.is_closing(tenant);
	perform billing.tell_subscription(before, after, p_doc #>> '{cancellation_details,reason}');
	return sync.finish(p_kind, p_id, p_version, 'done', report, billing.tenant_change(tenant, was)
		|| billing.changes(case when before.id is not null then to_jsonb(before) end, to_jsonb(after)));
end
$$;

reset role;

set role tollgate_owner;

-- Of a tenant's subscriptions the one that billing.decision() is of: pages and programs show the same one, so that no
-- plan stands beside the status or the dates of another.
create or replace function billing.decided_subscription(p_decision jsonb) returns setof billing.subscriptions
language sql stable rows 1 as $$
	select s.* from billing.subscriptions s where s.id = p_decision ->> 'subscription'
$$;

create or replace function billing.shown_subscription(p_tenant uuid) returns setof billing.subscriptions
language sql stable rows 1 as $$
	select s.* from billing.decided_subscription((select billing.decision(p_tenant))) s
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists billing.current_subscription(uuid);

reset role;
