-- When a session has last shown more than a mailbox or a password.

set role tollgate_owner;

alter table auth.sessions
	add column second_at timestamptz;	-- a code by time, a recovery code or a passkey, or one of them was added then

reset role;
