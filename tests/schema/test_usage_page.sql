-- What a tenant's pages show of its usage, and to whom.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1}, {"id": "growth",
	"price": "price_growth", "rank": 2}]') \g /dev/null
create function pg_temp.configure(p_more jsonb default '{}') returns void language sql as $$
	select ops.put_usage('{"meters": ["tokens", "mails", "none"], "quotas": [
		{"plan": "starter", "meter": "tokens", "included": 1000, "sold": false, "most": 1000, "member_most": 600},
		{"plan": "starter", "meter": "mails", "included": 5, "sold": true, "most": 20}],
		"rates": [], "caps": [{"kind": "tenant", "plan": "", "subject": "", "micros": 5000}], "costs": [
		{"provider": "acme", "model": "big", "class": "input", "micros": 3000000}]}'::jsonb || p_more)
$$;
select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
update billing.subscriptions s set period_start = date_trunc('day', now()) - interval '5 days',
	period_end = date_trunc('day', now()) + interval '20 days' where true;
insert into app.members (tenant_id, user_id, role)
values (:'ann', tap.user('ada@example.org'), 'admin'), (:'ann', tap.user('mia@example.org'), 'member');
select tap.user('ann@example.org') as owner_id, tap.user('mia@example.org') as member_id \gset
select tap.session('ann@example.org', 'ann') as owner, tap.session('ada@example.org', 'ada') as admin,
	tap.session('mia@example.org', 'mia') as member, tap.session('bob@example.org', 'bob') as stranger \gset

create function pg_temp.shown(p_bearer text, p_arguments text default '') returns jsonb language sql as $$
	select tap.ask('tollgate_account', format('api.usage_page(%s)', p_arguments), p_bearer)
$$;
create function pg_temp.used(p_tenant text, p_user text, p_meter text, p_units bigint, p_model text default null)
	returns void language sql as $$
	select usage.record(p_tenant::uuid, p_user::uuid, null, p_meter,
		jsonb_build_object(case when p_model is null then 'unit' else 'input' end, p_units),
		jsonb_build_array(jsonb_build_object('provider', case when p_model is null then '' else 'acme' end, 'model',
			coalesce(p_model, p_meter))), gen_random_uuid()::text)
$$;

select is(pg_temp.shown(:'owner') -> 'meters', '[]', 'C97 without a meter there is nothing to show');
select pg_temp.configure() \g /dev/null
select is(jsonb_path_query_array(pg_temp.shown(:'owner'), '$.meters[*].state'), '["room", "room"]',
	'C97 before anything is used, what the plan has is shown');
select is(jsonb_array_length(pg_temp.shown(:'owner') #> '{meters,0,days}'), 25, 'C97 with each day of the period');

select pg_temp.used(:'ann', :'owner_id', 'tokens', 100, 'big'), pg_temp.used(:'ann', :'member_id', 'tokens', 40),
	pg_temp.used(:'ann', null, 'tokens', 10), pg_temp.used(:'ann', null, 'mails', 7) \g /dev/null
select usage.reserve(:'ann', null, null, 'tokens', '{"unit": 50}', '[{"provider": "", "model": "tokens"}]', 'open',
	300) \g /dev/null
select pg_temp.shown(:'owner') as all_of_it, pg_temp.shown(:'admin') as admins, pg_temp.shown(:'member') as own \gset
select is((m.doc - 'days' - 'own')::text, v.doc::jsonb::text, 'C97 ' || v.what)
from (values (0, '{"meter": "mails", "used": 7, "held": 0, "included": 5, "sold": true, "most": 20, "left": 13,
	"beyond": 2, "free": 0, "share": 100, "state": "sold"}', 'beyond what is included, where it is sold'),
	(1, '{"meter": "tokens", "used": 150, "held": 50, "included": 1000, "sold": false, "most": 1000, "left": 800,
	"beyond": 0, "free": 800, "share": 20, "state": "room"}', 'used, held and left')) v (n, doc, what)
	cross join lateral (select :'all_of_it'::jsonb #> array['meters', v.n::text]) m (doc);
select is(:'admins'::jsonb -> 'shares', :'all_of_it'::jsonb -> 'shares',
	'C97 an administrator sees what the owner does');
select is((select jsonb_agg(d -> 'units') from jsonb_path_query(:'all_of_it', '$.meters[1].days[*] ? (@.units > 0)') d),
	'[150]', 'C97 by day');
select is(:'all_of_it'::jsonb #> '{meters,1,days,5,at,iso}', api.date_document(date_trunc('day',
	now() at time zone 'UTC') at time zone 'UTC') -> 'iso', 'C97 of the period');
select is(jsonb_path_query_array(:'all_of_it', '$.kinds[*].model'), '["big", null, null]', 'C97 by model');
select is(jsonb_path_query_array(:'all_of_it', '$.kinds[*].micros'), '[300, 0, 0]', 'C97 with its money');
select is(jsonb_path_query_array(:'all_of_it', '$.shares[*] ? (@.meter == "tokens").units'), '[100, 40, 10]',
	'C97 by member, programs that named nobody too');
select is(:'all_of_it'::jsonb -> 'money', '[{"kind": "tenant", "micros": 300, "held_micros": 0,
	"cap_micros": 5000, "left_micros": 4700, "share": 6, "full": false}]',
	'C97 money and its cap');

-- the limit on spending on the billing page
create function pg_temp.card_full(p_bearer text) returns jsonb language sql as $$
	select tap.ask('tollgate_billing', 'api.billing_page()', p_bearer) #> '{usage_card,full}'
$$;
select is(pg_temp.card_full(:'owner'), 'false', 'C97 the billing page has a limit on spending that is not reached');
savepoint before_full;
select pg_temp.configure('{"caps": [{"kind": "tenant", "plan": "", "subject": "", "micros": 300}, {"kind": "user",
	"plan": "", "subject": "", "micros": 1}]}') \g /dev/null
select is(pg_temp.card_full(:'owner'), 'true', 'C97 and one that is');
select pg_temp.configure('{"caps": [{"kind": "user", "plan": "", "subject": "", "micros": 1}]}') \g /dev/null
select is(pg_temp.card_full(:'owner'), 'false', 'C97 that of a member is none of the tenant''s');
rollback to before_full;

-- a member sees the own
select is(jsonb_path_query_array(:'own', '$.shares[*].user'), jsonb_build_array(:'member_id'),
	'C97 a member sees the own share alone');
select is(jsonb_path_query_array(:'own', '$.kinds[*].units'), '[40]', 'C97 the own kinds');
select is((select sum((d -> 'units')::int) from jsonb_path_query(:'own', '$.meters[*].days[*]') d), 40::bigint,
	'C97 the own days');
select is(:'own'::jsonb -> 'money', '[]', 'C97 and nobody''s money');
select is(:'own'::jsonb #> '{meters,1,own}', '{"used": 40, "held": 0, "most": 600, "left": 560}',
	'C97 and what a member may use');
select ok(position(:'owner_id' in :'own') = 0, 'C63 and of others not even an id');
select is(tap.state_of('tollgate_account', format('select api.usage_page(%L)', :'ann'), v.bearer), v.state,
	'C63 asked by ' || v.who)
from (values ('a stranger', :'stranger', 'TG404'), ('nobody', '', 'TG401'), ('a member', :'member', '00000'))
	v (who, bearer, state);

-- states
select is(usage.meter_document(jsonb_build_object('meter', 'm', 'used', v.used, 'held', v.held, 'included', v.included,
	'sold', v.sold, 'left', v.room), v.allowed) ->> 'state', v.state, format('C97 %s of %s: %s', v.used, v.included,
	v.state))
from (values (0, 0, 100, false, 100, true, 'room'), (79, 0, 100, false, 21, true, 'room'),
	(70, 10, 100, false, 20, true, 'near'), (100, 0, 100, false, 0, true, 'over'),
	(90, 10, 100, false, 0, true, 'over'), (99, 0, 100, true, null, true, 'room'),
	(101, 0, 100, true, null, true, 'sold'), (200, 0, 100, true, 0, true, 'most'),
	(5, 0, 0, false, 0, true, 'none'), (5, 0, 100, false, 0, false, 'paused'), (0, 0, 0, true, null, true, 'room'))
	v (used, held, included, sold, room, allowed, state);

-- periods
update usage.accounts a set from_at = a.from_at - interval '1 month', until_at = a.from_at where a.tenant_id = :'ann';
update usage.days d set from_at = d.from_at - interval '1 month', day = d.day - 31 where d.tenant_id = :'ann';
select is(pg_temp.shown(:'owner') #> '{meters,1,used}', '0', 'C97 another period begins with nothing');
select pg_temp.shown(:'owner') #>> '{earlier,iso}' as earlier \gset
select pg_temp.shown(:'owner', format('null, %L', :'earlier')) as past \gset
select is(jsonb_path_query_array(:'past', '$.meters[*].used'), '[7, 150]', 'C97 an earlier one is kept');
select is((select sum((d -> 'units')::int) from jsonb_path_query(:'past', '$.meters[1].days[*]') d), 150::bigint,
	'C97 with its days, whose sum is the period''s');
select is(:'past'::jsonb #> '{later,iso}', pg_temp.shown(:'owner') #> '{from,iso}', 'C97 and leads back');
select is(:'past'::jsonb -> 'current', 'false', 'C97 as one that is over');
select is(tap.state_of('tollgate_account', format('select api.usage_page(null, %L)', v.start), :'owner'), v.state,
	'C97 a period from ' || v.start)
from (values (:'earlier', '00000'), ('2001-01-01T00:00:00Z', 'TG404'), ('x', 'TG404'), ('', 'TG404'))
	v (start, state);

select * from finish();
rollback;
