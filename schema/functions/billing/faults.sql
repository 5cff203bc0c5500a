-- Documents that must not be stored: a member that no column can hold, or that has no meaning. Such a document is
-- rejected with the member's name, because a retry cannot help. Unknown statuses are stored and raise an alert.

set role tollgate_service;

-- Whether Stripe has this currency. lib/base/currency.c knows the digits of each.
create or replace function billing.is_currency(p_code text) returns boolean
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return p_code = any ('{
		aed,afn,all,amd,ang,aoa,ars,aud,awg,azn,bam,bbd,bdt,bgn,bhd,bif,bmd,bnd,bob,brl,bsd,btn,bwp,byn,bzd,
		cad,cdf,chf,clp,cny,cop,crc,cup,cve,czk,djf,dkk,dop,dzd,egp,ern,etb,eur,fjd,fkp,gbp,gel,ghs,gip,gmd,
		gnf,gtq,gyd,hkd,hnl,hrk,htg,huf,idr,ils,inr,iqd,irr,isk,jmd,jod,jpy,kes,kgs,khr,kmf,kpw,krw,kwd,kyd,
		kzt,lak,lbp,lkr,lrd,lsl,lyd,mad,mdl,mga,mkd,mmk,mnt,mop,mru,mur,mvr,mwk,mxn,myr,mzn,nad,ngn,nio,nok,
		npr,nzd,omr,pab,pen,pgk,php,pkr,pln,pyg,qar,ron,rsd,rub,rwf,sar,sbd,scr,sdg,sek,sgd,shp,sle,sll,sos,
		srd,ssp,std,stn,svc,syp,szl,thb,tjs,tmt,tnd,top,try,ttd,twd,tzs,uah,ugx,usd,uyu,uzs,ved,ves,vnd,vuv,
		wst,xaf,xcd,xcg,xof,xpf,yer,zar,zmw,zwg}');
end
$$;

-- Kinds: whole (money and quantities), balance (may be negative), count, time, currency, text; word is a text that is
-- required. Null is valid for every other kind: Stripe leaves out what does not apply.
create or replace function billing.member_fault(p_value jsonb, p_kind text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	type text := coalesce(jsonb_typeof(p_value), 'null');
	whole bigint := billing.whole_of(p_value);
	least_allowed bigint;
	most_allowed bigint;
begin
	if type = 'null' then
		return case p_kind when 'word' then 'is missing' end;
	elsif p_kind in ('word', 'text') then
		return case when type <> 'string' then 'is not a text' end;
	elsif p_kind = 'currency' then
		return case when billing.is_currency(p_value #>> '{}') is not true then 'is unknown' end;
	elsif p_kind = 'time' and whole is not null then
		return case when billing.time_of(p_value) is null then 'is out of range' end;
	end if;
	select k.least_allowed, k.most_allowed into least_allowed, most_allowed
	from (values ('whole', 0, 9007199254740992), ('balance', -9007199254740992, 9007199254740992),
		('count', 0, 2147483647))
		k (kind, least_allowed, most_allowed)
	where k.kind = p_kind;
	return case when whole is null then 'is not a whole number'
		when whole < 0 and least_allowed = 0 then 'is negative'
		when whole not between least_allowed and most_allowed then 'is out of range' end;
end
$$;

-- p_members: {"name": kind}; a member of a member is "name.name". Null when there is no fault.
create or replace function billing.fault_of(p_doc jsonb, p_members jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select m.name || ' ' || f.fault from jsonb_each_text(p_members) m (name, kind)
			cross join lateral billing.member_fault(p_doc #> string_to_array(m.name, '.'), m.kind) f (fault)
		where f.fault is not null order by m.name limit 1);
end
$$;

create or replace function billing.price_fault(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return billing.fault_of(p_doc,
		'{"unit_amount": "whole", "currency": "currency", "recurring.interval_count": "count"}');
end
$$;

create or replace function billing.subscription_fault(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return coalesce(billing.fault_of(p_doc,
		'{"status": "word", "currency": "currency", "created": "time", "cancel_at": "time",
			"canceled_at": "time", "ended_at": "time", "trial_end": "time", "current_period_start": "time",
			"current_period_end": "time", "pause_collection.behavior": "text",
			"pause_collection.resumes_at": "time", "pending_update.expires_at": "time"}'), (
		select coalesce(billing.fault_of(i,
			'{"quantity": "whole", "current_period_start": "time", "current_period_end": "time"}'),
			billing.price_fault(i -> 'price')) as fault
		from jsonb_array_elements(billing.items_of(p_doc)) i order by 1 limit 1));
end
$$;

create or replace function billing.invoice_fault(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return billing.fault_of(p_doc,
		'{"status": "text", "currency": "currency", "amount_due": "whole", "amount_paid": "whole", "total": "balance",
		"attempt_count": "count", "created": "time", "period_start": "time", "period_end": "time",
		"due_date": "time", "next_payment_attempt": "time", "status_transitions.paid_at": "time"}');
end
$$;

-- A subscription is billed in its own currency, whatever others its price is sold in.
create or replace function billing.currency_fault(p_invoice jsonb) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select 'currency is not that of ' || s.id from billing.subscriptions s
		where s.id = billing.subscription_of(p_invoice) and s.currency <> p_invoice ->> 'currency');
end
$$;

-- Of a charge or a dispute.
create or replace function billing.dispute_fault(p_doc jsonb) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return billing.fault_of(p_doc,
		'{"status": "text", "currency": "currency", "amount": "whole", "amount_refunded": "whole", "created": "time"}');
end
$$;

-- Stripe may introduce new statuses at any time. Each is read as the one that grants least.
create or replace function billing.watch_words(p_tenant uuid, p_kind text, p_doc jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	strange jsonb := (
		select jsonb_object_agg(k.member, v.word) from (
			select 'subscription' as kind, 'status' as member,
				array(select r.status from billing.status_rules r) as known
			union all select 'subscription', 'pause_collection.behavior',
				array(select r.behavior from billing.pause_rules r)
			union all values ('invoice', 'status', '{draft,open,paid,uncollectible,void}'::text[]),
				('checkout', 'status', '{open,complete,expired}'),
				('checkout', 'payment_status', '{paid,unpaid,no_payment_required}'),
				('charge', 'status', '{succeeded,pending,failed}'),
				('dispute', 'status', '{needs_response,under_review,won,lost,prevented,
					warning_needs_response,warning_under_review,warning_closed}')) k
			cross join lateral (select p_doc #>> string_to_array(k.member, '.')) v (word)
		where k.kind = p_kind and v.word <> all (k.known));
begin
	perform ops.watch(strange is not null, p_tenant, 'unknown_status', p_doc ->> 'id', strange);
end
$$;

reset role;
