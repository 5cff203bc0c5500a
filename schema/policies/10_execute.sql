-- Which functions each role may execute, and the schemas they are in. tests/schema/test_functions.sql has the same
-- list.

-- every program: does it belong to this database?
do $$
declare
	logins text := (select string_agg(quote_ident(rolname), ', ') from pg_catalog.pg_roles
		where rolname like 'tollgate\_%' and rolcanlogin);
begin
	execute format('grant usage on schema api to %s', logins);
	execute format('grant execute on function api.admit(text, text) to %s', logins);
end
$$;

-- visitors of the sign-up pages
grant execute on function
	api.signed_in(),
	api.open_draft(bytea, text, text, text, bytea, inet),
	api.offered_plans(uuid),
	api.has_tenant(),
	api.waiting_draft(bytea, bytea),
	api.continue_draft(bytea, bytea), api.left_draft(bytea, text),
	api.checkout_opened(bytea, int, text, text, boolean),
	api.checkout_expired(bytea, int),
	api.welcome(text, bytea),
	api.correct_address(text, bytea, text)
	to tollgate_signup;

-- what proves a mailbox, and ends a session
grant execute on function
	api.signed_in(),
	api.link_state(bytea, bytea),
	api.request_link(text, bytea, text, text, inet, bytea),
	api.sign_in(bytea, text, bytea, bytea, inet, text, bytea, boolean),
	api.second_due(), api.second_page(), api.sign_in_second(text, text, bytea, inet, text, bytea),
	api.factor_page(text), api.begin_factor(text), api.confirm_factor(text, text), api.renew_codes(text),
	api.remove_factor(),
	api.begin_confirm(int[]), api.confirm_password(bytea, bytea, inet, text),
	api.change_password(bytea, int[], bytea),
	api.begin_password(text, int[], inet, bytea), api.begin_registration(inet),
	api.sign_in_password(text, bytea, bytea, text, text, inet, text, bytea, boolean),
	api.upgrade_password(text, bytea, bytea, int[], bytea),
	api.request_registration(text, bytea, text, inet, bytea, bytea, int[], bytea),
	api.request_reset(text, bytea, text, inet, bytea),
	api.proof_state(text, bytea, bytea), api.check_proof(text, bytea, text, bytea),
	api.register(bytea, text, bytea, bytea, inet, text, bytea, bytea, int[], bytea, boolean),
	api.reset_password(bytea, text, bytea, bytea, int[], bytea),
	api.sign_out(), api.end_reused(), api.require_fresh(),
	api.address_page(), api.ask_address(text, bytea, text), api.address_link(bytea, bytea, text),
	api.take_address(bytea, text, bytea), api.undo_address(bytea, text),
	api.confirm_page(), api.request_confirm(), api.confirm_code(text, bytea, inet, text, text)
	to tollgate_signin;

-- what other parties vouch for
grant execute on function
	api.signed_in(),
	api.sign_out(), api.end_reused(), api.require_fresh(),
	api.begin_flow(text, bytea, bytea, text, text, text, boolean, inet),
	api.begin_connection(text, bytea, bytea, text, text, text),
	api.open_flow(text, bytea, bytea, int), api.close_flow(bytea, bytea),
	api.take_place(bytea, bytea, int), api.leave_place(bytea, bytea),
	api.finish_flow(text, bytea, bytea, jsonb, text, bytea, inet, text, bytea),
	api.proof_state(text, bytea, bytea),
	api.connect_by_link(bytea, text, bytea, bytea, inet, text, bytea),
	api.connections_page(), api.disconnect(uuid),
	api.report_provider(text, text)
	to tollgate_authn;

-- passkeys
grant execute on function
	api.passkeys_page(), api.add_passkey(jsonb, text), api.name_passkey(uuid, text), api.remove_passkey(uuid),
	api.find_passkey(bytea, inet),
	api.sign_in_passkey(jsonb, bytea, text, text, inet, text, bytea, boolean),
	api.second_passkey(jsonb, bytea, inet, text, bytea), api.confirm_passkey(jsonb, bytea, inet, text)
	to tollgate_authn;

-- the workspace
-- and what a user owns: the profile, tenants with their members, invitations
grant usage on schema auth, app, billing, audit to tollgate_account;
grant execute on function
	api.signed_in(),
	api.workspace_page(uuid),
	api.choose_tenant(uuid),
	api.security_page(uuid), api.demand_factor(uuid, boolean),
	api.send_offer(uuid, bytea),
	api.sign_out(), api.end_reused(), api.require_fresh(),
	api.session_state(), api.sessions_page(), api.end_session(uuid), api.end_other_sessions(),
	api.match_tenant(uuid, uuid),
	api.profile(), api.name_user(text),
	api.team_page(uuid), api.name_tenant(uuid, text), api.set_role(uuid, uuid, text), api.remove_member(uuid, uuid),
	api.leave_tenant(uuid), api.hand_over(uuid, uuid),
	api.invite(uuid, text, text, text), api.invite_again(uuid, uuid, text), api.revoke_invitation(uuid, uuid),
	api.invitation(bytea), api.accept_invitation(bytea, bytea, text, bytea, inet, text),
	api.account_page(), api.delete_user(text), api.keep_user(), api.export_user(),
	api.audit_page(uuid, bigint),
	api.keys_page(uuid), api.make_key(uuid, text, text, bytea, text), api.revoke_key(uuid, uuid),
	api.usage_page(uuid, text),
	api.site_status()
	to tollgate_account;

-- what customers see of their billing
grant usage on schema auth, app, billing to tollgate_billing;
grant execute on function
	api.signed_in(),
	api.billing_page(uuid),
	api.my_plan(uuid),
	api.end_reused(),
	api.offered_plans(uuid),
	api.match_tenant(uuid, uuid),
	api.portal_customer(uuid), api.portal_news(uuid), api.checkout_news(uuid, text),
	api.pays_elsewhere(uuid), api.paused_subscription(uuid), api.fetch_subscription(text), api.see_notice(bigint, uuid),
	api.open_checkout(bytea, text, text, uuid),
	api.checkout_customer(bytea, text),
	api.customer_spent(bytea, text),
	api.customer_gone(bytea, text),
	api.checkout_opened(bytea, int, text, text, boolean),
	api.checkout_expired(bytea, int)
	to tollgate_billing;

-- the site's operators. Each function but the first two begins with auth.require_operator().
grant execute on function
	api.signed_in(), api.end_reused(),
	api.admin_users(text, uuid), api.admin_user(uuid), api.admin_tenants(text, uuid), api.admin_tenant(uuid),
	api.admin_alerts(),
	api.suspend_user(uuid, text), api.lift_suspension(uuid), api.sign_out_user(uuid),
	api.override_tenant(uuid, boolean, text, text, text), api.lift_override(uuid)
	to tollgate_admin;

-- calls to Stripe: a browser's needs a permit, and all keep one pace
grant execute on function
	api.take_call(text, int, int, bytea, bytea, inet, int, int[], uuid),
	api.end_call(bytea)
	to tollgate_signup, tollgate_billing;
grant execute on function
	api.take_turn(int),
	api.pause_calls(int)
	to tollgate_signup, tollgate_billing, tollgate_jobs, tollgate_operator;

-- what Stripe refuses, for the operator
grant execute on function
	api.report_refusal(text, jsonb),
	api.end_refusal(text, text[])
	to tollgate_signup, tollgate_billing, tollgate_jobs;

-- below functions that run with their caller's rights: identity for policies, and what they share with the pages
grant execute on function
	auth.uid(),
	auth.email(),
	auth.require_user(),
	app.my_tenants(),
	app.my_tenant(uuid)
	to tollgate_account, tollgate_billing;
grant execute on function
	auth.require_session(),
	app.tenants_for(text),
	app.people(uuid),
	app.role_choices(text, text),
	app.verbs_document(text),
	app.member_documents(app.members),
	app.invitation_documents(uuid),
	app.initials_of(text),
	app.lets_in(uuid, uuid),
	app.tenant_documents(uuid, uuid), app.tenants_of(uuid, uuid), app.tenant_document(uuid, text, boolean, text),
	billing.is_live(text),
	api.date_document(timestamptz)
	to tollgate_account;
grant execute on function
	app.managed_tenants(),
	billing.page_of(uuid), billing.note_portal(uuid),
	billing.is_my_customer(text)
	to tollgate_billing;
grant execute on function
	app.tenant_documents(uuid, uuid),
	app.lets_in(uuid, uuid),
	app.tenants_of(uuid, uuid),
	app.tenant_document(uuid, text, boolean, text),
	billing.decided_subscription(jsonb)
	to tollgate_billing, tollgate_service, tollgate_page;
grant execute on function
	billing.shown_subscription(uuid)
	to tollgate_billing, tollgate_service;

-- below the pages
grant usage on schema app, billing, usage to tollgate_page;
grant execute on function
	usage.card(uuid, jsonb),
	app.enter_page(),
	app.closed_tenants(uuid),
	billing.checkout_state(uuid),
	billing.regular_next(billing.subscriptions),
	billing.changes_at(billing.subscriptions),
	billing.later_documents(billing.subscriptions, jsonb),
	billing.pause_end(billing.subscriptions),
	billing.line_document(text, timestamptz, jsonb, text),
	billing.next_amount(billing.subscriptions),
	billing.open_invoice(text),
	billing.todo_document(billing.subscriptions, jsonb),
	billing.invoice_todo(uuid),
	billing.card_todo(billing.subscriptions),
	billing.card_state(billing.subscriptions),
	billing.bank_wait(uuid),
	billing.debit_since(text), billing.is_given_up(billing.subscriptions),
	billing.wants_confirmation(text), billing.wants_amounts(text), billing.verify_todo(billing.subscriptions, boolean),
	billing.other_list(text),
	billing.standings(),
	billing.standing(jsonb, billing.subscriptions),
	billing.next_document(billing.subscriptions),
	billing.account_document(jsonb, jsonb, billing.subscriptions),
	billing.rhythm_of(text),
	billing.invoice_list(uuid),
	billing.payment_list(uuid),
	billing.notice_list(uuid),
	billing.page_lists(uuid, text, boolean)
	to tollgate_page;

-- what a tenant may use, for pages and for services
grant execute on function
	billing.entitlement(uuid, timestamptz),
	billing.restricting_disputes(uuid, timestamptz, timestamptz),
	billing.words_on(uuid, timestamptz),
	billing.free_plan(uuid, timestamptz),
	billing.decision(uuid, timestamptz),
	billing.verdict_on(billing.subscription_history, billing.status_rules, boolean, timestamptz),
	billing.collects_at(billing.subscriptions, timestamptz),
	billing.in_force(timestamptz, timestamptz, timestamptz),
	billing.features_at(text[], timestamptz),
	billing.scheduled_end(timestamptz, boolean, timestamptz),
	billing.grace_end(text, timestamptz, timestamptz),
	billing.plan_at(text, timestamptz),
	api.amount_document(bigint, text)
	to tollgate_billing, tollgate_service, tollgate_page;
grant execute on function
	billing.is_live(text),
	api.date_document(timestamptz)
	to tollgate_billing, tollgate_service, tollgate_page;

-- what is sold by a meter
grant execute on function billing.price_document(billing.subscriptions), api.figure_document(bigint)
	to tollgate_service, tollgate_page;

-- a tenant's programs, by their keys
grant execute on function
	api.usage_reserve(jsonb, text), api.usage_settle(jsonb), api.usage_record(jsonb, text), api.usage_summary(),
	api.usage_fault(text, jsonb), api.roll_over()
	to tollgate_usage;

-- conversations with models
grant usage on schema auth, app, chat to tollgate_chat;
grant execute on function
	api.signed_in(), api.end_reused(),
	api.chat_begin(jsonb), api.chat_operation(jsonb), api.chat_checkpoint(uuid, jsonb), api.chat_settle(jsonb),
	api.chat_note_call(text, text, text, int, int),
	api.chat_list(uuid, text, int), api.chat_show(text, text, int), api.chat_delete(text),
	api.chat_page(uuid, text, text)
	to tollgate_chat;
grant execute on function
	auth.uid(), auth.require_user(), app.my_tenants()
	to tollgate_chat;
grant execute on function
	chat.limit_of(int), chat.cursor_of(timestamptz, text), chat.read_cursor(text),
	chat.rows_after(uuid, uuid, text, int), chat.messages_before(uuid, text, text, int),
	chat.conversation_document(chat.conversations),
	chat.message_document(text, text, text, text, text, text, bigint, bigint, timestamptz),
	api.date_document(timestamptz)
	to tollgate_chat, tollgate_service;

-- webhooks. LISTEN and NOTIFY need no right, and none can be revoked.
grant usage on schema service to tollgate_webhooks;
grant execute on function
	service.receive_events(jsonb, bytea),
	service.report_signature(text),
	service.hint()
	to tollgate_webhooks;

-- jobs
grant usage on schema service to tollgate_jobs;
grant execute on function
	service.claim_object(int, int),
	service.object_gone(uuid, text, text, bigint),
	service.fail_object(uuid, text, text, text, boolean),
	service.watch_key(jsonb),
	service.write_checkout(uuid, text, text, bigint, jsonb),
	service.write_subscription(uuid, text, text, bigint, jsonb),
	service.write_customer(uuid, text, text, bigint, jsonb),
	service.write_invoice(uuid, text, text, bigint, jsonb),
	service.write_charge(uuid, text, text, bigint, jsonb),
	service.write_dispute(uuid, text, text, bigint, jsonb),
	service.write_price(uuid, text, text, bigint, jsonb),
	service.write_product(uuid, text, text, bigint, jsonb),
	service.write_portal_configuration(uuid, text, text, bigint, jsonb),
	service.write_preview(uuid, text, text, bigint, jsonb),
	service.write_expiry(uuid, text, text, bigint, jsonb),
	service.write_payment_intent(uuid, text, text, bigint, jsonb),
	service.write_cancellation(uuid, text, text, bigint, jsonb),
	service.write_erasure(uuid, text, text, bigint, jsonb),
	service.write_meter_report(uuid, text, text, bigint, jsonb),
	service.apply_retention(int),
	service.watch_transactions(int), service.watch_models(), service.note_stripe(boolean, bigint),
	service.tend_usage(int), service.claim_usage(int), service.usage_told(uuid, uuid),
	service.usage_failed(uuid, uuid, text, boolean), service.usage_verified(uuid, uuid, bigint),
	service.claim_comparison(), service.compare_usage(uuid, text, date, bigint)
	to tollgate_jobs;

-- the mailer alone reads mails, and has the links in them made
grant usage on schema service to tollgate_mailer;
grant execute on function
	service.claim_mail(int),
	service.mail_sent(uuid, uuid),
	service.mail_alerts(text, text, int),
	service.mail_failed(uuid, uuid, text, boolean, text)
	to tollgate_mailer;

-- `tollgate reconcile` runs the same code as jobs, and so calls the same functions. They have objects fetched from
-- Stripe again, note drift, and store missed events, of which only the name of an object counts: less than an override
-- or a replay, which the operator may do anyhow.
grant usage on schema service to tollgate_operator;
grant execute on function
	service.match_account(text, boolean),
	service.look_cursor(text),
	service.take_cursor(text, int, int, int),
	service.leave_cursor(text, uuid, int, boolean),
	service.adopt_events(text, uuid, jsonb, timestamptz, text, text, boolean, int),
	service.compare_subscriptions(text, uuid, jsonb, timestamptz, text, text, boolean, int),
	service.mark_objects(text, uuid, jsonb, timestamptz, text, text, boolean, int)
	to tollgate_jobs, tollgate_operator;

-- the operator
grant usage on schema ops to tollgate_operator;
grant execute on function
	ops.status(),
	ops.list_alerts(),
	ops.clear_alert(bigint),
	ops.list_mails(text, int),
	ops.show_mail(uuid),
	ops.retry_mails(uuid, boolean),
	ops.cancel_mail(uuid),
	ops.verify_audit(bigint, bytea, int),
	ops.audit_usage(uuid, bigint), ops.retry_usage(), ops.drop_usage(uuid),
	ops.show_user(text),
	ops.change_address(text, text),
	ops.send_link(text),
	ops.end_sessions(text),
	ops.delete_user(text), ops.keep_user(text),
	ops.remove_factor(text), ops.fits_seed_key(text), ops.rotate_seeds(text, uuid, int),
	ops.add_operator(text, text), ops.remove_operator(text), ops.list_operators(),
	ops.put_override(uuid, boolean, text, timestamptz, text, text),
	ops.end_override(uuid, text),
	ops.find_tenants(text),
	ops.explain(text, text),
	ops.time_of(text, int),
	ops.list_events(jsonb, int),
	ops.show_event(text),
	ops.count_events(jsonb),
	ops.list_replay(jsonb, jsonb),
	ops.replay_events(jsonb),
	ops.list_dead(jsonb),
	ops.match_customers(jsonb),
	ops.accept_customer(text, text, jsonb),
	ops.restore_customer(jsonb, jsonb, boolean),
	ops.plan_prices(),
	ops.put_price(text, jsonb),
	ops.put_metered_price(text, text, jsonb),
	ops.put_portal_configuration(text, jsonb)
	to tollgate_operator;

-- between the owners of definer functions
grant usage on schema auth to tollgate_rls, tollgate_service;
grant usage on schema crypto to tollgate_auth;
grant usage on schema billing to tollgate_auth;
grant usage on schema app to tollgate_service;
grant usage on schema mail to tollgate_auth;
grant usage on schema meta to tollgate_service;
grant usage on schema audit to tollgate_service, tollgate_auth;
grant execute on function auth.uid(), auth.require_session(), auth.has_factor(uuid), auth.came_by_passkey(uuid)
	to tollgate_rls;
grant execute on function
	billing.accept_offer(uuid, uuid), api.date_document(timestamptz),
	billing.found_tenant(uuid, text),
	app.first_name(text), app.clean_name(text, int, int), app.is_leaving(uuid),
	audit.note(text, uuid, uuid, uuid, jsonb)
	to tollgate_auth;
grant execute on function
	app.clean_name(text, int, int),
	app.initials_of(text),
	auth.request_of(bytea, text),
	auth.spend_request(uuid),
	auth.revoke_sessions(uuid, text, uuid),
	auth.forget_user(uuid, text[]), auth.export_user(uuid, text[]),
	auth.drop_password(uuid), auth.drop_factor_since(uuid, timestamptz), auth.lock_user(uuid),
	api.proof_state(text, bytea, bytea),
	auth.take_link(bytea, text, bytea, text)
	to tollgate_service;
grant execute on function
	app.my_tenants(),
	app.managed_tenants(),
	app.my_tenant(uuid),
	billing.page_of(uuid),
	auth.uid(),
	auth.session_id(), auth.require_session(), auth.goes_on(uuid),
	auth.email(),
	auth.require_user(), auth.require_fresh(),
	auth.allow(text, text),
	auth.allow_network(text, inet),
	auth.network_of(inet, int, int),
	auth.checkout_of(bytea),
	auth.add_user(text),
	auth.find_user(text),
	auth.has_signed_in(uuid),
	auth.drop_unused(uuid, timestamptz),
	auth.user_document(uuid),
	auth.has_second(uuid),
	auth.require_operator(), auth.add_operator(uuid, text), auth.remove_operator(uuid), auth.list_operators(),
	auth.search_users(text, uuid, int), auth.user_record(uuid),
	auth.suspend_user(uuid, uuid, text), auth.lift_suspension(uuid, uuid),
	auth.change_address(uuid, text),
	auth.end_sessions(uuid),
	auth.remove_seconds(uuid), auth.fits_seed_key(text), auth.rotate_seeds(text, uuid, int),
	auth.has_factor(uuid), auth.has_passkey(uuid), auth.came_by_passkey(uuid),
	auth.spend_requests(uuid, uuid),
	auth.renew_session(bytea, text[], inet, text),
	auth.address_of(uuid),
	auth.contacts(uuid[]),
	auth.set_language(uuid, text),
	auth.ask_link(text, text, jsonb, text, text, text, uuid, uuid, bytea, bytea, text, inet, boolean, int),
	auth.rank_stranger(),
	auth.mint_link(uuid),
	auth.apply_retention()
	to tollgate_service;
