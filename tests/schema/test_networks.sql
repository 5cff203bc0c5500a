-- Allowances of networks: an address, and the networks around it, each have one.
begin;
select no_plan();

select is(array_agg(concat_ws(' ', kind, allowed, per) order by kind), '{call_far 1000 01:00:00,call_near 60 01:00:00,'
	'call_wide 300 01:00:00,draft_far 500 01:00:00,draft_near 30 01:00:00,draft_wide 150 01:00:00,'
	'flow_far 1500 01:00:00,flow_near 100 01:00:00,flow_wide 500 01:00:00,'
	'link_far 300 01:00:00,link_near 20 01:00:00,link_wide 100 01:00:00,password_far 1500 01:00:00,'
	'password_near 100 01:00:00,password_wide 500 01:00:00}'::text[], 'S04 how often in an hour')
	from auth.limits where kind ~ '_(near|wide|far)$';
update auth.limits set allowed = case when kind like '%\_near' then 2 when kind like '%\_wide' then 3 else 4 end
	where kind ~ '_(near|wide|far)$';
create function pg_temp.allowed(p_ips text[], p_what text default 'link') returns text language plpgsql as $$
declare
	answer text := '';
begin
	for i in 1 .. cardinality(p_ips) loop
		answer := answer || case when auth.allow_network(p_what, p_ips[i]::inet) then 'y' else 'n' end;
	end loop;
	return answer;
end
$$;

select is(pg_temp.allowed('{192.0.2.1,192.0.2.1,192.0.2.1}'), 'yyn', 'S04 an IPv4 address has its allowance');
select is(pg_temp.allowed('{192.0.2.2,192.0.2.2}'), 'yn', 'S04 and its /24 one for all of them');
select is(pg_temp.allowed('{192.0.3.1,192.0.4.1,192.0.5.1,192.0.6.1,192.0.7.1}'), 'yyyyy', 'S04 other /24s are free');
select is(pg_temp.allowed('{::ffff:192.0.3.1,::ffff:192.0.3.1}'), 'yn', 'S04 a mapped IPv4 address counts as IPv4');

select is(pg_temp.allowed('{2001:db8:0:100::1,2001:db8:0:100:2:3:4:5,2001:db8:0:100::3}'), 'yyn',
	'S04 a /64 of IPv6 has an allowance');
select is(pg_temp.allowed('{2001:db8:0:101::1,2001:db8:0:102::1}'), 'yn', 'S04 its /56 has one');
select is(pg_temp.allowed('{2001:db8:0:200::1,2001:db8:0:300::1}'), 'yn', 'S04 and its /48 has one');
select is(pg_temp.allowed('{2001:db8:1::1}'), 'y', 'S04 another /48 is free');
select is(pg_temp.allowed('{2001:db8:0:100::1}', 'draft'), 'y', 'S04 drafts count for themselves');

select is(pg_temp.allowed('{198.51.100.1,198.51.100.2,198.51.100.3}'), 'yyy', 'S04 a /24 is spent');
select count(*) as before from auth.hits \gset
select is(pg_temp.allowed('{198.51.100.4,198.51.100.5,198.51.100.6}'), 'nnn', 'S04 other addresses in it are refused');
select is(count(*), :'before'::bigint, 'S08 what is refused writes nothing') from auth.hits;
delete from auth.hits where kind = 'link_wide';
select is(pg_temp.allowed('{198.51.100.4,198.51.100.4,198.51.100.4}'), 'yyn', 'S04 and has spent nothing');
select is_empty($$select from auth.hits where encode(subject, 'escape') ~ '198|2001'$$,
	'D25 networks are counted by digest');

select * from finish();
rollback;
