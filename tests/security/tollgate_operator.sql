-- What the operator's role tries beyond its functions: it sees and repairs, and neither signs in nor reads mails.

-- 42501 mints a session
select api.sign_in(null, null, null, null, null, null);

-- 42501 mints a link
select auth.mint_link(null, null, null, null, null, null, null, null, null);

-- 42501 reads the tokens that are mailed
select data from mail.outbox;

-- 42501 changes the plans, which migrate alone does
select ops.put_plans('[]');

-- 42501 forgets which migrations were applied
delete from meta.migrations;

-- 42501 forges another environment
select meta.put_stamp('production');

-- 42501 deletes invoices
delete from billing.invoices;

-- 42501 changes who a user is without telling anybody
select auth.change_address(gen_random_uuid(), 'eve@example.org');

-- 42501 asks for a link to a mailbox of its own
select auth.ask_link('attack', 'signin', '{}', 'signin', 'eve@example.org', 'en');
