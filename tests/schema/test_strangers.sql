-- What strangers ask for somebody's address takes nothing from its owner.
begin;
select no_plan();

select tap.paid('ann') as tenant, tap.paid('bob') as other \gset
create function pg_temp.owner(p_email text, p_device text, p_secret text) returns jsonb language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	update auth.requests set created_at = created_at - interval '1 s';
	perform tap.request(p_email, 'first ' || p_device);
	return tap.sign_in(tap.mailed(p_email) ->> 'hash', null, 'first ' || p_device, p_secret, p_device);
end
$$;
create function pg_temp.flood(p_n int, p_email text, p_device text default null) returns void language plpgsql as $$
begin
	for i in 1..p_n loop
		perform tap.request(p_email, 'stranger ' || i || coalesce(p_device, ''), format('198.51.%s.1', i)::inet,
			p_device);
	end loop;
end
$$;
create function pg_temp.asked(p_flow text) returns bigint language sql as $$
	select count(*) from auth.requests r where r.flow_hash = sha256(sha256(p_flow::bytea))
$$;

-- devices
select is(pg_temp.owner('ann@example.org', 'laptop', 'one') -> 'ok', 'true', 'S03 the owner signs in on a device');
select is(count(*), 1::bigint, 'S03 which is kept') from auth.devices;
select is_empty($$select from auth.devices d where d.hash in (sha256('laptop'), sha256(sha256('laptop')))$$,
	'S10 as a digest of the device and the address');
update auth.devices set last_seen = now() - interval '1 day';
select pg_temp.owner('Ann@Example.org', 'laptop', 'two') \g /dev/null
select is(array_agg(last_seen), array[now()], 'S03 it is the same device however the address is typed')
	from auth.devices;
select tap.ask('tollgate_signin', 'api.sign_out()', encode(sha256('two'), 'hex')) \g /dev/null
select is(count(*), 1::bigint, 'S03 signing out keeps it') from auth.devices;
select is(tap.sign_in(null, null, 'laptop', 'y', 'laptop'), '{"ok": false, "attempts_left": null}',
	'S03 a device proves nothing');

-- allowances
update auth.hits set spent_until = now();
select pg_temp.flood(6, 'ann@example.org') \g /dev/null
select is(pg_temp.asked('stranger 5') || ' ' || pg_temp.asked('stranger 6'), '1 0',
	'S03 S08 strangers have five, and the sixth leaves no row');
select is(tap.request('ann@example.org', 'mine', '192.0.2.7'), null,
	'F51 an owner on an unseen device gets the answer');
select is(pg_temp.asked('mine'), 0::bigint, 'S03 and waits with them');
select tap.request('ann@example.org', 'mine', '192.0.2.7', 'laptop') \g /dev/null
select is(pg_temp.asked('mine'), 1::bigint, 'S03 F62 on a device that has signed in there is a link');
select m ->> 'hash' as hash from tap.mailed('ann@example.org') m \gset
select is(tap.sign_in(:'hash', null, 'mine', 'z') -> 'ok', 'true',
	'S03 F62 and it signs in');
select pg_temp.flood(6, 'ann@example.org', 'laptop') \g /dev/null
select is(pg_temp.asked('stranger 4laptop') || ' ' || pg_temp.asked('stranger 5laptop'), '1 0',
	'S03 S08 the device too has five');
select pg_temp.owner('bob@example.org', 'phone', 'three') \g /dev/null
update auth.hits set spent_until = now();
select pg_temp.flood(5, 'ann@example.org'), tap.request('ann@example.org', 'bob', '192.0.2.8', 'phone') \g /dev/null
select is(pg_temp.asked('bob'), 0::bigint, 'S03 a device of another user is a stranger''s');
select tap.request('bob@example.org', 'bob', '192.0.2.8', 'phone') \g /dev/null
select is(pg_temp.asked('bob'), 1::bigint, 'S03 and is known with its own');
update auth.hits set spent_until = spent_until - interval '12 min';
select tap.request('ann@example.org', 'later', '192.0.2.9') \g /dev/null
select is(pg_temp.asked('later'), 1::bigint, 'S03 the allowance of strangers is refilled');

-- what the network refuses
update auth.hits set spent_until = now();
select count(*) as before from auth.requests \gset
create function pg_temp.refusals(p_emails text[]) returns text[] language sql as $$
	select array_agg(distinct tap.state_of('tollgate_signin',
		format('select api.request_link(%L, ''\x00'', ''/'', ''en'', ''203.0.113.9'')', email)))
	from unnest(p_emails) email
$$;
select is(pg_temp.refusals(array(select 'net' || n || '@example.org' from generate_series(1, 20) n)), '{00000}',
	'F51 twenty from one network');
select is(pg_temp.refusals('{ann@example.org,nobody@example.org}'), '{TG429}',
	'F51 then none, whether the address exists or not');
select is(count(*) - :before, 20::bigint, 'S08 what the network''s allowance refuses leaves no row') from auth.requests;
select is(count(*), 0::bigint, 'S08 nor does it take from the address') from auth.hits
	where kind = 'link_stranger' and subject = sha256('link_stranger:ann@example.org') and spent_until > now();

-- links of strangers
create function pg_temp.stranger(p_flow text, p_device text default null) returns text language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	update auth.requests set created_at = created_at - interval '1 s';
	perform tap.request('ann@example.org', p_flow, '192.0.2.1', p_device);
	return tap.mailed('ann@example.org') ->> 'hash';
end
$$;
update auth.links set expires_at = now();
create temp table made as select n, pg_temp.stranger('s' || n) as hash from generate_series(1, 7) n;
select is(array_agg(n) filter (where hash is not null), '{1,2,3,4,5}', 'S03 five links of strangers may work')
	from made;
create function pg_temp.works(p_hash text, p_flow text) returns boolean language sql as $$
	select tap.ask('tollgate_signin', format('api.link_state(%L, %L)', p_hash::bytea, sha256(p_flow::bytea)))
		->> 'state' = 'usable'
$$;
select is(array_agg(pg_temp.works(hash, 's' || n)), array_fill(true, '{5}'), 'S03 F53 and a further one ends none')
	from made where n <= 5;
select isnt(pg_temp.stranger('owner', 'laptop'), null, 'S03 the owner gets one all the same');
select is(pg_temp.stranger('s8'), null, 'S03 which counts with nobody''s');
update auth.links l set expires_at = now() from made m where l.hash = sha256(m.hash::bytea) and m.n = 1;
select isnt(pg_temp.stranger('s9'), null, 'S03 when one is over there may be another');
select is(pg_temp.stranger('s10'), null, 'S03 and again no more');
select isnt(auth.mint_link(r.id), null, 'S14 a mail of theirs that is tried again has its link') from auth.requests r
	where r.flow_hash = sha256(sha256('s9'));

-- the ceiling
delete from mail.outbox;
update auth.links set expires_at = now();
update auth.limits set allowed = 2 where kind = 'link_global';
delete from auth.hits;
select pg_temp.flood(3, 'someone@example.org') \g /dev/null
select is(array_agg(rank order by ctid), '{0,0,1}', 'S03 above the ceiling mails of strangers have the last rank')
	from mail.outbox;
select tap.request('ann@example.org', 'mine2', '192.0.2.7', 'laptop') \g /dev/null
select is(array_agg(rank), '{0}', 'S03 those of known devices do not') from mail.outbox
	where recipient = 'ann@example.org';
update mail.outbox set next_at = now() - interval '1 day' where rank = 1;
update mail.outbox set recipient = 'bob@example.org' where rank = 1;
update auth.requests set email_canonical = 'bob@example.org' where id = (
	select (data ->> 'request')::uuid from mail.outbox where rank = 1);
create function pg_temp.claimed() returns text language sql as $$
	select tap.ask('tollgate_mailer', 'service.claim_mail(60)') ->> 'recipient'
$$;
create function pg_temp.alerts() returns bigint language sql as $$
	select count(*) from ops.alerts where kind = 'mail_ceiling' and cleared_at is null
$$;
select is(pg_temp.claimed(), 'ann@example.org', 'S03 which go before them');
select is(pg_temp.alerts(), 1::bigint, 'S03 there is an alert while such mails wait');
select is(pg_temp.claimed(), 'bob@example.org', 'S03 then they go');
update mail.outbox set state = 'sent' where state = 'pending';
select is(pg_temp.claimed(), null, 'S03 none waits');
select is(pg_temp.alerts(), 0::bigint, 'S03 and the alert has ended');

select * from finish();
rollback;
