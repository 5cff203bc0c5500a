-- The audit log: append-only, by grants, and a chain of hashes, so that a row that is changed or taken out later shows.

set role tollgate_service;

-- The hash of a row: of the hash before it, and of what the row says. jsonb writes one value in one way.
create or replace function audit.hash_of(p_before bytea, e audit.entries) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return sha256(p_before || convert_to(jsonb_build_array(e.n, (extract(epoch from e.at) * 1000000)::bigint, e.kind,
		e.tenant_id, e.user_id, e.subject_id, e.detail)::text, 'UTF8'));
end
$$;

-- Writes a row, in the caller's transaction. From then until the end of the transaction other writers wait, so it is
-- the last thing a function does. p_kind: one of audit.kinds. p_tenant null: about a user alone. p_user: who did it.
-- p_subject: whom it was done to. p_detail: no address and no name of a person, which could never be deleted again.
create or replace function audit.note(p_kind text, p_tenant uuid default null, p_user uuid default null,
	p_subject uuid default null, p_detail jsonb default '{}') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	last audit.head;
	e audit.entries;
begin
	select h.* into strict last from audit.head h for update;
	e := row(last.n + 1, clock_timestamp(), p_kind, p_tenant, p_user, p_subject, p_detail, null);
	e.hash := audit.hash_of(last.hash, e);
	insert into audit.entries select e.*;
	update audit.head h set n = e.n, hash = e.hash where h.one;
end
$$;

-- What is wrong with a part of the chain: the p_most rows after row p_after, whose hash is p_before; null: all rows. At
-- most 100 rows of it: "altered", of a row that does not fit the hash before it or follows the one that was written
-- last, and "missing", of the first row of a gap and how many it has. "last" and "before" are the number and the hash
-- of the part's last row, and "end" says whether the log ends there.
create or replace function audit.faults_of(p_after bigint, p_before bytea, p_most int) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
	at_end boolean;
	found_faults jsonb;
	last_n bigint := p_after;
	last_hash bytea := p_before;
begin
	select e.n, e.hash into last_n, last_hash from audit.entries e
	where e.n = (select max(f.n) from (
		select d.n from audit.entries d where d.n > p_after order by d.n limit p_most) f);
	last_n := coalesce(last_n, p_after);
	last_hash := coalesce(last_hash, p_before);
	at_end := not exists (select from audit.entries e where e.n > last_n);
	with rows as (
		select e as entry, e.n, lag(e.n, 1, p_after) over w as last, lag(e.hash, 1, p_before) over w as before
		from audit.entries e where e.n > p_after and e.n <= last_n window w as (order by e.n)),
	altered as (
		select r.n from rows r
		where r.n = r.last + 1 and ((r.entry).hash <> audit.hash_of(r.before, r.entry)
			or r.n > (select h.n from audit.head h))),
	faults as (
		select r.last + 1 as n, 'missing' as fault, r.n - r.last - 1 as rows from rows r where r.n > r.last + 1
		union all
		select d.n, 'altered', 1 from altered d
		union all
		select last_n + 1, 'missing', h.n - last_n from audit.head h where at_end and h.n > last_n
		union all
		select h.n, 'altered', 1 from audit.head h
		where at_end and h.n = last_n and h.hash <> last_hash and h.n not in (select d.n from altered d))
	select coalesce(jsonb_agg(to_jsonb(f) order by f.n), '[]') into found_faults
	from (select * from faults order by n limit 100) f;
	return jsonb_build_object('faults', found_faults, 'last', last_n, 'before', encode(last_hash, 'hex'),
		'end', at_end);
end
$$;

-- Unused. Not in a migration, because until this commit ops.verify_audit() calls it.
drop function if exists audit.faults();

reset role;
