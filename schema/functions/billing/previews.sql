-- The amount of the next invoice. Where the subscription's items do not say it, an object of kind "preview", with the
-- subscription's id, is fetched: Stripe's preview of the invoice.

set role tollgate_service;

-- Whether something in the document may change what its items cost: discounts, taxes, a change to come.
create or replace function billing.hides_amount(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_path_exists(p_doc, '$ ? (@.discounts[0] != null || @.items.data[*].discounts[0] != null
		|| @.default_tax_rates[0] != null || @.items.data[*].tax_rates[0] != null || @.discount != null
		|| @.automatic_tax.enabled == true || @.managed_payments.enabled == true
		|| @.schedule != null || @.pending_update != null || @.pending_invoice_item_interval != null)');
end
$$;

-- Usage that is metered until the invoice is made: no preview says what it will come to.
create or replace function billing.is_metered(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from jsonb_array_elements(billing.items_of(p_doc)) i
		where i #>> '{price,recurring,usage_type}' = 'metered');
end
$$;

-- Whether there will be a next invoice, as far as the subscription is stored.
create or replace function billing.renews(s billing.subscriptions) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return s.status in ('active', 'trialing', 'past_due') and s.renews_at is not null
		and coalesce(billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end) > s.renews_at, true);
end
$$;

-- A change within a period leaves unbilled parts of both prices; and what happened before the subscription was first
-- seen is not known, unless that was in its first period.
create or replace function billing.unbilled_until(p_before billing.subscriptions, s billing.subscriptions)
	returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_before.id is null then case when s.created_at < s.period_start - interval '1 min' then s.renews_at end
		when p_before.renews_at = s.renews_at and p_before.period_start = s.period_start
			and (p_before.price, p_before.quantity, p_before.plans, p_before.amount)
				is distinct from (s.price, s.quantity, s.plans, s.amount) then s.renews_at
		else p_before.unbilled_until end;
end
$$;

-- The new row with what the document alone does not say. An earlier preview counts no more: what it was made of may
-- have changed with the document.
create or replace function billing.ask_preview(p_before billing.subscriptions, s billing.subscriptions)
	returns billing.subscriptions
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	s.unbilled_until := billing.unbilled_until(p_before, s);
	s.previewed := s.previewed or s.amount is not null and (coalesce(s.unbilled_until >= s.renews_at, false) or exists (
		select from billing.customers c
		where c.id = s.customer_id and (c.balance <> 0 or c.discount is not null)));
	perform sync.mark('preview', s.id) where s.previewed and billing.renews(s);
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
	perform sync.mark('preview', c) from unnest(changed) c;
	update billing.subscriptions s set previewed = true, charge = null, charge_at = null, unbilled_until = s.renews_at
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
	where s.id = p_id and s.previewed and s.renews_at = billing.time_of(p_doc -> 'period_end')
		and exists (select from sync.objects o where o.kind = p_kind and o.id = p_id and o.version = p_version);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;

set role tollgate_owner;

-- What will be charged when the subscription renews, or null.
create or replace function billing.next_amount(s billing.subscriptions) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return api.amount_document(case when s.previewed then s.charge else s.amount end, s.currency);
end
$$;

reset role;
