-- The books are true: totals are the sums of what they are totals of, and Stripe is told of each unit once. They are
-- looked through tenant by tenant, and then one account of providers and of all after the other, so that no statement
-- reads more than one of them has.

set role tollgate_service;

-- What a tenant has wrong. One statement, so that nothing is booked between the sum and its total.
create or replace function usage.faults_of(p_tenant uuid)
	returns table (fault text, id text, "is" numeric, should numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return query
	with told as materialized (
		select h.id, h.accounts, h.state, h.meter, h.user_id, h.provider, h.model, h.ended_at, h.sold,
			h.units as held, h.micros as held_micros, h.spent as units, h.spent_micros as micros
		from usage.holds h where h.tenant_id = p_tenant
		union all
		select c.id, h.accounts, 'late', h.meter, h.user_id, h.provider, h.model, c.created_at, h.sold, 0, 0,
			c.units, c.micros
		from usage.corrections c join usage.holds h on h.id = c.hold_id where h.tenant_id = p_tenant),
	sums as (
		select a.id, a.kind, a.cap, a.used, a.held, a.overrun,
			coalesce(sum(case when t.state <> 'held' then 0 when a.meter = '' then t.held_micros else t.held end),
				0) as all_held,
			coalesce(sum(case when a.meter = '' then t.micros else t.units end), 0) as all_used
		from usage.accounts a left join (
			select n.account, m.* from told m cross join unnest(m.accounts) n (account)) t on t.account = a.id
		where a.tenant_id = p_tenant group by a.id),
	days as (
		select a.from_at, t.ended_at::date as day, t.meter, t.user_id, t.provider, t.model, sum(t.units) as units,
			sum(t.micros) as micros
		from told t cross join unnest(t.accounts) n (account)
			join usage.accounts a on a.id = n.account and a.kind = 'tenant' and a.meter = t.meter
		where t.state <> 'held' group by 1, 2, 3, 4, 5, 6)
	select 'held', s.id::text, s.held::numeric, s.all_held from sums s where s.held <> s.all_held
	union all
	select 'used', s.id::text, s.used, s.all_used from sums s where s.used <> s.all_used
	union all
	select 'overrun', s.id::text, s.overrun, coalesce(greatest(0, s.used + s.held - s.cap), 0)
	from sums s where s.overrun <> coalesce(greatest(0, s.used + s.held - s.cap), 0)
	union all
	select 'outbox', coalesce(t.id, o.id)::text, o.units, t.units
	from (select * from told m where m.sold and m.units <> 0) t
		full join (select * from usage.outbox b where b.tenant_id = p_tenant) o on o.id = t.id
	where (o.units, o.meter) is distinct from (t.units, t.meter)
	union all
	select 'day', concat_ws(' ', p_tenant, coalesce(s.day, d.day), coalesce(s.meter, d.meter)), d.units, s.units
	from days s full join (select * from usage.days t where t.tenant_id = p_tenant) d
		on (d.from_at, d.day, d.meter, d.provider, d.model) = (s.from_at, s.day, s.meter, s.provider, s.model)
			and coalesce(d.user_id::text, '') = coalesce(s.user_id::text, '')
	where (d.units, d.micros) is distinct from (s.units, s.micros)
	limit 100;
end
$$;

-- What is wrong with an account of a provider or of all. Its holds have begun in its month.
create or replace function usage.faults_in(p_account bigint)
	returns table (fault text, id text, "is" numeric, should numeric)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return query
	with a as (
		select b.*, coalesce(s.held, 0) as all_held, coalesce(s.used, 0) as all_used
		from usage.accounts b cross join lateral (
			select sum(case when h.state = 'held' then h.micros else 0 end) as held,
				sum(case when b.kind = 'all' or b.subject = h.provider then h.outer_micros + coalesce(c.outer_micros, 0)
					end) as used
			from usage.holds h left join usage.corrections c on c.hold_id = h.id
			where h.created_at >= b.from_at - interval '1 day' and h.created_at < b.until_at + interval '1 day'
				and b.id = any (h.accounts)) s
		where b.id = p_account)
	select 'held', a.id::text, a.held::numeric, a.all_held from a where a.held <> a.all_held
	union all
	select 'used', a.id::text, a.used, a.all_used from a where a.used <> a.all_used
	union all
	select 'overrun', a.id::text, a.overrun, coalesce(greatest(0, a.used + a.held - a.cap), 0)
	from a where a.overrun <> coalesce(greatest(0, a.used + a.held - a.cap), 0);
end
$$;

-- {"faults": [{"fault", "id", "is", "should"}...], "tenant", "account", "end"}: of the tenants after p_tenant, then of
-- the accounts after p_account, until p_time is over or there are 100 faults. The next part begins after "tenant" and
-- "account", unless that was the "end".
create or replace function usage.faults_after(p_tenant uuid, p_account bigint, p_time interval) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	begun timestamptz := clock_timestamp();
	faults jsonb := '[]';
	tenant uuid := p_tenant;
	next_one uuid;
	account bigint := p_account;
begin
	loop
		if account is null then
			next_one := (
				select a.tenant_id from usage.accounts a
				where a.tenant_id > coalesce(tenant, '00000000-0000-0000-0000-000000000000'::uuid)
				order by a.tenant_id limit 1);
			tenant := coalesce(next_one, tenant);
			account := case when next_one is null then 0 end;
			faults := faults || (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from usage.faults_of(next_one) f);
		else
			account := (
				select min(a.id) from usage.accounts a where a.kind in ('provider', 'all') and a.id > account);
			faults := faults || (select coalesce(jsonb_agg(to_jsonb(f)), '[]') from usage.faults_in(account) f);
			if account is null then
				return jsonb_build_object('faults', faults, 'end', true);
			end if;
		end if;
		exit when clock_timestamp() >= begun + p_time or jsonb_array_length(faults) >= 100;
	end loop;
	return jsonb_build_object('faults', faults, 'tenant', tenant, 'account', account::text,
		'end', false);
end
$$;

-- All of them at once, for tests.
create or replace function usage.faults() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return usage.faults_after(null, null, '1 day') -> 'faults';
end
$$;

-- A part of what `tollgate usage audit` looks through. The numbers, and the days whose sums Stripe has otherwise, come
-- with the first.
create or replace function ops.audit_usage(p_tenant uuid, p_account bigint) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return usage.faults_after(p_tenant, p_account, '5 s') || case when p_tenant is null and p_account is null
		then jsonb_build_object('differences', usage.differences(), 'holds', (select count(*) from usage.holds),
			'open', (select count(*) from usage.holds h where h.state = 'held'),
			'unsent', (
				select count(*) from usage.outbox o where o.state = 'pending' or o.state = 'parked')) else '{}' end;
end
$$;

reset role;
