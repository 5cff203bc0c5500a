-- auth.require_session() tells the session, too: what a function returns cannot be changed in place.

set role tollgate_auth;

drop function if exists auth.require_session();

reset role;
