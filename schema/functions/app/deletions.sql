-- The deletion of a user is a saga: the request, 30 days in which it can be undone, the erasure. From the request on,
-- nobody gets into the tenants that close with the user, and jobs ends their subscriptions and checkout sessions at
-- Stripe. The erasure is one transaction, which waits until Stripe can charge nothing. Each step can be repeated.

set role tollgate_service;

create or replace function app.is_leaving(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return exists (select from app.deletions d where d.user_id = p_user and d.done_at is null);
end
$$;

-- Whether a tenant can count on this user as its owner: one who is kept out, or is being deleted, cannot act for it.
create or replace function app.is_staying(p_user uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return auth.contacts(array[p_user]) <> '[]' and not app.is_leaving(p_user);
end
$$;

-- The addresses that the user has or had, in canonical form, without one that is another user's by now.
create or replace function app.addresses_of(p_user uuid) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select a.address from (
			select lower(auth.address_of(p_user)) as address union
			select lower(n.address) from app.address_changes c cross join unnest(array[c.was, c.email]) n (address)
			where c.user_id = p_user and c.done_at is not null) a
		where coalesce(auth.find_user(a.address), p_user) = p_user);
end
$$;

-- Sign-ups with an address of this user that may still be paid for.
create or replace function app.drafts_of(p_user uuid) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select t.id from billing.checkouts c join app.tenants t on t.id = c.tenant_id
		where c.email_canonical = any (app.addresses_of(p_user)) and t.status = 'draft');
end
$$;

-- The tenants that close with this user: those owned by the user or offered to the user that have no other member, and
-- the user's drafts. p_now: false at the request, true at the erasure. At the request, a member whose own deletion is
-- under way does not count. At the erasure, a tenant that the request has marked (closes_at) closes although such a
-- member has stayed, unless that member is an owner.
create or replace function app.closing_tenants(p_user uuid, p_now boolean) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select t.id from app.tenants t
		where t.status = 'active' and t.id in (
				select m.tenant_id from app.members m where m.user_id = p_user and m.role = 'owner' union
				select o.tenant_id from app.offers o where o.user_id = p_user and o.accepted_at is null)
			and not exists (
				select from app.members m
				where m.tenant_id = t.id and m.user_id <> p_user and (p_now or not app.is_leaving(m.user_id))
					and (t.closes_at is null or m.role = 'owner'))
		union
		select d from unnest(app.drafts_of(p_user)) d
		order by 1);
end
$$;

-- The tenants that would be left without an owner, [{"id", "name"}...]: the user hands them over first. p_now: as for
-- app.closing_tenants(). At the request, an owner who is kept out does not count. At the erasure, which was promised
-- before the other was kept out, one does.
create or replace function app.tenants_to_hand_over(p_user uuid, p_now boolean) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) order by t.name, t.id), '[]')
		from app.members m join app.tenants t on t.id = m.tenant_id
			cross join lateral (
				select count(*) as n,
					count(*) filter (where o.role = 'owner' and (p_now or app.is_staying(o.user_id))) as owners
				from app.members o
				where o.tenant_id = t.id and o.user_id <> p_user and (p_now or not app.is_leaving(o.user_id))) others
		where m.user_id = p_user and m.role = 'owner' and t.status = 'active' and others.n > 0 and others.owners = 0
			and t.closes_at is null);
end
$$;

-- Locks the user's row, and then the rows of the user's tenants, until the transaction ends. Every function that
-- changes a membership locks its tenant's row too, so none changes while a deletion decides which tenants close.
create or replace function app.lock_leaving(p_user uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform auth.lock_user(p_user);
	perform from app.tenants t where t.id in (
		select m.tenant_id from app.members m where m.user_id = p_user union
		select o.tenant_id from app.offers o where o.user_id = p_user union
		select d from unnest(app.drafts_of(p_user)) d)
	order by t.id for no key update;
end
$$;

create or replace function app.mail_deletion(d app.deletions, p_closing uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into mail.outbox (key, recipient, template, language, data)
	select concat_ws(':', 'deletion', d.user_id, extract(epoch from d.requested_at)), c.who ->> 'email', 'deletion',
		c.who ->> 'language', jsonb_build_object('date', api.date_document(d.until),
			'closes', named.tenants <> '[]', 'tenants', named.tenants)
	from jsonb_array_elements(auth.contacts(array[d.user_id])) c (who) cross join (
		select coalesce(jsonb_agg(jsonb_build_object('name', t.name) order by t.name, t.id), '[]') as tenants
		from app.tenants t where t.id = any (p_closing) and t.name is not null) named
	on conflict do nothing;
end
$$;

-- {"until"}, of the deletion that is under way already too; or {"tenants"}, and nothing has changed: the user hands
-- these over first. p_by: who asks; null: the operator.
create or replace function app.request_deletion(p_user uuid, p_by uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	d app.deletions;
	closing uuid[];
	held jsonb;
begin
	perform app.lock_leaving(p_user);
	held := app.tenants_to_hand_over(p_user, false);
	if held <> '[]' then
		return jsonb_build_object('tenants', held);
	end if;
	insert into app.deletions (user_id, until) values (p_user, now() + interval '720 hours')
	on conflict (user_id) do nothing returning * into d;
	if d.user_id is null then
		return (select jsonb_build_object('until', api.date_document(o.until)) from app.deletions o
			where o.user_id = p_user);
	end if;
	closing := app.closing_tenants(p_user, false);
	update app.tenants t set closes_at = d.until where t.id = any (closing);
	update app.invitations i set revoked_at = now()
	where i.tenant_id = any (closing) and i.accepted_at is null and i.revoked_at is null;
	perform billing.end_payments(closing), app.mail_deletion(d, closing);
	perform auth.revoke_sessions(p_user, 'deleted');
	perform audit.note('deletion_requested', null, p_by, p_user);
	return jsonb_build_object('until', api.date_document(d.until));
end
$$;

-- Undoes a request within the 30 days. The user's tenants stay open. What Stripe has ended already stays ended, and
-- what it has not ended yet goes on. TG404: no deletion is under way.
create or replace function app.undo_deletion(p_user uuid, p_by uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	kept uuid[];
begin
	perform app.lock_leaving(p_user);
	delete from app.deletions d where d.user_id = p_user and d.done_at is null;
	if not found then
		raise exception 'no deletion' using errcode = 'TG404';
	end if;
	kept := array(
		select t.id from app.tenants t where t.closes_at is not null and t.id in (
			select m.tenant_id from app.members m where m.user_id = p_user and m.role = 'owner' union
			select o.tenant_id from app.offers o where o.user_id = p_user and o.accepted_at is null union
			select d from unnest(app.drafts_of(p_user)) d));
	update app.tenants t set closes_at = null where t.id = any (kept);
	perform billing.keep_payments(kept);
	perform audit.note('deletion_undone', null, p_by, p_user);
end
$$;

-- Whether a text of the document is or holds one of these addresses, as a whole: joann@example.org holds no
-- ann@example.org.
create or replace function app.names_one(p_doc jsonb, p_addresses text[]) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return exists (
		select from jsonb_path_query(p_doc, 'strict $.**') v (value)
			cross join regexp_split_to_table(lower(v.value #>> '{}'), '[][\s<>(){}",;:]+') w (word)
		where jsonb_typeof(v.value) = 'string'
			and (lower(v.value #>> '{}') = any (p_addresses) or btrim(w.word, '.''') = any (p_addresses)));
end
$$;

-- Erases what names the user outside the schemas auth and billing. A tenant that has other members keeps its name.
create or replace function app.forget_user(p_user uuid, p_addresses text[], p_closing uuid[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from mail.outbox o
	where lower(o.recipient) = any (p_addresses) or app.names_one(o.data, p_addresses)
		or o.template = 'invitation' and coalesce(o.data ->> 'by' = p_user::text, exists (	-- before "by"
			select from audit.entries e where e.user_id = p_user and e.kind in ('invited', 'invited_again')
				and e.detail ->> 'invitation' = split_part(o.key, ':', 2)));
	delete from app.invitations i
	where i.user_id = p_user or i.email_canonical = any (p_addresses) or i.tenant_id = any (p_closing);
	delete from app.address_changes c where lower(c.email) = any (p_addresses) or lower(c.was) = any (p_addresses);
	delete from app.offers o where o.user_id = p_user or o.tenant_id = any (p_closing);
	delete from app.members m where m.user_id = p_user or m.tenant_id = any (p_closing);
	update app.tenants t set status = 'closed', name = null, closes_at = coalesce(t.closes_at, now())
	where t.id = any (p_closing);
	update ops.alerts a set subject = concat_ws(':', 'deleted', a.id), detail = '{}',
		cleared_at = coalesce(a.cleared_at, now())
	where app.names_one(jsonb_build_array(a.subject, a.detail), p_addresses);
end
$$;

-- Carries out one deletion. False while something may still be charged, or a tenant would be left without an owner:
-- the next call tries again, and after a day the operator is told.
create or replace function app.delete_user(p_user uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	d app.deletions;
	closing uuid[];
	waits boolean;
	addresses text[];
begin
	perform app.lock_leaving(p_user);
	select v.* into d from app.deletions v
	where v.user_id = p_user and v.done_at is null and v.until <= now() for update;
	if d.user_id is null then
		return false;
	end if;
	closing := app.closing_tenants(p_user, true);
	update app.tenants t set closes_at = coalesce(t.closes_at, d.until) where t.id = any (closing);
	perform billing.end_payments(closing);
	waits := billing.may_charge(closing) or app.tenants_to_hand_over(p_user, true) <> '[]';
	perform ops.watch(waits and d.until < now() - interval '24 hours', null, 'deletion', p_user::text,
		jsonb_build_object('tenants', closing));
	if waits then
		return false;
	end if;
	addresses := app.addresses_of(p_user);
	perform app.forget_user(p_user, addresses, closing), billing.forget_payer(p_user, addresses, closing),
		chat.forget_tenants(closing);
	perform auth.forget_user(p_user, addresses);
	update app.deletions v set done_at = now(), tenants = closing where v.user_id = p_user;
	perform inbox.forget_bodies(closing), inbox.forget_ignored(closing);
	perform audit.note('user_deleted', null, null, p_user);
	return true;
end
$$;

-- Carries out one deletion that is due: how many were. Of two in one transaction the second would lock its rows after
-- the audit log. Of tenants that were closed in the last 400 days, what Stripe's events have said since is forgotten
-- too, because a webhook stores an event's bytes whoever it is about. A pass looks at 500 of these deletions at most.
-- One that a row of another table refuses is the operator's, and the next one is carried out.
create or replace function app.carry_out_deletion() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	due uuid;
begin
	perform inbox.forget_bodies(d.tenants) from (
		select o.tenants from app.deletions o
		where o.done_at > now() - interval '400 days' and o.tenants <> '{}' order by random() limit 500) d;
	for due in
		select v.user_id from app.deletions v where v.done_at is null and v.until <= now()
		order by v.until, v.user_id limit 100
	loop
		begin
			if app.delete_user(due) then
				return 1;
			end if;
		exception when foreign_key_violation then
			perform ops.raise_alert(null, 'deletion', due::text, jsonb_build_object('error', sqlerrm));
		end;
	end loop;
	return 0;
end
$$;

reset role;
