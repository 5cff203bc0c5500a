-- What the program chat asks of the database: one call, one transaction, one document.
--
-- Times are ISO 8601 in UTC, waits whole seconds, units tokens of chat.meter, micros millionths of a unit of money. Ids
-- of conversations and messages are [A-Za-z0-9_-]{1,64}; a hold is a uuid. Classes of tokens are disjoint: "input"
-- (fresh), "cache_read", "cache_write", "cache_write_1h", "output". A class without a price is booked as input.
--
-- api.chat_begin(p_request): of a session, before any model is asked
--
--   {"chat", "message": the user's last message, "text": of it, "trigger": "submit-message" or "regenerate-message",
--    "message_id": the request's messageId or null; on submit, equal to "message", it is an edit,
--    "model": a name, or null: the conversation's, else the default,
--    "tenant": or null: the conversation's, else the user's current one,
--    "most": pieces of work of one user at a time, or missing: any number}
--
--   {"state": "started", "hold": names this turn in the calls below, "chat", "message",
--    "answer": our id of the message that begins, "attempt": from 0, "created": whether the conversation is new,
--    "model": the conversation's, "display_name", "provider": of it,
--    "candidates": [{"name", "provider", "model", "max_tokens", "breaker"}...], in the order to try them; breaker is
--        "closed", "half" (this turn is the probe) or "open" (skip it),
--    "system": or null, "history": [{"role", "text"}...], begins and ends with a user's, roles alternate,
--    "max_tokens": of the answer, lowered to what is left, "input": bound of what it may count, which is held,
--    "limits": [{"name", "allowed", "seconds", "left", "reset"}...], for headers,
--    "left": tokens beside what is held, null: no bound, "reset": when they are new}
--   {"state": "replay", "chat", "message", "answer", "attempt", "text", "finish", "usage": {"input", "output"},
--    "model", "display_name", "limits", "left", "reset"}: it was answered before; no call, no charge
--   {"state": "refused", "code", "reason", "wait", "limits", "left", "reset"}: an answer, because an error would forget
--    that it was tried. code:
--      rate_NAME    429  the rate that was reached; wait
--      quota        402  no tokens left; left, reset
--      cap          402  no money left; reset
--      plan         403  the tenant may not ask this model; reason:
--                          nobody   the user is a member of no tenant
--                          closing  the tenant is being closed
--                          none     the tenant's plan has no quota of the meter
--                          model    the tenant's plan does not include the model
--                          another  the reason of billing.decision()
--      model        422  no such model
--      message      422  another text by this message's id, or an id that is no user's message
--      busy         409  this message is being answered
--      many         409  "most" are under way; one that makes way for a later message counts until it has ended
--      provider     503  the breaker of each candidate is open, or the cap of each provider used up; wait
--      unavailable  503  no user can be given an answer; reason:
--                          off      no meter is configured
--                          model    no model is configured
--                          price    the model has no price
--                          null     the cap of all is used up
--   TG401: no session. TG404: none of the user's tenants. TG422: a wrong document.
--
-- api.chat_operation(p_request): work without a stream, of a session; a turn with hold and limits like any other
--
--   {"kind": "title", "summary" or "classify", "chat",
--    "text": to classify this instead of the conversation, "labels": 2 to 20 texts of 1 to 64 characters,
--    "most": as above}
--   Answers as api.chat_begin() does, with "kind", without "message", "answer", "attempt" and "created". A title that
--   is settled as complete becomes the conversation's. TG404: no such conversation, or nothing in it. TG422: as above.
--
-- api.chat_checkpoint(p_hold uuid, p_document): every 10 s from the beginning to the end, before any text too
--
--   {"provider", "model", "usage": {class: tokens}, "text"}: what is known so far; each may be missing
--   {"go_on": true}, or {"go_on": false, "why"}: "session" (over, its user disabled or no member any more), "later" (a
--   later message took over), "deleted" (the conversation), "ended" (expired)
--   It needs no bearer, because the browser's token may have rotated: the turn names its session.
--
-- api.chat_settle(p_document): at whatever end, repeated until it is answered; one effect. Needs no bearer.
--
--   {"hold", "provider", "model": the candidate that answered, or was asked last,
--    "usage": {class: tokens}; {} or missing: nothing is known, "counted": "provider" or "measured",
--    "finish": "stop", "length", "content-filter", "tool-calls", "other" or "error",
--    "state": "complete"; "partial": cut after text; "empty": left before text, and the tenant pays the input;
--        "failed": nothing came, and the tenant pays nothing,
--    "text": what was sent, "alerts": ["usage_low", "usage_high", "usage_wrong"...] or missing,
--    "first_ms", "ms": to the first text and to the end, or missing}
--   {"state", "left", "reset", "micros", "usage": {"input", "output"}, "late"}; late: it had ended before, by expiry or
--   a later message, and the difference is a correction.
--   TG404: no such hold. TG409: it has ended otherwise. TG422: no such candidate, or wrong counts.
--
-- api.chat_note_call(p_provider, p_model, p_outcome, p_status int, p_ms int): each call to a model, for breakers and
-- /status. p_status: HTTP's, or 0. Needs no bearer.
--
--   p_outcome: "ok"; "error" (5xx, time, cut, garbage) and "busy" (429, 503, 529), which the breaker counts; "invalid"
--   (400, 413, 422) and "left" (ended by us or the client), which it does not; "denied" (401, 402, 403), "gone" (404)
--   and "spent" (a limit of spending), which open it at once and are an alert until the next "ok"
--   {"breaker"}: this candidate's by now
--
-- api.chat_list(p_tenant uuid, p_after text, p_limit int): own conversations, newest first; p_tenant null: of any
-- tenant
--
--   {"chats": [{"id", "title", "opening", "model", "display_name", "tenant", "created", "updated"}...],
--    "next": the next page's p_after, or null}
--   title is null until there is one; opening is how the first message begins. p_limit is 1 to 100, else 20.
--   TG422: no such p_after.
--
-- api.chat_show(p_id, p_before text, p_limit int): a conversation with its newest messages, the oldest of them first
--
--   {"chat": as of api.chat_list(),
--    "messages": [{"id", "role", "parts": [{"type": "text", "text", "state": "done"}], "metadata"}...],
--    "before": the p_before of the messages before these, or null}
--   Messages are useChat's. metadata of a user's message: {"created"}; of an answer also "state", "model", "finish",
--   "usage": {"input", "output"}. TG404: no such conversation. TG422: no such p_before.
--
-- api.chat_delete(p_id): null. Its text is gone at once; a turn that is under way ends. TG404: no such conversation.
--
-- api.chat_page(p_tenant uuid, p_chat text, p_after text): the document of /chat
--
--   A user who is a member of no tenant gets {"nobody": true}. Any other gets
--   {"tenant", "name", "tenants", "several", "plan", "allowed", "reason",
--    "models": [{"name", "display_name", "current", "allowed"}...],
--    "meter": as usage.meter_document() says, or null, "until": {"iso"}, "left": or null,
--    "chats": [{"id", "title", "opening", "current", "created": {"iso"}}...], "next": as of api.chat_list(),
--    "chat": null, or {"id", "title", "opening", "model", "display_name", "open": whether an answer is under way,
--      "messages": [{"id", "mine", "text", "state", "cut": partial, empty or failed, "created": {"iso"}}...],
--      "before"}}
--   TG404: no such tenant or conversation. TG422: no such p_after.

set role tollgate_service;

create or replace function api.chat_begin(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	me record := auth.require_session();
	c chat.conversations;
	m chat.messages;
	a chat.messages;
	t chat.turns;
	tenant uuid;
	decision jsonb;
	verdict text;
begin
	perform chat.require_request(p_request);
	c := chat.lock_conversation(me.user_id, p_request ->> 'chat');
	tenant := chat.tenant_of(me.user_id, c, p_request ->> 'tenant');
	decision := chat.decision(tenant);
	if c.id is not null then
		select k.* into m from chat.messages k
		where k.user_id = me.user_id and k.chat_id = c.id and k.id = p_request ->> 'message';
		a := chat.last_answer(m);
		t := chat.open_turn(me.user_id, c.id);
	end if;
	verdict := chat.verdict_on(p_request, m, a, t);
	if verdict = 'replay' then
		return chat.replay(m, a) || chat.limits_of(tenant, me.user_id, decision);
	elsif verdict <> 'answer' then
		return chat.refusal(verdict, null, null, tenant, me.user_id, decision);
	elsif decision ->> 'meter' is null then
		return chat.refusal('unavailable', 'off', null, tenant, me.user_id, decision);
	elsif decision ->> 'cannot' is not null then
		return chat.refusal('plan', decision ->> 'cannot', null, tenant, me.user_id, decision);
	end if;
	return chat.begin_answer(me.user_id, me.session_id, tenant, decision, p_request, c, m, t);
end
$$;

create or replace function api.chat_operation(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	me record := auth.require_session();
	c chat.conversations;
	decision jsonb;
begin
	perform chat.require_operation(p_request);
	c := chat.lock_conversation(me.user_id, p_request ->> 'chat');
	if c.id is null then
		raise exception 'no such conversation' using errcode = 'TG404';
	end if;
	decision := chat.decision(chat.tenant_of(me.user_id, c, null));
	if decision ->> 'meter' is null then
		return chat.refusal('unavailable', 'off', null, c.tenant_id, c.user_id, decision);
	elsif decision ->> 'cannot' is not null then
		return chat.refusal('plan', decision ->> 'cannot', null, c.tenant_id, c.user_id, decision);
	end if;
	return chat.begin_operation(me.session_id, decision, p_request, c);
end
$$;

create or replace function api.chat_checkpoint(p_hold uuid, p_document jsonb default '{}') returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	t chat.turns;
	why text;
begin
	update chat.turns k set seen_at = now() where k.hold_id = p_hold returning * into t;
	why := case when t.hold_id is null then 'deleted' else chat.stop_of(t) end;
	if why is null then
		why := case when not chat.write_checkpoint(t, p_document) then 'ended' end;
	end if;
	return case when why is null then '{"go_on": true}' else jsonb_build_object('go_on', false, 'why', why) end;
end
$$;

create or replace function api.chat_settle(p_document jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	h usage.holds := chat.hold_of(p_document ->> 'hold');
	t chat.turns := chat.lock_turn(h.id);
	who jsonb := usage.model_of(h, p_document ->> 'provider', p_document ->> 'model');
	counted text := case p_document ->> 'counted' when 'provider' then 'told' else 'measured' end;
	done jsonb;
begin
	if coalesce(p_document ->> 'state', '') not in ('complete', 'partial', 'empty', 'failed') then
		raise exception 'no such state' using errcode = 'TG422';
	end if;
	done := usage.settle(h.tenant_id, h.id, chat.counts_of(p_document -> 'usage', who ->> 'provider', who ->> 'model',
		h.costs), who ->> 'provider', who ->> 'model', counted, p_document ->> 'state' = 'failed');
	perform chat.write_end(t, p_document, who ->> 'provider', who ->> 'model', counted),
		chat.tell_alerts(p_document -> 'alerts', who ->> 'provider', who ->> 'model');
	return jsonb_build_object('state', chat.stored_state(p_document ->> 'state', p_document ->> 'text'),
		'left', done -> 'left', 'reset', done -> 'until', 'micros', done -> 'micros',
		'usage', chat.totals_of(p_document -> 'usage'), 'late', done ->> 'state' = 'expired');
end
$$;

create or replace function api.chat_delete(p_id text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	c chat.conversations := chat.lock_conversation(me, p_id);
begin
	if c.id is null or c.tenant_id <> all (app.my_tenants()) then
		raise exception 'no such conversation' using errcode = 'TG404';
	end if;
	perform chat.end_turn(t.hold_id, 'deleted') from chat.turns t
	where t.user_id = me and t.chat_id = p_id and t.state = 'open';
	delete from chat.conversations k where k.user_id = me and k.id = p_id;
	return null;
end
$$;

-- The document of /chat: see above.
create or replace function api.chat_page(p_tenant uuid default null, p_chat text default null,
	p_after text default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp
	set plan_cache_mode = force_generic_plan as $$
declare
	me uuid := auth.require_user();
	c chat.conversations;
	tenant uuid;
	tenants jsonb;
	decision jsonb;
	summary jsonb;
begin
	select k.* into c from chat.conversations k where k.user_id = me and k.id = p_chat;
	if p_chat is not null and (c.id is null or c.tenant_id <> all (app.my_tenants()) or c.tenant_id <> p_tenant) then
		raise exception 'no such conversation' using errcode = 'TG404';
	end if;
	tenant := (select m.tenant_id from app.my_tenant(coalesce(c.tenant_id, p_tenant)) m);
	if tenant is null then
		return '{"nobody": true}';
	end if;
	tenants := app.tenant_documents(me, tenant);
	decision := chat.decision(tenant);
	summary := usage.summary_on(tenant, decision);
	return jsonb_build_object('tenant', tenant, 'name', (select t.name from app.tenants t where t.id = tenant),
		'tenants', tenants, 'several', jsonb_array_length(tenants) > 1, 'plan', decision -> 'plan',
		'allowed', decision ->> 'meter' is not null and decision ->> 'cannot' is null, 'reason', decision -> 'cannot',
		'models', chat.model_documents(c.model, decision ->> 'plan'),
		'meter', (
			select usage.meter_document(n.doc, (summary -> 'allowed')::boolean)
			from jsonb_array_elements(summary -> 'meters') n (doc) where n.doc -> 'meter' = decision -> 'meter'),
		'until', jsonb_build_object('iso', summary -> 'until'),
		'left', chat.limits_of(tenant, me, decision) -> 'left', 'chat', chat.shown_conversation(c))
		|| chat.shown_list(me, tenant, p_chat, p_after);
end
$$;

reset role;

set role tollgate_owner;

create or replace function api.chat_list(p_tenant uuid default null, p_after text default null,
	p_limit int default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	most int := chat.limit_of(p_limit);
begin
	return (
		select jsonb_build_object(
			'chats', coalesce(jsonb_agg(chat.conversation_document(r.c) order by r.nth) filter (where r.nth <= most),
				'[]'),
			'next', min(chat.cursor_of((r.c).created_at, (r.c).id)) filter (where r.nth = most and r.total > most))
		from (
			select k as c, row_number() over (order by k.created_at desc, k.id desc) as nth, count(*) over () as total
			from chat.rows_after(me, p_tenant, p_after, most + 1) k) r);
end
$$;

create or replace function api.chat_show(p_id text, p_before text default null, p_limit int default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	most int := chat.limit_of(p_limit);
	shown jsonb := (
		select chat.conversation_document(c) from chat.conversations c where c.user_id = me and c.id = p_id);
begin
	if shown is null then
		raise exception 'no such conversation' using errcode = 'TG404';
	end if;
	return jsonb_build_object('chat', shown) || (
		select jsonb_build_object(
			'messages', coalesce(jsonb_agg(chat.message_document(r.id, r.role, r.text, r.state, r.finish, r.model,
				r.input, r.output, r.created_at) order by r.n) filter (where r.nth <= most), '[]'),
			'before', min(r.n) filter (where r.nth = most and r.total > most)::text)
		from (
			select k.*, row_number() over (order by k.n desc) as nth, count(*) over () as total
			from chat.messages_before(me, p_id, p_before, most + 1) k) r);
end
$$;

reset role;
