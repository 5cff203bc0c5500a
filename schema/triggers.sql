-- Triggers, after the functions they call. Creating one locks its table, so one that is there is left as it is.

do $$
declare
	item record;
	wanted text;
begin
	for item in select * from (values
		('auth.users', 'make_profile', 'after insert', 'row', 'auth.make_profile()'),
		('auth.sessions', 'note_session', 'after insert or update', 'row', 'audit.note_session()'),
		('auth.factors', 'note_factor', 'after delete or update', 'row', 'audit.note_factor()'),
		('auth.passkeys', 'note_passkey', 'after insert or delete or update', 'row', 'audit.note_passkey()'),
		('auth.passwords', 'note_password', 'after insert or update', 'row', 'audit.note_password()'),
		('auth.recovery_codes', 'note_code', 'after update', 'row', 'audit.note_code()'),
		('auth.identities', 'note_identity', 'after insert or delete', 'row', 'audit.note_identity()'),
		('app.tenants', 'note_demand', 'after update', 'row', 'audit.note_demand()'),
		('billing.overrides', 'keep_history', 'after insert or update', 'row', 'billing.keep_override_history()'),
		('billing.subscriptions', 'keep_history', 'after insert or update', 'row',
			'billing.keep_subscription_history()'),
		('billing.plans', 'keep_history', 'after insert or update', 'row', 'billing.keep_plan_history()'),
		('billing.plans', 'watch_plan', 'after insert or update', 'row', 'billing.watch_plan()'),
		('mail.outbox', 'hint_mail', 'after insert', 'statement', 'mail.hint()')
	) as v (place, name, moment, level, function) loop
		wanted := format('%I %s on %s for each %s execute function %s', item.name, item.moment, item.place, item.level,
			item.function);
		if not exists (
			select from pg_catalog.pg_trigger t
			where t.tgrelid = item.place::regclass and t.tgname = item.name and t.tgenabled = 'O'
				and lower(pg_catalog.pg_get_triggerdef(t.oid)) = 'create trigger ' || wanted)
		then
			execute 'create or replace trigger ' || wanted;
			execute format('alter table %s enable trigger %I', item.place, item.name);
		end if;
	end loop;
end
$$;
