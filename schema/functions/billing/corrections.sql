-- Correction of an address that was mistyped at sign-up. The browser that bought may do it once, within two days, and
-- only while the user of the first address has never signed in. The limit in time is needed because ended sessions are
-- deleted, and with them the knowledge that somebody signed in. The first address's membership or offer ends, and the
-- user goes whom this purchase alone has made.

set role tollgate_service;

create or replace function billing.may_correct(c billing.checkouts, p_flow_hash bytea) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return c.flow_hash = sha256(p_flow_hash) and c.corrected_at is null
		and c.created_at > now() - interval '48 hours'
		and exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'active')
		and (exists (select from app.offers o where o.tenant_id = c.tenant_id and o.accepted_at is null)
			or exists (select from app.members m where m.tenant_id = c.tenant_id
				and m.user_id = auth.find_user(c.email) and not auth.has_signed_in(m.user_id)));
end
$$;

-- TG404: not this browser's checkout, or it may not be corrected (any more). TG422: the same address.
create or replace function api.correct_address(p_session text, p_flow_hash bytea, p_email text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	c billing.checkouts;
	mistyped uuid;
begin
	perform from app.tenants t join billing.checkouts b on b.tenant_id = t.id
	where b.session_id = p_session for no key update of t;
	select b.* into c from billing.checkouts b where b.session_id = p_session for update;
	if billing.may_correct(c, p_flow_hash) is not true then
		raise exception 'nothing to correct' using errcode = 'TG404';
	elsif lower(btrim(p_email)) = c.email_canonical then
		raise exception 'the same address' using errcode = 'TG422';
	end if;
	perform auth.spend_requests(auth.find_user(c.email), c.tenant_id);
	delete from app.members m where m.tenant_id = c.tenant_id and m.user_id = auth.find_user(c.email)
	returning m.user_id into mistyped;
	delete from app.offers o where o.tenant_id = c.tenant_id and o.accepted_at is null;
	perform ops.end_alert('offer', c.tenant_id::text);
	update billing.checkouts b set email = btrim(p_email), email_canonical = lower(btrim(p_email)), corrected_at = now()
	where b.key = c.key;
	perform billing.appoint_owner(c.tenant_id), auth.drop_unused(mistyped, c.created_at);
	return null;
end
$$;

reset role;
