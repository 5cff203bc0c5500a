-- Payments that wait for a bank, or for the customer at the bank: the invoice stays open, and its payment intent says
-- why. (A first payment by Checkout is billing.bank_wait().)

set role tollgate_service;

-- The payment intent of an invoice's payment that is to be made; null: none is known, or it has been made.
create or replace function billing.intent_of(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return billing.id_of(jsonb_path_query_first(p_doc #> '{payments,data}',
		'$[*] ? (@.status == "open").payment.payment_intent'));
end
$$;

-- Since when a bank has the payment of this subscription's open invoice under way, as a debit that takes days; null:
-- none has.
create or replace function billing.debit_since(p_subscription text) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select min(i.bank_since) from billing.invoices i
		where i.subscription_id = p_subscription and i.status = 'open');
end
$$;

-- Whether the bank wants the customer to confirm the payment of this subscription's open invoice.
create or replace function billing.wants_confirmation(p_subscription text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.invoices i
		where i.subscription_id = p_subscription and i.status = 'open' and i.action_required);
end
$$;

-- Whether the subscription's newest invoice was given up, and none is left to pay. One that is uncollectible is paid on
-- its page all the same (billing.open_invoice()).
create or replace function billing.is_given_up(s billing.subscriptions) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select (array_agg(i.status order by i.created_at desc nulls last, i.id))[1] in ('void', 'uncollectible')
			and not bool_or(i.status = 'open' or i.status = 'uncollectible' and i.hosted_url is not null)
		from billing.invoices i where i.tenant_id = s.tenant_id and i.subscription_id = s.id);
end
$$;

-- Whether a payment intent waits for the customer at the bank. Others that wait for the customer show where to pay, as
-- for a transfer: there is nothing to confirm.
create or replace function billing.is_unconfirmed(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_doc ->> 'status' = 'requires_action'
		and coalesce(p_doc #>> '{next_action,type}', '') in ('use_stripe_sdk', 'redirect_to_url');
end
$$;

-- Whether the payment of this subscription's open invoice waits until the payer has proven the bank account.
create or replace function billing.wants_amounts(p_subscription text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from billing.invoices i
		where i.subscription_id = p_subscription and i.status = 'open' and i.unverified);
end
$$;

-- Whether a payment intent waits until the amounts of micro-deposits, or a code beside one, are entered.
create or replace function billing.is_unverified(p_doc jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_doc ->> 'status' = 'requires_action'
		and p_doc #>> '{next_action,type}' is not distinct from 'verify_with_microdeposits';
end
$$;

-- Of a payment intent this counts: whether a bank has an invoice's payment under way, or wants the customer to confirm
-- it, or the bank account has to be proven first, and where. Other payments are not followed. Only a document that is
-- newer than the invoice tells that an attempt has failed: another may be of the attempt before.
create or replace function service.write_payment_intent(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	since timestamptz := case p_doc ->> 'status' when 'processing' then
		coalesce(billing.event_time(p_kind, p_id, 'payment_intent.processing'), now()) end;
	i billing.invoices;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	update billing.invoices o set bank_since = case when since is not null then coalesce(o.bank_since, since) end,
		action_required = billing.is_unconfirmed(p_doc), unverified = billing.is_unverified(p_doc),
		verify_url = case when billing.is_unverified(p_doc) then billing.payment_page(
			p_doc #>> '{next_action,verify_with_microdeposits,hosted_verification_url}') end
	where o.intent = p_id and o.status = 'open' returning o.* into i;
	perform billing.tell_failure(i, p_doc ->> 'status' = 'requires_payment_method')
	where i.id is not null and since is null and not i.action_required and not i.unverified and not exists (
		select from sync.objects o where o.kind = p_kind and o.id = p_id and o.version > p_version);
	perform billing.tell_action(i) where i.action_required;
	return sync.finish(p_kind, p_id, p_version, case when i.id is not null then 'done' else 'ignored' end, '{}');
end
$$;

reset role;
