-- What users see of their conversations: newest first, page by page, own rows only; and what becomes of them.
begin;
select no_plan();

select ops.put_usage('{"meters": ["tokens"], "quotas": [{"plan": "starter", "meter": "tokens", "included": 1000000,
	"sold": false, "most": 1000000}], "rates": [], "caps": [], "costs": [
	{"provider": "acme", "model": "a-1", "class": "input", "micros": 1}, {"provider": "acme", "model": "a-1",
	"class": "output", "micros": 1}]}') \g /dev/null
select ops.put_chat('{"meter": "tokens", "model": "small", "models": [{"name": "small", "label": "Small",
	"provider": "acme", "model": "a-1", "max_tokens": 1000, "context": 9000, "plans": ["starter"], "rank": 1},
	{"name": "large", "label": "Large", "provider": "acme", "model": "a-2", "max_tokens": 1000, "context": 9000,
	"plans": ["growth"], "rank": 2}]}') \g /dev/null
select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
select tap.user('ann@example.org') as ann_user, tap.user('bob@example.org') as bob_user, tap.user('mia@example.org')
	as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'ann', :'mia', 'member'), (:'bob', :'ann_user', 'member');
create temp table person as
	select v.name, tap.session(v.name || '@example.org', v.name) as bearer from (values ('ann'), ('bob'),
		('mia')) v (name);

create function pg_temp.call(p_who text, p_call text) returns jsonb language sql as $$
	select tap.ask('tollgate_chat', 'api.chat_' || p_call, coalesce((select bearer from person where name = p_who), ''))
$$;
create function pg_temp.state(p_who text, p_call text) returns text language sql as $$
	select tap.state_of('tollgate_chat', 'select api.chat_' || p_call,
		coalesce((select bearer from person where name = p_who), ''))
$$;
create function pg_temp.ids(p_list jsonb) returns text language sql as $$
	select string_agg(c ->> 'id', ' ') from jsonb_array_elements(p_list -> 'chats') c
$$;

-- three of ann in her tenant, two at once; one in bob's; one of mia; one of bob
insert into chat.conversations (user_id, id, tenant_id, model, opening, title, created_at, updated_at)
select v.user_id::uuid, v.id, v.tenant::uuid, 'small', 'Hello', v.title, v.at::timestamptz, v.at::timestamptz
from (values (:'ann_user', 'a1', :'ann', null, '2026-01-01 10:00:00.000001Z'),
	(:'ann_user', 'a2', :'ann', 'Cats', '2026-01-02Z'), (:'ann_user', 'a3', :'ann', null, '2026-01-02Z'),
	(:'ann_user', 'b1', :'bob', null, '2026-01-03Z'), (:'mia', 'a1', :'ann', null, '2026-01-04Z'),
	(:'bob_user', 'bobs', :'bob', null, '2026-01-05Z')) v (user_id, id, tenant, title, at);
insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt, answers, state, finish,
	model, input, output,
	created_at)
select :'ann_user', 'a2', case when n % 2 = 1 then 'u' else 'a' end || n, :'ann',
	case when n % 2 = 1 then 'user' else 'assistant' end, 'text ' || n, 0, case when n % 2 = 0 then 'u' || n - 1 end,
	case when n % 2 = 0 then 'complete' end, case when n % 2 = 0 then 'stop' end, case when n % 2 = 0 then 'small' end,
	case when n % 2 = 0 then 5 end, case when n % 2 = 0 then 7 end, '2026-01-02Z'
from generate_series(1, 6) n;

select pg_temp.call('ann', 'list()') as list \gset
select is(pg_temp.ids(:'list'), 'b1 a3 a2 a1', 'C88 own conversations, newest first');
select is(:'list'::jsonb #> '{chats,2}', jsonb_build_object('id', 'a2', 'title', 'Cats', 'opening', 'Hello', 'model',
	'small', 'display_name', 'Small', 'tenant', :'ann', 'created', '2026-01-02T00:00:00Z', 'updated',
	'2026-01-02T00:00:00Z'), 'C88 each with what it is about');
select is(:'list'::jsonb ->> 'next', null, 'C88 there is no more');
select is(pg_temp.ids(pg_temp.call('ann', format('list(%L)', :'ann'))), 'a3 a2 a1', 'C88 or of one tenant');
select pg_temp.call('ann', 'list(null, null, 2)') as page \gset
select is(pg_temp.ids(:'page'), 'b1 a3', 'C88 the first page');
insert into chat.conversations (user_id, id, tenant_id, model, opening)
values (:'ann_user', 'new', :'ann', 'small', 'x');
select pg_temp.call('ann', format('list(null, %L, 2)', :'page'::jsonb ->> 'next')) as page \gset
select is(pg_temp.ids(:'page'), 'a2 a1', 'C88 the next one goes on where it ended, whatever began meanwhile');
select is(:'page'::jsonb ->> 'next', null, 'C88 and is the last');
delete from chat.conversations where id = 'new';
select is(pg_temp.ids(pg_temp.call('mia', 'list()')), 'a1', 'C88 nobody sees those of others in the same tenant');
select is(pg_temp.ids(pg_temp.call('bob', format('list(%L)', :'ann'))), null, 'C88 nor in another one');
select is(pg_temp.state('ann', format('list(null, %L)', c)), 'TG422', 'C88 a page that was never told: ' || c)
	from unnest(array['x', '1', '1.', '12345678901234567.a', '1.a b', '-1.a']) c;

select pg_temp.call('ann', 'show(''a2'', null, 4)') as shown \gset
select is((select string_agg(m ->> 'id', ' ') from jsonb_array_elements(:'shown'::jsonb -> 'messages') m),
	'u3 a4 u5 a6',
	'C88 the newest messages, in their order');
select is(:'shown'::jsonb #> '{messages,0}', '{"id": "u3", "role": "user", "parts": [{"type": "text",
	"text": "text 3"}],
	"metadata": {"created": "2026-01-02T00:00:00Z"}}', 'C88 a user''s message as useChat has it');
select is(:'shown'::jsonb #> '{messages,1}', '{"id": "a4", "role": "assistant", "parts": [{"type": "text",
	"text": "text 4", "state": "done"}], "metadata": {"created": "2026-01-02T00:00:00Z", "state": "complete",
	"model": "small", "finish": "stop", "usage": {"input": 5, "output": 7}}}', 'C88 and an answer');
select is((select string_agg(m ->> 'id', ' ') from jsonb_array_elements(pg_temp.call('ann', format('show(%L, %L,
	4)', 'a2',
	:'shown'::jsonb ->> 'before')) -> 'messages') m), 'u1 a2', 'C88 then those before them');
select is(pg_temp.state('ann', 'show(''a2'', ''x'')'), 'TG422', 'C88 a page of messages that was never told');
select is(pg_temp.state(v.who, format('%s(%L)', v.call, v.id)), 'TG404', format('F150 %s %s %s: it is unknown', v.who,
	v.call, v.id)) from (values ('bob', 'show', 'a2'), ('mia', 'show', 'a2'), ('ann', 'show', 'none'),
	('bob', 'delete', 'a2'), ('ann', 'delete', 'none')) v (who, call, id);
select is(pg_temp.call('mia', 'show(''a1'')') -> 'messages', '[]', 'F150 the same id is a conversation of its own');

-- who leaves a tenant, or is kept out of it
delete from app.members where tenant_id = :'bob' and user_id = :'ann_user';
select is(pg_temp.ids(pg_temp.call('ann', 'list()')), 'a3 a2 a1', 'C88 who is no member sees nothing of there');
select is(pg_temp.state('ann', 'show(''b1'')'), 'TG404', 'C88 nor one of them');
select is(pg_temp.state('ann', 'delete(''b1'')'), 'TG404', 'C88 nor deletes it');
select is(pg_temp.state('ann', 'begin(''{"chat": "b1", "message": "m", "text": "x", "trigger": "submit-message"}'')'),
	'TG404', 'C88 nor goes on with it');

-- a page
select pg_temp.call('ann', format('page(null, %L)', 'a2')) as page \gset
select is(:'page'::jsonb - 'tenants' - 'chats' - 'chat' - 'until' - 'meter',
	jsonb_build_object('tenant', :'ann', 'name', 'ann',
	'several', false, 'plan', 'starter', 'allowed', true, 'reason', null, 'left', 1000000, 'next', null, 'models',
	'[{"name": "small", "display_name": "Small", "current": true, "allowed": true},
	{"name": "large", "display_name": "Large", "current": false, "allowed": false}]'::jsonb),
	'C88 a page says who pays, which models there are, and what is left');
select is(:'page'::jsonb #>> '{meter,state}', 'room', 'C75 and the state of the meter');
select is((:'page'::jsonb -> 'chat') - 'messages', '{"id": "a2", "title": "Cats", "opening": "Hello", "model": "small",
	"display_name": "Small", "open": false, "before": null}', 'C88 the conversation');
select is((:'page'::jsonb #> '{chat,messages,1}') - 'created', '{"id": "a2", "mine": false, "text": "text 2",
	"state": "complete", "cut": false}', 'C88 and its messages');
select is((select string_agg((c ->> 'id') || case when (c -> 'current')::boolean then '*' else '' end, ' ')
	from jsonb_array_elements(:'page'::jsonb -> 'chats') c), 'a3 a2* a1', 'C88 and the others');
select is(pg_temp.state('ann', v.call), 'TG404', 'F150 no page of ' || v.what) from (values
	('page(null, ''none'')', 'an unknown conversation'), (format('page(%L)', :'bob'), 'another tenant'),
	(format('page(%L, ''a2'')', :'bob'), 'a conversation beside its tenant')) v (call, what);
delete from app.members where user_id = :'mia';
select is(pg_temp.call('mia', 'page()'), '{"nobody": true}', 'C88 who has no tenant has no page');
select is(pg_temp.call('mia', 'begin(''{"chat": "c", "message": "m", "text": "x", "trigger": "submit-message"}'')')
	->> 'reason', 'nobody', 'C77 and begins nothing');

-- a conversation that is deleted while it is answered
select pg_temp.call('ann', 'begin(''{"chat": "a3", "message": "m", "text": "x",
	"trigger": "submit-message"}'')') as turn \gset
select is(pg_temp.call('ann', 'page(null, ''a3'')') #>> '{chat,open}', 'true', 'C88 a page says that one is under way');
select is(pg_temp.call('ann', 'delete(''a3'')'), null, 'C88 it is deleted');
select is((select count(*) from chat.messages where chat_id = 'a3'), 0::bigint, 'C88 with its messages');
select is(pg_temp.call(null, format('checkpoint(%L)', :'turn'::jsonb ->> 'hold')), '{"go_on": false, "why": "deleted"}',
	'C88 its answer ends');
select is(pg_temp.call(null, format('settle(%L)',
	jsonb_build_object('hold', :'turn'::jsonb -> 'hold', 'provider', 'acme',
	'model', 'a-1', 'usage', '{"input": 3,
	"output": 4}'::jsonb, 'counted', 'provider', 'state', 'partial', 'text', 'y')))
	->> 'state', 'partial', 'C88 what it used is settled all the same');
select is((select spent from usage.holds where id = (:'turn'::jsonb ->> 'hold')::uuid), 7::bigint, 'C84 and counted');
select is((select count(*) from chat.messages where text = 'y'), 0::bigint, 'C88 but not what was said');

-- a user and a tenant that go
select is(jsonb_array_length(chat.export_user(:'ann_user') -> 'chats'), 3, 'C57 a copy of the data has conversations');
select is(chat.export_user(:'ann_user') #>> '{chat_messages,0,text}', 'text 6', 'C57 and what was said');
select pg_temp.call('ann', 'begin(''{"chat": "z", "message": "m", "text": "x",
	"trigger": "submit-message"}'')') as turn \gset
delete from auth.users where id = :'mia';
select is((select count(*) from chat.conversations where user_id = :'mia'), 0::bigint,
	'F211 conversations go with their user');
select chat.forget_tenants(array[:'ann'::uuid]) \g /dev/null
select is((select count(*) from chat.conversations where tenant_id = :'ann'), 0::bigint, 'F211 and with their tenant');
update app.tenants set closes_at = now() where id = :'ann';
select is(pg_temp.call(null, format('checkpoint(%L)', :'turn'::jsonb ->> 'hold')), '{"go_on": false, "why": "session"}',
	'F44 an answer that is under way there ends');
delete from app.members where user_id = :'ann_user';
delete from auth.users where id = :'ann_user';
select is(pg_temp.call(null, format('checkpoint(%L)', :'turn'::jsonb ->> 'hold')), '{"go_on": false, "why": "deleted"}',
	'F44 and of a user who is gone');
select is(pg_temp.call(null, format('settle(%L)',
	jsonb_build_object('hold', :'turn'::jsonb -> 'hold', 'provider', 'acme',
	'model', 'a-1', 'usage', '{"input": 3}'::jsonb, 'state', 'empty'))) ->> 'micros', '1', 'F44 and is settled');

-- pages are found by their index, however many there are
insert into chat.conversations (user_id, id, tenant_id, model, opening, created_at)
select :'bob_user', 'c' || n, :'bob', 'small', 'Hello', now() - n * interval '1 min' from generate_series(1, 5000) n;
insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt)
select :'bob_user', 'c1', 'm' || n, :'bob', 'user', 'x', 0 from generate_series(1, 5000) n;
analyze chat.conversations; analyze chat.messages;
create function pg_temp.plan_of(p_query text) returns text language plpgsql as $$
declare
	line text;
	answer text := '';
begin
	for line in execute 'explain ' || p_query loop
		answer := answer || line || e'\n';
	end loop;
	return answer;
end
$$;
select alike(pg_temp.plan_of(format('select * from chat.conversations c where c.user_id = %L and (c.created_at, c.id)
	< (now(), ''x'') order by c.created_at desc, c.id desc limit 21', :'bob_user')),
	'%Index Scan using conversations_user_id_created_at_id_idx%', 'C71 a page of conversations is read by its index');
select unalike(pg_temp.plan_of(format('select * from chat.conversations c where c.user_id = %L and (c.created_at, c.id)
	< (now(), ''x'') order by c.created_at desc, c.id desc limit 21', :'bob_user')), '%Sort%', 'C71 and not sorted');
select alike(pg_temp.plan_of(format('select * from chat.messages m where m.user_id = %L and m.chat_id = ''c1''
	and m.n < 99
	order by m.n desc limit 21', :'bob_user')), '%Index Scan using messages_user_id_chat_id_n_idx%',
	'C71 so is one of messages');

select * from finish();
rollback;
