-- Money: whole numbers of minor units, as bigint. Anything else is refused, never rounded.

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

-- What is wrong with these members of a document, null when nothing is. Only a total may be negative.
create or replace function billing.money_fault(p_doc jsonb, p_names text[]) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	name text;
begin
	foreach name in array p_names loop
		if jsonb_typeof(p_doc -> name) <> 'null' and billing.whole_of(p_doc -> name) is null then
			return name || ' is not a whole number';
		elsif billing.whole_of(p_doc -> name) < 0 and name <> 'total' then
			return name || ' is negative';
		end if;
	end loop;
	if jsonb_typeof(p_doc -> 'currency') <> 'null' and p_doc ->> 'currency' !~ '^[a-z]{3}$' then
		return 'currency is none';
	end if;
	return null;
end
$$;

reset role;

set role tollgate_owner;

-- For pages and mails. Stripe's minor units: none for some currencies, thousandths for others.
create or replace function billing.amount_document(p_minor bigint, p_currency text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
	digits int := case
		when p_currency in ('bif', 'clp', 'djf', 'gnf', 'jpy', 'kmf', 'krw', 'mga', 'pyg', 'rwf', 'vnd', 'vuv', 'xaf', 'xof', 'xpf') then 0
		when p_currency in ('bhd', 'jod', 'kwd', 'omr', 'tnd') then 3
		else 2 end;
	figures text := lpad(abs(p_minor)::text, greatest(length(abs(p_minor)::text), digits + 1), '0');
begin
	if p_minor is null or p_currency is null then
		return null;
	end if;
	return jsonb_build_object('minor', p_minor, 'currency', p_currency, 'text', concat(case when p_minor < 0 then '-' end,
		left(figures, length(figures) - digits), case when digits > 0 then '.' || right(figures, digits) end, ' ', upper(p_currency)));
end
$$;

reset role;
