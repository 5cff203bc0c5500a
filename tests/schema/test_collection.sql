-- Collection that Stripe has paused, and disputes that end.
begin;
select no_plan();

select ops.put_plans('[{"id": "starter", "price": "price_starter", "rank": 1, "grace_days": 3}]') \g /dev/null
select tap.paid('ann') as ann \gset
create function pg_temp.pause(p_tenant text, p_pause jsonb) returns void language plpgsql as $$
begin
	perform tap.sync('subscription',
		tap.subscription('ann', p_tenant, jsonb_build_object('pause_collection', p_pause)));
end
$$;
create function pg_temp.may(p_tenant text) returns text language sql as $$
	select concat_ws(' ', e ->> 'allowed', e ->> 'reason') from billing.entitlement(p_tenant::uuid) e
$$;
create function pg_temp.since(p_ago interval) returns void language sql as $$
	update billing.subscriptions set paused_since = now() - p_ago where id = 'sub_ann'
$$;

-- pause_collection
select pg_temp.pause(:'ann', jsonb_build_object('behavior', 'keep_as_draft', 'resumes_at', null)) \g /dev/null
select pg_temp.since('30 days') \g /dev/null
select is(pg_temp.may(:'ann'), 'true active', 'C44 invoices that are kept as drafts are collected later');
select pg_temp.pause(:'ann', '{"behavior": "mark_uncollectible", "resumes_at": null}') \g /dev/null
select is(pg_temp.may(:'ann'), 'true active', 'C44 invoices that are marked uncollectible are a present');
select pg_temp.pause(:'ann', '{"behavior": "void", "resumes_at": null}') \g /dev/null
select is(pg_temp.may(:'ann'), 'false collection_paused', 'C44 what is void is not paid for, after the grace');
select is(paused_since, now() - interval '30 days', 'C44 since the pause was first seen, whatever its kind')
	from billing.subscriptions where id = 'sub_ann';
select pg_temp.since('2 days') \g /dev/null
select is(e ->> 'allowed' || ' ' || (e ->> 'until')::timestamptz,
	'true ' || date_trunc('second', now() + interval '1 day'),
	'C44 until the grace is over it is allowed') from billing.entitlement(:'ann') e;
create function pg_temp.planned() returns text language sql as $$
	select string_agg(concat_ws(' ', l ->> 'label', l #>> '{date,iso}'), ', ') from billing.subscriptions s
		cross join lateral jsonb_array_elements(billing.later_documents(s, billing.next_document(s))) l
	where s.id = 'sub_ann'
$$;
select is(pg_temp.planned(), 'next_pause_grace ' || (api.date_document(now() + interval '1 day') ->> 'iso'),
	'C39 the page says until when it is');
select pg_temp.since('3 days') \g /dev/null
select is(pg_temp.planned(), null, 'C39 and not once that is over');
select is(pg_temp.may(:'ann'), 'false collection_paused', 'C44 at the end of the grace it is over');
select is((n.d ->> 'kind') || coalesce(n.d #>> '{date,iso}', ' without a date'), 'collection_resumes without a date',
	'C39 while collection is paused no payment is announced')
	from billing.subscriptions s cross join lateral billing.next_document(s) n (d) where s.id = 'sub_ann';
update billing.pause_rules set grants = 'yes' where behavior = 'void';
select is(pg_temp.may(:'ann'), 'true active', 'C44 the rule is data');
update billing.pause_rules set grants = 'grace' where behavior = 'void';
select pg_temp.pause(:'ann', jsonb_build_object('behavior', 'void',
	'resumes_at', extract(epoch from now() + interval '1 day')::bigint)) \g /dev/null
select is(billing.entitlement(:'ann', now() + interval '1 day 1 s') ->> 'reason', 'active',
	'C44 when collection resumes, so does the plan');
select is(ops.status() -> 'subscriptions', '{"active, collection paused": 1}',
	'C80 the overview counts paused collection');
select is(n.d ->> 'kind', 'renews', 'C39 a payment after that is announced')
	from billing.subscriptions s cross join lateral billing.next_document(s) n (d) where s.id = 'sub_ann';
select pg_temp.pause(:'ann', '{"behavior": "some_new_word", "resumes_at": null}') \g /dev/null
select is(pg_temp.may(:'ann'), 'false collection_paused', 'C44 a pause of an unknown kind grants nothing');
select is(detail, '{"pause_collection.behavior": "some_new_word"}', 'C44 and the operator is told')
	from ops.alerts where kind = 'unknown_status' and cleared_at is null;
select tap.hint('subscription', 'invoice.upcoming', 1799000000, tap.subscription('ann', :'ann',
	'{"pause_collection": {"behavior": "void", "resumes_at": null}}')) \g /dev/null
select is(tap.notices(:'ann'), null, 'C41 no mail announces a payment that is not collected');
select pg_temp.pause(:'ann', null) \g /dev/null
select is(pg_temp.may(:'ann') || coalesce(paused_since::text, ''), 'true active', 'C44 resumed')
	from billing.subscriptions where id = 'sub_ann';
select is(count(*), 0::bigint, 'C44 which ends the alert')
	from ops.alerts where kind = 'unknown_status' and cleared_at is null;
select is(array_agg(distinct c ->> 'collection_paused'),
	'{keep_as_draft,mark_uncollectible,some_new_word,void,null}'::text[],
	'C80 pauses are explained') from jsonb_array_elements(ops.explain(:'ann', null) #> '{0,changes}') c;

-- the badge, the sentence and the main button say what may be done
create function pg_temp.standing(p_tenant text) returns text language plpgsql as $$
begin
	return (select concat_ws(' ', v ->> 'status', v ->> 'status_class', v ->> 'reason', v ->> 'main')
		from billing.standing(billing.entitlement(p_tenant::uuid),
			(select s from billing.shown_subscription(p_tenant::uuid) s)) v);
end
$$;
select is(pg_temp.standing(:'ann'), 'status_active good reason_active manage', 'C44 all may be used');
select pg_temp.pause(:'ann', '{"behavior": "keep_as_draft"}') \g /dev/null
select is(pg_temp.standing(:'ann'), 'status_uncollected warn reason_uncollected manage',
	'C44 all may be used, and no payment is collected');
select pg_temp.pause(:'ann', '{"behavior": "void"}'), pg_temp.since('3 days') \g /dev/null
select is(pg_temp.standing(:'ann'), 'status_uncollected bad reason_collection_paused manage',
	'C44 what may not be used is not green');
-- so does a trial, whose end is said all the same
select tap.paid('tim') as tim \gset
create function pg_temp.trial(p_tenant text, p_pause jsonb) returns text language plpgsql as $$
begin
	perform tap.sync('subscription', tap.subscription('tim', p_tenant, jsonb_build_object('status', 'trialing',
		'trial_end', 1799000000, 'default_payment_method', 'pm_1', 'pause_collection', p_pause)));
	return (select concat_ws(' ', pg_temp.standing(p_tenant), n ->> 'label', left(n #>> '{date,iso}', 10),
			n #>> '{amount,minor}', (select string_agg((l ->> 'label') || ' ' || left(l #>> '{date,iso}', 10), ' ')
				from jsonb_array_elements(billing.later_documents(s, n)) l))
		from billing.subscriptions s cross join lateral billing.next_document(s) n where s.id = 'sub_tim');
end
$$;
select is(pg_temp.trial(:'tim', v.pause), v.said, 'C39 a trial ' || v.description)
from (values (null::jsonb, 'status_trialing good reason_trialing manage next_trial_ends 2027-01-03 1900',
		'ends with a payment'),
	('{"behavior": "keep_as_draft"}', 'status_uncollected warn reason_uncollected manage '
		'next_trial_uncollected 2027-01-03', 'ends without one while collection is paused'),
	('{"behavior": "keep_as_draft", "resumes_at": 1799500000}', 'status_uncollected warn reason_uncollected manage '
		'next_trial_uncollected 2027-01-03 next_collection_resumes 2027-01-09', 'and it is said until when'),
	('{"behavior": "keep_as_draft", "resumes_at": 1798900000}', 'status_uncollected warn reason_uncollected manage '
		'next_trial_ends 2027-01-03 1900', 'ends with a payment once collection has resumed'))
	v (pause, said, description);

select pg_temp.pause(:'ann', null), tap.sync('dispute', tap.dispute('ann')) \g /dev/null
select is(pg_temp.standing(:'ann'), 'status_disputed bad reason_disputed manage', 'C44 nor what is disputed');
select is(
	tap.ask('tollgate_account', 'api.workspace_page()', tap.session('ann@example.org', 'w')) #>> '{tenants,0,status}',
	'status_disputed', 'C44 the workspace has the same badge');
select is(pg_temp.standing(:'ann'), v.shown, 'C44 an override: ' || v.allowed::text)
from (values (true, 'status_granted good reason_override manage'),
	(false, 'status_withheld bad reason_override_denied manage')) v (allowed, shown)
	cross join lateral ops.put_override(:'ann', v.allowed, null, null, 'a test', 'tester') o;
select is(array_agg(r.status), null, 'C44 every status has a row of the table')
from billing.status_rules r cross join lateral billing.standing(jsonb_build_object('reason', r.reason), null) v
where v ->> 'reason' <> 'reason_' || r.reason;

-- a dispute that was lost ends with the next payment, in whatever order both are learned
select tap.paid('bob') as bob \gset
select tap.sync('dispute', tap.dispute('bob', '{"status": "lost", "created": 1790000000}')) \g /dev/null
select is(pg_temp.may(:'bob'), 'false disputed', 'C44 a lost dispute');
select tap.sync('invoice', tap.invoice('bob', '{"status_transitions": {"paid_at": 1789999999}}')) \g /dev/null
select is(pg_temp.may(:'bob'), 'false disputed', 'C44 an earlier payment does not end it');
select tap.sync('invoice', tap.invoice('bob', '{"id": "in_free", "amount_paid": 0,
	"status_transitions": {"paid_at": 1790000001}}')) \g /dev/null
select is(pg_temp.may(:'bob'), 'false disputed', 'C44 nor does an invoice over nothing');
select tap.sync('invoice', tap.invoice('bob', '{"id": "in_later", "status_transitions": {"paid_at": 1790000001}}'))
	\g /dev/null
select is(pg_temp.may(:'bob'), 'true active', 'C44 a later payment does');
select is(count(*), 0::bigint, 'C44 and its alert')
	from ops.alerts where kind = 'dispute' and subject = 'dp_bob' and cleared_at is null;
select tap.sync('dispute', tap.dispute('bob', '{"status": "lost", "created": 1790000000}')) \g /dev/null
select is(pg_temp.may(:'bob'), 'true active', 'C44 also when the dispute is fetched again');
select is(tap.notices(:'bob'), 'dispute_lost bob@example.org en, dispute_over bob@example.org en',
	'C41 both are told, and not a dispute that was over when it was first seen');
select tap.paid('cem') as cem \gset
select tap.sync('dispute', tap.dispute('cem', '{"created": 1790000000}')),
	tap.sync('invoice', tap.invoice('cem', '{"status_transitions": {"paid_at": 1790000001}}')) \g /dev/null
select is(pg_temp.may(:'cem'), 'false disputed', 'C44 an open dispute outlasts a payment');
select tap.sync('dispute', tap.dispute('cem', '{"status": "lost", "created": 1790000000}')) \g /dev/null
select is(pg_temp.may(:'cem'), 'true active', 'C44 one that is lost after the next payment takes nothing');
select is(tap.notices(:'cem'),
	'dispute_lost cem@example.org en, dispute_over cem@example.org en, disputed cem@example.org en',
	'C41 each step is told, by mail');
select is(happened_at, to_timestamp(v.at), 'C41 when it happened: ' || kind)
from billing.notifications join (values ('disputed', 1790000000), ('dispute_over', 1790000001)) v (kind, at)
	using (kind)
where tenant_id = :'cem';

-- an inquiry restricts nothing, and is not told; the dispute that it becomes is
select tap.paid('eva') as eva \gset
select tap.sync('dispute', tap.dispute('eva', '{"status": "warning_needs_response"}')) \g /dev/null
select is(tap.notices(:'eva'), null, 'C41 an inquiry is not told');
select tap.sync('dispute', tap.dispute('eva', '{"id": "dp_asked", "status": "warning_needs_response"}')),
	tap.sync('dispute', tap.dispute('eva', '{"id": "dp_asked", "status": "warning_closed"}')) \g /dev/null
select is(tap.notices(:'eva'), null, 'C41 nor is its end');
select tap.sync('dispute', tap.dispute('eva')) \g /dev/null
select is(tap.notices(:'eva'), 'disputed eva@example.org en', 'C41 the dispute that it becomes is');

-- a notice is over when how the dispute ended is told
create function pg_temp.noticed(p_name text) returns text language sql as $$
	select string_agg(e ->> 'kind', ', ' order by e ->> 'kind') from jsonb_array_elements(tap.ask('tollgate_billing',
		'api.billing_page()', tap.session(p_name || '@example.org', gen_random_uuid()::text)) -> 'notices') e
$$;
select is(pg_temp.noticed('eva'), 'notice_disputed', 'C41 an open dispute is on the page');
select is(pg_temp.noticed('cem'), 'notice_dispute_over', 'C41 a lost one is not once a payment has ended it');
select is(pg_temp.noticed('bob'), 'notice_dispute_over', 'C41 whatever was told before');

-- what is said of a lost dispute, and the way to end it
select tap.sync('dispute', tap.dispute('eva', '{"status": "lost"}')) \g /dev/null
select is(pg_temp.standing(:'eva'), 'status_disputed bad reason_dispute_lost pay', 'C44 nothing is left to settle');
select is(pg_temp.noticed('eva'), 'notice_dispute_lost', 'C41 of a lost one its loss is told');
select tap.sync('dispute', tap.dispute('eva', '{"id": "dp_two"}')) \g /dev/null
select is(pg_temp.standing(:'eva'), 'status_disputed bad reason_disputed manage', 'C44 but for another dispute');
select tap.sync('dispute', tap.dispute('eva', '{"id": "dp_two", "status": "won"}')) \g /dev/null

-- what gives nothing back is not told
select tap.paid('fay') as fay \gset
select tap.sync('dispute', tap.dispute('fay', '{"status": "lost", "created": 1790000000}')),
	tap.sync('subscription', tap.subscription('fay', :'fay', '{"status": "canceled"}')),
	tap.sync('invoice', tap.invoice('fay', '{"status_transitions": {"paid_at": 1790000001}}')) \g /dev/null
select is(array_agg(kind order by kind), '{canceled,dispute_lost}',
	'C41 a payment that gives no plan back is not told')
	from billing.notifications where tenant_id = :'fay';
select is(n.d ->> 'kind', 'nothing', 'C39 what has ended does not resume')
	from billing.subscriptions s cross join lateral billing.next_document(s) n (d) where s.id = 'sub_fay';

-- collection resumes within the grace
select tap.sync('subscription', tap.subscription('eva', :'eva', jsonb_build_object('pause_collection',
	jsonb_build_object('behavior', 'void', 'resumes_at', extract(epoch from now() + interval '1 day')::bigint)))),
	tap.sync('dispute', tap.dispute('eva', '{"status": "won"}')) \g /dev/null
select is(e ->> 'until', null, 'C44 access that does not end has no end') from billing.entitlement(:'eva') e;
update billing.subscriptions set paused_since = now() - interval '30 days',
	pause_resumes_at = now() - interval '1 day' where id = 'sub_eva';
select tap.sync('subscription', tap.subscription('eva', :'eva',
	'{"pause_collection": {"behavior": "void", "resumes_at": null}}')) \g /dev/null
select is(paused_since, now(), 'C44 a pause after one that is over is a new one')
	from billing.subscriptions where id = 'sub_eva';
select is(service.diff_subscription(tap.subscription('eva', :'eva',
	'{"pause_collection": {"behavior": "void", "resumes_at": null}}'), now()), '{}', 'F81 a pause is no difference');

-- an outcome that was stored before notices of it existed
delete from billing.notifications where fact in ('dp_bob', 'dp_cem');
select tap.sync('dispute', tap.dispute('bob', '{"status": "lost", "created": 1790000000}')) \g /dev/null
select is(count(*), 0::bigint, 'C41 an outcome that was known before is not told')
from billing.notifications where fact = 'dp_bob' and kind <> 'disputed';
select tap.paid('dan') as dan \gset
select tap.sync('dispute', tap.dispute('dan', '{"status": "won"}')) \g /dev/null
select is(tap.notices(:'dan'), null, 'C41 nor is a dispute that was won when it was first seen');

select * from finish();
rollback;
