-- Conversations with models: what a turn holds and is told, how it ends, who is asked, and what is shown.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1},
	{"id": "growth", "price": "price_growth", "rank": 2}]') \g /dev/null
create function pg_temp.configure(p_usage jsonb default '{}', p_chat jsonb default '{}') returns void language sql as $$
	select ops.put_usage('{"meters": ["tokens"], "quotas": [
		{"plan": "starter", "meter": "tokens", "included": 100000, "sold": false, "most": 100000}],
		"rates": [], "caps": [], "costs": [
		{"provider": "acme", "model": "a-1", "class": "input", "micros": 1000000},
		{"provider": "acme", "model": "a-1", "class": "cache_read", "micros": 100000},
		{"provider": "acme", "model": "a-1", "class": "output", "micros": 4000000},
		{"provider": "other", "model": "o-1", "class": "input", "micros": 2000000},
		{"provider": "other", "model": "o-1", "class": "output", "micros": 6000000},
		{"provider": "acme", "model": "a-9", "class": "input", "micros": 9000000},
		{"provider": "acme", "model": "a-9", "class": "output", "micros": 9000000}]}'::jsonb || p_usage),
	ops.put_chat('{"meter": "tokens", "model": "small", "title_model": null, "system": "Be kind.", "models": [
		{"name": "small", "label": "Small", "provider": "acme", "model": "a-1", "max_tokens": 1000, "context": 9000,
			"fallback": "spare", "plans": ["starter"], "rank": 1},
		{"name": "spare", "label": "Spare", "provider": "other", "model": "o-1", "max_tokens": 500, "context": 9000,
			"fallback": null, "plans": [], "rank": 2},
		{"name": "large", "label": "Large", "provider": "acme", "model": "a-9", "max_tokens": 2000, "context": 9000,
			"fallback": null, "plans": ["growth"], "rank": 3},
		{"name": "unpriced", "label": "Unpriced", "provider": "acme", "model": "a-0", "max_tokens": 2000,
			"context": 9000, "fallback": null, "plans": ["starter"], "rank": 4}]}'::jsonb || p_chat);
$$;
select pg_temp.configure() \g /dev/null
select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
select tap.user('ann@example.org') as ann_user, tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
create temp table person as
	select v.name, tap.session(v.name || '@example.org', v.name) as bearer from (values ('ann'), ('bob'),
		('mia')) v (name);

-- as the program calls it
create function pg_temp.call(p_who text, p_call text) returns jsonb language sql as $$
	select tap.ask('tollgate_chat', 'api.chat_' || p_call, coalesce((select bearer from person where name = p_who), ''))
$$;
create function pg_temp.state(p_who text, p_call text) returns text language sql as $$
	select tap.state_of('tollgate_chat', 'select api.chat_' || p_call,
		coalesce((select bearer from person where name = p_who), ''))
$$;
create function pg_temp.begin(p_who text, p_chat text, p_message text, p_text text, p_more jsonb default '{}')
	returns jsonb language sql as $$
	select pg_temp.call(p_who, format('begin(%L)', jsonb_build_object('chat', p_chat, 'message', p_message,
		'text', p_text, 'trigger', 'submit-message') || p_more))
$$;
create function pg_temp.settle(p_turn jsonb, p_text text, p_more jsonb default '{}') returns jsonb language sql as $$
	select pg_temp.call(null, format('settle(%L)', jsonb_build_object('hold', p_turn -> 'hold', 'provider', 'acme',
		'model', 'a-1', 'usage', '{"input": 20, "output": 10}'::jsonb, 'counted', 'provider', 'finish', 'stop',
		'state', 'complete', 'text', p_text) || p_more))
$$;
-- a turn from its begin to its end
create function pg_temp.turn(p_who text, p_chat text, p_message text, p_text text, p_answer text,
	p_more jsonb default '{}') returns jsonb language plpgsql as $$
declare
	t jsonb := pg_temp.begin(p_who, p_chat, p_message, p_text);
begin
	perform pg_temp.settle(t, p_answer, p_more);
	return t;
end
$$;
-- "used/held" of an account
create function pg_temp.account(p_tenant text, p_kind text default 'tenant', p_meter text default 'tokens',
	p_subject text default '') returns text language sql as $$
	select string_agg(format('%s/%s', a.used, a.held), ' ') from usage.accounts a
	where a.kind = p_kind and a.tenant_id is not distinct from p_tenant::uuid and a.meter = p_meter
		and a.subject = p_subject
$$;
-- "role text" of what a model is told, or "id state text" of what is stored
create function pg_temp.told(p_turn jsonb) returns text language sql as $$
	select string_agg((h ->> 'role') || ' ' || (h ->> 'text'), ', ') from jsonb_array_elements(p_turn -> 'history') h
$$;
create function pg_temp.stored(p_chat text, p_who text default 'ann') returns text language sql as $$
	select string_agg(concat_ws(' ', m.role, m.state, m.text), ', ' order by m.n) from chat.messages m
	where m.chat_id = p_chat and m.user_id = auth.find_user(p_who || '@example.org')
$$;

-- a conversation begins
select pg_temp.begin('ann', 'c1', 'm1', 'Hello') as first \gset
select is(:'first'::jsonb - 'hold' - 'answer' - 'reset', '{"state": "started", "chat": "c1", "message": "m1",
	"attempt": 0, "created": true, "model": "small", "display_name": "Small", "provider": "acme", "candidates": [
	{"name": "small", "provider": "acme", "model": "a-1", "max_tokens": 1000, "breaker": "closed"},
	{"name": "spare", "provider": "other", "model": "o-1", "max_tokens": 500, "breaker": "closed"}],
	"system": "Be kind.", "history": [{"role": "user", "text": "Hello"}], "max_tokens": 1000, "input": 45,
	"limits": [], "left": 98955}',
	'C77 a turn begins: who may answer, what they are told, and how long the answer may be');
select is(:'first'::jsonb ->> 'input', (octet_length('Be kind.') + 16 + octet_length('Hello') + 16)::text,
	'C75 no more tokens than bytes, and sixteen for each message');
select is(pg_temp.account(:'ann'), '0/1045', 'C75 the tenant''s account holds input and answer');
select is(pg_temp.account(:'ann', 'tenant', ''), '0/6090', 'C87 and their price at the dearest candidate');
select is(pg_temp.account(null, 'provider', '', p) || ' ' || p, '0/6090 ' || p, 'C87 each provider may be the one')
	from unnest(array['acme', 'other']) p;
select is(pg_temp.stored('c1'), 'user Hello, assistant open ', 'C88 the message is kept, and the answer is open');
select is(pg_temp.call(null, format('checkpoint(%L, %L)', :'first'::jsonb ->> 'hold',
	'{"provider": "acme", "model": "a-1", "usage": {"input": 12, "output": 3}, "text": "Hi"}')), '{"go_on": true}',
	'F44 a checkpoint says that it may go on');
select is(pg_temp.stored('c1'), 'user Hello, assistant open Hi', 'F138 and keeps what was said so far');
select pg_temp.settle(:'first', 'Hi there.', '{"usage": {"input": 12, "cache_read": 3, "output": 10, "cache_write": 0},
	"first_ms": 120, "ms": 900}') as settled \gset
select is(:'settled'::jsonb - 'reset', '{"state": "complete", "left": 99975, "micros": 53, "late": false,
	"usage": {"input": 15, "output": 10}}',
	'C84 what was used is counted by class: 12 + 3 at a tenth + 10 at four, rounded up');
select is(pg_temp.account(:'ann'), '25/0', 'C84 and nothing is held any more');
select is(pg_temp.account(null, 'provider', '', 'other'), '0/0', 'C84 another provider is not charged');
select is(pg_temp.settle(:'first', 'Hi there.', '{"usage": {"input": 12, "cache_read": 3, "output": 10,
	"cache_write": 0}}') - 'reset', :'settled'::jsonb - 'reset', 'F140 said again it has one effect');
select is(pg_temp.account(:'ann'), '25/0', 'F140 and is counted once');
select is(pg_temp.state(null, format('settle(%L)', jsonb_build_object('hold', :'first'::jsonb -> 'hold',
	'state', 'complete', 'text', 'x', 'provider', 'acme', 'model', 'a-1', 'usage', '{"input": 1}'::jsonb))), 'TG409',
	'F140 something else is refused');
select is(pg_temp.state(null, 'settle(''{"hold": "x", "state": "complete"}'')'), 'TG404', 'F140 so is an unknown hold');

-- classes without a price are booked as input
select pg_temp.begin('ann', 'c1', 'm2', 'More') as second \gset
select is(pg_temp.told(:'second'), 'user Hello, assistant Hi there., user More', 'C88 the next turn knows the first');
select is((:'second'::jsonb ->> 'input')::int, 25 * 2 + 4 + 16,
	'C75 its input is bound by what the last one had, twice for another provider''s tokenizer');
select is(pg_temp.settle(:'second', 'Yes.', '{"usage": {"cache_write": 7, "output": 1}}') ->> 'micros', '11',
	'F134 a class without a price costs what input does');

-- whoever answers: a fallback, at its own price
select pg_temp.begin('ann', 'c1', 'm3', 'Go on') as third \gset
select pg_temp.settle(:'third', 'Sure.', '{"provider": "other", "model": "o-1"}') as done \gset
select is(:'done'::jsonb ->> 'micros', '100', 'C81 what the fallback did costs what it costs there');
select is((select format('%s %s %s %s', provider, provider_model, model, counted) from chat.messages
	where hold_id = (:'third'::jsonb ->> 'hold')::uuid), 'other o-1 small told', 'C82 a message records who answered');
select is(pg_temp.state(null, format('settle(%L)', jsonb_build_object('hold', pg_temp.begin('ann', 'c9', 'm', 'x')
	-> 'hold', 'state', 'complete', 'provider', 'acme', 'model', 'a-9', 'usage', '{"input": 1}'::jsonb))), 'TG422',
	'C82 and it is one of the candidates');

-- repeats
select pg_temp.begin('ann', 'c1', 'm3', 'Go on') as again \gset
select is(:'again'::jsonb - 'answer' - 'left' - 'reset', '{"state": "replay", "chat": "c1", "message": "m3",
	"attempt": 0,
	"text": "Sure.", "finish": "stop", "usage": {"input": 20, "output": 10}, "model": "small", "display_name": "Small",
	"limits": []}', 'F141 a message that was answered is answered again, without a call');
select is(:'again'::jsonb ->> 'answer', :'third'::jsonb ->> 'answer', 'F141 by the same message');
select is(pg_temp.begin('ann', 'c1', 'm3', 'Other') ->> 'code', 'message', 'F141 another text by its id is refused');
select is(pg_temp.begin('ann', 'c1', :'third'::jsonb ->> 'answer', 'x') ->> 'code', 'message',
	'F149 so is a message by the id of an answer');
select pg_temp.begin('ann', 'c1', 'm4', 'Slow') as slow \gset
select is(pg_temp.begin('ann', 'c1', 'm4', 'Slow') ->> 'code', 'busy', 'F141 while it is answered it is busy');
update chat.turns set seen_at = now() - interval '31 s' where hold_id = (:'slow'::jsonb ->> 'hold')::uuid;
select pg_temp.begin('ann', 'c1', 'm4', 'Slow') as anew \gset
select is(:'anew'::jsonb ->> 'state', 'started', 'F138 not after a process that has died');
select is(:'anew'::jsonb ->> 'attempt', '1', 'F138 it is another attempt');
select pg_temp.settle(:'anew', 'Done.') \g /dev/null
select is((pg_temp.begin('ann', 'c1', 'm4', 'Slow', '{"trigger": "regenerate-message"}')) ->> 'attempt', '2',
	'C88 an answer is made anew when the user asks for it');
select is(pg_temp.stored('c1'), 'user Hello, assistant complete Hi there., user More, assistant complete Yes., '
	'user Go on, assistant complete Sure., user Slow, assistant open ', 'C88 in place of the former');

-- an edit cuts the history
select pg_temp.begin('ann', 'c1', 'm2', 'Less', '{"message_id": "m2"}') as edit \gset
select is(pg_temp.told(:'edit'), 'user Hello, assistant Hi there., user Less',
	'C88 an edited message ends the history');
select is(pg_temp.stored('c1'), 'user Hello, assistant complete Hi there., user Less, assistant open ',
	'C88 what followed it is gone');
select pg_temp.settle(:'edit', 'Well.') \g /dev/null
select is(pg_temp.begin('ann', 'c1', 'm2', 'Less', '{"message_id": "m2"}') ->> 'state', 'replay',
	'F141 an edit that is sent twice is one');

-- what a model is told
select pg_temp.turn('ann', 'h', 'm' || v.n, v.said, v.answer, jsonb_build_object('state', v.state, 'counted',
	v.counted))
from (values (1, 'one', '', 'failed', 'provider'), (2, 'two', ' ', 'complete', 'provider'),
	(3, 'three', 'drei', 'partial', 'measured')) v (n, said, answer, state, counted) order by v.n \g /dev/null
select is(pg_temp.stored('h'),
	e'user one, assistant failed , user two, assistant empty  , user three, assistant partial '
	'drei', 'F127 what came of each is kept');
select pg_temp.begin('ann', 'h', 'm4', 'four') as told \gset
select is(pg_temp.told(:'told'), e'user one\n\ntwo\n\nthree, assistant drei, user four',
	'C88 what is blank or failed is left out, and neighbours of one role are joined');
select is((:'told'::jsonb ->> 'input')::int, 8 + 16 + 3 + 3 + 5 + 4 + 4 + 4 + 5 * 16,
	'C75 where the last answer was measured, the bytes of all that is told bound the input');
select pg_temp.settle(:'told', 'vier') \g /dev/null
select pg_temp.turn('ann', 'l', 'm1', repeat('x', 7000), 'y') \g /dev/null
select is(pg_temp.told(pg_temp.begin('ann', 'l', 'm2', repeat('z', 2000))), 'user ' || repeat('z', 2000),
	'C88 what a model cannot take is left out, from the oldest on, with the answer that it leaves first');

select pg_temp.configure('{}', '{"models": [{"name": "small", "label": "Small", "provider": "acme", "model": "a-1",
	"max_tokens": 1000, "context": 9000, "fallback": "spare", "plans": ["starter"], "rank": 1}, {"name": "spare",
	"label": "Spare", "provider": "other", "model": "o-1", "max_tokens": 500, "context": 1500, "fallback": null,
	"plans": [], "rank": 2}]}') \g /dev/null
select pg_temp.turn('ann', 'w', 'm1', repeat('x', 500), 'y') \g /dev/null
select is(pg_temp.told(pg_temp.begin('ann', 'w', 'm2', repeat('z', 600))), 'user ' || repeat('z', 600),
	'C88 nor what the fallback cannot take');
select pg_temp.configure() \g /dev/null

-- the same user's later message takes over
select count(*) as others from generate_series(1, 99) n where chat.is_busy(:'ann_user', n::int) \gset
select pg_temp.begin('ann', 't', 'm1', 'first') as former \gset
select pg_temp.call(null, format('checkpoint(%L, %L)', :'former'::jsonb ->> 'hold',
	'{"provider": "acme", "model": "a-1", "usage": {"input": 5, "output": 2}, "text": "so far"}')) \g /dev/null
select pg_temp.account(:'ann') as before \gset
select pg_temp.begin('ann', 't', 'm2', 'second') as later \gset
select is(:'later'::jsonb ->> 'state', 'started', 'F142 a later message is answered at once');
select is((select format('%s %s %s', state, counted, spent) from usage.holds
	where id = (:'former'::jsonb ->> 'hold')::uuid), 'expired checkpoint 7',
	'F142 what is under way ends with what is known of it');
select is(pg_temp.stored('t'), 'user first, assistant partial so far, user second, assistant open ',
	'F142 and both are kept');
select is(pg_temp.told(:'later'), 'user first, assistant so far, user second',
	'F142 the later one knows what was said');
select is((select format('%s %s %s %s', t ->> 'state', t ->> 'text', t ->> 'finish', t ->> 'usage')
	from pg_temp.begin('ann', 't', 'm1', 'first') t), 'replay so far error {"input": 0, "output": 0}',
	'F141 what was cut is replayed with an end, though nobody has said one yet');
select is(pg_temp.call(null, format('checkpoint(%L)', :'former'::jsonb ->> 'hold')), '{"go_on": false, "why": "later"}',
	'F142 the former one learns it at its next checkpoint');
select is(pg_temp.begin('ann', 't', 'm3', 'third', jsonb_build_object('most', :others + 2)) ->> 'code', 'many',
	'F143 until it has ended it is one of those that a person has at a time');
select is(chat.is_busy(:'ann_user', :others + 3), false, 'F143 and no more than one');
select is(pg_temp.settle(:'former', 'so far and further', '{"state": "partial", "usage": {"input": 5, "output": 6}}')
	- 'left' - 'reset', '{"state": "partial", "micros": 29, "usage": {"input": 5, "output": 6}, "late": true}',
	'F142 what it settles is a correction');
select is((select format('%s %s', units, micros) from usage.corrections
	where hold_id = (:'former'::jsonb ->> 'hold')::uuid), '4 16', 'F138 by the difference');
select is(pg_temp.stored('t'), 'user first, assistant partial so far and further, user second, assistant open ',
	'F142 and its text is kept');
select is(pg_temp.call(null, format('checkpoint(%L)', :'later'::jsonb ->> 'hold')), '{"go_on": true}',
	'F142 the later one goes on');
select is(chat.is_busy(:'ann_user', :others + 2), false, 'F143 and is the only one by now');
insert into chat.turns (hold_id, user_id, tenant_id, chat_id, kind, session_id, state)
	select gen_random_uuid(), t.user_id, t.tenant_id, t.chat_id, t.kind, t.session_id, 'ended'
	from chat.turns t, generate_series(1, 2000) where t.hold_id = (:'later'::jsonb ->> 'hold')::uuid;
select pg_stat_get_xact_tuples_fetched('chat.turns'::regclass) as fetched \gset
select is(chat.is_busy(:'ann_user', :others + 2), false, 'F143 turns that have ended are none');
select cmp_ok(pg_stat_get_xact_tuples_fetched('chat.turns'::regclass) - :fetched, '<', 100::bigint,
	'F143 nor are they read');
select pg_temp.settle(:'later', 'two') \g /dev/null

-- it takes over before the first checkpoint
select pg_temp.begin('ann', 't', 'm4', 'asked') as former \gset
select split_part(pg_temp.account(:'ann'), '/', 1)::int as used \gset
select pg_temp.begin('ann', 't', 'm5', 'asked again') as later \gset
select is((select format('%s %s %s %s', state, counted, counts, spent) from usage.holds
	where id = (:'former'::jsonb ->> 'hold')::uuid),
	format('expired checkpoint {"input": %1$s} %1$s', :'former'::jsonb ->> 'input'),
	'F142 without a checkpoint its user pays the bound of its input');
select is(split_part(pg_temp.account(:'ann'), '/', 1)::int, :used + (:'former'::jsonb ->> 'input')::int,
	'F142 which the tenant''s account counts at once');
select is(pg_temp.settle(:'former', '', '{"state": "failed", "usage": {}}') ->> 'late', 'true',
	'F142 what its program settles is a correction');
select is(split_part(pg_temp.account(:'ann'), '/', 1)::int, :used, 'F127 nothing where the provider has failed');
select pg_temp.settle(:'later', 'three') \g /dev/null

-- its program has died before
select pg_temp.begin('ann', 't', 'm6', 'asked in vain') as former \gset
update chat.turns set seen_at = now() - interval '31 s' where hold_id = (:'former'::jsonb ->> 'hold')::uuid;
select pg_temp.begin('ann', 't', 'm6', 'asked in vain') as later \gset
select is((select format('%s %s', state, spent) from usage.holds where id = (:'former'::jsonb ->> 'hold')::uuid),
	'expired 0', 'F140 who asks again after a crash pays nothing for what was lost');

-- there is no room for it
select pg_temp.configure(jsonb_build_object('quotas', jsonb_build_array(jsonb_build_object('plan', 'starter',
	'meter', 'tokens', 'included', v.n, 'sold', false, 'most', v.n)))) from (
	select split_part(pg_temp.account(:'ann'), '/', 1)::int + (:'later'::jsonb ->> 'input')::int + 100 as n) v
	\g /dev/null
select pg_temp.account(:'ann') as account \gset
select pg_temp.begin('ann', 't', 'm7', 'too much') as refused \gset
select is(format('%s %s', :'refused'::jsonb ->> 'code', :'refused'::jsonb ->> 'left'), 'quota 0',
	'F142 a later one for which too little is left is refused');
select is(pg_temp.account(:'ann'), :'account', 'F142 the former one is charged nothing');
select is(pg_temp.call(null, format('checkpoint(%L)', :'later'::jsonb ->> 'hold')), '{"go_on": true}',
	'F142 and goes on');
select pg_temp.configure() \g /dev/null
select is(pg_temp.settle(:'later', 'three') ->> 'state', 'complete', 'F142 to its end');
select is(usage.faults(), '[]', 'F142 the books are true');

-- nobody comes back
select pg_temp.begin('ann', 'x', 'm1', 'lost') as lost \gset
select pg_temp.call(null, format('checkpoint(%L, %L)', :'lost'::jsonb ->> 'hold',
	'{"provider": "other", "model": "o-1", "usage": {"input": 5, "output": 2}, "text": "half"}')) \g /dev/null
update usage.holds set expires_at = now() where id = (:'lost'::jsonb ->> 'hold')::uuid;
select is(tap.ask('tollgate_jobs', 'service.tend_usage(10)'), '1', 'F138 a hold that nobody comes back for expires');
select is(pg_temp.stored('x'), 'user lost, assistant partial half', 'F138 its answer ends with what was said');
select is((select format('%s %s %s', spent, spent_micros, outer_micros) from usage.holds
	where id = (:'lost'::jsonb ->> 'hold')::uuid), '7 22 6088',
	'F138 user and tenant pay the checkpoint, the provider''s account and that of all the whole');
select is(pg_temp.call(null, format('checkpoint(%L)', :'lost'::jsonb ->> 'hold')), '{"go_on": false, "why": "ended"}',
	'F138 it does not go on');
select is(pg_temp.begin('ann', 'x', 'm1', 'lost') ->> 'state', 'started', 'F138 and its message may be sent again');
select is(usage.faults(), '[]', 'F138 the books are true');

-- a provider that fails, a client that leaves
select pg_temp.account(:'ann') as before \gset
select pg_temp.begin('ann', 'f', 'm1', 'fail') as failed \gset
select is(pg_temp.settle(:'failed', '', '{"state": "failed", "finish": "error", "usage": {}}') - 'reset' - 'left',
	'{"state": "failed", "micros": 0, "usage": {"input": 0, "output": 0}, "late": false}',
	'F127 where nothing came the tenant pays nothing');
select is(split_part(pg_temp.account(:'ann'), '/', 1), split_part(:'before', '/', 1), 'F127 and its hold is released');
select is(pg_temp.begin('ann', 'f', 'm1', 'fail') ->> 'attempt', '1', 'F127 the message may be sent again');
select is(pg_temp.stored('f'), 'user fail, assistant open ', 'F127 in place of what failed');
select pg_temp.begin('ann', 'g', 'm1', 'left') as gone \gset
select is(pg_temp.settle(:'gone', '', '{"state": "empty", "counted": "measured", "usage": {"input": 40}}') ->> 'micros',
	'40', 'C84 who leaves before any text pays the input');
select is((select counted from usage.holds where id = (:'gone'::jsonb ->> 'hold')::uuid), 'measured',
	'F134 and the record says that it was measured');
select pg_temp.settle(pg_temp.begin('ann', 'g', 'm2', 'x'), 'y', '{"alerts": ["usage_low", "other"]}') \g /dev/null
select is((select string_agg(subject, ' ') from ops.alerts where kind = 'model_usage'), 'acme:a-1:usage_low',
	'F134 the operator is told of a provider that says what cannot be');

-- what is left
select pg_temp.configure('{"quotas": [{"plan": "starter", "meter": "tokens", "included": 1000, "sold": false,
	"most": 1000}], "rates": []}') \g /dev/null
select is(pg_temp.begin('bob', 'c1', 'm1', 'Hello') ->> 'max_tokens', '955',
	'F153 an answer is lowered to what is left');
select pg_temp.begin('bob', 'c2', 'm1', 'Hello') as spent \gset
select is(:'spent'::jsonb - 'reset', '{"state": "refused", "code": "quota", "reason": null, "wait": null, "limits": [],
	"left": 0}', 'F153 without room for 256 tokens it is refused');
select ok((:'spent'::jsonb ->> 'reset')::timestamptz > now(), 'C75 and told when there are more');
select is((select count(*) from chat.conversations where id = 'c2'), 0::bigint, 'C77 nothing of it is kept');
select pg_temp.call(null, format('settle(%L)', jsonb_build_object('hold', h.id, 'state', 'failed', 'provider', 'acme',
	'model', 'a-1'))) from usage.holds h where h.tenant_id = :'bob' and h.state = 'held' \g /dev/null
select pg_temp.turn('bob', 'c1', 'm2', 'x', 'y', '{"usage": {"input": 500, "output": 200}}') \g /dev/null
select is(pg_temp.begin('bob', 'c2', 'm1', 'Hello') ->> 'code', 'quota', 'F153 what is left must have room for both');
select is(pg_temp.begin('bob', 'c1', 'm3', 'y') ->> 'code', 'quota', 'F153 with a history too');

-- caps of money
select pg_temp.configure('{"caps": [{"kind": "provider", "plan": "", "subject": "acme", "micros": 1}]}') \g /dev/null
select pg_temp.begin('bob', 'k', 'm1', 'Hello') as capped \gset
select is(jsonb_path_query_array(:'capped', '$.candidates[*].name'), '["spare"]',
	'C87 a provider whose cap is used up is as if it were down');
select is((select jsonb_path_query_array(models, '$[*].provider') from usage.holds
	where id = (:'capped'::jsonb ->> 'hold')::uuid), '["other"]', 'C87 and its account holds nothing');
select pg_temp.configure('{"caps": [{"kind": "provider", "plan": "", "subject": "acme", "micros": 1},
	{"kind": "provider", "plan": "", "subject": "other", "micros": 1}]}') \g /dev/null
select is(pg_temp.begin('bob', 'k2', 'm1', 'Hello') - 'reset' - 'limits' - 'left',
	'{"state": "refused", "code": "provider", "reason": null, "wait": 3600}',
	'C87 where each is used up nobody is asked');
select pg_temp.configure('{"caps": [{"kind": "all", "plan": "", "subject": "", "micros": 1}]}') \g /dev/null
select is(pg_temp.begin('bob', 'k2', 'm1', 'Hello') ->> 'code', 'unavailable', 'C87 the cap of all ends it for all');
select pg_temp.configure('{"caps": [{"kind": "tenant", "plan": "", "subject": "", "micros": 1}]}') \g /dev/null
select is(pg_temp.begin('bob', 'k2', 'm1', 'Hello') ->> 'code', 'cap', 'C87 a tenant''s cap is the tenant''s');
select cmp_ok((pg_temp.begin('bob', 'k2', 'm1', 'Hello') ->> 'left')::int, '>', 1000, 'C87 and tokens are left');

-- rates
select pg_temp.configure('{"rates": [{"name": "minute", "plan": "", "meter": "", "allowed": 2, "seconds": 60}]}')
	\g /dev/null
select is(pg_temp.begin('mia', 'r' || n, 'm1', 'x') ->> 'state', 'started', 'C73 the ' || n || '. of a minute begins')
	from generate_series(1, 2) n;
set local track_functions = 'pl';
select pg_temp.begin('mia', 'r3', 'm1', 'x') as third \gset
select is(:'third'::jsonb ->> 'code', 'rate_minute', 'C73 the third waits');
select cmp_ok((:'third'::jsonb ->> 'wait')::int, '>=', 59, 'C73 and is told how long');
select is(:'third'::jsonb #> '{limits,0,left}', '0', 'C73 headers say so');
select is((select count(*) from usage.holds where user_id = :'mia'), 2::bigint, 'C77 nothing is held for it');
select is((select sum(calls) from pg_stat_xact_user_functions where funcname in ('history', 'input_bound')), null,
	'C73 and no conversation is read for it');
set local track_functions = 'none';
select is(pg_temp.begin('mia', 'r1', 'm1', 'x') ->> 'code', 'busy', 'C77 what is repeated takes none');
select is(pg_temp.begin('mia', 'r1', 'm1', 'x') #> '{limits,0,left}', '0', 'C73 and is told what is left all the same');

-- plans and models
select pg_temp.configure() \g /dev/null
select is(pg_temp.begin('ann', 'p1', 'm1', 'x', '{"model": "large"}') - 'reset' - 'left', '{"state": "refused",
	"code": "plan", "reason": "model", "wait": null, "limits": []}', 'C82 a model that the plan has not');
select is(pg_temp.begin('ann', 'p1', 'm1', 'x', '{"model": "none"}') ->> 'code', 'model', 'C82 one that there is not');
select is(pg_temp.begin('ann', 'p1', 'm1', 'x', '{"model": "unpriced"}') ->> 'reason', 'price',
	'F146 one without a price does not begin');
select is(pg_temp.begin('ann', 'c1', 'p9', 'x', '{"model": "unpriced"}') ->> 'model', 'small',
	'C82 a conversation keeps its model');
select pg_temp.configure('{}', '{"model": "large", "models": [{"name": "large", "label": "Large", "provider": "acme",
	"model": "a-9", "max_tokens": 2000, "context": 9000, "fallback": null, "plans": ["starter"],
	"rank": 1}]}') \g /dev/null
select is(pg_temp.begin('ann', 'c1', 'q9', 'x') ->> 'model', 'large', 'C82 while it is offered');
select is((select model from chat.conversations where id = 'c1' and user_id = :'ann_user'), 'large', 'C82
	then another');
select pg_temp.configure('{"quotas": []}') \g /dev/null
select is(pg_temp.begin('ann', 'p1', 'm1', 'x') ->> 'reason', 'none', 'C75 a plan without the meter has none of it');
select pg_temp.configure('{}', '{"meter": null}') \g /dev/null
select is(pg_temp.begin('ann', 'p1', 'm1', 'x') ->> 'reason', 'off', 'C75 without a meter nobody chats');
select pg_temp.configure() \g /dev/null
insert into usage.costs (provider, model, class, micros)
values ('acme', 'a-0', 'input', 1), ('acme', 'a-0', 'output', 1);
select pg_temp.begin('ann', 'p2', 'm1', 'x', '{"model": "unpriced"}') as priced \gset
select ops.put_usage('{"meters": ["tokens"], "quotas": [], "rates": [], "caps": [], "costs": [
	{"provider": "acme", "model": "a-0", "class": "input", "micros": 900000000},
	{"provider": "acme", "model": "a-0", "class": "output", "micros": 900000000}]}') \g /dev/null
select is(pg_temp.settle(:'priced', 'y', '{"model": "a-0"}') ->> 'micros', '1',
	'F146 a price that changes meanwhile is the hold''s');
select pg_temp.configure() \g /dev/null
select is(pg_temp.state('ann', format('begin(%L)', v.request)), 'TG422', 'F148 ' || v.what) from (values
	('not a document', '[]'::jsonb), ('no message', '{"chat": "c", "text": "x", "trigger": "submit-message"}'),
	('an id of 65', jsonb_build_object('chat', repeat('a', 65), 'message', 'm', 'text', 'x', 'trigger',
		'submit-message')), ('an id with a dot', '{"chat": "..", "message": "m", "text": "x",
		"trigger": "submit-message"}'), ('blank text', '{"chat": "c", "message": "m", "text": " ",
		"trigger": "submit-message"}'), ('another trigger', '{"chat": "c", "message": "m", "text": "x",
		"trigger": "x"}'),
	('a text of 64 KiB
	and a byte', jsonb_build_object('chat', 'c', 'message', 'm', 'text', repeat('a', 65537), 'trigger',
		'submit-message'))) v (what, request);
select is(array(select to_hex(c) from generate_series(1, 65535) c
	where c not between 55296 and 57343 and chat.is_blank(' ' || chr(c)) order by c),
	'{9,a,b,c,d,20,85,a0,1680,2000,2001,2002,2003,2004,2005,2006,2007,2008,2009,200a,2028,2029,202f,205f,3000}',
	'F148 blank is what Unicode calls white space, in every locale');
select is(pg_temp.state('ann', format('begin(%L)', '{"chat": "c", "message": "m", "trigger": "submit-message"}'::jsonb
	|| jsonb_build_object('text', u&'\00a0\3000'))), 'TG422', 'F148 a text of white space that joins words is blank');
select is(pg_temp.state(null, 'begin(''{}'')'), 'TG401', 'F152 without a session nothing begins');
select is(pg_temp.state('ann', format('begin(%L)', jsonb_build_object('chat', 'n', 'message', 'm', 'text', 'x',
	'trigger', 'submit-message', 'tenant', :'bob'))), 'TG404', 'F150 nor at the cost of another tenant');

-- the session is looked at while an answer is under way
select pg_temp.begin('mia', 's', 'm1', 'x') as watched \gset
create function pg_temp.watched(p_hold text) returns text language sql as $$
	select coalesce(pg_temp.call(null, format('checkpoint(%L)', p_hold)) ->> 'why', 'goes on')
$$;
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'goes on', 'F44 a session goes on');
update auth.tokens t set retired_at = now() - interval '1 hour' from auth.sessions s
where s.id = t.session_id and s.user_id = :'mia';
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'goes on', 'F40 also when its token has rotated');
update auth.users set disabled_at = now() where id = :'mia';
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'session', 'F44 who is disabled is cut off');
update auth.users set disabled_at = null where id = :'mia';
delete from app.members where user_id = :'mia';
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'session', 'F44 and who is no member any more');
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member');
update auth.sessions set revoked_at = now(), revoke_reason = 'replaced' where user_id = :'mia';
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr, replaces)
select s.user_id, s.absolute_until, s.idle_until, now(), s.amr, s.id from auth.sessions s where s.user_id = :'mia';
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'goes on', 'F36 a session that was renewed goes on');
update auth.sessions set revoked_at = now(), revoke_reason = 'logout' where user_id = :'mia' and revoked_at is null;
select is(pg_temp.watched(:'watched'::jsonb ->> 'hold'), 'session', 'F44 not one that has ended');
select is(pg_temp.settle(:'watched', 'cut', '{"state": "partial"}') ->> 'state', 'partial',
	'F44 what was used is settled all the same');

-- titles, summaries, classes
select pg_temp.turn('ann', 'o', 'm1', 'What is a cat?', 'An animal.') \g /dev/null
select pg_temp.call('ann', 'operation(''{"kind": "title", "chat": "o"}'')') as title \gset
select is(:'title'::jsonb -> 'history', '[{"role": "user", "text": "User: What is a cat?\n\nAssistant: An animal."}]',
	'F159 a title is asked of the first message and its answer');
select is(:'title'::jsonb ->> 'max_tokens', '512', 'F159 and is short');
select is((select state from usage.holds where id = (:'title'::jsonb ->> 'hold')::uuid), 'held',
	'F159 it has a hold of its own');
select is(pg_temp.settle(:'title', e'  Cats\nand more ') ->> 'state', 'complete', 'F159 it is settled as a turn is');
select is((select title from chat.conversations where id = 'o'), 'Cats and more', 'F159 and is the conversation''s');
select is(pg_temp.stored('o'), 'user What is a cat?, assistant complete An animal.', 'F159 whose messages are
	as before');
select pg_temp.turn('ann', 'o', 'm9', repeat('z', 7900), 'Long.') \g /dev/null
select pg_temp.call('ann', 'operation(''{"kind": "summary", "chat": "o"}'')') as summary \gset
select is(pg_temp.told(:'summary'), 'user Assistant: Long.',
	'F159 a summary is of what is newest, as much as the model takes');
select pg_temp.settle(:'summary', '', '{"state": "failed"}') \g /dev/null
select is((select title from chat.conversations where id = 'o'), 'Cats and more',
	'F159 one that fails changes nothing');
select ok(pg_temp.call('ann', 'operation(''{"kind": "classify", "chat": "o", "text": "I am cross",
	"labels": ["good", "bad"]}'')') @> '{"history": [{"role": "user",
	"text": "I am cross"}]}', 'F159 a text has a class');
select is(pg_temp.state('ann', 'operation(' || quote_literal(v.request) || ')'), v.state, 'F159 ' || v.what)
from (values ('an unknown conversation', '{"kind": "title", "chat": "none"}', 'TG404'),
	('an unknown kind', '{"kind": "poem", "chat": "o"}', 'TG422'),
	('a class without labels', '{"kind": "classify", "chat": "o"}', 'TG422'),
	('one label', '{"kind": "classify", "chat": "o", "labels": ["a"]}', 'TG422'),
	('a label that would be two', '{"kind": "classify", "chat": "o", "labels": ["a", "b|c"]}', 'TG422'),
	('a label that is no text', '{"kind": "classify", "chat": "o", "labels": ["a",
	1]}', 'TG422')) v (what, request, state);
select pg_temp.configure('{"rates": [{"name": "minute", "plan": "", "meter": "", "allowed": 1, "seconds": 60}]}')
	\g /dev/null
select pg_temp.begin('ann', 'o', 'm2', 'x') \g /dev/null
select is(pg_temp.call('ann', 'operation(''{"kind": "title", "chat": "o"}'')') ->> 'code', 'rate_minute',
	'F159 the limits are the same');

-- what is used counts in the month of the subscription, as everything that is used, and not in the calendar's
select pg_temp.configure() \g /dev/null
select tap.paid('kim') as kim \gset
select tap.sync('subscription', jsonb_set(tap.subscription('kim', :'kim'), '{items,data,0,current_period_start}',
	to_jsonb(1767225600 + 12 * 86400))) \g /dev/null
insert into person values ('kim', tap.session('kim@example.org', 'kim'));
select pg_temp.turn('kim', 'k', 'm1', 'x', 'y') as kims \gset
select is((usage.summary(:'kim') #>> '{meters,0,used}')::int, 30,
	'C86 what a model used is in the tenant''s own month');
select is(pg_temp.settle(:'kims', 'y') ->> 'reset', usage.summary(:'kim') ->> 'until',
	'C86 and what is left is new when that ends');
select is(usage.faults(), '[]', 'C84 the books are true');

select * from finish();
rollback;
