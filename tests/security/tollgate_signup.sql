-- What the program of the sign-up form tries: no table is open to it, and a draft proves nothing.

-- 42501 makes a member
insert into app.members values ('{bob}', '{ann}', 'owner');

-- 42501 makes a draft active
update app.tenants set status = 'active';

-- 42501 reads the addresses of who signs up
select email_canonical from billing.checkouts;

-- 42501 promotes a tenant
select billing.promote(null, null);

-- 42501 reads the mails
select data from mail.outbox;

-- 42501 mints a session
select api.sign_in(null, null, null, null, null, null);
