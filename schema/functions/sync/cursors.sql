-- Passes over Stripe's lists, which find what webhooks have missed. A list is read page by page; a page and its cursor
-- are stored in one transaction, so a pass resumes where it stopped. Without a claim nothing is stored.

set role tollgate_service;

-- Lists may lag: a pass overlaps the last one by an hour. Stripe keeps events for 30 days. The watermark is Stripe's
-- time: by a local clock that is ahead, recent objects would be missed.
create or replace function sync.pass_begins(p_name text, p_watermark timestamptz) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return coalesce(case when p_name <> 'undelivered' then p_watermark - interval '1 hour' end,
		now() - interval '30 days');
end
$$;

-- Events do not reach back to p_since any more: fetch everything that may have changed.
create or replace function sync.look_at_all(p_since timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	insert into sync.cursors (name, watermark)
	select unnest('{checkouts,invoices,disputes,refunds}'::text[]), p_since on conflict (name) do nothing;
	update sync.cursors c set started_at = null, after = null where c.name = 'subscriptions';
	perform sync.mark(d.kind, d.id) from (
		select 'customer' as kind, c.id from billing.customers c where not c.deleted
		union all select 'checkout', c.session_id from billing.checkouts c
			where c.session_id is not null and c.status in ('open', 'unpaid')
		union all select 'invoice', i.id from billing.invoices i where i.status in ('draft', 'open')
		union all select case s.kind when 'refund' then 'charge' else 'dispute' end, s.id from billing.disputes s
			where s.closed_at is null
		order by 1, 2) d;
end
$$;

create or replace function sync.cursor_document(c sync.cursors) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('claim', c.claim, 'from', extract(epoch from c.from_at)::bigint::text, 'after', c.after,
		'now', now());
end
$$;

-- Where a pass would begin, for a dry run.
create or replace function service.look_cursor(p_name text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	c sync.cursors;
begin
	c.from_at := sync.pass_begins(p_name, (select k.watermark from sync.cursors k where k.name = p_name));
	return sync.cursor_document(c);
end
$$;

-- Begins or resumes the pass over a list. Null when it is not due, {"busy"} while another process runs it. p_every:
-- seconds, counted from p_offset after midnight UTC; 0: now; negative: only when look_at_all has asked for it.
create or replace function service.take_cursor(p_name text, p_every int, p_offset int, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	c sync.cursors;
begin
	insert into sync.cursors (name) select p_name where p_every >= 0 on conflict (name) do nothing;
	select k.* into c from sync.cursors k where k.name = p_name for update;
	if c.name is null or p_every > 0 and c.finished_at >= c.started_at and
		floor((extract(epoch from now()) - p_offset) / p_every)
			= floor((extract(epoch from c.started_at) - p_offset) / p_every) then
		return null;
	elsif c.claimed_until > now() then
		return '{"busy": true}';
	elsif c.started_at is null or c.finished_at >= c.started_at then
		if p_name = 'events' and c.seen_at < now() - interval '30 days' then
			perform sync.look_at_all(least(c.watermark, c.seen_at));
		end if;
		update sync.cursors k set started_at = now(), from_at = sync.pass_begins(p_name, c.watermark), after = null,
			newest = null
		where k.name = p_name;
	end if;
	update sync.cursors k set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease)
	where k.name = p_name returning k.* into c;
	return sync.cursor_document(c);
end
$$;

-- After a page; after the last page the pass is over.
create or replace function sync.move_cursor(p_name text, p_claim uuid, p_after text, p_more boolean, p_lease int)
	returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update sync.cursors c set after = coalesce(p_after, c.after),
		claimed_until = case when p_more then now() + make_interval(secs => p_lease) end,
		finished_at = case when p_more then c.finished_at else greatest(now(), c.started_at) end,
		seen_at = case when p_more then c.seen_at else c.started_at end,
		watermark = case when p_more then c.watermark else coalesce(c.newest, c.watermark) end
	where c.name = p_name and c.claim = p_claim;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
	delete from sync.cursors c
	where c.name = p_name and not p_more and p_name in ('checkouts', 'invoices', 'disputes', 'refunds');
end
$$;

-- Leaves a pass before its end, to be resumed or begun anew by any process, p_wait seconds from now.
create or replace function service.leave_cursor(p_name text, p_claim uuid, p_wait int, p_anew boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update sync.cursors c set claimed_until = now() + make_interval(secs => p_wait),
		started_at = case when not p_anew then c.started_at end
	where c.name = p_name and c.claim = p_claim;
	return null;
end
$$;

reset role;
