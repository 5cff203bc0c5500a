-- The customer portal: who may open it, and its configuration at Stripe.

set role tollgate_owner;

-- Where a user of several tenants comes back to from Stripe: {"page"}. For a user of one {}, the plain billing page.
create or replace function billing.page_of(p_tenant uuid) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
	return case when cardinality(app.my_tenants()) > 1
		then jsonb_build_object('page', '/settings/billing?tenant=' || p_tenant) else '{}' end;
end
$$;

-- The customer is the tenant's, never the caller's choice. When the current subscription has another customer that is
-- the user's, it is that one, because only its own portal shows it; else the bound one.
create or replace function api.portal_customer(p_tenant uuid default null) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
	me uuid := auth.require_user();
	mine app.members := app.my_tenant(p_tenant);
	customer text := (select c.id from billing.customers c where c.tenant_id = mine.tenant_id and not c.deleted);
	current billing.subscriptions;
begin
	select s.* into current from billing.shown_subscription(mine.tenant_id) s;
	if current.customer_id <> customer and billing.is_live(current.status)
		and billing.is_my_customer(current.customer_id) then
		customer := current.customer_id;
	end if;
	if mine.role = 'member' then
		raise exception 'only for managers of the tenant' using errcode = 'TG403';
	elsif customer is null then
		raise exception 'no customer yet' using errcode = 'TG400';
	end if;
	perform billing.note_portal(mine.tenant_id);
	return jsonb_build_object('customer', customer) || billing.page_of(mine.tenant_id);
end
$$;

reset role;

set role tollgate_service;

-- What a manager may change in the portal.
create or replace function billing.portal_facts(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select jsonb_build_object('price', s.price, 'plan', s.plan, 'over', not billing.is_live(s.status),
			'ends', billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end),
			'card', coalesce(s.card, (select c.card from billing.customers c where c.id = s.customer_id)),
			'lacks_card', billing.lacks_card(s))
		from billing.shown_subscription(p_tenant) s);
end
$$;

-- Keeps what is known when the portal is opened, for those who come back.
create or replace function billing.note_portal(p_tenant uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update billing.customers c set visited_at = now(), visited = billing.portal_facts(p_tenant)
	where c.tenant_id = p_tenant and not c.deleted and p_tenant = any (app.managed_tenants());
end
$$;

-- What differs between the facts of two times: [{"label", "plan", "date"}...].
create or replace function billing.portal_differences(p_was jsonb, p_is jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	over boolean := coalesce(p_was -> 'over' = 'false' and p_is -> 'over' = 'true', false);
	moved boolean := p_was -> 'ends' is distinct from p_is -> 'ends' and not over;
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('label', 'news_' || d.label, 'plan', 'plan_' || (p_is ->> 'plan'),
			'date', api.date_document((p_is ->> 'ends')::timestamptz)) order by d.n), '[]')
		from (values
			(1, 'over', over),
			(2, 'plan', p_was ->> 'price' <> p_is ->> 'price'),
			(3, 'ends', moved and p_is ->> 'ends' is not null),
			(4, 'goes_on', moved and p_is ->> 'ends' is null),
			(5, 'card', p_was ->> 'card' <> p_is ->> 'card'
				or p_was -> 'lacks_card' = 'true' and p_is -> 'lacks_card' = 'false')) d (n, label, holds)
		where d.holds);
end
$$;

-- For a manager who comes back from the portal: what has changed since it was opened, or that nothing has yet. Whoever
-- makes up the address is told nothing else: it holds none of this, and a visit of an earlier day is not told.
create or replace function api.portal_news(p_tenant uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	was jsonb := (select c.visited from billing.customers c
		where c.tenant_id = p_tenant and not c.deleted and c.visited_at > now() - interval '24 hours'
			and p_tenant = any (app.managed_tenants()));
begin
	return case when was is null then '[]' else coalesce(
		nullif(billing.portal_differences(was, billing.portal_facts(p_tenant)), '[]'), '[{"label": "news_none"}]') end;
end
$$;

-- Whether the actual state has all of the desired state. Members that are not desired may have any value; a list must
-- have exactly the desired elements, in any order. The service layer in C compares by the same rule.
create or replace function billing.holds(p_actual jsonb, p_desired jsonb) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_actual) is distinct from jsonb_typeof(p_desired) then
		return false;
	elsif jsonb_typeof(p_desired) = 'object' then
		return (select coalesce(bool_and(billing.holds(p_actual -> w.key, w.value)), true)
			from jsonb_each(p_desired) w);
	elsif jsonb_typeof(p_desired) = 'array' then
		return jsonb_array_length(p_actual) = jsonb_array_length(p_desired) and not exists (
			select from jsonb_array_elements(p_desired) w where not exists (
				select from jsonb_array_elements(p_actual) a where billing.holds(a, w)));
	end if;
	return p_actual = p_desired;
end
$$;

-- Alerts when the portal at Stripe differs from the desired configuration.
create or replace function service.write_portal_configuration(p_claim uuid, p_kind text, p_id text, p_version bigint,
	p_doc jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	desired jsonb;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	update billing.portal_configurations c set actual = p_doc, synced_at = now() where c.id = p_id
		returning c.desired into desired;
	if desired is null then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform ops.watch(not billing.holds(p_doc, desired), null, 'drift', 'portal_configuration:' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;

-- Stores the desired configuration; the actual one is fetched and compared. Former configurations are not compared any
-- more.
create or replace function ops.put_portal_configuration(p_id text, p_desired jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.mark('portal_configuration', p_id);
	insert into billing.portal_configurations (id, desired) values (p_id, p_desired)
	on conflict (id) do update set desired = excluded.desired;
	update billing.portal_configurations c set desired = null where c.id <> p_id and c.desired is not null;
	update ops.alerts a set cleared_at = now()
	where a.kind = 'drift' and a.subject like 'portal\_configuration:%' and a.subject <> 'portal_configuration:' || p_id
		and a.cleared_at is null;
	return null;
end
$$;

reset role;
