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

-- What is wrong with the chain, at most 100 rows of it: "altered", of a row that does not fit the hash before it, and
-- "missing", of the first row of a gap and how many it has.
create or replace function audit.faults() returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		with rows as (
			select e as entry, e.n, lag(e.n, 1, 0::bigint) over w as last, lag(e.hash, 1, sha256('')) over w as before
			from audit.entries e window w as (order by e.n)),
		faults as (
			select r.last + 1 as n, 'missing' as fault, r.n - r.last - 1 as rows from rows r where r.n > r.last + 1
			union all
			select r.n, 'altered', 1 from rows r
			where r.n = r.last + 1 and (r.entry).hash <> audit.hash_of(r.before, r.entry)
			union all
			select m.n + 1, 'missing', h.n - m.n
			from audit.head h cross join (select coalesce(max(e.n), 0) as n from audit.entries e) m where h.n > m.n
			union all
			select h.n, 'altered', 1 from audit.head h join audit.entries e on e.n = h.n where e.hash <> h.hash
				and not exists (select from rows r where r.n = h.n
					and r.n = r.last + 1 and (r.entry).hash <> audit.hash_of(r.before, r.entry)))
		select coalesce(jsonb_agg(to_jsonb(f) order by f.n), '[]') from (select * from faults order by n limit 100) f);
end
$$;

reset role;
