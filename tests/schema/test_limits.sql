-- The tables of limits: bounded, whatever asks, and by a clock that may step.
begin;
select no_plan();

update auth.limits set allowed = 4 where kind in ('link_near', 'password_tries');
create function pg_temp.allowed(p_subject text, p_times int) returns text language sql as $$
	select string_agg(case when auth.allow('link_near', p_subject) then 'y' else 'n' end, '')
	from generate_series(1, p_times)
$$;

-- the clock steps back: what was written is ahead by the step
select is(pg_temp.allowed('back', 3), 'yyy', 'F63 three of four are taken');
update auth.hits set spent_until = spent_until + interval '10 min';
select is(pg_temp.allowed('back', 2), 'nn', 'F63 a clock that steps back gives none of them back');
update auth.hits set spent_until = spent_until + interval '1 day';
select is(pg_temp.allowed('back', 5), 'yyyyn', 'F63 one that was wrong by a day locks nobody out');
update auth.hits set spent_until = spent_until - interval '15 min';
select is(pg_temp.allowed('back', 2), 'yn', 'F63 a step forward is time that has passed');

-- no subject adds to what another has spent
select is(pg_temp.allowed('one', 4) || pg_temp.allowed('another', 4), 'yyyyyyyy', 'F63 each subject has its own');

-- a table that is full
create or replace function auth.most_pages() returns int language plpgsql immutable
	set search_path = pg_catalog, pg_temp as $$ begin return 8; end $$;
delete from auth.hits;
insert into auth.hits (kind, subject, spent_until)
	select 'draft_near', sha256(n::text::bytea), now() + n * 7919 % 3000 * interval '1 s'
	from generate_series(1, 3000) n;
insert into auth.tries (subject, failed, last_at, until)
	select sha256(n::text::bytea), 1, now(), now() + n * interval '1 s' from generate_series(1, 3000) n;
analyze auth.hits, auth.tries;
select is(count(*), 400::bigint, 'F63 while it is full nobody is refused for it')
	from generate_series(1, 400) n where auth.allow('link_near', 'flood ' || n);
select cmp_ok(count(*), '<', 3000::bigint, 'F63 a flood of subjects adds no rows to a full table') from auth.hits;
select cmp_ok(count(*), '<', 3000::bigint, 'F63 nor to that of wrong passwords') from auth.tries;
select cmp_ok(avg(extract(epoch from spent_until - now()))::int, '>', 2000, 'F63 what is spent the least goes first')
	from auth.hits where kind = 'draft_near';

-- and one that is not
create or replace function auth.most_pages() returns int language plpgsql immutable
	set search_path = pg_catalog, pg_temp as $$ begin return 16384; end $$;
select count(*) as hits from auth.hits \gset
select is(pg_temp.allowed('new', 100), repeat('y', 4) || repeat('n', 96), 'F63 another subject is counted');
select is(count(*), :'hits'::bigint + 1, 'F63 and none is dropped') from auth.hits;

select * from finish();
rollback;
