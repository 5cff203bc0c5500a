-- What a person may do with a plan, in one table: the badge, the sentence below it, and the page's main button.

set role tollgate_owner;

-- Each state of a plan: the badge, a style class (good: all may be used; warn: all may be used for now, something is
-- under way, or nothing was bought yet; bad: nothing may be used), and what the main button does: pay the open invoice,
-- manage, or subscribe.
create or replace function billing.standings() returns jsonb
language sql immutable as $$
	select '{
		"active": ["active", "good", "manage"],
		"uncollected": ["uncollected", "warn", "manage"],
		"change_waits": ["active", "good", "pay"],
		"trialing": ["trialing", "good", "manage"],
		"past_due_grace": ["past_due", "warn", "pay"],
		"grace_over": ["past_due", "bad", "pay"],
		"sent_past_due_grace": ["past_due", "warn", "pay"],
		"sent_grace_over": ["past_due", "bad", "pay"],
		"confirm_past_due_grace": ["past_due", "warn", "pay"],
		"confirm_grace_over": ["past_due", "bad", "pay"],
		"unpaid": ["unpaid", "bad", "pay"],
		"given_up_past_due_grace": ["past_due", "warn", "manage"],
		"given_up_grace_over": ["past_due", "bad", "manage"],
		"given_up_unpaid": ["unpaid", "bad", "manage"],
		"verify": ["verify", "warn", "manage"],
		"verify_past_due_grace": ["past_due", "warn", "manage"],
		"verify_grace_over": ["past_due", "bad", "manage"],
		"bank": ["bank", "warn", "manage"],
		"debit": ["bank", "warn", "manage"],
		"debit_late": ["bank", "bad", "manage"],
		"incomplete": ["incomplete", "warn", "pay"],
		"incomplete_expired": ["incomplete_expired", "bad", "subscribe"],
		"collection_paused": ["uncollected", "bad", "manage"],
		"paused": ["paused", "bad", "manage"],
		"disputed": ["disputed", "bad", "manage"],
		"dispute_lost": ["disputed", "bad", "pay"],
		"free": ["free", "good", "subscribe"],
		"canceled": ["canceled", "bad", "subscribe"],
		"ended": ["canceled", "bad", "subscribe"],
		"no_subscription": ["pending", "warn", "subscribe"],
		"no_plan": ["unchosen", "warn", "subscribe"],
		"unknown_status": ["unknown", "warn", "manage"],
		"unknown_price": ["unknown", "warn", "manage"],
		"override": ["granted", "good", "manage"],
		"override_denied": ["withheld", "bad", "manage"]
	}'::jsonb
$$;

-- The plan, names of texts, the class and the main button. The state is the entitlement's reason, or a word of what the
-- reason does not tell. p_entitlement names the tenant too where a tenant may have bought nothing.
create or replace function billing.standing(p_entitlement jsonb, s billing.subscriptions) returns jsonb
language plpgsql stable as $$
declare
	reason text := p_entitlement ->> 'reason';
	word text := case
		when reason = 'override' and p_entitlement -> 'allowed' = 'false' then 'override_denied'
		when reason in ('active', 'past_due_grace') and billing.debit_since(s.id) is not null then 'debit'
		when reason in ('grace_over', 'unpaid') and billing.debit_since(s.id) is not null then 'debit_late'
		when reason in ('active', 'trialing') and not billing.collects_at(s, now()) then 'uncollected'
		when reason = 'active' and s.pending_until > now() then 'change_waits'
		when reason in ('past_due_grace', 'grace_over', 'unpaid') and billing.is_given_up(s) then 'given_up_' || reason
		when reason in ('past_due_grace', 'grace_over') and s.collection_method = 'send_invoice' then 'sent_' || reason
		when reason in ('past_due_grace', 'grace_over') and billing.wants_confirmation(s.id) then 'confirm_' || reason
		when reason in ('past_due_grace', 'grace_over') and billing.wants_amounts(s.id) then 'verify_' || reason
		when reason = 'disputed' and not exists (select from billing.restricting_disputes(s.tenant_id, s.created_at,
			now()) d where d.policy <> 'dispute_lost') then 'dispute_lost'
		when reason = 'incomplete' and billing.wants_amounts(s.id) then 'verify'
		when reason = 'incomplete' and billing.bank_wait(s.tenant_id) is not null then 'bank'
		when reason = 'no_subscription' and billing.checkout_state((p_entitlement ->> 'tenant')::uuid) = 'open'
			then 'no_plan'
		else reason end;
	known jsonb := coalesce(billing.standings() -> word, '["unknown", "warn", "manage"]'::jsonb);
begin
	return jsonb_build_object(
		'plan', 'plan_' || case when word in ('free', 'override')
			then coalesce(p_entitlement ->> 'plan', s.plan) else s.plan end,
		'status', 'status_' || (known ->> 0), 'status_class', known -> 1,
		'reason', 'reason_' || case when billing.standings() ? word then word else 'unknown_status' end,
		'main', known -> 2);
end
$$;

drop function if exists billing.standing_key(jsonb, billing.subscriptions);	-- unused: a part of billing.standing()
drop function if exists billing.tenant_standing(uuid);	-- unused: the workspace asks for all tenants at once

reset role;
