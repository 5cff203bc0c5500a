-- What Stripe refuses, told to the operator.
begin;
select no_plan();

create function pg_temp.tell(p_call text, p_refusal jsonb, p_role text default 'tollgate_signup') returns void
	language plpgsql as $$
begin
	perform tap.ask(p_role, format('api.report_refusal(%L, %L)', p_call, p_refusal));
end
$$;
create function pg_temp.open_alerts() returns bigint language sql as $$
	select count(*) from ops.alerts where kind = 'stripe_refusal' and cleared_at is null
$$;
delete from ops.alerts where kind = 'stripe_refusal';

select pg_temp.tell('POST /v1/checkout/sessions', '{"code": null, "message": "No such price", "request": "req_1",
	"request_log_url": "https://dashboard.stripe.com/logs/req_1", "more": "x"}') \g /dev/null
select is(detail, '{"message": "No such price", "request": "req_1",
	"request_log_url": "https://dashboard.stripe.com/logs/req_1"}', 'F99 Stripe''s own sentence is in the alert')
from ops.alerts where kind = 'stripe_refusal' and subject = 'POST /v1/checkout/sessions';
select pg_temp.tell('POST /v1/checkout/sessions', '{"message": "another"}', 'tollgate_billing') \g /dev/null
select is(min(detail ->> 'message') || count(*), 'No such price1', 'S08 while it is open nothing more is written')
from ops.alerts where kind = 'stripe_refusal';
update ops.alerts set cleared_at = now() where kind = 'stripe_refusal';
select pg_temp.tell('POST /v1/checkout/sessions', '{"message": "another"}', 'tollgate_jobs') \g /dev/null
select is(pg_temp.open_alerts(), 1::bigint, 'F99 once it is cleared the next one is told');
select pg_temp.tell('anything at all', '{"message": "x"}') \g /dev/null
select is(pg_temp.open_alerts(), 1::bigint, 'S08 what is no call opens no alert');
select pg_temp.tell('POST /v1/' || repeat('x', n), '{"message": "x"}') from generate_series(1, 60) n \g /dev/null
select is(pg_temp.open_alerts(), 20::bigint, 'S08 a program that is taken over opens twenty at most');
update ops.alerts set cleared_at = now() where kind = 'stripe_refusal';
select pg_temp.tell('GET /v1/charges', jsonb_build_object('message', repeat('x', 9999))) \g /dev/null
select is(length(detail ->> 'message'), 600, 'S08 a sentence has a greatest length')
from ops.alerts where subject = 'GET /v1/charges' and cleared_at is null;
update ops.alerts set cleared_at = now() where kind = 'stripe_refusal';
select pg_temp.tell('POST /v1/checkout/sessions', '{"param": "line_items[0][price]", "value": "price_1"}') \g /dev/null
select is(tap.ask('tollgate_billing', 'api.end_refusal(''POST /v1/customers'', ''{}'')'), '{"open": false}',
	'F99 a call of another kind is told that nothing is open');
select is(tap.ask('tollgate_signup', 'api.end_refusal(''POST /v1/checkout/sessions'', ''{price_2}'')'),
	'{"open": true}', 'F99 a price that is sold does not end the alert about another');
select is(pg_temp.open_alerts(), 1::bigint, 'F99 which stays');
select is(tap.ask('tollgate_jobs', 'api.end_refusal(''POST /v1/checkout/sessions'', ''{cus_1,price_1}'')'),
	'{"open": false}', 'F99 the same price, once it is sold again, does');
select is(pg_temp.open_alerts(), 0::bigint, 'F99 and nobody has to clear it');
select pg_temp.tell('GET /v1/charges', '{"message": "x"}') \g /dev/null
select tap.ask('tollgate_jobs', 'api.end_refusal(''GET /v1/charges'', ''{}'')') \g /dev/null
select is(pg_temp.open_alerts(), 0::bigint, 'F99 a refusal of no object ends with the next such call');

-- deliveries that cannot be believed, or are not for us
delete from ops.alerts where kind in ('webhook_signature', 'thin_event');
select tap.ask('tollgate_webhooks', format('service.report_signature(%L)', c))
from unnest(array['secret', 'secret', 'clock', 'nonsense']) c \g /dev/null
select is(array_agg(subject order by subject), '{clock,secret}', 'F69 a cause is told once')
from ops.alerts where kind = 'webhook_signature' and cleared_at is null;
select tap.ask('tollgate_webhooks', 'service.report_signature(null)') \g /dev/null
select is(count(*), 0::bigint, 'F69 and is over when deliveries verify again')
from ops.alerts where kind = 'webhook_signature' and cleared_at is null;
select tap.receive('evt_thin_' || n, 'customer', 'cus_thin', '{"thin": true}') from generate_series(1, 3) n \g /dev/null
select is(count(*), 1::bigint, 'F74 thin events are told to the operator once')
from ops.alerts where kind = 'thin_event' and cleared_at is null;
select tap.receive('evt_thick', 'customer', 'cus_thin') \g /dev/null
select is(count(*), 1::bigint, 'F74 whole ones are not') from ops.alerts where kind = 'thin_event';

select * from finish();
rollback;
