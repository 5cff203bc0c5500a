-- pgTAP and the helpers of all tests, in a schema of their own.

create schema tap;
create extension pgtap with schema tap;
grant usage on schema tap to public;

-- One call as a login role with a bearer: its jsonb.
create function tap.ask(p_role text, p_call text, p_bearer text default '') returns jsonb language plpgsql as $$
declare
	answer jsonb;
begin
	perform set_config('app.bearer', p_bearer, true);
	perform set_config('role', p_role, true);
	execute 'select ' || p_call into answer;
	perform set_config('role', 'none', true);
	perform set_config('app.bearer', '', true);
	return answer;
end
$$;

-- The SQLSTATE of a statement as a login role, '00000' on success.
create function tap.state_of(p_role text, p_statement text, p_bearer text default '') returns text
	language plpgsql as $$
begin
	perform set_config('app.bearer', p_bearer, true);
	perform set_config('role', p_role, true);
	execute p_statement;
	perform set_config('role', 'none', true);
	perform set_config('app.bearer', '', true);
	return '00000';
exception when others then
	return sqlstate;
end
$$;

-- The user of this address, who may be new.
create function tap.user(p_email text) returns uuid language plpgsql as $$
begin
	perform auth.add_user(p_email);
	return auth.find_user(p_email);
end
$$;

-- Without the mail that asks whether the address pays already (test_paying.sql), so that tests count the others.
create function tap.open_draft(p_key text, p_email text, p_ip inet default '192.0.2.1', p_plan text default 'starter')
	returns jsonb language plpgsql as $$
declare
	draft jsonb := tap.ask('tollgate_signup',
		format('api.open_draft(%L, %L, %L, %L, %L, %L)', p_key::bytea, p_email, p_plan,
			'en', sha256('flow of ' || p_key::bytea), p_ip));
begin
	delete from mail.outbox where key = 'paying:' || (draft ->> 'tenant');
	return draft;
end
$$;

-- One event, as webhooks stores it; p_more overrides members. {"duplicate": whether it was known}.
create function tap.receive(p_event text, p_kind text, p_object text, p_more jsonb default '{}',
	p_raw bytea default '\x7b7d') returns jsonb language plpgsql as $$
begin
	return jsonb_build_object('duplicate', '[]' = tap.ask('tollgate_webhooks', format('service.receive_events(%L, %L)',
		jsonb_build_array(jsonb_build_object('id', p_event, 'type', 'some.type', 'api_version', '2026-07-29.dahlia',
			'created', 1767225600, 'livemode', false, 'signature', 't=1,v1=00', 'kind', p_kind, 'object', p_object,
			'at', 1, 'size', octet_length(p_raw)) || p_more), p_raw)));
end
$$;

-- The claim on this object, made due before all others.
create function tap.claim(p_kind text, p_id text) returns jsonb language plpgsql as $$
begin
	update sync.objects o set next_at = now() - interval '1 day', claimed_until = null
		where o.kind = p_kind and o.id = p_id;
	return tap.ask('tollgate_jobs', 'service.claim_object(60)');
end
$$;

create function tap.write(p_claim jsonb, p_doc jsonb) returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_jobs',
		format('service.write_%s(%L, %L, %L, %s, %L)',
		p_claim ->> 'kind', p_claim ->> 'claim', p_claim ->> 'kind', p_claim ->> 'id', p_claim ->> 'version', p_doc));
end
$$;

-- An object as Stripe would answer it now: an event about it, the claim, the write.
create function tap.sync(p_kind text, p_doc jsonb) returns jsonb language plpgsql as $$
begin
	perform tap.receive('evt_' || gen_random_uuid(), p_kind, p_doc ->> 'id');
	return tap.write(tap.claim(p_kind, p_doc ->> 'id'), p_doc);
end
$$;

-- Documents of one purchase, named p_name; p_more overrides members.
create function tap.checkout(p_name text, p_tenant text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'cs_' || p_name, 'object', 'checkout.session',
		'mode', 'subscription', 'status', 'complete',
		'payment_status', 'paid', 'client_reference_id', p_tenant,
		'metadata', jsonb_build_object('tenant_id', p_tenant),
		'customer', 'cus_' || p_name, 'subscription', 'sub_' || p_name) || p_more
$$;

create function tap.subscription(p_name text, p_tenant text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'sub_' || p_name, 'object', 'subscription', 'status', 'active', 'customer',
		'cus_' || p_name, 'cancel_at_period_end', false, 'cancel_at', null, 'created', 1767225600,
		'metadata', jsonb_build_object('tenant_id', p_tenant), 'items', jsonb_build_object('data', jsonb_build_array(
			jsonb_build_object('price', '{"id": "price_starter", "unit_amount": 1900, "currency": "eur"}'::jsonb,
				'quantity', 1, 'current_period_start', 1767225600, 'current_period_end', 1800000000)))) || p_more
$$;

create function tap.customer(p_name text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'cus_' || p_name, 'object', 'customer', 'email', p_name || '@stripe.test') || p_more
$$;

-- An invoice, charge and dispute of that subscription and customer.
create function tap.invoice(p_name text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'in_' || p_name, 'object', 'invoice', 'status', 'paid', 'customer', 'cus_'
		|| p_name,
		'parent', jsonb_build_object(
			'type', 'subscription_details', 'subscription_details',
			jsonb_build_object('subscription', 'sub_' || p_name)),
		'currency', 'eur', 'amount_due', 1900, 'amount_paid', 1900, 'total', 1900, 'number', 'N-' || p_name,
			'created', 1798000000,
		'attempt_count', 1, 'hosted_invoice_url', 'https://invoice.stripe.com/' || p_name,
		'invoice_pdf', 'https://invoice.stripe.com/pdf', 'status_transitions', '{"paid_at": 1798000060}'::jsonb)
			|| p_more
$$;

create function tap.charge(p_name text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'ch_' || p_name, 'object', 'charge', 'customer', 'cus_' || p_name, 'amount', 1900,
		'amount_refunded', 0, 'refunded', false, 'currency', 'eur', 'status', 'succeeded', 'created', 1798000060)
			|| p_more
$$;

create function tap.dispute(p_name text, p_more jsonb default '{}') returns jsonb language sql as $$
	select jsonb_build_object('id', 'dp_' || p_name, 'object', 'dispute', 'charge', tap.charge(p_name), 'amount', 1900,
		'currency', 'eur', 'status', 'needs_response', 'reason', 'fraudulent', 'created', 1798000070) || p_more
$$;

-- As tap.sync, with an event of this type and time.
create function tap.hint(p_kind text, p_type text, p_created bigint, p_doc jsonb) returns jsonb language plpgsql as $$
begin
	perform tap.receive('evt_' || gen_random_uuid(), p_kind, p_doc ->> 'id',
		jsonb_build_object('type', p_type, 'created', p_created));
	return tap.write(tap.claim(p_kind, p_doc ->> 'id'), p_doc);
end
$$;

-- What was mailed of notices: "kind recipient language", in order.
create function tap.notices(p_tenant text) returns text language sql as $$
	select string_agg(format('%s %s %s', replace(o.template, 'notice_', ''), o.recipient, o.language),
		', ' order by o.template, o.recipient)
	from mail.outbox o where o.key like 'notice:' || p_tenant || ':%'
$$;

-- A tenant that has paid, its owner p_name@example.org: the tenant's id.
create function tap.paid(p_name text) returns text language plpgsql as $$
declare
	tenant text := tap.open_draft(p_name, p_name || '@example.org') ->> 'tenant';
begin
	perform tap.ask('tollgate_signup', format('api.checkout_opened(%L, 1, %L)', p_name::bytea, 'cs_' || p_name));
	perform tap.sync('checkout', tap.checkout(p_name, tenant));
	perform tap.sync('subscription', tap.subscription(p_name, tenant));
	perform tap.sync('customer', tap.customer(p_name));
	return tenant;
end
$$;

-- The last mail to this address as its claim gives it, with the "state" of its row, and the "hash" of its link. Mails
-- of one transaction are of one time: then it is one for a sign-in that was not used.
create function tap.mailed(p_email text) returns jsonb language plpgsql as $$
declare
	newest uuid := (
		select o.id from mail.outbox o left join auth.requests r on r.id::text = o.data ->> 'request'
		where o.recipient = p_email
		order by o.created_at desc, r.created_at desc nulls last, r.used_at is null desc, o.template = 'signin' desc,
			o.ctid desc
		limit 1);
	mail jsonb;
begin
	update mail.outbox o set next_at = case o.id when newest then now() else 'infinity' end, claimed_until = null
	where o.state = 'pending';
	mail := tap.ask('tollgate_mailer', 'service.claim_mail(60)');
	update mail.outbox o set next_at = now(), claimed_until = null where o.state = 'pending';
	return (select coalesce(mail -> 'data', '{}') || jsonb_build_object('state', o.state, 'template', o.template,
		'recipient', mail -> 'recipient', 'hash',
		sha256(decode(translate(mail #>> '{data,token}', '-_', '+/') || '=', 'base64')))
		from mail.outbox o where o.id = newest);
end
$$;

-- p_device: the browser's device cookie. The session is to last thirty days.
create function tap.sign_in(p_hash text, p_code text, p_flow text, p_secret text, p_device text default null)
	returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.sign_in(%L, %L, %L, %L, %L, %L, %L, true)', p_hash::bytea, p_code,
		sha256(p_flow::bytea), sha256(sha256(p_secret::bytea)), '192.0.2.1', 'a browser', sha256(p_device::bytea)));
end
$$;

create function tap.request(p_email text, p_flow text, p_ip inet default '192.0.2.1', p_device text default null)
	returns jsonb language plpgsql as $$
begin
	return tap.ask('tollgate_signin', format('api.request_link(%L, %L, %L, %L, %L, %L)', p_email,
		sha256(p_flow::bytea), '/settings/billing', 'en', p_ip, sha256(p_device::bytea)));
end
$$;

-- The bearer of a new session of the user with this address, who must exist.
create function tap.session(p_email text, p_secret text) returns text language plpgsql as $$
begin
	update auth.hits set spent_until = now();
	perform tap.request(p_email, 'browser of ' || p_secret);
	perform tap.sign_in(tap.mailed(p_email) ->> 'hash', null, 'browser of ' || p_secret, p_secret);
	return encode(sha256(p_secret::bytea), 'hex');
end
$$;

-- `tollgate migrate` has the prices of the configured plans fetched; a test begins with nothing to fetch.
delete from sync.objects;

-- Nor is anything counted, and no model is known, as a stack's configuration says: each test says its own.
update chat.settings set meter = null, model = null, title_model = null, system = null;
delete from chat.models;
delete from usage.quotas;
delete from usage.rates;
delete from usage.caps;
delete from usage.costs;
delete from usage.meters;
