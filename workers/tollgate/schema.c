#include "schema.h"

#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "clock.h"
#include "file.h"
#include "json.h"
#include "secret.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

struct run {
	mem_ctx			*ctx;
	const struct schema_options *options;
	struct admin		*admin;
	struct json_object	*applied;	/* {"001_auth": "checksum", ...} */
	const char		*stamped;	/* the environment; "" when there is no stamp */
	struct file_list	migrations;
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
		return admin_script(r->admin, "database", "set lock_timeout = '10s'");
	TRY(e);
	fprintf(stderr, "waiting for another migrate to end\n");
	TRY(admin_script(r->admin, "database", "select pg_advisory_lock(hashtext('tollgate'))"));
	return admin_script(r->admin, "database", "set lock_timeout = '10s'");
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
	printf(e == OK ? "%6ld ms\n" : "failed\n", (long)(clock_ms() - began));
	fflush(stdout);
	return e;
}

/* One transaction holds the migration and its row, so a kill at any point leaves both or neither. */
static enum err
migration_apply(struct run *r, const char *file)
{
	const char	*name = name_of(r->ctx, file);
	struct script	s;

	TRY(script_load(r, mem_printf(r->ctx, "migrations/%s", file), &s));
	TRY(admin_script(r->admin, "database", "begin"));
	TRY(script_run(r, &s));
	TRY(admin_value(r->admin, r->ctx, NULL, "insert into meta.migrations (name, checksum) values ($1, $2)",
	    ARGS(TEXT(name), TEXT(s.checksum))));
	return admin_commit(r->admin, s.path);
}

static enum err
roles_apply(struct run *r)
{
	struct script	s;

	TRY(script_load(r, "roles.sql", &s));
	TRY(admin_script(r->admin, "database", "begin"));
	if (r->options->passwords)
		TRY(admin_script(r->admin, "database", "set local tollgate.passwords = 'on'"));
	TRY(script_run(r, &s));
	TRY(admin_script(r->admin, "database", "create schema if not exists meta; "
	    "create table if not exists meta.migrations (name text primary key, checksum text not null, "
	    "applied_at timestamptz not null default now())"));
	return admin_commit(r->admin, s.path);
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

/*
 * Running programs see all old functions or all new ones; the stamp admits programs that need the new ones in the same
 * commit. Function bodies are not checked against what exists yet, so the order of files does not matter; triggers name
 * functions that must exist. tests/schema/test_bodies.sql checks the bodies.
 */
static enum err
functions_apply(struct run *r)
{
	TRY(admin_script(r->admin, "database", "begin; set local check_function_bodies = off"));
	TRY(directory_apply(r, "functions"));
	TRY(file_apply(r, "triggers.sql"));
	TRY(directory_apply(r, "policies"));
	TRY(stamp_apply(r));
	return admin_commit(r->admin, "functions and policies");
}

static enum err
pending_apply(struct run *r)
{
	for (size_t i = 0; i < r->migrations.n; i++) {
		if (checksum_applied(r, name_of(r->ctx, r->migrations.names[i])) == NULL)
			TRY(migration_apply(r, r->migrations.names[i]));
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
	TRY(lock_take(&r));
	TRY(applied_read(&r));
	TRY(stamp_check(&r));
	TRY(drift_check(&r));
	if (o->dry_run)
		return pending_print(&r);
	TRY(roles_apply(&r));
	TRY(pending_apply(&r));
	TRY(functions_apply(&r));
	TRY(admin_value(r.admin, ctx, NULL, "select ops.put_plans($1::jsonb)", ARGS(TEXT(o->plans))));
	printf("%-40s    done\n", "plans");
	return OK;
}
