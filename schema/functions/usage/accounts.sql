-- Accounts: how much of each cap is used, and held by work that is under way.

set role tollgate_service;

-- The accounts that a piece of work is in, without their ids and totals. Money is counted where there are prices for it
-- (p_money), of providers and of all by the month in UTC; of neither where p_providers is null.
create or replace function usage.wanted(p_tenant uuid, p_user uuid, p_meter text, p_plan text, p_providers text[],
	p_money boolean, p_from timestamptz, p_until timestamptz) returns usage.accounts[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	quota usage.quotas := (select q from usage.quotas_of(p_tenant, p_plan) q where q.meter = p_meter);
	month timestamptz := date_trunc('month', now());
begin
	return array(
		select row(null, v.kind, v.tenant_id, v.subject, v.meter, coalesce(v.from_at, month),
			coalesce(v.until_at, month + interval '1 month'),
			case when v.meter <> '' then v.cap else (
				select c.micros from usage.caps c
				where c.kind = v.kind and c.plan in ('', p_plan) and c.subject in ('', v.subject)
					and (c.kind <> 'provider' or c.subject = v.subject)
				order by c.plan desc limit 1) end, 0, 0, 0)::usage.accounts
		from (
			select 'user', p_tenant, p_user::text, p_meter, p_from, p_until, quota.member_most, true
			union all select 'tenant', p_tenant, '', p_meter, p_from, p_until, quota.most, true
			union all select 'user', p_tenant, p_user::text, '', p_from, p_until, null, p_money
			union all select 'tenant', p_tenant, '', '', p_from, p_until, null, p_money
			union all select 'all', null, '', '', null, null, null, p_money and p_providers is not null
			union all select 'provider', null, p.provider, '', null, null, null, p_money
			from unnest(p_providers) p (provider) where p.provider <> '')
			v (kind, tenant_id, subject, meter, from_at, until_at, cap, asked)
		where v.asked and v.subject is not null);
end
$$;

-- The providers whose accounts work is in, beside that of all. Null where a key asks: what a tenant's program says is
-- between it and its tenant, and must fill nothing that other tenants need.
create or replace function usage.providers_of(p_key uuid, p_models jsonb) returns text[]
language plpgsql immutable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case when p_key is null
		then array(select m ->> 'provider' from jsonb_array_elements(p_models) m group by 1) end;
end
$$;

-- Those of them that there are. By the key's columns one by one, so that they are found by its index.
create or replace function usage.ids_of(p_wanted usage.accounts[]) returns bigint[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return array(
		select a.id from unnest(p_wanted) w cross join lateral (
			select b.id from usage.accounts b
			where b.kind = w.kind and b.tenant_id = w.tenant_id and b.subject = w.subject and b.meter = w.meter
				and b.from_at = w.from_at
			union all
			select b.id from usage.accounts b
			where w.tenant_id is null and b.tenant_id is null and b.kind = w.kind and b.subject = w.subject
				and b.meter = w.meter and b.from_at = w.from_at) a);
end
$$;

-- What is left of a meter to a user and the tenant, and when it is new: {"left", "reset"}. left null: it has no bound.
create or replace function usage.room_of(p_tenant uuid, p_user uuid, p_meter text, p_decision jsonb) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	period record;
begin
	select p.* into period from usage.period_of(p_decision, now()) p;
	return (
		select jsonb_build_object('left', min(greatest(0, w.cap - coalesce(a.used + a.held, 0))),
			'reset', api.date_document(period.until_at) ->> 'iso')
		from unnest(usage.wanted(p_tenant, p_user, p_meter, p_decision ->> 'plan', null, false, period.from_at,
				period.until_at)) w
			left join usage.accounts a on a.kind = w.kind and a.tenant_id = w.tenant_id and a.subject = w.subject
				and a.meter = w.meter and a.from_at = w.from_at
		where w.cap is not null);
end
$$;

-- Opens the wanted accounts that are not there yet.
create or replace function usage.open_accounts(p_wanted usage.accounts[]) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	n int;
begin
	insert into usage.accounts (kind, tenant_id, subject, meter, from_at, until_at, cap)
	select w.kind, w.tenant_id, w.subject, w.meter, w.from_at, w.until_at, w.cap from unnest(p_wanted) w
	order by w.kind desc, w.subject, w.meter on conflict do nothing;
	get diagnostics n = row_count;
	return n;
end
$$;

-- Locks the wanted accounts, which may be new, and gives them the caps of now. Every transaction
-- locks accounts in this order, so two cannot deadlock. The row that all work is in is locked last and shortest.
create or replace function usage.take_accounts(p_tenant uuid, p_user uuid, p_meter text, p_plan text,
	p_providers text[], p_money boolean, p_from timestamptz, p_until timestamptz) returns bigint[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	wanted usage.accounts[] := usage.wanted(p_tenant, p_user, p_meter, p_plan, p_providers, p_money, p_from, p_until);
	ids bigint[] := usage.ids_of(wanted);
begin
	if cardinality(ids) < cardinality(wanted) then
		perform usage.open_accounts(wanted);
		ids := usage.ids_of(wanted);
	end if;
	perform usage.lock_accounts(ids);
	update usage.accounts a set cap = w.cap, until_at = w.until_at,
		overrun = coalesce(greatest(0, a.used + a.held - w.cap), 0)
	from unnest(wanted) w
	where a.id = any (ids) and a.kind = w.kind and a.subject = w.subject and a.meter = w.meter
		and (a.cap is distinct from w.cap or a.until_at <> w.until_at);
	return ids;
end
$$;

create or replace function usage.lock_accounts(p_ids bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform from usage.accounts a where a.id = any (p_ids) order by a.kind desc, a.id for no key update;
end
$$;

-- Gives back what is held, and adds what was spent: units to accounts of meters; money to those of users and tenants,
-- p_outer to that of the provider who did it and to that of all. The accounts are locked. The operator is told when a
-- cap of money is used to 80 %, and when it is used up.
create or replace function usage.book(p_ids bigint[], p_held bigint, p_held_micros bigint, p_units bigint,
	p_micros bigint, p_outer bigint, p_provider text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	r record;
begin
	for r in
		with booked as (
			update usage.accounts a set held = a.held - v.held, used = a.used + v.spent,
				overrun = coalesce(greatest(0, a.used + v.spent + a.held - v.held - a.cap), 0)
			from (
				select b.id, case when b.meter = '' then p_held_micros else p_held end as held,
					case when b.meter <> '' then p_units when b.tenant_id is not null then p_micros
						when b.kind = 'all' or b.subject = p_provider then p_outer else 0 end as spent
				from usage.accounts b where b.id = any (p_ids)) v
			where a.id = v.id returning a.*, v.spent)
		select b.*, s.share from booked b cross join (values (80), (100)) s (share)
		where b.meter = '' and b.cap > 0 and b.used >= b.cap * (s.share / 100.0)
			and b.used - b.spent < b.cap * (s.share / 100.0)
		order by b.id, s.share
	loop
		perform ops.raise_alert(r.tenant_id, 'usage_cap', r.share || ':' || r.id, jsonb_build_object('percent', r.share,
			'of', r.kind, 'subject', nullif(r.subject, ''), 'micros', r.cap, 'until', r.until_at));
	end loop;
end
$$;

reset role;
