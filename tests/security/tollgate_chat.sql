-- What the program of conversations tries: it acts for the sessions that it is sent, settles the holds that it made,
-- and reads nobody else's words.

-- TG401 begins without a session
select api.chat_begin('{"chat": "c", "message": "m", "text": "Hi", "trigger": "submit-message"}');

-- TG401 lists conversations without a session
select api.chat_list();

-- TG401 reads a conversation without a session
select api.chat_show('c');

-- TG401 deletes a conversation without a session
select api.chat_delete('c');

-- TG401 asks for the page without a session
select api.chat_page();

-- TG401 begins with a bearer that it made up
select set_config('app.bearer', repeat('0', 64), false);
select api.chat_begin('{"chat": "c", "message": "m", "text": "Hi", "trigger": "submit-message"}');

-- TG404 begins at the cost of a tenant that is not the session's
select set_config('app.bearer', '{bearer}', false);
select api.chat_begin('{"chat": "new", "message": "m", "text": "Hi", "trigger": "submit-message", "tenant": "{bob}"}');

-- TG404 asks for the page of another tenant
select set_config('app.bearer', '{bearer}', false);
select api.chat_page('{bob}');

-- TG404 reads the conversation of another user
select set_config('app.bearer', '{bearer}', false);
select api.chat_show('bobs');

-- TG404 deletes the conversation of another user
select set_config('app.bearer', '{bearer}', false);
select api.chat_delete('bobs');

-- TG404 has another user's conversation summarised
select set_config('app.bearer', '{bearer}', false);
select api.chat_operation('{"kind": "summary", "chat": "bobs"}');

-- nothing reads other users' conversations
select set_config('app.bearer', '{bearer}', false);
select * from chat.conversations where user_id <> auth.uid();

-- nothing reads other users' messages
select set_config('app.bearer', '{bearer}', false);
select text from chat.messages where user_id <> auth.uid();

-- nothing reads messages without a session
select text from chat.messages;

-- nothing reads them by a function that takes the user
select set_config('app.bearer', '{bearer}', false);
select text from chat.messages_before(null, 'bobs', null, 100);

-- nothing lists them by a function that takes the tenant
select set_config('app.bearer', '{bearer}', false);
select api.chat_list('{bob}') -> 'chats' -> 0;

-- nothing sees a row by a condition that fails on it
select set_config('app.bearer', '{bearer}', false);
select 1 from chat.messages where case chat_id when 'bobs' then text::int = 1 end;

-- TG404 settles a hold that it did not make
select api.chat_settle('{"hold": "00000000-0000-4000-8000-000000000000", "state": "failed"}');

-- TG422 tells of a call to a model that there is not
select api.chat_note_call('attack', 'attack', 'ok', 200, 1);

-- 42501 writes a message
insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt)
values (gen_random_uuid(), 'c', 'm', '{ann}', 'user', 'attack', 0);

-- 42501 changes what a model has said
update chat.messages set text = 'attack';

-- 42501 reads who has asked
select session_id from chat.turns;

-- 42501 names a tenant of its choice
select usage.reserve('{ann}', null, null, 'tokens', '{"unit": 1}', '[]', 'attack', 300);

-- 42501 settles a hold past its rules
select usage.settle('{ann}', gen_random_uuid(), '{"unit": 0}', null, null, 'told', true);

-- 42501 raises its quota
update usage.quotas set most = null;

-- 42501 puts a model on every plan
update chat.models set plans = array['free'];

-- 42501 reads who there is
select email from auth.users;

-- 42501 reads what tenants pay
select * from billing.subscriptions;
