-- The outbox, retention and the operator's view.
begin;
select no_plan();

select tap.paid('ann') as ann \gset
create function pg_temp.claim() returns jsonb
	language sql as $$ select tap.ask('tollgate_mailer', 'service.claim_mail(60)') $$;
create function pg_temp.fail(p_claim jsonb, p_permanent boolean) returns jsonb language sql as $$
	select tap.ask('tollgate_mailer',
		format('service.mail_failed(%L, %L, %L, %L)', p_claim ->> 'id', p_claim ->> 'claim', '451 later', p_permanent))
$$;

select pg_temp.claim() as mail \gset
select is(:'mail'::jsonb - 'claim' - 'id' - 'data',
	jsonb_build_object('key', 'welcome:' || :'ann', 'template', 'welcome', 'language', 'en',
		'recipient', 'ann@example.org', 'attempts', 0), 'C14 the welcome mail is claimed');
select is(:'mail'::jsonb #>> '{data,plan}', 'plan_starter', 'C14 with the plan for its template');
select is(pg_temp.claim(), null, 'F105 by one only');
select is(pg_temp.fail(:'mail', false), '{"dead": false}', 'F105 a refusal for now');
select is(next_at, now() + interval '30 s', 'F105 is tried again in half a minute') from mail.outbox;
select pg_temp.fail(:'mail', false) \g /dev/null
select is(attempts, 1, 'F88 told twice it counts once') from mail.outbox;
update mail.outbox set next_at = now();
select pg_temp.claim() as mail \gset
select pg_temp.fail(:'mail', false) \g /dev/null
select is(next_at, now() + interval '1 min', 'F105 then in a minute') from mail.outbox;
update mail.outbox set next_at = now();
select pg_temp.claim() as dead \gset
update mail.outbox set claimed_until = now() - interval '1 s';
select pg_temp.claim() as mail \gset
select is(:'mail'::jsonb -> 'attempts', '3', 'F78 a mail whose sender died is taken over');
select is(tap.state_of('tollgate_mailer',
	format('select service.mail_sent(%L, %L)', :'dead'::jsonb ->> 'id', :'dead'::jsonb ->> 'claim')), 'TG409',
	'F78 the dead one''s report is refused');
select is(tap.state_of('tollgate_mailer',
	format('select service.mail_sent(%L, %L)', :'mail'::jsonb ->> 'id', :'mail'::jsonb ->> 'claim')), '00000',
	'F105 sent');
select is(state || ' ' || (data - 'request'), 'sent {"plan": "plan_starter"}', 'F43 and never held a secret')
	from mail.outbox;
select is(tap.state_of('tollgate_mailer',
	format('select service.mail_sent(%L, %L)', :'mail'::jsonb ->> 'id', :'mail'::jsonb ->> 'claim')), '00000',
	'F88 said again, the answer lost, it is no error');

create function pg_temp.requested() returns void language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	delete from mail.outbox;
	perform tap.request('ann@example.org', 'mine');
end
$$;
select pg_temp.requested() \g /dev/null
select is(pg_temp.fail(pg_temp.claim(), true), '{"dead": true}', 'F105 a refusal for good');
select is(state, 'dead', 'F105 is dead') from mail.outbox;
select pg_temp.requested() \g /dev/null
update mail.outbox set attempts = 9;
select is(pg_temp.fail(pg_temp.claim(), false), '{"dead": true}', 'F105 the tenth refusal is the last');
select tap.request('nobody@example.org', 'mine') \g /dev/null
select is(pg_temp.claim(), null, 'F50 mail to nobody is not claimed');
select is(tap.ask('tollgate_operator', 'ops.status()') -> 'mail', '{"pending": 0, "dead": 1}',
	'F105 the operator sees the dead');
select pg_temp.requested() \g /dev/null
update mail.outbox set attempts = 9, claimed_until = now() - interval '1 s';
select is(pg_temp.claim(), null, 'F78 a mail that ten senders died of is not claimed');
select is(state || ' ' || last_error, 'dead the lease expired', 'F78 it is dead') from mail.outbox;

-- mails that nobody may get
delete from mail.outbox;
select count(auth.ask_link('void ' || n, 'signin', '{}', 'signin', format('void%s@example.org', n), 'en'))
	from generate_series(1, 120) n \g /dev/null
insert into mail.outbox (key, recipient, template, language, next_at) values ('real', 'x', 'x', 'en', now());
update mail.outbox set next_at = now() - interval '1 s' where key like 'void %';
select is(pg_temp.claim(), '{}', 'F105 of many that nobody may get a call takes fifty, and says so');
select is(count(*), 50::bigint, 'F105 so its transaction is short') from mail.outbox where state = 'void';
select pg_temp.claim() \g /dev/null
select is(pg_temp.claim() ->> 'key', 'real', 'F105 and the one behind them has its turn');

-- a link that somebody waits for goes first, and never arrives dead
delete from auth.requests;
select pg_temp.requested() \g /dev/null
insert into mail.outbox (key, recipient, template, language, next_at)
	select 'notice ' || n, 'x', 'notice_upcoming', 'en', now() - interval '1 h' from generate_series(1, 200) n;
insert into mail.outbox (key, recipient, template, language, data, next_at) values
	('offered', 'x', 'notice_upcoming', 'en', '{"request": "0b7c0000-0000-0000-0000-000000000000"}',
		now() - interval '1 h');
select id as request from auth.requests order by created_at desc limit 1 \gset
update auth.requests set created_at = now() - interval '30 min' where id = :'request';
select pg_temp.claim() as first \gset
select is(:'first'::jsonb ->> 'template', 'signin', 'F53 a link goes before 200 notices that are older');
select pg_temp.fail(:'first', false) \g /dev/null
update auth.links set expires_at = now() where request_id = :'request';
update mail.outbox set next_at = now() where id = (:'first'::jsonb ->> 'id')::uuid;
select pg_temp.claim() as again \gset
select is(:'again'::jsonb ->> 'id', :'first'::jsonb ->> 'id', 'F53 and when it is tried again');
select isnt(:'again'::jsonb #>> '{data,token}', :'first'::jsonb #>> '{data,token}', 'F53 with a link minted anew');
select is(max(expires_at), now() + interval '10 min', 'F53 which lives from then, however long its mail waited')
	from auth.links where request_id = :'request';
update auth.links set expires_at = now() + interval '1 min' where request_id = :'request';
create function pg_temp.sign_in(p_claim jsonb, p_token text) returns jsonb language sql as $$
	select tap.ask('tollgate_signin', format('api.sign_in(%L, null, %L, %L, null, null)',
		sha256(decode(translate(p_claim #>> '{data,token}', '-_', '+/') || '=', 'base64')), sha256('flow of mine'),
		sha256(p_token::bytea)))
$$;
update auth.requests set flow_hash = sha256(sha256('flow of mine')) where id = :'request';
select is(pg_temp.sign_in(:'first', 'one') -> 'ok', 'true', 'F53 minting anew ends nothing: the first works');
select is(pg_temp.sign_in(:'again', 'two') -> 'ok', 'false', 'F53 and one use spends both');
delete from mail.outbox;

-- what keeps mails back
insert into mail.outbox (key, recipient, template, language) select 'kept ' || n, 'x', 'failed', 'en'
	from generate_series(1, 2) n;
create function pg_temp.refuse(p_claim jsonb, p_cause text) returns jsonb language sql as $$
	select tap.ask('tollgate_mailer', format('service.mail_failed(%L, %L, %L, false, %L)', p_claim ->> 'id',
		p_claim ->> 'claim', 'the words', p_cause))
$$;
create function pg_temp.alerts() returns text[] language sql as $$
	select array_agg(subject || ' ' || detail) from ops.alerts where kind = 'mail_refused' and cleared_at is null
$$;
select pg_temp.claim() as one \gset
select pg_temp.claim() as two \gset
select is(pg_temp.refuse(:'one', 'RCPT 550 5.7.1'), '{"dead": false}', 'F105 a refusal of us ends no mail');
select pg_temp.refuse(:'two', 'RCPT 550 5.7.1') \g /dev/null
select is(pg_temp.alerts(), array['RCPT 550 5.7.1 {"error": "the words"}'], 'F105 it is one alert, with the words');
update mail.outbox set attempts = 30, outages = 30, next_at = now() where id = (:'one'::jsonb ->> 'id')::uuid;
select pg_temp.claim() as one \gset
select pg_temp.refuse(:'one', 'MAIL 530') \g /dev/null
select is(next_at, now() + interval '32 min', 'F105 the next try is within the hour, however many there were')
	from mail.outbox where id = (:'one'::jsonb ->> 'id')::uuid;
select is(cardinality(pg_temp.alerts()), 2, 'F105 another cause is another alert');
update mail.outbox set next_at = now() where id = (:'two'::jsonb ->> 'id')::uuid;
select pg_temp.claim() as two \gset
select tap.ask('tollgate_mailer',
	format('service.mail_sent(%L, %L)', :'two'::jsonb ->> 'id', :'two'::jsonb ->> 'claim')) \g /dev/null
select is(next_at, now(), 'F105 once one is sent, what waited for the connection is due')
	from mail.outbox where id = (:'one'::jsonb ->> 'id')::uuid;
select is(pg_temp.alerts(), null, 'F105 and no alert is left');
select pg_temp.claim() as one \gset
select is(pg_temp.refuse(:'one', null), '{"dead": false}', 'F105 after outages a refusal of this mail alone is taken');
select is(pg_temp.alerts(), null, 'F105 and is no alert');
update mail.outbox set next_at = now(), created_at = now() - interval '6 days';
select pg_temp.claim() as one \gset
select is(pg_temp.refuse(:'one', 'RCPT 550'), '{"dead": true}',
	'F105 a mail that has waited for five days is given up');
select is(pg_temp.alerts(), null, 'F105 and with it its alert');

-- retention: of each kind one row that stays and one that is deleted
delete from mail.outbox;
delete from auth.requests;
insert into mail.outbox (key, recipient, template, language, state, created_at) values
	('old', 'x', 'x', 'en', 'sent', now() - interval '31 days'),
		('new', 'x', 'x', 'en', 'sent', now() - interval '29 days'),
	('waiting', 'x', 'x', 'en', 'pending', now() - interval '31 days'),
		('void', 'x', 'x', 'en', 'void', now() - interval '2 days');
insert into auth.requests (purpose, email, email_canonical, created_at) values
	('signin', 'x', 'x', now() - interval '169 hours'), ('welcome', 'x', 'x', now() - interval '167 hours');
select id as who from auth.users limit 1 \gset
insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr) values
	(:'who', now() - interval '91 days', now() - interval '92 days', now(), '{}'),
		(:'who', now(), now() - interval '89 days', now(), '{}');
create function pg_temp.draft(p_key text, p_age interval, p_status text, p_opened interval default null) returns void
	language plpgsql as $$
begin
	delete from auth.hits;
	perform tap.open_draft(p_key, p_key || '@example.org');
	update billing.checkouts set status = p_status, created_at = now() - p_age, opened_at = now() - p_opened,
		session_id = case when p_opened is not null then 'cs_' || p_key end
	where key = p_key::bytea;
	update app.tenants set created_at = now() - p_age
		where id = (select tenant_id from billing.checkouts where key = p_key::bytea);
end
$$;
select pg_temp.draft('young', '6 days', 'open'), pg_temp.draft('old', '8 days', 'open'),
	pg_temp.draft('expired', '8 days', 'expired', '8 days'), pg_temp.draft('paying', '8 days', 'unpaid', '8 days'),
	pg_temp.draft('given up', '31 days', 'unpaid', '31 days'), pg_temp.draft('back', '8 days', 'open', '23 hours'),
	pg_temp.draft('gift', '8 days', 'open', '8 days') \g /dev/null
insert into sync.cursors (name, seen_at) values ('events', now());
select ops.put_override(tenant_id, true, 'growth', null, 'a friend', 'ops')
	from billing.checkouts where key = 'gift' \g /dev/null
update app.tenants set created_at = now() - interval '1 year' where status = 'active';
select tap.receive('evt_old' || n, null, null) from generate_series(1, 5) n \g /dev/null
update inbox.events set received_at = now() - interval '91 days' where id like 'evt_old%' and id <> 'evt_old5';
update inbox.events set state = (array['done', 'ignored', 'dead', 'received'])[right(id, 1)::int]
	where id like 'evt_old%' and id <> 'evt_old5';
select is(tap.ask('tollgate_jobs', 'service.apply_retention()'),
	'{"requests": 1, "sessions": 1, "tokens": 0, "devices": 0, "hits": 0, "tries": 0, "pending": 0,
	"users": 0, "addresses": 0,
		"mails": 2, "drafts": 3, "events": 2, "put_off": 0, "windows": 0, "turns": 0, "calls": 0}',
	'D24 what is over goes');
update inbox.events set received_at = now() - interval '40 days' where id = 'evt_old5';
select is(tap.ask('tollgate_jobs', format('service.apply_retention(%s)', v.days)) -> 'events', v.gone,
	format('C33 kept %s days: %s gone', v.days, v.gone))
from (values (41, '0'::jsonb), (1, '1')) v (days, gone);
select tap.receive('evt_old5', null, null) \g /dev/null
update inbox.events set received_at = now() - interval '30 days' where id = 'evt_old5';
select is(tap.ask('tollgate_jobs', 'service.apply_retention(1)') -> 'events', '0',
	'C33 none goes that Stripe still lists');
select is(tap.ask('tollgate_jobs', 'service.apply_retention()'),
	'{"requests": 0, "sessions": 0, "tokens": 0, "devices": 0, "hits": 0, "tries": 0, "pending": 0,
	"users": 0, "addresses": 0,
		"mails": 0, "drafts": 0, "events": 0, "put_off": 0, "windows": 0, "turns": 0, "calls": 0}',
	'D24 once');
select is(array_agg(id order by id), '{evt_old3,evt_old4,evt_old5}',
	'C33 of old events those stay that are not through')
from inbox.events where id like 'evt_old%';
delete from inbox.events where id like 'evt_old%';
select is(array_agg(key order by key), '{new,waiting}', 'D24 mail that waits or is recent stays') from mail.outbox;
select is(array_agg(convert_from(key, 'UTF8') order by key), '{ann,back,gift,paying,young}',
	'D24 drafts being paid, or young, stay, and tenants for ever') from billing.checkouts;

-- drafts whose payment may not be known yet
select pg_temp.draft(kind, '8 days', 'open', '2 days')
	from unnest('{dirty,dead,subscription,customer,clean}'::text[]) kind \g /dev/null
update billing.checkouts set subscription_id = 'sub_s', customer_id = 'cus_s' where key in ('subscription', 'customer');
create function pg_temp.kept(p_key text) returns boolean language plpgsql as $$
begin
	perform tap.ask('tollgate_jobs', 'service.apply_retention()');
	return exists (select from billing.checkouts where key = p_key::bytea);
end
$$;
create function pg_temp.waits(p_kind text, p_id text, p_dead timestamptz default null) returns void language sql as $$
	insert into sync.objects (kind, id, dead_at) values (p_kind, p_id, p_dead)
$$;
update sync.cursors set seen_at = now() - interval '24 hours';
select is(pg_temp.kept(k), true, 'F81 none is dropped before Stripe''s events were looked through since: ' || k)
	from unnest('{dirty,clean}'::text[]) k;
update sync.cursors set seen_at = now() - interval '22 hours';
savepoint looked;
select pg_temp.waits('checkout', 'cs_dirty') \g /dev/null
select is(pg_temp.kept('dirty'), true, 'F96 nor while its session waits to be fetched');
rollback to looked;
select pg_temp.waits('checkout', 'cs_dead', now()) \g /dev/null
select is(pg_temp.kept('dead'), true, 'F77 nor when that was given up');
rollback to looked;
select pg_temp.waits('subscription', 'sub_s') \g /dev/null
select is(pg_temp.kept('subscription'), true, 'F96 nor while its subscription does');
rollback to looked;
select pg_temp.waits('customer', 'cus_s') \g /dev/null
select is(pg_temp.kept('customer'), true, 'F96 nor its customer');
rollback to looked;
select is(pg_temp.kept(k), false, 'D24 then it goes: ' || k) from unnest('{dirty,clean}'::text[]) k;
delete from sync.cursors;

select is(tap.ask('tollgate_operator', 'ops.status()') - 'migrations', '{"events": {"received": 0, "dead": 0},
	"oldest_received_seconds": null, "dirty": 0, "retrying": 0, "overdue_seconds": null, "dead_objects": 0,
	"orphans": 0, "mail": {"pending": 1, "dead": 0},
	"oldest_mail_seconds": 2678400, "alerts": {"open": 0, "kinds": []}, "unknown_types": [], "last_gap_look": null,
	"last_comparison": null, "role_faults": [],
	"lists_under_way": [], "tenants": {"draft": 4, "active": 1},
	"subscriptions": {"active": 1}}', 'C99 the operator''s view');
select tap.receive('evt_dirty' || n, 'customer', 'cus_dirty' || n) from generate_series(1, 4) n \g /dev/null
update sync.objects set next_at = now() - interval '7 s', outages = 1 where id = 'cus_dirty1';
update sync.objects set next_at = now() + interval '1 h', attempts = 2 where id = 'cus_dirty2';
update sync.objects set dead_at = now() where id = 'cus_dirty3';
update inbox.events set state = 'dead' where id = 'evt_dirty3';
update inbox.events set received_at = now() - interval '1 min' where id = 'evt_dirty1';
update mail.outbox set created_at = now() - interval '2 min' where state = 'pending';
select is(s - array['alerts', 'unknown_types', 'tenants', 'subscriptions', 'migrations', 'last_gap_look',
		'last_comparison', 'lists_under_way', 'role_faults'],
	'{"events": {"received": 3, "dead": 1}, "oldest_received_seconds": 60, "dirty": 3, "retrying": 2,
		"overdue_seconds": 7, "dead_objects": 1, "orphans": 0, "mail": {"pending": 1, "dead": 0},
		"oldest_mail_seconds": 120}', 'C99 what waits, since when, and what is stuck')
	from tap.ask('tollgate_operator', 'ops.status()') s;
select ops.raise_alert(null, 'drift', 'price:price_' || n, '{}') from generate_series(1, 7) n \g /dev/null
select ops.end_alert('drift', 'price:price_1'), ops.raise_alert(null, 'orphan', 'sub_x', '{}') \g /dev/null
select is(a #- '{kinds,0,since}' #- '{kinds,1,since}', '{"open": 7, "kinds": [{"kind": "drift", "open": 6,
	"newest": ["price:price_7", "price:price_6", "price:price_5", "price:price_4", "price:price_3"]},
	{"kind": "orphan", "open": 1, "newest": ["sub_x"]}]}', 'C99 and what somebody should look at')
	from (select tap.ask('tollgate_operator', 'ops.status()') -> 'alerts') s (a);
select tap.receive('evt_u' || n, null, null, jsonb_build_object('type', 'type.' || n % 2, 'created', 0))
from generate_series(1, 3) n \g /dev/null
update inbox.events set outcome = '{"foreign": "account"}' where id = 'evt_u3';
select is(jsonb_path_query_array(tap.ask('tollgate_operator', 'ops.status()'),
	'$.unknown_types[*] ? (@.last != "").events'), '[1, 1]',
	'C32 unknown events are counted by type, and not what another mode or account told');
delete from sync.cursors;
insert into sync.cursors (name, started_at, finished_at) values ('events', now(), now()),
	('subscriptions', now(), now() - interval '1 day');
select is((s -> 'last_gap_look' <> 'null')::text || (s -> 'last_comparison' <> 'null') || (s -> 'lists_under_way'),
	'truetrue["subscriptions"]',
	'C25 and when Stripe''s lists were looked through') from tap.ask('tollgate_operator', 'ops.status()') s;
select matches(tap.ask('tollgate_operator', 'ops.status()') ->> 'migrations', '^[0-9]{3}_[a-z_]+$',
	'C72 with the newest migration');

select * from finish();
rollback;
