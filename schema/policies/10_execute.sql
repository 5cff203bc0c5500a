-- Which functions each kind of process may call; tests/schema/functions.sql holds the same list.

-- visitors of the sign-up pages
grant usage on schema api to tollgate_signup;
grant execute on function api.signed_in(), api.welcome(text), api.checkout_opened(bytea, int, text),
	api.checkout_expired(bytea, int), api.open_draft(bytea, text, text, text, bytea, inet) to tollgate_signup;

-- sign-in and workspace
grant usage on schema api, auth, app, billing to tollgate_account;
grant execute on function api.signed_in(), api.link_state(bytea, bytea), api.sign_out(), api.workspace_page(),
	api.request_link(text, bytea, text, text, inet), api.sign_in(bytea, text, bytea, bytea, inet, text) to tollgate_account;

-- what customers see of their billing
grant usage on schema api, auth, app, billing to tollgate_billing;
grant execute on function api.signed_in(), api.billing_page(), api.portal_customer(), api.see_notice(bigint),
	api.open_checkout(bytea, text, text), api.checkout_customer(bytea, text), api.customer_spent(bytea, text),
	api.customer_gone(bytea, text), api.checkout_opened(bytea, int, text), api.checkout_expired(bytea, int) to tollgate_billing;

-- under the pages of both, which run with their caller's rights: identity for policies, and formatting
grant execute on function auth.uid(), auth.email(), auth.require_user(), app.my_tenants(), billing.status_name(text),
	billing.status_class(text), billing.current_subscription(uuid) to tollgate_account, tollgate_billing;
grant execute on function app.managed_tenants(), billing.my_tenant(), billing.dates_document(billing.subscriptions),
	billing.next_document(billing.subscriptions),
	billing.entitlement_document(uuid), billing.account_document(app.members), billing.invoice_documents(uuid),
	billing.payment_documents(uuid), billing.notice_documents(uuid), billing.my_checkout_state(uuid),
	billing.is_my_customer(text) to tollgate_billing;

-- what a tenant may use, for pages and for services
grant execute on function billing.entitlement(uuid, timestamptz), billing.best_verdict(uuid, timestamptz),
	billing.verdict_on(billing.subscription_history, timestamptz), billing.is_disputed(billing.subscription_history, timestamptz),
	billing.in_force(timestamptz, timestamptz, timestamptz),
	billing.features_at(text[], timestamptz), billing.is_live(text), billing.scheduled_end(timestamptz, boolean, timestamptz),
	billing.grace_end(text, timestamptz, timestamptz), billing.plan_at(text, timestamptz),
	billing.amount_document(bigint, text), billing.digits_of(text), api.date_document(timestamptz) to tollgate_billing, tollgate_service;

-- services
grant usage on schema service to tollgate_webhooks, tollgate_jobs;
grant execute on function service.receive_event(text, text, text, bigint, boolean, bytea, text, text, text, text)
	to tollgate_webhooks;
grant execute on function service.claim_object(int, int), service.object_gone(uuid, text, text, bigint),
	service.fail_object(uuid, text, text, text, boolean), service.watch_key(jsonb),
	service.write_checkout(uuid, text, text, bigint, jsonb),
	service.write_subscription(uuid, text, text, bigint, jsonb), service.write_customer(uuid, text, text, bigint, jsonb),
	service.write_invoice(uuid, text, text, bigint, jsonb), service.write_charge(uuid, text, text, bigint, jsonb),
	service.write_dispute(uuid, text, text, bigint, jsonb), service.write_price(uuid, text, text, bigint, jsonb),
	service.write_product(uuid, text, text, bigint, jsonb), service.write_portal_configuration(uuid, text, text, bigint, jsonb),
	service.claim_mail(int), service.mail_sent(uuid, uuid), service.mail_failed(uuid, uuid, text, boolean),
	service.keep_house(int) to tollgate_jobs;
grant usage on schema ops to tollgate_operator;
grant execute on function ops.status(), ops.entitlement(uuid, timestamptz), ops.end_override(uuid, text),
	ops.put_override(uuid, boolean, text, timestamptz, text, text), ops.put_price(text, jsonb), ops.clear_alert(bigint),
	ops.list_alerts(), ops.put_portal_configuration(text, jsonb), ops.time_of(text, int), ops.list_events(jsonb, int),
	ops.show_event(text), ops.list_replay(jsonb, jsonb), ops.count_events(jsonb), ops.replay_events(jsonb), ops.list_dead(jsonb),
	ops.find_tenants(text), ops.explain(text, text), ops.match_customers(jsonb), ops.accept_customer(text, text, jsonb),
	ops.plan_prices() to tollgate_operator;

-- between the owners of definer functions
grant execute on function auth.uid() to tollgate_rls;
grant execute on function app.managed_tenants(), auth.allow(text, text), auth.neighbourhood(inet), auth.ensure_user(text), auth.keep_house(),
	auth.uid(), auth.email(), auth.require_user(), auth.contacts(uuid[]), auth.set_language(uuid, text), billing.my_tenant(),
	auth.find_user(text), auth.address_of(uuid),
	auth.mint_link(uuid, text, bytea, text, text, inet, text, text, jsonb) to tollgate_service;
