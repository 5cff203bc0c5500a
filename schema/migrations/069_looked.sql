-- That an operator of the site has looked at a user or a tenant is in the audit log.

insert into audit.kinds (kind, by_operator) values ('user_viewed', true), ('tenant_viewed', true);
