-- What the program that sends mail tries: it reads mails and has links made, one claimed mail at a time.

-- 42501 makes a link without a mail
select auth.mint_link(null);

-- 42501 asks for a link of its own
select auth.ask_link('attack', 'signin', '{}', 'signin', 'ann@example.org', 'en');

-- 42501 signs in with what it reads
select api.sign_in(null, null, null, null, null, null);

-- 42501 reads all mails at once
select * from mail.outbox;

-- 42501 reads who there is
select email from auth.users;

-- 42501 fetches Stripe's objects
select service.claim_object(60);

-- 42501 forges an event
select service.receive_events('[]', '');

-- TG409 reports a mail that it has not claimed
select service.mail_sent(gen_random_uuid(), gen_random_uuid());

-- TG409 gives up a mail that it has not claimed
select service.mail_failed(gen_random_uuid(), gen_random_uuid(), 'attack', true);

-- 42501 writes a mail
insert into mail.outbox (key, recipient, template, language) values ('attack', 'ann@example.org', 'signin', 'en');

-- 42501 writes an object
select service.write_subscription(null, null, null, null, null);
