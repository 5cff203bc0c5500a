-- Retention deletes a batch of each kind, says how many, and goes on at the next call: no transaction is long.
begin;
select no_plan();

-- 1001 rows of each kind that are past their time
insert into auth.users (id, email, email_canonical)
	values ('00000000-0000-0000-0000-000000000001', 'old@example.org', 'old@example.org');
insert into auth.requests (purpose, email, email_canonical, created_at)
	select 'signin', 'old@example.org', 'old@example.org', now() - interval '8 days' from generate_series(1, 1001);
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr)
	select '00000000-0000-0000-0000-000000000001', now() - interval '91 days', now(), now(), '{link}'
	from generate_series(1, 1001);
insert into auth.sessions (id, user_id, absolute_until, idle_until, auth_at, amr)
	values ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', now() + interval '1 day',
		now() + interval '1 day', now(), '{link}');
insert into auth.tokens (hash, session_id, retired_at)
	select sha256(n::text::bytea), '00000000-0000-0000-0000-000000000002', now() - interval '8 days'
	from generate_series(1, 1001) n;
insert into auth.devices (hash, user_id, last_seen)
	select sha256(n::text::bytea), '00000000-0000-0000-0000-000000000001', now() - interval '401 days'
	from generate_series(1, 1001) n;
insert into auth.hits (kind, subject, spent_until)
	select 'link_stranger', sha256(n::text::bytea), now() - interval '1 s' from generate_series(1, 1001) n;
insert into mail.outbox (key, recipient, template, language, state, created_at)
	select n::text, 'old@example.org', 'signin', 'en', 'sent', now() - interval '31 days'
	from generate_series(1, 1001) n;
insert into auth.tries (subject, failed, last_at, until)
	select sha256(n::text::bytea), 1, now() - interval '25 hours', now() from generate_series(1, 1001) n;
insert into auth.pending (hash, user_id, amr, created_at)
	select sha256(n::text::bytea), '00000000-0000-0000-0000-000000000001', '{link}', now() - interval '25 hours'
	from generate_series(1, 1001) n;
insert into usage.windows (name, tenant_id, subject, stamps)
	select 'minute', gen_random_uuid(), gen_random_uuid(), array[now() - interval '1 year']
	from generate_series(1, 1001);
insert into app.address_changes (user_id, was, email, created_at)
	select '00000000-0000-0000-0000-000000000001', 'a@example.org', 'b@example.org', now() - interval '31 days'
	from generate_series(1, 1001);
insert into app.tenants (id, status) values ('00000000-0000-0000-0000-000000000003', 'active');
insert into chat.turns (hold_id, user_id, tenant_id, chat_id, kind, state, created_at)
	select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'c',
		'answer', 'ended', now() - interval '31 days' from generate_series(1, 1001);
insert into chat.calls (provider, model, at)
	select 'acme', 'big', now() - interval '61 min' - n * interval '10 s' from generate_series(1, 1001) n;
insert into app.tenants (id, status, created_at)
	select gen_random_uuid(), 'draft', now() - interval '31 days' from generate_series(1, 501);
select tap.receive('evt_old' || n, null, null) from generate_series(1, 1001) n \g /dev/null
update inbox.events set received_at = now() - interval '91 days' where id like 'evt_old%';

create function pg_temp.retain() returns text language sql as $$
	select string_agg(n.key || ' ' || n.value, ', ' order by n.key)
	from jsonb_each(tap.ask('tollgate_jobs', 'service.apply_retention()') - 'put_off') n
$$;
select is(pg_temp.retain(),
	'addresses 1000, calls 1000, devices 1000, drafts 500, events 1000, hits 1000, mails 1000, pending 1000, '
	'requests 1000, sessions 1000, tokens 1000, tries 1000, turns 1000, users 0, windows 1000',
	'C33 D24 a batch of each goes');
select is(pg_temp.retain(), 'addresses 1, calls 1, devices 1, drafts 1, events 1, hits 1, mails 1, pending 1, '
	'requests 1, sessions 1, tokens 1, tries 1, turns 1, users 0, windows 1',
	'C33 D24 then the rest');
select is(pg_temp.retain(), 'addresses 0, calls 0, devices 0, drafts 0, events 0, hits 0, mails 0, pending 0, '
	'requests 0, sessions 0, tokens 0, tries 0, turns 0, users 0, windows 0',
	'C33 D24 then none');

-- what is not past its time
insert into auth.requests (purpose, email, email_canonical, created_at)
	values ('signin', 'old@example.org', 'old@example.org', now() - interval '6 days');
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr, revoked_at, revoke_reason)
	select '00000000-0000-0000-0000-000000000001', u, u, now(), '{link}', r, case when r < now() then 'logout' end
	from (values (now() - interval '89 days', null), (now() + interval '1 day', now() - interval '89 days')) v (u, r);
insert into auth.tokens (hash, session_id, retired_at)
	values (sha256('young'), '00000000-0000-0000-0000-000000000002', now() - interval '6 days'),
		(sha256('current'), '00000000-0000-0000-0000-000000000002', null);
insert into auth.devices (hash, user_id, last_seen)
	values (sha256('young'), '00000000-0000-0000-0000-000000000001', now() - interval '399 days');
insert into auth.hits (kind, subject, spent_until) values ('link_stranger', sha256('young'), now());
insert into auth.tries (subject, failed, last_at, until)
	values (sha256('young'), 1, now() - interval '23 hours', now());
insert into auth.pending (hash, user_id, amr, created_at)
	values (sha256('young'), '00000000-0000-0000-0000-000000000001', '{link}', now() - interval '23 hours');
insert into app.address_changes (user_id, was, email, created_at)
	values ('00000000-0000-0000-0000-000000000001', 'a@example.org', 'b@example.org', now() - interval '29 days');
insert into app.address_changes (user_id, was, email, created_at, done_at, undone_at)
	select '00000000-0000-0000-0000-000000000001', 'a@example.org', 'b@example.org', d, d, u
	from (values (now() - interval '1 year', null), (now() - interval '1 year', now() - interval '1 year')) v (d, u);
insert into chat.turns (hold_id, user_id, tenant_id, chat_id, kind, state, created_at)
	select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'c',
		'answer', s, now() - age
	from (values ('ended', interval '29 days'), ('open', '31 days')) v (s, age);
insert into chat.calls (provider, model, at) values ('acme', 'big', now() - interval '59 min');
insert into mail.outbox (key, recipient, template, language, state, created_at)
	select s, 'old@example.org', 'signin', 'en', s, now() - d from (values ('sent', interval '29 days'),
		('dead', '29 days'), ('void', '23 hours'), ('pending', '1 year')) v (s, d);
select is(pg_temp.retain(), 'addresses 0, calls 0, devices 0, drafts 0, events 0, hits 0, mails 0, pending 0, '
	'requests 0, sessions 0, tokens 0, tries 0, turns 0, users 0, windows 0',
	'C33 D24 and what is younger stays, and addresses that users had');

select * from finish();
rollback;
