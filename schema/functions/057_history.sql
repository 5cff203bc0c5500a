-- What subscriptions were: a row for each change, written with it.

set role tollgate_service;

-- A transaction may have begun before the one whose change it follows: time never runs back.
create or replace function billing.keep_subscription_history() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	apart text[] := '{synced_at, customer_id, currency, amount}';
	at timestamptz := greatest(now(), (select h.from_at from billing.subscription_history h
		where h.subscription_id = new.id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and to_jsonb(old) - apart = to_jsonb(new) - apart then
		return null;
	end if;
	update billing.subscription_history h set to_at = at where h.subscription_id = new.id and h.to_at is null;
	insert into billing.subscription_history (subscription_id, tenant_id, from_at, status, plan, plans, price, quantity,
		period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, past_due_since,
		created_at)
	values (new.id, new.tenant_id, at, new.status, new.plan, new.plans, new.price, new.quantity, new.period_start, new.period_end,
		new.cancel_at_period_end, new.cancel_at, new.canceled_at, new.ended_at, new.trial_end, new.past_due_since,
		new.created_at);
	return null;
end
$$;

-- What a write changed: {"status": ["active", "past_due"]}; {} when nothing did, and all from null for a new row.
create or replace function billing.changes(p_old jsonb, p_new jsonb) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_object_agg(n.key, jsonb_build_array(p_old -> n.key, n.value)), '{}')
		from jsonb_each(p_new) n
		where n.key <> 'synced_at' and n.value <> coalesce(p_old -> n.key, 'null'));
end
$$;

reset role;

create or replace trigger keep_history after insert or update on billing.subscriptions
	for each row execute function billing.keep_subscription_history();
