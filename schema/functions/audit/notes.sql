-- Triggers that tell the audit log what was done with a user's sign-in, whichever function did it.

set role tollgate_service;

-- Trigger note_session on auth.sessions. A session that is renewed by a proof is another row, which replaces it.
create or replace function audit.note_session() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		perform audit.note(case when new.replaces is null then 'signed_in' else 'confirmed' end, null, new.user_id,
			new.user_id, jsonb_build_object('session', new.id));
	elsif old.revoked_at is null and new.revoked_at is not null and new.revoke_reason <> 'replaced' then
		perform audit.note(case new.revoke_reason when 'logout' then 'signed_out' when 'reuse' then 'session_reused'
				else 'session_ended' end,
			null, case when new.revoke_reason not in ('admin', 'limit', 'reuse') then new.user_id end, new.user_id,
			jsonb_build_object('session', new.id, 'reason', new.revoke_reason));
		if new.revoke_reason in ('limit', 'admin') then		-- of the others the program knows, and logs them
			raise info '% %', new.id, new.revoke_reason using errcode = 'TG002';
		end if;
	end if;
	return null;
end
$$;

-- Trigger note_factor on auth.factors. One that was never shown a code is none yet.
create or replace function audit.note_factor() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'DELETE' and old.confirmed_at is not null then
		perform audit.note('factor_removed', null, auth.uid(), old.user_id);
	elsif tg_op = 'UPDATE' and old.confirmed_at is null and new.confirmed_at is not null then
		perform audit.note('factor_added', null, new.user_id, new.user_id);
	end if;
	return null;
end
$$;

-- Trigger note_code on auth.recovery_codes.
create or replace function audit.note_code() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if old.used_at is null and new.used_at is not null then
		perform audit.note('code_used', null, new.user_id, new.user_id);
	end if;
	return null;
end
$$;

-- Trigger note_passkey on auth.passkeys. Whether a key may be, and is, on several devices is its user's to know.
create or replace function audit.note_passkey() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		perform audit.note('passkey_added', null, new.user_id, new.user_id, jsonb_build_object('passkey', new.id));
	elsif tg_op = 'DELETE' then
		perform audit.note('passkey_removed', null, auth.uid(), old.user_id, jsonb_build_object('passkey', old.id));
	elsif old.eligible <> new.eligible or old.backed_up <> new.backed_up then
		perform audit.note('passkey_changed', null, new.user_id, new.user_id, jsonb_build_object('passkey', new.id,
			'eligible', new.eligible, 'backed_up', new.backed_up));
	end if;
	return null;
end
$$;

-- Trigger note_password on auth.passwords. One that is only stretched anew keeps its changed_at. Who is signed in
-- changes it, and who is not has the link of a mail.
create or replace function audit.note_password() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		perform audit.note('password_set', null, new.user_id, new.user_id);
	elsif old.changed_at <> new.changed_at then
		perform audit.note(case when auth.uid() is null then 'password_reset' else 'password_changed' end, null,
			new.user_id, new.user_id);
	end if;
	return null;
end
$$;

-- Trigger note_identity on auth.identities.
create or replace function audit.note_identity() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if tg_op = 'INSERT' then
		perform audit.note('identity_added', null, new.user_id, new.user_id,
			jsonb_build_object('provider', new.provider));
	else
		perform audit.note('identity_removed', null, auth.uid(), old.user_id,
			jsonb_build_object('provider', old.provider));
	end if;
	return null;
end
$$;

-- Trigger note_demand on app.tenants.
create or replace function audit.note_demand() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
	if old.demands_factor <> new.demands_factor then
		perform audit.note(case when new.demands_factor then 'factor_demanded' else 'factor_not_demanded' end, new.id,
			auth.uid());
	end if;
	return null;
end
$$;

reset role;
