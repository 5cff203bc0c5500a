-- Housekeeping that jobs runs, and a look at what has waited for too long.

set role tollgate_service;

-- p_keep_days: for handled events.
create or replace function service.apply_retention(p_keep_days int default 90) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	mails bigint;
begin
	perform billing.watch_offers(), billing.tell_overdue();
	delete from mail.outbox d where d.id = any (array(
		select o.id from mail.outbox o
		where o.state <> 'pending'
			and o.created_at < now() - case o.state when 'void' then interval '1 day' else interval '30 days' end
		limit 1000));
	get diagnostics mails = row_count;
	return auth.apply_retention() || jsonb_build_object('mails', mails, 'drafts', billing.drop_drafts(),
		'events', inbox.drop_events(p_keep_days), 'put_off', sync.wind_back());
end
$$;

reset role;
