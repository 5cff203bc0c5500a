-- The ledger: what may be used, holds and their ends, caps, prices, periods, and the books.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "grace_days": 3},
	{"id": "growth", "price": "price_growth", "rank": 2}, {"id": "free", "free": true, "rank": 3}]') \g /dev/null
create function pg_temp.configure(p_more jsonb default '{}') returns void language sql as $$
	select ops.put_usage('{"meters": ["tokens", "mails"], "quotas": [
		{"plan": "starter", "meter": "tokens", "included": 1000, "sold": false, "most": 1000, "member_most": 600},
		{"plan": "growth", "meter": "tokens", "included": 5000, "sold": true, "most": null},
		{"plan": "starter", "meter": "mails", "included": 5, "sold": false, "most": 5}],
		"rates": [], "caps": [], "costs": [
		{"provider": "acme", "model": "big", "class": "input", "micros": 3000000},
		{"provider": "acme", "model": "big", "class": "output", "micros": 15000000},
		{"provider": "other", "model": "small", "class": "input", "micros": 1000000},
		{"provider": "other", "model": "small", "class": "output", "micros": 20000001}]}'::jsonb || p_more)
$$;
select pg_temp.configure() \g /dev/null
select tap.paid('ann') as ann, tap.paid('bob') as bob \gset
select tap.user('ann@example.org') as ann_user, tap.user('mia@example.org') as mia \gset
update billing.subscriptions s set period_start = now() - interval '5 days', period_end = now() + interval '20 days'
where true;

-- as the functions of programs call it
create function pg_temp.reserve(p_tenant text, p_user text, p_units bigint, p_request text,
	p_models jsonb default '[{"provider": "", "model": "tokens"}]', p_meter text default 'tokens',
		p_seconds int default 300)
	returns jsonb language sql as $$
	select usage.reserve(p_tenant::uuid, p_user::uuid, null, p_meter, jsonb_build_object('unit', p_units), p_models,
		p_request, p_seconds)
$$;
create function pg_temp.settle(p_tenant text, p_hold jsonb, p_units bigint, p_free boolean default false)
	returns jsonb language sql as $$
	select usage.settle(p_tenant::uuid, (p_hold ->> 'id')::uuid, jsonb_build_object('unit', p_units), null, null,
		'told',
		p_free)
$$;
-- "used/held/overrun" of a tenant's account of a meter
create function pg_temp.account(p_tenant text, p_meter text default 'tokens', p_kind text default 'tenant',
	p_subject text default '') returns text language sql as $$
	select string_agg(format('%s/%s/%s', a.used, a.held, a.overrun), ' ' order by a.from_at) from usage.accounts a
	where a.kind = p_kind and a.tenant_id is not distinct from p_tenant::uuid and a.meter = p_meter
		and a.subject = p_subject
$$;

-- reserve, settle
select pg_temp.reserve(:'ann', :'ann_user', 400, 'first') as first \gset
select is(:'first'::jsonb - 'id' - 'expires' - 'until', '{"ok": true, "state": "held", "meter": "tokens", "units": 400,
	"used": null, "micros": null, "left": 200, "limits": []}',
	'C75 400 of 1000 are held; the member has 200 left of 600');
select is(pg_temp.account(:'ann'), '0/400/0', 'F111 the tenant''s account holds them');
select is(pg_temp.reserve(:'ann', :'ann_user', 400, 'first') - 'limits', :'first'::jsonb - 'limits',
	'F140 asked again with its key it is the same hold');
select is(pg_temp.account(:'ann'), '0/400/0', 'F140 and holds no more');
select throws_ok(format('select pg_temp.reserve(%L, %L, 401, %L)', :'ann', :'ann_user', 'first'), 'TG409', null,
	'F140 a key is of one request');
select is(pg_temp.reserve(:'ann', :'ann_user', 201, 'more') - 'reset', jsonb_build_object('ok', false, 'code', 'quota',
	'left', 200, 'limits', '[]'::jsonb, 'subject', :'ann_user'),
		'F143 201 more are refused: 200 are left to the member');
select is(pg_temp.reserve(:'ann', null, 601, 'more') ->> 'code', 'quota', 'F143 601 more of the tenant''s 1000 too');
select is(pg_temp.reserve(:'ann', null, 600, 'all') -> 'ok', 'true', 'F143 600 are not');
select is(pg_temp.settle(:'ann', :'first', 150) - 'id' - 'expires' - 'until', '{"ok": true, "state": "settled",
	"meter": "tokens", "units": 400, "used": 150, "micros": 0, "left": 250}',
	'C84 150 were used, and what was held is free');
select is(pg_temp.account(:'ann'), '150/600/0', 'C84 in the account too');
select is(pg_temp.settle(:'ann', :'first', 150) -> 'used', '150', 'F140 settled again: the same answer');
select is(pg_temp.account(:'ann'), '150/600/0', 'F140 and one effect');
select throws_ok(format('select pg_temp.settle(%L, %L, 151)', :'ann', :'first'), 'TG409', null,
	'F140 settled otherwise: TG409');
select throws_ok(format('select pg_temp.settle(%L, %L, 150)', :'bob', :'first'), 'TG404', null,
	'C63 another tenant''s hold is none');
select tap.session('ann@example.org', 'ann') as owner \gset
select tap.ask('tollgate_account', format('api.make_key(%L, %L, %L, %L, %L)', :'ann', 'Mine', 'write',
	sha256(sha256('k')), 'abcd'), :'owner') \g /dev/null
create function pg_temp.settled(p_hold text) returns text language sql as $$
	select tap.state_of('tollgate_usage', format('select api.usage_settle(%L)',
		jsonb_build_object('id', p_hold, 'units', 1)), encode(sha256('k'), 'hex'))
$$;
savepoint before_programs;
select is(pg_temp.settled(pg_temp.reserve(:'ann', null, 600, 'all') ->> 'id'), 'TG404',
	'C63 a key settles no hold of the site itself');
select is(pg_temp.settled(tap.ask('tollgate_usage', 'api.usage_reserve(''{"meter": "tokens", "units": 1}'', ''key'')',
	encode(sha256('k'), 'hex')) ->> 'id'), '00000', 'C63 but that of a key');
create function pg_temp.told(p_call text, p_doc text, p_request text default null) returns jsonb language sql as $$
	select tap.ask('tollgate_usage', format('api.usage_%s(%s)', p_call, concat_ws(', ', quote_literal(p_doc),
		quote_literal(p_request))), encode(sha256('k'), 'hex'))
$$;
select is(pg_temp.told(v.call, v.again, v.call || v.once) -> 'id', pg_temp.told(v.call, v.once, v.call || v.once)
	-> 'id', format('F140 the same number is the same request: %s of %s, then %s', v.call, v.once, v.again))
from (values ('reserve', '{"meter": "tokens", "units": 1}', '{"meter": "tokens", "units": 1.0}'),
	('reserve', '{"meter": "tokens", "counts": {"a": 2.00, "b": 0.0}}',
		'{"meter": "tokens", "counts": {"b": 0, "a": 2}}'),
	('record', '{"meter": "tokens", "units": 1.0}', '{"meter": "tokens", "units": 1e0}')) v (call, once, again);
select pg_temp.told('reserve', '{"meter": "tokens", "units": 9}', 'late') ->> 'id' as late \gset
update usage.holds h set expires_at = now() where h.id = :'late';
select usage.expire(10) \g /dev/null
select is(pg_temp.told('settle', format('{"id": "%s", "units": %s}', :'late', v.units)) -> 'used', '5',
	'F140 what is settled late is said again: ' || v.units)
from (values ('5'), ('5.0'), ('5.00')) v (units);
rollback to before_programs;
select is(pg_temp.settle(:'ann', pg_temp.reserve(:'ann', null, 600, 'all'), 900) -> 'used', '900',
	'F134 what was used beyond the hold is counted');
select is(pg_temp.account(:'ann'), '1050/0/50', 'F143 as overrun of 50');
select is(pg_temp.reserve(:'ann', null, 1, 'none') ->> 'code', 'quota', 'F143 and not one more is held');
select is(pg_temp.settle(:'bob', pg_temp.reserve(:'bob', null, 10, 'free'), 10, true) -> 'used', '0',
	'F127 who got nothing pays nothing');
select is(usage.faults(), '[]', 'F143 the books are true');

-- what is asked
select is(tap.state_of('none', format('select usage.reserve(%L, null, null, %L, %L, %L, %L, %s)', :'bob', v.meter,
	v.counts,
	v.models, v.request, v.seconds)), v.state, 'F153 ' || v.what)
from (values ('tokens', '{"unit": 1}', '[{"provider": "", "model": "tokens"}]', 'k1', '300', '00000',
	'a valid request'),
	('stones', '{"unit": 1}', '[{"provider": "", "model": "stones"}]', 'k2', '300', 'TG422', 'no such meter'),
	('tokens', '{"unit": -1}', '[{"provider": "", "model": "tokens"}]', 'k3', '300', 'TG422', 'negative'),
	('tokens', '{"unit": 1.5}', '[{"provider": "", "model": "tokens"}]', 'k4', '300', 'TG422', 'half a unit'),
	('tokens', '{"unit": 9223372036854775808}', '[{"provider": "", "model": "tokens"}]', 'k5', '300', 'TG422', '2^63'),
	('tokens', '{"unit": "1"}', '[{"provider": "", "model": "tokens"}]', 'k6', '300', 'TG422', 'a text'),
	('tokens', '{}', '[{"provider": "", "model": "tokens"}]', 'k7', '300', 'TG422', 'nothing'),
	('tokens', '[]', '[{"provider": "", "model": "tokens"}]', 'k8', '300', 'TG422', 'a list'),
	('tokens', '{"unit": 1}', '[{"provider": "", "model": "tokens"}]', '', '300', 'TG422', 'an empty key'),
	('tokens', '{"unit": 1}', '[{"provider": "", "model": "tokens"}]', 'k9', '3601', 'TG422', 'held for too long'),
	('tokens', '{"unit": 1}', '[{"provider": "acme", "model": "big"}]', 'k10', '300', 'TG422',
		'a class without a price'),
	('tokens', '{"input": 1}', '[{"provider": "acme", "model": "new"}]', 'k11', '300', 'TG422',
		'F146 a model without one'),
	('tokens', '{"unit": 1}', '[{"provider": "", "model": "free"}]', 'k12', '300', 'TG422',
		'F146 a meter under another name'),
	('tokens', '{"input": 0}', '[{"provider": "acme", "model": "big"}, {"provider": "", "model": "mails"}]', 'k13',
		'300', 'TG422', 'F146 a meter beside another'),
	('tokens', '{"a": 600000000000, "b": 400000000001}', '[{"provider": "", "model": "tokens"}]', 'k14', '300', 'TG422',
		'too many in all'))
	v (meter, counts, models, request, seconds, state, what);
select is(pg_temp.reserve(:'bob', null, 6, 'mail', '[{"provider": "", "model": "mails"}]', 'mails') ->> 'code', 'quota',
	'F143 each meter has a quota of its own');
select is(usage.reserve(gen_random_uuid(), null, null, 'tokens', '{"unit": 1}', '[{"provider": "", "model": "tokens"}]',
	'x', 300) ->> 'code', 'plan', 'C75 who has no plan has none');

savepoint before_closing;
update app.tenants t set closes_at = now() + interval '30 days' where t.id = :'bob';
select is(pg_temp.reserve(:'bob', null, 1, 'closing'),
	'{"ok": false, "code": "plan", "reason": "closing", "limits": []}', 'F145 a tenant that closes begins nothing');
select pg_temp.configure('{"rates": [{"name": "minute", "plan": "starter", "meter": "", "allowed": 2, "seconds": 60}]}')
	\g /dev/null
select is(pg_temp.reserve(:'bob', null, 1, 'closing') -> 'limits',
	'[{"name": "minute", "allowed": 2, "seconds": 60, "left": 2, "reset": 0}]',
	'F144 a refusal by plan says what is left of its limits, and takes none');
rollback to before_closing;

-- prices: the dearest candidate is held, the one that did it is counted, by the price of the hold
select usage.reserve(:'bob', null, null, 'tokens', '{"input": 10, "output": 100}',
	'[{"provider": "acme", "model": "big"}, {"provider": "other", "model": "small"}]', 'priced', 300) as priced \gset
select is((select h.micros from usage.holds h where h.id = (:'priced'::jsonb ->> 'id')::uuid), 2011::bigint,
	'C84 the dearest model''s cost is held, rounded up once: 10 + 2000.0001');
select pg_temp.configure('{"costs": [{"provider": "acme", "model": "big", "class": "input", "micros": 6000000},
	{"provider": "acme", "model": "big", "class": "output", "micros": 15000000}]}') \g /dev/null
select is(usage.settle(:'bob', (:'priced'::jsonb ->> 'id')::uuid, '{"input": 10, "output": 20}', 'acme', 'big', 'told',
	false) -> 'micros', '330', 'F146 a price that changes meanwhile is not the hold''s: 30 + 300');
select is((select array_agg(c.micros order by c.micros) from usage.holds h join usage.costs c on c.id = any (h.costs)
	where h.request = 'priced'), '{1000000,3000000,15000000,20000001}',
	'F146 the rows in force then are kept');
select is(pg_temp.account(:'bob', ''), '330/0/0', 'C84 the tenant''s money');
select is(pg_temp.account(null, '', 'provider', 'acme'), '330/0/0', 'C84 the provider''s');
select is(pg_temp.account(null, '', 'provider', 'other'), '0/0/0', 'C84 and not that of who did nothing');
select throws_ok(format('select usage.settle(%L, %L, %L, %L, %L, %L, false)', :'bob', :'priced'::jsonb ->> 'id',
	'{"input": 1}',
	'acme', 'huge', 'told'), 'TG422', null, 'F146 a model that was not foreseen is none');
select pg_temp.configure() \g /dev/null

savepoint before_models;
select usage.reserve(:'bob', null, null, 'tokens', '{"input": 1}', '[{"provider": "acme", "model": "big"},
	{"provider": "other", "model": "small"}]', 'two models', 300) as two \gset
select throws_ok(format('select usage.settle(%L, %L, %L, %L, null, %L, false)', :'bob', :'two'::jsonb ->> 'id',
	'{"input": 1}', 'nobody', 'told'), 'TG422', null, 'F146 nor a provider');
select usage.settle(:'bob', (:'two'::jsonb ->> 'id')::uuid, '{"input": 1}', 'other', null, 'told', false) \g /dev/null
select is((select format('%s %s', h.provider, h.model) from usage.holds h where h.request = 'two models'),
	'other small', 'F146 a provider without a model is its own');
rollback to before_models;
savepoint before_prices;
select pg_temp.configure('{"costs": [{"provider": "", "model": "tokens", "class": "unit", "micros": 1000000}]}')
	\g /dev/null
select throws_ok(format('select usage.reserve(%L, null, null, %L, %L, %L, %L, 300)', :'bob', 'tokens', '{"other": 9}',
	'[{"provider": "", "model": "tokens"}]', 'other'), 'TG422', null,
	'F146 a meter that has a price is free by no other class');
rollback to before_prices;

-- the bound of a record's cost
savepoint before_bound;
select pg_temp.configure('{"costs": [{"provider": "acme", "model": "big", "class": "input", "micros": 1000000000000}]}')
	\g /dev/null
create function pg_temp.faulty(p_call text, p_doc jsonb) returns text language plpgsql as $$
begin
	perform tap.ask('tollgate_usage', format('api.usage_%s(%L%s)', p_call, p_doc,
		case when p_call = 'settle' then '' else ', ' || quote_literal(p_doc) end), encode(sha256('k'), 'hex'));
	return 'none';
exception when sqlstate 'TG422' then
	return tap.ask('tollgate_usage', format('api.usage_fault(%L, %L)', p_call, p_doc),
		encode(sha256('k'), 'hex')) ->> 'field';
end
$$;
select is(pg_temp.faulty(v.call, ('{"meter": "tokens", "provider": "acme", "model": "big"}'::jsonb
	|| jsonb_build_object('counts', jsonb_build_object('input', v.units)))), v.field,
	format('F153 %s of %s units that cost a million micros each: %s', v.call, v.units, v.field))
from (values ('record', 1000000000, 'none'), ('record', 1000000001, 'counts'), ('reserve', 1000000001, 'counts'))
	v (call, units, field);
select usage.record(t::uuid, null, null, 'tokens', '{"input": 1}', '[{"provider": "acme", "model": "big"}]', 'one')
	-> 'micros' as one from (values (:'bob')) v (t) \gset
select is(:'one'::jsonb, '1000000', 'C84 a unit may cost what many others cost');
select is(pg_temp.faulty('settle', jsonb_build_object('id', tap.ask('tollgate_usage',
	'api.usage_reserve(''{"meter": "tokens", "counts": {"input": 0}, "provider": "acme", "model": "big"}'', ''bound'')',
	encode(sha256('k'), 'hex')) ->> 'id') || '{"counts": {"input": 1000000000000}}'), 'counts',
	'F153 and a settle says which field, too');
select is(tap.state_of('tollgate_usage', format('select api.usage_settle(%L)', v.doc), encode(sha256('k'), 'hex')),
	v.state, 'F153 a settle of ' || v.doc)
from (values ('{"id": 5, "units": 1}', 'TG422'), ('{"id": null, "units": 1}', 'TG422'),
	('{"id": "5", "units": 1}', 'TG404')) v (doc, state);
select is(pg_temp.faulty('reserve', '{"meter": "tokens", "counts": {"input": 0},
	"models": [{"provider": "acme", "model": "big"}]}'::jsonb || v.more), v.field, format('F153 %s beside models: %s',
	v.more, v.field))
from (values ('{"model": "big"}'::jsonb, 'none'), ('{"provider": "acme", "model": "big"}', 'none'),
	('{"model": "small"}', 'model'), ('{"provider": "other"}', 'provider'),
	('{"provider": "other", "model": "big"}', 'provider')) v (more, field);
update auth.users u set disabled_at = now() where u.id = :'mia';
insert into app.members (tenant_id, user_id, role)
select k.tenant_id, :'mia', 'member' from app.keys k where k.hash = sha256(sha256('k')) on conflict do nothing;
select is(pg_temp.faulty('reserve', jsonb_build_object('meter', 'tokens', 'units', 1, 'user', :'mia')), 'user',
	'F145 a reservation for a suspended user is refused by its field');
select is(usage.faults(), '[]', 'F153 the books are true');
rollback to before_bound;

-- caps of money, each of whom
create function pg_temp.capped(p_tenant text, p_user text, p_kind text, p_subject text, p_counts jsonb) returns text
	language plpgsql as $$
begin
	perform pg_temp.configure(jsonb_build_object('caps', jsonb_build_array(jsonb_build_object('kind', p_kind,
		'plan', '', 'subject', p_subject, 'micros', 1000))));
	return usage.reserve(p_tenant::uuid, p_user::uuid, null, 'tokens', p_counts,
		'[{"provider": "acme", "model": "big"}]', 'capped ' || p_kind || p_counts, 300) ->> 'code';
end
$$;
select is(pg_temp.capped(:'bob', :'mia', v.kind, v.subject, v.counts), v.code,
	format('C87 %s of %s', coalesce(v.code, 'room'), v.what))
from (values ('user', '', 'cap', '{"input": 334, "output": 0}'::jsonb, 'a user''s cap of money'),
	('tenant', '', 'cap', '{"input": 300, "output": 0}', 'a tenant''s'),
	('provider', 'acme', 'provider', '{"input": 300, "output": 0}', 'a provider''s'),
	('provider', 'other', null, '{"input": 1, "output": 0}', 'another provider''s'),
	('all', '', 'unavailable', '{"input": 300, "output": 0}', 'that of all')) v (kind, subject, code, counts, what);
select pg_temp.configure('{"caps": [{"kind": "all", "plan": "", "subject": "", "micros": 1000}]}') \g /dev/null
select usage.record(:'bob', null, null, 'tokens', '{"input": 200, "output": 0}',
	'[{"provider": "acme", "model": "big"}]',
	'used anyway') \g /dev/null
select is(array(select a.subject from ops.alerts a where a.kind = 'usage_cap' order by 1),
	array(select '80:' || a.id from usage.accounts a where a.kind = 'all'), 'C87 at 80 % the operator is told');
select usage.record(:'bob', null, null, 'tokens', '{"input": 200, "output": 0}',
	'[{"provider": "acme", "model": "big"}]',
	'used again') \g /dev/null
select is((select count(*) from ops.alerts a where a.kind = 'usage_cap'), 2::bigint, 'C87 and once at 100 %');
create function pg_temp.tended() returns text[] language plpgsql as $$
begin
	perform tap.ask('tollgate_jobs', 'service.tend_usage(10)');
	return array(select split_part(a.subject, ':', 1) from ops.alerts a
		where a.kind = 'usage_cap' and a.cleared_at is null order by 1);
end
$$;
create temp table was on commit drop as
	select a.id, a.cap, a.overrun, a.from_at, a.until_at from usage.accounts a where a.kind = 'all' and a.meter = '';
select is(pg_temp.tended(), '{100,80}', 'C87 which the operator sees while it is so');
update usage.accounts a set cap = 1600, overrun = 0 from was w where a.id = w.id;
select is(pg_temp.tended(), '{80}', 'C87 until the cap is raised');
update usage.accounts a set from_at = now() - interval '2 h', until_at = now() from was w where a.id = w.id;
select is(pg_temp.tended(), '{}', 'C87 or the period is over');
update usage.accounts a set cap = w.cap, overrun = w.overrun, from_at = w.from_at, until_at = w.until_at
from was w where a.id = w.id;
select is(pg_temp.account(null, '', 'all'), '1530/3/533', 'C87 what is recorded counts whatever the cap says');
select pg_temp.configure('{"caps": [{"kind": "all", "plan": "", "subject": "", "micros": 9000000000000000000}]}')
	\g /dev/null
select lives_ok(format('select usage.record(%L, null, null, %L, %L, %L, %L)', :'bob', 'tokens', '{"input": 1}',
	'[{"provider": "acme", "model": "big"}]', 'under the greatest cap'),
	'C87 a cap may be as large as a number may');
select is(usage.faults(), '[]', 'C87 the books are true');
select pg_temp.configure() \g /dev/null

-- what a key says
savepoint before_keys;
select pg_temp.configure('{"caps": [{"kind": "all", "plan": "", "subject": "", "micros": 0},
	{"kind": "provider", "plan": "", "subject": "acme", "micros": 0}],
	"rates": [{"name": "minute", "plan": "", "meter": "", "allowed": 2, "seconds": 60}]}') \g /dev/null
select gen_random_uuid() as key \gset
select is(usage.reserve(:'bob', null, :'key', 'tokens', '{"input": 50}', '[{"provider": "acme", "model": "big"}]',
	'of a key', 300) -> 'ok', 'true', 'F143 the caps of providers and of all are not those of keys');
select is((select usage.record(t::uuid, null, :'key', 'tokens', '{"input": 1000000}',
	'[{"provider": "acme", "model": "big"}]', 'much') -> 'limits' -> 0 -> 'left'
	from (values (:'bob')) v (t)), '0', 'F143 a record takes one of the limit');
select is((select array_agg(distinct a.kind order by a.kind) from usage.accounts a
	join usage.holds h on a.id = any (h.accounts) where h.key_id = :'key'), '{tenant}',
	'F143 what a key says is in accounts of its own tenant alone');
select is(usage.record(:'bob', null, :'key', 'tokens', '{"input": 1}', '[{"provider": "acme", "model": "big"}]',
	'too often') ->> 'code', 'rate_minute', 'F143 and a record beyond it is refused');
select is(usage.faults(), '[]', 'F143 the books are true');
rollback to before_keys;

-- a hold that nobody comes back for
select pg_temp.reserve(:'bob', null, 100, 'left', '[{"provider": "", "model": "tokens"}]') as lost \gset
select ok(usage.checkpoint(:'bob', (:'lost'::jsonb ->> 'id')::uuid, '{"unit": 30}', null, null),
	'F138 what is known is kept');
select is(usage.expire(10), 0, 'F138 a hold in time does not expire');
update usage.holds h set expires_at = now() where h.request in ('left', 'capped provider{"input": 1, "output": 0}');
select is(usage.expire(10), 2, 'F138 a late one does');
select is(usage.expire(10), 0, 'F138 once');
select is((select format('%s %s', h.state, h.spent) from usage.holds h where h.request = 'left'), 'expired 30',
	'F138 the tenant pays what was known');
select is((select format('%s %s %s', h.spent, h.spent_micros, h.outer_micros) from usage.holds h
	where h.request like 'capped provider%'), '0 0 3',
		'F138 without that nothing, and the provider''s cap all that was held');
select is(pg_temp.settle(:'bob', :'lost', 45) -> 'used', '45', 'F138 who comes back later says the rest');
select is(pg_temp.settle(:'bob', :'lost', 45) -> 'used', '45', 'F138 once');
select throws_ok(format('select pg_temp.settle(%L, %L, 46)', :'bob', :'lost'), 'TG409', null, 'F138 and no other');
select is((select format('%s %s', h.state, h.spent) from usage.holds h where h.request = 'left'), 'expired 30',
	'F138 the journal is not rewritten');
select is((select c.units from usage.corrections c), 15::bigint, 'F138 the correction is the difference');
select is(usage.faults(), '[]', 'F138 the books are true');

-- what Stripe is told
select tap.sync('subscription', tap.subscription('bob', :'bob', '{"items": {"data": [{"price": {"id": "price_growth"},
	"quantity": 1, "current_period_start": 1767225600, "current_period_end": 1800000000}]}}')) \g /dev/null
select pg_temp.reserve(:'bob', null, 100, 'sold') as sold \gset
select is(:'sold'::jsonb -> 'left', 'null', 'C76 what is sold has no bound');
select pg_temp.settle(:'bob', :'sold', 70) \g /dev/null
select pg_temp.settle(:'bob', pg_temp.reserve(:'bob', null, 100, 'nothing'), 0) \g /dev/null
select is((select array_agg(format('%s %s', o.units, o.id = (:'sold'::jsonb ->> 'id')::uuid)) from usage.outbox o),
	'{70 t}',
	'C76 Stripe is to be told of 70 units once, and of no nought');
select is(usage.faults(), '[]', 'C76 the books are true');

-- a plan that changes
select pg_temp.configure('{"quotas": [{"plan": "growth", "meter": "tokens", "included": 50, "sold": false,
	"most": 50}]}') \g /dev/null
select is(pg_temp.reserve(:'bob', null, 1, 'lowered') ->> 'code', 'quota',
	'F145 a quota below what is used fails nothing');
select ok(pg_temp.account(:'bob') like '%70/0/20%', 'F145 and what is beyond it is overrun');
select pg_temp.configure() \g /dev/null
select is(usage.faults(), '[]', 'F145 the books are true');

-- what the audit finds
create function pg_temp.found(p_statement text) returns text language plpgsql as $$
declare
	faults text;
begin
	execute p_statement;
	faults := (select string_agg(distinct f ->> 'fault', ' ') from jsonb_array_elements(usage.faults()) f);
	raise exception 'undo' using errcode = 'TG999', detail = coalesce(faults, '');
exception when sqlstate 'TG999' then
	get stacked diagnostics faults = pg_exception_detail;
	return faults;
end
$$;
select is(pg_temp.found(v.statement), v.fault, 'F111 the audit finds: ' || v.statement)
from (values ('update usage.accounts set used = used + 1 where cap is null', 'used'),
	('update usage.accounts set held = held + 1 where cap is null', 'held'),
	('delete from usage.outbox', 'outbox'), ('update usage.outbox set units = units + 1', 'outbox'),
	('delete from usage.days', 'day'), ('update usage.days set units = units + 1', 'day'),
	('update usage.accounts set overrun = overrun + 1', 'overrun')) v (statement, fault);
-- the same, part by part
create function pg_temp.parts(out n int, out faults text) language plpgsql as $$
declare
	part jsonb := '{"end": false}';
begin
	n := 0;
	while not (part -> 'end')::boolean loop
		part := usage.faults_after((part ->> 'tenant')::uuid, (part ->> 'account')::bigint, '0');
		faults := concat(faults, nullif(jsonb_path_query_array(part, '$.faults[*].fault')::text, '[]'));
		n := n + 1;
	end loop;
end
$$;
savepoint whole;
update usage.accounts set used = used + 1 where kind = 'all';
update usage.outbox set units = units + 1 where true;
select is(p.faults, '["outbox"]["used"]', 'F111 part by part it finds a tenant''s and that of all')
from pg_temp.parts() p;
select is(p.n, (select count(distinct a.tenant_id) + count(*) filter (where a.tenant_id is null) + 2
	from usage.accounts a)::int, 'F111 each tenant and each account that is no tenant''s is a part')
from pg_temp.parts() p;
rollback to whole;
select throws_ok('update usage.accounts set held = held + 1 where cap is not null and used + held = cap + overrun',
	'23514',
	null, 'F111 a hold without room breaks a constraint');

select * from finish();
rollback;
