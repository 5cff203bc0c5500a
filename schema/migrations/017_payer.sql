-- customer_id says whom a checkout's session names, so that it is begun anew when that changes.

update billing.checkouts c set customer_id = k.id
from billing.customers k
where k.tenant_id = c.tenant_id and not k.deleted and c.status = 'open' and c.user_id is not null and c.session_id is not null;
set role tollgate_owner;
create index on billing.checkouts (customer_id) where customer_id is not null;
reset role;
