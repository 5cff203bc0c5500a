-- What a user is given of schema auth as a copy of the own data: facts and times, no token, code, password or seed, and
-- no digest of one. The newest 1000 rows of each list.

set role tollgate_auth;

create or replace function auth.session_rows(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
			select s.id, s.created_at, s.seen_at, s.auth_at, s.amr as proofs, host(s.ip) as ip, s.agent, s.remember,
				s.absolute_until, s.revoked_at, s.revoke_reason
			from auth.sessions s where s.user_id = p_user order by s.created_at desc, s.id limit 1000) n);
end
$$;

drop function if exists auth.request_rows(uuid);	-- before p_addresses

-- Links and codes that were asked for by the user or with an address that is or was the user's (app.addresses_of).
create or replace function auth.request_rows(p_user uuid, p_addresses text[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
			select r.purpose, r.email, host(r.ip) as ip, r.created_at, r.used_at from auth.requests r
			where r.user_id = p_user or r.email_canonical = any (p_addresses)
			order by r.created_at desc, r.id limit 1000) n);
end
$$;

-- Accounts elsewhere that sign the user in.
create or replace function auth.identity_rows(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select coalesce(jsonb_agg(to_jsonb(n)), '[]') from (
			select i.label as provider, i.issuer, i.subject, i.account, i.created_at, i.used_at from auth.identities i
			where i.user_id = p_user order by i.created_at, i.id limit 1000) n);
end
$$;

drop function if exists auth.export_user(uuid);	-- before p_addresses

create or replace function auth.export_user(p_user uuid, p_addresses text[]) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
begin
	return (
		select jsonb_build_object('user', jsonb_build_object('id', u.id, 'email', u.email, 'created_at', u.created_at,
				'disabled_at', u.disabled_at),
			'operator', (select jsonb_build_object('added_at', o.added_at) from auth.operators o
				where o.user_id = p_user),
			'suspensions', (
				select coalesce(jsonb_agg(jsonb_build_object('created_at', s.created_at, 'lifted_at', s.lifted_at)
					order by s.created_at), '[]')
				from auth.suspensions s where s.user_id = p_user),
			'identities', auth.identity_rows(p_user),
			'sessions', auth.session_rows(p_user), 'requests', auth.request_rows(p_user, p_addresses),
			'devices', (
				select coalesce(jsonb_agg(jsonb_build_object('last_seen', d.last_seen) order by d.last_seen desc), '[]')
				from (select v.last_seen from auth.devices v where v.user_id = p_user
					order by v.last_seen desc limit 1000) d),
			'password', (select jsonb_build_object('changed_at', p.changed_at) from auth.passwords p
				where p.user_id = p_user),
			'second_factor', (select jsonb_build_object('created_at', f.created_at, 'confirmed_at', f.confirmed_at)
				from auth.factors f where f.user_id = p_user),
			'recovery_codes', (
				select coalesce(jsonb_agg(jsonb_build_object('created_at', c.created_at, 'used_at', c.used_at)
					order by c.created_at), '[]')
				from auth.recovery_codes c where c.user_id = p_user),
			'passkeys', (
				select coalesce(jsonb_agg(jsonb_build_object('name', k.name, 'created_at', k.created_at,
					'used_at', k.used_at, 'transports', k.transports, 'backed_up', k.backed_up)
					order by k.created_at), '[]')
				from auth.passkeys k where k.user_id = p_user))
		from auth.users u where u.id = p_user);
end
$$;

reset role;
