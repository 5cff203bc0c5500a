-- Calls to Stripe that browsers wait for: which are in flight, how fast all programs call, and where an open checkout
-- session is. A draft over its allowance waits for its mailed link.

-- The first gets a parameter with a default, so programs of before go on calling it.
drop function if exists
	api.checkout_opened(bytea, int, text),
	billing.require_draft_allowance(text, inet);

set role tollgate_owner;

-- One row for each call that a program on a machine may have in flight; until is in the past while the row is free.
create table billing.calls (
	slot text,				-- login role '@' host
	n int check (n between 1 and 1024),
	holder bytea,				-- names the request
	pid int,				-- its process on the host
	until timestamptz not null,
	primary key (slot, n)
);

-- One row: the calls of all programs to the Stripe account.
create table billing.pace (
	one boolean primary key default true check (one),
	full_at timestamptz not null default '-infinity',	-- when a second's worth of calls may be made at once again
	paused_until timestamptz not null default '-infinity'
);

alter table billing.checkouts
	add column waits boolean not null default false,
	-- https on one of Stripe's hosts, as for invoices; plain http on this machine alone, where a test's Stripe is
	add column url text check (url ~ ('^(https://([a-z0-9-]+\.)*stripe\.com|http://(localhost|127\.0\.0\.1|\[::1\])'
		'(:[0-9]{1,5})?)/[!#-;=?-\[\]-~]*$')),
	add check (url is null or session_id is not null);

reset role;

-- the link of a draft is for whoever reads the mailbox, who may be no user
alter table auth.links alter column user_id drop not null;

insert into billing.pace default values;
delete from auth.hits where kind = 'draft_ip';
delete from auth.limits where kind = 'draft_ip';
insert into auth.limits (kind, allowed, per) values
	('call_browser', 30, '1 hour'),
	('call_tenant', 30, '1 hour'),
	('draft_mail', 5, '1 hour'),
	('draft_mailbox', 20, '1 hour');
