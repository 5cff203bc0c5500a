-- Parties that vouch for users and cannot be asked, for the operator.

set role tollgate_service;

-- p_provider: a provider's name, or keys:NAME. p_why null: its description or its keys were fetched, which ends the
-- alert. While one is open nothing is written. A program that is taken over can open a few alerts, and no more.
create or replace function api.report_provider(p_provider text, p_why text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	is_open boolean := exists (
		select from ops.alerts a where a.kind = 'provider' and a.subject = p_provider and a.cleared_at is null);
begin
	if p_why is null and is_open then
		perform ops.end_alert('provider', p_provider);
	elsif p_why is not null and not is_open and p_provider ~ '^(keys:)?[a-z]{1,32}$'
			and (select count(*) from ops.alerts a where a.kind = 'provider' and a.cleared_at is null) < 20 then
		perform ops.raise_alert(null, 'provider', p_provider, jsonb_build_object('error', left(p_why, 300)));
	end if;
	return null;
end
$$;

reset role;
