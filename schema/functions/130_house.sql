-- What goes by itself.

set role tollgate_service;

-- Whether all that came of a checkout is known. Stripe's page lives a day: what was done there, though no webhook told it,
-- is known when a look through Stripe's events has ended that began later, and nothing of it is left to fetch, be it given up.
create or replace function billing.is_settled(c billing.checkouts) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (c.opened_at is null or exists (
			select from sync.cursors k where k.name = 'events' and k.seen_at > c.opened_at + interval '25 hours'))
		and not exists (
			select from (values ('checkout', c.session_id), ('subscription', c.subscription_id), ('customer', c.customer_id)) n (kind, id)
			join sync.objects o on o.kind = n.kind and o.id = n.id where o.version > o.clean_version);
end
$$;

-- A draft nobody paid for, and of which nothing else is recorded. One whose payment is under way (it may take Stripe weeks)
-- is given a month.
create or replace function billing.drop_drafts() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	dropped bigint;
begin
	delete from app.tenants d where d.id in (
		select t.id from app.tenants t
		where t.status = 'draft' and t.created_at < now() - interval '7 days'
			and not exists (select from billing.customers c where c.tenant_id = t.id)
			and not exists (select from billing.subscriptions s where s.tenant_id = t.id)
			and not exists (select from billing.checkouts c where c.tenant_id = t.id
				and (c.status in ('complete', 'unpaid') and c.created_at > now() - interval '30 days' or not billing.is_settled(c)))
			and not exists (select from billing.overrides o where o.tenant_id = t.id)
			and not exists (select from billing.alerts a where a.tenant_id = t.id)
			and not exists (select from billing.invoices i where i.tenant_id = t.id)
		limit 500 for update skip locked);
	get diagnostics dropped = row_count;
	return dropped;
end
$$;

-- What a clock that ran ahead has put off is due now. No lease and no back-off is as long as an hour.
create or replace function sync.wind_back() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	far timestamptz := now() + interval '1 hour';
	objects bigint;
	mails bigint;
begin
	update sync.objects o set next_at = least(o.next_at, now()), claimed_until = null
	where o.version > o.clean_version and o.dead_at is null and (o.next_at > far or o.claimed_until > far);
	get diagnostics objects = row_count;
	update mail.outbox m set next_at = least(m.next_at, now()), claimed_until = null
	where m.state = 'pending' and (m.next_at > far or m.claimed_until > far);
	get diagnostics mails = row_count;
	return objects + mails;
end
$$;

drop function if exists service.keep_house();
create or replace function service.keep_house(p_keep_days int default 90) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mails bigint;
begin
	delete from mail.outbox d where d.id in (
		select o.id from mail.outbox o
		where o.state <> 'pending' and o.created_at < now() - case o.state when 'void' then interval '1 day' else interval '30 days' end
		limit 1000);
	get diagnostics mails = row_count;
	return auth.keep_house() || jsonb_build_object('mails', mails, 'drafts', billing.drop_drafts(),
		'events', inbox.drop_events(p_keep_days), 'put_off', sync.wind_back());
end
$$;

reset role;
