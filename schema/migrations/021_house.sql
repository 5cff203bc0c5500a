-- Alerts move to schema ops, because the operator works with them. billing.policies becomes billing.dispute_rules,
-- because its rows are rules and not row-level policies. Functions whose name, schema or signature has changed are
-- dropped: the files of functions create the present ones only.

set role tollgate_owner;

alter table billing.alerts set schema ops;
alter table billing.policies rename to dispute_rules;
alter table billing.dispute_rules rename constraint policies_pkey to dispute_rules_pkey;
alter table billing.dispute_rules rename constraint policies_effect_check to dispute_rules_effect_check;

-- renamed
drop function if exists
	billing.my_tenant(),
	billing.amount_document(bigint, text),
	billing.digits_of(text),
	billing.status_name(text),
	billing.status_class(text),
	billing.raise_alert(uuid, text, text, jsonb),
	billing.clear_alert(text, text),
	billing.watch(boolean, uuid, text, text, jsonb),
	billing.mail_what_is_open(uuid),
	billing.doubt_invoices(text, jsonb),
	billing.put_subscription_aside(text, text, bigint, jsonb),
	billing.holds(jsonb, jsonb),
	sync.bury(text, text, text, text),
	sync.park(text, text, bigint, text),
	sync.put_aside(text, text, bigint, text),
	auth.keep_house(),
	service.keep_house(int);

-- unused
drop function if exists
	ops.entitlement(uuid, timestamptz),
	service.receive_event(text, text, text, bigint, boolean, bytea, text, text, text, text);

-- earlier signatures
drop function if exists
	billing.my_checkout_state(),
	billing.ensure_checkout(uuid, bytea, text, text, text),
	billing.grace_end(text, timestamptz),
	billing.is_disputed(uuid, timestamptz),
	billing.money_fault(jsonb, text[]),
	billing.put_checkout(uuid, text, text),
	billing.watch_subscription(billing.subscriptions),
	billing.price_document(billing.subscriptions),
	inbox.drop_events(),
	sync.finish(text, text, bigint, text, jsonb),
	service.receive_event(text, text, text, bigint, boolean, bytea, text, int, text, text),
	service.claim_object(int),
	service.fail_object(uuid, text, text, text),
	service.keep_house();

reset role;
