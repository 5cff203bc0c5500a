SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA api;
ALTER SCHEMA api OWNER TO tollgate_owner;
CREATE SCHEMA app;
ALTER SCHEMA app OWNER TO tollgate_owner;
CREATE SCHEMA auth;
ALTER SCHEMA auth OWNER TO tollgate_owner;
CREATE SCHEMA billing;
ALTER SCHEMA billing OWNER TO tollgate_owner;
CREATE SCHEMA inbox;
ALTER SCHEMA inbox OWNER TO tollgate_owner;
CREATE SCHEMA mail;
ALTER SCHEMA mail OWNER TO tollgate_owner;
CREATE SCHEMA meta;
ALTER SCHEMA meta OWNER TO postgres;
CREATE SCHEMA ops;
ALTER SCHEMA ops OWNER TO tollgate_owner;
CREATE SCHEMA service;
ALTER SCHEMA service OWNER TO tollgate_owner;
CREATE SCHEMA sync;
ALTER SCHEMA sync OWNER TO tollgate_owner;
CREATE FUNCTION api.admit(p_environment text, p_migration text) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	s meta.stamp;
begin
	select t.* into s from meta.stamp t;
	if s.environment <> p_environment then
		raise exception 'this database is stamped "%", and site.environment is "%"', s.environment, p_environment
			using errcode = 'TG403';
	elsif s.migrated_to is null or s.migrated_to < p_migration collate "C" then
		raise exception 'this database is migrated to %, and this program needs %: run tollgate migrate',
			coalesce(s.migrated_to, 'nothing'), p_migration using errcode = 'TG503';
	end if;
end
$$;
ALTER FUNCTION api.admit(p_environment text, p_migration text) OWNER TO tollgate_service;
CREATE FUNCTION api.billing_page() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.require_user();
	mine app.members := billing.my_tenant();
	page jsonb := jsonb_build_object('email', auth.email(), 'account', null);
begin
	if mine.tenant_id is null then
		return page;
	end if;
	page := page || jsonb_build_object('account', billing.account_document(mine), 'invoices', '[]'::jsonb, 'payments', '[]'::jsonb,
		'notices', '[]'::jsonb);
	if mine.role <> 'member' then
		page := page || jsonb_build_object('invoices', billing.invoice_documents(mine.tenant_id),
			'payments', billing.payment_documents(mine.tenant_id), 'notices', billing.notice_documents(mine.tenant_id));
	end if;
	return page;
end
$$;
ALTER FUNCTION api.billing_page() OWNER TO tollgate_owner;
CREATE FUNCTION api.checkout_customer(p_key bytea, p_customer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := billing.manager_tenant();
begin
	perform from app.tenants t where t.id = tenant for no key update;
	update billing.checkouts c set customer_id = coalesce(billing.checkout_customer(tenant), p_customer)
	where c.key = p_key and c.tenant_id = tenant;
	if not found then
		raise exception 'no such checkout' using errcode = 'TG404';
	end if;
	return jsonb_build_object('customer', billing.checkout_customer(tenant));
end
$$;
ALTER FUNCTION api.checkout_customer(p_key bytea, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION api.checkout_expired(p_key bytea, p_attempt integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.checkouts c set attempt = c.attempt + 1, session_id = null, opened_at = null, returned_at = null,
		replaces = null, price = (select p.price from billing.plans p where p.id = c.plan)
	where c.key = p_key and c.attempt = p_attempt and c.status = 'open';
	return null;
end
$$;
ALTER FUNCTION api.checkout_expired(p_key bytea, p_attempt integer) OWNER TO tollgate_service;
CREATE FUNCTION api.checkout_opened(p_key bytea, p_attempt integer, p_session text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	recorded text;
begin
	update billing.checkouts c set session_id = coalesce(c.session_id, p_session), opened_at = coalesce(c.opened_at, now()),
		replaces = null
	where c.key = p_key and c.attempt = p_attempt returning c.session_id into recorded;
	if recorded is null then
		raise exception 'no such attempt' using errcode = 'TG404';
	elsif recorded <> p_session then
		raise exception 'another session is recorded for this attempt' using errcode = 'TG409';
	end if;
	return null;
end
$$;
ALTER FUNCTION api.checkout_opened(p_key bytea, p_attempt integer, p_session text) OWNER TO tollgate_service;
CREATE FUNCTION api.customer_gone(p_key bytea, p_customer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := billing.manager_tenant();
begin
	perform sync.mark('customer', p_customer)
	where exists (select from billing.customers c where c.id = p_customer and c.tenant_id = tenant);
	perform from app.tenants t where t.id = tenant for no key update;
	insert into billing.customers (id, tenant_id, deleted)
	select c.customer_id, tenant, true from billing.checkouts c
	where c.key = p_key and c.tenant_id = tenant and c.customer_id = p_customer
	on conflict do nothing;
	return null;
end
$$;
ALTER FUNCTION api.customer_gone(p_key bytea, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION api.customer_spent(p_key bytea, p_spent text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := billing.manager_tenant();
begin
	perform from app.tenants t where t.id = tenant for no key update;
	update billing.checkouts c set customer_attempt = c.customer_attempt + 1
	where c.key = p_key and c.tenant_id = tenant and billing.customer_key(c) = p_spent;
	return null;
end
$$;
ALTER FUNCTION api.customer_spent(p_key bytea, p_spent text) OWNER TO tollgate_service;
CREATE FUNCTION api.date_document(p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	utc timestamp := p_at at time zone 'UTC';
begin
	if p_at is null then
		return null;
	end if;
	return jsonb_build_object('iso', to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'day', extract(day from utc)::int,
		'month', 'month_' || extract(month from utc)::int, 'year', extract(year from utc)::int);
end
$$;
ALTER FUNCTION api.date_document(p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION api.link_state(p_link_hash bytea, p_flow_hash bytea) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	link auth.links;
begin
	select l.* into link from auth.links l where l.hash = p_link_hash;
	return jsonb_build_object('state', case
		when not auth.link_usable(link) then 'unusable'
		when link.flow_hash = p_flow_hash then 'usable'
		else 'code_needed' end);
end
$$;
ALTER FUNCTION api.link_state(p_link_hash bytea, p_flow_hash bytea) OWNER TO tollgate_auth;
CREATE FUNCTION api.open_checkout(p_key bytea, p_plan text, p_language text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := billing.manager_tenant();
	cost text := (select p.price from billing.plans p where p.id = p_plan and p.offered);
	state text;
	payer text;
	c billing.checkouts;
begin
	if cost is null then
		raise exception 'unknown plan, or no price yet' using errcode = 'TG422';
	end if;
	perform from app.tenants t where t.id = tenant for no key update;
	state := billing.checkout_state(tenant);
	if state <> 'open' then
		return jsonb_build_object('state', state, 'tenant', tenant);
	end if;
	payer := billing.checkout_customer(tenant);
	c := billing.ensure_checkout(tenant, p_key, p_plan, cost, p_language, payer);
	update billing.checkouts o set customer_id = payer where o.key = c.key and o.customer_id is distinct from payer;
	return jsonb_build_object('state', state, 'tenant', tenant, 'email', c.email, 'plan', c.plan, 'price', c.price,
		'language', c.language, 'key', encode(c.key, 'hex'), 'attempt', c.attempt, 'session', c.session_id,
		'idempotency', format('checkout:%s:%s', encode(c.key, 'hex'), c.attempt), 'expire', c.replaces,
		'customer', payer, 'customer_key', billing.customer_key(c));
end
$$;
ALTER FUNCTION api.open_checkout(p_key bytea, p_plan text, p_language text) OWNER TO tollgate_service;
CREATE FUNCTION api.open_draft(p_key bytea, p_email text, p_plan text, p_language text, p_flow_hash bytea, p_ip inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	draft billing.checkouts;
	paid boolean;
begin
	if not exists (select from billing.plans p where p.id = p_plan and p.offered) then
		raise exception 'unknown plan' using errcode = 'TG422';
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, flow_hash, price)
	select p_key, gen_random_uuid(), btrim(p_email), lower(btrim(p_email)), p.id, p_language, p_flow_hash, p.price
	from billing.plans p where p.id = p_plan
	on conflict (key) do nothing returning * into draft;
	if draft.key is not null then
		perform billing.require_draft_allowance(p_email, p_ip);
		insert into app.tenants (id) values (draft.tenant_id);
	else
		perform sync.mark('checkout', c.session_id) from billing.checkouts c
		where c.key = p_key and c.status = 'open' and billing.is_past_its_day(c.opened_at);
		update billing.checkouts c set attempt = c.attempt + 1, replaces = case c.status when 'open' then c.session_id end,
			session_id = null, status = 'open', opened_at = null, returned_at = null,
			price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and (c.status in ('expired', 'failed') or c.status = 'open' and billing.is_past_its_day(c.opened_at))
			and exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft');
		update billing.checkouts c set price = (select p.price from billing.plans p where p.id = c.plan)
		where c.key = p_key and c.price is null and c.session_id is null;
		select c.* into draft from billing.checkouts c where c.key = p_key;
	end if;
	paid := draft.session_id is not null and (draft.status <> 'open'
		or exists (select from app.tenants t where t.id = draft.tenant_id and t.status = 'active'));
	return jsonb_build_object('tenant', draft.tenant_id, 'email', draft.email, 'plan', draft.plan,
		'price', draft.price, 'language', draft.language, 'attempt', draft.attempt, 'session', draft.session_id,
		'expire', draft.replaces, 'state', case when paid then 'complete' else 'open' end);
end
$$;
ALTER FUNCTION api.open_draft(p_key bytea, p_email text, p_plan text, p_language text, p_flow_hash bytea, p_ip inet) OWNER TO tollgate_service;
CREATE FUNCTION api.portal_customer() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.require_user();
	mine app.members := billing.my_tenant();
	customer text := (select c.id from billing.customers c where c.tenant_id = mine.tenant_id and not c.deleted);
	current billing.subscriptions := billing.current_subscription(mine.tenant_id);
begin
	if current.customer_id <> customer and billing.is_live(current.status) and billing.is_my_customer(current.customer_id) then
		customer := current.customer_id;
	end if;
	if mine.role = 'member' then
		raise exception 'only who manages the tenant' using errcode = 'TG403';
	elsif customer is null then
		raise exception 'no customer yet' using errcode = 'TG400';
	end if;
	return jsonb_build_object('customer', customer);
end
$$;
ALTER FUNCTION api.portal_customer() OWNER TO tollgate_owner;
CREATE FUNCTION api.request_link(p_email text, p_flow_hash bytea, p_next text, p_language text, p_ip inet) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	canonical text := lower(btrim(p_email));
	by_ip boolean := auth.allow('link_ip', auth.neighbourhood(p_ip));
	allowed boolean := by_ip and auth.allow('link_address', canonical);
	who uuid := (select u.id from auth.users u where u.email_canonical = canonical and u.disabled_at is null and allowed);
begin
	perform auth.mint_link(who, p_email, case when allowed then p_flow_hash end, p_next, p_language, p_ip,
		'signin:' || gen_random_uuid(), 'signin', jsonb_build_object('next', p_next));
	return null;
end
$$;
ALTER FUNCTION api.request_link(p_email text, p_flow_hash bytea, p_next text, p_language text, p_ip inet) OWNER TO tollgate_auth;
CREATE FUNCTION api.see_notice(p_id bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.require_user();
begin
	update billing.notifications n set seen_at = coalesce(n.seen_at, now()), user_id = coalesce(n.user_id, me)
	where n.id = p_id and exists (
		select from app.members m where m.user_id = me and m.tenant_id = n.tenant_id and m.role in ('owner', 'admin'));
	if not found then
		raise exception 'no such notice' using errcode = 'TG404';
	end if;
	return null;
end
$$;
ALTER FUNCTION api.see_notice(p_id bigint) OWNER TO tollgate_service;
CREATE FUNCTION api.sign_in(p_link_hash bytea, p_code text, p_flow_hash bytea, p_token_hash bytea, p_ip inet, p_agent text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	link auth.links;
	proofs int;
begin
	if p_link_hash is not null then
		select l.* into link from auth.links l where l.hash = p_link_hash for update;
	elsif p_code is not null then
		select l.* into link from auth.links l where l.flow_hash = p_flow_hash order by l.created_at desc limit 1 for update;
	end if;
	if link.token_hash = p_token_hash then
		return jsonb_build_object('ok', true, 'next', link.next);
	elsif not auth.link_usable(link) then
		return jsonb_build_object('ok', false, 'attempts_left', null);
	end if;
	proofs := (p_link_hash is not null)::int
		+ coalesce(link.flow_hash = p_flow_hash, false)::int
		+ coalesce(link.code_hash = auth.code_hash(link.hash, p_code), false)::int;
	if proofs < 2 then
		update auth.links l set attempts = l.attempts + (p_code is not null)::int where l.hash = link.hash
		returning l.* into link;
		return jsonb_build_object('ok', false, 'attempts_left', 5 - link.attempts);
	end if;
	perform from auth.users u where u.id = link.user_id and u.disabled_at is null for no key update;
	if not found then
		return jsonb_build_object('ok', false, 'attempts_left', null);
	end if;
	update auth.links l set used_at = now(), token_hash = p_token_hash where l.hash = link.hash;
	perform auth.set_language(link.user_id, link.language);
	perform auth.open_session(link.user_id, p_token_hash, '{link}', p_ip, p_agent);
	return jsonb_build_object('ok', true, 'next', link.next);
end
$$;
ALTER FUNCTION api.sign_in(p_link_hash bytea, p_code text, p_flow_hash bytea, p_token_hash bytea, p_ip inet, p_agent text) OWNER TO tollgate_auth;
CREATE FUNCTION api.sign_out() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = 'logout' where s.id = (auth.live_session()).id;
	return null;
end
$$;
ALTER FUNCTION api.sign_out() OWNER TO tollgate_auth;
CREATE FUNCTION api.signed_in() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return to_jsonb(auth.uid() is not null);
end
$$;
ALTER FUNCTION api.signed_in() OWNER TO tollgate_auth;
CREATE FUNCTION api.welcome(p_session text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	checkout billing.checkouts;
	state text;
begin
	update billing.checkouts c set returned_at = now()
	where (c.session_id = p_session or c.replaces = p_session) and c.returned_at is null;
	select c.* into checkout from billing.checkouts c where c.session_id = p_session or c.replaces = p_session;
	state := case
		when checkout.key is null then 'unknown'
		when exists (select from app.tenants t where t.id = checkout.tenant_id and t.status = 'active') then 'ready'
		when checkout.status in ('unpaid', 'failed', 'expired') then checkout.status
		else 'processing' end;
	return jsonb_build_object('state', state, 'plan', 'plan_' || checkout.plan,
		'refresh', case state when 'processing' then billing.refresh_seconds(checkout.returned_at) end);
end
$$;
ALTER FUNCTION api.welcome(p_session text) OWNER TO tollgate_service;
CREATE FUNCTION api.workspace_page() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.require_user();
begin
	return jsonb_build_object('email', auth.email(),
		'display_name', (select p.display_name from app.profiles p where p.user_id = me),
		'tenants', (
			select coalesce(jsonb_agg(jsonb_build_object('role', 'role_' || m.role, 'plan', 'plan_' || s.plan,
				'status', billing.status_name(s.status), 'status_class', billing.status_class(s.status))
				order by m.created_at desc, m.tenant_id), '[]')
			from app.members m join app.tenants t on t.id = m.tenant_id
				cross join lateral billing.current_subscription(m.tenant_id) s
			where m.user_id = me and t.status = 'active'));
end
$$;
ALTER FUNCTION api.workspace_page() OWNER TO tollgate_owner;
CREATE FUNCTION app.managed_tenants() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m
		where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin'));
end
$$;
ALTER FUNCTION app.managed_tenants() OWNER TO tollgate_rls;
CREATE FUNCTION app.my_tenants() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select coalesce(array_agg(m.tenant_id), '{}') from app.members m where m.user_id = (select auth.uid()));
end
$$;
ALTER FUNCTION app.my_tenants() OWNER TO tollgate_rls;
CREATE FUNCTION auth.address_of(p_user uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select u.email from auth.users u where u.id = p_user);
end
$$;
ALTER FUNCTION auth.address_of(p_user uuid) OWNER TO tollgate_auth;
CREATE FUNCTION auth.allow(p_kind text, p_subject text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	per interval;
	unit interval;
begin
	select l.per, l.per / l.allowed into strict per, unit from auth.limits l where l.kind = p_kind;
	insert into auth.hits as h (kind, subject, spent_until)
	values (p_kind, sha256(convert_to(p_kind || ':' || coalesce(p_subject, ''), 'UTF8')), now() + unit)
	on conflict (kind, subject) do update set spent_until = greatest(h.spent_until, now()) + unit
		where greatest(h.spent_until, now()) + unit <= now() + per;
	return found;
end
$$;
ALTER FUNCTION auth.allow(p_kind text, p_subject text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.code_hash(p_link bytea, p_code text) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return sha256(p_link || convert_to(translate(upper(p_code), 'OIL- ', '011'), 'UTF8'));
end
$$;
ALTER FUNCTION auth.code_hash(p_link bytea, p_code text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.contacts(p_users uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('user', u.id, 'email', u.email, 'language', coalesce(p.language, 'en'))
			order by u.created_at, u.id), '[]')
		from auth.users u left join app.profiles p on p.user_id = u.id
		where u.id = any (p_users) and u.disabled_at is null);
end
$$;
ALTER FUNCTION auth.contacts(p_users uuid[]) OWNER TO tollgate_auth;
CREATE FUNCTION auth.email() RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select u.email from auth.users u where u.id = auth.uid());
end
$$;
ALTER FUNCTION auth.email() OWNER TO tollgate_auth;
CREATE FUNCTION auth.ensure_user(p_email text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	canonical text := lower(btrim(p_email));
begin
	insert into auth.users (email, email_canonical) values (btrim(p_email), canonical)
	on conflict (email_canonical) do nothing;
	return (select u.id from auth.users u where u.email_canonical = canonical);
end
$$;
ALTER FUNCTION auth.ensure_user(p_email text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.find_user(p_email text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select u.id from auth.users u where u.email_canonical = lower(btrim(p_email)));
end
$$;
ALTER FUNCTION auth.find_user(p_email text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.keep_house() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	links bigint;
	sessions bigint;
begin
	delete from auth.links d where d.hash in (
		select l.hash from auth.links l where l.created_at < now() - interval '1 day' limit 1000);
	get diagnostics links = row_count;
	delete from auth.sessions d where d.id in (
		select s.id from auth.sessions s
		where least(s.revoked_at, s.idle_until, s.absolute_until) < now() - interval '90 days' limit 1000);
	get diagnostics sessions = row_count;
	delete from auth.hits d where (d.kind, d.subject) in (
		select h.kind, h.subject from auth.hits h where h.spent_until < now() limit 1000);
	return jsonb_build_object('links', links, 'sessions', sessions);
end
$$;
ALTER FUNCTION auth.keep_house() OWNER TO tollgate_auth;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE auth.links (
    hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    flow_hash bytea,
    user_id uuid,
    email_canonical text NOT NULL,
    next text,
    language text,
    ip inet,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    token_hash bytea,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT links_hash_check CHECK ((octet_length(hash) = 32))
);
ALTER TABLE ONLY auth.links FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.links OWNER TO tollgate_owner;
CREATE FUNCTION auth.link_usable(p_link auth.links) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return p_link.hash is not null and p_link.used_at is null and p_link.expires_at > now() and p_link.attempts < 5;
end
$$;
ALTER FUNCTION auth.link_usable(p_link auth.links) OWNER TO tollgate_auth;
CREATE TABLE auth.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    absolute_until timestamp with time zone NOT NULL,
    idle_until timestamp with time zone NOT NULL,
    auth_at timestamp with time zone NOT NULL,
    amr text[] NOT NULL,
    revoked_at timestamp with time zone,
    revoke_reason text,
    ip inet,
    agent text,
    CONSTRAINT sessions_check CHECK (((revoked_at IS NULL) = (revoke_reason IS NULL))),
    CONSTRAINT sessions_revoke_reason_check CHECK ((revoke_reason = ANY (ARRAY['logout'::text, 'reuse'::text, 'password'::text, 'admin'::text, 'limit'::text, 'deleted'::text])))
);
ALTER TABLE ONLY auth.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.sessions OWNER TO tollgate_owner;
CREATE FUNCTION auth.live_session() RETURNS auth.sessions
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
	bearer text := current_setting('app.bearer', true);
	live auth.sessions;
begin
	if bearer is null or bearer !~ '^[0-9a-f]{64}$' then
		return null;
	end if;
	select s.* into live
	from auth.tokens t join auth.sessions s on s.id = t.session_id join auth.users u on u.id = s.user_id
	where t.hash = sha256(decode(bearer, 'hex'))
		and (t.retired_at is null or t.retired_at > now() - interval '30 s')
		and s.revoked_at is null and s.absolute_until > now() and s.idle_until > now()
		and u.disabled_at is null;
	return live;
end
$_$;
ALTER FUNCTION auth.live_session() OWNER TO tollgate_auth;
CREATE FUNCTION auth.make_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into app.profiles (user_id, display_name) values (new.id, split_part(new.email, '@', 1));
	return null;
end
$$;
ALTER FUNCTION auth.make_profile() OWNER TO tollgate_auth;
CREATE FUNCTION auth.mint_link(p_user uuid, p_email text, p_flow bytea, p_next text, p_language text, p_ip inet, p_key text, p_template text, p_data jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	canonical text := lower(btrim(p_email));
	recipient text := coalesce((select u.email from auth.users u where u.id = p_user), p_email);
	token bytea := auth.random_bytes();
	code text := auth.random_code();
	secrets jsonb := jsonb_build_object(
		'token', rtrim(translate(encode(token, 'base64'), '+/', '-_'), '='),
		'code', substr(code, 1, 4) || '-' || substr(code, 5));
begin
	update auth.links l set expires_at = now()
	where l.email_canonical = canonical and l.used_at is null and l.expires_at > now() and p_user is not null;
	insert into auth.links (hash, code_hash, flow_hash, user_id, email_canonical, next, language, ip, expires_at)
	values (sha256(token), auth.code_hash(sha256(token), code), p_flow, p_user, canonical, p_next, p_language, p_ip,
		now() + interval '10 min');
	insert into mail.outbox (key, recipient, template, language, data, state)
	values (p_key, recipient, p_template, p_language,
		case when p_user is null then '{}' else secrets || jsonb_strip_nulls(p_data) end,
		case when p_user is null then 'void' else 'pending' end);
end
$$;
ALTER FUNCTION auth.mint_link(p_user uuid, p_email text, p_flow bytea, p_next text, p_language text, p_ip inet, p_key text, p_template text, p_data jsonb) OWNER TO tollgate_auth;
CREATE FUNCTION auth.neighbourhood(p_ip inet) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if p_ip <<= inet '::ffff:0:0/96' then
		return host(inet '0.0.0.0' + (p_ip - inet '::ffff:0:0'));
	elsif family(p_ip) = 6 then
		return network(set_masklen(p_ip, 64))::text;
	end if;
	return host(p_ip);
end
$$;
ALTER FUNCTION auth.neighbourhood(p_ip inet) OWNER TO tollgate_auth;
CREATE FUNCTION auth.open_session(p_user uuid, p_token_hash bytea, p_amr text[], p_ip inet, p_agent text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	session uuid;
begin
	insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr, ip, agent)
	values (p_user, now() + interval '30 days', now() + interval '7 days', now(), p_amr, p_ip, left(p_agent, 300))
	returning id into session;
	insert into auth.tokens (hash, session_id, confirmed_at) values (p_token_hash, session, now());
	perform auth.trim_sessions(p_user, session);
end
$$;
ALTER FUNCTION auth.open_session(p_user uuid, p_token_hash bytea, p_amr text[], p_ip inet, p_agent text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.random_bytes() RETURNS bytea
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
end
$$;
ALTER FUNCTION auth.random_bytes() OWNER TO tollgate_auth;
CREATE FUNCTION auth.random_code() RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	bytes bytea := auth.random_bytes();
	code text := '';
begin
	for i in 0..7 loop
		code := code || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', get_byte(bytes, i) % 32 + 1, 1);
	end loop;
	return code;
end
$$;
ALTER FUNCTION auth.random_code() OWNER TO tollgate_auth;
CREATE FUNCTION auth.require_user() RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	live auth.sessions := auth.live_session();
begin
	if live.id is null then
		raise exception 'no session' using errcode = 'TG401';
	end if;
	if live.idle_until < least(live.absolute_until, now() + interval '7 days' - interval '5 min') then
		update auth.sessions s set idle_until = least(s.absolute_until, now() + interval '7 days') where s.id = live.id;
	end if;
	return live.user_id;
end
$$;
ALTER FUNCTION auth.require_user() OWNER TO tollgate_auth;
CREATE FUNCTION auth.set_language(p_user uuid, p_language text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update app.profiles p set language = p_language
	where p.user_id = p_user and p_language is not null and p.language is distinct from p_language;
end
$$;
ALTER FUNCTION auth.set_language(p_user uuid, p_language text) OWNER TO tollgate_auth;
CREATE FUNCTION auth.trim_sessions(p_user uuid, p_newest uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update auth.sessions s set revoked_at = now(), revoke_reason = 'limit'
	where s.id in (
		select o.id from auth.sessions o
		where o.user_id = p_user and o.revoked_at is null and o.absolute_until > now() and o.idle_until > now()
		order by (o.id = p_newest) desc, o.created_at desc, o.id
		offset 20);
end
$$;
ALTER FUNCTION auth.trim_sessions(p_user uuid, p_newest uuid) OWNER TO tollgate_auth;
CREATE FUNCTION auth.uid() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (auth.live_session()).user_id;
end
$$;
ALTER FUNCTION auth.uid() OWNER TO tollgate_auth;
CREATE TABLE app.members (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'member'::text])))
);
ALTER TABLE ONLY app.members FORCE ROW LEVEL SECURITY;
ALTER TABLE app.members OWNER TO tollgate_owner;
CREATE FUNCTION billing.account_document(mine app.members) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	current billing.subscriptions := billing.current_subscription(mine.tenant_id);
begin
	return billing.dates_document(current) || jsonb_build_object(
		'plan', 'plan_' || current.plan, 'status', billing.status_name(current.status),
		'status_class', billing.status_class(current.status),
		'can_manage', exists (select from billing.customers c where c.tenant_id = mine.tenant_id and not c.deleted),
		'can_subscribe', coalesce(billing.my_checkout_state(mine.tenant_id) = 'open', false),
		'entitlement', billing.entitlement_document(mine.tenant_id), 'next', billing.next_document(current));
end
$$;
ALTER FUNCTION billing.account_document(mine app.members) OWNER TO tollgate_owner;
CREATE FUNCTION billing.amount_document(p_minor bigint, p_currency text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	digits int := billing.digits_of(p_currency);
	figures text := lpad(abs(p_minor)::text, greatest(length(abs(p_minor)::text), digits + 1), '0');
begin
	if p_minor is null or digits is null then
		return null;
	end if;
	return jsonb_build_object('minor', p_minor, 'currency', p_currency, 'text', concat(case when p_minor < 0 then '-' end,
		left(figures, length(figures) - digits), case when digits > 0 then '.' || right(figures, digits) end, ' ', upper(p_currency)));
end
$$;
ALTER FUNCTION billing.amount_document(p_minor bigint, p_currency text) OWNER TO tollgate_owner;
CREATE FUNCTION billing.appoint_owner(p_tenant uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	checkout billing.checkouts;
	owner uuid;
begin
	select c.* into checkout from billing.checkouts c where c.tenant_id = p_tenant
	order by (c.status = 'complete') desc, c.created_at desc limit 1;
	if checkout.key is null then
		return;
	end if;
	owner := auth.ensure_user(checkout.email);
	perform auth.set_language(owner, checkout.language);
	insert into app.members (tenant_id, user_id, role) values (p_tenant, owner, 'owner') on conflict do nothing;
	perform auth.mint_link(owner, checkout.email, checkout.flow_hash, null, checkout.language, null,
		'welcome:' || p_tenant, 'welcome', jsonb_build_object('plan', 'plan_' || checkout.plan));
	perform billing.mail_what_is_open(p_tenant);
end
$$;
ALTER FUNCTION billing.appoint_owner(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION billing.best_verdict(p_tenant uuid, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select v.verdict || jsonb_build_object('plans',
			jsonb_agg(to_jsonb(h.plans)) filter (where v.verdict -> 'allowed' = 'true') over ())
		from billing.subscription_history h cross join lateral billing.plan_at(h.plan, p_at) p
			cross join lateral billing.verdict_on(h, p_at) v (verdict)
		where h.tenant_id = p_tenant and billing.in_force(h.from_at, h.to_at, p_at)
		order by v.verdict -> 'allowed' desc, billing.is_live(h.status) desc, p.rank desc nulls last,
			h.created_at desc nulls last, h.subscription_id limit 1);
end
$$;
ALTER FUNCTION billing.best_verdict(p_tenant uuid, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.bind_customer(p_tenant uuid, p_customer text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.lock_customer(p_customer);
	insert into billing.customers (id, tenant_id) values (p_customer, p_tenant) on conflict do nothing;
	if found then
		perform sync.adopt(p_customer);
		perform billing.clear_alert('second_customer', p_customer);
	end if;
	return exists (select from billing.customers c where c.id = p_customer and c.tenant_id = p_tenant);
end
$$;
ALTER FUNCTION billing.bind_customer(p_tenant uuid, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.changes(p_old jsonb, p_new jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_object_agg(n.key, jsonb_build_array(p_old -> n.key, n.value)), '{}')
		from jsonb_each(p_new) n
		where n.key <> 'synced_at' and n.value <> coalesce(p_old -> n.key, 'null'));
end
$$;
ALTER FUNCTION billing.changes(p_old jsonb, p_new jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.checkout_customer(p_tenant uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(
		(select c.id from billing.customers c where c.tenant_id = p_tenant and not c.deleted),
		(select c.customer_id from billing.checkouts c where c.tenant_id = p_tenant and c.customer_id is not null
			and not exists (select from billing.customers g where g.id = c.customer_id and g.deleted)
			order by c.created_at desc limit 1));
end
$$;
ALTER FUNCTION billing.checkout_customer(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION billing.checkout_state(p_tenant uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when exists (select from billing.subscriptions s where s.tenant_id = p_tenant and billing.is_live(s.status)) then 'portal'
		when exists (select from billing.checkouts c where c.tenant_id = p_tenant and c.status in ('complete', 'unpaid')
			and c.subscription_id is not null
			and not exists (select from billing.subscriptions s where s.id = c.subscription_id)) then 'processing'
		else 'open' end;
end
$$;
ALTER FUNCTION billing.checkout_state(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION billing.checkout_status_of(p_doc jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when p_doc ->> 'status' is distinct from 'complete' then case p_doc ->> 'status' when 'expired' then 'expired' else 'open' end
		when p_doc ->> 'payment_status' in ('paid', 'no_payment_required') then 'complete'
		else 'unpaid' end;
end
$$;
ALTER FUNCTION billing.checkout_status_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.clear_alert(p_kind text, p_subject text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.alerts a set cleared_at = now()
	where a.kind = p_kind and a.subject = p_subject and a.cleared_at is null;
end
$$;
ALTER FUNCTION billing.clear_alert(p_kind text, p_subject text) OWNER TO tollgate_service;
CREATE FUNCTION billing.compare_price(p_price text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	difference jsonb;
begin
	select jsonb_strip_nulls(jsonb_build_object('plan', l.id,
		'active', case when not p.active then p.active end,
		'amount', case when l.amount <> p.amount or l.amount is not null and p.amount is null then jsonb_build_array(l.amount, p.amount) end,
		'currency', case when l.currency <> p.currency then jsonb_build_array(l.currency, p.currency) end,
		'interval', case when l.amount is not null and l.interval <> p.interval then jsonb_build_array(l.interval, p.interval) end))
	into difference
	from billing.plans l join billing.prices p on p.id = l.price where p.id = p_price and l.offered and p.synced_at is not null;
	perform billing.watch(difference - 'plan' <> '{}', null, 'drift', 'price:' || p_price, difference);
end
$$;
ALTER FUNCTION billing.compare_price(p_price text) OWNER TO tollgate_service;
CREATE FUNCTION billing.currency_fault(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select 'currency is not that of ' || s.id from billing.subscriptions s
		where s.id = billing.subscription_of(p_invoice) and s.currency <> p_invoice ->> 'currency');
end
$$;
ALTER FUNCTION billing.currency_fault(p_invoice jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.subscriptions (
    id text NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id text,
    status text NOT NULL,
    plan text,
    price text,
    quantity bigint,
    period_start timestamp with time zone,
    period_end timestamp with time zone,
    cancel_at_period_end boolean DEFAULT false NOT NULL,
    cancel_at timestamp with time zone,
    canceled_at timestamp with time zone,
    ended_at timestamp with time zone,
    trial_end timestamp with time zone,
    created_at timestamp with time zone,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    past_due_since timestamp with time zone,
    plans text[] DEFAULT '{}'::text[] NOT NULL,
    currency text,
    amount bigint
);
ALTER TABLE ONLY billing.subscriptions FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.subscriptions OWNER TO tollgate_owner;
CREATE FUNCTION billing.current_subscription(p_tenant uuid) RETURNS billing.subscriptions
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	current billing.subscriptions;
begin
	select s.* into current from billing.subscriptions s where s.tenant_id = p_tenant
	order by case when s.status in ('active', 'trialing') then 0 when s.status in ('canceled', 'incomplete_expired') then 2
		else 1 end, s.created_at desc nulls last, s.id limit 1;
	return current;
end
$$;
ALTER FUNCTION billing.current_subscription(p_tenant uuid) OWNER TO tollgate_owner;
CREATE TABLE billing.checkouts (
    key bytea NOT NULL,
    tenant_id uuid NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    email text NOT NULL,
    email_canonical text NOT NULL,
    plan text NOT NULL,
    language text NOT NULL,
    flow_hash bytea,
    session_id text,
    status text DEFAULT 'open'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    opened_at timestamp with time zone,
    returned_at timestamp with time zone,
    price text,
    user_id uuid,
    customer_id text,
    subscription_id text,
    replaces text,
    customer_attempt integer DEFAULT 1 NOT NULL,
    CONSTRAINT checkouts_status_check CHECK ((status = ANY (ARRAY['open'::text, 'complete'::text, 'expired'::text, 'unpaid'::text, 'failed'::text])))
);
ALTER TABLE ONLY billing.checkouts FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.checkouts OWNER TO tollgate_owner;
CREATE FUNCTION billing.customer_key(c billing.checkouts) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return format('customer:%s:%s', encode(c.key, 'hex'), c.customer_attempt
		+ (select count(*) from billing.customers g where g.tenant_id = c.tenant_id and g.deleted));
end
$$;
ALTER FUNCTION billing.customer_key(c billing.checkouts) OWNER TO tollgate_service;
CREATE FUNCTION billing.customer_tenant(p_customer text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce((select c.tenant_id from billing.customers c where c.id = p_customer),
		(select s.tenant_id from billing.subscriptions s where s.customer_id = p_customer order by s.created_at limit 1));
end
$$;
ALTER FUNCTION billing.customer_tenant(p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.dates_document(s billing.subscriptions) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	live boolean := s.status in ('active', 'trialing', 'past_due');
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
begin
	return jsonb_build_object('period_end', api.date_document(s.period_end),
		'ends_on', api.date_document(case when s.ended_at is null then ends end),
		'ended_on', api.date_document(s.ended_at),
		'renews_on', api.date_document(case when live and ends is null then s.period_end end),
		'trial_ends_on', api.date_document(case when s.status = 'trialing' then s.trial_end end));
end
$$;
ALTER FUNCTION billing.dates_document(s billing.subscriptions) OWNER TO tollgate_owner;
CREATE FUNCTION billing.digits_of(p_currency text) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when p_currency = any ('{bif,clp,djf,gnf,jpy,kmf,krw,mga,pyg,rwf,vnd,vuv,xaf,xof,xpf}') then 0
		when p_currency = any ('{bhd,iqd,jod,kwd,lyd,omr,tnd}') then 3
		when p_currency = any ('{aed,afn,all,amd,ang,aoa,ars,aud,awg,azn,bam,bbd,bdt,bgn,bmd,bnd,bob,brl,bsd,btn,bwp,byn,bzd,
			cad,cdf,chf,cny,cop,crc,cup,cve,czk,dkk,dop,dzd,egp,ern,etb,eur,fjd,fkp,gbp,gel,ghs,gip,gmd,gtq,gyd,hkd,hnl,hrk,
			htg,huf,idr,ils,inr,irr,isk,jmd,kes,kgs,khr,kpw,kyd,kzt,lak,lbp,lkr,lrd,lsl,mad,mdl,mkd,mmk,mnt,mop,mru,mur,mvr,
			mwk,mxn,myr,mzn,nad,ngn,nio,nok,npr,nzd,pab,pen,pgk,php,pkr,pln,qar,ron,rsd,rub,sar,sbd,scr,sdg,sek,sgd,shp,sle,
			sll,sos,srd,ssp,std,stn,svc,syp,szl,thb,tjs,tmt,top,try,ttd,twd,tzs,uah,ugx,usd,uyu,uzs,ved,ves,wst,xcd,xcg,yer,
			zar,zmw,zwg}') then 2 end;
end
$$;
ALTER FUNCTION billing.digits_of(p_currency text) OWNER TO tollgate_owner;
CREATE FUNCTION billing.dispute_fault(p_doc jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return billing.fault_of(p_doc, '{"status": "text", "currency": "currency", "amount": "whole", "amount_refunded": "whole",
		"created": "time"}');
end
$$;
ALTER FUNCTION billing.dispute_fault(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.dispute_policy(p_status text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when p_status in ('won', 'prevented', 'warning_closed') then 'dispute_won'
		when p_status = 'lost' then 'dispute_lost'
		when p_status like 'warning\_%' then 'inquiry'
		else 'dispute_open' end;
end
$$;
ALTER FUNCTION billing.dispute_policy(p_status text) OWNER TO tollgate_service;
CREATE FUNCTION billing.doubt_invoices(p_id text, p_doc jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.mark('invoice', d.id) from (
		select i.id from billing.invoices i
		where i.tenant_id = billing.subscription_tenant(p_id, p_doc) and i.subscription_id = p_id
			and i.currency <> p_doc ->> 'currency' order by i.id) d;
end
$$;
ALTER FUNCTION billing.doubt_invoices(p_id text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.drop_drafts() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	dropped bigint;
begin
	delete from app.tenants d where d.id in (
		select t.id from app.tenants t
		where t.status = 'draft' and t.created_at < now() - interval '7 days'
			and not exists (select from billing.customers c where c.tenant_id = t.id)
			and not exists (select from billing.subscriptions s where s.tenant_id = t.id)
			and not exists (select from billing.checkouts c where c.tenant_id = t.id
				and (c.status in ('complete', 'unpaid') and c.created_at > now() - interval '30 days' or not billing.is_settled(c)))
			and not exists (select from billing.overrides o where o.tenant_id = t.id)
			and not exists (select from billing.alerts a where a.tenant_id = t.id)
			and not exists (select from billing.invoices i where i.tenant_id = t.id)
		limit 500 for update skip locked);
	get diagnostics dropped = row_count;
	return dropped;
end
$$;
ALTER FUNCTION billing.drop_drafts() OWNER TO tollgate_service;
CREATE FUNCTION billing.ensure_checkout(p_tenant uuid, p_key bytea, p_plan text, p_price text, p_language text, p_customer text) RETURNS billing.checkouts
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.uid();
	c billing.checkouts;
begin
	select o.* into c from billing.checkouts o where o.tenant_id = p_tenant and o.status = 'open';
	if found and c.plan = p_plan and c.user_id is not null and not billing.is_past_its_day(c.opened_at)
			and c.price is not null and coalesce(c.customer_id = p_customer, c.customer_id is null) then
		return c;
	elsif not auth.allow('draft_address', p_tenant::text) then
		raise exception 'too many checkouts' using errcode = 'TG429';
	elsif c.key is not null then
		update billing.checkouts o set attempt = o.attempt + 1, plan = p_plan, price = p_price, language = p_language,
			user_id = me, replaces = coalesce(o.session_id, o.replaces), session_id = null, opened_at = null, returned_at = null
		where o.key = c.key returning o.* into c;
		return c;
	end if;
	insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, price, language, user_id)
	values (case when exists (select from billing.checkouts o where o.key = p_key)
			then sha256(p_key || uuid_send(gen_random_uuid())) else p_key end,
		p_tenant, auth.email(), lower(auth.email()), p_plan, p_price, p_language, me)
	returning * into c;
	return c;
end
$$;
ALTER FUNCTION billing.ensure_checkout(p_tenant uuid, p_key bytea, p_plan text, p_price text, p_language text, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.entitlement(p_tenant uuid, p_at timestamp with time zone DEFAULT now()) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
	answer jsonb := '{"allowed": false, "plan": null, "reason": "no_subscription", "until": null, "subscription": null, "status": null}'
		|| coalesce(billing.best_verdict(p_tenant, p_at), '{}');
	plans text[] := array(select jsonb_path_query(answer, '$.plans[*][*]') #>> '{}');
	word record;
begin
	select h.allowed, h.plan, h.until into word from billing.override_history h
	where h.tenant_id = p_tenant and billing.in_force(h.from_at, h.to_at, p_at)
		and (h.until is null or h.until > p_at);
	if found then
		answer := answer || jsonb_build_object('allowed', word.allowed, 'plan', coalesce(word.plan, answer ->> 'plan'),
			'reason', 'override', 'until', api.date_document(word.until) ->> 'iso');
		plans := case when word.plan is null then plans || (answer ->> 'plan') else array[word.plan] end;
	end if;
	return answer - 'plans' || jsonb_build_object('features', case when (answer -> 'allowed')::boolean
		then billing.features_at(plans, p_at) else '[]' end);
end
$_$;
ALTER FUNCTION billing.entitlement(p_tenant uuid, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.entitlement_document(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	e jsonb := billing.entitlement(p_tenant);
begin
	return jsonb_build_object('allowed', e -> 'allowed', 'plan', 'plan_' || (e ->> 'plan'), 'reason', 'reason_' || (e ->> 'reason'),
		'features', e -> 'features', 'until', api.date_document((e ->> 'until')::timestamptz));
end
$$;
ALTER FUNCTION billing.entitlement_document(p_tenant uuid) OWNER TO tollgate_owner;
CREATE FUNCTION billing.fault_of(p_doc jsonb, p_members jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select m.name || ' ' || f.fault from jsonb_each_text(p_members) m (name, kind)
			cross join lateral billing.member_fault(p_doc #> string_to_array(m.name, '.'), m.kind) f (fault)
		where f.fault is not null order by m.name limit 1);
end
$$;
ALTER FUNCTION billing.fault_of(p_doc jsonb, p_members jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.features_at(p_plans text[], p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(u.feature order by u.n), '[]') from (
			select distinct on (f.feature) f.feature, row_number() over (order by h.rank desc, h.plan, f.n) as n
			from billing.plan_history h cross join unnest(h.features) with ordinality f (feature, n)
			where h.plan = any (p_plans) and billing.in_force(h.from_at, h.to_at, p_at)
			order by f.feature, n) u);
end
$$;
ALTER FUNCTION billing.features_at(p_plans text[], p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.follow_key(p_key text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.give_price(l.id, p.id) from billing.plans l cross join lateral (
		select n.id from billing.prices n where n.lookup_key = l.lookup_key and n.active and n.synced_at is not null
		order by n.synced_at desc, n.id limit 1) p
	where l.lookup_key = p_key;
end
$$;
ALTER FUNCTION billing.follow_key(p_key text) OWNER TO tollgate_service;
CREATE FUNCTION billing.give_price(p_plan text, p_price text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.plans p set price = null where p.price = p_price and p.id <> p_plan;
	update billing.plans p set price = p_price where p.id = p_plan and p.price is distinct from p_price;
	insert into billing.prices as p (id, plan) values (p_price, p_plan)
	on conflict (id) do update set plan = excluded.plan where p.plan is distinct from excluded.plan;
	perform billing.settle_price(p_price);
end
$$;
ALTER FUNCTION billing.give_price(p_plan text, p_price text) OWNER TO tollgate_service;
CREATE FUNCTION billing.grace_end(p_plan text, p_since timestamp with time zone, p_at timestamp with time zone DEFAULT now()) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return p_since + coalesce((billing.plan_at(p_plan, p_at)).grace, interval '7 days');
end
$$;
ALTER FUNCTION billing.grace_end(p_plan text, p_since timestamp with time zone, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.hints_of(p_kind text, p_id text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return array(
		select distinct k.kind from inbox.events e join billing.notice_kinds k on k.event = e.type
		where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done');
end
$$;
ALTER FUNCTION billing.hints_of(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION billing.holds(p_actual jsonb, p_wanted jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if jsonb_typeof(p_actual) is distinct from jsonb_typeof(p_wanted) then
		return false;
	elsif jsonb_typeof(p_wanted) = 'object' then
		return (select coalesce(bool_and(billing.holds(p_actual -> w.key, w.value)), true) from jsonb_each(p_wanted) w);
	elsif jsonb_typeof(p_wanted) = 'array' then
		return jsonb_array_length(p_actual) = jsonb_array_length(p_wanted) and not exists (
			select from jsonb_array_elements(p_wanted) w where not exists (
				select from jsonb_array_elements(p_actual) a where billing.holds(a, w)));
	end if;
	return p_actual = p_wanted;
end
$$;
ALTER FUNCTION billing.holds(p_actual jsonb, p_wanted jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.id_of(p_ref jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case jsonb_typeof(p_ref) when 'string' then p_ref #>> '{}' when 'object' then p_ref ->> 'id' end;
end
$$;
ALTER FUNCTION billing.id_of(p_ref jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.in_force(p_from timestamp with time zone, p_to timestamp with time zone, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case when p_at >= now() then p_to is null else p_from <= p_at and (p_to is null or p_to > p_at) end;
end
$$;
ALTER FUNCTION billing.in_force(p_from timestamp with time zone, p_to timestamp with time zone, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.invoice_documents(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('number', i.number,
			'status', 'invoice_' || case when i.status in ('open', 'paid', 'void', 'uncollectible') then i.status else 'unknown' end,
			'date', api.date_document(i.created_at), 'amount', billing.amount_document(i.total, i.currency),
			'hosted_url', i.hosted_url, 'pdf_url', i.pdf_url) order by i.created_at desc nulls last, i.id), '[]')
		from (
			select l.* from billing.invoices l where l.tenant_id = p_tenant and l.status <> 'draft'
			order by l.created_at desc nulls last, l.id limit 12) i);
end
$$;
ALTER FUNCTION billing.invoice_documents(p_tenant uuid) OWNER TO tollgate_owner;
CREATE FUNCTION billing.invoice_fault(p_doc jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return billing.fault_of(p_doc, '{"status": "text", "currency": "currency", "amount_due": "whole", "amount_paid": "whole",
		"total": "balance", "attempt_count": "count", "created": "time", "period_start": "time", "period_end": "time",
		"due_date": "time", "next_payment_attempt": "time", "status_transitions.paid_at": "time"}');
end
$$;
ALTER FUNCTION billing.invoice_fault(p_doc jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.invoices (
    id text NOT NULL,
    tenant_id uuid NOT NULL,
    customer_id text,
    subscription_id text,
    number text,
    status text,
    currency text,
    amount_due bigint,
    amount_paid bigint,
    total bigint,
    created_at timestamp with time zone,
    period_start timestamp with time zone,
    period_end timestamp with time zone,
    due_at timestamp with time zone,
    paid_at timestamp with time zone,
    attempt_count integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    hosted_url text,
    pdf_url text,
    billing_reason text,
    action_required boolean DEFAULT false NOT NULL,
    synced_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY billing.invoices FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.invoices OWNER TO tollgate_owner;
CREATE FUNCTION billing.invoice_payload(i billing.invoices) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return jsonb_build_object('invoice', i.id, 'url', i.hosted_url, 'amount', billing.amount_document(i.amount_due, i.currency),
		'date', api.date_document(i.next_attempt_at),
		'plan', 'plan_' || (select s.plan from billing.subscriptions s where s.id = i.subscription_id));
end
$$;
ALTER FUNCTION billing.invoice_payload(i billing.invoices) OWNER TO tollgate_service;
CREATE FUNCTION billing.invoice_tenant(p_id text, p_doc jsonb) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce((select i.tenant_id from billing.invoices i where i.id = p_id),
		(select s.tenant_id from billing.subscriptions s where s.id = billing.subscription_of(p_doc)),
		billing.tenant_named_in(p_doc #> '{parent,subscription_details}'),
		billing.tenant_named_in(p_doc -> 'subscription_details'),
		billing.customer_tenant(billing.id_of(p_doc -> 'customer')));
end
$$;
ALTER FUNCTION billing.invoice_tenant(p_id text, p_doc jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.subscription_history (
    id bigint NOT NULL,
    subscription_id text NOT NULL,
    tenant_id uuid NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone,
    status text NOT NULL,
    plan text,
    price text,
    quantity bigint,
    period_start timestamp with time zone,
    period_end timestamp with time zone,
    cancel_at_period_end boolean NOT NULL,
    cancel_at timestamp with time zone,
    canceled_at timestamp with time zone,
    ended_at timestamp with time zone,
    trial_end timestamp with time zone,
    past_due_since timestamp with time zone,
    created_at timestamp with time zone,
    plans text[] DEFAULT '{}'::text[] NOT NULL
);
ALTER TABLE ONLY billing.subscription_history FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.subscription_history OWNER TO tollgate_owner;
CREATE FUNCTION billing.is_disputed(h billing.subscription_history, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return exists (
		select from billing.disputes d join billing.policies p on p.kind = d.policy
		where d.tenant_id = h.tenant_id and p.effect = 'restrict' and billing.in_force(d.opened_at, d.closed_at, p_at)
			and coalesce(d.created_at >= h.created_at, true));
end
$$;
ALTER FUNCTION billing.is_disputed(h billing.subscription_history, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.is_live(p_status text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return p_status not in ('canceled', 'incomplete_expired');
end
$$;
ALTER FUNCTION billing.is_live(p_status text) OWNER TO tollgate_owner;
CREATE FUNCTION billing.is_my_customer(p_customer text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(billing.customer_tenant(p_customer) = any (app.managed_tenants()), false)
		and not exists (select from billing.customers c where c.id = p_customer and c.deleted);
end
$$;
ALTER FUNCTION billing.is_my_customer(p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.is_past_its_day(p_opened timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(p_opened < now() - interval '23 hours', false);
end
$$;
ALTER FUNCTION billing.is_past_its_day(p_opened timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION billing.is_settled(c billing.checkouts) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (c.opened_at is null or exists (
			select from sync.cursors k where k.name = 'events' and k.seen_at > c.opened_at + interval '25 hours'))
		and not exists (
			select from (values ('checkout', c.session_id), ('subscription', c.subscription_id), ('customer', c.customer_id)) n (kind, id)
			join sync.objects o on o.kind = n.kind and o.id = n.id where o.version > o.clean_version);
end
$$;
ALTER FUNCTION billing.is_settled(c billing.checkouts) OWNER TO tollgate_service;
CREATE FUNCTION billing.is_sold(p_product text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return exists (select from billing.prices p join billing.plans l on l.price = p.id where p.product = p_product and l.offered);
end
$$;
ALTER FUNCTION billing.is_sold(p_product text) OWNER TO tollgate_service;
CREATE FUNCTION billing.items_of(p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case jsonb_typeof(p_doc #> '{items,data}') when 'array' then p_doc #> '{items,data}' else '[]' end;
end
$$;
ALTER FUNCTION billing.items_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.keep_override_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	at timestamptz := greatest(now(), (select h.from_at from billing.override_history h
		where h.tenant_id = new.tenant_id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and to_jsonb(old) - 'set_at' = to_jsonb(new) - 'set_at' then
		return null;
	end if;
	update billing.override_history h set to_at = at where h.tenant_id = new.tenant_id and h.to_at is null;
	insert into billing.override_history (tenant_id, from_at, allowed, plan, until, reason, set_by)
	values (new.tenant_id, at, new.allowed, new.plan, new.until, new.reason, new.set_by);
	return null;
end
$$;
ALTER FUNCTION billing.keep_override_history() OWNER TO tollgate_service;
CREATE FUNCTION billing.keep_plan_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	at timestamptz := greatest(now(), (select h.from_at from billing.plan_history h
		where h.plan = new.id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and (old.rank, old.grace, old.features) = (new.rank, new.grace, new.features) then
		return null;
	end if;
	update billing.plan_history h set to_at = at where h.plan = new.id and h.to_at is null;
	insert into billing.plan_history (plan, from_at, rank, grace, features)
	values (new.id, case tg_op when 'INSERT' then '-infinity' else at end, new.rank, new.grace, new.features);
	return null;
end
$$;
ALTER FUNCTION billing.keep_plan_history() OWNER TO tollgate_service;
CREATE FUNCTION billing.keep_subscription_history() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	apart text[] := '{synced_at, customer_id, currency, amount}';
	at timestamptz := greatest(now(), (select h.from_at from billing.subscription_history h
		where h.subscription_id = new.id and h.to_at is null));
begin
	if tg_op = 'UPDATE' and to_jsonb(old) - apart = to_jsonb(new) - apart then
		return null;
	end if;
	update billing.subscription_history h set to_at = at where h.subscription_id = new.id and h.to_at is null;
	insert into billing.subscription_history (subscription_id, tenant_id, from_at, status, plan, plans, price, quantity,
		period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, past_due_since,
		created_at)
	values (new.id, new.tenant_id, at, new.status, new.plan, new.plans, new.price, new.quantity, new.period_start, new.period_end,
		new.cancel_at_period_end, new.cancel_at, new.canceled_at, new.ended_at, new.trial_end, new.past_due_since,
		new.created_at);
	return null;
end
$$;
ALTER FUNCTION billing.keep_subscription_history() OWNER TO tollgate_service;
CREATE FUNCTION billing.lacks_items(p_doc jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(p_doc #> '{items,has_more}' = 'true', false);
end
$$;
ALTER FUNCTION billing.lacks_items(p_doc jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.notifications (
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    user_id uuid,
    kind text NOT NULL,
    fact text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone
);
ALTER TABLE ONLY billing.notifications FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.notifications OWNER TO tollgate_owner;
CREATE FUNCTION billing.mail_notice(n billing.notifications) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into mail.outbox (key, recipient, template, language, data)
	select concat_ws(':', 'notice', n.tenant_id, n.kind, n.fact, c ->> 'user'), c ->> 'email', 'notice_' || n.kind,
		c ->> 'language', n.payload
	from jsonb_array_elements(auth.contacts(array(
		select m.user_id from app.members m where m.tenant_id = n.tenant_id and m.role in ('owner', 'admin')))) c
	where (select k.mailed from billing.notice_kinds k where k.kind = n.kind)
	on conflict (key) do nothing;
end
$$;
ALTER FUNCTION billing.mail_notice(n billing.notifications) OWNER TO tollgate_service;
CREATE FUNCTION billing.mail_what_is_open(p_tenant uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.mail_notice(n) from billing.notifications n join billing.invoices i on i.id = n.payload ->> 'invoice'
	where n.tenant_id = p_tenant and i.status = 'open'
		and (n.kind = 'action_required' or n.kind = 'payment_failed' and n.fact = i.id || ':' || i.attempt_count);
end
$$;
ALTER FUNCTION billing.mail_what_is_open(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION billing.main_item_of(p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select i.item from jsonb_array_elements(billing.items_of(p_doc)) with ordinality i (item, n)
			left join billing.plans p on p.id = billing.plan_of(billing.price_of(i.item))
		order by p.rank desc nulls last, i.n limit 1);
end
$$;
ALTER FUNCTION billing.main_item_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.manager_tenant() RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	me uuid := auth.require_user();
	mine record;
begin
	select m.tenant_id, m.role into mine from billing.my_tenant() m;
	if mine.tenant_id is null then
		raise exception 'no tenant' using errcode = 'TG404';
	elsif mine.role = 'member' then
		raise exception 'only who manages the tenant' using errcode = 'TG403';
	end if;
	return mine.tenant_id;
end
$$;
ALTER FUNCTION billing.manager_tenant() OWNER TO tollgate_service;
CREATE FUNCTION billing.member_fault(p_value jsonb, p_kind text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	type text := coalesce(jsonb_typeof(p_value), 'null');
	whole bigint := billing.whole_of(p_value);
	least_allowed bigint;
	most_allowed bigint;
begin
	if type = 'null' then
		return case p_kind when 'word' then 'is missing' end;
	elsif p_kind in ('word', 'text') then
		return case when type <> 'string' then 'is no text' end;
	elsif p_kind = 'currency' then
		return case when billing.digits_of(p_value #>> '{}') is null then 'is none' end;
	elsif p_kind = 'time' and whole is not null then
		return case when billing.time_of(p_value) is null then 'is out of range' end;
	end if;
	select k.least_allowed, k.most_allowed into least_allowed, most_allowed
	from (values ('whole', 0, 9007199254740992), ('balance', -9007199254740992, 9007199254740992), ('count', 0, 2147483647))
		k (kind, least_allowed, most_allowed)
	where k.kind = p_kind;
	return case when whole is null then 'is not a whole number'
		when whole < 0 and least_allowed = 0 then 'is negative'
		when whole not between least_allowed and most_allowed then 'is out of range' end;
end
$$;
ALTER FUNCTION billing.member_fault(p_value jsonb, p_kind text) OWNER TO tollgate_service;
CREATE FUNCTION billing.my_checkout_state(p_tenant uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case when p_tenant = any (app.managed_tenants()) then billing.checkout_state(p_tenant) end;
end
$$;
ALTER FUNCTION billing.my_checkout_state(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION billing.my_tenant() RETURNS app.members
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	mine app.members;
begin
	select m.* into mine from app.members m join app.tenants t on t.id = m.tenant_id
	where m.user_id = (select auth.uid()) and t.status = 'active'
	order by (m.role = 'member'), m.created_at desc, m.tenant_id limit 1;
	return mine;
end
$$;
ALTER FUNCTION billing.my_tenant() OWNER TO tollgate_owner;
CREATE FUNCTION billing.next_document(s billing.subscriptions) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	ends timestamptz := billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end);
	grace timestamptz := case when s.status = 'past_due' then billing.grace_end(s.plan, s.past_due_since) end;
	over timestamptz := least(grace, ends);
	retry record;
	kind text := 'nothing';
	at timestamptz;
	amount jsonb;
begin
	select i.next_attempt_at as at, billing.amount_document(i.amount_due, i.currency) as amount into retry
	from billing.invoices i where i.subscription_id = s.id and i.status = 'open' and i.next_attempt_at > now()
	order by i.next_attempt_at limit 1;
	if s.status in ('past_due', 'unpaid', 'incomplete') and retry.at is not null and (over is null or over <= now() or retry.at <= over) then
		kind := 'retry';
		at := retry.at;
		amount := retry.amount;
	elsif over > now() and over = grace then
		kind := 'grace_ends';
		at := grace;
	elsif s.status in ('active', 'trialing') and ends is not null or over > now() and s.status = 'past_due' then
		kind := 'ends';
		at := ends;
	elsif s.status = 'trialing' then
		kind := 'trial_ends';
		at := s.trial_end;
		amount := billing.amount_document(s.amount, s.currency);
	elsif s.status = 'active' then
		kind := 'renews';
		at := s.period_end;
		amount := billing.amount_document(s.amount, s.currency);
	end if;
	return jsonb_build_object('kind', kind, 'label', 'next_' || kind, 'date', api.date_document(at), 'amount', amount);
end
$$;
ALTER FUNCTION billing.next_document(s billing.subscriptions) OWNER TO tollgate_owner;
CREATE FUNCTION billing.note_price(p_price text, p_doc jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	said billing.prices := billing.price_row(p_doc);
	known billing.prices;
	apart text[] := '{plan,synced_at}';
begin
	select p.* into known from billing.prices p where p.id = p_price;
	if p_doc -> 'active' is null then
		insert into billing.prices (id) values (p_price) on conflict (id) do nothing;
	elsif known.synced_at is null or to_jsonb(known) - apart <> to_jsonb(said) - apart then
		perform sync.mark('price', p_price);
		insert into billing.prices as p (id, product, amount, currency, interval, interval_count)
		values (p_price, said.product, said.amount, said.currency, said.interval, said.interval_count)
		on conflict (id) do update set product = excluded.product, amount = excluded.amount, currency = excluded.currency,
			interval = excluded.interval, interval_count = excluded.interval_count
		where p.synced_at is null;
	end if;
	perform from billing.prices p where p.id = p_price and billing.plan_of(p_price) is null for no key update;
end
$$;
ALTER FUNCTION billing.note_price(p_price text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.note_prices(p_id text, p_doc jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.note_price(n.id, n.doc) from (
		select distinct on (v.id) v.id, v.doc from (
			select billing.price_of(i), i -> 'price' from jsonb_array_elements(billing.items_of(p_doc)) i
			union all select s.price, null from billing.subscriptions s where s.id = p_id) v (id, doc)
		where v.id is not null order by v.id, v.doc is null) n;
end
$$;
ALTER FUNCTION billing.note_prices(p_id text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.notice_documents(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'kind', 'notice_' || n.kind,
			'date', api.date_document(n.created_at), 'amount', n.payload -> 'amount', 'url', n.payload ->> 'url')
			order by n.created_at desc, n.id desc), '[]')
		from billing.notifications n left join billing.invoices i on i.id = n.payload ->> 'invoice'
		where n.tenant_id = p_tenant and n.seen_at is null
			and (n.kind not in ('payment_failed', 'action_required') or i.status = 'open')
			and (n.kind <> 'payment_failed' or n.fact = i.id || ':' || i.attempt_count));
end
$$;
ALTER FUNCTION billing.notice_documents(p_tenant uuid) OWNER TO tollgate_owner;
CREATE FUNCTION billing.payment_documents(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('kind', 'payment_' || p.kind, 'date', api.date_document(p.at),
			'amount', p.amount, 'number', p.number) order by p.at desc nulls last, p.kind), '[]')
		from (
			select 'paid' as kind, coalesce(i.paid_at, i.created_at) as at, billing.amount_document(i.amount_paid, i.currency) as amount, i.number
				from billing.invoices i where i.tenant_id = p_tenant and i.status = 'paid' and i.amount_paid > 0
			union all
			select 'failed', n.created_at, n.payload -> 'amount', i.number
				from billing.notifications n left join billing.invoices i on i.id = n.payload ->> 'invoice'
				where n.tenant_id = p_tenant and n.kind = 'payment_failed'
			union all
			select case d.kind when 'refund' then 'refunded' else 'disputed' end, d.opened_at, billing.amount_document(d.amount, d.currency), null
				from billing.disputes d where d.tenant_id = p_tenant and d.amount is distinct from 0
			order by at desc nulls last limit 12) p);
end
$$;
ALTER FUNCTION billing.payment_documents(p_tenant uuid) OWNER TO tollgate_owner;
CREATE FUNCTION billing.payment_failed(p_id text, p_subscription text) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return exists (select from billing.subscriptions s where s.id = p_subscription and not billing.is_live(s.status))
		or exists (select from billing.checkouts c where c.session_id = p_id and c.status = 'failed')
		or 'checkout_failed' = any (billing.hints_of('checkout', p_id));
end
$$;
ALTER FUNCTION billing.payment_failed(p_id text, p_subscription text) OWNER TO tollgate_service;
CREATE FUNCTION billing.period_end_of(p_doc jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(
		(select max(billing.time_of(i -> 'current_period_end')) from jsonb_array_elements(billing.items_of(p_doc)) i),
		billing.time_of(p_doc -> 'current_period_end'));
end
$$;
ALTER FUNCTION billing.period_end_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.period_start_of(p_doc jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(
		(select min(billing.time_of(i -> 'current_period_start')) from jsonb_array_elements(billing.items_of(p_doc)) i),
		billing.time_of(p_doc -> 'current_period_start'));
end
$$;
ALTER FUNCTION billing.period_start_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.plan_history (
    id bigint NOT NULL,
    plan text NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone,
    rank integer NOT NULL,
    grace interval NOT NULL,
    features text[] NOT NULL
);
ALTER TABLE ONLY billing.plan_history FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.plan_history OWNER TO tollgate_owner;
CREATE FUNCTION billing.plan_at(p_plan text, p_at timestamp with time zone) RETURNS billing.plan_history
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	was billing.plan_history;
begin
	select h.* into was from billing.plan_history h
	where h.plan = p_plan and billing.in_force(h.from_at, h.to_at, p_at);
	return was;
end
$$;
ALTER FUNCTION billing.plan_at(p_plan text, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.plan_of(p_price text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce((select p.id from billing.plans p where p.price = p_price),
		(select p.plan from billing.prices p where p.id = p_price));
end
$$;
ALTER FUNCTION billing.plan_of(p_price text) OWNER TO tollgate_service;
CREATE FUNCTION billing.plans_of(p_doc jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return array(
		select distinct p.plan from jsonb_array_elements(billing.items_of(p_doc)) i
			cross join lateral billing.plan_of(billing.price_of(i)) p (plan)
		where p.plan is not null order by p.plan);
end
$$;
ALTER FUNCTION billing.plans_of(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.price_fault(p_doc jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return billing.fault_of(p_doc, '{"unit_amount": "whole", "currency": "currency", "recurring.interval_count": "count"}');
end
$$;
ALTER FUNCTION billing.price_fault(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.price_of(p_item jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(billing.id_of(p_item -> 'price'), billing.id_of(p_item -> 'plan'));
end
$$;
ALTER FUNCTION billing.price_of(p_item jsonb) OWNER TO tollgate_service;
CREATE TABLE billing.prices (
    id text NOT NULL,
    plan text,
    product text,
    lookup_key text,
    active boolean,
    amount bigint,
    currency text,
    "interval" text,
    interval_count integer,
    synced_at timestamp with time zone
);
ALTER TABLE ONLY billing.prices FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.prices OWNER TO tollgate_owner;
CREATE FUNCTION billing.price_row(p_doc jsonb) RETURNS billing.prices
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	seen billing.prices := row(p_doc ->> 'id', null, billing.id_of(p_doc -> 'product'), p_doc ->> 'lookup_key',
		p_doc -> 'active' = 'true', billing.whole_of(p_doc -> 'unit_amount'), p_doc ->> 'currency',
		p_doc #>> '{recurring,interval}', billing.whole_of(p_doc #> '{recurring,interval_count}'), null);
begin
	return seen;
end
$$;
ALTER FUNCTION billing.price_row(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.promote(p_tenant uuid, p_customer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform from app.tenants t where t.id = p_tenant for no key update;
	update app.tenants t set status = 'active', activated_at = now() where t.id = p_tenant and t.status = 'draft';
	if found then
		perform billing.appoint_owner(p_tenant);
	end if;
	if p_customer is not null and not billing.bind_customer(p_tenant, p_customer) then
		return jsonb_build_object('warning', 'another customer is recorded for this tenant');
	end if;
	return '{}';
end
$$;
ALTER FUNCTION billing.promote(p_tenant uuid, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.put_checkout(p_tenant uuid, p_id text, p_status text, p_subscription text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.checkouts c set session_id = p_id, opened_at = coalesce(c.opened_at, now()), replaces = nullif(c.replaces, p_id)
	where p_status not in ('expired', 'failed') and not exists (select from billing.checkouts o where o.session_id = p_id)
		and (p_status <> 'open' or c.replaces is distinct from p_id)
		and c.key = (select n.key from billing.checkouts n where n.tenant_id = p_tenant and n.session_id is null
			order by n.created_at desc limit 1);
	update billing.checkouts c set status = p_status, subscription_id = coalesce(p_subscription, c.subscription_id)
	where c.session_id = p_id;
end
$$;
ALTER FUNCTION billing.put_checkout(p_tenant uuid, p_id text, p_status text, p_subscription text) OWNER TO tollgate_service;
CREATE TABLE billing.disputes (
    id text NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    policy text NOT NULL,
    charge text,
    invoice text,
    status text,
    amount bigint,
    currency text,
    reason text,
    created_at timestamp with time zone,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    synced_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT disputes_kind_check CHECK ((kind = ANY (ARRAY['dispute'::text, 'refund'::text])))
);
ALTER TABLE ONLY billing.disputes FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.disputes OWNER TO tollgate_owner;
CREATE FUNCTION billing.put_dispute(n billing.disputes, p_notice text, p_fact text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	before jsonb := (select to_jsonb(d) from billing.disputes d where d.id = n.id);
	effect text := (select p.effect from billing.policies p where p.kind = n.policy);
	closed boolean := n.policy = 'dispute_won' or n.kind = 'refund' and n.amount = 0;
	worse boolean := effect = 'restrict' and not exists (
		select from billing.policies p where p.kind = before ->> 'policy' and p.effect = 'restrict');
	after billing.disputes;
begin
	insert into billing.disputes as d (id, tenant_id, kind, policy, charge, invoice, status, amount, currency, reason,
		created_at, closed_at)
	values (n.id, n.tenant_id, n.kind, n.policy, n.charge, n.invoice, n.status, n.amount, n.currency, n.reason,
		n.created_at, case when closed then now() end)
	on conflict (id) do update set
		policy = case when closed then d.policy else excluded.policy end, charge = excluded.charge,
		invoice = excluded.invoice, status = excluded.status, amount = excluded.amount,
		currency = excluded.currency, reason = excluded.reason, created_at = excluded.created_at, synced_at = now(),
		opened_at = case when worse then now() else d.opened_at end,
		closed_at = case when closed then coalesce(d.closed_at, now()) end
	returning d.* into after;
	if before is null or before ->> 'policy' <> after.policy or (before ->> 'closed_at' is null) <> (after.closed_at is null) then
		perform billing.watch(effect <> 'nothing' and not closed, after.tenant_id, after.kind, after.id,
			jsonb_build_object('policy', n.policy, 'effect', effect, 'amount', after.amount, 'currency', after.currency));
	end if;
	perform billing.tell(after.tenant_id, p_notice, p_fact, jsonb_build_object(
		'amount', billing.amount_document(after.amount, after.currency), 'date', api.date_document(after.created_at)))
	where n.kind = 'dispute' or n.amount > coalesce((before ->> 'amount')::bigint, 0);
	return billing.changes(before, to_jsonb(after));
end
$$;
ALTER FUNCTION billing.put_dispute(n billing.disputes, p_notice text, p_fact text) OWNER TO tollgate_service;
CREATE FUNCTION billing.put_invoice(p_tenant uuid, p_doc jsonb, p_asked boolean) RETURNS billing.invoices
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	put billing.invoices;
begin
	insert into billing.invoices as i (id, tenant_id, customer_id, subscription_id, number, status, currency, amount_due,
		amount_paid, total, created_at, period_start, period_end, due_at, paid_at, attempt_count, next_attempt_at,
		hosted_url, pdf_url, billing_reason, action_required)
	values (p_doc ->> 'id', p_tenant, billing.id_of(p_doc -> 'customer'), billing.subscription_of(p_doc), p_doc ->> 'number',
		p_doc ->> 'status', p_doc ->> 'currency', billing.whole_of(p_doc -> 'amount_due'),
		billing.whole_of(p_doc -> 'amount_paid'), billing.whole_of(p_doc -> 'total'), billing.time_of(p_doc -> 'created'),
		billing.time_of(p_doc -> 'period_start'), billing.time_of(p_doc -> 'period_end'),
		billing.time_of(p_doc -> 'due_date'), billing.time_of(p_doc #> '{status_transitions,paid_at}'),
		coalesce(billing.whole_of(p_doc -> 'attempt_count'), 0), billing.time_of(p_doc -> 'next_payment_attempt'),
		p_doc ->> 'hosted_invoice_url', p_doc ->> 'invoice_pdf', p_doc ->> 'billing_reason',
		coalesce(p_asked and p_doc ->> 'status' = 'open', false))
	on conflict (id) do update set customer_id = excluded.customer_id, subscription_id = excluded.subscription_id,
		number = excluded.number, status = excluded.status, currency = excluded.currency, amount_due = excluded.amount_due,
		amount_paid = excluded.amount_paid, total = excluded.total, created_at = excluded.created_at,
		period_start = excluded.period_start, period_end = excluded.period_end, due_at = excluded.due_at,
		paid_at = excluded.paid_at, attempt_count = excluded.attempt_count, next_attempt_at = excluded.next_attempt_at,
		hosted_url = excluded.hosted_url, pdf_url = excluded.pdf_url, billing_reason = excluded.billing_reason,
		action_required = excluded.action_required or (i.action_required and excluded.status = 'open'), synced_at = now()
	returning i.* into put;
	return put;
end
$$;
ALTER FUNCTION billing.put_invoice(p_tenant uuid, p_doc jsonb, p_asked boolean) OWNER TO tollgate_service;
CREATE FUNCTION billing.put_price(p_doc jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	seen billing.prices := billing.price_row(p_doc);
	known billing.prices;
begin
	select p.* into known from billing.prices p where p.id = seen.id;
	insert into billing.prices (id, product, lookup_key, active, amount, currency, interval, interval_count, synced_at)
	values (seen.id, seen.product, seen.lookup_key, seen.active, seen.amount, seen.currency, seen.interval,
		seen.interval_count, clock_timestamp())
	on conflict (id) do update set product = excluded.product, lookup_key = excluded.lookup_key, active = excluded.active,
		amount = excluded.amount, currency = excluded.currency, interval = excluded.interval,
		interval_count = excluded.interval_count, synced_at = clock_timestamp();
	perform billing.watch_product(p) from unnest(array[known.product, seen.product]) p
	where p is not null and (known.synced_at is null or known.product is distinct from seen.product);
	perform billing.follow_key(k) from unnest(array[known.lookup_key, seen.lookup_key]) k;
	perform billing.compare_price(seen.id);
end
$$;
ALTER FUNCTION billing.put_price(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.put_subscription(n billing.subscriptions) RETURNS billing.subscriptions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	rule text := (select r.grants from billing.status_rules r where r.status = n.status);
	put billing.subscriptions;
begin
	insert into billing.subscriptions as s (id, tenant_id, customer_id, status, plan, plans, price, quantity, currency, amount,
		period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at, past_due_since)
	values (n.id, n.tenant_id, n.customer_id, n.status, n.plan, n.plans, n.price, n.quantity, n.currency, n.amount,
		n.period_start, n.period_end, n.cancel_at_period_end, n.cancel_at, n.canceled_at, n.ended_at, n.trial_end, n.created_at,
		case rule when 'grace' then now() end)
	on conflict (id) do update set customer_id = excluded.customer_id, status = excluded.status,
		plan = coalesce(excluded.plan, s.plan), plans = coalesce(nullif(excluded.plans, '{}'), s.plans),
		price = excluded.price, quantity = excluded.quantity, currency = excluded.currency, amount = excluded.amount,
		period_start = excluded.period_start, period_end = excluded.period_end,
		cancel_at_period_end = excluded.cancel_at_period_end, cancel_at = excluded.cancel_at,
		canceled_at = excluded.canceled_at, ended_at = excluded.ended_at, trial_end = excluded.trial_end,
		created_at = excluded.created_at, synced_at = now(),
		past_due_since = case rule when 'yes' then null when 'grace' then coalesce(s.past_due_since, now()) else s.past_due_since end
	returning s.* into put;
	return put;
end
$$;
ALTER FUNCTION billing.put_subscription(n billing.subscriptions) OWNER TO tollgate_service;
CREATE FUNCTION billing.put_subscription_aside(p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
begin
	perform billing.clear_alert('drift', 'subscription:' || p_id);
	perform billing.watch(billing.is_live(p_doc ->> 'status'), null, 'orphan', p_id,
		jsonb_build_object('customer', customer, 'status', p_doc -> 'status'));
	return sync.put_aside(p_kind, p_id, p_version, customer);
end
$$;
ALTER FUNCTION billing.put_subscription_aside(p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.raise_alert(p_tenant uuid, p_kind text, p_subject text, p_detail jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into billing.alerts as a (tenant_id, kind, subject, detail)
	values (p_tenant, p_kind, p_subject, coalesce(p_detail, '{}'))
	on conflict (kind, subject) where cleared_at is null do update
		set detail = excluded.detail, tenant_id = coalesce(excluded.tenant_id, a.tenant_id)
		where a.detail <> excluded.detail or a.tenant_id is distinct from coalesce(excluded.tenant_id, a.tenant_id);
end
$$;
ALTER FUNCTION billing.raise_alert(p_tenant uuid, p_kind text, p_subject text, p_detail jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.refresh_seconds(p_since timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case when p_since > now() - interval '1 min' then 2 when p_since > now() - interval '10 min' then 10 end;
end
$$;
ALTER FUNCTION billing.refresh_seconds(p_since timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION billing.renewal_of(p_doc jsonb, p_currency text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select case when sum(v.amount) <= 9007199254740992 then sum(v.amount) end from (
			select billing.whole_of(i #> '{price,unit_amount}')::numeric * coalesce(billing.whole_of(i -> 'quantity'), 1) as amount,
				jsonb_build_array(i #> '{price,recurring,interval}', i #> '{price,recurring,interval_count}') as pace,
				i #>> '{price,currency}' = p_currency and coalesce(i #>> '{price,recurring,usage_type}', 'licensed') = 'licensed'
					and i #>> '{price,transform_quantity}' is null as plain
			from jsonb_array_elements(billing.items_of(p_doc)) i) v
		having bool_and(coalesce(v.plain, false) and v.amount is not null) and count(distinct v.pace) = 1);
end
$$;
ALTER FUNCTION billing.renewal_of(p_doc jsonb, p_currency text) OWNER TO tollgate_service;
CREATE FUNCTION billing.replace_customer(p_tenant uuid, p_gone text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	successor text;
begin
	select s.customer_id into successor from billing.subscriptions s
	where s.tenant_id = p_tenant and s.customer_id <> p_gone
		and not exists (select from billing.customers c where c.id = s.customer_id and c.deleted)
	order by s.created_at desc limit 1;
	if successor is not null and billing.bind_customer(p_tenant, successor) then
		perform sync.mark('customer', successor);
	end if;
end
$$;
ALTER FUNCTION billing.replace_customer(p_tenant uuid, p_gone text) OWNER TO tollgate_service;
CREATE FUNCTION billing.require_document(p_doc jsonb, p_id text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if p_doc ->> 'id' is distinct from p_id then
		raise exception 'the document is not of this object' using errcode = 'TG422';
	end if;
end
$$;
ALTER FUNCTION billing.require_document(p_doc jsonb, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION billing.require_draft_allowance(p_email text, p_ip inet) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if not (auth.allow('draft_ip', auth.neighbourhood(p_ip)) and auth.allow('draft_address', lower(btrim(p_email)))
			and auth.allow('draft_global', '')) then
		raise exception 'too many drafts' using errcode = 'TG429';
	end if;
end
$$;
ALTER FUNCTION billing.require_draft_allowance(p_email text, p_ip inet) OWNER TO tollgate_service;
CREATE FUNCTION billing.require_plans(p_plans jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	fault text := (select f.fault from jsonb_array_elements(p_plans) n
		cross join lateral billing.fault_of(n, '{"amount": "whole", "currency": "currency", "rank": "count", "grace_days": "count"}') f (fault) where f.fault is not null limit 1);
begin
	if fault is not null then
		raise exception '%', fault using errcode = 'TG422';
	end if;
end
$$;
ALTER FUNCTION billing.require_plans(p_plans jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.scheduled_end(p_cancel_at timestamp with time zone, p_at_period_end boolean, p_period_end timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(p_cancel_at, case when p_at_period_end then p_period_end end);
end
$$;
ALTER FUNCTION billing.scheduled_end(p_cancel_at timestamp with time zone, p_at_period_end boolean, p_period_end timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.settle_price(p_price text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	meant text := billing.plan_of(p_price);
begin
	if meant is not null then
		perform billing.clear_alert('unknown_price', p_price);
		perform sync.mark('subscription', s.id) from billing.subscriptions s
		where s.price = p_price and s.plan is distinct from meant and billing.is_live(s.status);
	end if;
end
$$;
ALTER FUNCTION billing.settle_price(p_price text) OWNER TO tollgate_service;
CREATE FUNCTION billing.status_class(p_status text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when p_status in ('active', 'trialing') then 'good'
		when p_status in ('unpaid', 'canceled', 'incomplete_expired') then 'bad'
		else 'warn' end;
end
$$;
ALTER FUNCTION billing.status_class(p_status text) OWNER TO tollgate_owner;
CREATE FUNCTION billing.status_name(p_status text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case
		when p_status is null then 'status_pending'
		when p_status in ('active', 'trialing', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'paused')
			then 'status_' || p_status
		else 'status_unknown' end;
end
$$;
ALTER FUNCTION billing.status_name(p_status text) OWNER TO tollgate_owner;
CREATE FUNCTION billing.subscription_fault(p_doc jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(billing.fault_of(p_doc, '{"status": "word", "currency": "currency", "created": "time", "cancel_at": "time",
			"canceled_at": "time", "ended_at": "time", "trial_end": "time", "current_period_start": "time",
			"current_period_end": "time"}'), (
		select coalesce(billing.fault_of(i, '{"quantity": "whole", "current_period_start": "time", "current_period_end": "time"}'),
			billing.price_fault(i -> 'price')) as fault
		from jsonb_array_elements(billing.items_of(p_doc)) i order by 1 limit 1));
end
$$;
ALTER FUNCTION billing.subscription_fault(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.subscription_of(p_invoice jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce(billing.id_of(p_invoice -> 'subscription'),
		billing.id_of(p_invoice #> '{parent,subscription_details,subscription}'),
		billing.id_of(p_invoice #> '{lines,data,0,subscription}'),
		billing.id_of(p_invoice #> '{lines,data,0,parent,subscription_item_details,subscription}'));
end
$$;
ALTER FUNCTION billing.subscription_of(p_invoice jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.subscription_row(p_tenant uuid, p_id text, p_doc jsonb) RETURNS billing.subscriptions
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	item jsonb := billing.main_item_of(p_doc);
	s billing.subscriptions;
begin
	s.id := p_id;
	s.tenant_id := p_tenant;
	s.customer_id := billing.id_of(p_doc -> 'customer');
	s.status := p_doc ->> 'status';
	s.price := billing.price_of(item);
	s.plan := billing.plan_of(s.price);
	s.plans := billing.plans_of(p_doc);
	s.quantity := billing.whole_of(item -> 'quantity');
	s.currency := coalesce(p_doc ->> 'currency', item #>> '{price,currency}');
	s.amount := billing.renewal_of(p_doc, s.currency);
	s.period_start := billing.period_start_of(p_doc);
	s.period_end := billing.period_end_of(p_doc);
	s.cancel_at_period_end := coalesce(p_doc -> 'cancel_at_period_end' = 'true', false);
	s.cancel_at := billing.time_of(p_doc -> 'cancel_at');
	s.canceled_at := billing.time_of(p_doc -> 'canceled_at');
	s.ended_at := billing.time_of(p_doc -> 'ended_at');
	s.trial_end := billing.time_of(p_doc -> 'trial_end');
	s.created_at := billing.time_of(p_doc -> 'created');
	s.synced_at := now();
	return s;
end
$$;
ALTER FUNCTION billing.subscription_row(p_tenant uuid, p_id text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.subscription_tenant(p_id text, p_doc jsonb) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return coalesce((select s.tenant_id from billing.subscriptions s where s.id = p_id),
		billing.tenant_named_in(p_doc),
		(select c.tenant_id from billing.customers c where c.id = billing.id_of(p_doc -> 'customer')));
end
$$;
ALTER FUNCTION billing.subscription_tenant(p_id text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell(p_tenant uuid, p_kind text, p_fact text, p_payload jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	told billing.notifications;
begin
	insert into billing.notifications (tenant_id, kind, fact, payload)
	values (p_tenant, p_kind, p_fact, jsonb_strip_nulls(p_payload))
	on conflict (tenant_id, kind, fact) do nothing returning * into told;
	if told.id is null then
		return false;
	end if;
	perform billing.mail_notice(told);
	return true;
end
$$;
ALTER FUNCTION billing.tell(p_tenant uuid, p_kind text, p_fact text, p_payload jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell_checkout(c billing.checkouts) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into mail.outbox (key, recipient, template, language)
	select concat_ws(':', 'failed', c.tenant_id, c.session_id), c.email, 'failed', c.language
	where exists (select from app.tenants t where t.id = c.tenant_id and t.status = 'draft')
	on conflict (key) do nothing;
end
$$;
ALTER FUNCTION billing.tell_checkout(c billing.checkouts) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell_failure(i billing.invoices, p_hinted boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if i.status = 'open' and i.attempt_count > 0 and (p_hinted or exists (
			select from billing.subscriptions s where s.id = i.subscription_id and s.status in ('past_due', 'unpaid'))) then
		perform billing.tell(i.tenant_id, 'payment_failed', i.id || ':' || i.attempt_count, billing.invoice_payload(i));
	end if;
end
$$;
ALTER FUNCTION billing.tell_failure(i billing.invoices, p_hinted boolean) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell_hints(s billing.subscriptions) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	hint record;
	plan text := 'plan_' || s.plan;
begin
	for hint in
		select k.kind, coalesce(e.created, e.received_at) as at from inbox.events e join billing.notice_kinds k on k.event = e.type
		where e.object_kind = 'subscription' and e.object_id = s.id and e.state <> 'done'
	loop
		if hint.kind = 'upcoming' and s.status in ('active', 'trialing', 'past_due') and hint.at >= s.period_start
				and hint.at < s.period_end and billing.scheduled_end(s.cancel_at, s.cancel_at_period_end, s.period_end) is null then
			perform billing.tell(s.tenant_id, 'upcoming', s.id || ':' || extract(epoch from s.period_end)::bigint,
				jsonb_build_object('plan', plan, 'date', api.date_document(s.period_end)));
		elsif hint.kind = 'trial_will_end' and s.status = 'trialing' and s.trial_end > hint.at
				and s.trial_end <= hint.at + interval '4 days' then
			perform billing.tell(s.tenant_id, 'trial_will_end', s.id || ':' || extract(epoch from s.trial_end)::bigint,
				jsonb_build_object('plan', plan, 'date', api.date_document(s.trial_end)));
		end if;
	end loop;
end
$$;
ALTER FUNCTION billing.tell_hints(s billing.subscriptions) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell_invoice(i billing.invoices, p_hints text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.tell_failure(i, 'payment_failed' = any (p_hints));
	if i.action_required then
		perform billing.tell(i.tenant_id, 'action_required', i.id, billing.invoice_payload(i));
	elsif i.status = 'paid' and exists (
			select from billing.notifications n where n.tenant_id = i.tenant_id and n.kind = 'payment_failed'
				and n.payload ->> 'invoice' = i.id) then
		perform billing.tell(i.tenant_id, 'recovered', i.id, billing.invoice_payload(i)
			|| jsonb_build_object('amount', billing.amount_document(i.amount_paid, i.currency), 'date', api.date_document(i.paid_at)));
	end if;
end
$$;
ALTER FUNCTION billing.tell_invoice(i billing.invoices, p_hints text[]) OWNER TO tollgate_service;
CREATE FUNCTION billing.tell_subscription(p_before billing.subscriptions, s billing.subscriptions, p_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if billing.is_live(p_before.status) and s.status = 'canceled' then
		perform billing.tell(s.tenant_id, 'canceled', s.id, jsonb_build_object('plan', 'plan_' || s.plan, 'reason', p_reason,
			'date', api.date_document(coalesce(s.ended_at, s.canceled_at))));
	end if;
	if s.status in ('past_due', 'unpaid') then
		perform billing.tell_failure(o.i, false) from (
			select i from billing.invoices i where i.subscription_id = s.id and i.status = 'open' order by i.id for share) o;
	end if;
	perform billing.tell_hints(s);
end
$$;
ALTER FUNCTION billing.tell_subscription(p_before billing.subscriptions, s billing.subscriptions, p_reason text) OWNER TO tollgate_service;
CREATE FUNCTION billing.tenant_change(p_tenant uuid, p_was text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	now_is text := (select t.status from app.tenants t where t.id = p_tenant);
begin
	return case when now_is = p_was then '{}' else jsonb_build_object('tenant', jsonb_build_array(p_was, now_is)) end;
end
$$;
ALTER FUNCTION billing.tenant_change(p_tenant uuid, p_was text) OWNER TO tollgate_service;
CREATE FUNCTION billing.tenant_named_in(p_doc jsonb) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
	name text := coalesce(p_doc #>> '{metadata,tenant_id}', p_doc ->> 'client_reference_id');
begin
	if name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		return (select t.id from app.tenants t where t.id = name::uuid);
	end if;
	return null;
end
$_$;
ALTER FUNCTION billing.tenant_named_in(p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.time_of(p_seconds jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if jsonb_typeof(p_seconds) = 'number' and p_seconds::numeric between -62135596800 and 253402300799 then
		return to_timestamp(p_seconds::float8);
	end if;
	return null;
end
$$;
ALTER FUNCTION billing.time_of(p_seconds jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.verdict_on(h billing.subscription_history, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	rule billing.status_rules;
	ends timestamptz := billing.scheduled_end(h.cancel_at, h.cancel_at_period_end, h.period_end);
	grace timestamptz;
	reason text;
	allowed boolean;
begin
	select r.* into rule from billing.status_rules r where r.status = h.status;
	if rule.grants = 'grace' then
		grace := billing.grace_end(h.plan, coalesce(h.past_due_since, h.from_at), p_at);
	end if;
	reason := case
		when rule.status is null then 'unknown_status'
		when rule.grants = 'no' then rule.reason
		when h.plan is null then 'unknown_price'
		when ends <= p_at then 'ended'
		when grace <= p_at then 'grace_over'
		when billing.is_disputed(h, p_at) then 'disputed'
		else rule.reason end;
	allowed := coalesce(rule.grants <> 'no' and reason = rule.reason, false);
	return jsonb_build_object('allowed', allowed, 'plan', h.plan, 'reason', reason, 'subscription', h.subscription_id,
		'status', h.status, 'until', case when allowed then api.date_document(least(ends, grace)) ->> 'iso' end);
end
$$;
ALTER FUNCTION billing.verdict_on(h billing.subscription_history, p_at timestamp with time zone) OWNER TO tollgate_owner;
CREATE FUNCTION billing.watch(p_wrong boolean, p_tenant uuid, p_kind text, p_subject text, p_detail jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if p_wrong then
		perform billing.raise_alert(p_tenant, p_kind, p_subject, p_detail);
	else
		perform billing.clear_alert(p_kind, p_subject);
	end if;
end
$$;
ALTER FUNCTION billing.watch(p_wrong boolean, p_tenant uuid, p_kind text, p_subject text, p_detail jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_customer(p_customer text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	own billing.customers;
	s billing.subscriptions;
begin
	select c.* into own from billing.customers c where c.id = p_customer;
	select o.* into s from billing.subscriptions o
	where o.customer_id = p_customer and billing.is_live(o.status) and own.deleted is distinct from true and case
		when own.id is not null then own.tenant_id <> o.tenant_id
		else exists (select from billing.customers c where c.tenant_id = o.tenant_id and not c.deleted) end
	order by o.created_at, o.id limit 1;
	perform billing.watch(s.id is not null, s.tenant_id, 'second_customer', p_customer, '{}');
end
$$;
ALTER FUNCTION billing.watch_customer(p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_invoice(i billing.invoices, p_error jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.watch(i.status = 'draft' and jsonb_typeof(p_error) = 'object', i.tenant_id, 'finalization_failed', i.id,
		jsonb_build_object('code', p_error -> 'code', 'message', p_error -> 'message'));
end
$$;
ALTER FUNCTION billing.watch_invoice(i billing.invoices, p_error jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_plan() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	prices text[] := array[new.price];
begin
	if tg_op = 'UPDATE' then
		prices := array[old.price, new.price];
	end if;
	perform billing.compare_price(p) from unnest(prices) p where p is not null;
	if tg_op = 'INSERT' or (old.price, old.offered) is distinct from (new.price, new.offered) then
		perform billing.watch_product(p.product) from billing.prices p
		where p.id = any (prices) and p.product is not null order by p.product;
	end if;
	return null;
end
$$;
ALTER FUNCTION billing.watch_plan() OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_price(p_price text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	s billing.subscriptions;
begin
	select o.* into s from billing.subscriptions o where o.price = p_price and billing.is_live(o.status)
	order by o.created_at, o.id limit 1;
	perform billing.watch(s.id is not null, s.tenant_id, 'unknown_price', p_price, jsonb_build_object('subscription', s.id));
end
$$;
ALTER FUNCTION billing.watch_price(p_price text) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_product(p_product text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if billing.is_sold(p_product) then
		perform sync.mark('product', p_product);
	else
		perform billing.clear_alert('drift', 'product:' || p_product);
	end if;
end
$$;
ALTER FUNCTION billing.watch_product(p_product text) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_subscription(p_before billing.subscriptions, s billing.subscriptions) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	live text[] := array(select o.id from billing.subscriptions o
		where o.tenant_id = s.tenant_id and billing.is_live(o.status) and o.status <> 'incomplete' order by o.id);
begin
	perform billing.clear_alert('orphan', s.id), billing.clear_alert('drift', 'subscription:' || s.id);
	perform billing.watch(cardinality(live) > 1, s.tenant_id, 'second_subscription', s.tenant_id::text,
		jsonb_build_object('subscriptions', live));
	perform billing.watch_price(v.price) from (
		select distinct p as price from unnest(array[p_before.price, s.price]) p where billing.plan_of(p) is null order by p) v
	where v.price is not null;
	perform billing.watch_customer(v.customer) from (
		select distinct c as customer from unnest(array[p_before.customer_id, s.customer_id]) c order by c) v
	where v.customer is not null;
end
$$;
ALTER FUNCTION billing.watch_subscription(p_before billing.subscriptions, s billing.subscriptions) OWNER TO tollgate_service;
CREATE FUNCTION billing.watch_words(p_tenant uuid, p_kind text, p_doc jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	strange jsonb := (
		select jsonb_object_agg(k.member, p_doc -> k.member) from (
			select 'subscription' as kind, 'status' as member, array(select r.status from billing.status_rules r) as known
			union all values ('invoice', 'status', '{draft,open,paid,uncollectible,void}'::text[]),
				('checkout', 'status', '{open,complete,expired}'), ('checkout', 'payment_status', '{paid,unpaid,no_payment_required}'),
				('charge', 'status', '{succeeded,pending,failed}'),
				('dispute', 'status', '{needs_response,under_review,won,lost,prevented,warning_needs_response,warning_under_review,warning_closed}')) k
		where k.kind = p_kind and p_doc ->> k.member <> all (k.known));
begin
	perform billing.watch(strange is not null, p_tenant, 'unknown_status', p_doc ->> 'id', strange);
end
$$;
ALTER FUNCTION billing.watch_words(p_tenant uuid, p_kind text, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION billing.whole_of(p_value jsonb) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
	if jsonb_typeof(p_value) = 'number' and p_value::text ~ '^-?[0-9]{1,16}$' and abs(p_value::bigint) <= 9007199254740992 then
		return p_value::bigint;
	end if;
	return null;
end
$_$;
ALTER FUNCTION billing.whole_of(p_value jsonb) OWNER TO tollgate_service;
CREATE FUNCTION inbox.drop_events(p_keep_days integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	dropped bigint;
begin
	delete from inbox.events d where d.id in (
		select e.id from inbox.events e
		where e.received_at < now() - make_interval(days => greatest(p_keep_days, 31))
			and e.state in ('done', 'ignored')
		limit 1000 for update skip locked);
	get diagnostics dropped = row_count;
	return dropped;
end
$$;
ALTER FUNCTION inbox.drop_events(p_keep_days integer) OWNER TO tollgate_service;
CREATE FUNCTION mail.hold(p_id uuid, p_claim uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform from mail.outbox o where o.id = p_id and o.claim = p_claim for update;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
end
$$;
ALTER FUNCTION mail.hold(p_id uuid, p_claim uuid) OWNER TO tollgate_service;
CREATE FUNCTION ops.accept_customer(p_tenant text, p_customer text, p_subscriptions jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := case when p_tenant like '________-%' then (ops.tenants_of(p_tenant))[1] end;
	recorded uuid := (select c.tenant_id from billing.customers c where c.id = p_customer);
	match text;
begin
	match := case
		when tenant is null then 'no_tenant'
		when recorded = tenant then 'known'
		when recorded is not null or exists (
			select from billing.customers c where c.tenant_id = tenant and not c.deleted) then 'taken'
		else 'bound' end;
	if p_subscriptions is not null and match = 'bound' and not ops.bind_customer(tenant, p_customer, p_subscriptions) then
		match := 'taken';
	end if;
	return jsonb_build_object('match', match);
end
$$;
ALTER FUNCTION ops.accept_customer(p_tenant text, p_customer text, p_subscriptions jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.bind_customer(p_tenant uuid, p_customer text, p_subscriptions jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.mark(m.kind, m.id) from (
		select 'customer' as kind, p_customer as id union
		select 'subscription', s.id from jsonb_array_elements_text(p_subscriptions) s (id) order by 1, 2) m;
	perform from app.tenants t where t.id = p_tenant for no key update;
	return billing.bind_customer(p_tenant, p_customer);
end
$$;
ALTER FUNCTION ops.bind_customer(p_tenant uuid, p_customer text, p_subscriptions jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.changes_of(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	objects text[] := array(select distinct s.object from ops.steps_of(p_tenant) s);
begin
	return (
		with mine as materialized (
			select e.id, e.type, e.object_id, e.received_at, coalesce(e.done_at, 'infinity') as done_at
			from inbox.events e where e.object_id = any (objects) and (e.state = 'done' or e.state <> 'done'))
		select coalesce(jsonb_agg(s.step || jsonb_build_object('at', s.at, 'what', s.object,
			'entitlement', billing.entitlement(p_tenant, s.at), 'events', coalesce((
				select jsonb_agg(jsonb_build_object('id', m.id, 'type', m.type) order by m.received_at, m.id) from mine m
				where m.object_id = s.object and m.received_at <= s.at and m.done_at >= s.at), '[]')) order by s.at desc), '[]')
		from (select * from ops.steps_of(p_tenant) order by at desc limit 50) s);
end
$$;
ALTER FUNCTION ops.changes_of(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION ops.clear_alert(p_id bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.alerts a set cleared_at = now() where a.id = p_id and a.cleared_at is null;
	return jsonb_build_object('cleared', found);
end
$$;
ALTER FUNCTION ops.clear_alert(p_id bigint) OWNER TO tollgate_service;
CREATE FUNCTION ops.count_events(p_filter jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
begin
	return (select jsonb_build_object('n', count(*)) from inbox.events e where e.received_at >= since and e.received_at < until
			and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
			and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
			and (p_filter ->> 'object' is null
				or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
			and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type')));
end
$$;
ALTER FUNCTION ops.count_events(p_filter jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.end_override(p_tenant uuid, p_set_by text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update billing.overrides o set until = now(), set_by = p_set_by, set_at = now()
	where o.tenant_id = p_tenant and (o.until is null or o.until > now());
	return billing.entitlement(p_tenant);
end
$$;
ALTER FUNCTION ops.end_override(p_tenant uuid, p_set_by text) OWNER TO tollgate_service;
CREATE FUNCTION ops.entitlement(p_tenant uuid, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return billing.entitlement(p_tenant, p_at);
end
$$;
ALTER FUNCTION ops.entitlement(p_tenant uuid, p_at timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION ops.explain(p_name text, p_at text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(ops.explain_tenant(t.id, coalesce(ops.time_of(p_at, -1), now()))), '[]')
		from unnest(ops.tenants_of(p_name)) t (id));
end
$$;
ALTER FUNCTION ops.explain(p_name text, p_at text) OWNER TO tollgate_service;
CREATE FUNCTION ops.explain_tenant(p_tenant uuid, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select to_jsonb(t) || jsonb_build_object('at', p_at, 'entitlement', billing.entitlement(p_tenant, p_at),
			'members', (select coalesce(jsonb_agg(jsonb_build_object('email', auth.address_of(m.user_id), 'role', m.role)
				order by m.created_at), '[]') from app.members m where m.tenant_id = p_tenant),
			'customers', (select coalesce(jsonb_agg(to_jsonb(c) - 'tenant_id' order by c.created_at), '[]')
				from billing.customers c where c.tenant_id = p_tenant),
			'override', (select to_jsonb(o) - 'tenant_id' from billing.overrides o where o.tenant_id = p_tenant),
			'subscriptions', (select coalesce(jsonb_agg(to_jsonb(s) - 'tenant_id' order by s.created_at desc), '[]')
				from billing.subscriptions s where s.tenant_id = p_tenant),
			'changes', ops.changes_of(p_tenant)) || ops.told_of(p_tenant)
		from app.tenants t where t.id = p_tenant);
end
$$;
ALTER FUNCTION ops.explain_tenant(p_tenant uuid, p_at timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION ops.find_tenants(p_name text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return to_jsonb(ops.tenants_of(p_name));
end
$$;
ALTER FUNCTION ops.find_tenants(p_name text) OWNER TO tollgate_service;
CREATE FUNCTION ops.list_alerts() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (select coalesce(jsonb_agg(to_jsonb(a) - 'cleared_at' order by a.raised_at desc, a.id desc), '[]')
		from billing.alerts a where a.cleared_at is null);
end
$$;
ALTER FUNCTION ops.list_alerts() OWNER TO tollgate_service;
CREATE FUNCTION ops.list_dead(p_after jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	objects jsonb;
begin
	select jsonb_agg(jsonb_build_object('kind', o.kind, 'object', o.id, 'dead_at', o.dead_at, 'attempts', o.attempts,
		'last_error', o.last_error, 'events', coalesce(e.ids, '[]')) order by o.kind, o.id)
	into objects from (
		select * from sync.objects d where d.dead_at is not null
			and (p_after is null or (d.kind, d.id) > (p_after ->> 'kind', p_after ->> 'object'))
		order by d.kind, d.id limit 500) o
	left join lateral (
		select jsonb_agg(d.id order by d.received_at, d.id) as ids from inbox.events d
		where d.state = 'dead' and d.object_kind = o.kind and d.object_id = o.id) e on true;
	return coalesce(objects, '[]');
end
$$;
ALTER FUNCTION ops.list_dead(p_after jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.list_events(p_filter jsonb, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	since timestamptz := coalesce(ops.time_of(p_filter ->> 'since', -1), '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
	back interval;
	found jsonb;
begin
	foreach back in array '{1 hour, 1 day, 30 days}'::interval[] loop
		found := ops.newest_events(p_filter, p_limit, greatest(since, least(until, now()) - back), until);
		if jsonb_array_length(found) = p_limit then
			return found;
		end if;
	end loop;
	return ops.newest_events(p_filter, p_limit, since, until);
end
$$;
ALTER FUNCTION ops.list_events(p_filter jsonb, p_limit integer) OWNER TO tollgate_service;
CREATE FUNCTION ops.list_replay(p_filter jsonb, p_after jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	since timestamptz := greatest(ops.time_of(p_filter ->> 'since', -1), (p_after ->> 'at')::timestamptz, '-infinity');
	until timestamptz := coalesce(ops.time_of(p_filter ->> 'until', -1), 'infinity');
	found jsonb;
begin
	select jsonb_agg(jsonb_build_object('id', l.id, 'type', l.type, 'state', l.state, 'at', l.received_at,
		'kind', l.object_kind, 'object', l.object_id,
		'raw', case when l.object_kind is null and l.outcome ->> 'foreign' is null then encode(l.raw, 'hex') end)
			order by l.received_at, l.id)
	into found from (
		select * from inbox.events e where e.received_at >= since and e.received_at < until
			and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
			and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
			and (p_filter ->> 'object' is null
				or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
			and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type'))
			and (p_after is null or (e.received_at, e.id) > ((p_after ->> 'at')::timestamptz, p_after ->> 'id'))
		order by e.received_at, e.id limit 5000) l;
	return coalesce(found, '[]');
end
$$;
ALTER FUNCTION ops.list_replay(p_filter jsonb, p_after jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.match_customer(p_customer jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	named text := p_customer #>> '{metadata,tenant_id}';
	tenant uuid := billing.tenant_named_in(p_customer);
	recorded uuid := (select c.tenant_id from billing.customers c where c.id = p_customer ->> 'id');
	other text := (select c.id from billing.customers c where c.tenant_id = tenant and not c.deleted);
	proposed uuid[];
begin
	if recorded is not null then
		return jsonb_build_object('match', case when tenant is distinct from recorded and named is not null
			then 'conflict' else 'known' end, 'tenant', recorded);
	elsif named is not null then
		return jsonb_build_object('match', case when tenant is null or other is not null then 'conflict' else 'bound' end,
			'tenant', named, 'other', other);
	end if;
	proposed := ops.tenants_to_propose(p_customer ->> 'email');
	return jsonb_build_object('match', case when proposed = '{}' then 'unknown' else 'proposed' end,
		'tenant', case when cardinality(proposed) = 1 then proposed[1] end, 'tenants', to_jsonb(proposed));
end
$$;
ALTER FUNCTION ops.match_customer(p_customer jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.match_customers(p_customers jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_strip_nulls(ops.match_customer(c.doc) || jsonb_build_object(
			'customer', c.doc ->> 'id', 'email', c.doc ->> 'email')) order by c.n), '[]')
		from jsonb_array_elements(p_customers) with ordinality c (doc, n));
end
$$;
ALTER FUNCTION ops.match_customers(p_customers jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.newest_events(p_filter jsonb, p_limit integer, p_since timestamp with time zone, p_until timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'type', l.type, 'state', l.state,
			'received_at', l.received_at, 'created', l.created, 'api_version', l.api_version, 'livemode', l.livemode,
			'attempts', l.attempts, 'kind', l.object_kind, 'object', l.object_id) order by l.received_at desc, l.id desc), '[]')
		from (
			select * from inbox.events e where e.received_at >= p_since and e.received_at < p_until
				and (p_filter ->> 'id' is null or e.id = p_filter ->> 'id')
				and (p_filter ->> 'state' is null or e.state = p_filter ->> 'state')
				and (p_filter ->> 'object' is null
					or e.object_id = p_filter ->> 'object' and (e.state = 'done' or e.state <> 'done'))
				and (p_filter ->> 'type' is null or ops.type_fits(e.type, p_filter ->> 'type'))
			order by e.received_at desc, e.id desc limit p_limit) l);
end
$$;
ALTER FUNCTION ops.newest_events(p_filter jsonb, p_limit integer, p_since timestamp with time zone, p_until timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION ops.open_alerts() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select jsonb_build_object('open', coalesce(sum(k.open), 0),
			'kinds', coalesce(jsonb_agg(to_jsonb(k) order by k.kind), '[]'))
		from (
			select a.kind, count(*) as open, min(a.raised_at) as since,
				(array_agg(a.subject order by a.raised_at desc, a.id desc))[:5] as newest
			from billing.alerts a where a.cleared_at is null group by a.kind) k);
end
$$;
ALTER FUNCTION ops.open_alerts() OWNER TO tollgate_service;
CREATE FUNCTION ops.plan_prices() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (select coalesce(jsonb_object_agg(p.id, p.price), '{}') from billing.plans p where p.offered);
end
$$;
ALTER FUNCTION ops.plan_prices() OWNER TO tollgate_service;
CREATE FUNCTION ops.put_override(p_tenant uuid, p_allowed boolean, p_plan text, p_until timestamp with time zone, p_reason text, p_set_by text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if not exists (select from app.tenants t where t.id = p_tenant) then
		raise exception 'no such tenant' using errcode = 'TG404';
	elsif p_plan is not null and not exists (select from billing.plans p where p.id = p_plan) then
		raise exception 'unknown plan' using errcode = 'TG422';
	end if;
	insert into billing.overrides (tenant_id, allowed, plan, until, reason, set_by)
	values (p_tenant, p_allowed, p_plan, p_until, p_reason, p_set_by)
	on conflict (tenant_id) do update set allowed = excluded.allowed, plan = excluded.plan, until = excluded.until,
		reason = excluded.reason, set_by = excluded.set_by, set_at = now();
	return billing.entitlement(p_tenant);
end
$$;
ALTER FUNCTION ops.put_override(p_tenant uuid, p_allowed boolean, p_plan text, p_until timestamp with time zone, p_reason text, p_set_by text) OWNER TO tollgate_service;
CREATE FUNCTION ops.put_plans(p_plans jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.require_plans(p_plans);
	update billing.plans p set offered = false where p.offered and not exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'id' = p.id);
	update billing.plans p set price = null where exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'price' = p.price and n ->> 'id' <> p.id);
	update billing.plans p set lookup_key = null, price = null where exists (
		select from jsonb_array_elements(p_plans) n where n ->> 'lookup_key' = p.lookup_key and n ->> 'id' <> p.id);
	insert into billing.plans as p (id, price, rank, lookup_key, amount, currency, interval, grace, features)
	select n ->> 'id', n ->> 'price', (n ->> 'rank')::int, case when n ->> 'price' is null then n ->> 'lookup_key' end,
		(n ->> 'amount')::bigint, n ->> 'currency', n ->> 'interval', make_interval(days => coalesce((n ->> 'grace_days')::int, 7)),
		array(select jsonb_array_elements_text(coalesce(n -> 'features', '[]')))
	from jsonb_array_elements(p_plans) n
	on conflict (id) do update set rank = excluded.rank, offered = true, lookup_key = excluded.lookup_key,
		price = coalesce(excluded.price, case when p.lookup_key = excluded.lookup_key then p.price end),
		amount = excluded.amount, currency = excluded.currency, interval = excluded.interval, grace = excluded.grace,
		features = excluded.features;
	perform billing.give_price(p.id, p.price)
	from billing.plans p where p.price is not null and p.offered;
	perform billing.follow_key(p.lookup_key) from billing.plans p where p.offered;
	return null;
end
$$;
ALTER FUNCTION ops.put_plans(p_plans jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.put_portal_configuration(p_id text, p_desired jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.mark('portal_configuration', p_id);
	insert into billing.portal_configurations (id, desired) values (p_id, p_desired)
	on conflict (id) do update set desired = excluded.desired;
	update billing.portal_configurations c set desired = null where c.id <> p_id and c.desired is not null;
	update billing.alerts a set cleared_at = now()
	where a.kind = 'drift' and a.subject like 'portal\_configuration:%' and a.subject <> 'portal_configuration:' || p_id
		and a.cleared_at is null;
	return null;
end
$$;
ALTER FUNCTION ops.put_portal_configuration(p_id text, p_desired jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.put_price(p_plan text, p_price jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if not exists (select from billing.plans p where p.id = p_plan) then
		raise exception 'unknown plan' using errcode = 'TG404';
	elsif p_price ->> 'id' is null or billing.price_fault(p_price) is not null then
		raise exception 'this is no price' using errcode = 'TG422';
	end if;
	perform sync.mark('price', p_price ->> 'id');
	perform billing.put_price(p_price);
	perform billing.give_price(p_plan, p_price ->> 'id');
	return jsonb_build_object('plan', p_plan, 'price', p_price ->> 'id');
end
$$;
ALTER FUNCTION ops.put_price(p_plan text, p_price jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.queue_status() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select jsonb_build_object('dirty', count(*), 'retrying', count(*) filter (where o.attempts + o.outages > 0),
			'overdue_seconds', ops.seconds_since(min(o.next_at) filter (where o.next_at <= now())))
		from sync.objects o where o.version > o.clean_version and o.dead_at is null)
	|| jsonb_build_object(
		'orphans', (select count(*) from sync.orphans),
		'dead_objects', (select count(*) from sync.objects o where o.dead_at is not null),
		'events', jsonb_build_object(
			'received', (select count(*) from inbox.events e where e.state = 'received'),
			'dead', (select count(*) from inbox.events e where e.state = 'dead')),
		'oldest_received_seconds', (
			select ops.seconds_since(min(e.received_at)) from inbox.events e where e.state = 'received'),
		'mail', jsonb_build_object(
			'pending', (select count(*) from mail.outbox o where o.state = 'pending'),
			'dead', (select count(*) from mail.outbox o where o.state = 'dead')),
		'oldest_mail_seconds', (
			select ops.seconds_since(min(o.created_at)) from mail.outbox o where o.state = 'pending'));
end
$$;
ALTER FUNCTION ops.queue_status() OWNER TO tollgate_service;
CREATE FUNCTION ops.replay_events(p_events jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	objects bigint;
begin
	perform sync.mark(m.kind, m.object) from (
		select distinct n ->> 'kind' as kind, n ->> 'object' as object from jsonb_array_elements(p_events) n
		where n ->> 'kind' is not null order by 1, 2) m;
	get diagnostics objects = row_count;
	update inbox.events e set state = 'received', object_kind = n ->> 'kind', object_id = n ->> 'object', done_at = null
	from jsonb_array_elements(p_events) n
	where e.id = n ->> 'id' and n ->> 'kind' is not null
		and (e.state = 'dead' or (e.state = 'ignored' and e.object_kind is null));
	return jsonb_build_object('objects', objects);
end
$$;
ALTER FUNCTION ops.replay_events(p_events jsonb) OWNER TO tollgate_service;
CREATE FUNCTION ops.seconds_since(p_at timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return extract(epoch from now() - p_at)::bigint;
end
$$;
ALTER FUNCTION ops.seconds_since(p_at timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION ops.show_event(p_id text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select to_jsonb(e) || jsonb_build_object('raw', encode(e.raw, 'hex'),
			'object', (select to_jsonb(o) - 'kind' - 'id' - 'claim' from sync.objects o
				where o.kind = e.object_kind and o.id = e.object_id))
		from inbox.events e where e.id = p_id);
end
$$;
ALTER FUNCTION ops.show_event(p_id text) OWNER TO tollgate_service;
CREATE FUNCTION ops.status() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return ops.queue_status() || jsonb_build_object(
		'alerts', ops.open_alerts(), 'unknown_types', ops.unknown_types(),
		'last_gap_look', (select c.finished_at from sync.cursors c where c.name = 'events'),
		'last_comparison', (select c.finished_at from sync.cursors c where c.name = 'subscriptions'),
		'lists_under_way', array(
			select c.name from sync.cursors c where c.started_at is not null
				and (c.finished_at is null or c.finished_at < c.started_at) order by c.name),
		'tenants', (select '{"draft": 0, "active": 0}' || coalesce(jsonb_object_agg(c.status, c.n), '{}')
			from (select t.status, count(*) n from app.tenants t group by t.status) c),
		'subscriptions', (select coalesce(jsonb_object_agg(c.status, c.n), '{}')
			from (select s.status, count(*) n from billing.subscriptions s group by s.status) c),
		'migrations', (select max(m.name) from meta.migrations m));
end
$$;
ALTER FUNCTION ops.status() OWNER TO tollgate_service;
CREATE FUNCTION ops.steps_of(p_tenant uuid) RETURNS TABLE(at timestamp with time zone, object text, step jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return query
	select h.from_at, h.subscription_id, jsonb_build_object('status', h.status, 'plan', h.plan,
		'cancel_at', billing.scheduled_end(h.cancel_at, h.cancel_at_period_end, h.period_end))
	from billing.subscription_history h where h.tenant_id = p_tenant
	union all
	select o.from_at, 'override', jsonb_build_object('plan', o.plan, 'by', o.set_by, 'note', o.reason,
		'status', case when o.until <= o.from_at then 'ended' when o.allowed then 'allow' else 'deny' end)
	from billing.override_history o where o.tenant_id = p_tenant
	union all
	select d.opened_at, d.id, jsonb_build_object('status', d.policy) from billing.disputes d where d.tenant_id = p_tenant
	union all
	select d.closed_at, d.id, jsonb_build_object('status', 'closed') from billing.disputes d
	where d.tenant_id = p_tenant and d.closed_at is not null
	union all
	select p.from_at, 'plan', jsonb_build_object('status', 'changed', 'plan', p.plan, 'features', to_jsonb(p.features))
	from billing.plan_history p where p.from_at > '-infinity' and exists (
		select from billing.subscription_history h where h.tenant_id = p_tenant and p.plan = any (h.plans)
			and h.from_at < p.from_at and (h.to_at is null or h.to_at > p.from_at));
end
$$;
ALTER FUNCTION ops.steps_of(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION ops.tenants_of(p_name text) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
	address text := lower(btrim(p_name));
begin
	return case
		when p_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
			array(select t.id from app.tenants t where t.id = p_name::uuid)
		when p_name like '%@%' then array(
			select m.tenant_id from app.members m where m.user_id = auth.find_user(p_name) union
			select c.tenant_id from billing.checkouts c where c.email_canonical = address union
			select c.tenant_id from billing.customers c where lower(c.email) = address limit 20)
		else array(
			select c.tenant_id from billing.customers c where c.id = p_name union
			select s.tenant_id from billing.subscriptions s where s.id = p_name union
			select i.tenant_id from billing.invoices i where i.id = p_name union
			select d.tenant_id from billing.disputes d where d.id = p_name or d.charge = p_name union
			select c.tenant_id from billing.checkouts c where c.session_id = p_name) end;
end
$_$;
ALTER FUNCTION ops.tenants_of(p_name text) OWNER TO tollgate_service;
CREATE FUNCTION ops.tenants_to_propose(p_email text) RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return array(
		select t.id from app.tenants t
		where t.id in (
			select m.tenant_id from app.members m where m.user_id = auth.find_user(p_email) and m.role = 'owner' union
			select c.tenant_id from billing.checkouts c where c.email_canonical = lower(btrim(p_email)))
			and not exists (select from billing.customers c where c.tenant_id = t.id and not c.deleted)
		order by t.created_at limit 20);
end
$$;
ALTER FUNCTION ops.tenants_to_propose(p_email text) OWNER TO tollgate_service;
CREATE FUNCTION ops.time_of(p_text text, p_sign integer) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
begin
	if p_text ~ '^[0-9]{1,6}[smhdw]$' then
		return now() + p_sign * p_text::interval;
	end if;
	return p_text::timestamptz;
exception when invalid_datetime_format or datetime_field_overflow or invalid_text_representation then
	raise exception 'this is no time' using errcode = 'TG422';
end
$_$;
ALTER FUNCTION ops.time_of(p_text text, p_sign integer) OWNER TO tollgate_service;
CREATE FUNCTION ops.told_of(p_tenant uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return jsonb_build_object(
		'alerts', (select coalesce(jsonb_agg(to_jsonb(a) - 'tenant_id' order by a.raised_at desc), '[]') from (
			select * from billing.alerts n where n.tenant_id = p_tenant order by n.raised_at desc limit 20) a),
		'notifications', (select coalesce(jsonb_agg(to_jsonb(a) - 'tenant_id' order by a.created_at desc), '[]') from (
			select * from billing.notifications n where n.tenant_id = p_tenant order by n.created_at desc limit 20) a),
		'invoices', (select coalesce(jsonb_agg(to_jsonb(a) - array['tenant_id', 'hosted_url', 'pdf_url']
				order by a.created_at desc), '[]') from (
			select * from billing.invoices n where n.tenant_id = p_tenant order by n.created_at desc limit 20) a));
end
$$;
ALTER FUNCTION ops.told_of(p_tenant uuid) OWNER TO tollgate_service;
CREATE FUNCTION ops.type_fits(p_type text, p_wanted text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return p_type = p_wanted or (p_wanted like '%*' and starts_with(p_type, rtrim(p_wanted, '*')));
end
$$;
ALTER FUNCTION ops.type_fits(p_type text, p_wanted text) OWNER TO tollgate_service;
CREATE FUNCTION ops.unknown_types() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(t) order by t.events desc, t.type), '[]')
		from (
			select e.type, count(*) as events, max(e.received_at) as last from inbox.events e
			where e.state = 'ignored' and e.object_kind is null and e.outcome is null group by e.type) t);
end
$$;
ALTER FUNCTION ops.unknown_types() OWNER TO tollgate_service;
CREATE FUNCTION service.adopt_events(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
ALTER FUNCTION service.adopt_events(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) OWNER TO tollgate_service;
CREATE FUNCTION service.claim_mail(p_lease_seconds integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	claimed jsonb;
begin
	update mail.outbox o set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease_seconds),
		attempts = o.attempts + (o.claimed_until is not null)::int
	where o.id = (
		select d.id from mail.outbox d
		where d.state = 'pending' and d.next_at <= now() and (d.claimed_until is null or d.claimed_until < now())
		order by d.next_at limit 1 for update skip locked)
	returning jsonb_build_object('id', o.id, 'recipient', o.recipient, 'template', o.template, 'language', o.language,
		'data', o.data, 'key', o.key, 'attempts', o.attempts, 'claim', o.claim) into claimed;
	if (claimed ->> 'attempts')::int >= 10 then		-- its senders died of it, perhaps with the mail on its way
		update mail.outbox o set state = 'dead', claimed_until = null, last_error = 'lost with its lease',
			data = o.data - 'token' - 'code'
		where o.id = (claimed ->> 'id')::uuid;
		return service.claim_mail(p_lease_seconds);
	end if;
	return claimed;
end
$$;
ALTER FUNCTION service.claim_mail(p_lease_seconds integer) OWNER TO tollgate_service;
CREATE FUNCTION service.claim_object(p_lease_seconds integer, p_settle_ms integer DEFAULT 0) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	claimed jsonb;
	lost boolean;
begin
	with due as (
		select d.kind, d.id, d.claimed_until is not null as lost from sync.objects d
		where d.version > d.clean_version and d.dead_at is null and d.next_at <= now()
			and (d.claimed_until is null or d.claimed_until < now())
		order by d.next_at limit 1 for update skip locked)
	update sync.objects o set claim = gen_random_uuid(), claimed_until = now() + make_interval(secs => p_lease_seconds),
		quiet_until = now() + make_interval(secs => p_settle_ms / 1000.0), attempts = o.attempts + due.lost::int
	from due where o.kind = due.kind and o.id = due.id
	returning jsonb_build_object('kind', o.kind, 'id', o.id, 'version', o.version, 'attempts', o.attempts,
		'claim', o.claim, 'newest_event', sync.newest_event(o.kind, o.id)), due.lost into claimed, lost;
	if lost and sync.lose_lease(claimed ->> 'kind', claimed ->> 'id') then
		return service.claim_object(p_lease_seconds, p_settle_ms);
	end if;
	return claimed;
end
$$;
ALTER FUNCTION service.claim_object(p_lease_seconds integer, p_settle_ms integer) OWNER TO tollgate_service;
CREATE FUNCTION service.compare_subscriptions(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
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
$_$;
ALTER FUNCTION service.compare_subscriptions(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) OWNER TO tollgate_service;
CREATE FUNCTION service.diff_subscription(p_doc jsonb, p_listed timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
ALTER FUNCTION service.diff_subscription(p_doc jsonb, p_listed timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION service.fail_object(p_claim uuid, p_kind text, p_id text, p_error text, p_permanent boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	outage boolean := p_error in ('unavailable', 'uncertain', 'key_refused');
	dead boolean;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	update sync.objects o set attempts = o.attempts + (not outage)::int, outages = o.outages + outage::int,
		claimed_until = null, last_error = left(p_error, 500), next_at = now() + (0.5 + random() / 2)
			* least(interval '1 s' * 2 ^ least(o.attempts + o.outages, 10), interval '10 min'),
		dead_at = case when p_permanent or not outage and o.attempts + 1 >= 12 then now() end
	where o.kind = p_kind and o.id = p_id and o.claimed_until is not null returning o.dead_at is not null into dead;
	perform sync.count_attempt(p_kind, p_id) where dead is not null and not outage;
	if dead then
		perform sync.bury(p_kind, p_id, 'dead_object', p_error);
	end if;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;
ALTER FUNCTION service.fail_object(p_claim uuid, p_kind text, p_id text, p_error text, p_permanent boolean) OWNER TO tollgate_service;
CREATE FUNCTION service.hint() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform set_config('lock_timeout', '50', true);
	notify tollgate_dirty;
end
$$;
ALTER FUNCTION service.hint() OWNER TO tollgate_service;
CREATE FUNCTION service.keep_house(p_keep_days integer DEFAULT 90) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
	mails bigint;
begin
	delete from mail.outbox d where d.id in (
		select o.id from mail.outbox o
		where o.state <> 'pending' and o.created_at < now() - case o.state when 'void' then interval '1 day' else interval '30 days' end
		limit 1000);
	get diagnostics mails = row_count;
	return auth.keep_house() || jsonb_build_object('mails', mails, 'drafts', billing.drop_drafts(),
		'events', inbox.drop_events(p_keep_days), 'put_off', sync.wind_back());
end
$$;
ALTER FUNCTION service.keep_house(p_keep_days integer) OWNER TO tollgate_service;
CREATE FUNCTION service.leave_cursor(p_name text, p_claim uuid, p_wait integer, p_anew boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update sync.cursors c set claimed_until = now() + make_interval(secs => p_wait),
		started_at = case when not p_anew then c.started_at end
	where c.name = p_name and c.claim = p_claim;
	return null;
end
$$;
ALTER FUNCTION service.leave_cursor(p_name text, p_claim uuid, p_wait integer, p_anew boolean) OWNER TO tollgate_service;
CREATE FUNCTION service.look_cursor(p_name text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	c sync.cursors;
begin
	c.from_at := sync.pass_begins(p_name, (select k.watermark from sync.cursors k where k.name = p_name));
	return sync.cursor_document(c);
end
$$;
ALTER FUNCTION service.look_cursor(p_name text) OWNER TO tollgate_service;
CREATE FUNCTION service.mail_failed(p_id uuid, p_claim uuid, p_error text, p_permanent boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	dead boolean;
begin
	perform mail.hold(p_id, p_claim);
	update mail.outbox o set attempts = o.attempts + 1, claimed_until = null, last_error = left(p_error, 500),
		next_at = now() + interval '30 s' * 2 ^ least(o.attempts, 10)
	where o.id = p_id and o.state = 'pending' and o.claimed_until is not null
	returning p_permanent or o.attempts >= 10 into dead;
	if dead then
		update mail.outbox o set state = 'dead', data = o.data - 'token' - 'code' where o.id = p_id;
	end if;
	return jsonb_build_object('dead', coalesce(dead, false));
end
$$;
ALTER FUNCTION service.mail_failed(p_id uuid, p_claim uuid, p_error text, p_permanent boolean) OWNER TO tollgate_service;
CREATE FUNCTION service.mail_sent(p_id uuid, p_claim uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform mail.hold(p_id, p_claim);
	update mail.outbox o set state = 'sent', sent_at = now(), claimed_until = null, last_error = null,
		data = o.data - 'token' - 'code'
	where o.id = p_id and o.state = 'pending';
	return null;
end
$$;
ALTER FUNCTION service.mail_sent(p_id uuid, p_claim uuid) OWNER TO tollgate_service;
CREATE FUNCTION service.mark_objects(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.move_cursor(p_name, p_claim, p_after, p_more, p_lease);
	perform sync.mark(d ->> 'kind', d ->> 'id')
	from (select distinct d from jsonb_array_elements(p_page) d order by d) v;
	return jsonb_build_object('now', now(), 'found', '[]'::jsonb);
end
$$;
ALTER FUNCTION service.mark_objects(p_name text, p_claim uuid, p_page jsonb, p_listed timestamp with time zone, p_prev text, p_after text, p_more boolean, p_lease integer) OWNER TO tollgate_service;
CREATE FUNCTION service.match_account(p_account text, p_learn boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if p_learn then
		update meta.stamp t set account = p_account where t.account is null;
	end if;
	return (select to_jsonb(t.account) from meta.stamp t where t.account <> p_account);
end
$$;
ALTER FUNCTION service.match_account(p_account text, p_learn boolean) OWNER TO tollgate_service;
CREATE FUNCTION service.object_gone(p_claim uuid, p_kind text, p_id text, p_version bigint) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	holder uuid;
begin
	perform sync.hold(p_claim, p_kind, p_id);
	perform billing.clear_alert(k, p_id) from unnest('{orphan,finalization_failed}'::text[]) k;
	holder := sync.holder_of(p_kind, p_id);
	perform billing.watch(holder is not null, holder, 'gone', p_kind || ':' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', case when holder is null then '{}'::jsonb
		else '{"warning": "Stripe does not know it"}' end, '{"gone": true}');
end
$$;
ALTER FUNCTION service.object_gone(p_claim uuid, p_kind text, p_id text, p_version bigint) OWNER TO tollgate_service;
CREATE FUNCTION service.receive_event(p_id text, p_type text, p_api_version text, p_created bigint, p_livemode boolean, p_raw bytea, p_signature text, p_key text, p_kind text, p_object text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return jsonb_build_object('duplicate', '[]' = service.receive_events(jsonb_build_array(jsonb_build_object('id', p_id,
		'type', p_type, 'api_version', p_api_version, 'created', p_created, 'livemode', p_livemode, 'signature', p_signature,
		'key', p_key, 'kind', p_kind, 'object', p_object, 'at', 1, 'size', octet_length(p_raw))), p_raw));
end
$$;
ALTER FUNCTION service.receive_event(p_id text, p_type text, p_api_version text, p_created bigint, p_livemode boolean, p_raw bytea, p_signature text, p_key text, p_kind text, p_object text) OWNER TO tollgate_service;
CREATE FUNCTION service.receive_events(p_about jsonb, p_blob bytea) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	news record;
	stamp meta.stamp;
begin
	select t.* into stamp from meta.stamp t;
	with told as (
		select a.*, case when a.livemode <> (stamp.environment = 'production') then 'livemode'
			when a.account <> coalesce(stamp.account, '') then 'account' end as why
		from jsonb_to_recordset(p_about) as a(id text, type text, api_version text, account text, created bigint,
			livemode boolean, signature text, key text, headers jsonb, kind text, object text, unpinned boolean, at int, size int)
	), kept as (
		insert into inbox.events as e (id, type, api_version, account, created, livemode, raw, signature_header, key_id,
			headers, state, object_kind, object_id, outcome)
		select a.id, a.type, a.api_version, a.account,
			case when a.created between 0 and 253402300799 then to_timestamp(a.created) end,	-- up to year 9999
			a.livemode, substring(p_blob from a.at for a.size), a.signature, a.key, a.headers,
			case when a.kind is not null and a.object is not null and a.why is null then 'received' else 'ignored' end,
			case when a.why is null then a.kind end, case when a.why is null then a.object end,
			case when a.why is not null then jsonb_build_object('foreign', a.why) end
		from told a
		order by a.id
		on conflict (id) do nothing
		returning e.id, e.state, e.object_kind, e.object_id, e.outcome ->> 'foreign' as why
	), marked as (
		insert into sync.objects as o (kind, id)
		select distinct k.object_kind, k.object_id from kept k where k.state = 'received' order by 1, 2
		on conflict (kind, id) do update set version = o.version + 1, next_at = sync.due_at(o), dead_at = null,
			attempts = case when o.dead_at is null then o.attempts else 0 end
	)
	select coalesce(jsonb_agg(k.id), '[]') as ids, min(k.why) as why,
		(select min(t.api_version) from told t where t.unpinned) as version
	into news from kept k;
	if coalesce(news.why, news.version) is not null then
		-- once it is told, those that store such events side by side do not wait for each other's lock on it
		perform billing.raise_alert(null, w.kind, w.subject, null)
		from (values ('foreign_event', news.why), ('api_version', news.version)) w (kind, subject)
		where w.subject is not null and not exists (select from billing.alerts a
			where a.kind = w.kind and a.subject = w.subject and a.cleared_at is null);
	end if;
	return news.ids;
end
$$;
ALTER FUNCTION service.receive_events(p_about jsonb, p_blob bytea) OWNER TO tollgate_service;
CREATE FUNCTION service.take_cursor(p_name text, p_every integer, p_offset integer, p_lease integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
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
ALTER FUNCTION service.take_cursor(p_name text, p_every integer, p_offset integer, p_lease integer) OWNER TO tollgate_service;
CREATE FUNCTION service.watch_key(p_refused jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.watch(p_refused <> '[]', null, 'stripe_key', 'jobs', jsonb_build_object('refused', p_refused));
	update sync.objects o set next_at = now()
	where p_refused = '[]' and (o.kind, o.id) in (
		select w.kind, w.id from sync.objects w
		where w.version > w.clean_version and w.dead_at is null and w.next_at > now()
			and w.last_error in ('key_refused', 'unavailable')
		for update skip locked);
	return null;
end
$$;
ALTER FUNCTION service.watch_key(p_refused jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_charge(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.dispute_fault(p_doc);
	n billing.disputes;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);	-- charge, customer: in the order of batches
	perform sync.lock_customer(customer);
	n := row(p_id, billing.customer_tenant(customer), 'refund',
		case when p_doc -> 'refunded' = 'true' then 'refund_full' else 'refund_partial' end, p_id,
		billing.id_of(p_doc -> 'invoice'), p_doc ->> 'status', billing.whole_of(p_doc -> 'amount_refunded'),
		p_doc ->> 'currency', null, billing.time_of(p_doc -> 'created'), null, null, null);
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif n.tenant_id is null then
		return sync.put_aside(p_kind, p_id, p_version, customer);
	elsif coalesce(n.amount, 0) = 0 and not exists (select from billing.disputes d where d.id = p_id) then
		return sync.finish(p_kind, p_id, p_version, 'done', '{}');
	end if;
	perform billing.watch_words(n.tenant_id, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}', billing.put_dispute(n, 'refunded', p_id || ':' || n.amount));
end
$$;
ALTER FUNCTION service.write_charge(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_checkout(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	tenant uuid := coalesce((select c.tenant_id from billing.checkouts c where c.session_id = p_id),
		case p_doc ->> 'mode' when 'subscription' then billing.tenant_named_in(p_doc - 'client_reference_id') end);
	customer text := billing.id_of(p_doc -> 'customer');
	subscription text := billing.id_of(p_doc -> 'subscription');
	status text := billing.checkout_status_of(p_doc);
	before jsonb := (select to_jsonb(c) from billing.checkouts c where c.session_id = p_id);
	was text;
	report jsonb := '{}';
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if tenant is null then
		return sync.put_aside(p_kind, p_id, p_version, customer);
	end if;
	delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	if status = 'unpaid' and billing.payment_failed(p_id, subscription) then
		status := 'failed';
	end if;
	perform sync.mark('customer', customer) where status = 'complete' and customer is not null;
	perform sync.mark('subscription', subscription) where status in ('complete', 'unpaid') and subscription is not null;
	perform billing.put_checkout(tenant, p_id, status, subscription);
	if status = 'failed' and before ->> 'status' <> 'failed' then
		perform billing.tell_checkout(c) from billing.checkouts c where c.session_id = p_id;
	end if;
	was := (select t.status from app.tenants t where t.id = tenant);
	if status = 'complete' then
		report := billing.promote(tenant, customer);
	end if;
	perform billing.watch_words(tenant, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', report, billing.tenant_change(tenant, was) || billing.changes(
		before, (select to_jsonb(c) - '{key,flow_hash,email,email_canonical}'::text[] from billing.checkouts c where c.session_id = p_id)));
end
$$;
ALTER FUNCTION service.write_checkout(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_customer(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	gone boolean := coalesce(p_doc -> 'deleted' = 'true', false);
	before jsonb := (select to_jsonb(c) from billing.customers c where c.id = p_id);
	tenant uuid := coalesce((select c.tenant_id from billing.customers c where c.id = p_id),
		(select k.tenant_id from billing.checkouts k where gone and k.customer_id = p_id limit 1));
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	perform from app.tenants t where gone and t.id = tenant for no key update;
	perform billing.clear_alert('second_customer', p_id) where gone;
	if tenant is null then
		return sync.put_aside(p_kind, p_id, p_version, p_id);
	end if;
	insert into billing.customers (id, tenant_id, deleted) select p_id, tenant, true where gone on conflict do nothing;
	update billing.customers c set email = p_doc ->> 'email', synced_at = now(), deleted = gone where c.id = p_id;
	if gone then
		perform billing.replace_customer(tenant, p_id);
	end if;
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(c) from billing.customers c where c.id = p_id)));
end
$$;
ALTER FUNCTION service.write_customer(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_dispute(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	customer text := coalesce(billing.id_of(p_doc #> '{charge,customer}'), billing.id_of(p_doc -> 'customer'));
	fault text := billing.dispute_fault(p_doc);
	n billing.disputes;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.lock_customer(customer);
	perform sync.hold(p_claim, p_kind, p_id);
	n := row(p_id, null, 'dispute', billing.dispute_policy(p_doc ->> 'status'), billing.id_of(p_doc -> 'charge'),
		billing.id_of(p_doc #> '{charge,invoice}'), p_doc ->> 'status', billing.whole_of(p_doc -> 'amount'),
		p_doc ->> 'currency', p_doc ->> 'reason', billing.time_of(p_doc -> 'created'), null, null, null);
	n.tenant_id := coalesce((select d.tenant_id from billing.disputes d where d.id = p_id), billing.customer_tenant(customer),
		(select d.tenant_id from billing.disputes d where d.charge = n.charge limit 1));
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif n.tenant_id is null then
		return sync.put_aside(p_kind, p_id, p_version, customer);
	end if;
	perform billing.watch_words(n.tenant_id, p_kind, p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}', billing.put_dispute(n, 'disputed', p_id));
end
$$;
ALTER FUNCTION service.write_dispute(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_invoice(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.invoice_fault(p_doc);
	tenant uuid;
	hints text[];
	before billing.invoices;
	after billing.invoices;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.lock_customer(customer);
	perform sync.hold(p_claim, p_kind, p_id);
	tenant := billing.invoice_tenant(p_id, p_doc);
	fault := coalesce(fault, billing.currency_fault(p_doc));
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif tenant is null then
		return sync.put_aside(p_kind, p_id, p_version, customer);
	end if;
	select i.* into before from billing.invoices i where i.id = p_id;
	perform sync.mark('subscription', billing.subscription_of(p_doc))
	where billing.subscription_of(p_doc) is not null and (before.status, before.attempt_count::text) is distinct from
		(p_doc ->> 'status', coalesce(p_doc ->> 'attempt_count', '0'));
	hints := billing.hints_of(p_kind, p_id);
	after := billing.put_invoice(tenant, p_doc, 'action_required' = any (hints));
	perform billing.watch_words(tenant, p_kind, p_doc);
	perform billing.watch_invoice(after, p_doc -> 'last_finalization_error');
	perform billing.tell_invoice(after, hints);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(case when before.id is not null then to_jsonb(before) end, to_jsonb(after)));
end
$$;
ALTER FUNCTION service.write_invoice(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_portal_configuration(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	wanted jsonb;
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	update billing.portal_configurations c set actual = p_doc, synced_at = now() where c.id = p_id returning c.desired into wanted;
	if wanted is null then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.watch(not billing.holds(p_doc, wanted), null, 'drift', 'portal_configuration:' || p_id, '{}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;
ALTER FUNCTION service.write_portal_configuration(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_price(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	fault text := billing.price_fault(p_doc);
	before jsonb := (select to_jsonb(p) from billing.prices p where p.id = p_id);
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif before is null and not exists (select from billing.plans p where p.lookup_key = p_doc ->> 'lookup_key') then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.put_price(p_doc);
	return sync.finish(p_kind, p_id, p_version, 'done', '{}',
		billing.changes(before, (select to_jsonb(p) from billing.prices p where p.id = p_id)));
end
$$;
ALTER FUNCTION service.write_price(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_product(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.hold(p_claim, p_kind, p_id);
	if not exists (select from billing.prices p where p.product = p_id) then
		return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
	end if;
	perform billing.watch(p_doc -> 'active' is distinct from 'true' and billing.is_sold(p_id), null, 'drift', 'product:' || p_id,
		'{"active": false}');
	return sync.finish(p_kind, p_id, p_version, 'done', '{}');
end
$$;
ALTER FUNCTION service.write_product(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION service.write_subscription(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	customer text := billing.id_of(p_doc -> 'customer');
	fault text := billing.subscription_fault(p_doc);
	tenant uuid;
	was text;
	before billing.subscriptions;
	after billing.subscriptions;
	report jsonb := '{}';
begin
	perform billing.require_document(p_doc, p_id);
	perform sync.mark('checkout', c.session_id) from billing.checkouts c		-- whose payment has failed with it
	where c.subscription_id = p_id and c.status = 'unpaid' and c.session_id is not null and not billing.is_live(p_doc ->> 'status');
	perform sync.lock_customer(customer);
	perform billing.doubt_invoices(p_id, p_doc);
	tenant := billing.subscription_tenant(p_id, p_doc);
	perform billing.note_prices(p_id, p_doc) where tenant is not null and fault is null;
	perform sync.hold(p_claim, p_kind, p_id);
	if fault is not null then
		return sync.park(p_kind, p_id, p_version, fault);
	elsif tenant is null then
		return billing.put_subscription_aside(p_kind, p_id, p_version, p_doc);
	end if;
	perform sync.mark('customer', customer)
	where customer is not null and not exists (select from billing.customers c where c.id = customer);
	select s.* into before from billing.subscriptions s where s.id = p_id;
	after := billing.put_subscription(billing.subscription_row(tenant, p_id, p_doc));
	if before.id is null then
		delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
		perform sync.adopt(customer);
	end if;
	if billing.plan_of(after.price) is null then
		report := '{"unknown_price": true}';
	end if;
	was := (select t.status from app.tenants t where t.id = tenant);
	if was = 'active' or after.status in ('active', 'trialing') then
		report := report || billing.promote(tenant, customer);
	end if;
	perform billing.watch_words(tenant, p_kind, p_doc);
	perform billing.watch_subscription(before, after);
	perform billing.tell_subscription(before, after, p_doc #>> '{cancellation_details,reason}');
	return sync.finish(p_kind, p_id, p_version, 'done', report, billing.tenant_change(tenant, was)
		|| billing.changes(case when before.id is not null then to_jsonb(before) end, to_jsonb(after)));
end
$$;
ALTER FUNCTION service.write_subscription(p_claim uuid, p_kind text, p_id text, p_version bigint, p_doc jsonb) OWNER TO tollgate_service;
CREATE FUNCTION sync.absent_subscriptions(p_page jsonb, p_listed timestamp with time zone, p_prev text, p_more boolean) RETURNS SETOF billing.subscriptions
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
ALTER FUNCTION sync.absent_subscriptions(p_page jsonb, p_listed timestamp with time zone, p_prev text, p_more boolean) OWNER TO tollgate_service;
CREATE FUNCTION sync.adopt(p_customer text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform sync.mark(o.kind, o.id) from (
		select o.kind, o.id from sync.orphans o where o.customer_id = p_customer order by o.kind, o.id) o;
end
$$;
ALTER FUNCTION sync.adopt(p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION sync.bury(p_kind text, p_id text, p_alert text, p_error text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update inbox.events e set state = 'dead'
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
	perform billing.raise_alert(null, p_alert, p_kind || ':' || p_id, jsonb_build_object('error', p_error));
end
$$;
ALTER FUNCTION sync.bury(p_kind text, p_id text, p_alert text, p_error text) OWNER TO tollgate_service;
CREATE FUNCTION sync.count_attempt(p_kind text, p_id text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	update inbox.events e set attempts = e.attempts + 1
	where e.object_kind = p_kind and e.object_id = p_id and e.state = 'received';
end
$$;
ALTER FUNCTION sync.count_attempt(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE TABLE sync.cursors (
    name text NOT NULL,
    watermark timestamp with time zone,
    from_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    after text,
    claim uuid,
    claimed_until timestamp with time zone,
    newest timestamp with time zone,
    seen_at timestamp with time zone
);
ALTER TABLE ONLY sync.cursors FORCE ROW LEVEL SECURITY;
ALTER TABLE sync.cursors OWNER TO tollgate_owner;
CREATE FUNCTION sync.cursor_document(c sync.cursors) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return jsonb_build_object('claim', c.claim, 'from', extract(epoch from c.from_at)::bigint::text, 'after', c.after,
		'now', now());
end
$$;
ALTER FUNCTION sync.cursor_document(c sync.cursors) OWNER TO tollgate_service;
CREATE TABLE sync.objects (
    kind text NOT NULL,
    id text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    clean_version bigint DEFAULT 0 NOT NULL,
    claim uuid,
    claimed_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    last_error text,
    dead_at timestamp with time zone,
    outages integer DEFAULT 0 NOT NULL,
    quiet_until timestamp with time zone
);
ALTER TABLE ONLY sync.objects FORCE ROW LEVEL SECURITY;
ALTER TABLE sync.objects OWNER TO tollgate_owner;
CREATE FUNCTION sync.due_at(o sync.objects) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return greatest(case when o.version > o.clean_version and o.dead_at is null then least(o.next_at, now()) else now() end,
		case when o.quiet_until <= now() + interval '1 min' then o.quiet_until end);
end
$$;
ALTER FUNCTION sync.due_at(o sync.objects) OWNER TO tollgate_service;
CREATE FUNCTION sync.finish(p_kind text, p_id text, p_version bigint, p_state text, p_report jsonb, p_outcome jsonb DEFAULT '{}'::jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	clean boolean;
begin
	update sync.objects o set clean_version = greatest(o.clean_version, least(p_version, o.version)), claimed_until = null,
		attempts = 0, outages = 0, last_error = p_report ->> 'warning'
	where o.kind = p_kind and o.id = p_id returning o.clean_version = o.version into clean;
	update inbox.events e set state = case when clean then p_state else e.state end, done_at = case when clean then now() end,
		outcome = coalesce(e.outcome, '{}') || p_outcome
	where e.object_kind = p_kind and e.object_id = p_id and e.state <> 'done' and (clean and e.state <> p_state or p_outcome <> '{}');
	update billing.alerts a set cleared_at = now()
	where a.kind in ('parked', 'dead_object', case when not p_outcome ? 'gone' then 'gone' end)
		and a.subject = p_kind || ':' || p_id and a.cleared_at is null;
	if p_state = 'done' then
		delete from sync.orphans o where o.kind = p_kind and o.id = p_id;
	end if;
	return jsonb_build_object('clean', clean) || p_report;
end
$$;
ALTER FUNCTION sync.finish(p_kind text, p_id text, p_version bigint, p_state text, p_report jsonb, p_outcome jsonb) OWNER TO tollgate_service;
CREATE FUNCTION sync.hold(p_claim uuid, p_kind text, p_id text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	perform from sync.objects o where o.kind = p_kind and o.id = p_id and o.claim = p_claim for update;
	if not found then
		raise exception 'the claim is not held any more' using errcode = 'TG409';
	end if;
end
$$;
ALTER FUNCTION sync.hold(p_claim uuid, p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION sync.holder_of(p_kind text, p_id text) RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return case p_kind
		when 'subscription' then (select s.tenant_id from billing.subscriptions s where s.id = p_id and billing.is_live(s.status))
		when 'customer' then (select c.tenant_id from billing.customers c where c.id = p_id and not c.deleted)
	end;
end
$$;
ALTER FUNCTION sync.holder_of(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION sync.lock_customer(p_customer text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	if p_customer is not null and not exists (select from billing.customers c where c.id = p_customer) then
		insert into sync.objects (kind, id, version) values ('customer', p_customer, 0) on conflict (kind, id) do nothing;
		perform from sync.objects o where o.kind = 'customer' and o.id = p_customer for update;
	end if;
end
$$;
ALTER FUNCTION sync.lock_customer(p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION sync.look_at_all(p_since timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
ALTER FUNCTION sync.look_at_all(p_since timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION sync.lose_lease(p_kind text, p_id text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	dead boolean;
begin
	perform sync.count_attempt(p_kind, p_id);
	update sync.objects o set claimed_until = null, last_error = 'lost with its lease', dead_at = now()
	where o.kind = p_kind and o.id = p_id and o.attempts >= 12 returning true into dead;
	if dead then
		perform sync.bury(p_kind, p_id, 'dead_object', 'lost with its lease');
	end if;
	return coalesce(dead, false);
end
$$;
ALTER FUNCTION sync.lose_lease(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION sync.mark(p_kind text, p_id text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into sync.objects as o (kind, id) values (p_kind, p_id)
	on conflict (kind, id) do update set version = o.version + 1, next_at = sync.due_at(o), dead_at = null,
		attempts = case when o.dead_at is null then o.attempts else 0 end;
end
$$;
ALTER FUNCTION sync.mark(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION sync.move_cursor(p_name text, p_claim uuid, p_after text, p_more boolean, p_lease integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
ALTER FUNCTION sync.move_cursor(p_name text, p_claim uuid, p_after text, p_more boolean, p_lease integer) OWNER TO tollgate_service;
CREATE FUNCTION sync.newest_event(p_kind text, p_id text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	return (
		select e.id from inbox.events e where e.object_id = p_id and e.object_kind = p_kind and e.state = 'received'
		order by e.received_at desc, e.id limit 1);
end
$$;
ALTER FUNCTION sync.newest_event(p_kind text, p_id text) OWNER TO tollgate_service;
CREATE FUNCTION sync.park(p_kind text, p_id text, p_version bigint, p_fault text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	dead boolean;
begin
	update sync.objects o set claimed_until = null, last_error = p_fault, dead_at = case when o.version <= p_version then now() end
	where o.kind = p_kind and o.id = p_id returning o.dead_at is not null into dead;
	perform sync.count_attempt(p_kind, p_id);
	if dead then
		perform sync.bury(p_kind, p_id, 'parked', p_fault);
	end if;
	return jsonb_build_object('clean', false, 'dead', dead, 'warning', p_fault);
end
$$;
ALTER FUNCTION sync.park(p_kind text, p_id text, p_version bigint, p_fault text) OWNER TO tollgate_service;
CREATE FUNCTION sync.pass_begins(p_name text, p_watermark timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
	return coalesce(case when p_name <> 'undelivered' then p_watermark - interval '1 hour' end, now() - interval '30 days');
end
$$;
ALTER FUNCTION sync.pass_begins(p_name text, p_watermark timestamp with time zone) OWNER TO tollgate_service;
CREATE FUNCTION sync.put_aside(p_kind text, p_id text, p_version bigint, p_customer text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
	insert into sync.orphans (kind, id, customer_id) values (p_kind, p_id, p_customer)
	on conflict (kind, id) do update set customer_id = excluded.customer_id;
	return sync.finish(p_kind, p_id, p_version, 'ignored', '{"orphan": true}');
end
$$;
ALTER FUNCTION sync.put_aside(p_kind text, p_id text, p_version bigint, p_customer text) OWNER TO tollgate_service;
CREATE FUNCTION sync.wind_back() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
	far timestamptz := now() + interval '1 hour';
	objects bigint;
	mails bigint;
begin
	update sync.objects o set next_at = least(o.next_at, now()), claimed_until = null
	where o.version > o.clean_version and o.dead_at is null and (o.next_at > far or o.claimed_until > far);
	get diagnostics objects = row_count;
	update mail.outbox m set next_at = least(m.next_at, now()), claimed_until = null
	where m.state = 'pending' and (m.next_at > far or m.claimed_until > far);
	get diagnostics mails = row_count;
	return objects + mails;
end
$$;
ALTER FUNCTION sync.wind_back() OWNER TO tollgate_service;
CREATE TABLE app.profiles (
    user_id uuid NOT NULL,
    display_name text NOT NULL,
    avatar_url text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    language text
);
ALTER TABLE ONLY app.profiles FORCE ROW LEVEL SECURITY;
ALTER TABLE app.profiles OWNER TO tollgate_owner;
CREATE TABLE app.tenants (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activated_at timestamp with time zone,
    CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'closed'::text])))
);
ALTER TABLE ONLY app.tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE app.tenants OWNER TO tollgate_owner;
CREATE TABLE auth.hits (
    kind text NOT NULL,
    subject bytea NOT NULL,
    spent_until timestamp with time zone NOT NULL
);
ALTER TABLE ONLY auth.hits FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.hits OWNER TO tollgate_owner;
CREATE TABLE auth.limits (
    kind text NOT NULL,
    allowed integer NOT NULL,
    per interval NOT NULL,
    CONSTRAINT limits_allowed_check CHECK ((allowed > 0)),
    CONSTRAINT limits_per_check CHECK ((per > '00:00:00'::interval))
);
ALTER TABLE ONLY auth.limits FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.limits OWNER TO tollgate_owner;
CREATE TABLE auth.tokens (
    hash bytea NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamp with time zone DEFAULT now() NOT NULL,
    confirmed_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT tokens_hash_check CHECK ((octet_length(hash) = 32))
);
ALTER TABLE ONLY auth.tokens FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.tokens OWNER TO tollgate_owner;
CREATE TABLE auth.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    email_canonical text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    disabled_at timestamp with time zone
);
ALTER TABLE ONLY auth.users FORCE ROW LEVEL SECURITY;
ALTER TABLE auth.users OWNER TO tollgate_owner;
CREATE TABLE billing.alerts (
    id bigint NOT NULL,
    tenant_id uuid,
    kind text NOT NULL,
    subject text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    raised_at timestamp with time zone DEFAULT now() NOT NULL,
    cleared_at timestamp with time zone
);
ALTER TABLE ONLY billing.alerts FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.alerts OWNER TO tollgate_owner;
ALTER TABLE billing.alerts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE billing.customers (
    id text NOT NULL,
    tenant_id uuid NOT NULL,
    email text,
    deleted boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    synced_at timestamp with time zone
);
ALTER TABLE ONLY billing.customers FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.customers OWNER TO tollgate_owner;
CREATE TABLE billing.notice_kinds (
    kind text NOT NULL,
    mailed boolean NOT NULL,
    event text
);
ALTER TABLE ONLY billing.notice_kinds FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.notice_kinds OWNER TO tollgate_owner;
ALTER TABLE billing.notifications ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.notifications_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE billing.override_history (
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone,
    allowed boolean NOT NULL,
    plan text,
    until timestamp with time zone,
    reason text NOT NULL,
    set_by text NOT NULL
);
ALTER TABLE ONLY billing.override_history FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.override_history OWNER TO tollgate_owner;
ALTER TABLE billing.override_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.override_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE billing.overrides (
    tenant_id uuid NOT NULL,
    allowed boolean NOT NULL,
    plan text,
    until timestamp with time zone,
    reason text NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY billing.overrides FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.overrides OWNER TO tollgate_owner;
ALTER TABLE billing.plan_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.plan_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE billing.plans (
    id text NOT NULL,
    price text,
    rank integer NOT NULL,
    offered boolean DEFAULT true NOT NULL,
    lookup_key text,
    amount bigint,
    currency text,
    "interval" text,
    grace interval DEFAULT '7 days'::interval NOT NULL,
    features text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT plans_amount_check CHECK (((amount >= 0) AND (amount <= '9007199254740992'::bigint))),
    CONSTRAINT plans_currency_check CHECK ((currency ~ '^[a-z]{3}$'::text)),
    CONSTRAINT plans_id_check CHECK ((id ~ '^[a-z0-9_]{1,40}$'::text)),
    CONSTRAINT plans_interval_check CHECK (("interval" = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text])))
);
ALTER TABLE ONLY billing.plans FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.plans OWNER TO tollgate_owner;
CREATE TABLE billing.policies (
    kind text NOT NULL,
    effect text NOT NULL,
    CONSTRAINT policies_effect_check CHECK ((effect = ANY (ARRAY['restrict'::text, 'alert'::text, 'nothing'::text])))
);
ALTER TABLE ONLY billing.policies FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.policies OWNER TO tollgate_owner;
CREATE TABLE billing.portal_configurations (
    id text NOT NULL,
    desired jsonb,
    actual jsonb,
    synced_at timestamp with time zone
);
ALTER TABLE ONLY billing.portal_configurations FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.portal_configurations OWNER TO tollgate_owner;
CREATE TABLE billing.status_rules (
    status text NOT NULL,
    grants text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT status_rules_grants_check CHECK ((grants = ANY (ARRAY['yes'::text, 'grace'::text, 'no'::text])))
);
ALTER TABLE ONLY billing.status_rules FORCE ROW LEVEL SECURITY;
ALTER TABLE billing.status_rules OWNER TO tollgate_owner;
ALTER TABLE billing.subscription_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME billing.subscription_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE inbox.events (
    id text NOT NULL,
    type text NOT NULL,
    api_version text,
    created timestamp with time zone,
    livemode boolean NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    raw bytea NOT NULL,
    signature_header text,
    state text NOT NULL,
    object_kind text,
    object_id text,
    done_at timestamp with time zone,
    account text,
    headers jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    outcome jsonb,
    key_id text,
    CONSTRAINT events_state_check CHECK ((state = ANY (ARRAY['received'::text, 'done'::text, 'ignored'::text, 'dead'::text])))
);
ALTER TABLE ONLY inbox.events FORCE ROW LEVEL SECURITY;
ALTER TABLE inbox.events OWNER TO tollgate_owner;
CREATE TABLE mail.outbox (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    key text NOT NULL,
    recipient text NOT NULL,
    template text NOT NULL,
    language text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    claim uuid,
    claimed_until timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    last_error text,
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'dead'::text, 'void'::text])))
);
ALTER TABLE ONLY mail.outbox FORCE ROW LEVEL SECURITY;
ALTER TABLE mail.outbox OWNER TO tollgate_owner;
CREATE TABLE meta.migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE meta.migrations OWNER TO postgres;
CREATE TABLE meta.stamp (
    one boolean DEFAULT true NOT NULL,
    environment text NOT NULL,
    account text,
    migrated_to text NOT NULL,
    stamped_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT stamp_account_check CHECK ((account ~ '^acct_'::text)),
    CONSTRAINT stamp_environment_check CHECK ((environment = ANY (ARRAY['production'::text, 'preview'::text, 'development'::text]))),
    CONSTRAINT stamp_one_check CHECK (one)
);
ALTER TABLE ONLY meta.stamp FORCE ROW LEVEL SECURITY;
ALTER TABLE meta.stamp OWNER TO tollgate_owner;
CREATE TABLE sync.orphans (
    kind text NOT NULL,
    id text NOT NULL,
    customer_id text,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE ONLY sync.orphans FORCE ROW LEVEL SECURITY;
ALTER TABLE sync.orphans OWNER TO tollgate_owner;
COPY app.members (tenant_id, user_id, role, created_at) FROM stdin;
3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	fc2965e1-376e-4bf8-9884-910f7d19f354	owner	2026-11-28 21:40:15.040715+00
71f10eac-6c1c-44b9-b184-c8f89b85a03a	2aa19a40-80d5-4713-9526-4f3d9269e3bd	owner	2026-11-28 21:40:15.266572+00
34fbae3e-e818-442e-a0d9-51407ba14c45	6671d666-aaba-4f99-bafa-b603b39f9572	owner	2026-11-28 21:40:15.418685+00
98690e40-0269-4f18-8553-89c3b9042967	a4670d04-6a63-4150-87a5-0ba33c64ce68	owner	2026-11-28 21:40:15.544909+00
d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	c4c778f6-d8fb-42a5-8e35-aefc9e2a5654	owner	2026-11-28 21:40:15.748263+00
96054005-7bb7-4deb-abbe-630d119788a4	1ee59aac-6b65-4bed-a30b-364d1bdc92c8	owner	2026-11-28 21:40:15.874688+00
\.
COPY app.profiles (user_id, display_name, avatar_url, created_at, language) FROM stdin;
fc2965e1-376e-4bf8-9884-910f7d19f354	ann	\N	2026-11-28 21:40:15.040715+00	en
2aa19a40-80d5-4713-9526-4f3d9269e3bd	bob	\N	2026-11-28 21:40:15.266572+00	en
6671d666-aaba-4f99-bafa-b603b39f9572	carl	\N	2026-11-28 21:40:15.418685+00	en
a4670d04-6a63-4150-87a5-0ba33c64ce68	dan	\N	2026-11-28 21:40:15.544909+00	en
c4c778f6-d8fb-42a5-8e35-aefc9e2a5654	eve	\N	2026-11-28 21:40:15.748263+00	en
1ee59aac-6b65-4bed-a30b-364d1bdc92c8	fay	\N	2026-11-28 21:40:15.874688+00	en
\.
COPY app.tenants (id, status, created_at, activated_at) FROM stdin;
3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	active	2026-11-28 21:40:14.927242+00	2026-11-28 21:40:15.040715+00
71f10eac-6c1c-44b9-b184-c8f89b85a03a	active	2026-11-28 21:40:15.169666+00	2026-11-28 21:40:15.266572+00
34fbae3e-e818-442e-a0d9-51407ba14c45	active	2026-11-28 21:40:15.350603+00	2026-11-28 21:40:15.418685+00
98690e40-0269-4f18-8553-89c3b9042967	active	2026-11-28 21:40:15.45913+00	2026-11-28 21:40:15.544909+00
d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	active	2026-11-28 21:40:15.682251+00	2026-11-28 21:40:15.748263+00
96054005-7bb7-4deb-abbe-630d119788a4	active	2026-11-28 21:40:15.81509+00	2026-11-28 21:40:15.874688+00
39dcc268-128d-4131-b367-57b4a630dc11	draft	2026-11-28 21:40:16.001624+00	\N
\.
COPY auth.hits (kind, subject, spent_until) FROM stdin;
draft_address	\\x5679449a8fb187f36c08b6fcab76c91c61319d897647309793d047e2d568c159	2026-11-28 21:40:14.930842+00
draft_address	\\x04733d4032545cd84f88866832e7e3816801ef16aecdf0d6319e94d5bd7cb9b1	2026-11-28 21:40:15.173266+00
draft_address	\\x39bb592207c904062a4ffc2258c0baef23acb6bf51b4ad1ed3e61a41e96eddd0	2026-11-28 21:40:15.354203+00
draft_address	\\xd5f92c96c75240f1773c83f9c31720ea04cd6e9adfc63ec7c6386fe9e477a8c7	2026-11-28 21:40:15.46273+00
draft_address	\\x7470806a6ed7fb48b9ab45ca85f6965560cff7ee6ee3310c8027ede7bdbede7f	2026-11-28 21:40:15.685851+00
draft_address	\\x3810e31c739aff3d522a50ccd0bfe32922caa142df7c2afbea66c5d2ed04684a	2026-11-28 21:40:15.81869+00
draft_ip	\\xbade235511b65657ecf61f917136519e2fe4bcf4801520b41fdfc3a4e49470a2	2026-11-28 21:40:16.005224+00
draft_address	\\x467e7a558bc3e2fff1a03f7808eaea1b4a8c909d6fe6602e1c41a75bcadc6b6f	2026-11-28 21:40:16.005224+00
draft_global	\\xee807f4cdcce0835148302999bdd971b8bc241de27716efd88fa46acb6945f0b	2026-11-28 21:40:16.005224+00
link_ip	\\xfdc18117ca76fde55dd12c1db9b03de884172094ca16964d17c7e615c385b6a8	2026-11-28 21:41:23.93608+00
link_address	\\xc7c68062c90421bf21e87dc20b8057439625589999850458d7663dbd9d76ca63	2026-11-28 21:41:23.93608+00
\.
COPY auth.limits (kind, allowed, per) FROM stdin;
link_address	5	01:00:00
draft_address	5	01:00:00
link_ip	5	01:00:00
draft_ip	5	01:00:00
draft_global	5	01:00:00
\.
COPY auth.links (hash, code_hash, flow_hash, user_id, email_canonical, next, language, ip, created_at, expires_at, used_at, token_hash, attempts) FROM stdin;
\\x9678dc5405de3d3a50aa78c7fc27bb1d7d915a7dd6cbec9fa63468880ccf6a42	\\xd24c3138c120ea546819833a7b210915230b99acbdc53258d9131ccc1adbb773	\\x653715361ed28b9677542a2308e330f6f0010c9ce186cc72a5c6433ffa000a9b	fc2965e1-376e-4bf8-9884-910f7d19f354	ann@example.com	\N	en	\N	2026-11-28 21:40:15.040715+00	2026-11-28 21:40:15.13111+00	\N	\N	0
\\x951a879cc3687a5d0d5ee27a82fdc4f28a89fb51dfd61be32fb7e5425ebfa21a	\\x2c761f440f85bb0a7cbfba59077b50fc463d09887bc58ca26bfe263c3471213f	\\x653715361ed28b9677542a2308e330f6f0010c9ce186cc72a5c6433ffa000a9b	fc2965e1-376e-4bf8-9884-910f7d19f354	ann@example.com	/workspace	en	127.0.0.1	2026-11-28 21:40:15.13111+00	2026-11-28 21:50:15.13111+00	2026-11-28 21:40:15.156718+00	\\xf1aa8acfbb3e94f472730bf28c76d8601b395e492b5bf4b14e22d12798fef087	0
\\xef1db29a88554ce7a34ece1c266599914d42f180671ec14fc5b49acbfca726e9	\\x68b5bc24986f49c997ec88fd1cdfd27daa4ef59e6c9519268d4964d8f135e373	\\x701ec81f24d2e18038048fe8e08899ede891ac90114c6c77fbf880ba35a95a24	2aa19a40-80d5-4713-9526-4f3d9269e3bd	bob@example.com	\N	en	\N	2026-11-28 21:40:15.266572+00	2026-11-28 21:50:15.266572+00	\N	\N	0
\\x5c7d1efc23a0799acce7fd14e0bcba339c9c1e757735256071ed01b373f8a307	\\xbb82be677edbc26ae0e4c9bf289cd4103b025526af54dda59377acd1608ef6e8	\\x41cd537dd8ed544509732a1dea0e32b2b611b3ec51059e70241bebf5239f304e	6671d666-aaba-4f99-bafa-b603b39f9572	carl@example.com	\N	en	\N	2026-11-28 21:40:15.418685+00	2026-11-28 21:50:15.418685+00	\N	\N	0
\\x7faec10fa0b269fc9ff594ab76935cfff85b55e030102e268e81948bbe17fc1c	\\x36881448e3137ad4c9dae86319e683b27ee027dda34ef6bfe75ed4e29f81ddb9	\\x0100327d240bc625a5e71fab28f2af9b1b0e2844b87d17a4c2e994267eefbf72	a4670d04-6a63-4150-87a5-0ba33c64ce68	dan@example.com	\N	en	\N	2026-11-28 21:40:15.544909+00	2026-11-28 21:50:15.544909+00	\N	\N	0
\\xd9a4f355326d4732e7fe13fb38124751a97a8858df19b140b2af794f201520ac	\\x6f97d4de0c451dc57aa61c892d718dcf8facd8ff473144a63ed03b3b04d71417	\\x0491cf5f8d22370617c0e9b0699df681e0051b69e14e99984c597ab72d65da44	c4c778f6-d8fb-42a5-8e35-aefc9e2a5654	eve@example.com	\N	en	\N	2026-11-28 21:40:15.748263+00	2026-11-28 21:50:15.748263+00	\N	\N	0
\\xf150194376ef290469375259453a5be3b52071e376f28008a3df396a60d41b9b	\\xaaa023cb49b5e6a0287ef733b93febfdf23643034b85e8d13bf4f582e3dc50c2	\\x1d59b2be18f49b0a0c5c1f324f92feaf996d86a4e222b60cedb400befe9714fe	1ee59aac-6b65-4bed-a30b-364d1bdc92c8	fay@example.com	\N	en	\N	2026-11-28 21:40:15.874688+00	2026-11-28 21:50:15.874688+00	\N	\N	0
\\x7db7eb061f5ff5bbdfec609c2bc169be23afc36d8f77087e9c30bfb0cb3bb9c2	\\x09dc9ab6d797c3d670bec897bd2a52fc6e1c7c76a5501b1bc29ff8d17a540d1a	\\xd330ea20dcf77c193bc8505fc281a781a05f472d67760894a518be1b400a43c9	fc2965e1-376e-4bf8-9884-910f7d19f354	ann@example.com	/workspace	en	127.0.0.1	2026-11-28 21:41:23.93248+00	2026-11-28 21:51:23.93248+00	\N	\N	0
\.
COPY auth.sessions (id, user_id, created_at, absolute_until, idle_until, auth_at, amr, revoked_at, revoke_reason, ip, agent) FROM stdin;
d8df34bf-6d83-4208-a9b8-8d8f7d677faf	fc2965e1-376e-4bf8-9884-910f7d19f354	2026-11-28 21:40:15.156718+00	infinity	infinity	2026-11-28 21:40:15.156718+00	{link}	\N	\N	127.0.0.1	Mozilla/5.0 (X11; Linux x86_64) Browser/1.0
\.
COPY auth.tokens (hash, session_id, issued_at, confirmed_at, retired_at) FROM stdin;
\\xf1aa8acfbb3e94f472730bf28c76d8601b395e492b5bf4b14e22d12798fef087	d8df34bf-6d83-4208-a9b8-8d8f7d677faf	2026-11-28 21:40:15.156718+00	2026-11-28 21:40:15.156718+00	\N
\.
COPY auth.users (id, email, email_canonical, created_at, disabled_at) FROM stdin;
fc2965e1-376e-4bf8-9884-910f7d19f354	ann@example.com	ann@example.com	2026-11-28 21:40:15.040715+00	\N
2aa19a40-80d5-4713-9526-4f3d9269e3bd	bob@example.com	bob@example.com	2026-11-28 21:40:15.266572+00	\N
6671d666-aaba-4f99-bafa-b603b39f9572	carl@example.com	carl@example.com	2026-11-28 21:40:15.418685+00	\N
a4670d04-6a63-4150-87a5-0ba33c64ce68	dan@example.com	dan@example.com	2026-11-28 21:40:15.544909+00	\N
c4c778f6-d8fb-42a5-8e35-aefc9e2a5654	eve@example.com	eve@example.com	2026-11-28 21:40:15.748263+00	\N
1ee59aac-6b65-4bed-a30b-364d1bdc92c8	fay@example.com	fay@example.com	2026-11-28 21:40:15.874688+00	\N
\.
COPY billing.alerts (id, tenant_id, kind, subject, detail, raised_at, cleared_at) FROM stdin;
1	34fbae3e-e818-442e-a0d9-51407ba14c45	dispute	du_1hlmYyhInCDCc6kUgS42TfjbT	{"amount": 1900, "effect": "restrict", "policy": "dispute_open", "currency": "usd"}	2026-11-28 21:40:15.461953+00	\N
2	98690e40-0269-4f18-8553-89c3b9042967	refund	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	{"amount": 4900, "effect": "alert", "policy": "refund_full", "currency": "usd"}	2026-11-28 21:40:16.035889+00	\N
3	\N	orphan	sub_1rUBf6ousKgaWd77iFxYNZQx2	{"status": "active", "customer": "cus_ihg0iJm80o5RAs"}	2026-11-28 21:41:22.25012+00	\N
\.
COPY billing.checkouts (key, tenant_id, attempt, email, email_canonical, plan, language, flow_hash, session_id, status, created_at, opened_at, returned_at, price, user_id, customer_id, subscription_id, replaces, customer_attempt) FROM stdin;
\\x5d3024c5a7871038602c15ee753a391c979b3746fc74794ef7769c30986bd418	3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	1	ann@example.com	ann@example.com	starter	en	\\x653715361ed28b9677542a2308e330f6f0010c9ce186cc72a5c6433ffa000a9b	cs_test_a1m37K2F1urqgLvO5dI1taYgTikNsX6IbQB2JNmJO1ujKPfkTgfQ596xzD	complete	2026-11-28 21:40:14.927242+00	2026-11-28 21:40:14.940478+00	\N	price_starter	\N	\N	sub_1VqZooQaSW8ASH64hKbVErX6W	\N	1
\\x7f2fbd9510007fc614437aef0ec4da9f7b0e78a354bff839108c4285d239d564	71f10eac-6c1c-44b9-b184-c8f89b85a03a	1	bob@example.com	bob@example.com	growth	en	\\x701ec81f24d2e18038048fe8e08899ede891ac90114c6c77fbf880ba35a95a24	cs_test_a1tK6c2pEMuMAkNu1UcdE6b24eVy8U3AgSOPI5hT4YK7R2aSMmrY819pPV	complete	2026-11-28 21:40:15.169666+00	2026-11-28 21:40:15.180045+00	\N	price_growth	\N	\N	sub_12i1B4K5aVytrbW0YiMWjslGo	\N	1
\\xc843d63413444dd525ac11e77f5390f6be84cfe728229b6b5a80ba33fe4fe548	34fbae3e-e818-442e-a0d9-51407ba14c45	1	carl@example.com	carl@example.com	starter	en	\\x41cd537dd8ed544509732a1dea0e32b2b611b3ec51059e70241bebf5239f304e	cs_test_a1PyYXxKtMkcj7YiAFcUixmvVA9gr1tOGiI2KMR0WalJi8GqIJlkZ4w6fK	complete	2026-11-28 21:40:15.350603+00	2026-11-28 21:40:15.361826+00	\N	price_starter	\N	\N	sub_1gJZAPK64qXUw7A7x8fY2Joyi	\N	1
\\x7a74e452ed24b811ee556cf96babb8db194afee33d145d6b4f6ded26ddea4e00	98690e40-0269-4f18-8553-89c3b9042967	1	dan@example.com	dan@example.com	growth	en	\\x0100327d240bc625a5e71fab28f2af9b1b0e2844b87d17a4c2e994267eefbf72	cs_test_a1JRsI58xKtZGH8w3avOsoyJlofUv0vTKWMamP2ZOlTjc8vouQKU6r1Xbq	complete	2026-11-28 21:40:15.45913+00	2026-11-28 21:40:15.463731+00	\N	price_growth	\N	\N	sub_1zdLy8jLNWchdl8WuaXVlqiMB	\N	1
\\xd93967138d575a884f523bdeea2acf6c35f733edd83848f43312f43247f0de61	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	1	eve@example.com	eve@example.com	starter	en	\\x0491cf5f8d22370617c0e9b0699df681e0051b69e14e99984c597ab72d65da44	cs_test_a12McU7MkNJ1Ot7BxOyItoWNUUf574KGTi0zcZA6lKSFaFwTB587fgZZs8	complete	2026-11-28 21:40:15.682251+00	2026-11-28 21:40:15.689753+00	\N	price_starter	\N	\N	sub_1p8r54q4ZGeBTsxGS2cfcQczN	\N	1
\\xc45240005d4614d7d827a430bd03d28400b8707b8949d426e832b27c221cd794	96054005-7bb7-4deb-abbe-630d119788a4	1	fay@example.com	fay@example.com	starter	en	\\x1d59b2be18f49b0a0c5c1f324f92feaf996d86a4e222b60cedb400befe9714fe	cs_test_a167Yxi7npqAWjLQaZANOd7aD01zZ9HJ3Y2xetfmuc0VjSZUHKFLwlJS1w	complete	2026-11-28 21:40:15.81509+00	2026-11-28 21:40:15.824687+00	\N	price_starter	\N	\N	sub_1viP0DIyYSSpmovH38yFrQiL5	\N	1
\\x7c5ebaf86d206964459befa314a888b6b15e082b4d2435077c32dd0eb6fc88da	39dcc268-128d-4131-b367-57b4a630dc11	1	dora@example.com	dora@example.com	starter	en	\\x444947efa421861a14f9a473733a918686a1f3550baa768cfb6ae7b501c41b2a	cs_test_a1hBEKbBZBexJ6Br6RK97vHya31OPrTKCJFdjkENsmEaPu8hd5yz7t3D3L	open	2026-11-28 21:40:16.001624+00	2026-11-28 21:40:16.026785+00	\N	price_starter	\N	\N	\N	\N	1
\.
COPY billing.customers (id, tenant_id, email, deleted, created_at, synced_at) FROM stdin;
cus_iWPlFW1dQLK2DK	3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	ann@example.com	f	2026-11-28 21:40:15.040715+00	2026-11-28 21:40:15.519248+00
cus_cAXuebOyhC9ask	71f10eac-6c1c-44b9-b184-c8f89b85a03a	bob@example.com	f	2026-11-28 21:40:15.266572+00	2026-11-28 21:40:15.77132+00
cus_gpcRZXrf7P2cJi	34fbae3e-e818-442e-a0d9-51407ba14c45	carl@example.com	f	2026-11-28 21:40:15.418685+00	2026-11-28 21:40:15.892234+00
cus_Fv5SqJRvZlwmsd	98690e40-0269-4f18-8553-89c3b9042967	dan@example.com	f	2026-11-28 21:40:15.544909+00	2026-11-28 21:40:15.9979+00
cus_Up26nwra1Kpwa0	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	eve@example.com	f	2026-11-28 21:40:15.748263+00	2026-11-28 21:40:16.363407+00
cus_iCiJkLCfVzzN83	96054005-7bb7-4deb-abbe-630d119788a4	fay@example.com	f	2026-11-28 21:40:15.874688+00	2026-11-28 21:40:16.377034+00
\.
COPY billing.disputes (id, tenant_id, kind, policy, charge, invoice, status, amount, currency, reason, created_at, opened_at, closed_at, synced_at) FROM stdin;
du_1hlmYyhInCDCc6kUgS42TfjbT	34fbae3e-e818-442e-a0d9-51407ba14c45	dispute	dispute_open	ch_3mN67TVR16lmAJVFFzD3s3YEm	\N	needs_response	1900	usd	fraudulent	2026-11-28 21:40:15+00	2026-11-28 21:40:15.461953+00	\N	2026-11-28 21:40:15.461953+00
ch_3oUnQXoTmTAVp5rWeGB0LqQgG	98690e40-0269-4f18-8553-89c3b9042967	refund	refund_full	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	\N	succeeded	4900	usd	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:16.035889+00	\N	2026-11-28 21:40:16.035889+00
\.
COPY billing.invoices (id, tenant_id, customer_id, subscription_id, number, status, currency, amount_due, amount_paid, total, created_at, period_start, period_end, due_at, paid_at, attempt_count, next_attempt_at, hosted_url, pdf_url, billing_reason, action_required, synced_at) FROM stdin;
in_16NDpOm3FFRUyhAHW08fa5A53	98690e40-0269-4f18-8553-89c3b9042967	cus_Fv5SqJRvZlwmsd	sub_1zdLy8jLNWchdl8WuaXVlqiMB	N7XAN1HJ-0001	paid	usd	4900	4900	4900	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53/pdf?s=ap	subscription_create	f	2026-11-28 21:40:15.514111+00
in_1jjv26j8hYCVRzQ7i7kYXaest	3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	cus_iWPlFW1dQLK2DK	sub_1VqZooQaSW8ASH64hKbVErX6W	9SZILF75-0001	paid	usd	1900	1900	1900	2026-11-28 21:40:14+00	2026-11-28 21:40:14+00	2026-11-28 21:40:14+00	\N	2026-11-28 21:40:14+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_1jjv26j8hYCVRzQ7i7kYXaest?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_1jjv26j8hYCVRzQ7i7kYXaest/pdf?s=ap	subscription_create	f	2026-11-28 21:40:15.553749+00
in_14b1UntXoY28IPvT32GYhmdng	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	cus_Up26nwra1Kpwa0	sub_1p8r54q4ZGeBTsxGS2cfcQczN	9VZOBTWC-0001	paid	usd	1900	1900	1900	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap	subscription_create	f	2026-11-28 21:40:15.755638+00
in_11Y97JPxwq2ZEZrmGm1CfuC9u	71f10eac-6c1c-44b9-b184-c8f89b85a03a	cus_cAXuebOyhC9ask	sub_12i1B4K5aVytrbW0YiMWjslGo	DSLPQXIJ-0001	paid	usd	4900	4900	4900	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_11Y97JPxwq2ZEZrmGm1CfuC9u?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_11Y97JPxwq2ZEZrmGm1CfuC9u/pdf?s=ap	subscription_create	f	2026-11-28 21:40:15.777857+00
in_11MLIvMKTk1lvyux5o6wZkxTk	34fbae3e-e818-442e-a0d9-51407ba14c45	cus_gpcRZXrf7P2cJi	sub_1gJZAPK64qXUw7A7x8fY2Joyi	IHGFCVQD-0001	paid	usd	1900	1900	1900	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_11MLIvMKTk1lvyux5o6wZkxTk?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_11MLIvMKTk1lvyux5o6wZkxTk/pdf?s=ap	subscription_create	f	2026-11-28 21:40:15.89565+00
in_1x3bd412Rj24ex1AmpX7spVwH	96054005-7bb7-4deb-abbe-630d119788a4	cus_iCiJkLCfVzzN83	sub_1viP0DIyYSSpmovH38yFrQiL5	O9EN7SZ6-0001	paid	usd	1900	1900	1900	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	1	\N	https://invoice.stripe.com/i/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH?s=ap	https://pay.stripe.com/invoice/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH/pdf?s=ap	subscription_create	f	2026-11-28 21:40:16.381336+00
\.
COPY billing.notice_kinds (kind, mailed, event) FROM stdin;
payment_failed	t	invoice.payment_failed
action_required	t	invoice.payment_action_required
upcoming	t	invoice.upcoming
trial_will_end	t	customer.subscription.trial_will_end
recovered	t	\N
canceled	t	\N
refunded	f	\N
disputed	f	\N
checkout_failed	t	checkout.session.async_payment_failed
\.
COPY billing.notifications (id, tenant_id, user_id, kind, fact, payload, created_at, seen_at) FROM stdin;
1	34fbae3e-e818-442e-a0d9-51407ba14c45	\N	disputed	du_1hlmYyhInCDCc6kUgS42TfjbT	{"date": {"day": 28, "iso": "2026-11-28T21:40:15Z", "year": 2026, "month": "month_11"}, "amount": {"text": "19.00 USD", "minor": 1900, "currency": "usd"}}	2026-11-28 21:40:15.461953+00	\N
2	98690e40-0269-4f18-8553-89c3b9042967	\N	refunded	ch_3oUnQXoTmTAVp5rWeGB0LqQgG:4900	{"date": {"day": 28, "iso": "2026-11-28T21:40:15Z", "year": 2026, "month": "month_11"}, "amount": {"text": "49.00 USD", "minor": 4900, "currency": "usd"}}	2026-11-28 21:40:16.035889+00	\N
3	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	\N	canceled	sub_1p8r54q4ZGeBTsxGS2cfcQczN	{"date": {"day": 28, "iso": "2026-11-28T21:40:15Z", "year": 2026, "month": "month_11"}, "plan": "plan_starter", "reason": "cancellation_requested"}	2026-11-28 21:40:16.369116+00	\N
\.
COPY billing.override_history (id, tenant_id, from_at, to_at, allowed, plan, until, reason, set_by) FROM stdin;
1	71f10eac-6c1c-44b9-b184-c8f89b85a03a	2026-11-28 21:40:51.85482+00	\N	f	\N	\N	abuse, ticket 4711	root
2	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	2026-11-28 21:40:51.887763+00	\N	t	growth	\N	outage of 3 May	root
\.
COPY billing.overrides (tenant_id, allowed, plan, until, reason, set_by, set_at) FROM stdin;
71f10eac-6c1c-44b9-b184-c8f89b85a03a	f	\N	\N	abuse, ticket 4711	root	2026-11-28 21:40:51.85482+00
d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	t	growth	\N	outage of 3 May	root	2026-11-28 21:40:51.887763+00
\.
COPY billing.plan_history (id, plan, from_at, to_at, rank, grace, features) FROM stdin;
1	starter	-infinity	\N	1	7 days	{}
2	growth	-infinity	\N	2	7 days	{}
\.
COPY billing.plans (id, price, rank, offered, lookup_key, amount, currency, "interval", grace, features) FROM stdin;
starter	price_starter	1	t	\N	\N	\N	month	7 days	{}
growth	price_growth	2	t	\N	\N	\N	month	7 days	{}
\.
COPY billing.policies (kind, effect) FROM stdin;
dispute_open	restrict
dispute_lost	restrict
dispute_won	nothing
inquiry	alert
refund_partial	nothing
refund_full	restrict
\.
COPY billing.portal_configurations (id, desired, actual, synced_at) FROM stdin;
\.
COPY billing.prices (id, plan, product, lookup_key, active, amount, currency, "interval", interval_count, synced_at) FROM stdin;
price_starter	starter	prod_hkHyAWoLK2bT3Y	starter_monthly	t	1900	usd	month	1	2026-11-28 21:40:15.098192+00
price_growth	growth	prod_dKqDbJzwgsVOAK	growth_monthly	t	4900	usd	month	1	2026-11-28 21:40:15.306132+00
\.
COPY billing.status_rules (status, grants, reason) FROM stdin;
active	yes	active
trialing	yes	trialing
past_due	grace	past_due_grace
unpaid	no	unpaid
canceled	no	canceled
incomplete	no	incomplete
incomplete_expired	no	incomplete_expired
paused	no	paused
\.
COPY billing.subscription_history (id, subscription_id, tenant_id, from_at, to_at, status, plan, price, quantity, period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, past_due_since, created_at, plans) FROM stdin;
1	sub_1VqZooQaSW8ASH64hKbVErX6W	3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	2026-11-28 21:40:15.040715+00	\N	active	starter	price_starter	1	2026-11-28 21:40:14+00	2026-12-28 21:40:14+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:14+00	{starter}
2	sub_12i1B4K5aVytrbW0YiMWjslGo	71f10eac-6c1c-44b9-b184-c8f89b85a03a	2026-11-28 21:40:15.266572+00	\N	active	growth	price_growth	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:15+00	{growth}
3	sub_1gJZAPK64qXUw7A7x8fY2Joyi	34fbae3e-e818-442e-a0d9-51407ba14c45	2026-11-28 21:40:15.418685+00	\N	active	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:15+00	{starter}
4	sub_1zdLy8jLNWchdl8WuaXVlqiMB	98690e40-0269-4f18-8553-89c3b9042967	2026-11-28 21:40:15.544909+00	\N	active	growth	price_growth	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:15+00	{growth}
5	sub_1p8r54q4ZGeBTsxGS2cfcQczN	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	2026-11-28 21:40:15.748263+00	2026-11-28 21:40:16.369116+00	active	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:15+00	{starter}
7	sub_1p8r54q4ZGeBTsxGS2cfcQczN	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	2026-11-28 21:40:16.369116+00	\N	canceled	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	\N	2026-11-28 21:40:15+00	{starter}
6	sub_1viP0DIyYSSpmovH38yFrQiL5	96054005-7bb7-4deb-abbe-630d119788a4	2026-11-28 21:40:15.874688+00	2026-11-28 21:40:16.38924+00	active	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	\N	2026-11-28 21:40:15+00	{starter}
8	sub_1viP0DIyYSSpmovH38yFrQiL5	96054005-7bb7-4deb-abbe-630d119788a4	2026-11-28 21:40:16.38924+00	\N	past_due	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	2026-11-28 21:40:16.38924+00	2026-11-28 21:40:15+00	{starter}
\.
COPY billing.subscriptions (id, tenant_id, customer_id, status, plan, price, quantity, period_start, period_end, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end, created_at, synced_at, past_due_since, plans, currency, amount) FROM stdin;
sub_1VqZooQaSW8ASH64hKbVErX6W	3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	cus_iWPlFW1dQLK2DK	active	starter	price_starter	1	2026-11-28 21:40:14+00	2026-12-28 21:40:14+00	f	\N	\N	\N	\N	2026-11-28 21:40:14+00	2026-11-28 21:40:15.596611+00	\N	{starter}	usd	1900
sub_12i1B4K5aVytrbW0YiMWjslGo	71f10eac-6c1c-44b9-b184-c8f89b85a03a	cus_cAXuebOyhC9ask	active	growth	price_growth	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:15.784565+00	\N	{growth}	usd	4900
sub_1gJZAPK64qXUw7A7x8fY2Joyi	34fbae3e-e818-442e-a0d9-51407ba14c45	cus_gpcRZXrf7P2cJi	active	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:15.972315+00	\N	{starter}	usd	1900
sub_1zdLy8jLNWchdl8WuaXVlqiMB	98690e40-0269-4f18-8553-89c3b9042967	cus_Fv5SqJRvZlwmsd	active	growth	price_growth	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:16.05034+00	\N	{growth}	usd	4900
sub_1p8r54q4ZGeBTsxGS2cfcQczN	d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	cus_Up26nwra1Kpwa0	canceled	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:15+00	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:16.369116+00	\N	{starter}	usd	1900
sub_1viP0DIyYSSpmovH38yFrQiL5	96054005-7bb7-4deb-abbe-630d119788a4	cus_iCiJkLCfVzzN83	past_due	starter	price_starter	1	2026-11-28 21:40:15+00	2026-12-28 21:40:15+00	f	\N	\N	\N	\N	2026-11-28 21:40:15+00	2026-11-28 21:40:16.38924+00	2026-11-28 21:40:16.38924+00	{starter}	usd	1900
\.
COPY inbox.events (id, type, api_version, created, livemode, received_at, raw, signature_header, state, object_kind, object_id, done_at, account, headers, attempts, outcome, key_id) FROM stdin;
evt_1R73iG2c7NHu8FrgZ51mPaRPo	checkout.session.completed	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.873192+00	\\x7b7d	t=1,v1=00	done	checkout	cs_test_a167Yxi7npqAWjLQaZANOd7aD01zZ9HJ3Y2xetfmuc0VjSZUHKFLwlJS1w	2026-11-28 21:40:15.882571+00	\N	\N	0	{"status": ["open", "complete"], "subscription_id": [null, "sub_1viP0DIyYSSpmovH38yFrQiL5"]}	94b964c8
evt_159hPiRe1eF9d5CBVBHNP6oXs	customer.subscription.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.992926+00	\\x7b7d	t=1,v1=00	done	subscription	sub_1viP0DIyYSSpmovH38yFrQiL5	2026-11-28 21:40:16.38924+00	\N	\N	0	{"status": ["active", "past_due"], "past_due_since": [null, "2026-11-28T21:40:16.38924+00:00"]}	94b964c8
evt_13NZiBPzC0HoZX560epLdcQ57	charge.succeeded	2026-07-29.dahlia	2026-11-28 21:41:22+00	f	2026-11-28 21:41:22.235699+00	\\x7b7d	t=1,v1=00	ignored	charge	ch_3ejpgpNkpetkXfkhieJVjYEHx	2026-11-28 21:41:22.245662+00	\N	\N	0	{}	94b964c8
evt_11Pmm0x9aJiYLXx8McrxzzjS5	payment_intent.succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.256939+00	\\x7b7d	t=1,v1=00	ignored	\N	\N	\N	\N	\N	0	\N	94b964c8
evt_1hxPcv8gmTsqVyPBOcSHZAjES	invoice.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.732029+00	\\x7b7d	t=1,v1=00	done	invoice	in_14b1UntXoY28IPvT32GYhmdng	2026-11-28 21:40:15.755638+00	\N	\N	0	{"id": [null, "in_14b1UntXoY28IPvT32GYhmdng"], "total": [null, 1900], "number": [null, "9VZOBTWC-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_1ExFbGqnGRzl87FvCsyiUZP84	customer.subscription.updated	2026-07-29.dahlia	2026-11-28 21:41:23+00	f	2026-11-28 21:41:23.946785+00	\\x7b7d	t=1,v1=00	received	subscription	sub_12i1B4K5aVytrbW0YiMWjslGo	\N	\N	\N	0	\N	94b964c8
evt_10woXXtDGaooAvzn9GXvNVGlB	payment_intent.succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.493144+00	\\x7b7d	t=1,v1=00	ignored	\N	\N	\N	\N	\N	0	\N	94b964c8
evt_1o3WxbLd7LGodP884uWIzqpT4	customer.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.845103+00	\\x7b7d	t=1,v1=00	done	customer	cus_iCiJkLCfVzzN83	2026-11-28 21:40:16.377034+00	\N	\N	0	{"email": [null, "fay@example.com"]}	94b964c8
evt_1ZFmO1IQPPZaxwK91eCfXTja0	checkout.session.completed	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.505072+00	\\x7b7d	t=1,v1=00	done	checkout	cs_test_a1JRsI58xKtZGH8w3avOsoyJlofUv0vTKWMamP2ZOlTjc8vouQKU6r1Xbq	2026-11-28 21:40:15.581256+00	\N	\N	0	{"status": ["open", "complete"], "subscription_id": [null, "sub_1zdLy8jLNWchdl8WuaXVlqiMB"]}	94b964c8
evt_12BqMIzdEA5e7vckOHOKINUwH	payment_method.attached	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.477342+00	\\x7b7d	t=1,v1=00	ignored	\N	\N	\N	\N	\N	0	\N	94b964c8
evt_1Mw5TMYHi1zxkLosHM9RAOoSX	invoice.payment_succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.499599+00	\\x7b7d	t=1,v1=00	done	invoice	in_16NDpOm3FFRUyhAHW08fa5A53	2026-11-28 21:40:15.514111+00	\N	\N	0	{"id": [null, "in_16NDpOm3FFRUyhAHW08fa5A53"], "total": [null, 4900], "number": [null, "N7XAN1HJ-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "amount_due": [null, 4900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 4900], "customer_id": [null, "cus_Fv5SqJRvZlwmsd"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1zdLy8jLNWchdl8WuaXVlqiMB"]}	94b964c8
evt_1Y1Zub4h59Pdbr7tSEU9RLsyV	checkout.session.completed	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.753412+00	\\x7b7d	t=1,v1=00	done	checkout	cs_test_a12McU7MkNJ1Ot7BxOyItoWNUUf574KGTi0zcZA6lKSFaFwTB587fgZZs8	2026-11-28 21:40:15.78136+00	\N	\N	0	{"status": ["open", "complete"], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_16QoYMrRkSEORrAoDwLC6S83k	customer.subscription.deleted	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.817274+00	\\x7b7d	t=1,v1=00	done	subscription	sub_1p8r54q4ZGeBTsxGS2cfcQczN	2026-11-28 21:40:16.369116+00	\N	\N	0	{"status": ["active", "canceled"], "ended_at": [null, "2026-11-28T21:40:15+00:00"], "canceled_at": [null, "2026-11-28T21:40:15+00:00"]}	94b964c8
evt_1u47YQDlNWE1NDBXv89miA6f7	invoice.paid	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.499599+00	\\x7b7d	t=1,v1=00	done	invoice	in_16NDpOm3FFRUyhAHW08fa5A53	2026-11-28 21:40:15.514111+00	\N	\N	0	{"id": [null, "in_16NDpOm3FFRUyhAHW08fa5A53"], "total": [null, 4900], "number": [null, "N7XAN1HJ-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "amount_due": [null, 4900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 4900], "customer_id": [null, "cus_Fv5SqJRvZlwmsd"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1zdLy8jLNWchdl8WuaXVlqiMB"]}	94b964c8
evt_1ZG7hn3GxIXCIoOn5vxQtRZ8U	invoice.paid	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.86539+00	\\x7b7d	t=1,v1=00	done	invoice	in_1x3bd412Rj24ex1AmpX7spVwH	2026-11-28 21:40:16.381336+00	\N	\N	0	{}	94b964c8
evt_1X3LTDOEkwReaZRuf8lzpFUcJ	customer.subscription.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.499599+00	\\x7b7d	t=1,v1=00	done	subscription	sub_1zdLy8jLNWchdl8WuaXVlqiMB	2026-11-28 21:40:15.544909+00	\N	\N	0	{"id": [null, "sub_1zdLy8jLNWchdl8WuaXVlqiMB"], "plan": [null, "growth"], "plans": [null, ["growth"]], "price": [null, "price_growth"], "amount": [null, 4900], "status": [null, "active"], "tenant": ["draft", "active"], "currency": [null, "usd"], "quantity": [null, 1], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "created_at": [null, "2026-11-28T21:40:15+00:00"], "period_end": [null, "2026-12-28T21:40:15+00:00"], "customer_id": [null, "cus_Fv5SqJRvZlwmsd"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "cancel_at_period_end": [null, false]}	94b964c8
evt_1sJpVWRyPlOv7WaoPlUxD7sCF	invoice.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.493144+00	\\x7b7d	t=1,v1=00	done	invoice	in_16NDpOm3FFRUyhAHW08fa5A53	2026-11-28 21:40:15.514111+00	\N	\N	0	{"id": [null, "in_16NDpOm3FFRUyhAHW08fa5A53"], "total": [null, 4900], "number": [null, "N7XAN1HJ-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "amount_due": [null, 4900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_16NDpOm3FFRUyhAHW08fa5A53?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 4900], "customer_id": [null, "cus_Fv5SqJRvZlwmsd"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1zdLy8jLNWchdl8WuaXVlqiMB"]}	94b964c8
evt_13aqPfU0cm7muzX6r8WzMbm3N	invoice.finalized	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.719679+00	\\x7b7d	t=1,v1=00	done	invoice	in_14b1UntXoY28IPvT32GYhmdng	2026-11-28 21:40:15.755638+00	\N	\N	0	{"id": [null, "in_14b1UntXoY28IPvT32GYhmdng"], "total": [null, 1900], "number": [null, "9VZOBTWC-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_1MuPMHLvCUQNZsddMn3NeYp82	invoice.paid	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.736322+00	\\x7b7d	t=1,v1=00	done	invoice	in_14b1UntXoY28IPvT32GYhmdng	2026-11-28 21:40:15.755638+00	\N	\N	0	{"id": [null, "in_14b1UntXoY28IPvT32GYhmdng"], "total": [null, 1900], "number": [null, "9VZOBTWC-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_14cEYTxsckXOaThhbUqxNMKGv	invoice.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.71352+00	\\x7b7d	t=1,v1=00	done	invoice	in_14b1UntXoY28IPvT32GYhmdng	2026-11-28 21:40:15.755638+00	\N	\N	0	{"id": [null, "in_14b1UntXoY28IPvT32GYhmdng"], "total": [null, 1900], "number": [null, "9VZOBTWC-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_1YszFS4uaX9Gl6ruBSaBlapW6	invoice.payment_succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.866725+00	\\x7b7d	t=1,v1=00	done	invoice	in_1x3bd412Rj24ex1AmpX7spVwH	2026-11-28 21:40:16.381336+00	\N	\N	0	{}	94b964c8
evt_1e8YNm3KQ996ELxTKtMz0akrw	customer.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.84244+00	\\x7b7d	t=1,v1=00	done	customer	cus_iCiJkLCfVzzN83	2026-11-28 21:40:16.377034+00	\N	\N	0	{"email": [null, "fay@example.com"]}	94b964c8
evt_1KpNMY9vjDvny6iAQSitrsCmm	customer.subscription.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.742767+00	\\x7b7d	t=1,v1=00	done	subscription	sub_1p8r54q4ZGeBTsxGS2cfcQczN	2026-11-28 21:40:15.748263+00	\N	\N	0	{"id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"], "plan": [null, "starter"], "plans": [null, ["starter"]], "price": [null, "price_starter"], "amount": [null, 1900], "status": [null, "active"], "tenant": ["draft", "active"], "currency": [null, "usd"], "quantity": [null, 1], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "created_at": [null, "2026-11-28T21:40:15+00:00"], "period_end": [null, "2026-12-28T21:40:15+00:00"], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "cancel_at_period_end": [null, false]}	94b964c8
evt_1UtWoT1WMJaOnqFHUjBcBPCeX	customer.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.71352+00	\\x7b7d	t=1,v1=00	done	customer	cus_Up26nwra1Kpwa0	2026-11-28 21:40:16.363407+00	\N	\N	0	{"email": [null, "eve@example.com"]}	94b964c8
evt_1946iBkeXXdd6beZ17S8ZLjC3	customer.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.71352+00	\\x7b7d	t=1,v1=00	done	customer	cus_Up26nwra1Kpwa0	2026-11-28 21:40:16.363407+00	\N	\N	0	{"email": [null, "eve@example.com"]}	94b964c8
evt_19VFXn9h4E9qzAaEvI6AULpKh	charge.succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.721394+00	\\x7b7d	t=1,v1=00	done	charge	ch_35NFVoyRGnKsuwwvYbv7hKzwF	2026-11-28 21:40:16.36611+00	\N	\N	0	{}	94b964c8
evt_1GCrUAnnz1mAob8QO69MHKoN4	invoice.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.845103+00	\\x7b7d	t=1,v1=00	done	invoice	in_1x3bd412Rj24ex1AmpX7spVwH	2026-11-28 21:40:16.381336+00	\N	\N	0	{"id": [null, "in_1x3bd412Rj24ex1AmpX7spVwH"], "total": [null, 1900], "number": [null, "O9EN7SZ6-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "96054005-7bb7-4deb-abbe-630d119788a4"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_iCiJkLCfVzzN83"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1viP0DIyYSSpmovH38yFrQiL5"]}	94b964c8
evt_1fBh8bHDpqfajqhMbWl0k52pm	customer.subscription.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.866725+00	\\x7b7d	t=1,v1=00	done	subscription	sub_1viP0DIyYSSpmovH38yFrQiL5	2026-11-28 21:40:16.38924+00	\N	\N	0	{"id": [null, "sub_1viP0DIyYSSpmovH38yFrQiL5"], "plan": [null, "starter"], "plans": [null, ["starter"]], "price": [null, "price_starter"], "amount": [null, 1900], "status": ["active", "past_due"], "tenant": ["draft", "active"], "currency": [null, "usd"], "quantity": [null, 1], "tenant_id": [null, "96054005-7bb7-4deb-abbe-630d119788a4"], "created_at": [null, "2026-11-28T21:40:15+00:00"], "period_end": [null, "2026-12-28T21:40:15+00:00"], "customer_id": [null, "cus_iCiJkLCfVzzN83"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "past_due_since": [null, "2026-11-28T21:40:16.38924+00:00"], "cancel_at_period_end": [null, false]}	94b964c8
evt_1oFWoG5cXtFws2P74R8XsEp72	invoice.payment_succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.736322+00	\\x7b7d	t=1,v1=00	done	invoice	in_14b1UntXoY28IPvT32GYhmdng	2026-11-28 21:40:15.755638+00	\N	\N	0	{"id": [null, "in_14b1UntXoY28IPvT32GYhmdng"], "total": [null, 1900], "number": [null, "9VZOBTWC-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_14b1UntXoY28IPvT32GYhmdng?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_Up26nwra1Kpwa0"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1p8r54q4ZGeBTsxGS2cfcQczN"]}	94b964c8
evt_1JIkD9mscKGS42xSUICxtQmlj	invoice.finalized	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.853917+00	\\x7b7d	t=1,v1=00	done	invoice	in_1x3bd412Rj24ex1AmpX7spVwH	2026-11-28 21:40:16.381336+00	\N	\N	0	{"id": [null, "in_1x3bd412Rj24ex1AmpX7spVwH"], "total": [null, 1900], "number": [null, "O9EN7SZ6-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "96054005-7bb7-4deb-abbe-630d119788a4"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_iCiJkLCfVzzN83"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1viP0DIyYSSpmovH38yFrQiL5"]}	94b964c8
evt_1DpbKZ39BHaUMQ2vH84N3oEys	charge.succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.859174+00	\\x7b7d	t=1,v1=00	done	charge	ch_3RPFAK1HC5U0c8YSRUj0gTbLg	2026-11-28 21:40:16.384194+00	\N	\N	0	{}	94b964c8
evt_1CWcI9YmPqg59BvOHBwXNt8X5	charge.succeeded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.493144+00	\\x7b7d	t=1,v1=00	done	charge	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	2026-11-28 21:40:16.035889+00	\N	\N	0	{"id": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "kind": [null, "refund"], "amount": [null, 4900], "charge": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "policy": [null, "refund_full"], "status": [null, "succeeded"], "currency": [null, "usd"], "opened_at": [null, "2026-11-28T21:40:16.035889+00:00"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "created_at": [null, "2026-11-28T21:40:15+00:00"]}	94b964c8
evt_1GWHCg8E652Qi6W9CExCRKcr9	charge.refunded	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.674936+00	\\x7b7d	t=1,v1=00	done	charge	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	2026-11-28 21:40:16.035889+00	\N	\N	0	{"id": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "kind": [null, "refund"], "amount": [null, 4900], "charge": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "policy": [null, "refund_full"], "status": [null, "succeeded"], "currency": [null, "usd"], "opened_at": [null, "2026-11-28T21:40:16.035889+00:00"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "created_at": [null, "2026-11-28T21:40:15+00:00"]}	94b964c8
evt_1L4ytE6Dq6KqE6PUBPMqZNsnF	refund.created	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.674936+00	\\x7b7d	t=1,v1=00	done	charge	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	2026-11-28 21:40:16.035889+00	\N	\N	0	{"id": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "kind": [null, "refund"], "amount": [null, 4900], "charge": [null, "ch_3oUnQXoTmTAVp5rWeGB0LqQgG"], "policy": [null, "refund_full"], "status": [null, "succeeded"], "currency": [null, "usd"], "opened_at": [null, "2026-11-28T21:40:16.035889+00:00"], "tenant_id": [null, "98690e40-0269-4f18-8553-89c3b9042967"], "created_at": [null, "2026-11-28T21:40:15+00:00"]}	94b964c8
evt_1zgYnFqfs9kV24Xbam5n1tszu	invoice.updated	2026-07-29.dahlia	2026-11-28 21:40:15+00	f	2026-11-28 21:40:15.860383+00	\\x7b7d	t=1,v1=00	done	invoice	in_1x3bd412Rj24ex1AmpX7spVwH	2026-11-28 21:40:16.381336+00	\N	\N	0	{"id": [null, "in_1x3bd412Rj24ex1AmpX7spVwH"], "total": [null, 1900], "number": [null, "O9EN7SZ6-0001"], "status": [null, "paid"], "paid_at": [null, "2026-11-28T21:40:15+00:00"], "pdf_url": [null, "https://pay.stripe.com/invoice/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH/pdf?s=ap"], "currency": [null, "usd"], "tenant_id": [null, "96054005-7bb7-4deb-abbe-630d119788a4"], "amount_due": [null, 1900], "created_at": [null, "2026-11-28T21:40:15+00:00"], "hosted_url": [null, "https://invoice.stripe.com/i/acct_sim/test_in_1x3bd412Rj24ex1AmpX7spVwH?s=ap"], "period_end": [null, "2026-11-28T21:40:15+00:00"], "amount_paid": [null, 1900], "customer_id": [null, "cus_iCiJkLCfVzzN83"], "period_start": [null, "2026-11-28T21:40:15+00:00"], "attempt_count": [null, 1], "billing_reason": [null, "subscription_create"], "action_required": [null, false], "subscription_id": [null, "sub_1viP0DIyYSSpmovH38yFrQiL5"]}	94b964c8
\.
COPY mail.outbox (id, key, recipient, template, language, data, state, attempts, next_at, claim, claimed_until, created_at, sent_at, last_error) FROM stdin;
a1ab4767-ae22-498c-ab55-b7f2924b440e	welcome:3f0e2b22-34bb-4bb0-a3ac-a61a78e4aaf7	ann@example.com	welcome	en	{"plan": "plan_starter"}	sent	0	2026-11-28 21:40:15.040715+00	\N	\N	2026-11-28 21:40:15.040715+00	2026-11-28 21:40:15.112282+00	\N
415bfa6c-7d0e-43b4-962b-f3c636309924	signin:e0e8e765-36be-4e1e-b151-3eb647dd07c6	ann@example.com	signin	en	{"next": "/workspace"}	sent	0	2026-11-28 21:40:15.13111+00	\N	\N	2026-11-28 21:40:15.13111+00	2026-11-28 21:40:15.148424+00	\N
52171172-90ac-486e-b591-cf3a8feb9413	welcome:71f10eac-6c1c-44b9-b184-c8f89b85a03a	bob@example.com	welcome	en	{"plan": "plan_growth"}	sent	0	2026-11-28 21:40:15.266572+00	\N	\N	2026-11-28 21:40:15.266572+00	2026-11-28 21:40:15.320288+00	\N
722c46ea-4b68-4b21-a996-aea09d0fed50	welcome:34fbae3e-e818-442e-a0d9-51407ba14c45	carl@example.com	welcome	en	{"plan": "plan_starter"}	sent	0	2026-11-28 21:40:15.418685+00	\N	\N	2026-11-28 21:40:15.418685+00	2026-11-28 21:40:15.44022+00	\N
29b1cd02-0a50-48ab-a0b6-93fd53208332	welcome:98690e40-0269-4f18-8553-89c3b9042967	dan@example.com	welcome	en	{"plan": "plan_growth"}	sent	0	2026-11-28 21:40:15.544909+00	\N	\N	2026-11-28 21:40:15.544909+00	2026-11-28 21:40:15.593008+00	\N
1a572336-2063-4495-977f-b5fd09fe8acc	welcome:d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c	eve@example.com	welcome	en	{"plan": "plan_starter"}	sent	0	2026-11-28 21:40:15.748263+00	\N	\N	2026-11-28 21:40:15.748263+00	2026-11-28 21:40:15.779421+00	\N
ead6aaed-501e-4ad6-b0cc-f5f0f7ac5219	welcome:96054005-7bb7-4deb-abbe-630d119788a4	fay@example.com	welcome	en	{"plan": "plan_starter"}	sent	0	2026-11-28 21:40:15.874688+00	\N	\N	2026-11-28 21:40:15.874688+00	2026-11-28 21:40:15.905895+00	\N
f2ed33d0-d688-4ab1-8215-a81cf1c7c680	notice:d3bc386e-48fa-4f4b-a7ca-4ad9c78e810c:canceled:sub_1p8r54q4ZGeBTsxGS2cfcQczN:c4c778f6-d8fb-42a5-8e35-aefc9e2a5654	eve@example.com	notice_canceled	en	{"date": {"day": 28, "iso": "2026-11-28T21:40:15Z", "year": 2026, "month": "month_11"}, "plan": "plan_starter", "reason": "cancellation_requested"}	sent	0	2026-11-28 21:40:16.369116+00	\N	\N	2026-11-28 21:40:16.369116+00	2026-11-28 21:40:16.401279+00	\N
1643b420-c98c-4791-a00e-a8eb460062d3	signin:b6073ef9-cca9-47c0-9533-71fd1d2d1f23	ann@example.com	signin	en	{"code": "HXNP-ZWPW", "next": "/workspace", "token": "z3IE1H8Gyab5pqFb1Ko5NOHoEHYSlUPv1W7hkAbLwic"}	pending	0	2026-11-28 21:41:23.93248+00	\N	\N	2026-11-28 21:41:23.93248+00	\N	\N
\.
COPY meta.migrations (name, checksum, applied_at) FROM stdin;
001_auth	65c98059872d36c27508232c04cbc2dad62bc1f96b86d4b6a3ed327218f29366	2026-11-28 21:36:52.561674+00
002_app	3c3f82fa16c298122db6755813dccedbd882db34700f0c3f8951a50721977481	2026-11-28 21:36:52.641681+00
003_billing	209fb5501c661382ff7047fa5c2cc2cca9dc7f142fd468a44c0b96a589b791ea	2026-11-28 21:36:52.684685+00
004_queues	b0e4c289cdf364ea5d282c902a19b568979dd758472af1618ebe2fb3fad9cb0d	2026-11-28 21:36:52.752994+00
005_state	60a14629089821cbf060c625d86fc59d97f8f38815cd90507d77b4b1ef080a36	2026-11-28 21:36:52.804277+00
007_reconcile	ad01674832fe55d32b1fe1e8a142d9778b218f50257d0b42cc406c3f478ff86d	2026-11-28 21:36:53.037775+00
008_retention	b17eefb435c5cfd9f2b23d2ee2f51f3f635fec82edb84058d11d58e0f3c91b02	2026-11-28 21:36:53.048834+00
008_stamp	60492a2b4bb292a0f383f3adca53f10959e76d3a0123ae6fce31f49d49e72181	2026-11-28 21:36:53.053617+00
010_operating	461369abd6a56559b776026e9fa6d030c74133ddb0c06838d0f9aa43abca60f5	2026-11-28 21:36:53.065615+00
011_intake	ee5789fb6d72872b5c7ab9fbc046eaab93ce153b22004be53fba0f2deaa2e18a	2026-11-28 21:36:53.116235+00
012_settle	9ab8f9f4eca9ce07c6f253b414e973b502e4a7bcec187cc2c5b2f5b8e40ab8e7	2026-11-28 21:36:53.1291+00
013_clocks	1e169a69966570de5eb6fffa178ec4f098dce4be87b786ce7e179a027a433309	2026-11-28 21:36:53.137506+00
014_customer_key	5bf41876977c504f452d490dee40cb7d4d0aff4c9b723bbf9a36b28530c9953f	2026-11-28 21:36:53.138951+00
015_items	49ec8ce5f33c8b2bb15b525c80d125b65446de2b80c5b4f9b91ca0dac50019bd	2026-11-28 21:36:53.142458+00
016_causes	3e111dbc978dd5d425e78a67854cb961cacef5f5267663d8f9fee0a846b4ca34	2026-11-28 21:36:53.149635+00
017_payer	8e0d2c4d39aae33c084f0f196d51049d69f0af82cbc4e5849b47af1aa9e79ca1	2026-11-28 21:36:53.162683+00
018_replaced	6f8e8b282345575c6723b647b4e1c2ea2392b730c69c8dcb3005d3e69593110c	2026-11-28 21:36:53.169951+00
019_failed_payment	f2d142b4e3f1735b9db5ded30d5e6fc2a7bf62e304a71304c99cd7ce8a10d89c	2026-11-28 21:36:53.175917+00
020_plan_history	38adcc45e60d4cc83a8e34151ef8d2b7f96d8e5e25be3d7639c97fc4e35dec34	2026-11-28 21:36:53.177929+00
\.
COPY meta.stamp (one, environment, account, migrated_to, stamped_at) FROM stdin;
t	development	acct_1Simulator	020_plan_history	2026-11-28 21:36:53.178847+00
\.
COPY sync.cursors (name, watermark, from_at, started_at, finished_at, after, claim, claimed_until, newest, seen_at) FROM stdin;
undelivered	\N	2026-10-29 21:36:54.8337+00	2026-11-28 21:36:54.8337+00	2026-11-28 21:36:54.859098+00	\N	a68b6841-4e6d-4070-b026-6f27c65eaa30	\N	\N	2026-11-28 21:36:54.8337+00
subscriptions	\N	2026-10-29 21:36:54.881716+00	2026-11-28 21:36:54.881716+00	2026-11-28 21:36:54.888296+00	\N	73ac3a78-6199-4ddd-a17e-c743a6c6f8d0	\N	\N	2026-11-28 21:36:54.881716+00
events	\N	2026-10-29 21:40:05.905741+00	2026-11-28 21:40:05.905741+00	2026-11-28 21:40:05.910132+00	\N	419dbc6b-135d-459e-875c-4455e5128383	\N	\N	2026-11-28 21:40:05.905741+00
\.
COPY sync.objects (kind, id, version, clean_version, claim, claimed_until, attempts, next_at, last_error, dead_at, outages, quiet_until) FROM stdin;
customer	cus_ihg0iJm80o5RAs	2	2	8b7edd4d-876d-41e3-9daa-c382c90e21fb	\N	0	2026-11-28 21:41:22.72286+00	\N	\N	0	2026-11-28 21:41:23.390248+00
subscription	sub_12i1B4K5aVytrbW0YiMWjslGo	4	3	c243e7e6-5496-43dc-919a-ddfa17d2febd	\N	0	2026-11-28 21:41:23.946785+00	\N	\N	0	2026-11-28 21:40:16.283237+00
charge	ch_3j8lUmX5vvtFwpJWQBbXEhVGw	1	1	848f6736-5360-46d1-9740-b30ed6cb2a6f	\N	0	2026-11-28 21:40:15.256939+00	\N	\N	0	2026-11-28 21:40:15.764309+00
checkout	cs_test_a1l42dYf1RWUMiaMkwISvdA16LNzKLhSQr13raBaxpqE081aahYLz9ljFb	1	1	2bbfebd9-931b-4a18-906f-7aad61bd0d1d	\N	0	2026-11-28 21:41:22.246315+00	\N	\N	0	2026-11-28 21:41:22.747684+00
charge	ch_3ejpgpNkpetkXfkhieJVjYEHx	1	1	28c00d11-d966-4d85-b1f8-ee5dd518590d	\N	0	2026-11-28 21:41:22.235699+00	\N	\N	0	2026-11-28 21:41:22.744147+00
subscription	sub_1rUBf6ousKgaWd77iFxYNZQx2	1	1	1badbcd2-e17a-4d09-815e-354b8ed8948e	\N	0	2026-11-28 21:41:22.241556+00	\N	\N	0	2026-11-28 21:41:22.746876+00
invoice	in_1ojxKrkFnLuXGR3K8aHXn68XF	4	4	fd01b5a9-62dc-485e-af5d-a6f25e853a11	\N	0	2026-11-28 21:41:22.730147+00	\N	\N	0	2026-11-28 21:41:23.390315+00
price	price_growth	1	1	2dbefcbf-151d-46c4-8de5-56c5f6de41d9	\N	0	2026-11-28 21:40:15.266572+00	\N	\N	0	2026-11-28 21:40:15.799765+00
checkout	cs_test_a1m37K2F1urqgLvO5dI1taYgTikNsX6IbQB2JNmJO1ujKPfkTgfQ596xzD	1	1	944117d4-3b03-436b-be1e-d8dc0e8048e9	\N	0	2026-11-28 21:40:15.016267+00	\N	\N	0	2026-11-28 21:40:15.555762+00
price	price_starter	1	1	81ec37f2-fa38-48e6-b584-54649518194a	\N	0	2026-11-28 21:40:15.040715+00	\N	\N	0	2026-11-28 21:40:15.584927+00
product	prod_hkHyAWoLK2bT3Y	2	2	f0cc2486-68f1-4c5f-bf6a-c1a725701173	\N	0	2026-11-28 21:40:15.096569+00	\N	\N	0	2026-11-28 21:40:15.609652+00
checkout	cs_test_a1PyYXxKtMkcj7YiAFcUixmvVA9gr1tOGiI2KMR0WalJi8GqIJlkZ4w6fK	1	1	7ff39a47-7852-4d3b-9e07-f4c4b9b013be	\N	0	2026-11-28 21:40:15.424032+00	\N	\N	0	2026-11-28 21:40:15.929074+00
checkout	cs_test_a1tK6c2pEMuMAkNu1UcdE6b24eVy8U3AgSOPI5hT4YK7R2aSMmrY819pPV	1	1	c018af88-d35b-4a9d-bb1f-f21d5fc895d0	\N	0	2026-11-28 21:40:15.282528+00	\N	\N	0	2026-11-28 21:40:15.809249+00
product	prod_dKqDbJzwgsVOAK	2	2	12da4d53-c30c-49a5-9df3-f5dd61ab9e12	\N	0	2026-11-28 21:40:15.30328+00	\N	\N	0	2026-11-28 21:40:15.816544+00
charge	ch_3w1j9LwEcglql9nWa3uuaj6Wv	3	3	87cc33e6-4bb8-4901-a6fa-ffa1044bdf53	\N	0	2026-11-28 21:40:15.495812+00	\N	\N	0	2026-11-28 21:40:16.035592+00
dispute	du_1hlmYyhInCDCc6kUgS42TfjbT	2	2	647b41f6-4722-4748-a1a3-640f3dda153c	\N	0	2026-11-28 21:40:15.452561+00	\N	\N	0	2026-11-28 21:40:15.956425+00
invoice	in_16NDpOm3FFRUyhAHW08fa5A53	4	4	148372c4-8557-4824-8805-bc3c75150f4b	\N	0	2026-11-28 21:40:15.480724+00	\N	\N	0	2026-11-28 21:40:16.011993+00
customer	cus_iWPlFW1dQLK2DK	6	6	30cf34fa-84a3-4dcc-9628-4c62b64c9818	\N	0	2026-11-28 21:40:15.484472+00	\N	\N	0	2026-11-28 21:40:16.017376+00
invoice	in_1jjv26j8hYCVRzQ7i7kYXaest	5	5	16c73bd0-5b33-4679-9765-5941cf4207cb	\N	0	2026-11-28 21:40:15.499775+00	\N	\N	0	2026-11-28 21:40:16.045534+00
checkout	cs_test_a12McU7MkNJ1Ot7BxOyItoWNUUf574KGTi0zcZA6lKSFaFwTB587fgZZs8	1	1	5a4e4e17-c259-4c4a-ae6f-5fe97ec47726	\N	0	2026-11-28 21:40:15.753412+00	\N	\N	0	2026-11-28 21:40:16.280143+00
checkout	cs_test_a1JRsI58xKtZGH8w3avOsoyJlofUv0vTKWMamP2ZOlTjc8vouQKU6r1Xbq	1	1	8c4d4c3f-d3cd-451b-9e52-45cce2371747	\N	0	2026-11-28 21:40:15.505072+00	\N	\N	0	2026-11-28 21:40:16.063976+00
subscription	sub_1VqZooQaSW8ASH64hKbVErX6W	3	3	f1145e27-2a18-46dc-98d1-dd010ee5770b	\N	0	2026-11-28 21:40:15.536055+00	\N	\N	0	2026-11-28 21:40:16.077317+00
invoice	in_14b1UntXoY28IPvT32GYhmdng	4	4	35483e9e-b480-4810-8717-4d57f1658e22	\N	0	2026-11-28 21:40:15.71352+00	\N	\N	0	2026-11-28 21:40:16.250376+00
customer	cus_cAXuebOyhC9ask	5	5	6c3325c6-b9b4-48bd-99f7-1295b5ddd9e8	\N	0	2026-11-28 21:40:15.750153+00	\N	\N	0	2026-11-28 21:40:16.262002+00
invoice	in_11Y97JPxwq2ZEZrmGm1CfuC9u	4	4	e067b34a-bc51-4859-a913-839d9f06fb1b	\N	0	2026-11-28 21:40:15.75113+00	\N	\N	0	2026-11-28 21:40:16.273131+00
invoice	in_11MLIvMKTk1lvyux5o6wZkxTk	5	5	90811c2e-1f7a-4fef-b097-a4a5145459d3	\N	0	2026-11-28 21:40:15.893186+00	\N	\N	0	2026-11-28 21:40:16.393669+00
customer	cus_Up26nwra1Kpwa0	5	5	2c9a262a-d585-4911-a193-d629eb6294b6	\N	0	2026-11-28 21:40:16.22164+00	\N	\N	0	2026-11-28 21:40:16.861555+00
checkout	cs_test_a167Yxi7npqAWjLQaZANOd7aD01zZ9HJ3Y2xetfmuc0VjSZUHKFLwlJS1w	1	1	38d8b2f0-13e5-46e0-93b1-ce82cc978246	\N	0	2026-11-28 21:40:15.873192+00	\N	\N	0	2026-11-28 21:40:16.378537+00
customer	cus_gpcRZXrf7P2cJi	6	6	d779c654-cf66-4b08-86fc-e3cc5527fc38	\N	0	2026-11-28 21:40:15.882152+00	\N	\N	0	2026-11-28 21:40:16.390287+00
charge	ch_35NFVoyRGnKsuwwvYbv7hKzwF	3	3	c7611fe6-eac2-446d-b9ed-30f694da0b4e	\N	0	2026-11-28 21:40:16.232651+00	\N	\N	0	2026-11-28 21:40:16.864545+00
charge	ch_3mN67TVR16lmAJVFFzD3s3YEm	3	3	d181730a-80fb-489e-a5ae-3c0c55a22841	\N	0	2026-11-28 21:40:15.911284+00	\N	\N	0	2026-11-28 21:40:16.423824+00
customer	cus_Fv5SqJRvZlwmsd	6	6	3d343867-1300-41a4-8b1b-0ce0e143f69a	\N	0	2026-11-28 21:40:15.989754+00	\N	\N	0	2026-11-28 21:40:16.495015+00
charge	ch_3oUnQXoTmTAVp5rWeGB0LqQgG	4	4	3325a299-2b4b-4e1c-9010-8247d3b37ceb	\N	0	2026-11-28 21:40:16.026648+00	\N	\N	0	2026-11-28 21:40:16.532518+00
subscription	sub_1gJZAPK64qXUw7A7x8fY2Joyi	3	3	d0c604c3-77fa-4eb7-bff2-b6c19a1ca0e7	\N	0	2026-11-28 21:40:15.913371+00	\N	\N	0	2026-11-28 21:40:16.443866+00
subscription	sub_1p8r54q4ZGeBTsxGS2cfcQczN	4	4	ca6c8a41-973b-4c96-ac54-6dd3ab6e70ee	\N	0	2026-11-28 21:40:16.245333+00	\N	\N	0	2026-11-28 21:40:16.86729+00
subscription	sub_1zdLy8jLNWchdl8WuaXVlqiMB	3	3	966a1c2b-a50b-4d3c-8023-b3bd0c8f3bbf	\N	0	2026-11-28 21:40:16.038049+00	\N	\N	0	2026-11-28 21:40:16.547072+00
customer	cus_iCiJkLCfVzzN83	6	6	d03a4fe9-5077-49e9-bb56-53838ed7af51	\N	0	2026-11-28 21:40:16.345298+00	\N	\N	0	2026-11-28 21:40:16.871493+00
invoice	in_1x3bd412Rj24ex1AmpX7spVwH	5	5	8347cd7e-c183-4791-b6c4-39a42c0eb9c1	\N	0	2026-11-28 21:40:16.353591+00	\N	\N	0	2026-11-28 21:40:16.878516+00
charge	ch_3RPFAK1HC5U0c8YSRUj0gTbLg	3	3	6e9d7adc-9006-4fb9-8bfd-3c190e4d5ef7	\N	0	2026-11-28 21:40:16.365932+00	\N	\N	0	2026-11-28 21:40:16.878952+00
subscription	sub_1viP0DIyYSSpmovH38yFrQiL5	4	4	21542df2-e74d-47a7-abe9-4a4e1a746e41	\N	0	2026-11-28 21:40:16.368248+00	\N	\N	0	2026-11-28 21:40:16.885156+00
\.
COPY sync.orphans (kind, id, customer_id, seen_at) FROM stdin;
charge	ch_3ejpgpNkpetkXfkhieJVjYEHx	cus_ihg0iJm80o5RAs	2026-11-28 21:41:22.245662+00
checkout	cs_test_a1l42dYf1RWUMiaMkwISvdA16LNzKLhSQr13raBaxpqE081aahYLz9ljFb	cus_ihg0iJm80o5RAs	2026-11-28 21:41:22.250132+00
subscription	sub_1rUBf6ousKgaWd77iFxYNZQx2	cus_ihg0iJm80o5RAs	2026-11-28 21:41:22.25012+00
invoice	in_1ojxKrkFnLuXGR3K8aHXn68XF	cus_ihg0iJm80o5RAs	2026-11-28 21:41:22.231808+00
customer	cus_ihg0iJm80o5RAs	cus_ihg0iJm80o5RAs	2026-11-28 21:41:22.227949+00
\.
SELECT pg_catalog.setval('billing.alerts_id_seq', 3, true);
SELECT pg_catalog.setval('billing.notifications_id_seq', 3, true);
SELECT pg_catalog.setval('billing.override_history_id_seq', 2, true);
SELECT pg_catalog.setval('billing.plan_history_id_seq', 2, true);
SELECT pg_catalog.setval('billing.subscription_history_id_seq', 8, true);
ALTER TABLE ONLY app.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (tenant_id, user_id);
ALTER TABLE ONLY app.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY app.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.hits
    ADD CONSTRAINT hits_pkey PRIMARY KEY (kind, subject);
ALTER TABLE ONLY auth.limits
    ADD CONSTRAINT limits_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY auth.links
    ADD CONSTRAINT links_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY auth.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_email_canonical_key UNIQUE (email_canonical);
ALTER TABLE ONLY auth.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.checkouts
    ADD CONSTRAINT checkouts_pkey PRIMARY KEY (key);
ALTER TABLE ONLY billing.checkouts
    ADD CONSTRAINT checkouts_session_id_key UNIQUE (session_id);
ALTER TABLE ONLY billing.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.disputes
    ADD CONSTRAINT disputes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.notice_kinds
    ADD CONSTRAINT notice_kinds_event_key UNIQUE (event);
ALTER TABLE ONLY billing.notice_kinds
    ADD CONSTRAINT notice_kinds_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY billing.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.notifications
    ADD CONSTRAINT notifications_tenant_id_kind_fact_key UNIQUE (tenant_id, kind, fact);
ALTER TABLE ONLY billing.override_history
    ADD CONSTRAINT override_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.overrides
    ADD CONSTRAINT overrides_pkey PRIMARY KEY (tenant_id);
ALTER TABLE ONLY billing.plan_history
    ADD CONSTRAINT plan_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.plans
    ADD CONSTRAINT plans_lookup_key_key UNIQUE (lookup_key);
ALTER TABLE ONLY billing.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.plans
    ADD CONSTRAINT plans_price_key UNIQUE (price);
ALTER TABLE ONLY billing.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY billing.portal_configurations
    ADD CONSTRAINT portal_configurations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.status_rules
    ADD CONSTRAINT status_rules_pkey PRIMARY KEY (status);
ALTER TABLE ONLY billing.subscription_history
    ADD CONSTRAINT subscription_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY billing.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY inbox.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY mail.outbox
    ADD CONSTRAINT outbox_key_key UNIQUE (key);
ALTER TABLE ONLY mail.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE ONLY meta.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);
ALTER TABLE ONLY meta.stamp
    ADD CONSTRAINT stamp_pkey PRIMARY KEY (one);
ALTER TABLE ONLY sync.cursors
    ADD CONSTRAINT cursors_pkey PRIMARY KEY (name);
ALTER TABLE ONLY sync.objects
    ADD CONSTRAINT objects_pkey PRIMARY KEY (kind, id);
ALTER TABLE ONLY sync.orphans
    ADD CONSTRAINT orphans_pkey PRIMARY KEY (kind, id);
CREATE INDEX members_user_id_created_at_idx ON app.members USING btree (user_id, created_at DESC);
CREATE INDEX tenants_created_at_idx ON app.tenants USING btree (created_at) WHERE (status = 'draft'::text);
CREATE INDEX links_created_at_idx ON auth.links USING btree (created_at);
CREATE INDEX links_email_canonical_idx ON auth.links USING btree (email_canonical) WHERE (used_at IS NULL);
CREATE INDEX links_flow_hash_created_at_idx ON auth.links USING btree (flow_hash, created_at DESC);
CREATE INDEX links_user_id_idx ON auth.links USING btree (user_id);
CREATE INDEX sessions_user_id_created_at_idx ON auth.sessions USING btree (user_id, created_at DESC);
CREATE INDEX tokens_session_id_idx ON auth.tokens USING btree (session_id);
CREATE UNIQUE INDEX alerts_kind_subject_idx ON billing.alerts USING btree (kind, subject) WHERE (cleared_at IS NULL);
CREATE INDEX alerts_tenant_id_raised_at_idx ON billing.alerts USING btree (tenant_id, raised_at DESC);
CREATE INDEX checkouts_customer_id_idx ON billing.checkouts USING btree (customer_id) WHERE (customer_id IS NOT NULL);
CREATE UNIQUE INDEX checkouts_open_key ON billing.checkouts USING btree (tenant_id) WHERE (status = 'open'::text);
CREATE INDEX checkouts_replaces_idx ON billing.checkouts USING btree (replaces) WHERE (replaces IS NOT NULL);
CREATE INDEX checkouts_subscription_id_idx ON billing.checkouts USING btree (subscription_id) WHERE (status = 'unpaid'::text);
CREATE INDEX checkouts_tenant_id_created_at_idx ON billing.checkouts USING btree (tenant_id, created_at DESC);
CREATE INDEX checkouts_user_id_created_at_idx ON billing.checkouts USING btree (user_id, created_at DESC);
CREATE UNIQUE INDEX customers_tenant_key ON billing.customers USING btree (tenant_id) WHERE (NOT deleted);
CREATE INDEX disputes_tenant_id_opened_at_idx ON billing.disputes USING btree (tenant_id, opened_at);
CREATE INDEX invoices_subscription_id_idx ON billing.invoices USING btree (subscription_id) WHERE (status = 'open'::text);
CREATE INDEX invoices_tenant_id_created_at_idx ON billing.invoices USING btree (tenant_id, created_at DESC);
CREATE INDEX notifications_tenant_id_created_at_idx ON billing.notifications USING btree (tenant_id, created_at DESC) WHERE (seen_at IS NULL);
CREATE INDEX notifications_user_id_created_at_idx ON billing.notifications USING btree (user_id, created_at);
CREATE INDEX override_history_tenant_id_from_at_idx ON billing.override_history USING btree (tenant_id, from_at);
CREATE UNIQUE INDEX override_history_tenant_id_idx ON billing.override_history USING btree (tenant_id) WHERE (to_at IS NULL);
CREATE INDEX plan_history_plan_from_at_idx ON billing.plan_history USING btree (plan, from_at);
CREATE UNIQUE INDEX plan_history_plan_idx ON billing.plan_history USING btree (plan) WHERE (to_at IS NULL);
CREATE INDEX prices_plan_idx ON billing.prices USING btree (plan);
CREATE INDEX prices_product_idx ON billing.prices USING btree (product);
CREATE UNIQUE INDEX subscription_history_subscription_id_idx ON billing.subscription_history USING btree (subscription_id) WHERE (to_at IS NULL);
CREATE INDEX subscription_history_tenant_id_from_at_idx ON billing.subscription_history USING btree (tenant_id, from_at);
CREATE INDEX subscriptions_customer_id_idx ON billing.subscriptions USING btree (customer_id);
CREATE INDEX subscriptions_price_idx ON billing.subscriptions USING btree (price);
CREATE INDEX subscriptions_tenant_id_created_at_idx ON billing.subscriptions USING btree (tenant_id, created_at DESC);
CREATE INDEX events_object_id_idx ON inbox.events USING btree (object_id) WHERE (state = 'done'::text);
CREATE INDEX events_object_id_idx1 ON inbox.events USING btree (object_id) WHERE ((state <> 'done'::text) AND (object_id IS NOT NULL));
CREATE INDEX events_received_at_idx ON inbox.events USING btree (received_at) WHERE (state = 'received'::text);
CREATE INDEX events_received_at_idx1 ON inbox.events USING brin (received_at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX events_received_at_idx2 ON inbox.events USING btree (received_at) WHERE (state = 'dead'::text);
CREATE INDEX events_type_received_at_idx ON inbox.events USING btree (type, received_at) WHERE ((state = 'ignored'::text) AND (object_kind IS NULL));
CREATE INDEX outbox_created_at_idx ON mail.outbox USING btree (created_at) WHERE (state <> 'pending'::text);
CREATE INDEX outbox_created_at_idx1 ON mail.outbox USING btree (created_at) WHERE (state = 'dead'::text);
CREATE INDEX outbox_next_at_idx ON mail.outbox USING btree (next_at) WHERE (state = 'pending'::text);
CREATE INDEX objects_kind_id_idx ON sync.objects USING btree (kind, id) WHERE (dead_at IS NOT NULL);
CREATE INDEX objects_next_at_idx ON sync.objects USING btree (next_at) WHERE ((version > clean_version) AND (dead_at IS NULL));
CREATE INDEX orphans_customer_id_idx ON sync.orphans USING btree (customer_id);
CREATE TRIGGER make_profile AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION auth.make_profile();
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON billing.overrides FOR EACH ROW EXECUTE FUNCTION billing.keep_override_history();
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON billing.plans FOR EACH ROW EXECUTE FUNCTION billing.keep_plan_history();
CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON billing.subscriptions FOR EACH ROW EXECUTE FUNCTION billing.keep_subscription_history();
CREATE TRIGGER watch_plan AFTER INSERT OR UPDATE ON billing.plans FOR EACH ROW EXECUTE FUNCTION billing.watch_plan();
ALTER TABLE ONLY app.members
    ADD CONSTRAINT members_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY app.members
    ADD CONSTRAINT members_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);
ALTER TABLE ONLY app.profiles
    ADD CONSTRAINT profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.hits
    ADD CONSTRAINT hits_kind_fkey FOREIGN KEY (kind) REFERENCES auth.limits(kind);
ALTER TABLE ONLY auth.links
    ADD CONSTRAINT links_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY auth.tokens
    ADD CONSTRAINT tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES auth.sessions(id) ON DELETE CASCADE;
ALTER TABLE ONLY billing.alerts
    ADD CONSTRAINT alerts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.checkouts
    ADD CONSTRAINT checkouts_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.checkouts
    ADD CONSTRAINT checkouts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY billing.checkouts
    ADD CONSTRAINT checkouts_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);
ALTER TABLE ONLY billing.customers
    ADD CONSTRAINT customers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.disputes
    ADD CONSTRAINT disputes_policy_fkey FOREIGN KEY (policy) REFERENCES billing.policies(kind);
ALTER TABLE ONLY billing.disputes
    ADD CONSTRAINT disputes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.invoices
    ADD CONSTRAINT invoices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.notifications
    ADD CONSTRAINT notifications_kind_fkey FOREIGN KEY (kind) REFERENCES billing.notice_kinds(kind);
ALTER TABLE ONLY billing.notifications
    ADD CONSTRAINT notifications_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users(id);
ALTER TABLE ONLY billing.override_history
    ADD CONSTRAINT override_history_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.override_history
    ADD CONSTRAINT override_history_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.overrides
    ADD CONSTRAINT overrides_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.overrides
    ADD CONSTRAINT overrides_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.plan_history
    ADD CONSTRAINT plan_history_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.prices
    ADD CONSTRAINT prices_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.subscription_history
    ADD CONSTRAINT subscription_history_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.subscription_history
    ADD CONSTRAINT subscription_history_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES billing.subscriptions(id);
ALTER TABLE ONLY billing.subscription_history
    ADD CONSTRAINT subscription_history_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
ALTER TABLE ONLY billing.subscriptions
    ADD CONSTRAINT subscriptions_plan_fkey FOREIGN KEY (plan) REFERENCES billing.plans(id);
ALTER TABLE ONLY billing.subscriptions
    ADD CONSTRAINT subscriptions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES app.tenants(id);
CREATE POLICY helper ON app.members FOR SELECT TO tollgate_rls USING (true);
CREATE POLICY language ON app.profiles FOR SELECT TO tollgate_auth USING (true);
CREATE POLICY member ON app.tenants FOR SELECT TO tollgate_account, tollgate_billing USING ((id = ANY (( SELECT app.my_tenants() AS my_tenants)::uuid[])));
ALTER TABLE app.members ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.members FOR SELECT TO tollgate_account, tollgate_billing USING ((user_id = ( SELECT auth.uid() AS uid)));
CREATE POLICY own ON app.profiles FOR SELECT TO tollgate_account USING ((user_id = ( SELECT auth.uid() AS uid)));
CREATE POLICY prefer ON app.profiles FOR UPDATE TO tollgate_auth USING (true) WITH CHECK (true);
ALTER TABLE app.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON app.members TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON app.tenants TO tollgate_service USING (true) WITH CHECK (true);
ALTER TABLE app.tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY trigger ON app.profiles FOR INSERT TO tollgate_auth WITH CHECK (true);
ALTER TABLE auth.hits ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.links ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON auth.hits TO tollgate_auth USING (true) WITH CHECK (true);
CREATE POLICY owner ON auth.limits FOR SELECT TO tollgate_auth USING (true);
CREATE POLICY owner ON auth.links TO tollgate_auth USING (true) WITH CHECK (true);
CREATE POLICY owner ON auth.sessions TO tollgate_auth USING (true) WITH CHECK (true);
CREATE POLICY owner ON auth.tokens TO tollgate_auth USING (true) WITH CHECK (true);
CREATE POLICY owner ON auth.users TO tollgate_auth USING (true) WITH CHECK (true);
ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.checkouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.disputes ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON billing.plan_history FOR SELECT TO tollgate_billing USING (true);
CREATE POLICY everybody ON billing.plans FOR SELECT TO tollgate_billing USING (true);
CREATE POLICY everybody ON billing.policies FOR SELECT TO tollgate_billing USING (true);
CREATE POLICY everybody ON billing.status_rules FOR SELECT TO tollgate_billing USING (true);
ALTER TABLE billing.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY manager ON billing.customers FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.managed_tenants() AS managed_tenants)::uuid[])));
CREATE POLICY manager ON billing.invoices FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.managed_tenants() AS managed_tenants)::uuid[])));
CREATE POLICY manager ON billing.notifications FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.managed_tenants() AS managed_tenants)::uuid[])));
CREATE POLICY member ON billing.disputes FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.my_tenants() AS my_tenants)::uuid[])));
CREATE POLICY member ON billing.override_history FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.my_tenants() AS my_tenants)::uuid[])));
CREATE POLICY member ON billing.subscription_history FOR SELECT TO tollgate_billing USING ((tenant_id = ANY (( SELECT app.my_tenants() AS my_tenants)::uuid[])));
CREATE POLICY member ON billing.subscriptions FOR SELECT TO tollgate_account, tollgate_billing USING ((tenant_id = ANY (( SELECT app.my_tenants() AS my_tenants)::uuid[])));
ALTER TABLE billing.notice_kinds ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.override_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.plan_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.portal_configurations ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.prices ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON billing.alerts TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.checkouts TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.customers TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.disputes TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.invoices TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.notice_kinds FOR SELECT TO tollgate_service USING (true);
CREATE POLICY service ON billing.notifications TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.override_history TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.overrides TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.plan_history TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.plans TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.policies FOR SELECT TO tollgate_service USING (true);
CREATE POLICY service ON billing.portal_configurations TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.prices TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.status_rules FOR SELECT TO tollgate_service USING (true);
CREATE POLICY service ON billing.subscription_history TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON billing.subscriptions TO tollgate_service USING (true) WITH CHECK (true);
ALTER TABLE billing.status_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.subscription_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing.subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox.events ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON inbox.events TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY minting ON mail.outbox FOR INSERT TO tollgate_auth WITH CHECK (true);
ALTER TABLE mail.outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON mail.outbox TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON meta.stamp TO tollgate_service USING (true) WITH CHECK (true);
ALTER TABLE meta.stamp ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync.cursors ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync.objects ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync.orphans ENABLE ROW LEVEL SECURITY;
CREATE POLICY service ON sync.cursors TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON sync.objects TO tollgate_service USING (true) WITH CHECK (true);
CREATE POLICY service ON sync.orphans TO tollgate_service USING (true) WITH CHECK (true);
GRANT ALL ON SCHEMA api TO tollgate_auth;
GRANT ALL ON SCHEMA api TO tollgate_service;
GRANT USAGE ON SCHEMA api TO tollgate_signup;
GRANT USAGE ON SCHEMA api TO tollgate_account;
GRANT USAGE ON SCHEMA api TO tollgate_billing;
GRANT USAGE ON SCHEMA api TO tollgate_webhooks;
GRANT USAGE ON SCHEMA api TO tollgate_jobs;
GRANT USAGE ON SCHEMA api TO tollgate_operator;
GRANT ALL ON SCHEMA app TO tollgate_auth;
GRANT ALL ON SCHEMA app TO tollgate_rls;
GRANT USAGE ON SCHEMA app TO tollgate_account;
GRANT USAGE ON SCHEMA app TO tollgate_billing;
GRANT USAGE ON SCHEMA app TO tollgate_service;
GRANT ALL ON SCHEMA auth TO tollgate_auth;
GRANT USAGE ON SCHEMA auth TO tollgate_account;
GRANT USAGE ON SCHEMA auth TO tollgate_billing;
GRANT USAGE ON SCHEMA auth TO tollgate_rls;
GRANT USAGE ON SCHEMA auth TO tollgate_service;
GRANT ALL ON SCHEMA billing TO tollgate_service;
GRANT USAGE ON SCHEMA billing TO tollgate_account;
GRANT USAGE ON SCHEMA billing TO tollgate_billing;
GRANT ALL ON SCHEMA inbox TO tollgate_service;
GRANT ALL ON SCHEMA mail TO tollgate_service;
GRANT USAGE ON SCHEMA mail TO tollgate_auth;
GRANT ALL ON SCHEMA meta TO tollgate_owner;
GRANT USAGE ON SCHEMA meta TO tollgate_service;
GRANT ALL ON SCHEMA ops TO tollgate_service;
GRANT USAGE ON SCHEMA ops TO tollgate_operator;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA service TO tollgate_service;
GRANT USAGE ON SCHEMA service TO tollgate_webhooks;
GRANT USAGE ON SCHEMA service TO tollgate_jobs;
GRANT USAGE ON SCHEMA service TO tollgate_operator;
GRANT ALL ON SCHEMA sync TO tollgate_service;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.links TO tollgate_auth;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.sessions TO tollgate_auth;
GRANT SELECT ON TABLE app.members TO tollgate_account;
GRANT SELECT ON TABLE app.members TO tollgate_billing;
GRANT SELECT,INSERT ON TABLE app.members TO tollgate_service;
GRANT SELECT(tenant_id) ON TABLE app.members TO tollgate_rls;
GRANT SELECT(user_id) ON TABLE app.members TO tollgate_rls;
GRANT SELECT(role) ON TABLE app.members TO tollgate_rls;
GRANT SELECT ON TABLE billing.subscriptions TO tollgate_account;
GRANT SELECT ON TABLE billing.subscriptions TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.subscriptions TO tollgate_service;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.checkouts TO tollgate_service;
GRANT SELECT ON TABLE billing.invoices TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.invoices TO tollgate_service;
GRANT SELECT ON TABLE billing.subscription_history TO tollgate_billing;
GRANT SELECT,INSERT ON TABLE billing.subscription_history TO tollgate_service;
GRANT UPDATE(to_at) ON TABLE billing.subscription_history TO tollgate_service;
GRANT SELECT ON TABLE billing.notifications TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.notifications TO tollgate_service;
GRANT SELECT ON TABLE billing.plan_history TO tollgate_billing;
GRANT SELECT,INSERT ON TABLE billing.plan_history TO tollgate_service;
GRANT UPDATE(to_at) ON TABLE billing.plan_history TO tollgate_service;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.prices TO tollgate_service;
GRANT SELECT ON TABLE billing.disputes TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.disputes TO tollgate_service;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.cursors TO tollgate_service;
GRANT SELECT,INSERT,UPDATE ON TABLE sync.objects TO tollgate_service;
GRANT INSERT ON TABLE app.profiles TO tollgate_auth;
GRANT SELECT(user_id) ON TABLE app.profiles TO tollgate_account;
GRANT SELECT(user_id) ON TABLE app.profiles TO tollgate_auth;
GRANT SELECT(display_name) ON TABLE app.profiles TO tollgate_account;
GRANT SELECT(avatar_url) ON TABLE app.profiles TO tollgate_account;
GRANT SELECT(language),UPDATE(language) ON TABLE app.profiles TO tollgate_auth;
GRANT SELECT,INSERT,DELETE ON TABLE app.tenants TO tollgate_service;
GRANT SELECT(id) ON TABLE app.tenants TO tollgate_account;
GRANT SELECT(id) ON TABLE app.tenants TO tollgate_billing;
GRANT SELECT(status) ON TABLE app.tenants TO tollgate_account;
GRANT SELECT(status) ON TABLE app.tenants TO tollgate_billing;
GRANT UPDATE(status) ON TABLE app.tenants TO tollgate_service;
GRANT SELECT(created_at) ON TABLE app.tenants TO tollgate_account;
GRANT SELECT(created_at) ON TABLE app.tenants TO tollgate_billing;
GRANT UPDATE(activated_at) ON TABLE app.tenants TO tollgate_service;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE auth.hits TO tollgate_auth;
GRANT SELECT ON TABLE auth.limits TO tollgate_auth;
GRANT SELECT,INSERT ON TABLE auth.tokens TO tollgate_auth;
GRANT SELECT,INSERT ON TABLE auth.users TO tollgate_auth;
GRANT UPDATE(disabled_at) ON TABLE auth.users TO tollgate_auth;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.alerts TO tollgate_service;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.customers TO tollgate_service;
GRANT SELECT(id) ON TABLE billing.customers TO tollgate_billing;
GRANT SELECT(tenant_id) ON TABLE billing.customers TO tollgate_billing;
GRANT SELECT(deleted) ON TABLE billing.customers TO tollgate_billing;
GRANT SELECT ON TABLE billing.notice_kinds TO tollgate_service;
GRANT SELECT,INSERT ON TABLE billing.override_history TO tollgate_service;
GRANT SELECT(tenant_id) ON TABLE billing.override_history TO tollgate_billing;
GRANT SELECT(from_at) ON TABLE billing.override_history TO tollgate_billing;
GRANT SELECT(to_at) ON TABLE billing.override_history TO tollgate_billing;
GRANT UPDATE(to_at) ON TABLE billing.override_history TO tollgate_service;
GRANT SELECT(allowed) ON TABLE billing.override_history TO tollgate_billing;
GRANT SELECT(plan) ON TABLE billing.override_history TO tollgate_billing;
GRANT SELECT(until) ON TABLE billing.override_history TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.overrides TO tollgate_service;
GRANT SELECT ON TABLE billing.plans TO tollgate_billing;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.plans TO tollgate_service;
GRANT SELECT ON TABLE billing.policies TO tollgate_billing;
GRANT SELECT ON TABLE billing.policies TO tollgate_service;
GRANT SELECT,INSERT,UPDATE ON TABLE billing.portal_configurations TO tollgate_service;
GRANT SELECT ON TABLE billing.status_rules TO tollgate_billing;
GRANT SELECT ON TABLE billing.status_rules TO tollgate_service;
GRANT SELECT,INSERT,DELETE ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(state) ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(object_kind) ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(object_id) ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(done_at) ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(attempts) ON TABLE inbox.events TO tollgate_service;
GRANT UPDATE(outcome) ON TABLE inbox.events TO tollgate_service;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE mail.outbox TO tollgate_service;
GRANT INSERT ON TABLE mail.outbox TO tollgate_auth;
GRANT SELECT ON TABLE meta.migrations TO tollgate_service;
GRANT SELECT ON TABLE meta.stamp TO tollgate_service;
GRANT UPDATE(account) ON TABLE meta.stamp TO tollgate_service;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE sync.orphans TO tollgate_service;
ALTER DEFAULT PRIVILEGES FOR ROLE tollgate_auth REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE tollgate_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE tollgate_rls REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE tollgate_service REVOKE ALL ON FUNCTIONS  FROM PUBLIC;
