-- What a turn holds before any model is asked, and how it ends in the ledger.

set role tollgate_service;

-- Ends the turn that makes way for a later message (p_former), and its hold. Without a checkpoint, tenant and user pay
-- the bound of its input, because a model may be reading it; not where its program has died, which settles nothing. The
-- accounts of the former hold and those that the later turn wants are locked by one call of usage.lock_accounts(), in
-- its order, so that two such calls cannot deadlock.
create or replace function chat.end_former(p_tenant uuid, p_user uuid, p_decision jsonb, p_candidates jsonb,
	p_former uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	period record;
	former usage.holds;
	wanted usage.accounts[];
begin
	perform chat.end_turn(p_former, 'later');
	select h.* into former from usage.holds h where h.id = p_former and h.state = 'held' for no key update;
	if former.id is null then
		return;
	end if;
	period := usage.period_of(p_decision, now());
	wanted := usage.wanted(p_tenant, p_user, p_decision ->> 'meter', p_decision ->> 'plan',
		usage.providers_of(null, chat.models_of(p_candidates)), true, period.from_at, period.until_at);
	perform usage.open_accounts(wanted);
	perform usage.lock_accounts(usage.ids_of(wanted) || former.accounts);
	former.counts := coalesce(former.counts, (
		select jsonb_build_object('input', t.input) from chat.turns t
		where t.hold_id = p_former and chat.is_alive(t)));
	perform usage.expire_hold(former);
end
$$;

-- chat.hold() in place of the hold p_former, whose turn ends. Where that is refused, the former turn goes on.
create or replace function chat.take_over(p_tenant uuid, p_user uuid, p_decision jsonb, p_candidates jsonb,
	p_input bigint, p_output bigint, p_name text, p_former uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	held jsonb;
begin
	perform chat.end_former(p_tenant, p_user, p_decision, p_candidates, p_former);
	held := chat.hold(p_tenant, p_user, p_decision, p_candidates, p_input, p_output, p_name);
	if not (held -> 'ok')::boolean then
		raise exception 'no room' using errcode = 'TG402';
	end if;
	return held;
exception when sqlstate 'TG402' then	-- ends nothing, whatever the block has done
	return held || usage.room_of(p_tenant, p_user, p_decision ->> 'meter', p_decision);
end
$$;

-- Holds p_input tokens and an answer of p_output, or of what is left, but no less than 256, at the dearest candidate. A
-- provider whose cap is used up is none of the candidates. As usage.reserve() answers, with "output" and the
-- "candidates" that are left; a refusal has the tokens that are left.
create or replace function chat.hold(p_tenant uuid, p_user uuid, p_decision jsonb, p_candidates jsonb, p_input bigint,
	p_output bigint, p_name text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	plan text := p_decision ->> 'plan';
	counter text := p_decision ->> 'meter';
	candidates jsonb := p_candidates;
	models jsonb := chat.models_of(p_candidates);
	costs bigint[] := usage.prices_of(models);
	period record;
	ids bigint[];
	room bigint;
	units jsonb;
	full_one jsonb;
	h usage.holds;
begin
	select p.* into period from usage.period_of(p_decision, now()) p;
	ids := usage.take_accounts(p_tenant, p_user, counter, plan, usage.providers_of(null, models), true,
		period.from_at, period.until_at);
	room := (
		select min(a.cap + a.overrun - a.used - a.held) from usage.accounts a
		where a.id = any (ids) and a.meter = counter);
	units := jsonb_build_object('input', p_input, 'output', case when room is null then p_output
		else greatest(least(256, p_output), least(p_output, room - p_input)) end);
	loop
		h.units := usage.units_of(units);
		h.micros := usage.dearest(units, models, costs);
		full_one := usage.full_account(ids, h.units, h.micros);
		exit when full_one is null;
		candidates := (
			select coalesce(jsonb_agg(c.doc order by c.n), '[]')
			from jsonb_array_elements(candidates) with ordinality c (doc, n)
			where full_one ->> 'code' = 'provider' and c.doc ->> 'provider' <> full_one ->> 'subject');
		if candidates = '[]' then
			return jsonb_build_object('ok', false) || full_one || case full_one ->> 'code' when 'quota' then '{}'
				else usage.room_of(p_tenant, p_user, counter, p_decision) end;
		end if;
		models := chat.models_of(candidates);
		ids := array(
			select a.id from usage.accounts a
			where a.id = any (ids) and (a.kind <> 'provider' or a.subject <> full_one ->> 'subject') order by a.id);
	end loop;
	h := usage.add_hold(p_tenant, p_user, null, counter, plan, models, 'chat:' || p_name,
		usage.digest_of('chat', p_name), 300, h.units, h.micros, costs, ids);
	return usage.hold_document(h) || jsonb_build_object('output', units -> 'output', 'candidates', candidates);
end
$$;

-- {class: tokens} as the ledger takes them: without classes of none, and input for a class that has no price.
create or replace function chat.counts_of(p_usage jsonb, p_provider text, p_model text, p_costs bigint[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce((
		select jsonb_object_agg(k.class, k.tokens) from (
			select case when exists (
					select from usage.costs p
					where p.id = any (p_costs) and p.provider = p_provider and p.model = p_model and p.class = c.key)
				then c.key else 'input' end as class, sum(c.value::numeric) as tokens
			from jsonb_each_text(coalesce(nullif(p_usage, 'null'), '{}')) c where c.value::numeric <> 0
			group by 1) k), '{"input": 0}');
end
$$;

-- The tokens that a model read and wrote: {"input", "output"}.
create or replace function chat.totals_of(p_usage jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('input', coalesce(sum(c.value::numeric) filter (where c.key <> 'output'), 0),
			'output', coalesce(sum(c.value::numeric) filter (where c.key = 'output'), 0))
		from jsonb_each_text(coalesce(nullif(p_usage, 'null'), '{}')) c);
end
$$;

reset role;
