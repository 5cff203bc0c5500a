-- Housekeeping that jobs runs, and a look at what has waited for too long.

set role tollgate_service;

-- Addresses of people who never became users, and those that users did not take, are kept for 30 days after their use.
-- Those that users had are kept as long as they: a deletion forgets by them what billing keeps.
create or replace function app.drop_addresses() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	invitations bigint;
	changes bigint;
begin
	delete from app.invitations d where d.id = any (array(
		select i.id from app.invitations i
		where least(i.accepted_at, i.revoked_at, i.expires_at) < now() - interval '720 hours' limit 1000));
	get diagnostics invitations = row_count;
	delete from app.address_changes d where d.id = any (array(
		select c.id from app.address_changes c
		where c.done_at is null and coalesce(c.undone_at, c.created_at) < now() - interval '720 hours' limit 1000));
	get diagnostics changes = row_count;
	return invitations + changes;
end
$$;

-- p_keep_days: for handled events.
create or replace function service.apply_retention(p_keep_days int default 90) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mails bigint;
	done jsonb;
begin
	perform billing.watch_offers(), billing.tell_overdue();
	delete from mail.outbox d where d.id = any (array(
		select o.id from mail.outbox o
		where o.state <> 'pending'
			and o.created_at < now() - case o.state when 'void' then interval '1 day' else interval '30 days' end
		limit 1000));
	get diagnostics mails = row_count;
	done := auth.apply_retention() || jsonb_build_object('mails', mails, 'drafts', billing.drop_drafts(),
		'events', inbox.drop_events(p_keep_days), 'addresses', app.drop_addresses(), 'put_off', sync.wind_back(),
		'windows', usage.drop_windows(1000), 'turns', chat.drop_turns(1000),
		'calls', chat.drop_calls(1000));
	return done || jsonb_build_object('users', app.carry_out_deletion());	-- after them: it writes the audit log
end
$$;

reset role;
