-- A copy of a user's own data. Each list holds the newest 1000 rows, so that the answer is bounded by some megabytes.
-- tests/schema/tables names each table that tells of users, and where its rows are here or why not. p_addresses: those
-- that are or were the user's (app.addresses_of), which a deletion forgets rows by as well.

set role tollgate_service;

drop function if exists app.export_user(uuid, text);	-- before p_addresses

create or replace function app.export_user(p_user uuid, p_addresses text[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return jsonb_build_object(
		'profile', (select to_jsonb(p) - 'user_id' from app.profiles p where p.user_id = p_user),
		'memberships', (
			select coalesce(jsonb_agg(jsonb_build_object('tenant', t.id, 'name', t.name, 'status', t.status,
				'role', m.role, 'since', m.created_at) order by m.created_at, t.id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id where m.user_id = p_user),
		'offers', (
			select coalesce(jsonb_agg(to_jsonb(o) - 'user_id' order by o.created_at), '[]')
			from app.offers o where o.user_id = p_user),
		'invitations', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select i.tenant_id as tenant, i.email, i.role, i.user_id = p_user as invited_by_me, i.created_at,
					i.expires_at, i.accepted_at, i.revoked_at
				from app.invitations i
				where p_user in (i.user_id, i.accepted_by) or i.email_canonical = any (p_addresses)
				order by i.created_at desc, i.id limit 1000) n),
		'address_changes', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select c.was, c.email, c.created_at, c.done_at, c.undone_at from app.address_changes c
				where c.user_id = p_user order by c.created_at desc, c.id limit 1000) n),
		'keys', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select k.tenant_id as tenant, k.name, k.hint, k.scopes, k.created_at, k.used_at, k.revoked_at
				from app.keys k where k.user_id = p_user order by k.created_at desc, k.id limit 1000) n),
		'deletion', (select to_jsonb(d) - '{user_id,tenants}'::text[] from app.deletions d where d.user_id = p_user),
		'mails', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select o.template, o.recipient, o.language, o.state, o.created_at, o.sent_at from mail.outbox o
				where lower(o.recipient) = any (p_addresses) order by o.created_at desc, o.id limit 1000) n),
		'audit', (
			select coalesce(jsonb_agg(to_jsonb(a)), '[]') from (
				select e.n, e.at, e.kind, e.tenant_id as tenant, e.user_id = p_user as by_me,
					e.subject_id = p_user as about_me, e.detail
				from audit.entries e where p_user in (e.user_id, e.subject_id) order by e.n desc limit 1000) a));
end
$$;

create or replace function usage.export_user(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('usage', (
		select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
			select d.tenant_id as tenant, d.day, d.meter, d.provider, d.model, d.units, d.micros, d.records
			from usage.days d where d.user_id = p_user
			order by d.day desc, d.tenant_id, d.meter, d.provider, d.model limit 1000) n));
end
$$;

drop function if exists billing.export_payer(uuid, text, uuid[]);	-- before p_addresses

-- Of the tenants whose bills the user may see; checkouts are those that the user has begun or typed an address for.
-- Links to Stripe's pages are left out, since they open what they lead to for whoever has them.
create or replace function billing.export_payer(p_user uuid, p_addresses text[], p_tenants uuid[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return jsonb_build_object(
		'customers', (
			select coalesce(jsonb_agg(jsonb_build_object('tenant', c.tenant_id, 'id', c.id, 'email', c.email,
				'deleted', c.deleted, 'created_at', c.created_at) order by c.created_at, c.id), '[]')
			from billing.customers c where c.tenant_id = any (p_tenants)),
		'subscriptions', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select s.tenant_id as tenant, s.id, s.status, s.plan, s.quantity, s.amount, s.currency, s.created_at,
					s.period_start, s.period_end, s.trial_end, s.cancel_at, s.canceled_at, s.ended_at
				from billing.subscriptions s where s.tenant_id = any (p_tenants)
				order by s.created_at desc, s.id limit 1000) n),
		'invoices', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select i.tenant_id as tenant, i.id, i.number, i.status, i.currency, i.amount_due, i.amount_paid,
					i.total, i.created_at, i.due_at, i.paid_at
				from billing.invoices i where i.tenant_id = any (p_tenants)
				order by i.created_at desc, i.id limit 1000) n),
		'disputes', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select d.tenant_id as tenant, d.id, d.kind, d.status, d.amount, d.currency, d.reason, d.opened_at,
					d.closed_at
				from billing.disputes d where d.tenant_id = any (p_tenants)
				order by d.opened_at desc, d.id limit 1000) n),
		'notices', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select t.tenant_id as tenant, t.kind, t.created_at, t.seen_at, t.user_id = p_user as seen_by_me
				from billing.notifications t where t.tenant_id = any (p_tenants)
				order by t.created_at desc, t.id limit 1000) n),
		'checkouts', (
			select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
				select c.tenant_id as tenant, c.email, c.plan, c.language, c.status, c.created_at, c.opened_at
				from billing.checkouts c where c.user_id = p_user or c.email_canonical = any (p_addresses)
				order by c.created_at desc, c.tenant_id limit 1000) n));
end
$$;

create or replace function api.export_user() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	me uuid := auth.require_fresh();
	addresses text[] := app.addresses_of(me);
	billed uuid[] := array(
		select m.tenant_id from app.members m join app.tenants t on t.id = m.tenant_id
		where m.user_id = me and app.may(m.role, 'bill') and (t.closes_at is not null or app.lets_in(t.id, me)));
begin
	return jsonb_build_object('exported', api.date_document(now()), 'rows_at_most', 1000)
		|| auth.export_user(me, addresses) || app.export_user(me, addresses) || usage.export_user(me)
		|| chat.export_user(me)
		|| jsonb_build_object('billing', billing.export_payer(me, addresses, billed));
end
$$;

reset role;
