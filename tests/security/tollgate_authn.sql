-- What the program that believes other parties tries: its word alone must make nobody of who is there already.

-- 42501 mints a session from a user's id
select auth.open_session(null, null, null, null, null, null);

-- 42501 finishes a sign-in by a user's id
select auth.accept_proof(null, null, null, null, null, null, null, null, null, null);

-- 42501 connects an identity with a user's id
select auth.add_identity(null, null, null);

-- 42501 connects an identity by hand
insert into auth.identities (user_id, provider, label, issuer, subject) values (gen_random_uuid(), 'x', 'x', 'x', 'x');

-- 42501 reads who is known by what
select subject from auth.identities;

-- 42501 reads visits that are under way
select hash from auth.flows;

-- 42501 frees the places of those who are being asked about
update auth.asking set flow = null;

-- 42501 reads identities that wait for a mailbox
select claims from auth.pending_identities;

-- 42501 takes an identity whose mailbox is not proven
select auth.take_identity(null, null);

-- 42501 mints a link whose token it knows
select auth.mint_link(null);

-- 42501 reads the tokens that are mailed
select data from mail.outbox;

-- 42501 reads who there is
select email from auth.users;

-- 42501 signs in by a password
select api.sign_in_password(null, null, null, null, null, null, null, null, null);

-- 42501 proves a second factor
select api.sign_in_second(null, null, null, null, null, null);

-- 42501 changes a password
select api.change_password(null, null, null);

-- harmless begins a visit that no browser made, and ends it
select api.begin_flow('google', sha256('s'), sha256('f'), null, '', 'en', false, '192.0.2.1');
select api.close_flow(sha256('s'), sha256('f'));

-- nothing opens a visit that nobody has begun
select api.open_flow('google', sha256('nothing'), sha256('f'), 3);

-- 42501 makes up a passkey for somebody
insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name)
values (gen_random_uuid(), 'x', 'x', 0, false, false, '{}', 'x');

-- 42501 puts its own key in place of a user's
update auth.passkeys set key = 'x';

-- 42501 reads whose passkeys there are
select user_id from auth.passkeys;

-- 42501 makes a challenge good again
delete from auth.challenges;

-- 42501 uses a passkey past the pages
select auth.use_passkey(null, null);

-- 42501 asks what devices know a user by
select auth.passkey_handle(gen_random_uuid());

-- TG401 asks for connections without a session
select set_config('app.bearer', repeat('0', 64), false);
select api.connections_page();

-- TG401 connects without a session
select api.begin_connection('google', sha256('s'), sha256('f'), null, '', 'en');

-- TG401 disconnects without a session
select api.disconnect(gen_random_uuid());

-- TG401 adds a passkey without a session
select api.add_passkey('{}', 'x');

-- TG401 removes one without a session
select api.remove_passkey(gen_random_uuid());

-- TG401 proves without a session again who it is
select api.confirm_passkey('{}', null, null, null);
