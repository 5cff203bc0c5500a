-- Trials, which are given once for a tenant and for an address. Several checkout sessions that begin one may be open at
-- a time: once one of them is completed, jobs expires the others at Stripe. An object of kind "expiry", with the
-- checkout session's id, asks for that.

set role tollgate_service;

-- A trial is given once for a tenant and for an address. The address: who asked for it, who pays, or an owner.
create or replace function billing.had_trial(p_tenant uuid, p_email_canonical text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from billing.subscriptions s where s.trial_end is not null and s.tenant_id in (
			select p_tenant
			union select c.tenant_id from billing.checkouts c where c.email_canonical = p_email_canonical
			union select c.tenant_id from billing.customers c where lower(c.email) = p_email_canonical
			union select m.tenant_id from app.members m
			where m.user_id = auth.find_user(p_email_canonical) and m.role = 'owner'));
end
$$;

-- The checkouts that begin a trial and count as one with the tenant's: its own, and those of its addresses.
create or replace function billing.trial_checkouts(p_tenant uuid) returns setof billing.checkouts
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	addresses text[] := array(
		select c.email_canonical from billing.checkouts c where c.tenant_id = p_tenant
		union select lower(c.email) from billing.customers c where c.tenant_id = p_tenant
		union select lower(auth.address_of(m.user_id)) from app.members m
		where m.tenant_id = p_tenant and m.role = 'owner');
begin
	return query select c.* from billing.checkouts c
		where c.trial and (c.tenant_id = p_tenant or c.email_canonical = any (addresses));
end
$$;

-- Alerts on a trial that is the second of its tenant or address. Both sessions were completed before either could be
-- expired. A trial that the operator gave at Stripe counts as a first one only.
create or replace function billing.watch_trial(s billing.subscriptions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	trials text[] := array(
		select o.id from billing.trial_checkouts(s.tenant_id) c join billing.subscriptions o on o.id = c.subscription_id
		where o.trial_end is not null order by o.id);
begin
	perform ops.watch(billing.is_live(s.status) and cardinality(trials) > 1 and s.id = any (trials), s.tenant_id,
		'second_trial', s.id, jsonb_build_object('subscriptions', trials));
end
$$;

-- A trial has begun: no other open checkout session begins another.
create or replace function billing.begin_trial(p_before billing.subscriptions, s billing.subscriptions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if s.trial_end is not null and p_before.trial_end is null then
		perform sync.mark('expiry', c.session_id) from (
			select t.session_id from billing.trial_checkouts(s.tenant_id) t
			where t.status = 'open' and t.session_id is not null and t.subscription_id is distinct from s.id
			order by t.session_id) c;
	end if;
	if s.trial_end is not null and (p_before.trial_end is null or not billing.is_live(s.status)) then
		perform billing.watch_trial(s);
	end if;
end
$$;

-- The checkout session is fetched once more: this may be its state before a purchase that its own event has told since.
-- Of two sessions that were completed at once, neither subscription may have seen the other when it was stored.
create or replace function service.write_expiry(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb)
	returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	perform sync.mark('checkout', p_id);
	perform billing.watch_trial(s) from billing.subscriptions s where s.id = billing.id_of(p_doc -> 'subscription');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

reset role;
