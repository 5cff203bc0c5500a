#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "clock.h"
#include "file.h"
#include "json.h"
#include "secret.h"

enum {
	FILE_MAX	= 4 * 1024 * 1024,
	TRIES		= 200,		/* of a step for which running programs hold a lock */
	PAUSE_US	= 100 * 1000	/* between two tries, and up to as much again at random */
};

struct run {
	mem_ctx			*ctx;
	const struct schema_options *options;
	struct admin		*admin;
	struct json_object	*applied;	/* {"001_auth": "checksum", ...} */
	const char		*stamped;	/* the environment; "" when there is no stamp */
	struct file_list	migrations;
	const char	*changed;	/* "app,billing": the schemas whose policies are applied */
};

/* A file of the schema as installed. */
struct script {
	const char	*name;		/* "migrations/001_auth.sql" */
	const char	*path;
	char		*sql;
	const char	*checksum;
};

static enum err
script_load(struct run *r, const char *name, struct script *s)
{
	struct secret	sum;
	size_t		n;

	s->name = name;
	s->path = mem_printf(r->ctx, "%s/%s", r->options->schema, name);
	TRY(file_read(r->ctx, s->path, FILE_MAX, &s->sql, &n));
	if (strlen(s->sql) != n) {
		fprintf(stderr, "%s: contains a NUL byte\n", s->path);
		return ERR_NOT_FOUND;
	}
	sum = secret_sha256("", s->sql, n);
	s->checksum = secret_hex(r->ctx, &sum);
	return OK;
}

static const char *
value_or_empty(enum err *e, struct run *r, const char *sql)
{
	const char	*value;

	*e = admin_value(r->admin, r->ctx, &value, sql, NO_ARGS);
	return *e == OK && value ? value : "";
}

/* One migrate runs at a time. The lock belongs to the connection, so it ends with a process that dies. */
static enum err
lock_take(struct run *r)
{
	enum err	e;

	if (*value_or_empty(&e, r, "select pg_try_advisory_lock(hashtext('tollgate'))") == 't')
		return OK;
	TRY(e);
	fprintf(stderr, "waiting for another migrate to end\n");
	return admin_script(r->admin, "database", "select pg_advisory_lock(hashtext('tollgate'))");
}

/*
 * Text of another encoding cannot hold what Stripe sends, and every write of it would fail. A database's encoding is
 * chosen when it is created.
 */
static enum err
encoding_check(struct run *r)
{
	enum err	e;
	const char	*encoding = value_or_empty(&e, r, "select current_setting('server_encoding')");

	TRY(e);
	if (strcmp(encoding, "UTF8") == 0)
		return OK;
	fprintf(stderr, "database: has encoding %s, and must have UTF8: create another one "
	    "(createdb --encoding=UTF8 --template=template0 NAME) and name it in database.conninfo\n", encoding);
	return ERR_CONFLICT;
}

/* Restored without its owners, a dump cannot be migrated: its functions and tables are another role's. */
static enum err
owner_check(struct run *r)
{
	enum err	e;
	const char	*owner = value_or_empty(&e, r, "select n.nspowner::regrole::text from pg_catalog.pg_namespace n "
			    "where n.nspname = 'app' and n.nspowner::regrole::text <> 'tollgate_owner'");

	TRY(e);
	if (*owner == '\0')
		return OK;
	fprintf(stderr, "database: its schemas are owned by %s, not by tollgate_owner, as after a restore without owners. "
	    "Restore the dump into an empty database again, roles first: psql -f %s/roles.sql, then pg_restore without "
	    "--no-owner and --no-privileges; then run tollgate migrate\n", owner, r->options->schema);
	return ERR_CONFLICT;
}

/*
 * A transaction that needs locks which running programs hold. It waits shorter than PostgreSQL's deadlock_timeout
 * (1 s), so that of two that wait for each other it is never the program's statement that is ended; then it begins
 * again.
 */
static enum err
transaction_repeat(struct run *r, enum err (*step)(struct run *r, const char *name), const char *name)
{
	for (int i = 0; i < TRIES; i++) {
		enum err	e = admin_script(r->admin, "database", "begin; set local lock_timeout = '300ms'");

		if (e == OK)
			e = step(r, name);
		if (e == OK)
			e = admin_commit(r->admin, mem_printf(r->ctx, "%s/%s", r->options->schema, name));
		if (e != ERR_LIMIT)
			return e;
		TRY(admin_script(r->admin, "database", "rollback"));
		usleep(PAUSE_US + arc4random_uniform(PAUSE_US));
	}
	fprintf(stderr, "%s: running programs or another session hold its locks (see pg_locks): run migrate again\n",
	    name);
	return ERR_UNAVAILABLE;
}

static enum err
applied_read(struct run *r)
{
	const char	*text = "{}";
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regclass('meta.migrations') is not null") == 't')
		text = value_or_empty(&e, r, "select coalesce(json_object_agg(name, checksum), '{}') from meta.migrations");
	TRY(e);
	return json_parse(r->ctx, text, strlen(text), &r->applied);
}

/* Refuses another environment's database, so that a mistaken configuration cannot turn one into the other. */
static enum err
stamp_check(struct run *r)
{
	const char	*environment = r->options->environment;
	enum err	e;

	r->stamped = "";
	if (*value_or_empty(&e, r, "select to_regclass('meta.stamp') is not null") == 't')
		r->stamped = value_or_empty(&e, r, "select environment from meta.stamp");
	TRY(e);
	if (*r->stamped == '\0' || r->options->stamp || strcmp(r->stamped, environment) == 0)
		return OK;
	fprintf(stderr, "database: is stamped \"%s\", and site.environment is \"%s\": nothing was changed. Use the "
	    "configuration of this database; or, if it is a copy that is to become \"%s\", run tollgate migrate --stamp\n",
	    r->stamped, environment, environment);
	return ERR_FORBIDDEN;
}

/* The name of "001_auth.sql" in meta.migrations: "001_auth". */
static const char *
name_of(mem_ctx *ctx, const char *file)
{
	return mem_copy(ctx, file, strlen(file) - strlen(".sql"));
}

static const char *
checksum_applied(const struct run *r, const char *name)
{
	struct json_object	*sum;

	return json_object_object_get_ex(r->applied, name, &sum) ? json_object_get_string(sum) : NULL;
}

static const char *
last_applied(const struct run *r)
{
	const char	*last = "";

	json_object_object_foreach(r->applied, name, sum) {
		(void)sum;
		if (strcmp(name, last) > 0)
			last = name;
	}
	return last;
}

/* Counts a fault, and prints it, when the file differs from what was applied, or comes too late to be applied. */
static enum err
migration_check(struct run *r, const char *file, const char *last, unsigned *faults)
{
	const char	*name = name_of(r->ctx, file), *sum = checksum_applied(r, name);
	struct script	s;

	TRY(script_load(r, mem_printf(r->ctx, "migrations/%s", file), &s));
	if (sum && strcmp(sum, s.checksum) != 0) {
		++*faults;
		fprintf(stderr, "%s: was changed after it was applied: restore it, and write a new migration\n",
		    s.path);
	} else if (sum == NULL && strcmp(name, last) < 0) {
		++*faults;
		fprintf(stderr, "%s: comes before %s, which is applied: give it a higher number\n", s.path, last);
	}
	return OK;
}

static bool
list_has(const struct run *r, const char *name)
{
	for (size_t i = 0; i < r->migrations.n; i++) {
		if (strcmp(name_of(r->ctx, r->migrations.names[i]), name) == 0)
			return true;
	}
	return false;
}

/* Prints every difference between the files and the applied migrations before anything is changed. */
static enum err
drift_check(struct run *r)
{
	unsigned	faults = 0;

	for (size_t i = 0; i < r->migrations.n; i++)
		TRY(migration_check(r, r->migrations.names[i], last_applied(r), &faults));
	json_object_object_foreach(r->applied, name, sum) {
		(void)sum;
		if (list_has(r, name))
			continue;
		faults++;
		fprintf(stderr, "%s/migrations/%s.sql: is applied but missing: restore it, or install a version that has it\n",
		    r->options->schema, name);
	}
	return faults ? ERR_CONFLICT : OK;
}

/* Prints a line for each file: the name at the start, the time at the end. */
static enum err
script_run(struct run *r, const struct script *s)
{
	int64_t		began = clock_ms();
	enum err	e;

	printf("%-40s", s->name);
	fflush(stdout);
	e = admin_script(r->admin, s->path, s->sql);
	printf(e == OK ? "%6ld ms\n" : e == ERR_LIMIT ? "waits for running programs\n" : "failed\n",
	    (long)(clock_ms() - began));
	fflush(stdout);
	return e;
}

/* One transaction holds the migration and its row, so a kill at any point leaves both or neither. */
static enum err
migration_apply(struct run *r, const char *file)
{
	struct script	s;

	TRY(script_load(r, file, &s));
	TRY(script_run(r, &s));
	return admin_value(r->admin, r->ctx, NULL, "insert into meta.migrations (name, checksum) values ($1, $2)",
	    ARGS(TEXT(name_of(r->ctx, strrchr(file, '/') + 1)), TEXT(s.checksum)));
}

static enum err
roles_apply(struct run *r, const char *file)
{
	struct script	s;

	TRY(script_load(r, file, &s));
	if (r->options->passwords)
		TRY(admin_script(r->admin, "database", "set local tollgate.passwords = 'on'"));
	TRY(script_run(r, &s));
	return admin_script(r->admin, "database", "create schema if not exists meta; "
	    "create table if not exists meta.migrations (name text primary key, checksum text not null, "
	    "applied_at timestamptz not null default now())");
}

static enum err
file_apply(struct run *r, const char *name)
{
	struct script	s;

	TRY(script_load(r, name, &s));
	return script_run(r, &s);
}

static enum err
directory_apply(struct run *r, const char *dir)
{
	struct file_list	files;

	TRY(file_tree(r->ctx, mem_printf(r->ctx, "%s/%s", r->options->schema, dir), ".sql", &files));
	for (size_t i = 0; i < files.n; i++)
		TRY(file_apply(r, mem_printf(r->ctx, "%s/%s", dir, files.names[i])));
	return OK;
}

static enum err
stamp_apply(struct run *r)
{
	const char	*restamp = r->options->stamp ? "true" : "false";
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regclass('meta.stamp') is not null") != 't')
		return e;
	TRY(admin_value(r->admin, r->ctx, NULL, "insert into meta.stamp as s (environment, migrated_to) "
	    "select $1, max(m.name collate \"C\") from meta.migrations m on conflict (one) do update set "
	    "environment = excluded.environment, migrated_to = excluded.migrated_to, "
	    "account = case when $2::boolean then null else s.account end, "
	    "stamped_at = case when $2::boolean then now() else s.stamped_at end",
	    ARGS(TEXT(r->options->environment), TEXT(restamp))));
	printf("%-40s    %s\n", "stamp", r->options->environment);
	return OK;
}

/* The schema whose tables a file of policies/ is about, "app" of "app.sql"; NULL: it has a number, and is of all. */
static const char *
schema_of(mem_ctx *ctx, const char *file)
{
	return *file >= '0' && *file <= '9' ? NULL : name_of(ctx, file);
}

/* {"app": checksum of policies/app.sql, ...}, as meta.rights keeps them. */
static enum err
sums_read(struct run *r, const struct file_list *files, const char **sums)
{
	struct json_object	*all = json_new(r->ctx);
	struct script		s;

	for (size_t i = 0; i < files->n; i++) {
		if (schema_of(r->ctx, files->names[i]) == NULL)
			continue;
		TRY(script_load(r, mem_printf(r->ctx, "policies/%s", files->names[i]), &s));
		json_put(all, schema_of(r->ctx, files->names[i]), s.checksum);
	}
	*sums = json_object_to_json_string(all);
	return OK;
}

/* Leaves the schemas whose file or rights are not as the last migrate left them in r->changed, and for 00_reset.sql. */
static enum err
changes_read(struct run *r, const char *sums)
{
	const char	*known = "";
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regclass('meta.rights') is not null") == 't')
		known = " where not exists (select from meta.rights k where k.schema = f.key and k.file = f.value "
		    "and k.state = meta.rights_of(f.key))";
	TRY(e);
	return admin_value(r->admin, r->ctx, &r->changed, mem_printf(r->ctx, "select set_config('tollgate.changed', "
	    "coalesce(string_agg(f.key, ','), ''), true) from json_each_text($1::json) f%s", known), ARGS(TEXT(sums)));
}

static bool
is_changed(const struct run *r, const char *schema)
{
	size_t	n = schema == NULL ? 0 : strlen(schema);

	for (const char *s = r->changed; schema != NULL && s != NULL; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
		if (strncmp(s, schema, n) == 0 && (s[n] == ',' || s[n] == '\0'))
			return true;
	}
	return schema == NULL;
}

static enum err
policies_apply(struct run *r)
{
	struct file_list	files;
	const char		*sums;
	enum err		e;

	TRY(file_tree(r->ctx, mem_printf(r->ctx, "%s/policies", r->options->schema), ".sql", &files));
	TRY(sums_read(r, &files, &sums));
	TRY(changes_read(r, sums));
	for (size_t i = 0; i < files.n; i++) {
		const char	*name = mem_printf(r->ctx, "policies/%s", files.names[i]);

		if (is_changed(r, schema_of(r->ctx, files.names[i])))
			TRY(file_apply(r, name));
		else
			printf("%-40sunchanged\n", name);
	}
	if (*value_or_empty(&e, r, "select to_regclass('meta.rights') is not null") != 't')
		return e;
	return admin_value(r->admin, r->ctx, NULL, "insert into meta.rights as k (schema, file, state) "
	    "select f.key, f.value, meta.rights_of(f.key) from json_each_text($1::json) f "
	    "on conflict (schema) do update set file = excluded.file, state = excluded.state", ARGS(TEXT(sums)));
}

/*
 * Running programs see all old functions or all new ones; the stamp admits programs that need the new ones in the same
 * commit. Function bodies are not checked against what exists yet, so the order of files does not matter; triggers name
 * functions that must exist. tests/schema/test_bodies.sql checks the bodies. Policies and triggers come last,
 * because their locks stop running programs until the commit.
 */
static enum err
functions_apply(struct run *r, const char *dir)
{
	TRY(admin_script(r->admin, "database", "set local check_function_bodies = off"));
	TRY(directory_apply(r, dir));
	TRY(policies_apply(r));
	TRY(file_apply(r, "triggers.sql"));
	return stamp_apply(r);
}

static enum err
plans_apply(struct run *r, const char *name)
{
	TRY(admin_value(r->admin, r->ctx, NULL, "select ops.put_plans($1::jsonb)", ARGS(TEXT(r->options->plans))));
	printf("%-40s    done\n", name);
	return OK;
}

static enum err
settings_apply(struct run *r, const char *name)
{
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regproc('ops.put_settings') is not null") != 't')
		return e;
	TRY(admin_value(r->admin, r->ctx, NULL, "select ops.put_settings($1::jsonb)", ARGS(TEXT(r->options->settings))));
	printf("%-40s    done\n", name);
	return OK;
}

static enum err
usage_apply(struct run *r, const char *name)
{
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regproc('ops.put_usage') is not null") != 't')
		return e;
	TRY(admin_value(r->admin, r->ctx, NULL, "select ops.put_usage($1::jsonb)", ARGS(TEXT(r->options->usage))));
	printf("%-40s    done\n", name);
	return OK;
}

static enum err
chat_apply(struct run *r, const char *name)
{
	enum err	e;

	if (*value_or_empty(&e, r, "select to_regproc('ops.put_chat') is not null") != 't')
		return e;
	TRY(admin_value(r->admin, r->ctx, NULL, "select ops.put_chat($1::jsonb)", ARGS(TEXT(r->options->chat))));
	printf("%-40s    done\n", name);
	return OK;
}

static enum err
pending_apply(struct run *r)
{
	for (size_t i = 0; i < r->migrations.n; i++) {
		if (checksum_applied(r, name_of(r->ctx, r->migrations.names[i])) == NULL)
			TRY(transaction_repeat(r, migration_apply, mem_printf(r->ctx, "migrations/%s", r->migrations.names[i])));
	}
	return OK;
}

static enum err
pending_print(struct run *r)
{
	unsigned	n = 0;

	for (size_t i = 0; i < r->migrations.n; i++) {
		if (checksum_applied(r, name_of(r->ctx, r->migrations.names[i])))
			continue;
		printf("would apply migrations/%s\n", r->migrations.names[i]);
		n++;
	}
	if (*r->stamped == '\0')
		printf("would stamp the database \"%s\"\n", r->options->environment);
	else if (r->options->stamp)
		printf("would stamp the database \"%s\", now \"%s\", and delete its recorded Stripe account\n",
		    r->options->environment, r->stamped);
	printf("%u migrations to apply; roles, functions, policies and plans would be replaced\n", n);
	return OK;
}

enum err
schema_apply(mem_ctx *ctx, const struct schema_options *o)
{
	struct run	r = { .ctx = ctx, .options = o };

	TRY(file_list(ctx, mem_printf(ctx, "%s/migrations", o->schema), ".sql", &r.migrations));
	TRY(admin_open(ctx, o->conninfo, &r.admin));
	TRY(encoding_check(&r));
	TRY(owner_check(&r));
	TRY(lock_take(&r));
	TRY(applied_read(&r));
	TRY(stamp_check(&r));
	TRY(drift_check(&r));
	if (o->dry_run)
		return pending_print(&r);
	TRY(transaction_repeat(&r, roles_apply, "roles.sql"));
	TRY(pending_apply(&r));
	TRY(transaction_repeat(&r, functions_apply, "functions"));
	TRY(transaction_repeat(&r, plans_apply, "plans"));
	TRY(transaction_repeat(&r, settings_apply, "settings"));
	TRY(transaction_repeat(&r, usage_apply, "usage"));
	return transaction_repeat(&r, chat_apply, "chat");
}
