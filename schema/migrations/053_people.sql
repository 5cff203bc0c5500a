-- Names with bounds, what each role in a tenant may do, invitations, changes of address, and the audit log.

create schema audit authorization tollgate_owner;
grant usage, create on schema audit, app to tollgate_service;

set role tollgate_owner;

-- What is told in the audit log. A program shows the kind by its text audit_KIND.
create table audit.kinds (kind text primary key);

-- Rows are numbered without gaps. No other table is referenced: what is deleted there stays told here, by its id alone.
create table audit.entries (
	n bigint primary key,
	at timestamptz not null,
	kind text not null references audit.kinds,
	tenant_id uuid,				-- null: it is about a user alone
	user_id uuid,				-- who did it; null: the operator, or nobody
	subject_id uuid,			-- the user whom it was done to
	detail jsonb not null,			-- ids, roles and counts, and no address or name of a person
	hash bytea not null check (octet_length(hash) = 32)	-- audit.hash_of() this row and the hash before it
);
create index on audit.entries (tenant_id, n desc);
create index on audit.entries (subject_id, n desc) where tenant_id is null;

-- The last row's number and hash: its lock makes one chain of all writers.
create table audit.head (
	one boolean primary key default true check (one),
	n bigint not null,
	hash bytea not null
);

create table app.roles (
	role text primary key,
	rank int not null unique		-- nobody gives or takes a role above the own one
);
create table app.role_verbs (
	role text references app.roles,
	verb text,
	primary key (role, verb)
);

-- The link in its mail is that of request_id; the request of an earlier mail is another, whose link is void.
create table app.invitations (
	id uuid primary key default gen_random_uuid(),
	tenant_id uuid not null references app.tenants on delete cascade,
	user_id uuid not null references auth.users on delete cascade,	-- who invites
	email text not null,			-- as typed
	email_canonical text not null,
	role text not null references app.roles,
	request_id uuid references auth.requests on delete set null,
	created_at timestamptz not null default now(),
	expires_at timestamptz not null,
	accepted_at timestamptz,
	accepted_by uuid references auth.users on delete set null,
	revoked_at timestamptz
);
create unique index on app.invitations (tenant_id, email_canonical) where accepted_at is null and revoked_at is null;
create index on app.invitations (user_id, created_at desc);
create index on app.invitations (request_id);
create index on app.invitations (accepted_by) where accepted_by is not null;

-- The link of proof_id goes to the new address, that of undo_id to the earlier one.
create table app.address_changes (
	id uuid primary key default gen_random_uuid(),
	user_id uuid not null references auth.users on delete cascade,
	was text not null,
	email text not null,			-- as typed
	proof_id uuid references auth.requests on delete set null,
	undo_id uuid references auth.requests on delete set null,
	created_at timestamptz not null default now(),
	done_at timestamptz,
	undone_at timestamptz
);
create index on app.address_changes (user_id, created_at desc);
create index on app.address_changes (proof_id);
create index on app.address_changes (undo_id);

reset role;

insert into audit.head (n, hash) values (0, sha256(''));
insert into audit.kinds (kind) values
	('signed_in'), ('signed_out'), ('session_ended'), ('sessions_ended'), ('session_reused'), ('confirmed'),
	('registered'), ('password_set'), ('password_changed'), ('password_reset'),
	('factor_added'), ('factor_removed'), ('codes_made'), ('code_used'), ('factor_demanded'), ('factor_not_demanded'),
	('profile_changed'), ('address_changed'), ('address_undone'),
	('tenant_named'), ('role_changed'), ('member_removed'), ('member_left'), ('handed_over'),
	('invited'), ('invited_again'), ('invitation_revoked'), ('invitation_accepted');

insert into app.roles (role, rank) values ('owner', 3), ('admin', 2), ('member', 1);
insert into app.role_verbs (role, verb) values
	('owner', 'see'), ('owner', 'leave'), ('owner', 'bill'), ('owner', 'name'), ('owner', 'invite'),
	('owner', 'appoint'), ('owner', 'remove'), ('owner', 'hand_over'), ('owner', 'audit'),
	('admin', 'see'), ('admin', 'leave'), ('admin', 'bill'), ('admin', 'name'), ('admin', 'invite'),
	('admin', 'appoint'), ('admin', 'remove'),
	('member', 'see'), ('member', 'leave');

insert into auth.limits (kind, allowed, per) values
	('invite_tenant', 50, '1 day'),
	('invite_address', 5, '1 day'),		-- of one tenant
	('address_change', 5, '1 day');		-- of one user

-- Further purposes beside those that are there by now.
do $$
declare
	known text := (
		select string_agg(quote_literal(m[1]), ', ')
		from pg_constraint c cross join regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''::text', 'g') m
		where c.conrelid = 'auth.requests'::regclass and c.conname = 'requests_purpose_check');
begin
	execute format('alter table auth.requests drop constraint requests_purpose_check, '
		'add constraint requests_purpose_check check (purpose in (%s, ''invitation'', ''address'', ''undo''))', known);
end
$$;

-- A user is called by the local part of the address, or by the address where that is too short for a name.
update app.profiles p set display_name = left(case when char_length(split_part(u.email, '@', 1)) < 3 then u.email
	else split_part(u.email, '@', 1) end, 32)
from auth.users u
where u.id = p.user_id and char_length(p.display_name) not between 3 and 32;
update app.tenants t set name = left(t.name, 64) where char_length(t.name) > 64;

alter table app.profiles
	add check (char_length(display_name) between 1 and 254),	-- a user's own choice is judged by api.set_profile
	add check (avatar_url ~ '^https://');
alter table app.tenants add check (char_length(name) between 1 and 320);
