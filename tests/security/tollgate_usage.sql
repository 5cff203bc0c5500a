-- What the program for keys tries: it asks the ledger with a key that it was sent, and nothing without one.

-- TG401 reserves without a key
select api.usage_reserve('{"meter": "tokens", "units": 1}', 'attack');

-- TG401 reserves with a session
select set_config('app.bearer', '{bearer}', false);
select api.usage_reserve('{"meter": "tokens", "units": 1}', 'attack');

-- TG401 reads what was used with a session
select set_config('app.bearer', '{bearer}', false);
select api.usage_summary();

-- 42501 names a tenant of its choice
select usage.reserve('{ann}', null, null, 'tokens', '{"unit": 1}', '[]', 'attack', 300);

-- 42501 settles what is not its own
select usage.settle('{ann}', gen_random_uuid(), '{"unit": 0}', null, null, 'told', true);

-- 42501 reads the digests of keys
select hash from app.keys;

-- 42501 makes a key
select api.make_key('{ann}', 'attack', 'write', sha256('x'), 'abcd');

-- 42501 empties the ledger
delete from usage.holds;

-- 42501 forgets what was used
update usage.accounts set used = 0;

-- 42501 raises its quota
update usage.quotas set most = null;

-- 42501 reads who there is
select email from auth.users;

-- 42501 reads what tenants pay
select * from billing.subscriptions;
