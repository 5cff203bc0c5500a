-- What the program that takes Stripe's events tries: it may put events in, and see or act on none.

-- 42501 reads the inbox
select raw from inbox.events;

-- 42501 changes an event that is there
update inbox.events set raw = 'attack';

-- 42501 forgets an event
delete from inbox.events;

-- 42501 claims an object
select service.claim_object(60, 1);

-- 42501 writes an object
select service.write_subscription(null, null, null, null, null);

-- 42501 opens an alert
select ops.raise_alert(null, 'attack', 'attack', '{}');
