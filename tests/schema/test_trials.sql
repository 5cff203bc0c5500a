-- A trial is given once: the other checkout sessions that would begin one are expired, or the operator is told.
begin;
select no_plan();

-- The tenant of a draft whose session is open at Stripe.
create function pg_temp.opened(p_name text, p_email text, p_trial boolean) returns text language plpgsql as $$
declare
	tenant text := tap.open_draft(p_name, p_email) ->> 'tenant';
begin
	perform tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L, null, %L)', p_name::bytea,
		'cs_' || p_name, p_trial));
	return tenant;
end
$$;
create function pg_temp.expiries() returns text language sql as $$
	select string_agg(o.id, ' ' order by o.id) from sync.objects o
	where o.kind = 'expiry' and o.version > o.clean_version
$$;
create function pg_temp.begin_trial(p_name text, p_tenant text, p_more jsonb default '{}') returns jsonb
	language sql as $$
	select tap.sync('subscription',
		tap.subscription(p_name, p_tenant, '{"status": "trialing", "trial_end": 1900000000}' || p_more))
$$;
create function pg_temp.alerts() returns text language sql as $$
	select string_agg(concat_ws(' ', a.subject, a.detail -> 'subscriptions'), ', ' order by a.subject)
	from ops.alerts a where a.kind = 'second_trial' and a.cleared_at is null
$$;

select pg_temp.opened('one', 'ann@example.org', true) as one, pg_temp.opened('two', 'Ann@example.org', true) as two,
	pg_temp.opened('paid', 'ann@example.org', false) as paid, pg_temp.opened('bob', 'bob@example.org', true) as bob
	\gset
select is(pg_temp.expiries(), null, 'C17 several sessions with a trial may be open');
select tap.sync('checkout', tap.checkout('one', :'one')), pg_temp.begin_trial('one', :'one') \g /dev/null
select is(pg_temp.expiries(), 'cs_two',
	'C17 once a trial has begun the others of its address are expired, and no more');
select is(pg_temp.alerts(), null, 'C17 a first trial is nothing to look at');
select tap.sync('expiry', '{"id": "cs_two", "status": "expired"}') \g /dev/null
select is(pg_temp.expiries(), null, 'C17 each once');
select is(version > clean_version, true, 'C17 and its checkout is looked at') from sync.objects
	where (kind, id) = ('checkout', 'cs_two');
select pg_temp.begin_trial('one', :'one'), pg_temp.opened('late', 'ann@example.org', true) \g /dev/null
select is(pg_temp.expiries(), 'cs_late', 'C17 a session that was opened meanwhile is expired too');

-- both were completed
select pg_temp.begin_trial('two', :'two') \g /dev/null
select is(pg_temp.alerts(), null, 'C17 a trial that the operator gave is not told');
select tap.sync('checkout', tap.checkout('two', :'two')) \g /dev/null
select is(pg_temp.alerts(), 'sub_two ["sub_one", "sub_two"]', 'C17 the operator sees a second trial');
update ops.alerts set cleared_at = now() where kind = 'second_trial';
select tap.sync('checkout', tap.checkout('two', :'two')), pg_temp.begin_trial('two', :'two') \g /dev/null
select is(pg_temp.alerts(), null, 'C17 once cleared it stays so');
select tap.sync('expiry', tap.checkout('two', :'two')) \g /dev/null
select is(pg_temp.alerts(), 'sub_two ["sub_one", "sub_two"]', 'C17 an expiry that comes too late tells it');
select pg_temp.begin_trial('two', :'two', '{"status": "canceled"}') \g /dev/null
select is(pg_temp.alerts(), null, 'C17 it ends with the second');
select tap.sync('checkout', tap.checkout('bob', :'bob')), pg_temp.begin_trial('bob', :'bob') \g /dev/null
select is(pg_temp.alerts(), null, 'C17 another address has its own');
insert into app.members (tenant_id, user_id, role) values (:'one', tap.user('mia@example.org'), 'member'),
	(:'one', tap.user('eve@example.org'), 'owner');
select is(array(select billing.had_trial(null, e) from unnest('{mia@example.org,eve@example.org}'::text[]) e), '{f,t}',
	'C17 a member has not had the trial of a tenant, an owner has');

select * from finish();
rollback;
