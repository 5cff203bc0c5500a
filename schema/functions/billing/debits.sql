-- Payments that a bank has under way, as a debit that takes days: the invoice stays open, and its payment intent is
-- being processed. (A first payment by Checkout is billing.bank_wait().)

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

-- Of a payment intent only this counts: whether a bank has an invoice's payment under way. Other payments are not
-- followed.
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
	update billing.invoices o set bank_since = case when since is not null then coalesce(o.bank_since, since) end
	where o.intent = p_id and o.status = 'open' returning o.* into i;
	perform billing.tell_failure(i, false) where i.id is not null and since is null;
	return sync.finish(p_kind, p_id, p_version, case when i.id is not null then 'done' else 'ignored' end, '{}');
end
$$;

reset role;
