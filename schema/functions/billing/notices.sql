-- What customers are told about their money: one notification and one mail for each fact. The facts come from the
-- stored state, not from the kind or number of events.

set role tollgate_service;

-- What a mail about a subscription says beside its fact: the plan, and without an amount the price at a renewal. Not
-- beside what is apart from any.
create or replace function billing.mail_facts(n billing.notifications) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((
		select jsonb_strip_nulls(jsonb_build_object('plan', 'plan_' || s.plan,
			'price', case when not n.payload ? 'amount' then billing.price_document(s) end))
		from billing.shown_subscription(n.tenant_id) s where not n.payload ? 'apart'), '{}') || n.payload;
end
$$;

-- To owners and admins, each in their own language. While the tenant is offered, to the checkout's address, with a link
-- that accepts it: this comes first, so that a user who accepts meanwhile is told by one of the two.
create or replace function billing.mail_notice(n billing.notifications) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	key text := concat_ws(':', 'notice', n.tenant_id, n.kind, n.fact);
	template text := 'notice_' || n.kind;
	data jsonb := billing.mail_facts(n) || jsonb_build_object('tenant', n.tenant_id);
begin
	if (select k.mailed from billing.notice_kinds k where k.kind = n.kind) is not true then
		return;
	end if;
	perform auth.ask_link(concat_ws(':', key, o.user_id), template, data, 'offer',
		billing.offer_address(o.email, o.user_id),
		billing.mail_language(o.user_id), p_user => o.user_id, p_tenant => o.tenant_id,
		p_next => '/settings/billing?tenant=' || o.tenant_id)
	from app.offers o where o.tenant_id = n.tenant_id and o.accepted_at is null;
	insert into mail.outbox (key, recipient, template, language, data)
	select concat_ws(':', key, c ->> 'user'), c ->> 'email', template, c ->> 'language', data
	from jsonb_array_elements(auth.contacts(array(
		select m.user_id from app.members m where m.tenant_id = n.tenant_id and m.role in ('owner', 'admin')))) c
	on conflict do nothing;
end
$$;

drop function if exists billing.tell(uuid, text, text, jsonb);	-- before p_at; here, so that no call finds neither

-- p_at: when it happened by Stripe's clock. False when the fact was told before.
create or replace function billing.tell(p_tenant uuid, p_kind text, p_fact text, p_payload jsonb,
	p_at timestamptz default null) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	told billing.notifications;
begin
	insert into billing.notifications (tenant_id, kind, fact, payload, happened_at)
	values (p_tenant, p_kind, p_fact, jsonb_strip_nulls(p_payload), least(p_at, now()))
	on conflict (tenant_id, kind, fact) do nothing returning * into told;
	if told.id is null then
		return false;
	end if;
	perform billing.mail_notice(told);
	return true;
end
$$;

-- Mails a fact that the billing page shows by itself, and so keeps no notice of.
create or replace function billing.mail_fact(p_tenant uuid, p_kind text, p_fact text, p_payload jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	n billing.notifications;
begin
	n.tenant_id := p_tenant;
	n.kind := p_kind;
	n.fact := p_fact;
	n.payload := jsonb_strip_nulls(p_payload);
	perform billing.mail_notice(n);
end
$$;

-- When what waiting events say of this object happened, by Stripe's clock: the latest of p_type, else of any type. Null
-- without such an event.
create or replace function billing.event_time(p_kind text, p_id text, p_type text default null) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select e.created from inbox.events e
		where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done' and e.created is not null
		order by e.type is not distinct from p_type desc, e.created desc limit 1);
end
$$;

-- When a tenant gets its first owner, mail them the earlier notices whose invoice is still open, and the receipts.
create or replace function billing.mail_open_notices(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.mail_notice(n) from billing.notifications n
		join billing.invoices i on i.id = n.payload ->> 'invoice'
	where n.tenant_id = p_tenant and i.status = 'open'
		and (n.kind in ('action_required', 'invoice_sent', 'invoice_overdue')
			or n.kind = 'payment_failed' and n.fact = i.id || ':' || i.attempt_count);
	perform billing.mail_receipt(i) from billing.invoices i where i.tenant_id = p_tenant;
end
$$;

-- What waiting events say about this object that no state of it shows. Events of a dead-lettered or orphaned object
-- wait too: they are done with it.
create or replace function billing.hints_of(p_kind text, p_id text) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select distinct k.kind from inbox.events e join billing.notice_kinds k on k.event = e.type
		where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done');
end
$$;

-- apart: the invoice is of no subscription, so that no plan hangs on it.
create or replace function billing.invoice_payload(i billing.invoices) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('invoice', i.id, 'url', i.hosted_url,
		'amount', api.amount_document(
			i.amount_due - case i.status when 'open' then coalesce(i.amount_paid, 0) else 0 end, i.currency),
		'date', api.date_document(i.next_attempt_at), 'apart', nullif(i.subscription_id is null, false),
		'plan', 'plan_' || (select s.plan from billing.subscriptions s where s.id = i.subscription_id));
end
$$;

-- An invoice that the customer pays by its link: told when it is sent, and again once it is overdue, with the end of
-- the plan's grace. One that was overdue when it was first seen is told as that.
create or replace function billing.tell_sent(i billing.invoices, p_overdue boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	s billing.subscriptions;
	payload jsonb := billing.invoice_payload(i) || jsonb_build_object('date', api.date_document(i.due_at));
begin
	if not (i.status = 'open' and i.amount_due > 0) or i.collection_method is distinct from 'send_invoice' then
		return;
	end if;
	select b.* into s from billing.subscriptions b where b.id = i.subscription_id;
	if s.status in ('past_due', 'unpaid') or i.due_at <= now() or p_overdue then
		perform billing.tell(i.tenant_id, 'invoice_overdue', i.id, payload || jsonb_build_object('until',
			case when s.id is not null then
				api.date_document(billing.grace_end(s.plan, coalesce(s.past_due_since, now()))) end), i.due_at)
		where coalesce(billing.is_live(s.status), true);
	else
		perform billing.tell(i.tenant_id, 'invoice_sent', i.id, payload, i.created_at);
	end if;
end
$$;

-- Stripe need not report that an invoice is overdue: the date is looked at too.
create or replace function billing.tell_overdue() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.tell_sent(i, true) from billing.invoices i
	where i.status = 'open' and i.due_at <= now() and not exists (
		select from billing.notifications n
		where n.tenant_id = i.tenant_id and n.kind = 'invoice_overdue' and n.fact = i.id);
end
$$;

-- When this attempt has failed, by its event, which is through once its payment intent is known; null: no such event.
create or replace function billing.failed_at(i billing.invoices) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select max(e.created) from inbox.events e
		where e.object_kind = 'invoice' and e.object_id = i.id and e.type = 'invoice.payment_failed'
			and convert_from(e.raw, 'UTF8')::jsonb #> '{data,object,attempt_count}' = to_jsonb(i.attempt_count));
exception when data_exception then
	return null;
end
$$;

-- An attempt has failed when Stripe says so, or when the subscription is unpaid. An open invoice alone is not enough: a
-- bank debit takes days. Nothing is attempted with an invoice that the customer pays by its link.
create or replace function billing.tell_failure(i billing.invoices, p_hinted boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if i.collection_method is distinct from 'send_invoice'
		and i.status = 'open' and i.attempt_count > 0 and (p_hinted or i.bank_since is null and exists (
			select from billing.subscriptions s
			where s.id = i.subscription_id and s.status in ('past_due', 'unpaid'))) then
		perform billing.tell(i.tenant_id, 'payment_failed', i.id || ':' || i.attempt_count, billing.invoice_payload(i),
			coalesce(billing.failed_at(i), billing.event_time('invoice', i.id, 'invoice.payment_failed'),
				case i.attempt_count when 1 then i.created_at end));
	end if;
end
$$;

-- The receipt of an invoice, and when the next payment is due. Not long after it was paid: the outbox forgets what it
-- has sent.
create or replace function billing.mail_receipt(i billing.invoices) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if i.status = 'paid' and i.amount_paid > 0 and i.paid_at > now() - interval '168 hours' then
		perform billing.mail_fact(i.tenant_id, 'paid', i.id, billing.invoice_payload(i) || jsonb_build_object(
			'amount', api.amount_document(i.amount_paid, i.currency), 'date', api.date_document(i.paid_at),
			'renews', billing.renewal_document(s)))
		from (select i.subscription_id) o left join billing.subscriptions s on s.id = o.subscription_id;
	end if;
end
$$;

-- The customer has to confirm the payment at the bank.
create or replace function billing.tell_action(i billing.invoices) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.tell(i.tenant_id, 'action_required', i.id, billing.invoice_payload(i),
		coalesce(billing.event_time('invoice', i.id, 'invoice.payment_action_required'), i.created_at));
end
$$;

-- Whether a later invoice of its subscription has failed too: the plan hangs on that one.
create or replace function billing.is_failing_later(i billing.invoices) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from billing.invoices o
		where o.subscription_id = i.subscription_id and o.created_at > i.created_at and o.status = 'open'
			and o.attempt_count > 0);
end
$$;

-- Where there is a payment intent, it says whether an attempt has failed: a bank may have it under way, or want it
-- confirmed. Who has paid has recovered once nothing else has failed since, and unless the subscription has ended.
create or replace function billing.tell_invoice(i billing.invoices, p_hints text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	hinted boolean := 'payment_failed' = any (p_hints);
begin
	perform billing.tell_failure(i, hinted) where i.intent is null;
	perform billing.tell_sent(i, 'invoice_overdue' = any (p_hints));
	if i.action_required then
		perform billing.tell_action(i);
	elsif i.status = 'paid' and exists (
			select from billing.notifications n where n.tenant_id = i.tenant_id and n.kind = 'payment_failed'
				and n.payload ->> 'invoice' = i.id) and not exists (
			select from billing.subscriptions s where s.id = i.subscription_id and not billing.is_live(s.status))
			and not billing.is_failing_later(i) then
		perform billing.tell(i.tenant_id, 'recovered', i.id, billing.invoice_payload(i)
			|| jsonb_build_object('amount', api.amount_document(i.amount_paid, i.currency),
				'date', api.date_document(i.paid_at)), i.paid_at);
	else
		perform billing.mail_receipt(i);
	end if;
end
$$;

-- Whether its invoices are sent, for the customer to pay: true or null.
create or replace function billing.is_sent(s billing.subscriptions) returns boolean
language sql immutable as $$
	select nullif(s.collection_method is not distinct from 'send_invoice', false)
$$;

-- A trial that ends soon: with a card, the first payment is announced; without one, a card is asked for. A plan that
-- ends with its trial, and a payment that is not collected, are not announced.
create or replace function billing.tell_trial(s billing.subscriptions, p_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	trial text := s.id || ':' || extract(epoch from s.trial_end)::bigint;
begin
	perform billing.tell(s.tenant_id, coalesce('card_' || billing.card_rule(s), 'trial_will_end'), trial,
		jsonb_build_object('plan', 'plan_' || s.plan, 'date', api.date_document(s.trial_end),
			'sent', billing.is_sent(s)), p_at)
	where billing.collects_at(s, s.trial_end) and coalesce(billing.scheduled_end(s.cancel_at, s.cancel_at_period_end,
			s.period_end) > s.trial_end, true) and not exists (
		select from billing.notifications n where n.tenant_id = s.tenant_id and n.fact = trial
			and n.kind in ('trial_will_end', 'card_cancel', 'card_pause', 'card_create_invoice'));
end
$$;

-- Notices that only events announce. An event that arrives after its period or trial is over is not told: its time
-- decides.
create or replace function billing.tell_hints(s billing.subscriptions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	hint record;
	plan text := 'plan_' || s.plan;
begin
	for hint in
		select k.kind, coalesce(e.created, e.received_at) as at from inbox.events e
			join billing.notice_kinds k on k.event = e.type
		where e.object_kind = 'subscription' and e.object_id = s.id and e.state <> 'done'
	loop
		if hint.kind = 'upcoming' and s.status in ('active', 'trialing', 'past_due') and hint.at >= s.period_start
				and hint.at < s.renews_at and billing.collects_at(s, s.renews_at) and billing.renews(s) then
			perform billing.tell(s.tenant_id, 'upcoming', s.id || ':' || extract(epoch from s.renews_at)::bigint,
				jsonb_build_object('plan', plan, 'date', api.date_document(s.renews_at), 'sent', billing.is_sent(s)),
				hint.at);
		elsif hint.kind = 'trial_will_end' and s.status = 'trialing' and s.trial_end > hint.at
				and s.trial_end <= hint.at + interval '4 days' then
			perform billing.tell_trial(s, hint.at);
		end if;
	end loop;
end
$$;

-- When the next payment is due. Null when none is: the subscription ends or is paused before, or Stripe collects none
-- then; and when the stored period is over, because the next one is yet to be fetched.
create or replace function billing.renewal_document(s billing.subscriptions) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when billing.renews(s) and s.renews_at > now() and billing.collects_at(s, s.renews_at)
			and coalesce(billing.card_rule(s), 'create_invoice') = 'create_invoice' then
		api.date_document(s.renews_at) end;
end
$$;

-- Another plan or price, and an end that is scheduled, moved or taken back. Each is a difference between the stored row
-- and the fetched one, so the time of the write names it.
create or replace function billing.tell_change(p_before billing.subscriptions, s billing.subscriptions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	was timestamptz := billing.scheduled_end(p_before.cancel_at, p_before.cancel_at_period_end, p_before.period_end);
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
	fact text := concat_ws(':', s.id, extract(epoch from now()));
	facts jsonb := jsonb_build_object('plan', 'plan_' || s.plan, 'price', billing.price_document(s));
begin
	if not (billing.is_live(p_before.status) and billing.is_live(s.status)) then
		return;
	end if;
	if p_before.price <> s.price and billing.plan_of(s.price) is not null then
		perform billing.mail_fact(s.tenant_id, 'plan_changed', fact, facts || jsonb_build_object(
			'from', 'plan_' || nullif(p_before.plan, s.plan), 'date', billing.renewal_document(s)));
	end if;
	if ends is distinct from was then
		perform billing.mail_fact(s.tenant_id, case when ends is null then 'cancel_undone' else 'cancel_scheduled' end,
			fact, facts || jsonb_build_object('date', coalesce(api.date_document(ends), billing.renewal_document(s))));
	end if;
end
$$;

-- A subscription that was over when it was first seen is not told, nor is one that never began.
create or replace function billing.tell_subscription(p_before billing.subscriptions, s billing.subscriptions,
	p_reason text)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if billing.is_live(p_before.status) and s.status = 'canceled' and (p_before.status <> 'incomplete' or exists (
			select from billing.invoices i
			where i.tenant_id = s.tenant_id and i.subscription_id = s.id and i.status = 'paid')) then
		perform billing.tell(s.tenant_id, 'canceled', s.id,
			jsonb_build_object('plan', 'plan_' || s.plan, 'reason', p_reason,
				'date', api.date_document(coalesce(s.ended_at, s.canceled_at))), coalesce(s.ended_at, s.canceled_at));
	end if;
	perform billing.tell_change(p_before, s) where p_before.id is not null;
	if p_before.status in ('trialing', 'active') and s.status = 'paused' then
		perform billing.tell(s.tenant_id, 'paused',
			s.id || ':' || coalesce(extract(epoch from s.period_end)::bigint, 0),
			jsonb_build_object('plan', 'plan_' || s.plan, 'trial', nullif(p_before.status = 'trialing', false)),
			billing.event_time('subscription', s.id, 'customer.subscription.paused'));
	end if;
	if s.status in ('past_due', 'unpaid') then
		perform billing.tell_sent(i, true) from billing.invoices i where i.subscription_id = s.id and i.status = 'open';
		perform billing.tell_failure(i, false) from billing.invoices i
		where i.subscription_id = s.id and i.status = 'open' and i.intent is null;
		perform sync.mark('payment_intent', i.intent) from billing.invoices i		-- which then tells it
		where i.subscription_id = s.id and i.status = 'open' and i.intent is not null;
	end if;
	perform billing.tell_hints(s);
end
$$;

-- The plan of a checkout, and its price as far as it is known: the subscription's, else Stripe's price, else the
-- configured one.
create or replace function billing.bought(c billing.checkouts) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_strip_nulls(jsonb_build_object('plan', 'plan_' || c.plan, 'price', coalesce(
		(select billing.price_document(s) from billing.subscriptions s
			where s.tenant_id = c.tenant_id and s.plan = c.plan limit 1),
		coalesce((select api.amount_document(p.amount, p.currency) from billing.prices p where p.id = c.price),
			(select api.amount_document(p.amount, p.currency) from billing.plans p where p.id = c.plan))
			|| case when c.metered <> '{}' then '{"usage": true}'::jsonb else '{}' end),
		'renews', (select billing.renewal_document(s) from billing.subscriptions s
			where s.tenant_id = c.tenant_id and s.plan = c.plan limit 1)));
end
$$;

-- The payment of a sign-up has failed: the typed address is told, because the tenant has no owner yet. Managers of an
-- active tenant are told about the invoice instead.
create or replace function billing.tell_checkout(c billing.checkouts) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into mail.outbox (key, recipient, template, language)
	select concat_ws(':', 'failed', c.tenant_id, c.session_id), c.email, 'failed', c.language
	where exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft')
	on conflict (key) do nothing;
end
$$;

-- Marks a notice as seen, by anybody who manages the tenant.
create or replace function api.see_notice(p_id bigint, p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
begin
	update billing.notifications n set seen_at = coalesce(n.seen_at, now()), user_id = coalesce(n.user_id, me)
	where n.id = p_id and n.tenant_id = coalesce(p_tenant, n.tenant_id)
		and n.tenant_id = any (app.managed_tenants());
	if not found then
		raise exception 'no such notice' using errcode = 'TG404';
	end if;
	return null;
end
$$;

reset role;
