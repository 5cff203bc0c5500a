-- chat: the functions of tollgate_service write it. The program reads what its session's user has said and been told,
-- in tenants that let the user in. No other login role reads a table: operators see no text.

grant select (user_id, id, tenant_id, model, opening, title, created_at, updated_at) on chat.conversations
	to tollgate_chat;
create policy own on chat.conversations for select to tollgate_chat
	using (user_id = (select auth.uid()) and tenant_id = any ((select app.my_tenants())::uuid[]));
grant select (user_id, chat_id, id, n, tenant_id, role, text, answers, attempt, state, finish, model, input, output,
	created_at) on chat.messages to tollgate_chat;
create policy own on chat.messages for select to tollgate_chat
	using (user_id = (select auth.uid()) and tenant_id = any ((select app.my_tenants())::uuid[]));

-- models are the same for all
grant select (name, label) on chat.models to tollgate_chat;
create policy all_alike on chat.models for select to tollgate_chat using (true);

grant select, insert, update on chat.models to tollgate_service;
grant select, update on chat.settings to tollgate_service;
grant select, insert, update, delete on chat.conversations, chat.messages, chat.turns, chat.calls to tollgate_service;
grant select, insert, update on chat.breakers to tollgate_service;
create policy service on chat.models to tollgate_service using (true) with check (true);
create policy service on chat.settings to tollgate_service using (true) with check (true);
create policy service on chat.conversations to tollgate_service using (true) with check (true);
create policy service on chat.messages to tollgate_service using (true) with check (true);
create policy service on chat.turns to tollgate_service using (true) with check (true);
create policy service on chat.breakers to tollgate_service using (true) with check (true);
create policy service on chat.calls to tollgate_service using (true) with check (true);
