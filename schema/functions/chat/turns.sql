-- Turns: what is asked of a model, from the browser's request to the hold.

set role tollgate_service;

-- No character but Unicode's white space, as text_is_blank() says, whatever the database's locale takes for it.
create or replace function chat.is_blank(p_text text) returns boolean
language sql immutable as $$
	select p_text !~ '[^\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]'
$$;

-- TG422: not as schema/functions/api/chat.sql says. The program has looked before, so this is a fault of its own.
create or replace function chat.require_request(p_request jsonb) returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_request) is distinct from 'object'
			or coalesce(p_request ->> 'chat', '') !~ '^[A-Za-z0-9_-]{1,64}$'
			or coalesce(p_request ->> 'message', '') !~ '^[A-Za-z0-9_-]{1,64}$'
			or coalesce(p_request ->> 'trigger', '') not in ('submit-message', 'regenerate-message')
			or jsonb_typeof(p_request -> 'text') is distinct from 'string' or chat.is_blank(p_request ->> 'text')
			or octet_length(p_request ->> 'text') > 65536 then
		raise exception 'no such request' using errcode = 'TG422';
	end if;
end
$$;

-- The conversation, locked, so that its requests come one after the other. Null: there is none.
create or replace function chat.lock_conversation(p_user uuid, p_id text) returns chat.conversations
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	c chat.conversations;
begin
	select k.* into c from chat.conversations k where k.user_id = p_user and k.id = p_id for no key update;
	return c;
end
$$;

-- The tenant that pays: the conversation's, else the wanted one, else the user's current one. Null: the user has none.
-- TG404: it does not let the user in.
create or replace function chat.tenant_of(p_user uuid, c chat.conversations, p_wanted text) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	wanted uuid := coalesce(c.tenant_id, p_wanted::uuid);
	tenant uuid := (select t.id from app.tenants_of(p_user, wanted) t where t.current);
begin
	if wanted is not null and tenant is null then
		raise exception 'no such tenant' using errcode = 'TG404';
	end if;
	return tenant;
end
$$;

-- billing.decision() of a tenant, with "meter", which counts tokens, and "cannot": why the tenant may use none, or
-- null. The decision's own reason stays beside it, because usage.period_of() reads it.
create or replace function chat.decision(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	counter text := (select s.meter from chat.settings s);
	decision jsonb := billing.decision(p_tenant);
begin
	return decision || jsonb_build_object('meter', counter, 'cannot', case
		when p_tenant is null then 'nobody'
		when not (decision -> 'allowed')::boolean then decision ->> 'reason'
		when exists (select from app.tenants t where t.id = p_tenant and t.closes_at is not null) then 'closing'
		when not exists (
			select from usage.quotas q where q.plan = decision ->> 'plan' and q.meter = counter) then 'none' end);
end
$$;

-- Whether the program of a turn that has not ended lives: it writes a checkpoint every few seconds.
create or replace function chat.is_alive(t chat.turns) returns boolean
language sql stable as $$
	select t.seen_at > now() - interval '30 s'
$$;

-- Whether a user has p_most turns under way (null: no number is too many). A turn that makes way for a later one counts
-- until its program has settled it, because what it uses meanwhile is not held. From here to their end, requests of one
-- user come one after the other.
create or replace function chat.is_busy(p_user uuid, p_most int) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.lock_user(p_user);
	return p_most <= (
		select count(*) from chat.turns t
		where t.user_id = p_user and t.state <> 'ended' and chat.is_alive(t)
			and t.created_at > now() - interval '10 min');
end
$$;

-- A refusal, with what headers and the page say beside it.
create or replace function chat.refusal(p_code text, p_reason text, p_wait int, p_tenant uuid, p_user uuid,
	p_decision jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('state', 'refused', 'code', p_code, 'reason', p_reason, 'wait', p_wait)
		|| chat.limits_of(p_tenant, p_user, p_decision);
end
$$;

-- {"limits", "left", "reset"} where nothing is taken.
create or replace function chat.limits_of(p_tenant uuid, p_user uuid, p_decision jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_tenant is null or p_decision ->> 'meter' is null then
		return '{"limits": [], "left": null, "reset": null}';
	end if;
	return jsonb_build_object('limits', usage.see_rates(p_tenant, p_decision ->> 'plan', p_decision ->> 'meter',
		p_user)) || usage.room_of(p_tenant, p_user, p_decision ->> 'meter', p_decision);
end
$$;

-- The model of a turn, or {"code", "reason"}. A conversation keeps its model while it is offered.
create or replace function chat.choose(p_kept text, p_named text, p_default text, p_plan text, out m chat.models,
	out refused jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	if p_named is not null and (chat.model(p_named)).name is null then
		refused := '{"code": "model", "reason": null}';
		return;
	end if;
	m := chat.model(p_kept);
	if m.name is null then
		m := chat.model(coalesce(p_named, p_default));
	end if;
	refused := case when m.name is null then '{"code": "unavailable", "reason": "model"}'::jsonb
		when p_plan <> all (m.plans) then '{"code": "plan", "reason": "model"}' end;
end
$$;

-- Takes one of each rate, and looks whether anybody can be asked: {"ok", "limits"}; a refusal has "code", "reason" and
-- "wait" beside them, and what is left. It comes before anything is read or held, so that refusals stay cheap.
create or replace function chat.take(p_tenant uuid, p_user uuid, p_decision jsonb, p_candidates jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	meter text := p_decision ->> 'meter';
	rates jsonb := usage.take_rates(p_tenant, p_decision ->> 'plan', meter, p_user);
	wait int := chat.wait_of(p_candidates);
	refused jsonb := case
		when rates ? 'refused' then jsonb_build_object('code', 'rate_' || (rates ->> 'refused'),
			'wait', rates -> 'retry')
		when p_candidates = '[]' then '{"code": "unavailable", "reason": "price"}'
		when wait is not null then jsonb_build_object('code', 'provider', 'reason', 'breaker', 'wait', wait) end;
begin
	return jsonb_build_object('ok', refused is null, 'limits', rates -> 'limits') || case when refused is null then '{}'
		else refused || usage.room_of(p_tenant, p_user, meter, p_decision) end;
end
$$;

-- The refusal of what chat.take() did not let begin, or chat.hold() did not hold.
create or replace function chat.untaken(p_held jsonb) returns jsonb
language sql immutable as $$
	select jsonb_build_object('state', 'refused', 'code', p_held -> 'code', 'reason', p_held -> 'reason',
		'wait', coalesce(p_held -> 'wait', case p_held ->> 'code' when 'provider' then '3600'::jsonb end),
		'limits', p_held -> 'limits', 'left', p_held -> 'left', 'reset', p_held -> 'reset')
$$;

-- What a program is told of a turn that begins.
create or replace function chat.started(p_held jsonb, m chat.models, p_system text, p_history jsonb, p_input bigint)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('state', 'started', 'hold', p_held -> 'id', 'model', m.name,
		'display_name', m.label, 'provider', m.provider,
		'candidates', chat.told_candidates(p_held -> 'candidates', (p_held -> 'output')::bigint), 'system', p_system,
		'history', p_history, 'max_tokens', p_held -> 'output', 'input', p_input, 'limits', p_held -> 'limits',
		'left', p_held -> 'left', 'reset', p_held -> 'until');
end
$$;

-- p_input: tokens that its input may count at most.
create or replace function chat.note_turn(p_hold uuid, p_user uuid, p_session uuid, p_tenant uuid, p_chat text,
	p_kind text, p_input bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into chat.turns (hold_id, user_id, tenant_id, chat_id, kind, session_id, input)
	values (p_hold, p_user, p_tenant, p_chat, p_kind, p_session, p_input);
end
$$;

reset role;
