-- What the billing page asks of its reader, or says of others who have to act: one thing at a time.

set role tollgate_owner;

-- An invoice that is paid by its link; none that its subscription has left open at its end, which buys nothing any
-- more. Only one of a live subscription is spoken of as overdue: its plan hangs on it. Row-level security shows it to
-- managers.
create or replace function billing.invoice_todo(p_tenant uuid) returns jsonb
language plpgsql stable as $$
begin
	return (
		select jsonb_build_object('kind', k.kind, 'label', 'todo_' || k.kind, 'text', 'todo_' || k.kind || '_text',
			'date', api.date_document(i.due_at), 'amount', api.amount_document(i.amount_due
				- coalesce(i.amount_paid, 0), i.currency),
			'url', i.hosted_url, 'button', 'todo_pay')
		from billing.invoices i left join billing.subscriptions s on s.id = i.subscription_id
			cross join lateral (select case when billing.is_live(s.status)
				and (i.due_at <= now() or s.status in ('past_due', 'unpaid')) then 'overdue' else 'due' end) k (kind)
		where i.tenant_id = p_tenant and i.status = 'open' and i.collection_method = 'send_invoice'
			and i.amount_due > 0 and (s.id is null or billing.is_live(s.status) or i.created_at >= s.ended_at)
		order by i.due_at, i.id limit 1);
end
$$;

-- A card that is missing, and a paused subscription, which goes on once its user says so.
create or replace function billing.card_todo(s billing.subscriptions) returns jsonb
language plpgsql stable as $$
declare
	state jsonb;
	kind text;
	unpaid text;
begin
	if coalesce(s.status, '') not in ('trialing', 'paused') then
		return null;
	end if;
	state := billing.card_state(s);
	select i.hosted_url into unpaid from billing.invoices i
	where s.status = 'paused' and i.subscription_id = s.id and i.status = 'open' order by i.created_at desc limit 1;
	kind := case
		when s.status = 'trialing' then 'card_' || (state ->> 'rule')
		when state -> 'looked_at' = 'true' then 'resuming'
		when unpaid is not null then 'resume_pay'
		when state -> 'lacks' = 'true' then 'paused_card'
		else 'resume' end;
	return case when kind is not null then jsonb_build_object('kind', kind, 'label', 'todo_' || kind,
		'text', 'todo_' || kind || '_text',
		'date', api.date_document(case s.status when 'trialing' then s.trial_end end),
		'url', case kind when 'resume_pay' then unpaid end, 'button', case kind
			when 'resuming' then null when 'resume_pay' then 'todo_pay' when 'resume' then 'todo_resume_button'
			else 'todo_card_button' end,
		'action', case when kind = 'resume' then 'resume' when kind like '%card%' then 'card' end) end;
end
$$;

-- A bank account that its owner has to prove. Where is for managers, to whom row-level security shows the invoice.
create or replace function billing.verify_todo(s billing.subscriptions, p_manages boolean) returns jsonb
language plpgsql stable as $$
declare
	page text;
begin
	if not billing.wants_amounts(s.id) then
		return null;
	end if;
	select i.verify_url into page from billing.invoices i
	where p_manages and i.subscription_id = s.id and i.status = 'open' and i.unverified
	order by i.created_at desc limit 1;
	return jsonb_build_object('kind', 'verify', 'label', 'todo_verify',
		'text', case when p_manages then 'todo_verify_text' else 'todo_verify_other_text' end,
		'url', page, 'button', case when page is not null then 'todo_verify_button' end);
end
$$;

-- {"kind", "label", "text", "date", "amount", "button" and "url" or "action"}; null: nothing. Label, text and button
-- are names of texts. Without an url and an action there is nothing to do but wait.
create or replace function billing.todo_document(s billing.subscriptions, mine jsonb) returns jsonb
language plpgsql stable as $$
declare
	tenant uuid := mine ->> 'id';
	waits_since timestamptz := billing.bank_wait(tenant);
	verify jsonb := billing.verify_todo(s, mine ->> 'role' <> 'role_member');
begin
	if verify is not null then
		return verify;
	end if;
	if waits_since is not null then
		return jsonb_build_object('kind', 'bank', 'label', 'todo_bank', 'text', 'todo_bank_text',
			'date', api.date_document(waits_since));
	end if;
	waits_since := billing.debit_since(s.id);
	if waits_since is not null then
		return jsonb_build_object('kind', 'debit', 'label', 'todo_bank', 'text', 'todo_debit_text',
			'date', api.date_document(waits_since));
	end if;
	return case when mine ->> 'role' <> 'role_member' then
		coalesce(billing.card_todo(s), billing.invoice_todo(tenant)) end;
end
$$;

reset role;
