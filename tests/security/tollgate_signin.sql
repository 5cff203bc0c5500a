-- What the program that proves mailboxes tries: it may exchange a proof for a session, and nothing without one.

-- 42501 mints a session from a user's id
select auth.open_session(null, null, null, null, null, null);

-- 42501 mints a link whose token it knows
select auth.mint_link(null);

-- 42501 reads the tokens that are mailed
select data from mail.outbox;

-- 42501 reads who there is
select email from auth.users;

-- 42501 asks whether somebody is there
select auth.find_user('ann@example.org');

-- 42501 lifts the limits
update auth.limits set allowed = 1000000;

-- nothing ends a session that is not there
select set_config('app.bearer', repeat('0', 64), false);
select api.signed_in();

-- 42501 asks which devices have signed in
select hash from auth.devices;

-- 42501 makes a device known
insert into auth.devices (hash, user_id) values (sha256('attack'), gen_random_uuid());

-- 42501 takes a network's allowance
select auth.allow_network('link', '192.0.2.1');

-- 42501 reads what is stored of passwords
select stored_key from auth.passwords;

-- 42501 reads the password that waits for its mailbox
select stored_key from auth.pending_passwords;

-- 42501 reads what the salts of strangers are made of
select bytes from auth.pepper;

-- 42501 sets a password without a proof
select auth.put_password(null, null, null, null);

-- 42501 asks whose password it is
select auth.match_password('ann@example.org', sha256('K'));

-- 42501 forgets wrong passwords
delete from auth.tries;

-- 42501 reads the seeds of second factors
select seed from auth.factors;

-- 42501 reads what is stored of recovery codes
select hash from auth.recovery_codes;

-- 42501 finishes a sign-in without its second factor
select auth.finish_sign_in(null, null, null, null, null, null, null, null, null);

-- 42501 begins a sign-in that has its first proof already
insert into auth.pending (hash, user_id, amr) values (sha256('attack'), gen_random_uuid(), array['link']);

-- 42501 removes somebody's second factor
select auth.remove_factor(gen_random_uuid());

-- 42501 uses the extension that seeds are stored with
select crypto.pgp_sym_decrypt_bytea('', 'x');

-- nothing says a second proof is due where no first one was given
select set_config('app.bearer', repeat('0', 64), false);
select api.second_due();
