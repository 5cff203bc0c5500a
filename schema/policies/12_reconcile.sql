-- Looking through Stripe's lists: jobs when it is time, the operator when asked to.

grant select, insert, update, delete on sync.cursors to tollgate_service;
create policy service on sync.cursors to tollgate_service using (true) with check (true);

-- `tollgate reconcile` does what jobs does, with the same code, and so through the same six functions. All they do is have
-- objects fetched from Stripe again, note drift, and take down events that were missed, of which nothing counts but the
-- name of an object: less than an override or a replay, which are the operator's anyhow.
grant usage on schema service to tollgate_operator;
grant execute on function service.look_cursor(text), service.take_cursor(text, int, int, int),
	service.leave_cursor(text, uuid, int, boolean),
	service.adopt_events(text, uuid, jsonb, timestamptz, text, text, boolean, int),
	service.compare_subscriptions(text, uuid, jsonb, timestamptz, text, text, boolean, int),
	service.mark_objects(text, uuid, jsonb, timestamptz, text, text, boolean, int) to tollgate_jobs, tollgate_operator;
