-- The billing page. Row-level security decides what is shown, as for the workspace page.

set role tollgate_owner;

drop function if exists billing.dates_document(billing.subscriptions);	-- unused: billing.next_document says it

-- A sentence of the page: "line" is its element's id, "label" the name of its text.
create or replace function billing.line_document(p_kind text, p_at timestamptz, p_amount jsonb default null,
	p_plan text default null) returns jsonb
language plpgsql stable as $$
begin
	return jsonb_build_object('kind', p_kind, 'label', 'next_' || p_kind,
		'line', nullif(replace(p_kind, '_', '-') || '-on', 'nothing-on'), 'date', api.date_document(p_at),
		'amount', p_amount, 'coming', 'plan_' || p_plan);
end
$$;

-- When the schedule changes the plan; null: it does not. A phase that keeps the price, and changes the quantity or a
-- discount, is a renewal, whose amount the preview says.
create or replace function billing.changes_at(s billing.subscriptions) returns timestamptz
language sql immutable as $$
	select case when s.coming_price is distinct from s.price then s.coming_at end
$$;

-- The next event of a subscription whose payments are up to date: it renews, changes, ends, or collection resumes.
create or replace function billing.regular_next(s billing.subscriptions) returns jsonb
language plpgsql stable as $$
declare
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
	renews timestamptz := case s.status when 'trialing' then s.trial_end else s.renews_at end;
	rule text := case s.status when 'trialing' then billing.card_state(s) ->> 'rule' end;
	changes timestamptz := billing.changes_at(s);
begin
	return case
		when ends <= renews or ends is not null and renews is null then billing.line_document('ends', ends)
		when renews is null then billing.line_document('nothing', null)
		when rule in ('cancel', 'pause') then billing.line_document('card_' || rule, renews)
		when not billing.collects_at(s, renews)
			then case s.status when 'trialing'
				then billing.line_document('trial_ends', renews) || '{"label": "next_trial_uncollected"}'
				else billing.line_document('collection_resumes', s.pause_resumes_at) end
		when s.status = 'trialing'
			then billing.line_document('trial_ends', renews, billing.next_amount(s))
				|| case s.collection_method when 'send_invoice' then '{"label": "next_trial_invoice"}'
					else '{}' end::jsonb
		when changes < renews then billing.line_document('changes', changes, null, s.coming_plan)
		when changes = renews
			then billing.line_document('changes', renews, billing.next_amount(s), s.coming_plan)
		else billing.line_document(case s.collection_method when 'send_invoice' then 'invoice' else 'renews' end,
			renews, billing.next_amount(s)) end;
end
$$;

-- What happens next to the subscription if nothing is changed, and its amount where that is known.
create or replace function billing.next_document(s billing.subscriptions) returns jsonb
language plpgsql stable as $$
declare
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
	grace timestamptz := case when s.status = 'past_due' then billing.grace_end(s.plan, s.past_due_since) end;
	over timestamptz := least(grace, ends);
	retry_at timestamptz;
	due jsonb;
begin
	if s.status in ('active', 'trialing') then
		return billing.regular_next(s);
	elsif s.status in ('past_due', 'unpaid', 'incomplete') then
		select i.next_attempt_at, api.amount_document(i.amount_due - coalesce(i.amount_paid, 0), i.currency)
		into retry_at, due
		from billing.invoices i where i.subscription_id = s.id and i.status = 'open' and i.next_attempt_at > now()
		order by i.next_attempt_at limit 1;
	end if;
	return case
		when retry_at is not null and (over is null or over <= now() or retry_at <= over)
			then billing.line_document('retry', retry_at, due)
		when over > now() and over = grace then billing.line_document('grace_ends', grace)
			|| case when billing.is_given_up(s) then '{"label": "next_ends_then"}' else '{}' end::jsonb
		when over > now() and s.status = 'past_due' then billing.line_document('ends', ends)
		when s.ended_at is not null then billing.line_document('ended', s.ended_at)
		else billing.line_document('nothing', null) end;
end
$$;

-- Until when paused collection still grants the plan. Null: to its end, or no longer.
create or replace function billing.pause_end(s billing.subscriptions) returns timestamptz
language plpgsql stable as $$
declare
	grace timestamptz;
begin
	if exists (select from billing.pause_rules r where r.behavior = s.pause_behavior and r.grants = 'grace') then
		grace := billing.grace_end(s.plan, s.paused_since);
	end if;
	return case when not billing.collects_at(s, grace) then grace end;
end
$$;

-- What is planned after that, in order: a change by the schedule, and the end; and a change that waits for a payment.
-- The end of the plan's grace while collection is paused is one of them, and so is when it resumes after a trial.
create or replace function billing.later_documents(s billing.subscriptions, p_next jsonb) returns jsonb
language plpgsql stable as $$
declare
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
	pause_end timestamptz := case when s.pause_behavior is not null and s.status in ('active', 'trialing')
		then billing.pause_end(s) end;
	resumes timestamptz := case p_next ->> 'label' when 'next_trial_uncollected' then s.pause_resumes_at end;
begin
	if coalesce(s.coming_at, ends, s.pending_until, pause_end, resumes) is null then
		return '[]'::jsonb;
	end if;
	return (
		select coalesce(jsonb_agg(billing.line_document(v.kind, v.at, null, v.plan)
			|| case v.kind when 'ends' then '{"label": "next_ends_then"}' else '{}' end::jsonb order by v.at), '[]')
		from (values ('changes', billing.changes_at(s), s.coming_plan), ('ends', ends, null),
			('pause_grace', pause_end, null), ('collection_resumes', resumes, null),
			('waits', s.pending_until, s.pending_plan)) v (kind, at, plan)
		where v.at > now() and s.ended_at is null and v.kind <> p_next ->> 'kind'
			and (v.kind not in ('changes', 'pause_grace', 'collection_resumes') or coalesce(v.at < ends, true)));
end
$$;

drop function if exists billing.entitlement_document(uuid);	-- unused: billing.standing has what is shown

-- The newest open invoice of the subscription that its page at Stripe takes a payment for. Without an open one, it is
-- the newest that was given up: its page takes the payment too. Row-level security shows managers only.
create or replace function billing.open_invoice(p_subscription text) returns jsonb
language plpgsql stable as $$
begin
	return (
		select jsonb_build_object('url', i.hosted_url,
			'amount', api.amount_document(i.amount_due - coalesce(i.amount_paid, 0), i.currency))
		from billing.invoices i where i.subscription_id = p_subscription and i.status in ('open', 'uncollectible')
			and i.hosted_url is not null
		order by i.status = 'open' desc, i.created_at desc nulls last, i.id limit 1);
end
$$;

-- One main button: what there is to do, else subscribe where the user may, else what the standing says, and managing
-- where there is nothing else. While the subscription that is decided is live, nothing is looked up: a live one comes
-- before an ended one.
create or replace function billing.account_document(mine jsonb, decision jsonb, current billing.subscriptions)
	returns jsonb
language plpgsql stable as $$
declare
	tenant uuid := mine ->> 'id';
	standing jsonb := billing.standing(decision || jsonb_build_object('tenant', tenant), current);
	can_subscribe boolean := case when mine ->> 'role' = 'role_member' or billing.is_live(current.status) then false
		else billing.checkout_state(tenant) = 'open' end;
	next jsonb := billing.next_document(current);
	todo jsonb := billing.todo_document(current, mine);
	pay jsonb := case when standing ->> 'main' = 'pay' and todo is null then billing.open_invoice(current.id) end;
begin
	return standing - 'main' || jsonb_build_object('can_subscribe', can_subscribe, 'pay', pay,
		'manage_first', not can_subscribe and pay is null and todo ->> 'button' is null, 'todo', todo,
		'next', next, 'later', billing.later_documents(current, next));
end
$$;

-- Unused. Not in a migration, because until this commit the earlier page calls it.
drop function if exists billing.account_document(app.members);
drop function if exists billing.account_document(jsonb);

reset role;

set role tollgate_page;

-- The billing page; {"closed"} when the tenant to show keeps the user out. Invoices, payments and notices are shown to
-- managers of the tenant only.
create or replace function api.billing_page(p_tenant uuid default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
	me record := app.enter_page();
	closed jsonb := app.closed_tenants(me.user_id);
	is_closed boolean := closed @> jsonb_build_array(jsonb_build_object('id', p_tenant));
	own record;
	lists record;
	mine jsonb;
	decision jsonb;
	page jsonb;
begin
	select coalesce(jsonb_agg(app.tenant_document(t.id, t.name, t.current, t.role) order by t.since, t.id), '[]')
		as tenants, (array_agg(t.id) filter (where t.current))[1] as id
	into own from app.tenants_of(me.user_id, case when not is_closed then p_tenant end) t;
	if not is_closed and own.id is null and p_tenant is not null then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif is_closed or own.id is null and closed <> '[]' then
		return '{"closed": true}'::jsonb;
	elsif own.id is null then
		return jsonb_build_object('email', me.email, 'account', null);
	end if;
	mine := jsonb_path_query_first(own.tenants, '$[*] ? (@.current == true)');
	decision := billing.decision(own.id);
	select l.* into lists
	from billing.page_lists(own.id, decision ->> 'subscription', mine ->> 'role' <> 'role_member') l;
	page := lists.document || jsonb_build_object('email', me.email, 'tenant', own.id, 'name', mine -> 'name',
		'account', billing.account_document(mine, decision, lists.decided) || lists.of_account,
		'tenants', own.tenants, 'several', jsonb_array_length(own.tenants) > 1) || usage.card(own.id, decision);
	return page || case when page #>> '{account,todo,kind}' = 'resuming' then '{"refresh": 2}'::jsonb else '{}' end;
end
$$;

reset role;
