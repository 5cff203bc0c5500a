-- Triggers. They are created after the functions they call.

create or replace trigger make_profile after insert on auth.users
	for each row execute function auth.make_profile();
create or replace trigger keep_history after insert or update on billing.overrides
	for each row execute function billing.keep_override_history();
create or replace trigger keep_history after insert or update on billing.subscriptions
	for each row execute function billing.keep_subscription_history();
create or replace trigger keep_history after insert or update on billing.plans
	for each row execute function billing.keep_plan_history();
create or replace trigger watch_plan after insert or update on billing.plans
	for each row execute function billing.watch_plan();
