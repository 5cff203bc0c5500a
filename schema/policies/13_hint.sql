-- Who brings work says so. To listen needs no right, and none can be taken.

grant execute on function service.hint() to tollgate_webhooks;
