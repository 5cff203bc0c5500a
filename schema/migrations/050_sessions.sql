-- Sessions whose tokens rotate, which last as long as their user wished, and which a proof can renew.

set role tollgate_owner;

alter table auth.sessions
	add column seen_at timestamptz not null default now(),	-- written every five minutes at most; at first, now
	add column remember boolean not null default true,	-- lasts thirty days, as all did until now; else twelve hours
	add column replaces uuid references auth.sessions on delete set null;	-- ends when a token of this one is used
alter table auth.sessions
	alter column remember set default false,
	drop constraint sessions_revoke_reason_check,
	add constraint sessions_revoke_reason_check check (revoke_reason in
		('logout', 'reuse', 'password', 'factor', 'address', 'admin', 'limit', 'deleted', 'replaced'));
create index on auth.sessions (replaces) where replaces is not null;
create index on auth.tokens (retired_at) where retired_at is not null;

-- 'confirm': its code proves again who uses a session
alter table auth.requests
	drop constraint requests_purpose_check,
	add constraint requests_purpose_check
		check (purpose in ('signin', 'welcome', 'offer', 'checkout', 'confirm'));

reset role;

insert into auth.limits (kind, allowed, per) values ('confirm', 5, '1 hour');
