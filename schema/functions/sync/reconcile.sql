-- The pages of a pass: what differs from the stored state, or is missing there.

set role tollgate_service;

-- Stores the events that the inbox lacks, as if they had been delivered. p_page: what service.receive_events takes,
-- with raw as text instead of at and size.
create or replace function service.adopt_events(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz,
	p_prev text, p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	missed jsonb := (
		select coalesce(jsonb_agg(e order by e ->> 'kind', e ->> 'object'), '[]') from jsonb_array_elements(p_page) e
		where not exists (select from inbox.events i where i.id = e ->> 'id'));
begin
	if p_claim is not null then
		update sync.cursors c set newest = greatest(c.newest, (
			select to_timestamp(max((e ->> 'created')::bigint)) from jsonb_array_elements(p_page) e))
		where c.name = p_name and c.claim = p_claim;
		perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
		perform service.receive_events(
			jsonb_agg(v.e - 'raw' || jsonb_build_object('at', v.ends - octet_length(v.raw) + 1,
				'size', octet_length(v.raw)) order by v.n), string_agg(v.raw, '' order by v.n))
		from (
			select r.n, r.e, r.raw, sum(octet_length(r.raw)) over (order by r.n) as ends
			from jsonb_array_elements(missed) with ordinality m (e, n)
				cross join lateral (select m.n, m.e, convert_to(m.e ->> 'raw', 'UTF8') as raw) r) v
		having count(*) > 0;
	end if;
	return jsonb_build_object('now', now(), 'found', (select coalesce(jsonb_agg(
		jsonb_build_object('kind', 'event', 'id', e -> 'id', 'type', e -> 'type')), '[]')
			from jsonb_array_elements(missed) e));
end
$$;

-- How our row differs from Stripe's document: {"field": [ours, Stripe's]}, {} for no difference. Null where it cannot
-- be known: the object is dirty, was stored after the list was asked for, or is a known orphan. Fields that only a
-- complete list of items tells are left out.
create or replace function service.diff_subscription(p_doc jsonb, p_listed timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	ident text := p_doc ->> 'id';
	ours billing.subscriptions;
	theirs billing.subscriptions;
begin
	select s.* into ours from billing.subscriptions s where s.id = ident;
	if ours.synced_at > p_listed or exists (select from sync.objects o where o.kind = 'subscription' and o.id = ident
		and o.version > o.clean_version and o.dead_at is null) then
		return null;
	elsif ours.id is null and billing.subscription_tenant(ident, p_doc) is null
		and (not billing.is_live(p_doc ->> 'status')
		or exists (select from sync.orphans n where n.kind = 'subscription' and n.id = ident)) then
		return null;
	end if;
	theirs := billing.subscription_row(ours.tenant_id, ident, p_doc);
	theirs.plan := coalesce(theirs.plan, ours.plan);
	theirs.plans := coalesce(nullif(theirs.plans, '{}'), ours.plans, '{}');
	theirs.past_due_since := ours.past_due_since;	-- Stripe does not say since when
	theirs.paused_since := ours.paused_since;
	theirs.previewed := ours.previewed or theirs.previewed;		-- and what only a preview says
	theirs.charge := ours.charge;
	theirs.charge_at := ours.charge_at;
	return billing.changes(case when ours.id is not null then to_jsonb(ours) end, to_jsonb(theirs))
		- case when billing.lacks_items(p_doc)
			then '{plan,plans,price,quantity,amount,metered,period_start,period_end,renews_at,previewed}'::text[]
			else '{}' end;
end
$$;

-- Our subscriptions that should be on this page, which reaches from after p_prev to p_after, and are not.
create or replace function sync.absent_subscriptions(p_page jsonb, p_listed timestamptz, p_prev text, p_more boolean)
	returns setof billing.subscriptions
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	newest timestamptz := case when p_prev is null then 'infinity'
		else (select s.created_at from billing.subscriptions s where s.id = p_prev) end;
	oldest timestamptz := case when p_more then billing.time_of(p_page -> -1 -> 'created') else '-infinity' end;
begin
	return query select s.* from billing.subscriptions s
	where s.created_at < newest and s.created_at > oldest and s.synced_at <= p_listed and billing.is_live(s.status)
		and not p_page @> jsonb_build_array(jsonb_build_object('id', s.id));
end
$$;

create or replace function service.compare_subscriptions(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz,
	p_prev text, p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	compared jsonb := (
		select coalesce(jsonb_agg(jsonb_build_object('kind', 'subscription', 'id', d -> 'id',
			'tenant', billing.subscription_tenant(d ->> 'id', d), 'fields', service.diff_subscription(d, p_listed))),
			'[]')
		from jsonb_array_elements(p_page) d) || (
		select coalesce(jsonb_agg(jsonb_build_object('kind', 'subscription', 'id', s.id, 'tenant', s.tenant_id,
			'fields', jsonb_build_object('id', jsonb_build_array(s.id, null)))), '[]')
		from sync.absent_subscriptions(p_page, p_listed, p_prev, p_more) s);
	found jsonb := jsonb_path_query_array(compared, '$[*] ? (@.fields.keyvalue().key != "")');
begin
	if p_claim is not null then
		perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
		perform sync.mark('subscription', m.id) from (
			select d ->> 'id' as id from jsonb_array_elements(found) d union
			select d ->> 'id' from jsonb_array_elements(p_page) d where billing.lacks_items(d) order by 1) m;
		perform ops.watch(d -> 'fields' <> '{}', (d ->> 'tenant')::uuid, 'drift', 'subscription:' || (d ->> 'id'),
			d -> 'fields')
		from jsonb_array_elements(compared) d where d -> 'fields' <> 'null';
	end if;
	return jsonb_build_object('now', now(), 'found', found);
end
$$;

-- Everything listed may have changed. p_page: [{"kind", "id"}].
create or replace function service.mark_objects(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz,
	p_prev text, p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
	perform sync.mark(d ->> 'kind', d ->> 'id')
	from (select distinct d from jsonb_array_elements(p_page) d order by d) v;
	return jsonb_build_object('now', now(), 'found', '[]'::jsonb);
end
$$;

reset role;
