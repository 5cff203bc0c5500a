-- How often a subject (an address, a network) may ask for something.

set role tollgate_auth;

-- How many pages each table of subjects may have: 128 MB, a million rows, of which honest askers need few.
create or replace function auth.most_pages() returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return 16384;
end
$$;

-- Room for new subjects where a flood of them has filled a table: each call thins a random page out to 40 rows, about a
-- half of it. The rows that say least go first: allowances that are full again soonest, waits that end soonest. So the
-- tables stop growing, and who asks is never refused because others are many. Rows in use by another call stay. How
-- large a table is, autovacuum has written down last.
create or replace function auth.make_room() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	hits int := (select c.relpages from pg_class c where c.oid = 'auth.hits'::regclass);
	tries int := (select c.relpages from pg_class c where c.oid = 'auth.tries'::regclass);
	page int;
begin
	if hits > auth.most_pages() then
		page := floor(random() * hits);
		delete from auth.hits d where d.ctid = any (array(
			select h.ctid from auth.hits h
			where h.ctid >= format('(%s,0)', page)::tid and h.ctid < format('(%s,0)', page + 1)::tid
			order by h.spent_until desc offset 40 for update skip locked));
	end if;
	if tries > auth.most_pages() then
		page := floor(random() * tries);
		delete from auth.tries d where d.ctid = any (array(
			select t.ctid from auth.tries t
			where t.ctid >= format('(%s,0)', page)::tid and t.ctid < format('(%s,0)', page + 1)::tid
			order by t.until desc offset 40 for update skip locked));
	end if;
end
$$;

-- Takes one unit of a limit; false when none is left. A subject's row holds the time until which its allowance is
-- spent, so one statement decides between concurrent calls. A time further ahead was written while the clock was wrong,
-- and counts as none. The subject is stored as a digest only. A refusal tells the program by an INFO (lib/db/db.h)
-- after how many seconds there is a unit again.
create or replace function auth.allow(p_kind text, p_subject text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	per interval;
	unit interval;
	slack constant interval := interval '1 min';		-- of a call at the same time, which began later
begin
	perform auth.make_room();
	select l.per, l.per / l.allowed into strict per, unit from auth.limits l where l.kind = p_kind;
	insert into auth.hits as h (kind, subject, spent_until)
	values (p_kind, sha256(convert_to(p_kind || ':' || coalesce(p_subject, ''), 'UTF8')), now() + unit)
	on conflict (kind, subject) do update
		set spent_until = case when h.spent_until > now() + per + slack then now()
			else greatest(h.spent_until, now()) end + unit
		where greatest(h.spent_until, now()) + unit <= now() + per or h.spent_until > now() + per + slack;
	if found then
		return true;
	end if;
	raise info '%', (select greatest(1, ceil(extract(epoch from h.spent_until + unit - per - now())))::bigint
		from auth.hits h
		where h.kind = p_kind and h.subject = sha256(convert_to(p_kind || ':' || coalesce(p_subject, ''), 'UTF8')))
		using errcode = 'TG003';
	return false;
end
$$;

-- Gives back all that the subject has spent of a limit.
create or replace function auth.give_back(p_kind text, p_subject text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	delete from auth.hits h
	where h.kind = p_kind and h.subject = sha256(convert_to(p_kind || ':' || coalesce(p_subject, ''), 'UTF8'));
end
$$;

drop function if exists auth.network_of(inet);	-- before it took bits; beside the new one no call would be unique

-- The network of an address with so many bits of IPv4, or bits6 of IPv6; null bits: null. A mapped IPv4 address counts
-- as IPv4. Without bits it is the smallest network: the address itself, or the /64 of an IPv6 address.
create or replace function auth.network_of(p_ip inet, p_bits int default 32, p_bits6 int default 64) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	ip inet := case when p_ip <<= inet '::ffff:0:0/96' then inet '0.0.0.0' + (p_ip - inet '::ffff:0:0') else p_ip end;
begin
	return network(set_masklen(ip, case family(ip) when 4 then p_bits else p_bits6 end))::text;
end
$$;

-- Takes one unit from each network that the address is in: the smallest, and those around it, so that a larger network
-- is not worth as many allowances as it has smaller ones. False, and nothing taken, when one of them has none left.
-- p_what: link, draft or call; the limits are its _near, _wide and _far.
create or replace function auth.allow_network(p_what text, p_ip inet) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	network record;
begin
	for network in
		select n.level, auth.network_of(p_ip, n.bits, n.bits6) as name
		from (values (1, 'near', 32, 64), (2, 'wide', 24, 56), (3, 'far', null, 48)) n (rank, level, bits, bits6)
		order by n.rank
	loop
		if network.name is not null and not auth.allow(p_what || '_' || network.level, network.name) then
			raise exception 'none left' using errcode = 'TG429';
		end if;
	end loop;
	return true;
exception when sqlstate 'TG429' then	-- undoes what the smaller networks gave
	return false;
end
$$;

reset role;
