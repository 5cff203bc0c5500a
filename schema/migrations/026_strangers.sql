-- Whoever asks for a link, a stranger or a device that has signed in as the user, has an allowance of their own. Above
-- the ceiling for all strangers their mails go last. Networks within networks have allowances: near (an IPv4 address,
-- the /64 of an IPv6 address), wide (/24, /56) and far (the /48 of an IPv6 address).

set role tollgate_owner;

-- Devices that have signed in. A device proves nothing: its requests only have an allowance that no stranger spends.
create table auth.devices (
	hash bytea primary key check (octet_length(hash) = 32),		-- of the device and the address: auth.device_of()
	user_id uuid not null references auth.users on delete cascade,
	last_seen timestamptz not null default now()
);
create index on auth.devices (user_id);
create index on auth.devices (last_seen);

alter table auth.requests add column known boolean not null default false;	-- asked by a device that had signed in

-- Ranks are 0 and 1: mails of rank 1 are sent when none of rank 0 is due.
alter table mail.outbox add column rank int not null default 0 check (rank in (0, 1));
create index on mail.outbox (rank, next_at) where state = 'pending';
drop index mail.outbox_next_at_idx;

-- unused, and earlier signatures
drop function if exists
	auth.neighbourhood(inet),
	api.request_link(text, bytea, text, text, inet),
	api.sign_in(bytea, text, bytea, bytea, inet, text),
	auth.ask_link(text, text, jsonb, text, text, text, uuid, uuid, bytea, bytea, text, inet);

reset role;

insert into auth.limits (kind, allowed, per) values
	('link_near', 20, '1 hour'), ('link_wide', 100, '1 hour'), ('link_far', 300, '1 hour'),
	('draft_near', 30, '1 hour'), ('draft_wide', 150, '1 hour'), ('draft_far', 500, '1 hour'),
	('call_near', 60, '1 hour'), ('call_wide', 300, '1 hour'), ('call_far', 1000, '1 hour'),
	('link_stranger', 5, '1 hour'), ('link_known', 5, '1 hour'), ('link_global', 2000, '1 hour');
delete from auth.hits where kind in ('link_address', 'link_ip');
delete from auth.limits where kind in ('link_address', 'link_ip');
