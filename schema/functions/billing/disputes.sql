-- Disputes and refunds. billing.dispute_rules says what they do to the entitlement.

set role tollgate_service;

-- The rule (billing.dispute_rules) of a dispute in this status.
create or replace function billing.dispute_policy(p_status text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_status in ('won', 'prevented', 'warning_closed') then 'dispute_won'
		when p_status = 'lost' then 'dispute_lost'
		when p_status like 'warning\_%' then 'inquiry'
		else 'dispute_open' end;
end
$$;

-- When the tenant first paid after the beginning of a dispute that was lost: that payment ends it. Null: it has not
-- paid, or the dispute was not lost.
create or replace function billing.paid_again(d billing.disputes) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select min(i.paid_at) from billing.invoices i
		where d.policy = 'dispute_lost' and d.status = 'lost' and i.tenant_id = d.tenant_id and i.status = 'paid'
			and i.amount_paid > 0 and i.paid_at > d.created_at and i.id is distinct from d.invoice);
end
$$;

-- Tells the tenant how a dispute has ended. p_before: the row before, null for a new one. An outcome that p_before has
-- is not told again. Of a new row, and of an inquiry, which was not told, only a loss is told: it restricts.
create or replace function billing.tell_outcome(p_before jsonb, d billing.disputes) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	amount jsonb := api.amount_document(d.amount, d.currency);
begin
	perform billing.tell(d.tenant_id, policy, d.id,
		jsonb_build_object('amount', amount, 'date', api.date_document(d.created_at)),
		billing.event_time('dispute', d.id))
	from billing.dispute_policy(d.status) policy
	where d.kind = 'dispute' and policy <> case
		when p_before is null or p_before ->> 'policy' = 'inquiry' then 'dispute_won'
		else billing.dispute_policy(p_before ->> 'status') end and policy in ('dispute_won', 'dispute_lost');
end
$$;

create or replace function billing.is_allowed(p_tenant uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (billing.entitlement(p_tenant) -> 'allowed')::boolean;
end
$$;

-- Tells the tenant that a later payment has ended a lost dispute, if that gives it its plan back. p_allowed: whether it
-- had one before.
create or replace function billing.tell_end(p_allowed boolean, d billing.disputes) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	paid_at timestamptz := billing.paid_again(d);
begin
	if paid_at is not null and not p_allowed and billing.is_allowed(d.tenant_id) then
		perform billing.tell(d.tenant_id, 'dispute_over', d.id,
			jsonb_build_object('date', api.date_document(paid_at)), paid_at);
	end if;
end
$$;

-- Stores the row, and notifies the tenant and the operator. Answers what changed. A closed dispute (or a refund that
-- failed after all) keeps the rule under which it was open, for questions about that time. A dispute that begins to
-- restrict is opened at that moment. Of a further refund its own amount is told. The tenant was told of a refund that
-- fails: the operator pays it in another way.
create or replace function billing.put_dispute(n billing.disputes, p_notice text, p_fact text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	before jsonb := (select to_jsonb(d) from billing.disputes d where d.id = n.id);
	allowed boolean := billing.is_allowed(n.tenant_id);
	effect text := (select p.effect from billing.dispute_rules p where p.kind = n.policy);
	closed boolean := n.policy = 'dispute_won' or n.kind = 'refund' and n.amount = 0;
	worse boolean := effect = 'restrict' and not exists (
		select from billing.dispute_rules p where p.kind = before ->> 'policy' and p.effect = 'restrict');
	after billing.disputes;
begin
	insert into billing.disputes as d (id, tenant_id, kind, policy, charge, invoice, status, amount, currency, reason,
		created_at, closed_at)
	values (n.id, n.tenant_id, n.kind, n.policy, n.charge, n.invoice, n.status, n.amount, n.currency, n.reason,
		n.created_at, case when closed then now() end)
	on conflict (id) do update set
		policy = case when closed then d.policy else excluded.policy end, charge = excluded.charge,
		invoice = excluded.invoice, status = excluded.status, amount = excluded.amount,
		currency = excluded.currency, reason = excluded.reason, created_at = excluded.created_at, synced_at = now(),
		opened_at = case when worse then now() else d.opened_at end,
		closed_at = case when closed then coalesce(d.closed_at, now()) end;
	update billing.disputes d set closed_at = greatest(d.opened_at, billing.paid_again(d))
	where d.id = n.id and billing.paid_again(d) is not null;
	select d.* into after from billing.disputes d where d.id = n.id;
	if before is null or before ->> 'policy' <> after.policy
		or (before ->> 'closed_at' is null) <> (after.closed_at is null) then
		perform ops.watch(effect <> 'nothing' and after.closed_at is null, after.tenant_id, after.kind, after.id,
			jsonb_build_object('policy', n.policy, 'effect', effect,
				'amount', after.amount, 'currency', after.currency));
	end if;
	perform ops.raise_alert(after.tenant_id, 'refund_failed', after.id, jsonb_build_object('currency', after.currency,
		'amount', (before ->> 'amount')::bigint - after.amount))
	where n.kind = 'refund' and after.amount < (before ->> 'amount')::bigint;
	perform billing.tell(after.tenant_id, p_notice, p_fact, jsonb_build_object('amount', api.amount_document(
			after.amount - case n.kind when 'refund' then coalesce((before ->> 'amount')::bigint, 0) else 0 end,
			after.currency), 'date', api.date_document(after.created_at)),
		case n.kind when 'dispute' then after.created_at else billing.event_time('charge', n.id) end)
	where n.policy = 'dispute_open' or n.kind = 'refund' and n.amount > coalesce((before ->> 'amount')::bigint, 0);
	perform billing.tell_outcome(before, after), billing.tell_end(allowed, after);
	return billing.changes(before, to_jsonb(after));
end
$$;

-- Ends the disputes that a later payment ends. When a dispute is lost and when an invoice is paid may be learned in any
-- order: put_dispute() looks too.
create or replace function billing.end_lost_disputes(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	allowed boolean := billing.is_allowed(p_tenant);
	over billing.disputes;
begin
	for over in
		update billing.disputes d set closed_at = greatest(d.opened_at, billing.paid_again(d))
		where d.tenant_id = p_tenant and d.closed_at is null and billing.paid_again(d) is not null
		returning d.*
	loop
		perform ops.end_alert(over.kind, over.id), billing.tell_end(allowed, over);
	end loop;
end
$$;

create or replace function service.write_dispute(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	customer text := coalesce(billing.id_of(p_doc #> '{charge,customer}'), billing.id_of(p_doc -> 'customer'));
	fault text := billing.dispute_fault(p_doc);
	n billing.disputes;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.lock_customer(customer);
	perform sync.hold(p_claim, p_kind, p_id);
	n := row(p_id, null, 'dispute', billing.dispute_policy(p_doc ->> 'status'), billing.id_of(p_doc -> 'charge'),
		billing.id_of(p_doc #> '{charge,invoice}'), p_doc ->> 'status', billing.whole_of(p_doc -> 'amount'),
		p_doc ->> 'currency', p_doc ->> 'reason', billing.time_of(p_doc -> 'created'), null, null, null);
	n.tenant_id := coalesce((select d.tenant_id from billing.disputes d where d.id = p_id),
		billing.customer_tenant(customer),
		(select d.tenant_id from billing.disputes d where d.charge = n.charge limit 1));
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	elsif n.tenant_id is null then
		return sync.keep_orphan(p_kind, p_id, p_version, customer);
	end if;
	perform billing.watch_words(n.tenant_id, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}', billing.put_dispute(n, 'disputed', p_id));
end
$$;

-- Only refunds of a charge are stored.
create or replace function service.write_charge(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.dispute_fault(p_doc);
	n billing.disputes;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);	-- charge, customer: in the order of batches
	perform sync.lock_customer(customer);
	n := row(p_id, billing.customer_tenant(customer), 'refund',
		case when p_doc -> 'refunded' = 'true' then 'refund_full' else 'refund_partial' end, p_id,
		billing.id_of(p_doc -> 'invoice'), p_doc ->> 'status', billing.whole_of(p_doc -> 'amount_refunded'),
		p_doc ->> 'currency', null, billing.time_of(p_doc -> 'created'), null, null, null);
	if fault is not null then
		return sync.reject(p_kind, p_id, p_version, fault);
	elsif n.tenant_id is null then
		return sync.keep_orphan(p_kind, p_id, p_version, customer);
	elsif coalesce(n.amount, 0) = 0 and not exists (select from billing.disputes d where d.id = p_id) then
		return sync.finish(p_kind, p_id, p_version, 'done', '{}');
	end if;
	perform billing.watch_words(n.tenant_id, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.put_dispute(n, 'refunded', p_id || ':' || n.amount));
end
$$;

reset role;
