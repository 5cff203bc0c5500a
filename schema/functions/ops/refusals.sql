-- What Stripe refuses to do for us, in Stripe's words.

set role tollgate_service;

-- One open alert for each kind of call, with the first refusal of it. While it is open, refusals write nothing, since
-- the next visitor's is the same. A program that is taken over can open a few alerts, and no more.
create or replace function api.report_refusal(p_call text, p_refusal jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	most constant int := 20;
	known int := (select count(*) from ops.alerts a where a.kind = 'stripe_refusal' and a.cleared_at is null);
begin
	if p_call ~ '^(GET|POST|DELETE) /v1/[a-z_/]{1,80}$' and known < most and not exists (select from ops.alerts a
			where a.kind = 'stripe_refusal' and a.subject = p_call and a.cleared_at is null) then
		perform ops.raise_alert(null, 'stripe_refusal', p_call, (
			select jsonb_object_agg(e.key, left(e.value, 600)) from jsonb_each_text(p_refusal) e
			where e.key in ('code', 'param', 'value', 'message', 'request', 'request_log_url')
				and e.value is not null));
	end if;
	return null;
end
$$;

-- After such a call that Stripe carried out. p_ids: the objects in its parameters. An alert about one object, say a
-- price that is not active, ends with a call about that object.
create or replace function api.end_refusal(p_call text, p_ids text[]) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
	about text;
begin
	select a.detail ->> 'value' into about from ops.alerts a
	where a.kind = 'stripe_refusal' and a.subject = p_call and a.cleared_at is null;
	if found and (about is null or about = any (p_ids)) then
		perform ops.end_alert('stripe_refusal', p_call);
		return '{"open": false}';
	end if;
	return jsonb_build_object('open', found);
end
$$;

reset role;
