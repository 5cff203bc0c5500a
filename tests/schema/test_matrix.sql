-- Every table, login role and verb: what is allowed, and which rows each user sees.
begin;
select no_plan();

create temp view login (role) as select rolname::text from pg_roles where rolname like 'tollgate\_%' and rolcanlogin;

-- the columns that login roles may read; they write none
create temp table readable (role text, name text, columns text[]);
insert into readable values
	('tollgate_account', 'app.tenants', '{id, status, created_at, name}'),
	('tollgate_account', 'app.members', '{tenant_id, user_id, role, created_at}'),
	('tollgate_account', 'app.profiles', '{user_id, display_name, avatar_url, tenant_id}'),
	('tollgate_account', 'app.offers', '{tenant_id, user_id, email, plan, created_at, accepted_at}'),
	('tollgate_account', 'app.invitations',
		'{id, tenant_id, email, role, created_at, expires_at, accepted_at, revoked_at}'),
	('tollgate_account', 'app.roles', '{role, rank}'),
	('tollgate_account', 'app.role_verbs', '{role, verb}'),
	('tollgate_account', 'audit.entries', '{n, at, kind, tenant_id, user_id, subject_id, detail}'),
	('tollgate_account', 'audit.kinds', '{kind, by_operator}'),
	('tollgate_account', 'billing.subscriptions',
		'{id, tenant_id, customer_id, status, plan, plans, price, quantity, currency, amount, period_start, period_end,
		cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at, synced_at, past_due_since,
		pause_behavior, pause_resumes_at, paused_since, collection_method,
		missing_card, has_card, card, renews_at, previewed, charge, charge_at,
		coming_price, coming_plan, coming_at, pending_price, pending_plan, pending_until, metered}'),
	('tollgate_chat', 'chat.conversations', '{user_id, id, tenant_id, model, opening, title, created_at, updated_at}'),
	('tollgate_chat', 'chat.messages',
		'{user_id, chat_id, id, n, tenant_id, role, text, answers, attempt, state, finish, model, input, output,
		created_at}'),
	('tollgate_chat', 'chat.models', '{name, label}'),
	('tollgate_billing', 'app.tenants', '{id, status, created_at, name}'),
	('tollgate_billing', 'app.members', '{tenant_id, user_id, role, created_at}'),
	('tollgate_billing', 'app.profiles', '{user_id, tenant_id}'),
	('tollgate_billing', 'billing.subscriptions',
		'{id, tenant_id, customer_id, status, plan, plans, price, quantity, currency, amount, period_start, period_end,
		cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at, synced_at, past_due_since,
		pause_behavior, pause_resumes_at, paused_since, collection_method,
		missing_card, has_card, card, renews_at, previewed, charge, charge_at,
		coming_price, coming_plan, coming_at, pending_price, pending_plan, pending_until, metered}'),
	('tollgate_billing', 'billing.customers', '{id, tenant_id, deleted}'),
	('tollgate_billing', 'billing.plans',
		'{id, price, rank, offered, lookup_key, amount, currency, interval, grace, features, free}'),
	('tollgate_billing', 'billing.plan_history', '{id, plan, from_at, to_at, rank, grace, features, free}'),
	('tollgate_billing', 'billing.status_rules', '{status, grants, reason}'),
	('tollgate_billing', 'billing.dispute_rules', '{kind, effect}'),
	('tollgate_billing', 'billing.pause_rules', '{behavior, grants}'),
	('tollgate_billing', 'billing.subscription_history',
		'{id, subscription_id, tenant_id, from_at, to_at, status, plan, plans, price,
		quantity, period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end,
		past_due_since, created_at, pause_behavior, pause_resumes_at, paused_since}'),
	('tollgate_billing', 'billing.override_history', '{tenant_id, from_at, to_at, allowed, plan, until}'),
	('tollgate_billing', 'billing.invoices',
		'{id, tenant_id, customer_id, subscription_id, number, status, currency, amount_due,
		amount_paid, total, created_at, period_start, period_end, due_at, paid_at, attempt_count, next_attempt_at,
		hosted_url, pdf_url, billing_reason, action_required, synced_at, collection_method, intent, bank_since,
		metered, unverified, verify_url}'),
	('tollgate_billing', 'billing.disputes',
		'{id, tenant_id, kind, policy, charge, invoice, status, amount, currency, reason,
		created_at, opened_at, closed_at, synced_at}'),
	('tollgate_billing', 'billing.notifications', '{id, tenant_id, user_id, kind, fact, payload, created_at, seen_at,
		happened_at}');

-- the column an attempt names: the first that is not generated
create temp view attempted as
	select distinct on (t.oid) t.name, t.relkind, a.attname
	from tap.our_table t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and a.attidentity = ''
		and not a.attisdropped
	order by t.oid, a.attnum;

-- two tenants that have paid and their owners; a plain member of the second; a user without a tenant
create temp table person (who text, bearer text);
grant select on person to public;
select tap.paid('ann') as ann \gset
select tap.paid('bob') as bob \gset
select tap.user('sam@example.org') as sam, tap.user('mia@example.org') as mia \gset
insert into app.members (tenant_id, user_id, role) values (:'bob', :'mia', 'member');
select tap.open_draft('draft', 'dora@example.org') as draft \gset
insert into app.tenants (id, status) values (repeat('a', 32)::uuid, 'active'), (repeat('b', 32)::uuid, 'active');
insert into app.offers (tenant_id, user_id, email, plan)
values (repeat('b', 32)::uuid, :'sam', 'sam@example.org', 'growth'),
	(repeat('a', 32)::uuid, auth.find_user('ann@example.org'), 'ann@example.org', 'growth');
insert into person values ('ann', tap.session('ann@example.org', 'a')), ('bob', tap.session('bob@example.org', 'b')),
	('mia', tap.session('mia@example.org', 'm')), ('sam', tap.session('sam@example.org', 's')), ('nobody', '');
select tap.sync('invoice', tap.invoice(v.name)), tap.sync('dispute', tap.dispute(v.name)),
	ops.put_override(v.tenant, true, null, null, 'a test', 'tests')
from (values ('ann', :'ann'::uuid), ('bob', :'bob')) v (name, tenant) \g /dev/null
delete from audit.entries;
insert into app.invitations (tenant_id, user_id, email, email_canonical, role, expires_at)
select m.tenant_id, m.user_id, 'new@example.org', 'new@example.org', 'member', now() from app.members m
where m.role = 'owner';
select audit.note('tenant_named', m.tenant_id, m.user_id) from app.members m where m.role = 'owner' \g /dev/null
select audit.note('profile_changed', null, :'mia', :'mia') \g /dev/null
insert into chat.conversations (user_id, id, tenant_id, model, opening)
select m.user_id, 'c', m.tenant_id, 'small', 'Hello' from app.members m;
insert into chat.messages (user_id, chat_id, id, tenant_id, role, text, attempt)
select m.user_id, 'c', 'm', m.tenant_id, 'user', 'Hello', 0 from app.members m;

-- privileges, by the system catalogue
select set_eq(format($$select a.attname::text from pg_attribute a where a.attrelid = %L::regclass and a.attnum > 0
		and not a.attisdropped and has_column_privilege(%L, a.attrelid, a.attnum, 'select')$$, t.name, l.role),
	format($$select unnest(columns) from readable where role = %L and name = %L$$, l.role, t.name),
	format('C62 %s reads of %s the columns listed', l.role, t.name))
from login l cross join tap.our_table t;
select ok(not (has_any_column_privilege(l.role, t.oid, v.verb)),
	format('C64 %s holds no right to %s %s', l.role, v.verb, t.name))
from login l cross join tap.our_table t cross join (values ('insert'), ('update'), ('references')) v (verb);
select ok(not (has_table_privilege(l.role, t.oid, v.verb)),
	format('C65 %s holds no right to %s %s', l.role, v.verb, t.name))
from login l cross join tap.our_table t cross join (values ('delete'), ('truncate'), ('trigger')) v (verb);

-- privileges, by attempts with an owner's session
select is(tap.state_of(l.role, format(v.statement, t.name, t.attname), p.bearer), '42501',
	format('C64 %s is refused: ' || v.statement, l.role, t.name, t.attname))
from login l cross join attempted t
	cross join (values ('insert into %s default values'), ('update %s set %s = null'), ('delete from %s'),
		('truncate %s')) v (statement)
	cross join person p where p.who = 'ann' and t.relkind <> 'S';
select is(tap.state_of(l.role, format('select %s from %s', t.attname, t.name), p.bearer),
	case when exists (select from readable r where r.role = l.role and r.name = t.name) then '00000' else '42501' end,
	format('C62 %s reading %s with a session ends as listed', l.role, t.name))
from login l cross join attempted t
	cross join person p where p.who = 'ann';

-- rows: what each user sees of a table through a role, by the names of the tenants or users
create function pg_temp.seen(p_role text, p_bearer text, p_column text, p_table text) returns text[]
	language plpgsql as $$
begin
	return array(select jsonb_array_elements_text(tap.ask(p_role,
		format('(select coalesce(jsonb_agg(%s order by %1$s), ''[]'') from %s)', p_column, p_table), p_bearer)));
end
$$;

create temp table name_of (id text, name text);
insert into name_of values (:'ann', 'ann'), (:'bob', 'bob'), (:'sam', 'sam'), (:'mia', 'mia'),
	(:'draft'::jsonb ->> 'tenant', 'draft');
insert into name_of select id::text, split_part(email, '@', 1) from auth.users where email like any ('{ann@%, bob@%}');

select is(array(select n.name from unnest(pg_temp.seen(e.role, p.bearer, e.col, e.tab)) s
	join name_of n on n.id = s order by 1),
	(e.seen ->> p.who)::text[],
	format('C63 %s as %s sees in %s: %s', e.role, p.who, e.tab, coalesce(nullif(e.seen ->> p.who, '{}'), 'nothing')))
from person p cross join (values
	('tollgate_account', 'app.tenants',
		'id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'::jsonb),
	('tollgate_billing', 'app.tenants',
		'id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_account', 'app.members',
		'user_id', '{"ann": "{ann}", "bob": "{bob,mia}", "mia": "{bob,mia}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'app.members',
		'user_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_account', 'app.profiles',
		'user_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{sam}", "nobody": "{}"}'),
	('tollgate_billing', 'app.profiles',
		'user_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{sam}", "nobody": "{}"}'),
	('tollgate_account', 'app.offers',
		'user_id', '{"ann": "{ann}", "bob": "{}", "mia": "{}", "sam": "{sam}", "nobody": "{}"}'),
	('tollgate_account', 'app.invitations',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_account', 'audit.entries',
		'coalesce(tenant_id, subject_id)', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{}",
		"nobody": "{}"}'),
	('tollgate_account', 'billing.subscriptions',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.subscriptions',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.customers',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.subscription_history',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.override_history',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.disputes',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{bob}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.invoices',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_billing', 'billing.notifications',
		'tenant_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_chat', 'chat.conversations',
		'user_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{}", "nobody": "{}"}'),
	('tollgate_chat', 'chat.messages',
		'user_id', '{"ann": "{ann}", "bob": "{bob}", "mia": "{mia}", "sam": "{}", "nobody": "{}"}')
) as e (role, tab, col, seen);
select is((select count(*) from readable), 28::bigint, 'C63 every readable table is among those, or the same for all');

-- policies apply to the owner of the tables too, and the owners of definer functions hold no unused rights
select is((select count(*) from app.tenants), 5::bigint, 'D27 there are rows to see');
select is(tap.ask('tollgate_owner', '(select to_jsonb(count(*)) from app.tenants)'), '0',
	'D27 their owner sees none of them');
select is(tap.state_of('tollgate_owner', format($$insert into app.members values (%L, %L, 'owner')$$, :'ann', :'sam')),
	'42501',
	'D22 nobody makes himself an owner, not even the tables'' owner');
select is(tap.state_of('tollgate_rls', 'select created_at from app.members'), '42501',
	'C62 the membership helper reads three columns');
select is(tap.state_of('tollgate_service', 'select email from auth.users'), '42501', 'C52 services read no users');
select is(tap.state_of('tollgate_auth', 'select data from mail.outbox'), '42501',
	'C52 who mints a link cannot read it in the outbox');
select is(tap.state_of('tollgate_auth', 'select id from billing.subscriptions'), '42501',
	'C52 sign-in reads no billing');
select is_empty($$select t.name from tap.our_table t where t.name like 'billing.%'
	and has_table_privilege('tollgate_service', t.oid, 'delete')$$, 'C65 no function deletes a billing row');

select * from finish();
rollback;
