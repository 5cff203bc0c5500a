-- Events that come in together are stored together.

grant execute on function service.receive_events(jsonb, bytea) to tollgate_webhooks;
