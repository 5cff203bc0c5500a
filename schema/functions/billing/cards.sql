-- Cards that are missing: a trial that ends without one, and a subscription that was paused for want of one.

set role tollgate_service;

-- Whether Stripe has nothing to charge when the subscription's next payment is due. A subscription without a card of
-- its own is charged by its customer's. False for what is not known, as while only one of the two has been fetched.
create or replace function billing.lacks_card(s billing.subscriptions) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(not s.has_card, false) and s.collection_method is distinct from 'send_invoice'
		and not exists (select from billing.customers c where c.id = s.customer_id and c.has_card is not false);
end
$$;

-- What happens at the end of a trial without a card: cancel, pause or create_invoice. Null: the subscription is on no
-- trial, has a card, or ends by then anyway.
create or replace function billing.card_rule(s billing.subscriptions) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if s.status = 'trialing' and billing.lacks_card(s)
		and coalesce(billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end) > s.trial_end, true) then
		return case when s.missing_card in ('cancel', 'pause') then s.missing_card else 'create_invoice' end;
	end if;
	return null;
end
$$;

-- For pages: {"lacks", "rule", "looked_at"}. looked_at: jobs is about to fetch the subscription.
create or replace function billing.card_state(s billing.subscriptions) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('lacks', billing.lacks_card(s), 'rule', billing.card_rule(s),
		'looked_at', exists (select from sync.objects o where o.kind = 'subscription' and o.id = s.id
			and o.version > o.clean_version and o.dead_at is null));
end
$$;

-- What a click on "resume" asks of Stripe: {"subscription", "key"}; null when nothing is paused. The key stays the same
-- until the attempt is over: an invoice that was not paid is voided then.
create or replace function api.paused_subscription(p_tenant uuid default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenant uuid := billing.manager_tenant(p_tenant);
begin
	return (
		select jsonb_build_object('subscription', s.id, 'key', format('resume:%s:%s:%s', s.id,
			extract(epoch from s.period_end)::bigint, (
				select count(*) from billing.invoices i where i.subscription_id = s.id and i.status = 'void')))
		from billing.subscriptions s where s.tenant_id = tenant and s.status = 'paused'
		order by s.created_at desc nulls last, s.id limit 1);
end
$$;

-- Has jobs fetch a subscription of the user's now, whether or not Stripe's event arrives.
create or replace function api.fetch_subscription(p_subscription text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark('subscription', s.id) from billing.subscriptions s
	where s.id = p_subscription and s.tenant_id = any (app.managed_tenants());
	return null;
end
$$;

reset role;
