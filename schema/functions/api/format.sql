-- Values as pages and mails show them.

set role tollgate_owner;

-- A day for a template to print. The month is the name of a text in the catalogue.
create or replace function api.date_document(p_at timestamptz) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
	utc timestamp := p_at at time zone 'UTC';
begin
	if p_at is null then
		return null;
	end if;
	return jsonb_build_object('iso', to_char(utc, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'day', extract(day from utc)::int,
		'month', 'month_' || extract(month from utc)::int, 'year', extract(year from utc)::int);
end
$$;

-- How many digits of a currency's amounts are minor units at Stripe; null for an unknown currency.
create or replace function api.digits_of(p_currency text) returns int
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_currency = any ('{bif,clp,djf,gnf,jpy,kmf,krw,mga,pyg,rwf,vnd,vuv,xaf,xof,xpf}') then 0
		when p_currency = any ('{bhd,iqd,jod,kwd,lyd,omr,tnd}') then 3
		when p_currency = any ('{
			aed,afn,all,amd,ang,aoa,ars,aud,awg,azn,bam,bbd,bdt,bgn,bmd,bnd,bob,brl,bsd,btn,bwp,byn,bzd,cad,cdf,chf,
			cny,cop,crc,cup,cve,czk,dkk,dop,dzd,egp,ern,etb,eur,fjd,fkp,gbp,gel,ghs,gip,gmd,gtq,gyd,hkd,hnl,hrk,htg,
			huf,idr,ils,inr,irr,isk,jmd,kes,kgs,khr,kpw,kyd,kzt,lak,lbp,lkr,lrd,lsl,mad,mdl,mkd,mmk,mnt,mop,mru,mur,
			mvr,mwk,mxn,myr,mzn,nad,ngn,nio,nok,npr,nzd,pab,pen,pgk,php,pkr,pln,qar,ron,rsd,rub,sar,sbd,scr,sdg,sek,
			sgd,shp,sle,sll,sos,srd,ssp,std,stn,svc,syp,szl,thb,tjs,tmt,top,try,ttd,twd,tzs,uah,ugx,usd,uyu,uzs,ved,
			ves,wst,xcd,xcg,yer,zar,zmw,zwg}') then 2 end;
end
$$;

create or replace function api.amount_document(p_minor bigint, p_currency text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	digits int := api.digits_of(p_currency);
	figures text := lpad(abs(p_minor)::text, greatest(length(abs(p_minor)::text), digits + 1), '0');
begin
	if p_minor is null or digits is null then
		return null;
	end if;
	return jsonb_build_object('minor', p_minor, 'currency', p_currency,
		'text', concat(case when p_minor < 0 then '-' end, left(figures, length(figures) - digits),
			case when digits > 0 then '.' || right(figures, digits) end, ' ', upper(p_currency)));
end
$$;

-- Stripe's status as the name of a text. Pending: paid, and the subscription is not stored yet.
create or replace function api.status_name(p_status text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_status is null then 'status_pending'
		when p_status in ('active', 'trialing', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired',
			'paused')
			then 'status_' || p_status
		else 'status_unknown' end;
end
$$;

create or replace function api.status_class(p_status text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
	return case
		when p_status in ('active', 'trialing') then 'good'
		when p_status in ('unpaid', 'canceled', 'incomplete_expired') then 'bad'
		else 'warn' end;
end
$$;

reset role;
