-- A purchase for the address of a user who exists already is offered, and a user of several tenants chooses one.
-- Tenants get a name, to be told apart by.

set role tollgate_owner;

alter table app.tenants add column name text;	-- null: a draft
alter table app.profiles add column tenant_id uuid references app.tenants;	-- the user's last choice
create index on app.profiles (tenant_id) where tenant_id is not null;

create table app.offers (
	tenant_id uuid primary key references app.tenants,
	user_id uuid not null references auth.users,
	email text not null,			-- as typed at the checkout
	plan text not null,			-- what was bought
	created_at timestamptz not null default now(),
	accepted_at timestamptz
);
create index on app.offers (user_id, created_at desc);
create index on app.offers (created_at) where accepted_at is null;

-- earlier signatures
drop function if exists
	auth.ensure_user(text),
	app.my_tenant(),
	api.workspace_page(),
	api.billing_page(),
	api.portal_customer(),
	api.see_notice(bigint),
	api.open_checkout(bytea, text, text),
	billing.manager_tenant();

reset role;

insert into auth.limits (kind, allowed, per) values ('offer_mail', 3, '1 hour');

-- As promotion names them: after the local part of the owner's address, an owner's later ones with a number.
update app.tenants t set name = n.base || case when n.number > 1 then ' ' || n.number else '' end
from (
	select m.tenant_id, split_part(u.email, '@', 1) as base,
		row_number() over (partition by m.user_id order by m.created_at, m.tenant_id) as number,
		row_number() over (partition by m.tenant_id order by m.created_at, m.user_id) as owner
	from app.members m join auth.users u on u.id = m.user_id where m.role = 'owner') n
where n.tenant_id = t.id and n.owner = 1;
