-- Corrections below zero. Stripe takes back whole events, within a day of their receipt: what is left of one is told
-- again by another identifier.

set role tollgate_service;

-- What there is to do about units that are taken back, as service.claim_usage() answers. Of what Stripe does not have
-- there is nothing to take back. What it has for too long, or may have, is for a credit by hand.
create or replace function usage.claim_cancel(n usage.outbox, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	o usage.outbox;
begin
	select k.* into o from usage.outbox k where k.id = n.cancels for no key update;
	if o.state = 'dropped' or o.state = 'parked' and o.error <> 'uncertain' then
		update usage.outbox k set state = 'sent', sent_at = now() where k.id = n.id;
		perform usage.take_back(n, false);
		return '{"parked": true}';
	elsif o.state = 'sent' and o.tried_at > now() - interval '23 hours' then
		perform usage.mark_day(o);
		return usage.claim_of(n.id, p_lease) || jsonb_build_object('cancel', usage.identifier(o.id, o.round));
	end if;
	perform usage.park(n.id, 'too late to be taken back');
	return '{"parked": true}';
end
$$;

-- p_told: Stripe has taken the event back, so what is left of it is to be told.
create or replace function usage.take_back(n usage.outbox, p_told boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update usage.outbox o set less = o.less - n.units, round = o.round + p_told::int,
		state = case when o.units - o.less + n.units = 0 then 'sent' when p_told then 'pending' else o.state end,
		attempts = 0, tried_at = null, next_at = now()
	where o.id = n.cancels;
end
$$;

reset role;
