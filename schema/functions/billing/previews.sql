-- The amount of the next invoice. Where the subscription's items do not say it, an object of kind "preview", with the
-- subscription's id, is fetched: Stripe's preview of the invoice.

set role tollgate_service;

-- Whether something in the document may change what its items cost: discounts, taxes, a change to come, an end in a
-- later period, which Stripe charges in part.
create or replace function billing.hides_amount(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_path_exists(p_doc, '$ ? (@.discounts[0] != null || @.items.data[*].discounts[0] != null
		|| @.default_tax_rates[0] != null || @.items.data[*].tax_rates[0] != null || @.discount != null
		|| @.automatic_tax.enabled == true || @.managed_payments.enabled == true
		|| @.schedule != null || @.pending_update != null || @.pending_invoice_item_interval != null)')
		or coalesce(billing.time_of(p_doc -> 'cancel_at') > billing.renews_at_of(p_doc), false);
end
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists billing.is_metered(jsonb);

-- Whether there will be a next invoice, as far as the subscription is stored.
create or replace function billing.renews(s billing.subscriptions) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return s.status in ('active', 'trialing', 'past_due') and s.renews_at is not null
		and coalesce(billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end) > s.renews_at, true);
end
$$;

-- Prices and quantities of a subscription's items.
create or replace function billing.items_bought(p_doc jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_path_query_array(p_doc, '$.items.data[*].price.id')
		|| jsonb_path_query_array(p_doc, '$.items.data[*].quantity');
end
$$;

-- Whether a waiting event says that the items are others than before. What was bought may be as it was when the
-- subscription was last fetched, or may not have been seen before.
create or replace function billing.items_changed(p_id text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from inbox.events e
			cross join lateral (select convert_from(e.raw, 'UTF8')::jsonb -> 'data' as data) d
			cross join lateral (select d.data -> 'previous_attributes' as was) p
		where e.object_kind = 'subscription' and e.object_id = p_id and e.state <> 'done'
			and e.type = 'customer.subscription.updated'
			and (p.was ?| '{plan,quantity}'
				or billing.items_bought(p.was) not in ('[]', billing.items_bought(d.data -> 'object'))));
exception when data_exception then
	return true;		-- its text is none of PostgreSQL's: it may say so
end
$$;

-- The new row with what the document alone does not say. An earlier preview counts no more: what it was made of may
-- have changed with the document. A change of items leaves unbilled parts of both prices, and so may what happened
-- before the subscription was first seen, unless that was in its first period. Once a preview was needed, the next
-- amounts are asked for too: when the unbilled parts will have been billed is not known. With usage that is metered
-- until the invoice is made, no preview says what it will come to: none is asked for, and no amount is said in that
-- period.
create or replace function billing.ask_preview(p_before billing.subscriptions, s billing.subscriptions)
	returns billing.subscriptions
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	s.previewed := s.previewed or s.amount is not null and (
		case when p_before.id is null then coalesce(s.created_at < s.period_start - interval '1 min', false)
			else p_before.previewed and (s.metered = '{}' or p_before.period_start = s.period_start)
				or (p_before.price, p_before.quantity, p_before.plans, p_before.amount)
				is distinct from (s.price, s.quantity, s.plans, s.amount) end
		or billing.items_changed(s.id)
		or exists (select from billing.customers c
			where c.id = s.customer_id and (c.balance <> 0 or c.discount is not null)));
	perform sync.mark('preview', s.id) where s.previewed and s.metered = '{}' and billing.renews(s);
	return s;
end
$$;

-- Something of the customer's own changes what the next invoices come to, or did until now.
create or replace function billing.preview_customer(p_customer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	changed text[] := array(
		select s.id from billing.subscriptions s
		where s.customer_id = p_customer and billing.renews(s) and (s.previewed or s.amount is not null) order by s.id);
begin
	perform sync.mark('preview', s.id) from billing.subscriptions s
	where s.id = any (changed) and s.metered = '{}';
	update billing.subscriptions s set previewed = true, charge = null, charge_at = null
	where s.id = any (changed);
end
$$;

-- A preview of another period, or one that was asked for before the last change, says nothing.
create or replace function service.write_preview(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	fault text := billing.invoice_fault(p_doc);
begin
	if billing.subscription_of(p_doc) is distinct from p_id then
		raise exception 'the document is not of this object' using errcode = 'TG422';
	end if;
	perform sync.hold(p_claim, p_kind, p_id);
	fault := coalesce(fault, billing.currency_fault(p_doc));
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	end if;
	update billing.subscriptions s set charge = billing.whole_of(p_doc -> 'amount_due'), charge_at = now()
	where s.id = p_id and s.previewed and s.metered = '{}' and s.renews_at = billing.time_of(p_doc -> 'period_end')
		and exists (select from sync.objects o where o.kind = p_kind and o.id = p_id and o.version = p_version);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;

set role tollgate_owner;

-- What its items cost at a renewal, or null. "usage" is true where what meters count is added.
create or replace function billing.price_document(s billing.subscriptions) returns jsonb
language sql stable as $$
	select api.amount_document(s.amount, s.currency)
		|| case when s.metered <> '{}' then '{"usage": true}'::jsonb else '{}' end
$$;

-- What will be charged when the subscription renews, or null. Use during a trial costs nothing.
create or replace function billing.next_amount(s billing.subscriptions) returns jsonb
language plpgsql stable as $$
begin
	return case when s.previewed then api.amount_document(s.charge, s.currency)
		when s.status = 'trialing' then api.amount_document(s.amount, s.currency)
		else billing.price_document(s) end;
end
$$;

reset role;
