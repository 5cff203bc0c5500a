-- Which role may execute which function: exactly this list, which schema/policies/10_execute.sql grants.
begin;
select no_plan();

create temp table allowed (role text, functions text[]);
insert into allowed values
	('tollgate_signup', '{api.admit, api.signed_in, api.open_draft, api.checkout_opened, api.checkout_expired,
		api.welcome, api.correct_address,
		api.waiting_draft, api.continue_draft, api.take_call, api.end_call, api.take_turn,
		api.pause_calls, api.report_refusal, api.end_refusal, api.offered_plans,
		api.has_tenant, api.left_draft}'),
	('tollgate_signin', '{api.admit, api.signed_in, api.request_link, api.link_state, api.sign_in, api.sign_out,
		api.end_reused, api.require_fresh, api.confirm_page, api.request_confirm, api.confirm_code,
		api.second_due, api.second_page, api.sign_in_second,
		api.factor_page, api.begin_factor, api.confirm_factor, api.renew_codes,
		api.remove_factor,
		api.begin_confirm, api.confirm_password, api.change_password,
		api.begin_password, api.begin_registration, api.sign_in_password, api.upgrade_password,
		api.request_registration, api.request_reset, api.proof_state, api.check_proof, api.register,
		api.reset_password,
		api.address_page, api.ask_address, api.address_link, api.take_address, api.undo_address}'),
	('tollgate_authn', '{api.admit, api.signed_in, api.sign_out, api.end_reused, api.require_fresh, api.begin_flow,
		api.begin_connection, api.open_flow, api.close_flow, api.finish_flow, api.proof_state, api.connect_by_link,
		api.connections_page, api.disconnect, api.report_provider, api.take_place, api.leave_place,
		api.passkeys_page, api.add_passkey, api.name_passkey, api.remove_passkey, api.find_passkey,
		api.sign_in_passkey, api.second_passkey, api.confirm_passkey}'),
	('tollgate_account', '{api.admit, api.signed_in, api.workspace_page, api.choose_tenant, api.send_offer,
		api.sign_out, api.end_reused, api.require_fresh, api.session_state, api.sessions_page, api.end_session,
		api.end_other_sessions, api.security_page, api.demand_factor,
		api.end_other_sessions,
		api.match_tenant, api.profile, api.name_user, api.team_page, api.name_tenant, api.set_role, api.remove_member,
		api.leave_tenant, api.hand_over, api.invite, api.invite_again, api.revoke_invitation, api.invitation,
		api.accept_invitation, api.account_page, api.delete_user, api.keep_user, api.export_user,
		api.audit_page, api.keys_page, api.make_key, api.revoke_key, api.usage_page, api.site_status,
		api.date_document, app.my_tenant, app.tenants_for, app.people,
		app.role_choices, app.verbs_document, app.member_documents, app.invitation_documents, app.initials_of,
		app.tenant_documents, app.tenants_of, app.tenant_document, app.lets_in, billing.is_live, auth.require_session,
		auth.uid, auth.email, auth.require_user, app.my_tenants}'),
	('tollgate_billing', '{api.admit, api.signed_in, api.end_reused, api.billing_page, api.match_tenant,
		api.portal_customer, app.lets_in, app.tenants_of, app.tenant_document,
		api.see_notice, app.tenant_documents, api.open_checkout, api.checkout_customer, api.customer_spent,
		api.customer_gone, api.checkout_opened, api.checkout_expired, api.date_document, api.amount_document,
		api.pays_elsewhere, api.paused_subscription, api.fetch_subscription,
		auth.uid, auth.email, auth.require_user, app.my_tenants,
		app.managed_tenants, app.my_tenant, billing.decided_subscription, billing.shown_subscription, billing.page_of,
		billing.is_my_customer,
		billing.entitlement, billing.words_on, billing.restricting_disputes, billing.verdict_on, billing.in_force,
		billing.decision, billing.collects_at,
		billing.is_live, billing.scheduled_end, billing.grace_end, billing.plan_at, billing.features_at, api.take_call,
		api.end_call, api.take_turn, api.pause_calls, api.report_refusal, api.end_refusal,
		api.offered_plans, api.my_plan,
		billing.free_plan, api.portal_news, api.checkout_news, billing.note_portal}'),
	('tollgate_admin', '{api.admit, api.signed_in, api.end_reused, api.admin_users, api.admin_user, api.admin_tenants,
		api.admin_tenant, api.admin_alerts, api.suspend_user, api.lift_suspension, api.sign_out_user,
		api.override_tenant, api.lift_override}'),
	('tollgate_usage', '{api.admit, api.usage_reserve, api.usage_settle, api.usage_record, api.usage_summary,
		api.usage_fault, api.roll_over}'),
	('tollgate_webhooks', '{api.admit, service.receive_events, service.report_signature, service.hint}'),
	('tollgate_jobs', '{api.admit, service.match_account, service.claim_object, service.object_gone,
		service.fail_object, service.watch_key, service.write_checkout, service.write_subscription,
		service.write_customer, service.write_invoice, service.write_charge, service.write_dispute,
		service.write_price, service.write_product, service.write_portal_configuration, service.write_preview,
		service.write_expiry, service.write_payment_intent, service.write_cancellation, service.write_erasure,
		service.write_meter_report,
		service.apply_retention,
		service.watch_transactions, service.watch_models, service.note_stripe,
		service.tend_usage, service.claim_usage, service.usage_told, service.usage_failed,
		service.usage_verified, service.claim_comparison, service.compare_usage,
		service.look_cursor, service.take_cursor, service.leave_cursor, service.adopt_events,
		service.compare_subscriptions, service.mark_objects, api.take_turn, api.pause_calls,
		api.report_refusal, api.end_refusal}'),
	('tollgate_mailer', '{api.admit, service.claim_mail, service.mail_sent, service.mail_failed,
		service.mail_alerts}'),
	('tollgate_operator', '{api.admit, service.match_account, service.look_cursor, service.take_cursor,
		service.leave_cursor, service.adopt_events, service.compare_subscriptions, service.mark_objects, ops.status,
		ops.list_alerts, ops.clear_alert,
		ops.list_mails, ops.show_mail, ops.retry_mails, ops.cancel_mail,
		ops.verify_audit, ops.audit_usage, ops.retry_usage, ops.drop_usage,
		ops.show_user, ops.change_address, ops.send_link, ops.end_sessions, ops.delete_user, ops.keep_user,
		ops.remove_factor, ops.fits_seed_key,
		ops.add_operator, ops.remove_operator, ops.list_operators,
		ops.rotate_seeds,
		ops.put_override,
		ops.end_override, ops.put_price, ops.put_metered_price,
		ops.put_portal_configuration, ops.plan_prices, ops.time_of, ops.list_events, ops.show_event, ops.count_events,
		ops.list_replay, ops.replay_events, ops.list_dead, ops.find_tenants, ops.explain, ops.match_customers,
		ops.accept_customer, ops.restore_customer, api.take_turn, api.pause_calls}'),
	('tollgate_rls', '{auth.uid, auth.require_session, auth.has_factor, auth.came_by_passkey}'),
	('tollgate_page', '{app.enter_page, app.closed_tenants, app.lets_in, app.tenant_documents, app.tenants_of,
		app.tenant_document,
		billing.decided_subscription, billing.checkout_state,
		billing.next_document, billing.account_document, billing.open_invoice, billing.todo_document,
		billing.invoice_todo, billing.card_todo, billing.card_state, billing.bank_wait, billing.debit_since,
		billing.wants_confirmation, billing.pause_end,
		billing.other_list,
		billing.standing, billing.standings, billing.regular_next, billing.later_documents, billing.line_document,
		billing.next_amount, billing.price_document, api.figure_document,
		billing.invoice_list, billing.payment_list, billing.notice_list, billing.page_lists, api.date_document,
		api.amount_document, billing.entitlement,
		billing.decision, billing.words_on, billing.restricting_disputes, billing.verdict_on, billing.in_force,
		billing.collects_at, billing.is_live, billing.scheduled_end, billing.grace_end, billing.plan_at,
		billing.features_at, billing.free_plan, billing.interval_of, usage.card}'),
	('tollgate_auth', '{app.is_leaving, billing.accept_offer, billing.found_tenant, api.date_document, app.first_name,
		app.clean_name, audit.note}'),
	('tollgate_service', '{billing.page_of, app.my_tenants, app.managed_tenants, app.my_tenant, app.tenant_documents,
		billing.price_document, api.figure_document,
		app.lets_in, auth.has_factor, auth.has_passkey, auth.came_by_passkey, app.tenants_of, app.tenant_document,
		billing.decided_subscription, billing.shown_subscription, api.date_document, api.amount_document,
		auth.allow, auth.allow_network, auth.network_of, auth.checkout_of,
		auth.add_user, auth.find_user, auth.has_signed_in, auth.drop_unused, auth.spend_requests,
		auth.has_second,
		auth.require_operator, auth.add_operator, auth.remove_operator, auth.list_operators, auth.search_users,
		auth.user_record, auth.suspend_user, auth.lift_suspension,
		auth.user_document, auth.change_address, auth.end_sessions, auth.remove_seconds, auth.fits_seed_key,
		auth.rotate_seeds,
		auth.address_of, auth.contacts, auth.set_language, auth.ask_link,
		app.clean_name, app.initials_of, auth.request_of, auth.spend_request, api.proof_state, auth.take_link,
		auth.revoke_sessions, auth.forget_user, auth.export_user,
		auth.drop_password, auth.drop_factor_since, auth.lock_user, auth.require_fresh,
		auth.rank_stranger, auth.mint_link, auth.uid, auth.email, auth.session_id,
		auth.require_user, auth.apply_retention, billing.entitlement, billing.words_on, billing.verdict_on,
		billing.decision, billing.in_force, billing.restricting_disputes,
		billing.collects_at, billing.is_live, billing.scheduled_end, billing.grace_end,
		billing.plan_at, billing.features_at, billing.free_plan}');

select set_eq($$select rolname::text from pg_roles where rolname like 'tollgate\_%' and rolcanlogin$$,
	$$select role from allowed where role not in ('tollgate_auth', 'tollgate_rls', 'tollgate_service',
		'tollgate_page')$$,
	'C99 every login role is in the list');
select set_eq($$select a.grantee::regrole::text, f.name from tap.our_function f cross join aclexplode(f.proacl) a
		where a.grantee <> f.proowner$$,
	$$select role, unnest(functions) from allowed$$,
	'C99 functions are granted as listed, and to nobody else');
select set_eq(format($$select f.name from tap.our_function f where has_function_privilege(%L, f.oid, 'execute')$$,
	a.role), format($$select unnest(functions) from allowed where role = %L$$, a.role),
	'C99 ' || a.role || ' executes its own functions only')
from allowed a where a.role not in ('tollgate_auth', 'tollgate_rls', 'tollgate_service',
		'tollgate_page');
select is_empty($$select proname from tap.our_function group by pronamespace, proname having count(*) > 1$$,
	'C99 a name in the list is one function');

-- a role that is not one of ours
create role tap_stranger;
select is_empty($$select name from tap.our_function where has_function_privilege('tap_stranger', oid, 'execute')$$,
	'C99 a role from outside executes nothing');

-- a new function is closed to every role
set role tollgate_service;
create function service.made_tomorrow() returns int language plpgsql as 'begin return 1; end';
reset role;
select ok(not has_function_privilege('tap_stranger', 'service.made_tomorrow()', 'execute'),
	'D23 functions of our owners start closed to everybody');

select is(tap.state_of(role, 'select ' || call), '42501', format('C99 %s may not call %s', role, call))
from (values
	('tollgate_account', 'service.apply_retention(90)'), ('tollgate_billing', 'service.claim_mail(60)'),
	('tollgate_signup', 'api.billing_page()'), ('tollgate_webhooks', 'service.claim_object(60)'),
	('tollgate_jobs', 'service.hint()'),
	('tollgate_jobs', 'service.receive_events(null, null)'), ('tollgate_signin', 'api.workspace_page()'),
	('tollgate_account', 'api.sign_in(null, null, null, null, null, null, null, null)'),
	('tollgate_account', 'api.request_link(null, null, null, null, null, null)'),
	('tollgate_account', 'api.confirm_code(null, null, null, null, null)'),
	('tollgate_account', 'auth.renew_session(null, null, null, null)'),
	('tollgate_billing', 'api.end_session(null)'),
	('tollgate_account', 'api.link_state(null, null)'),
	('tollgate_account', 'auth.add_user(''a@b.c'')'),
	('tollgate_account', 'auth.open_session(null, null, null, null, null, null)'),
	('tollgate_billing', 'billing.promote(null, null)'), ('tollgate_account', 'auth.find_session()'),
	('tollgate_operator', 'ops.put_plans(''[]'')')) as v (role, call);

select is(tap.state_of(role, 'select ' || call), '42501', format('S11 %s may not call %s', role, call))
from (values
	('tollgate_jobs', 'service.claim_mail(60)'), ('tollgate_jobs', 'service.mail_sent(null, null)'),
	('tollgate_jobs', 'service.mail_failed(null, null, null, false)'),
	('tollgate_jobs', 'auth.mint_link(null)'), ('tollgate_mailer', 'auth.mint_link(null)'),
	('tollgate_mailer', 'service.claim_object(60)'), ('tollgate_mailer', 'service.watch_key(''[]'')'),
	('tollgate_mailer', 'service.apply_retention(90)'), ('tollgate_mailer', 'service.match_account(null, true)'),
	('tollgate_mailer', 'api.signed_in()'), ('tollgate_signin', 'service.claim_mail(60)')) as v (role, call);
select is(tap.state_of(role, 'select from mail.outbox'), '42501', format('S11 %s reads no mail', role))
from (values ('tollgate_jobs'), ('tollgate_mailer'), ('tollgate_signin')) v (role);

select * from finish();
rollback;
