-- A hold is found by its tenant and the caller's name for it. A plan that was made while the table was new has used
-- this index instead, and read all holds of the tenant each time; nothing else needs it.

set role tollgate_owner;

drop index usage.holds_tenant_id_created_at_idx;

reset role;
