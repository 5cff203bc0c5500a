-- A mistyped address: the browser that bought corrects it, once, until somebody has signed in by the first.
begin;
select no_plan();

create function pg_temp.flow(p_name text) returns bytea language sql as $$
	select sha256('flow of ' || p_name::bytea)
$$;
create function pg_temp.welcome(p_name text, p_browser text) returns jsonb language sql as $$
	select tap.ask('tollgate_signup', format('api.welcome(%L, %L)', 'cs_' || p_name, pg_temp.flow(p_browser)))
$$;
create function pg_temp.correct(p_name text, p_browser text, p_email text) returns text language sql as $$
	select tap.state_of('tollgate_signup',
		format('select api.correct_address(%L, %L, %L)', 'cs_' || p_name, pg_temp.flow(p_browser), p_email))
$$;
create function pg_temp.owners(p_tenant text) returns text language sql as $$
	select string_agg(u.email, ', ' order by u.email) from app.members m join auth.users u on u.id = m.user_id
	where m.tenant_id = p_tenant::uuid
$$;
create function pg_temp.mails(p_email text) returns text language sql as $$
	select string_agg(o.template || ' ' || o.state, ', ' order by o.created_at, o.key) from mail.outbox o
	where o.recipient = p_email
$$;

select tap.paid('ann') as ann \gset
select is(pg_temp.welcome('ann', 'ann') -> 'email', '"ann@example.org"',
	'C14 the buyer''s browser sees where the mail went');
select is(pg_temp.welcome('ann', 'ann') -> 'may_correct', 'true', 'C14 and may correct it');
select is(pg_temp.welcome('ann', 'eve') - '{refresh,plan}'::text[], '{"state": "ready"}',
	'C13 another browser with the session''s id sees and may nothing');
select is(pg_temp.correct('ann', 'eve', 'eve@example.org'), 'TG404', 'C13 and corrects nothing');
select is(pg_temp.correct('ann', 'ann', ' ANN@example.org'), 'TG422', 'C14 the same address is none');
select tap.ask('tollgate_mailer', 'service.claim_mail(60)') as first \gset
select is(pg_temp.correct('ann', 'ann', 'anna@example.org'), '00000', 'C14 another is taken');
select is(pg_temp.owners(:'ann'), 'anna@example.org', 'C14 its user is the owner, and the first address''s is not');
select is(pg_temp.mails('anna@example.org'), 'welcome pending', 'C14 and gets the welcome');
select is(tap.ask('tollgate_signin', format('api.sign_in(%L, %L, null, %L, null, null)',
		sha256(decode(translate(:'first'::jsonb #>> '{data,token}', '-_', '+/') || '=', 'base64')),
		:'first'::jsonb #>> '{data,code}', sha256('t'))) -> 'ok', 'false',
	'C14 the link and the code of the first mail are nothing now');
select is(pg_temp.welcome('ann', 'ann') - '{refresh,plan}'::text[],
	'{"state": "ready", "email": "anna@example.org", "may_correct": false}', 'C14 the page shows the new address');
select is(pg_temp.correct('ann', 'ann', 'annb@example.org'), 'TG404', 'C14 it is corrected once');

select is(auth.find_user('ann@example.org'), null, 'C14 the user of the mistyped address goes');
select tap.paid('abe') as abe \gset
insert into billing.notifications (tenant_id, user_id, kind, fact)
	values (:'abe', auth.find_user('abe@example.org'), 'paused', 'x');
select is(pg_temp.correct('abe', 'abe', 'abel@example.org'), '00000', 'C14 an address to whose user something refers');
select isnt(auth.find_user('abe@example.org'), null, 'C14 is corrected, and the user stays');
select tap.paid('ada') as ada \gset
update auth.users set created_at = now() - interval '1 h' where email = 'ada@example.org';
select is(pg_temp.correct('ada', 'ada', 'adam@example.org'), '00000', 'C14 so it is with the address of a user');
select isnt(auth.find_user('ada@example.org'), null, 'C14 who was there before the purchase');

-- to a user who exists it is offered
select tap.user('max@example.org') as max \gset
select tap.paid('bea') as bea \gset
select is(pg_temp.correct('bea', 'bea', 'max@example.org'), '00000', 'S01 corrected to a user''s address');
select is(pg_temp.owners(:'bea'), null, 'S01 it makes no member');
select is(user_id, :'max'::uuid, 'S01 it is offered') from app.offers where tenant_id = :'bea';
select is(pg_temp.mails('max@example.org'), 'offer pending', 'S01 by mail');

-- from one to whom it was offered
select tap.user('cem@example.org') as cem \gset
select tap.paid('cem') as cem_tenant \gset
select is(pg_temp.correct('cem', 'cem', 'cemal@example.org'), '00000', 'S01 an offer to a mistyped user is taken back');
select is(auth.find_user('cem@example.org'), :'cem'::uuid, 'S01 who stays a user');
select is(pg_temp.owners(:'cem_tenant'), 'cemal@example.org', 'S01 and the buyer is the owner');
select is(count(*), 0::bigint, 'S01 nothing is offered any more') from app.offers where tenant_id = :'cem_tenant';
select is(used_at, now(), 'S01 by no link either') from auth.requests where tenant_id = :'cem_tenant';

-- not once somebody is in
select tap.paid('dot') as dot \gset
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr)
	values (auth.find_user('dot@example.org'), now() + interval '1 day', now() + interval '1 day', now(), '{}');
select is(pg_temp.welcome('dot', 'dot') -> 'may_correct', 'false', 'C14 once somebody has signed in it is too late');
select is(pg_temp.correct('dot', 'dot', 'eve@example.org'), 'TG404', 'C14 also for who asks anyway');
select is(pg_temp.owners(:'dot'), 'dot@example.org', 'C14 and the owner stays');

-- nor before it is paid
select tap.open_draft('eli', 'eli@example.org') \g /dev/null
select tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', 'eli'::bytea, 'cs_eli')) \g /dev/null
select is(pg_temp.correct('eli', 'eli', 'eve@example.org'), 'TG404',
	'C14 before the payment there is nothing to correct');
select is(pg_temp.welcome('eli', 'eli') -> 'email', null, 'C14 and nothing to show');

-- nor later, when a session by which somebody signed in may have been forgotten
select tap.paid('fay') as fay \gset
update billing.checkouts set created_at = now() - interval '49 hours' where tenant_id = :'fay';
select is(pg_temp.correct('fay', 'fay', 'eve@example.org'), 'TG404', 'C14 after two days there is nothing to correct');

select * from finish();
rollback;
