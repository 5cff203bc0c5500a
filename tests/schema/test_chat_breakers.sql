-- Breakers of models: rows, so that all processes agree; and the error rate of each.
begin;
select no_plan();

select ops.put_usage('{"meters": ["tokens"], "quotas": [{"plan": "starter", "meter": "tokens", "included": 100000,
	"sold": false, "most": 100000}], "rates": [], "caps": [], "costs": [
	{"provider": "acme", "model": "a-1", "class": "input", "micros": 1},
	{"provider": "acme", "model": "a-1", "class": "output", "micros": 1},
	{"provider": "other", "model": "o-1", "class": "input", "micros": 1},
	{"provider": "other", "model": "o-1", "class": "output", "micros": 1}]}') \g /dev/null
select ops.put_chat('{"meter": "tokens", "model": "small", "models": [
	{"name": "small", "label": "Small", "provider": "acme", "model": "a-1", "max_tokens": 1000, "context": 9000,
		"fallback": "spare", "plans": ["starter"], "rank": 1},
	{"name": "spare", "label": "Spare", "provider": "other", "model": "o-1", "max_tokens": 1000, "context": 9000,
		"plans": [], "rank": 2}]}') \g /dev/null
select tap.paid('ann') as ann \gset
select tap.session('ann@example.org', 'ann') as bearer \gset

create function pg_temp.note(p_outcome text, p_status int default 0, p_provider text default 'acme',
	p_model text default 'a-1') returns text language sql as $$
	select tap.ask('tollgate_chat', format('api.chat_note_call(%L, %L, %L, %s, 10)', p_provider, p_model, p_outcome,
		p_status)) ->> 'breaker'
$$;
create function pg_temp.health(p_model text default 'a-1') returns text language sql as $$
	select format('%s of %s %s%s', failures, calls, state, case when until > now() then ' for '
		|| extract(epoch from until - now())::int end) from chat.provider_health() where model = p_model
$$;
create sequence pg_temp.nth;
grant usage on sequence pg_temp.nth to public;
-- a turn of a conversation of its own: "model breaker" of each candidate, or the refusal and its wait
create function pg_temp.asked(p_bearer text) returns text language sql as $$
	select case t ->> 'state' when 'refused' then concat_ws(' ', t ->> 'code', t ->> 'wait') else (
		select string_agg(concat_ws(' ', c ->> 'name', c ->> 'breaker'), ', ' order by c ->> 'name')
		from jsonb_array_elements(t -> 'candidates') c) end
	from tap.ask('tollgate_chat', format('api.chat_begin(%L)', jsonb_build_object('chat', 'c' || nextval('pg_temp.nth'),
		'message', 'm', 'text', 'x', 'trigger', 'submit-message')), p_bearer) t
$$;
-- lets time go by for breakers
create function pg_temp.later(p_span interval) returns void language sql as $$
	update chat.breakers set until = until - p_span;
	update chat.calls set at = at - p_span;
$$;

select is(pg_temp.health(), '0 of 0 closed', 'C83 without a call a breaker is closed');
select is(pg_temp.note('ok', 200), 'closed', 'C83 a call is noted');
select is(pg_temp.note(o), 'closed', 'C81 ' || n || ' that fail do not open it') from (values (1, 'error'), (2, 'busy'),
	(3, 'error'), (4, 'error')) v (n, o);
select is(pg_temp.note('left'), 'closed', 'C81 who leaves counts as nothing');
select is(pg_temp.note('invalid', 400), 'closed', 'C81 a wrong request is no failure of the model');
select is(pg_temp.health(), '4 of 6 closed', 'C83 the rate of errors is that of the last five minutes');
select is(pg_temp.note('error', 503), 'open', 'C81 five of the last minute, half of all, open it');
select is(pg_temp.health(), '5 of 7 open for 30', 'C81 for half a minute');
select is(pg_temp.health('o-1'), '0 of 0 closed', 'C81 each model has its own');
select is(pg_temp.note('error', 503), 'open', 'C81 what fails then');
select is(pg_temp.health(), '6 of 8 open for 30', 'C81 keeps it open no longer');
select is(pg_temp.asked(:'bearer'), 'small open, spare closed', 'C81 a turn is told, and asks the fallback');
select pg_temp.later('31 s') \g /dev/null
select is((select state from chat.provider_health() where model = 'a-1'), 'half', 'C83 after its time it is half open');
select is(pg_temp.asked(:'bearer'), 'small half, spare closed', 'C81 one turn tries');
select is(pg_temp.asked(:'bearer'), 'small open, spare closed', 'C81 and no other meanwhile');
select is(pg_temp.note('error', 503), 'open', 'C81 where it fails');
select is((select trips from chat.breakers where model = 'a-1'), 2, 'C81 it opens again');
select is((select extract(epoch from until - now())::int from chat.breakers where model = 'a-1'), 60,
	'C81 for twice as long');
select pg_temp.later('61 s') \g /dev/null
select pg_temp.asked(:'bearer') \g /dev/null
select pg_temp.later('61 s') \g /dev/null
select is(pg_temp.asked(:'bearer'), 'small half, spare closed',
	'C81 one that tries and is never heard of again holds up nobody');
select is(chat.take_probe('acme', 'a-1'), false, 'C81 and nobody tries beside it');
select is(pg_temp.note('left'), 'half', 'C81 one that tries and leaves says nothing of the model');
select is(pg_temp.asked(:'bearer'), 'small half, spare closed', 'C81 and the next one tries at once');
select is(pg_temp.note('invalid', 400), 'half', 'C81 nor does a wrong request');
select is(pg_temp.asked(:'bearer'), 'small half, spare closed', 'C81 so nobody keeps it open by wrong ones');
select is(pg_temp.note('ok', 200), 'closed', 'C81 where it succeeds it closes');
select is(pg_temp.note('error'), 'closed', 'C81 and one that fails then does not open it');
select is(pg_temp.asked(:'bearer'), 'small closed, spare closed', 'C81 for all');
select is((select max(chat.open_for(n)) from generate_series(1, 2000) n), '5 min'::interval,
	'C81 at most for five minutes');

-- what no call will change soon
select is(pg_temp.note('denied', 401), 'open', 'C83 a key that is refused opens it at once');
select is(pg_temp.note('spent', 429, 'other', 'o-1'), 'open', 'C83 so does a limit of spending');
select is((select string_agg(subject || ' ' || detail, ', ' order by subject) from ops.alerts
	where kind = 'model_denied' and cleared_at is null),
	'acme:a-1 {"model": "a-1", "status": 401, "outcome": "denied", "provider": "acme"}, '
	'other:o-1 {"model": "o-1", "status": 429, "outcome": "spent", "provider": "other"}', 'C83 the operator is told');
select is(pg_temp.asked(:'bearer'), 'provider 300',
	'F127 where each is open nobody is asked, and when to come is said');
select is((select count(*) from usage.holds where state = 'held' and request like 'chat:%'),
	(select count(*) from chat.turns where state = 'open'), 'F127 and nothing is held for it');
select is(pg_temp.note('ok', 200), 'closed', 'C83 the next success');
select is((select count(*) from ops.alerts where kind = 'model_denied' and cleared_at is null), 1::bigint,
	'C83 ends the alert');
select is(pg_temp.note('gone', 404), 'open', 'C83 a model that is gone at its provider is told too');
select is((select detail ->> 'outcome' from ops.alerts where kind = 'model_denied' and subject = 'acme:a-1'
	and cleared_at is null), 'gone', 'C83 as such');
select is(tap.state_of('tollgate_chat', format('select api.chat_note_call(%s)', v.call)), 'TG422', 'C83 ' || v.what)
from (values ('''acme'', ''a-9'', ''ok''', 'an unknown model is not noted'),
	('''acme'', ''a-1'', ''good''', 'nor an unknown outcome'), ('''acme'', ''a-1'', null', 'nor none')) v (call, what);
select pg_temp.later('6 min') \g /dev/null
select is(pg_temp.health(), '0 of 0 half', 'C83 what is older than five minutes is not in the rate');
select ops.put_chat('{"meter": "tokens", "model": null, "models": []}') \g /dev/null
select is((select count(*) from chat.provider_health()), 0::bigint,
	'C83 models that left the configuration are not told');

select * from finish();
rollback;
