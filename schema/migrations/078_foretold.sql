-- Subscriptions are fetched again whose end is in a later period: what they are charged next, only a preview says.
update sync.objects o set version = o.version + 1, next_at = now()
where o.kind = 'subscription' and o.dead_at is null and exists (
	select from billing.subscriptions s where s.id = o.id and s.cancel_at > s.renews_at);
