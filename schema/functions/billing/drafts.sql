-- Sign-up: a draft tenant and its checkout, before the visitor is known.

set role tollgate_service;

-- Nobody is refused for what others do: a draft over the allowance of its address, or over that of all, waits for the
-- link that is mailed to the address.
create or replace function billing.must_wait(p_email_canonical text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	return not (auth.allow('draft_address', p_email_canonical) and auth.allow('draft_global', ''));
end
$$;

-- Queues the mail that leads to Checkout, at most once an hour for a draft. What one network asks for leaves the others
-- their mails to the address; a mailbox gets so many in all. Beyond that none is queued now.
create or replace function billing.mail_draft(c billing.checkouts, p_ip inet) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	mail_key text := format('checkout:%s:%s', c.tenant_id, floor(extract(epoch from now()) / 3600));
begin
	if not exists (select from mail.outbox o where o.key = mail_key)
			and auth.allow('draft_mail', concat_ws(' ', c.email_canonical, auth.network_of(p_ip)))
			and auth.allow('draft_mailbox', c.email_canonical) then
		perform auth.ask_link(mail_key, 'checkout', jsonb_build_object('plan', 'plan_' || c.plan), 'checkout', c.email,
			c.language, p_checkout => c.key, p_ip => p_ip, p_rank => auth.rank_stranger());
	end if;
end
$$;

-- The draft as it may be paid for now. A checkout that expired, or whose payment failed, starts its next attempt here.
-- A session past its day may have been paid: jobs and the caller look at Stripe first.
create or replace function billing.renew_draft(p_key bytea) returns billing.checkouts
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	draft billing.checkouts;
begin
	perform sync.mark('checkout', c.session_id) from billing.checkouts c
	where c.key = p_key and c.status = 'open' and billing.is_past_its_day(c.opened_at);
	update billing.checkouts c set attempt = c.attempt + 1,
		replaces = case c.status when 'open' then c.session_id end,
		session_id = null, url = null, status = 'open', opened_at = null, returned_at = null,
		price = (select p.price from billing.plans p where p.id = c.plan), metered = usage.prices_for(c.plan)
	where c.key = p_key and (c.status in ('expired', 'failed')
			or c.status = 'open' and billing.is_past_its_day(c.opened_at))
		and exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft');
	update billing.checkouts c set price = (select p.price from billing.plans p where p.id = c.plan),
		metered = usage.prices_for(c.plan)
	where c.key = p_key and (c.price is null or c.metered is null) and c.session_id is null;
	select c.* into draft from billing.checkouts c where c.key = p_key;
	return draft;
end
$$;

create or replace function billing.draft_state(c billing.checkouts) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when c.session_id is not null and (c.status <> 'open'
			or exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'active')) then 'complete'
		when c.waits then 'waits'
		else 'open' end;
end
$$;

create or replace function billing.draft_document(c billing.checkouts) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return jsonb_build_object('key', encode(c.key, 'hex'), 'tenant', c.tenant_id, 'email', c.email, 'plan', c.plan,
		'price', c.price, 'metered', c.metered, 'language', c.language, 'attempt', c.attempt, 'session', c.session_id,
		'expire', c.replaces, 'url', billing.open_page(c), 'state', billing.draft_state(c))
		|| billing.trial_of(c);
end
$$;

-- The checkout of this browser and address whose payment is under way: a bank debit takes days, and nobody shall pay a
-- second time meanwhile. It tells nobody else that there is one.
create or replace function billing.paid_draft(p_email_canonical text, p_flow_hash bytea) returns billing.checkouts
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	paid billing.checkouts;
begin
	select c.* into paid from billing.checkouts c join app.tenants t on t.id = c.tenant_id
	where c.email_canonical = p_email_canonical and c.flow_hash = sha256(p_flow_hash) and c.session_id is not null
		and c.status in ('unpaid', 'complete') and t.status = 'draft'
	order by c.created_at desc limit 1;
	return paid;
end
$$;

-- The unique key decides which of several concurrent calls comes first; the others wait for it and find its row. A new
-- draft over its network's allowance ends without a row.
create or replace function api.open_draft(p_key bytea, p_email text, p_plan text, p_language text, p_flow_hash bytea,
	p_ip inet) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	draft billing.checkouts := billing.paid_draft(lower(btrim(p_email)), p_flow_hash);
begin
	if not exists (select from billing.plans p where p.id = p_plan and p.offered and not p.free) then
		raise exception 'unknown plan' using errcode = 'TG422';
	elsif draft.key is not null then
		return billing.draft_document(draft);
	elsif not exists (select from billing.checkouts c where c.key = p_key)
			and not auth.allow_network('draft', p_ip) then
		raise exception 'too many drafts' using errcode = 'TG429';
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, flow_hash, price, metered)
	select p_key, gen_random_uuid(), btrim(p_email), lower(btrim(p_email)), p.id, p_language, sha256(p_flow_hash),
		p.price, usage.prices_for(p.id)
	from billing.plans p where p.id = p_plan
	on conflict (key) do nothing returning * into draft;
	if draft.key is not null then
		insert into app.tenants (id) values (draft.tenant_id);
		update billing.checkouts c set waits = billing.must_wait(c.email_canonical) where c.key = p_key
		returning * into draft;
		perform billing.mail_paying(draft);
	else
		draft := billing.renew_draft(p_key);
	end if;
	if billing.draft_state(draft) = 'waits' then
		perform billing.mail_draft(draft, p_ip);
	end if;
	return billing.draft_document(draft);
end
$$;

-- For GET: reads only. The sign-up that this browser has left at Checkout and not come back from: {"email"}; null when
-- there is none. While it is open, nothing was charged.
create or replace function api.left_draft(p_flow_hash bytea, p_plan text) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select jsonb_build_object('email', c.email) from billing.checkouts c
		where c.flow_hash = sha256(p_flow_hash) and c.plan = p_plan and c.status = 'open' and c.returned_at is null
			and billing.draft_state(c) = 'open' and billing.open_page(c) is not null
		order by c.opened_at desc limit 1);
end
$$;

-- The draft that a mailed link is good for: the newest one of this browser for the same address, else the one that it
-- was mailed for. So the owner of the mailbox goes on with what she chose herself, whoever has spent the mails. Null
-- for a link that is not good.
create or replace function billing.draft_of(p_link_hash bytea, p_flow_hash bytea) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	mailed billing.checkouts;
begin
	select c.* into mailed from billing.checkouts c where c.key = auth.checkout_of(p_link_hash);
	return coalesce((
		select c.key from billing.checkouts c
		where c.email_canonical = mailed.email_canonical and c.flow_hash = sha256(p_flow_hash)
			and c.waits and c.status = 'open'
		order by c.created_at desc limit 1), mailed.key);
end
$$;

-- For GET: reads only. What a mailed link is good for: {"state", "plan"}; null for a link that is not.
create or replace function api.waiting_draft(p_link_hash bytea, p_flow_hash bytea default null) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (select jsonb_build_object('state', billing.draft_state(c), 'plan', 'plan_' || c.plan)
		from billing.checkouts c where c.key = billing.draft_of(p_link_hash, p_flow_hash));
end
$$;

-- Lets the draft of a mailed link go on to Checkout. Again, it answers the same draft. TG404: the link is not good.
create or replace function api.continue_draft(p_link_hash bytea, p_flow_hash bytea default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	draft_key bytea := billing.draft_of(p_link_hash, p_flow_hash);
begin
	if draft_key is null then
		raise exception 'no such link' using errcode = 'TG404';
	end if;
	update billing.checkouts c set waits = false where c.key = draft_key and c.waits;
	return billing.draft_document(billing.renew_draft(draft_key));
end
$$;

-- Whether all that came of a checkout is known. Stripe's page lives for a day. An action there that no webhook reported
-- is known once a pass over Stripe's events that began after that day has ended, and no object of the checkout is left
-- to fetch, dead-lettered ones included.
create or replace function billing.is_settled(c billing.checkouts) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (c.opened_at is null or exists (
			select from sync.cursors k where k.name = 'events' and k.seen_at > c.opened_at + interval '25 hours'))
		and not exists (
			select from (values ('checkout', c.session_id), ('subscription', c.subscription_id),
				('customer', c.customer_id)) n (kind, id)
			join sync.objects o on o.kind = n.kind and o.id = n.id where o.version > o.clean_version);
end
$$;

-- Deletes drafts that were not paid for and have no other records. A draft whose payment is pending (it may take Stripe
-- weeks) is kept for a month.
create or replace function billing.drop_drafts() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	dropped bigint;
begin
	delete from app.tenants d where d.id = any (array(
		select t.id from app.tenants t
		where t.status = 'draft' and t.created_at < now() - interval '7 days'
			and not exists (select from billing.customers c where c.tenant_id = t.id)
			and not exists (select from billing.subscriptions s where s.tenant_id = t.id)
			and not exists (select from billing.checkouts c where c.tenant_id = t.id
				and (c.status in ('complete', 'unpaid') and c.created_at > now() - interval '30 days'
					or not billing.is_settled(c)))
			and not exists (select from billing.overrides o where o.tenant_id = t.id)
			and not exists (select from ops.alerts a where a.tenant_id = t.id)
			and not exists (select from billing.invoices i where i.tenant_id = t.id)
		limit 500 for update skip locked));
	get diagnostics dropped = row_count;
	return dropped;
end
$$;

reset role;
