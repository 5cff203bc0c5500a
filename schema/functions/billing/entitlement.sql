-- What a tenant may use, now or at any earlier time: one function for pages, services and command line. It reads the
-- histories only, whose open rows are the present. Security invoker: a caller who may not see a tenant learns nothing
-- about it.

set role tollgate_owner;

-- A subscription that has not ended for good: its tenant needs no other.
create or replace function billing.is_live(p_status text) returns boolean
language sql immutable as $$
	select p_status not in ('canceled', 'incomplete_expired')
$$;

-- Stripe announces an end in one of two ways.
create or replace function billing.scheduled_end(p_cancel_at timestamptz, p_at_period_end boolean,
	p_period_end timestamptz)
	returns timestamptz
language sql immutable as $$
	select coalesce(p_cancel_at, case when p_at_period_end then p_period_end end)
$$;

-- Whether Stripe collects a payment that is due at p_at. Paused collection resumes at pause_resumes_at. Null: it has no
-- date, and the operator resumes it at Stripe.
create or replace function billing.collects_at(s billing.subscriptions, p_at timestamptz) returns boolean
language sql immutable as $$
	select s.pause_behavior is null or coalesce(s.pause_resumes_at <= p_at, false)
$$;

-- Whether a row of a history was the one in force. For the present it is the open row: a clock that was ahead when the
-- row was written then takes nothing away after it is corrected.
create or replace function billing.in_force(p_from timestamptz, p_to timestamptz, p_at timestamptz) returns boolean
language sql stable as $$
	select case when p_at >= now() then p_to is null else p_from <= p_at and (p_to is null or p_to > p_at) end
$$;

create or replace function billing.plan_at(p_plan text, p_at timestamptz) returns billing.plan_history
language plpgsql stable as $$
declare
	was billing.plan_history;
begin
	select h.* into was from billing.plan_history h
	where h.plan = p_plan and billing.in_force(h.from_at, h.to_at, p_at);
	return was;
end
$$;

-- Until when past due still grants, with the plan as it was at p_at. UTC: a day has 24 hours whatever the caller's time
-- zone is.
create or replace function billing.grace_end(p_plan text, p_since timestamptz, p_at timestamptz default now())
	returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return p_since + coalesce((billing.plan_at(p_plan, p_at)).grace, interval '7 days');
end
$$;

-- What one subscription grants. Ends are half-open: at the end it is over. While collection is paused, an unknown
-- behaviour grants no.
create or replace function billing.verdict_on(h billing.subscription_history, rule billing.status_rules,
	p_disputed boolean, p_at timestamptz) returns jsonb
language plpgsql stable as $$
declare
	pause text := 'yes';
	pause_grace timestamptz;
	ends timestamptz := billing.scheduled_end(h.cancel_at, h.cancel_at_period_end, h.period_end);
	grace timestamptz;
	reason text;
	allowed boolean;
begin
	if h.pause_behavior is not null and coalesce(h.pause_resumes_at > p_at, true) then
		pause := coalesce((select r.grants from billing.pause_rules r where r.behavior = h.pause_behavior), 'no');
	end if;
	if rule.grants = 'grace' then
		grace := billing.grace_end(h.plan, coalesce(h.past_due_since, h.from_at), p_at);
	end if;
	if pause = 'grace' then
		pause_grace := billing.grace_end(h.plan, coalesce(h.paused_since, h.from_at), p_at);
		pause_grace := case when h.pause_resumes_at <= pause_grace then null else pause_grace end;
	end if;
	reason := case
		when rule.status is null then 'unknown_status'
		when rule.grants = 'no' then rule.reason
		when h.plan is null then 'unknown_price'
		when ends <= p_at then 'ended'
		when grace <= p_at then 'grace_over'
		when pause = 'no' or pause_grace <= p_at then 'collection_paused'
		when p_disputed then 'disputed'
		else rule.reason end;
	allowed := coalesce(rule.grants <> 'no' and reason = rule.reason, false);
	return jsonb_build_object('allowed', allowed, 'plan', h.plan, 'reason', reason, 'subscription', h.subscription_id,
		'status', h.status,
		'until', case when allowed then api.date_document(least(ends, grace, pause_grace)) ->> 'iso' end);
end
$$;

-- The features of these plans together: each once, those of the best plan first.
create or replace function billing.features_at(p_plans text[], p_at timestamptz) returns jsonb
language plpgsql stable as $$
begin
	return (
		select coalesce(jsonb_agg(u.feature order by u.rank desc, u.plan, u.n), '[]') from (
			select distinct on (f.feature) f.feature, h.rank, h.plan, f.n
			from billing.plan_history h cross join unnest(h.features) with ordinality f (feature, n)
			where h.plan = any (p_plans) and billing.in_force(h.from_at, h.to_at, p_at)
			order by f.feature, h.rank desc, h.plan, f.n) u);
end
$$;

-- The free plan of that time, for a tenant that was there. Null: there is none.
create or replace function billing.free_plan(p_tenant uuid, p_at timestamptz) returns text
language plpgsql stable as $$
begin
	return (
		select h.plan from billing.plan_history h
		where h.free and billing.in_force(h.from_at, h.to_at, p_at)
			and exists (select from app.tenants t where t.id = p_tenant and t.status = 'active'
				and (p_at >= now() or t.created_at <= p_at)));
end
$$;

-- A dispute restricts what was bought before it began, by Stripe's clock. Later purchases are not affected. A lost one
-- ends with the next payment (billing.end_lost_disputes).
create or replace function billing.restricting_disputes(p_tenant uuid, p_bought timestamptz, p_at timestamptz)
	returns setof billing.disputes
language sql stable as $$
	select d.* from billing.disputes d join billing.dispute_rules e on e.kind = d.policy
	where d.tenant_id = p_tenant and e.effect = 'restrict' and billing.in_force(d.opened_at, d.closed_at, p_at)
		and coalesce(d.created_at >= p_bought, true)
$$;

-- What is said of a tenant: by its subscriptions, and by the operator (said: whether anything). Of several it is
-- the one that grants most; without a grant, one that is not over yet. plans: of all subscriptions that grant.
create or replace function billing.words_on(p_tenant uuid, p_at timestamptz)
	returns table (verdict jsonb, plans jsonb, said boolean, allowed boolean, plan text, until timestamptz)
language sql stable rows 1 as $$
	select b.verdict, b.plans, coalesce(o.said, false), o.allowed, o.plan, o.until
	from (select) one left join lateral (
			select v.verdict,
				jsonb_agg(to_jsonb(h.plans)) filter (where v.verdict -> 'allowed' = 'true') over () as plans
			from billing.subscription_history h
				left join billing.plan_history p on p.plan = h.plan and billing.in_force(p.from_at, p.to_at, p_at)
				left join billing.status_rules r on r.status = h.status
				cross join lateral billing.verdict_on(h, r, exists (
					select from billing.restricting_disputes(h.tenant_id, h.created_at, p_at)), p_at) v (verdict)
			where h.tenant_id = p_tenant and billing.in_force(h.from_at, h.to_at, p_at)
			order by v.verdict -> 'allowed' desc, billing.is_live(h.status) desc, p.rank desc nulls last,
				h.created_at desc nulls last, h.subscription_id limit 1) b on true
		left join (
			select true as said, h.allowed, h.plan, h.until from billing.override_history h
			where h.tenant_id = p_tenant and billing.in_force(h.from_at, h.to_at, p_at)
				and (h.until is null or h.until > p_at)) o on true
$$;

-- An override by the operator decides first; to a tenant without a live subscription its free plan is open. The plan is
-- the best one, and until is its end. Instead of features, which badges do not show, it has {"plans": [[...]...]}: all
-- that is paid for; if an override names a plan, that one. The rules of statuses and disputes are the present ones: a
-- migration that changes a rule must itself decide about the past.
--
-- It asks one statement, because to begin one costs a page more than what it computes.
create or replace function billing.decision(p_tenant uuid, p_at timestamptz default now()) returns jsonb
language plpgsql stable as $$
declare
	word record;
	answer jsonb := '{"allowed": false, "plan": null, "reason": "no_subscription", "until": null,
		"subscription": null, "status": null}'::jsonb;
	free text;
begin
	select w.* into word from billing.words_on(p_tenant, p_at) w;
	if word.verdict is not null then
		answer := word.verdict || jsonb_build_object('plans', word.plans);
	end if;
	if not coalesce(billing.is_live(answer ->> 'status'), false) or answer ->> 'reason' = 'ended' then
		free := billing.free_plan(p_tenant, p_at);
	end if;
	if free is not null then
		answer := answer || jsonb_build_object('allowed', true, 'plan', free, 'reason', 'free', 'until', null,
			'plans', jsonb_build_array(jsonb_build_array(free)));
	end if;
	if word.said then
		answer := answer || jsonb_build_object('allowed', word.allowed, 'plan', coalesce(word.plan, answer ->> 'plan'),
			'reason', 'override', 'until', api.date_document(word.until) ->> 'iso',
			'plans', case when word.plan is null then coalesce(nullif(answer -> 'plans', 'null'), '[]')
					|| jsonb_build_array(jsonb_build_array(answer -> 'plan'))
				else jsonb_build_array(jsonb_build_array(word.plan)) end);
	end if;
	return answer;
end
$$;

-- The decision, and the features of the plans.
create or replace function billing.entitlement(p_tenant uuid, p_at timestamptz default now()) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	answer jsonb := billing.decision(p_tenant, p_at);
	plans text[] := array(select jsonb_path_query(answer, '$.plans[*][*]') #>> '{}');
begin
	return answer - 'plans' || jsonb_build_object('features', case when (answer -> 'allowed')::boolean
		then billing.features_at(plans, p_at) else '[]' end);
end
$$;

-- Unused: billing.words_on() asks at once what they asked one after the other. Not in a migration, because until this
-- commit the earlier functions call them.
drop function if exists billing.pause_grants(billing.subscription_history, timestamptz);
drop function if exists billing.is_disputed(billing.subscription_history, timestamptz);
drop function if exists billing.verdict_on(billing.subscription_history, timestamptz);
drop function if exists billing.verdict_on(billing.subscription_history, billing.status_rules, timestamptz);
drop function if exists billing.best_verdict(uuid, timestamptz);
drop function if exists billing.plan_verdict(uuid, timestamptz);

reset role;
