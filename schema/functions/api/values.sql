-- Values in documents, the same in every language. Programs say them in words (lib/app/words.h).

set role tollgate_owner;

-- Seconds, in UTC. Null for null and for a time that never comes.
create or replace function api.date_document(p_at timestamptz) returns jsonb
language sql stable as $$
	select case when isfinite(p_at) then
		jsonb_build_object('iso', (to_jsonb(date_trunc('second', p_at at time zone 'UTC')) #>> '{}') || 'Z') end
$$;

-- In the currency's minor units, as Stripe counts them. Null for what is not known. Neither function is strict: a call
-- of a strict one with null is answered without asking who may call it.
create or replace function api.amount_document(p_minor bigint, p_currency text) returns jsonb
language sql stable as $$
	select case when p_minor is not null and p_currency is not null then
		jsonb_build_object('minor', p_minor, 'currency', p_currency) end
$$;

create or replace function api.figure_document(p_figure bigint) returns jsonb
language sql immutable as $$
	select case when p_figure is not null then jsonb_build_object('figure', p_figure) end
$$;

-- Unused. Not in a migration, because until this commit the earlier functions call it.
drop function if exists api.digits_of(text);

-- Unused: billing.standing says it.
drop function if exists api.status_name(text);
drop function if exists api.status_class(text);

reset role;
