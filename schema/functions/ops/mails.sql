-- The outbox as the operator sees it: what waits, why, and what is to become of it. Links are made when a mail is
-- claimed, so none is here.

set role tollgate_service;

create or replace function ops.mail_document(o mail.outbox) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return jsonb_build_object('id', o.id, 'to', o.recipient, 'template', o.template, 'language', o.language,
		'state', o.state, 'attempts', o.attempts, 'created_at', o.created_at,
		'next_at', case o.state when 'pending' then o.next_at end, 'sent_at', o.sent_at, 'cause', o.cause,
		'last_error', o.last_error);
end
$$;

-- The newest first. p_state null: those that wait or are dead-lettered.
create or replace function ops.list_mails(p_state text, p_limit int) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select coalesce(jsonb_agg(ops.mail_document(m::mail.outbox) order by m.created_at desc, m.id), '[]')
		from (
			select o.* from mail.outbox o
			where o.state = any (coalesce(string_to_array(p_state, ' '), '{pending,dead}'))
			order by o.created_at desc, o.id limit p_limit) m);
end
$$;

-- Null when there is no such mail.
create or replace function ops.show_mail(p_id uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select ops.mail_document(o) || jsonb_build_object('key', o.key, 'waits_for_link', o.awaited,
			'outages', o.outages, 'claimed_until', o.claimed_until,
			'about', o.data - '{request,url,token,code}'::text[])
		from mail.outbox o where o.id = p_id);
end
$$;

-- Has mails tried again at once, as if for the first time: one that waits or is dead-lettered; without p_id all that
-- wait, or with p_dead all that are dead-lettered. Not one that is being sent.
create or replace function ops.retry_mails(p_id uuid, p_dead boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	due bigint;
begin
	update mail.outbox m set state = 'pending', attempts = 0, outages = 0, next_at = now(), claimed_until = null
	where m.id in (
		select o.id from mail.outbox o
		where case when p_id is null then o.state = case when p_dead then 'dead' else 'pending' end
				else o.id = p_id and o.state in ('pending', 'dead') end
			and (o.claimed_until is null or o.claimed_until < now())
		for update skip locked);
	get diagnostics due = row_count;
	if due > 0 then
		notify tollgate_mail;
	end if;
	return jsonb_build_object('due', due);
end
$$;

-- False when the mail neither waits nor is dead-lettered, or is being sent.
create or replace function ops.cancel_mail(p_id uuid) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	done boolean;
begin
	update mail.outbox o set state = 'canceled', cause = null
	where o.id = p_id and o.state in ('pending', 'dead') and (o.claimed_until is null or o.claimed_until < now());
	done := found;
	perform mail.watch_cause(null, null, 0);
	return jsonb_build_object('canceled', done);
end
$$;

reset role;
