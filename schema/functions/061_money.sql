-- Money: whole numbers of minor units, as bigint, of a currency that is known. Anything else is refused, never rounded.

set role tollgate_service;

-- Null unless it is a whole number that every JSON reader reads alike.
create or replace function billing.whole_of(p_value jsonb) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	if jsonb_typeof(p_value) = 'number' and p_value::text ~ '^-?[0-9]{1,16}$' and abs(p_value::bigint) <= 9007199254740992 then
		return p_value::bigint;
	end if;
	return null;
end
$$;

-- What all items of a subscription cost at a renewal, before taxes and discounts. Null when they do not say it: tiers,
-- packages, usage that is metered, a price whose amount is of another currency, items that are not renewed together.
create or replace function billing.renewal_of(p_doc jsonb, p_currency text) returns bigint
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return (
		select case when sum(v.amount) <= 9007199254740992 then sum(v.amount) end from (
			select billing.whole_of(i #> '{price,unit_amount}')::numeric * coalesce(billing.whole_of(i -> 'quantity'), 1) as amount,
				jsonb_build_array(i #> '{price,recurring,interval}', i #> '{price,recurring,interval_count}') as pace,
				i #>> '{price,currency}' = p_currency and coalesce(i #>> '{price,recurring,usage_type}', 'licensed') = 'licensed'
					and i #>> '{price,transform_quantity}' is null as plain
			from jsonb_array_elements(billing.items_of(p_doc)) i) v
		having bool_and(coalesce(v.plain, false) and v.amount is not null) and count(distinct v.pace) = 1);
end
$$;

reset role;

set role tollgate_owner;

-- How many digits of a currency's amounts are minor units at Stripe; null: there is no such currency.
create or replace function billing.digits_of(p_currency text) returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_currency = any ('{bif,clp,djf,gnf,jpy,kmf,krw,mga,pyg,rwf,vnd,vuv,xaf,xof,xpf}') then 0
		when p_currency = any ('{bhd,iqd,jod,kwd,lyd,omr,tnd}') then 3
		when p_currency = any ('{aed,afn,all,amd,ang,aoa,ars,aud,awg,azn,bam,bbd,bdt,bgn,bmd,bnd,bob,brl,bsd,btn,bwp,byn,bzd,
			cad,cdf,chf,cny,cop,crc,cup,cve,czk,dkk,dop,dzd,egp,ern,etb,eur,fjd,fkp,gbp,gel,ghs,gip,gmd,gtq,gyd,hkd,hnl,hrk,
			htg,huf,idr,ils,inr,irr,isk,jmd,kes,kgs,khr,kpw,kyd,kzt,lak,lbp,lkr,lrd,lsl,mad,mdl,mkd,mmk,mnt,mop,mru,mur,mvr,
			mwk,mxn,myr,mzn,nad,ngn,nio,nok,npr,nzd,pab,pen,pgk,php,pkr,pln,qar,ron,rsd,rub,sar,sbd,scr,sdg,sek,sgd,shp,sle,
			sll,sos,srd,ssp,std,stn,svc,syp,szl,thb,tjs,tmt,top,try,ttd,twd,tzs,uah,ugx,usd,uyu,uzs,ved,ves,wst,xcd,xcg,yer,
			zar,zmw,zwg}') then 2 end;
end
$$;

-- For pages and mails.
create or replace function billing.amount_document(p_minor bigint, p_currency text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	digits int := billing.digits_of(p_currency);
	figures text := lpad(abs(p_minor)::text, greatest(length(abs(p_minor)::text), digits + 1), '0');
begin
	if p_minor is null or digits is null then
		return null;
	end if;
	return jsonb_build_object('minor', p_minor, 'currency', p_currency, 'text', concat(case when p_minor < 0 then '-' end,
		left(figures, length(figures) - digits), case when digits > 0 then '.' || right(figures, digits) end, ' ', upper(p_currency)));
end
$$;

reset role;
