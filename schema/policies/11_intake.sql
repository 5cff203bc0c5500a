-- Events that come in together are stored together, and leave when they are old.

grant execute on function service.receive_events(jsonb, bytea) to tollgate_webhooks;

-- Old ones go.
grant delete on inbox.events to tollgate_service;
