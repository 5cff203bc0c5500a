-- Which functions each kind of process may call; tests/schema/functions.sql holds the same list.

-- visitors of the sign-up pages
grant usage on schema api to tollgate_signup;
grant execute on function api.signed_in(), api.welcome(text), api.checkout_opened(bytea, int, text),
	api.open_draft(bytea, text, text, text, bytea, inet) to tollgate_signup;

-- sign-in and workspace
grant usage on schema api, auth, app, billing to tollgate_account;
grant execute on function api.signed_in(), api.link_state(bytea, bytea), api.sign_out(), api.workspace_page(),
	api.request_link(text, bytea, text, text, inet), api.sign_in(bytea, text, bytea, bytea, inet, text) to tollgate_account;

-- what customers see of their billing
grant usage on schema api, auth, app, billing to tollgate_billing;
grant execute on function api.signed_in(), api.billing_page(), api.portal_customer() to tollgate_billing;

-- under the pages of both, which run with their caller's rights: identity for policies, and formatting
grant execute on function auth.uid(), auth.email(), auth.require_user(), app.my_tenants(), billing.status_name(text),
	billing.status_class(text), billing.current_subscription(uuid) to tollgate_account, tollgate_billing;
grant execute on function app.managed_tenants(), billing.my_tenant(), billing.dates_document(billing.subscriptions),
	api.date_document(timestamptz) to tollgate_billing;

-- services
grant usage on schema service to tollgate_webhooks, tollgate_jobs;
grant execute on function service.receive_event(text, text, text, bigint, boolean, bytea, text, int, text, text)
	to tollgate_webhooks;
grant execute on function service.claim_object(int), service.object_gone(uuid, text, text, bigint),
	service.fail_object(uuid, text, text, text), service.write_checkout(uuid, text, text, bigint, jsonb),
	service.write_subscription(uuid, text, text, bigint, jsonb), service.write_customer(uuid, text, text, bigint, jsonb),
	service.claim_mail(int), service.mail_sent(uuid, uuid), service.mail_failed(uuid, uuid, text, boolean),
	service.keep_house() to tollgate_jobs;
grant usage on schema ops to tollgate_operator;
grant execute on function ops.status() to tollgate_operator;

-- between the owners of definer functions
grant execute on function auth.uid() to tollgate_rls;
grant execute on function auth.allow(text, text), auth.neighbourhood(inet), auth.ensure_user(text), auth.keep_house(),
	auth.mint_link(uuid, text, bytea, text, text, inet, text, text, jsonb) to tollgate_service;
