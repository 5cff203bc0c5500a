-- How long requests for links, sessions and their tokens, devices, spent limits, pending sign-ins, visits to an issuer
-- and used challenges are kept.

set role tollgate_auth;

-- Deletes at most 1000 rows of each kind; the next call deletes the next ones.
create or replace function auth.apply_retention() returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
	requests bigint;
	sessions bigint;
	tokens bigint;
	devices bigint;
	hits bigint;
	tries bigint;
	pending bigint;
begin
	delete from auth.requests d where d.id = any (array(
		select r.id from auth.requests r where r.created_at < now() - interval '7 days' limit 1000));
	get diagnostics requests = row_count;
	delete from auth.sessions d where d.id = any (array(
		select s.id from auth.sessions s
		where least(s.revoked_at, s.idle_until, s.absolute_until) < now() - interval '90 days' limit 1000));
	get diagnostics sessions = row_count;
	delete from auth.tokens d where d.hash = any (array(
		select t.hash from auth.tokens t where t.retired_at < now() - interval '7 days' limit 1000));
	get diagnostics tokens = row_count;
	delete from auth.devices d where d.hash = any (array(
		select k.hash from auth.devices k where k.last_seen < now() - interval '400 days' limit 1000));
	get diagnostics devices = row_count;
	delete from auth.hits d where d.ctid = any (array(
		select h.ctid from auth.hits h where h.spent_until < now() limit 1000));
	get diagnostics hits = row_count;
	delete from auth.pending d where d.hash = any (array(
		select p.hash from auth.pending p where p.created_at < now() - interval '24 hours' limit 1000));
	get diagnostics pending = row_count;
	delete from auth.factors d where d.user_id = any (array(
		select f.user_id from auth.factors f
		where f.confirmed_at is null and f.created_at < now() - interval '24 hours' limit 1000));
	delete from auth.flows d where d.hash = any (array(
		select f.hash from auth.flows f where f.created_at < now() - interval '1 hour' limit 1000));
	delete from auth.challenges d where d.hash = any (array(
		select c.hash from auth.challenges c where c.used_at < now() - interval '1 day' limit 1000));
	delete from auth.tries d where d.ctid = any (array(
		select t.ctid from auth.tries t where t.last_at < now() - interval '1 day' limit 1000));
	get diagnostics tries = row_count;
	return jsonb_build_object('requests', requests, 'sessions', sessions, 'tokens', tokens,
		'devices', devices, 'hits', hits, 'tries', tries, 'pending', pending);
end
$$;

reset role;
