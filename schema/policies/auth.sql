-- auth: only the functions of tollgate_auth read or write these tables.

grant select, insert, update, delete on auth.sessions, auth.requests, auth.devices, auth.hits to tollgate_auth;
grant select, insert, update, delete on auth.factors, auth.recovery_codes, auth.pending to tollgate_auth;
grant select, insert, update, delete on auth.passkeys to tollgate_auth;
grant select, insert, delete on auth.challenges to tollgate_auth;
grant select, insert on auth.links to tollgate_auth;
grant select, insert, delete, update (confirmed_at, retired_at) on auth.tokens to tollgate_auth;
grant select on auth.limits, auth.pepper to tollgate_auth;
grant select, insert, delete on auth.operators to tollgate_auth;
grant select, insert, update (lifted_at, lifted_by) on auth.suspensions to tollgate_auth;
grant select, insert, delete on auth.users to tollgate_auth;
grant select, insert, update, delete on auth.tries to tollgate_auth;
grant select, insert, update, delete on auth.passwords to tollgate_auth;
grant select, insert, delete on auth.pending_passwords to tollgate_auth;
grant select, insert, update, delete on auth.identities, auth.flows to tollgate_auth;
grant select, insert, delete on auth.pending_identities to tollgate_auth;
grant select, update (flow, until) on auth.asking to tollgate_auth;
grant update (email, email_canonical, disabled_at) on auth.users to tollgate_auth;	-- disabled_at: to lock the row

create policy owner on auth.users to tollgate_auth using (true) with check (true);
create policy owner on auth.sessions to tollgate_auth using (true) with check (true);
create policy owner on auth.tokens to tollgate_auth using (true) with check (true);
create policy owner on auth.factors to tollgate_auth using (true) with check (true);
create policy owner on auth.recovery_codes to tollgate_auth using (true) with check (true);
create policy owner on auth.pending to tollgate_auth using (true) with check (true);
create policy owner on auth.passkeys to tollgate_auth using (true) with check (true);
create policy owner on auth.challenges to tollgate_auth using (true) with check (true);
create policy owner on auth.requests to tollgate_auth using (true) with check (true);
create policy owner on auth.links to tollgate_auth using (true) with check (true);
create policy owner on auth.passwords to tollgate_auth using (true) with check (true);
create policy owner on auth.pending_passwords to tollgate_auth using (true) with check (true);
create policy owner on auth.identities to tollgate_auth using (true) with check (true);
create policy owner on auth.flows to tollgate_auth using (true) with check (true);
create policy owner on auth.asking to tollgate_auth using (true) with check (true);
create policy owner on auth.pending_identities to tollgate_auth using (true) with check (true);
create policy owner on auth.pepper for select to tollgate_auth using (true);
create policy owner on auth.tries to tollgate_auth using (true) with check (true);
create policy owner on auth.devices to tollgate_auth using (true) with check (true);
create policy owner on auth.limits for select to tollgate_auth using (true);
create policy owner on auth.operators to tollgate_auth using (true) with check (true);
create policy owner on auth.suspensions to tollgate_auth using (true) with check (true);
create policy owner on auth.hits to tollgate_auth using (true) with check (true);
