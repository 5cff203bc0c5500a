-- Invoices as Stripe has them.

set role tollgate_service;

-- The tenant: the recorded one, else the subscription's, the one the document names, or the customer's.
create or replace function billing.invoice_tenant(p_id text, p_doc jsonb) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((select i.tenant_id from billing.invoices i where i.id = p_id),
		(select s.tenant_id from billing.subscriptions s where s.id = billing.subscription_of(p_doc)),
		billing.tenant_named_in(p_doc #> '{parent,subscription_details}'),
		billing.tenant_named_in(p_doc -> 'subscription_details'),
		billing.customer_tenant(billing.id_of(p_doc -> 'customer')));
end
$$;

-- An address of one of Stripe's hosted pages: https, one of Stripe's hosts, and printable ASCII without a quote, an
-- angle bracket or a backslash. Null for any other: a link in a page or a mail must not lead anywhere else.
create or replace function billing.hosted_page(p_url text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_url ~ '^https://([a-z0-9-]+\.)*stripe\.com/[!#-;=?-\[\]-~]*$' then p_url end;
end
$$;

create or replace function billing.put_invoice(p_tenant uuid, p_doc jsonb, p_asked boolean) returns billing.invoices
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	put billing.invoices;
begin
	insert into billing.invoices as i (id, tenant_id, customer_id, subscription_id, number, status, currency,
		amount_due, amount_paid, total, created_at, period_start, period_end, due_at, paid_at, attempt_count,
		next_attempt_at, hosted_url, pdf_url, billing_reason, action_required, collection_method, intent, metered)
	values (p_doc ->> 'id', p_tenant, billing.id_of(p_doc -> 'customer'), billing.subscription_of(p_doc),
		p_doc ->> 'number', p_doc ->> 'status', p_doc ->> 'currency', billing.whole_of(p_doc -> 'amount_due'),
		billing.whole_of(p_doc -> 'amount_paid'), billing.whole_of(p_doc -> 'total'),
		billing.time_of(p_doc -> 'created'), billing.time_of(p_doc -> 'period_start'),
		billing.time_of(p_doc -> 'period_end'), billing.time_of(p_doc -> 'due_date'),
		billing.time_of(p_doc #> '{status_transitions,paid_at}'),
		coalesce(billing.whole_of(p_doc -> 'attempt_count'), 0), billing.time_of(p_doc -> 'next_payment_attempt'),
		billing.payment_page(p_doc ->> 'hosted_invoice_url'), billing.payment_page(p_doc ->> 'invoice_pdf'),
		p_doc ->> 'billing_reason',
		coalesce(p_asked and p_doc ->> 'status' = 'open', false), p_doc ->> 'collection_method',
		billing.intent_of(p_doc), usage.invoiced(p_doc))
	on conflict (id) do update set customer_id = excluded.customer_id, subscription_id = excluded.subscription_id,
		number = excluded.number, status = excluded.status, currency = excluded.currency,
		amount_due = excluded.amount_due,
		amount_paid = excluded.amount_paid, total = excluded.total, created_at = excluded.created_at,
		period_start = excluded.period_start, period_end = excluded.period_end, due_at = excluded.due_at,
		paid_at = excluded.paid_at, attempt_count = excluded.attempt_count, next_attempt_at = excluded.next_attempt_at,
		hosted_url = excluded.hosted_url, pdf_url = excluded.pdf_url, billing_reason = excluded.billing_reason,
		action_required = excluded.action_required or (i.action_required and excluded.status = 'open'),
		collection_method = excluded.collection_method, intent = excluded.intent, metered = excluded.metered,
		bank_since = case when excluded.status = 'open' and excluded.intent = i.intent then i.bank_since end,
		unverified = i.unverified and excluded.status = 'open' and coalesce(excluded.intent = i.intent, false),
		verify_url = case when excluded.status = 'open' and excluded.intent = i.intent then i.verify_url end,
		synced_at = now()
	returning i.* into put;
	return put;
end
$$;

-- An invoice that Stripe cannot finalize (for example, an address it cannot tax) collects nothing until the operator
-- acts.
create or replace function billing.watch_invoice(i billing.invoices, p_error jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.watch(i.status = 'draft' and jsonb_typeof(p_error) = 'object', i.tenant_id, 'finalization_failed', i.id,
		jsonb_build_object('code', p_error -> 'code', 'message', p_error -> 'message'));
end
$$;

-- An invoice that was open at the end of its subscription and is paid later buys nothing: the operator gives the money
-- back, or the plan. Raised once. What is billed at the end is paid after it too, and is no such invoice.
create or replace function billing.watch_late_payments(p_subscription text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.raise_alert(i.tenant_id, 'paid_after_end', i.id, jsonb_build_object('subscription', s.id,
		'amount', i.amount_paid, 'currency', i.currency))
	from billing.subscriptions s join billing.invoices i on i.subscription_id = s.id
	where s.id = p_subscription and not billing.is_live(s.status) and i.status = 'paid' and i.amount_paid > 0
		and i.created_at < s.ended_at and i.paid_at > s.ended_at
		and not exists (select from ops.alerts a where a.kind = 'paid_after_end' and a.subject = i.id)
	order by i.id;
end
$$;

-- The subscription is fetched with a changed invoice, because its own event may have been lost; and the payment intent
-- of an open one, because the invoice does not say whether a bank has it under way.
create or replace function service.write_invoice(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.invoice_fault(p_doc);
	tenant uuid;
	hints text[];
	before billing.invoices;
	after billing.invoices;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.lock_customer(customer);
	perform sync.mark('payment_intent', billing.intent_of(p_doc))		-- locked before the invoice's row
	where p_doc ->> 'status' = 'open' and billing.intent_of(p_doc) is not null
		and billing.invoice_tenant(p_id, p_doc) is not null;
	perform sync.hold(p_claim, p_kind, p_id);
	tenant := billing.invoice_tenant(p_id, p_doc);
	fault := coalesce(fault, billing.currency_fault(p_doc));
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	elsif tenant is null then
		return sync.keep_orphan(p_kind, p_id, p_version, customer);
	end if;
	select i.* into before from billing.invoices i where i.id = p_id;
	perform sync.mark('subscription', billing.subscription_of(p_doc))
	where billing.subscription_of(p_doc) is not null and (before.status, before.attempt_count::text) is distinct from
		(p_doc ->> 'status', coalesce(p_doc ->> 'attempt_count', '0'));
	hints := billing.hints_of(p_kind, p_id);
	after := billing.put_invoice(tenant, p_doc, 'action_required' = any (hints));
	perform billing.watch_words(tenant, p_kind, p_doc);
	perform billing.watch_invoice(after, p_doc -> 'last_finalization_error');
	perform billing.watch_late_payments(after.subscription_id) where after.status = 'paid';
	perform billing.tell_invoice(after, hints);
	perform billing.end_lost_disputes(tenant) where after.status = 'paid';
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(case when before.id is not null then to_jsonb(before) end, to_jsonb(after)));
end
$$;

reset role;
