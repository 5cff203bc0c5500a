-- Addresses that pay already, for one tenant or several.

set role tollgate_service;

-- The live subscriptions of tenants that the address pays for, owns or is offered. One whose first payment has not been
-- made is not counted.
create or replace function billing.paid_tenants(p_address text) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	address text := lower(btrim(p_address));
	payer uuid := auth.find_user(address);
begin
	return array(
		select s.tenant_id from billing.subscriptions s
		where billing.is_live(s.status) and s.status <> 'incomplete' and s.tenant_id in (
			select m.tenant_id from app.members m where m.user_id = payer and m.role = 'owner' union
			select o.tenant_id from app.offers o where o.user_id = payer and o.accepted_at is null union
			select c.tenant_id from billing.checkouts c
				where c.email_canonical = address and c.status = 'complete' union
			select c.tenant_id from billing.customers c where lower(c.email) = address and not c.deleted)
		group by s.tenant_id order by s.tenant_id);
end
$$;

-- Whether a plan for this tenant would be the address's second one: it pays for another, or a bank has its payment
-- under way.
create or replace function billing.pays_already(p_address text, p_tenant uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return cardinality(array_remove(billing.paid_tenants(p_address), p_tenant)) > 0 or exists (
		select from billing.checkouts c
		where c.email_canonical = lower(btrim(p_address)) and c.status = 'unpaid' and c.tenant_id <> p_tenant);
end
$$;

-- Queues the mail that tells a payer of a sign-up with the payer's address. It is queued for every address: whether
-- there is anything to tell is looked up when the mail is claimed, so the sign-up's answer and its time are the same.
-- It goes to the address as it is stored, in its user's language, and holds no link that signs in.
create or replace function billing.mail_paying(c billing.checkouts) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if auth.allow('paying_mail', c.email_canonical) then
		insert into mail.outbox (key, recipient, template, language, data)
		values ('paying:' || c.tenant_id, c.email, 'paying', c.language, jsonb_build_object('draft', c.tenant_id))
		on conflict (key) do nothing;
	end if;
end
$$;

-- Whom a mail of mail_paying() goes to: {"recipient", "language"}; null: nobody.
create or replace function billing.paying_contact(p_email text, p_draft uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	payer uuid := auth.find_user(p_email);
	contact jsonb := auth.contacts(array[payer]) -> 0;
begin
	if not billing.pays_already(p_email, p_draft) or payer is not null and contact is null then
		return null;
	end if;
	return jsonb_strip_nulls(jsonb_build_object('recipient', coalesce(contact ->> 'email', p_email),
		'language', contact -> 'language'));
end
$$;

-- Alerts on an address that pays for several tenants.
create or replace function billing.watch_address(p_address text, p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	tenants uuid[] := billing.paid_tenants(p_address);
begin
	perform ops.watch(cardinality(tenants) > 1, p_tenant, 'paying_twice', p_address,
		jsonb_build_object('tenants', tenants));
end
$$;

-- For each address of the subscription's payers, when it begins or ends: an alert that the operator has cleared stays
-- cleared. The subscription may be stored before its checkout is, and before its customer's address.
create or replace function billing.watch_payers(p_before billing.subscriptions, s billing.subscriptions) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform billing.watch_address(a.address, s.tenant_id) from (
		select p.address from (
			select lower(auth.address_of(m.user_id)) from app.members m
				where m.tenant_id = s.tenant_id and m.role = 'owner' union
			select lower(auth.address_of(o.user_id)) from app.offers o
				where o.tenant_id = s.tenant_id and o.accepted_at is null union
			select c.email_canonical from billing.checkouts c where c.tenant_id = s.tenant_id union
			select lower(c.email) from billing.customers c
				where c.tenant_id = s.tenant_id and not c.deleted) p (address)
		where p.address is not null and (billing.is_live(s.status) and s.status <> 'incomplete') <>
			coalesce(billing.is_live(p_before.status) and p_before.status <> 'incomplete', false)
		order by p.address) a;
end
$$;

reset role;
