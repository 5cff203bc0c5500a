-- A tenant that was paid for with the address of a user who exists already. Anybody can type an address, so payment
-- alone makes no membership: the tenant is offered, and a link or code that was minted for it accepts it.

set role tollgate_service;

create or replace function billing.mail_language(p_user uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(auth.contacts(array[p_user]) #>> '{0,language}', 'en');
end
$$;

-- As it was typed at the checkout, while it is the user's: only a link that is sent to the user's address is made.
create or replace function billing.offer_address(p_typed text, p_user uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when auth.find_user(p_typed) = p_user then p_typed else auth.address_of(p_user) end;
end
$$;

-- In the user's language, not in that of the form, which somebody else may have sent.
create or replace function billing.mail_offer(p_key text, p_tenant uuid, p_flow bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.ask_link(p_key, 'offer', jsonb_build_object('plan', 'plan_' || o.plan), 'offer',
		billing.offer_address(o.email, o.user_id),
		billing.mail_language(o.user_id), p_user => o.user_id, p_tenant => o.tenant_id, p_flow => p_flow,
		p_next => '/workspace')
	from app.offers o where o.tenant_id = p_tenant;
end
$$;

create or replace function billing.offer_tenant(c billing.checkouts, p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into app.offers (tenant_id, user_id, email, plan) values (c.tenant_id, p_user, btrim(c.email), c.plan);
	perform billing.mail_offer(billing.mail_key('offer', c), c.tenant_id, c.flow_hash);
end
$$;

-- For a sign-in by a link of this tenant. It makes no membership twice: who was removed later stays removed.
create or replace function billing.accept_offer(p_tenant uuid, p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update app.offers o set accepted_at = now()
	where o.tenant_id = p_tenant and o.user_id = p_user and o.accepted_at is null;
	if not found then
		return;
	end if;
	insert into app.members (tenant_id, user_id, role) values (p_tenant, p_user, 'owner') on conflict do nothing;
	update app.profiles p set tenant_id = p_tenant where p.user_id = p_user;
	perform ops.end_alert('offer', p_tenant::text);
end
$$;

-- Another mail for an offer of the user's: one in ten minutes, however often the button is pressed. p_flow_hash: the
-- browser that asks, which then needs no code.
create or replace function api.send_offer(p_tenant uuid, p_flow_hash bytea) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mail_key text := format('offer:%s:%s', p_tenant, floor(extract(epoch from now()) / 600));
begin
	perform from app.offers o where o.tenant_id = p_tenant and o.user_id = me and o.accepted_at is null;
	if not found then
		raise exception 'no such offer' using errcode = 'TG404';
	elsif exists (select from mail.outbox o where o.key = mail_key) then
		return null;
	elsif not auth.allow('offer_mail', p_tenant::text) then
		raise exception 'too many mails' using errcode = 'TG429';
	end if;
	perform billing.mail_offer(mail_key, p_tenant, sha256(p_flow_hash));
	return null;
end
$$;

-- Somebody pays for a tenant that nobody has accepted for a day: an alert, until it is accepted or has ended. An offer
-- that is being accepted is left out, so that no alert is raised after its end.
create or replace function billing.watch_offers() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform ops.watch(billing.checkout_state(o.tenant_id) <> 'open', o.tenant_id, 'offer', o.tenant_id::text,
		jsonb_build_object('plan', o.plan))
	from (
		select w.* from app.offers w where w.accepted_at is null and w.created_at < now() - interval '24 hours'
		for no key update skip locked) o;
end
$$;

reset role;
