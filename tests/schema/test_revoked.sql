-- What roles.sql takes from everybody: exactly these functions of PostgreSQL. One that an update of PostgreSQL brings
-- is taken away too, since roles.sql names only what is kept; here it is missing until somebody has decided about it.
begin;
select no_plan();

-- revoked since initdb; a space in a type's name is written _
create temp view revoked as
	select format('%s(%s)', p.proname, replace(replace(oidvectortypes(p.proargtypes), ', ', ','), ' ', '_')) as function
	from pg_proc p left join pg_init_privs i on i.objoid = p.oid and i.classoid = 'pg_proc'::regclass and i.objsubid = 0
	where p.pronamespace = 'pg_catalog'::regnamespace and p.proacl is not null
		and not exists (select from aclexplode(p.proacl) a where a.grantee = 0)
		and exists (select from aclexplode(coalesce(i.initprivs, acldefault('f', p.proowner))) a where a.grantee = 0);

select set_eq('select function from revoked', $$select regexp_split_to_table(btrim('
	amvalidate(oid) binary_upgrade_create_empty_extension(text,text,boolean,text,oid[],text[],text[])
	binary_upgrade_set_missing_value(oid,text,text) binary_upgrade_set_next_array_pg_type_oid(oid)
	binary_upgrade_set_next_heap_pg_class_oid(oid) binary_upgrade_set_next_heap_relfilenode(oid)
	binary_upgrade_set_next_index_pg_class_oid(oid) binary_upgrade_set_next_index_relfilenode(oid)
	binary_upgrade_set_next_multirange_array_pg_type_oid(oid) binary_upgrade_set_next_multirange_pg_type_oid(oid)
	binary_upgrade_set_next_pg_authid_oid(oid) binary_upgrade_set_next_pg_enum_oid(oid)
	binary_upgrade_set_next_pg_tablespace_oid(oid) binary_upgrade_set_next_pg_type_oid(oid)
	binary_upgrade_set_next_toast_pg_class_oid(oid) binary_upgrade_set_next_toast_relfilenode(oid)
	binary_upgrade_set_record_init_privs(boolean) brin_desummarize_range(regclass,bigint)
	brin_summarize_new_values(regclass) brin_summarize_range(regclass,bigint) current_query() currtid2(text,tid)
	cursor_to_xml(refcursor,integer,boolean,boolean,text) cursor_to_xmlschema(refcursor,boolean,boolean,text)
	gin_clean_pending_list(regclass) lo_close(integer) lo_creat(integer) lo_create(oid) lo_from_bytea(oid,bytea)
	lo_get(oid) lo_get(oid,bigint,integer) lo_lseek(integer,integer,integer) lo_lseek64(integer,bigint,integer)
	lo_open(oid,integer) lo_put(oid,bigint,bytea) lo_tell(integer) lo_tell64(integer) lo_truncate(integer,integer)
	lo_truncate64(integer,bigint) lo_unlink(oid) loread(integer,integer) lowrite(integer,bytea)
	pg_advisory_lock(bigint) pg_advisory_lock(integer,integer) pg_advisory_lock_shared(bigint)
	pg_advisory_lock_shared(integer,integer) pg_advisory_unlock(bigint) pg_advisory_unlock(integer,integer)
	pg_advisory_unlock_all() pg_advisory_unlock_shared(bigint) pg_advisory_unlock_shared(integer,integer)
	pg_advisory_xact_lock(bigint) pg_advisory_xact_lock(integer,integer) pg_advisory_xact_lock_shared(bigint)
	pg_advisory_xact_lock_shared(integer,integer) pg_blocking_pids(integer) pg_cancel_backend(integer)
	pg_collation_actual_version(oid) pg_control_checkpoint() pg_control_init() pg_control_recovery()
	pg_control_system() pg_copy_logical_replication_slot(name,name)
	pg_copy_logical_replication_slot(name,name,boolean) pg_copy_logical_replication_slot(name,name,boolean,name)
	pg_copy_physical_replication_slot(name,name) pg_copy_physical_replication_slot(name,name,boolean)
	pg_create_logical_replication_slot(name,name,boolean,boolean)
	pg_create_physical_replication_slot(name,boolean,boolean) pg_current_wal_flush_lsn()
	pg_current_wal_insert_lsn() pg_current_wal_lsn() pg_database_collation_actual_version(oid)
	pg_database_size(name) pg_database_size(oid) pg_drop_replication_slot(name) pg_export_snapshot()
	pg_extension_config_dump(regclass,text) pg_get_multixact_members(xid) pg_get_wal_replay_pause_state()
	pg_get_wal_resource_managers() pg_import_system_collations(regnamespace) pg_indexes_size(regclass)
	pg_is_wal_replay_paused() pg_isolation_test_session_is_blocked(integer,integer[]) pg_jit_available()
	pg_last_committed_xact() pg_last_wal_receive_lsn() pg_last_wal_replay_lsn() pg_last_xact_replay_timestamp()
	pg_lock_status() pg_logical_emit_message(boolean,text,bytea) pg_logical_emit_message(boolean,text,text)
	pg_logical_slot_get_binary_changes(name,pg_lsn,integer,text[])
	pg_logical_slot_get_changes(name,pg_lsn,integer,text[])
	pg_logical_slot_peek_binary_changes(name,pg_lsn,integer,text[])
	pg_logical_slot_peek_changes(name,pg_lsn,integer,text[]) pg_nextoid(regclass,name,regclass)
	pg_notification_queue_usage() pg_notify(text,text) pg_partition_ancestors(regclass) pg_partition_tree(regclass)
	pg_prepared_xact() pg_read_file_old(text,bigint,bigint) pg_relation_size(regclass)
	pg_relation_size(regclass,text) pg_replication_slot_advance(name,pg_lsn) pg_rotate_logfile_old()
	pg_safe_snapshot_blocking_pids(integer) pg_sequence_last_value(regclass) pg_sleep(double_precision)
	pg_sleep_for(interval) pg_sleep_until(timestamp_with_time_zone) pg_stat_clear_snapshot()
	pg_stat_force_next_flush() pg_stat_get_activity(integer) pg_stat_get_backend_activity(integer)
	pg_stat_get_recovery_prefetch() pg_stat_get_xact_blocks_fetched(oid) pg_stat_get_xact_blocks_hit(oid)
	pg_stat_get_xact_function_calls(oid) pg_stat_get_xact_function_self_time(oid)
	pg_stat_get_xact_function_total_time(oid) pg_stat_get_xact_numscans(oid) pg_stat_get_xact_tuples_deleted(oid)
	pg_stat_get_xact_tuples_fetched(oid) pg_stat_get_xact_tuples_hot_updated(oid)
	pg_stat_get_xact_tuples_inserted(oid) pg_stat_get_xact_tuples_returned(oid)
	pg_stat_get_xact_tuples_updated(oid) pg_stop_making_pinned_objects() pg_table_size(regclass)
	pg_tablespace_size(name) pg_tablespace_size(oid) pg_terminate_backend(integer,bigint)
	pg_total_relation_size(regclass) pg_try_advisory_lock(bigint) pg_try_advisory_lock(integer,integer)
	pg_try_advisory_lock_shared(bigint) pg_try_advisory_lock_shared(integer,integer)
	pg_try_advisory_xact_lock(bigint) pg_try_advisory_xact_lock(integer,integer)
	pg_try_advisory_xact_lock_shared(bigint) pg_try_advisory_xact_lock_shared(integer,integer)
	pg_xact_commit_timestamp(xid) pg_xact_commit_timestamp_origin(xid) pg_xact_status(xid8)
	query_to_xml(text,boolean,boolean,text) query_to_xml_and_xmlschema(text,boolean,boolean,text)
	query_to_xmlschema(text,boolean,boolean,text) setseed(double_precision) setval(regclass,bigint)
	setval(regclass,bigint,boolean) timeofday() ts_rewrite(tsquery,text) ts_stat(text) ts_stat(text,text)
	txid_status(bigint)
', E' \t\n'), '\s+')$$, 'S6 these functions of PostgreSQL are taken from everybody, and no others');

-- the list sees one that everybody may call
grant execute on function pg_advisory_lock(bigint) to public;
select is_empty($$select from revoked where function = 'pg_advisory_lock(bigint)'$$,
	'S6 one that is open to everybody is not among them');

select * from finish();
rollback;
