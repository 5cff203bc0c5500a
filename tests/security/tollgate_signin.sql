-- What the program that proves mailboxes tries: it may exchange a proof for a session, and nothing without one.

-- 42501 mints a session from a user's id
select auth.open_session(null, null, null, null, null);

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
