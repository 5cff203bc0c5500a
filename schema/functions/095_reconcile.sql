-- Finding what webhooks have missed. Lists of Stripe's are looked through page by page; each page and the cursor behind
-- it are written in one transaction, so a pass goes on where it stopped. Without a claim nothing is written at all.

set role tollgate_service;

-- An hour of overlap: lists may lag. Stripe keeps events for 30 days. The watermark is Stripe's time, never ours: who asks by
-- a clock that is ahead is told nothing of what has just been.
create or replace function sync.pass_begins(p_name text, p_watermark timestamptz) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return coalesce(case when p_name <> 'undelivered' then p_watermark - interval '1 hour' end, now() - interval '30 days');
end
$$;

-- Events do not reach back to p_since any more: all that may have changed is looked at instead.
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

-- Where a pass would begin, for who only looks.
create or replace function service.look_cursor(p_name text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	c sync.cursors;
begin
	c.from_at := sync.pass_begins(p_name, (select k.watermark from sync.cursors k where k.name = p_name));
	return sync.cursor_document(c);
end
$$;

-- The pass over a list, begun or gone on with; null when it is not due, {"busy"} while another process is at it.
-- p_every: seconds, counted from p_offset after midnight UTC; 0: now; negative: only when look_at_all has asked for it.
create or replace function service.take_cursor(p_name text, p_every int, p_offset int, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	c sync.cursors;
begin
	insert into sync.cursors (name) select p_name where p_every >= 0 on conflict (name) do nothing;
	select k.* into c from sync.cursors k where k.name = p_name for update;
	if c.name is null or p_every > 0 and c.finished_at >= c.started_at and
		floor((extract(epoch from now()) - p_offset) / p_every) = floor((extract(epoch from c.started_at) - p_offset) / p_every) then
		return null;
	elsif c.claimed_until > now() then
		return '{"busy": true}';
	elsif c.started_at is null or c.finished_at >= c.started_at then
		if p_name = 'events' and c.seen_at < now() - interval '30 days' then
			perform sync.look_at_all(least(c.watermark, c.seen_at));
		end if;
		update sync.cursors k set started_at = now(), from_at = sync.pass_begins(p_name, c.watermark), after = null, newest = null
		where k.name = p_name;
	end if;
	update sync.cursors k set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease)
	where k.name = p_name returning k.* into c;
	return sync.cursor_document(c);
end
$$;

-- Behind a page; behind the last one the pass is over.
create or replace function sync.move_cursor(p_name text, p_claim uuid, p_after text, p_more boolean, p_lease int) returns void
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

-- Not to the end: for others to go on with, p_wait seconds from now, or to begin anew.
create or replace function service.leave_cursor(p_name text, p_claim uuid, p_wait int, p_anew boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	update sync.cursors c set claimed_until = now() + make_interval(secs => p_wait),
		started_at = case when not p_anew then c.started_at end
	where c.name = p_name and c.claim = p_claim;
	return null;
end
$$;

-- Into the inbox as if they had been delivered: those it does not have. p_page: what receive_event takes, raw as text.
create or replace function service.adopt_events(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz, p_prev text,
	p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	missed jsonb := (
		select coalesce(jsonb_agg(e order by e ->> 'kind', e ->> 'object'), '[]') from jsonb_array_elements(p_page) e
		where not exists (select from inbox.events i where i.id = e ->> 'id'));
begin
	if p_claim is not null then
		update sync.cursors c set newest = greatest(c.newest, (
			select to_timestamp(max((e ->> 'created')::bigint)) from jsonb_array_elements(p_page) e))
		where c.name = p_name and c.claim = p_claim;
		perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
		perform service.receive_event(e ->> 'id', e ->> 'type', e ->> 'api_version', (e ->> 'created')::bigint,
			(e ->> 'livemode')::boolean, convert_to(e ->> 'raw', 'UTF8'), null, null, e ->> 'kind', e ->> 'object')
		from jsonb_array_elements(missed) e;
	end if;
	return jsonb_build_object('now', now(), 'found', (select coalesce(jsonb_agg(
		jsonb_build_object('kind', 'event', 'id', e -> 'id', 'type', e -> 'type')), '[]') from jsonb_array_elements(missed) e));
end
$$;

-- How our row differs from Stripe's document, field by field: {"field": [ours, Stripe's]}, {} when in nothing. Null where
-- that cannot be said: of what is dirty already, was written since the list was asked for, or is nobody's; nor of what only
-- all items tell.
create or replace function service.diff_subscription(p_doc jsonb, p_listed timestamptz) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	ident text := p_doc ->> 'id';
	ours billing.subscriptions;
	theirs billing.subscriptions;
begin
	select s.* into ours from billing.subscriptions s where s.id = ident;
	if ours.synced_at > p_listed or exists (select from sync.objects o where o.kind = 'subscription' and o.id = ident
		and o.version > o.clean_version and o.dead_at is null) then
		return null;
	elsif ours.id is null and billing.subscription_tenant(ident, p_doc) is null and (not billing.is_live(p_doc ->> 'status')
		or exists (select from sync.orphans n where n.kind = 'subscription' and n.id = ident)) then
		return null;
	end if;
	theirs := billing.subscription_row(ours.tenant_id, ident, p_doc);
	theirs.plan := coalesce(theirs.plan, ours.plan);
	theirs.plans := coalesce(nullif(theirs.plans, '{}'), ours.plans, '{}');
	theirs.past_due_since := ours.past_due_since;
	return billing.changes(case when ours.id is not null then to_jsonb(ours) end, to_jsonb(theirs))
		- case when billing.lacks_items(p_doc) then '{plan,plans,price,quantity,amount,period_start,period_end}'::text[] else '{}' end;
end
$$;

-- Ours that should have been on this page, which reaches from behind p_prev to p_after, and are not.
create or replace function sync.absent_subscriptions(p_page jsonb, p_listed timestamptz, p_prev text, p_more boolean)
	returns setof billing.subscriptions
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	newest timestamptz := case when p_prev is null then 'infinity'
		else (select s.created_at from billing.subscriptions s where s.id = p_prev) end;
	oldest timestamptz := case when p_more then billing.time_of(p_page -> -1 -> 'created') else '-infinity' end;
begin
	return query select s.* from billing.subscriptions s
	where s.created_at < newest and s.created_at > oldest and s.synced_at <= p_listed and billing.is_live(s.status)
		and not p_page @> jsonb_build_array(jsonb_build_object('id', s.id));
end
$$;

create or replace function service.compare_subscriptions(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz,
	p_prev text, p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	compared jsonb := (
		select coalesce(jsonb_agg(jsonb_build_object('kind', 'subscription', 'id', d -> 'id',
			'tenant', billing.subscription_tenant(d ->> 'id', d), 'fields', service.diff_subscription(d, p_listed))), '[]')
		from jsonb_array_elements(p_page) d) || (
		select coalesce(jsonb_agg(jsonb_build_object('kind', 'subscription', 'id', s.id, 'tenant', s.tenant_id,
			'fields', jsonb_build_object('id', jsonb_build_array(s.id, null)))), '[]')
		from sync.absent_subscriptions(p_page, p_listed, p_prev, p_more) s);
	found jsonb := jsonb_path_query_array(compared, '$[*] ? (@.fields.keyvalue().key != "")');
begin
	if p_claim is not null then
		perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
		perform sync.mark('subscription', m.id) from (
			select d ->> 'id' as id from jsonb_array_elements(found) d union
			select d ->> 'id' from jsonb_array_elements(p_page) d where billing.lacks_items(d) order by 1) m;
		perform billing.watch(d -> 'fields' <> '{}', (d ->> 'tenant')::uuid, 'drift', 'subscription:' || (d ->> 'id'), d -> 'fields')
		from jsonb_array_elements(compared) d where d -> 'fields' <> 'null';
	end if;
	return jsonb_build_object('now', now(), 'found', found);
end
$$;

-- Whatever was listed may have changed. p_page: [{"kind", "id"}].
create or replace function service.mark_objects(p_name text, p_claim uuid, p_page jsonb, p_listed timestamptz, p_prev text,
	p_after text, p_more boolean, p_lease int) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
	perform sync.mark(d ->> 'kind', d ->> 'id')
	from (select distinct d from jsonb_array_elements(p_page) d order by d) v;
	return jsonb_build_object('now', now(), 'found', '[]'::jsonb);
end
$$;

reset role;
