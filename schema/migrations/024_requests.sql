-- A link is asked for (auth.requests) before it is made (auth.links): whoever asks, the same row is written, and only
-- the mailer finds out whether the address is a user's. A mail that is tried again has a link of its own; one use
-- spends all links of a request. Tokens are in no table: they are made when a mail is claimed.

set role tollgate_owner;

drop function if exists
	auth.link_usable(auth.links),
	auth.mint_link(uuid, text, bytea, text, text, inet, text, text, jsonb);

create table auth.requests (
	id uuid primary key default gen_random_uuid(),
	purpose text not null check (purpose in ('signin', 'welcome', 'offer', 'checkout')),
	email text not null,			-- as typed
	email_canonical text not null,
	user_id uuid references auth.users on delete cascade,	-- null: the user of the address, whom the mailer looks up
	tenant_id uuid references app.tenants on delete cascade,
	checkout_key bytea references billing.checkouts on delete cascade,
	flow_hash bytea,			-- the browser that asked
	next text,
	language text,
	ip inet,
	created_at timestamptz not null default now(),
	used_at timestamptz,
	token_hash bytea,			-- of the session it made: the same call again answers the same
	attempts int not null default 0
);
create index on auth.requests (flow_hash, created_at desc);
create index on auth.requests (created_at);
create index on auth.requests (user_id);
create index on auth.requests (tenant_id);
create index on auth.requests (checkout_key);

reset role;

alter table auth.links add column request_id uuid default gen_random_uuid();
insert into auth.requests (id, purpose, email, email_canonical, user_id, flow_hash, next, language, ip, created_at,
	used_at, token_hash, attempts)
select l.request_id, 'signin', l.email_canonical, l.email_canonical, l.user_id, l.flow_hash, l.next, l.language, l.ip,
	l.created_at, l.used_at, l.token_hash, l.attempts
from auth.links l;
update mail.outbox o set data = (o.data - 'token' - 'code') || jsonb_build_object('request', l.request_id)
from auth.links l
where o.state = 'pending' and l.hash = sha256(sha256(decode(translate(o.data ->> 'token', '-_', '+/') || '=',
	'base64')));
update mail.outbox o set data = o.data - 'token' - 'code', state = 'void'
where o.state = 'pending' and o.data ? 'token';		-- its link is gone
delete from auth.links where user_id is null;

alter table auth.links
	alter column request_id drop default,
	alter column request_id set not null,
	alter column user_id set not null,
	add foreign key (request_id) references auth.requests on delete cascade,
	drop column flow_hash, drop column email_canonical, drop column next, drop column language, drop column ip,
	drop column used_at, drop column token_hash, drop column attempts;
create index on auth.links (request_id);
