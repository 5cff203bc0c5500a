-- Sign-up: a draft tenant and its checkout, before the visitor is known.

set role tollgate_service;

create or replace function billing.require_draft_allowance(p_email text, p_ip inet) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if not (auth.allow('draft_ip', auth.neighbourhood(p_ip)) and auth.allow('draft_address', lower(btrim(p_email)))
			and auth.allow('draft_global', '')) then
		raise exception 'too many drafts' using errcode = 'TG429';
	end if;
end
$$;

-- The unique key decides which of several concurrent calls comes first; the others wait for it and find its row. A
-- checkout that expired, or whose payment failed, starts its next attempt here. A session past its day may have been
-- paid: jobs and the caller look at Stripe first.
create or replace function api.open_draft(p_key bytea, p_email text, p_plan text, p_language text, p_flow_hash bytea,
	p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	draft billing.checkouts;
	paid boolean;
begin
	if not exists (select from billing.plans p where p.id = p_plan and p.offered) then
		raise exception 'unknown plan' using errcode = 'TG422';
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, flow_hash, price)
	select p_key, gen_random_uuid(), btrim(p_email), lower(btrim(p_email)), p.id, p_language, sha256(p_flow_hash),
		p.price
	from billing.plans p where p.id = p_plan
	on conflict (key) do nothing returning * into draft;
	if draft.key is not null then
		perform billing.require_draft_allowance(p_email, p_ip);
		insert into app.tenants (id) values (draft.tenant_id);
	else
		perform sync.mark('checkout', c.session_id) from billing.checkouts c
		where c.key = p_key and c.status = 'open' and billing.is_past_its_day(c.opened_at);
		update billing.checkouts c set attempt = c.attempt + 1,
			replaces = case c.status when 'open' then c.session_id end,
			session_id = null, status = 'open', opened_at = null, returned_at = null,
			price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and (c.status in ('expired', 'failed')
				or c.status = 'open' and billing.is_past_its_day(c.opened_at))
			and exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft');
		update billing.checkouts c set price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and c.price is null and c.session_id is null;
		select c.* into draft from billing.checkouts c where c.key = p_key;
	end if;
	paid := draft.session_id is not null and (draft.status <> 'open'
		or exists (select from app.tenants t where t.id = draft.tenant_id and t.status = 'active'));
	return jsonb_build_object('tenant', draft.tenant_id, 'email', draft.email, 'plan', draft.plan,
		'price', draft.price, 'language', draft.language, 'attempt', draft.attempt, 'session', draft.session_id,
		'expire', draft.replaces, 'state', case when paid then 'complete' else 'open' end);
end
$$;

-- Whether all that came of a checkout is known. Stripe's page lives for a day. An action there that no webhook reported
-- is known once a pass over Stripe's events that began after that day has ended, and no object of the checkout is left
-- to fetch, dead-lettered ones included.
create or replace function billing.is_settled(c billing.checkouts) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (c.opened_at is null or exists (
			select from sync.cursors k where k.name = 'events' and k.seen_at > c.opened_at + interval '25 hours'))
		and not exists (
			select from (values ('checkout', c.session_id), ('subscription', c.subscription_id),
				('customer', c.customer_id)) n (kind, id)
			join sync.objects o on o.kind = n.kind and o.id = n.id where o.version > o.clean_version);
end
$$;

-- Deletes drafts that were not paid for and have no other records. A draft whose payment is pending (it may take Stripe
-- weeks) is kept for a month.
create or replace function billing.drop_drafts() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	dropped bigint;
begin
	delete from app.tenants d where d.id = any (array(
		select t.id from app.tenants t
		where t.status = 'draft' and t.created_at < now() - interval '7 days'
			and not exists (select from billing.customers c where c.tenant_id = t.id)
			and not exists (select from billing.subscriptions s where s.tenant_id = t.id)
			and not exists (select from billing.checkouts c where c.tenant_id = t.id
				and (c.status in ('complete', 'unpaid') and c.created_at > now() - interval '30 days'
					or not billing.is_settled(c)))
			and not exists (select from billing.overrides o where o.tenant_id = t.id)
			and not exists (select from ops.alerts a where a.tenant_id = t.id)
			and not exists (select from billing.invoices i where i.tenant_id = t.id)
		limit 500 for update skip locked));
	get diagnostics dropped = row_count;
	return dropped;
end
$$;

reset role;
