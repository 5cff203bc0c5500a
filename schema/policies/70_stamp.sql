-- The stamp: every program asks to be admitted by it; only migrate, as the administrator, changes what it says.

grant usage on schema api to tollgate_webhooks, tollgate_jobs, tollgate_operator;
grant execute on function api.admit(text, text) to tollgate_signup, tollgate_account, tollgate_billing, tollgate_webhooks,
	tollgate_jobs, tollgate_operator;
grant execute on function service.match_account(text, boolean) to tollgate_jobs, tollgate_operator;

grant select, update (account) on meta.stamp to tollgate_service;
create policy service on meta.stamp to tollgate_service using (true) with check (true);
