-- What the program that writes objects down tries: it acts on what it has claimed, and signs nobody in.

-- 42501 mints a session
select api.sign_in(null, null, null, null, null, null);

-- 42501 mints a link
select auth.mint_link(null);

-- 42501 reads who there is
select email from auth.users;

-- 42501 reads the sessions
select * from auth.tokens;

-- 42501 overrides what a tenant may use
select ops.put_override('{ann}', true, null, null, 'attack', 'attack');

-- 42501 forges an event
select service.receive_events('[]', '');

-- 42501 deletes invoices
delete from billing.invoices;

-- 42501 reads a mail
select service.claim_mail(60);

-- 42501 gives up a mail
select service.mail_failed(null, null, 'attack', true);

-- 42501 reads the mails that wait
select data from mail.outbox;
