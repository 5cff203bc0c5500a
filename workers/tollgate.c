/* tollgate: the operator's command: check the configuration, bring the database up to date, look at the queues. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config.h"
#include "json.h"
#include "log.h"
#include "migrate.h"
#include "service.h"

#define CONFIG_DEFAULT "/etc/tollgate/tollgate.conf"

enum { OPTION_JSON = 1, OPTION_DRY_RUN = 2, OPTION_LIVE = 4 };

struct request {
	mem_ctx		*mem;
	const char	*path;		/* of the configuration */
	struct config	*config;
	unsigned	options;
};

struct command {
	const char	*name;
	int		(*run)(const struct request *q);	/* the exit code */
	unsigned	needs;		/* of the configuration */
	unsigned	options;	/* it takes */
	const char	*about;
	const char	*help;
};

static int
exit_code(enum err e)
{
	return e == OK ? EX_OK : e == ERR_UNAVAILABLE || e == ERR_UNCERTAIN ? EX_UNAVAILABLE : EXIT_FAILURE;
}

static struct db *
operator_open(const struct request *q)
{
	const struct config	*c = q->config;

	return db_open(q->mem, &(struct db_options){
		.conninfo = c->database.conninfo, .role = "tollgate_operator", .pool = 1,
		.wait_ms = c->database.wait_ms, .timeout_ms = c->database.timeout_ms, .prepared = false,
	});
}

static int
check(const struct request *q)
{
	enum err	e;

	printf("%s: ok\n", q->path);
	if (!(q->options & OPTION_LIVE))
		return EX_OK;
	e = db_ping(operator_open(q));
	printf("database: %s\n", e == OK ? "ok" : "cannot be reached as tollgate_operator");
	return exit_code(e);
}

static struct json_object *
plan_json(const struct config_plan *p, size_t rank)
{
	struct json_object	*plan = json_object_new_object(), *features = json_object_new_array();

	for (size_t i = 0; i < p->features.n; i++)
		json_object_array_add(features, json_object_new_string(p->features.items[i]));
	json_put(plan, "id", p->id);
	json_put(plan, "price", *p->price ? p->price : NULL);
	json_put(plan, "lookup_key", *p->lookup_key ? p->lookup_key : NULL);
	if (p->amount > 0)
		json_object_object_add(plan, "amount", json_object_new_int(p->amount));
	json_put(plan, "currency", *p->currency ? p->currency : NULL);
	json_put(plan, "interval", p->interval);
	json_object_object_add(plan, "grace_days", json_object_new_int(p->grace_days));
	json_object_object_add(plan, "features", features);
	json_object_object_add(plan, "rank", json_object_new_int64((int64_t)rank));
	return plan;
}

/* The order in the configuration, from small to large, is the rank. */
static const char *
plans_json(const struct request *q)
{
	struct json_object	*list = json_hang(q->mem, json_object_new_array());

	for (size_t i = 0; i < q->config->n_plans; i++)
		json_object_array_add(list, plan_json(&q->config->plans[i], i + 1));
	return json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN);
}

static int
migrate_command(const struct request *q)
{
	return exit_code(migrate(q->mem, &(struct migrate_options){
		.conninfo = q->config->database.conninfo, .schema = q->config->database.schema, .plans = plans_json(q),
		.dry_run = q->options & OPTION_DRY_RUN,
	}));
}

/* One line for each number, "mail.pending  3". */
static void
rows_print(mem_ctx *mem, struct json_object *doc, const char *prefix)
{
	json_object_object_foreach(doc, name, value) {
		const char	*path = mem_printf(mem, "%s%s%s", prefix, *prefix ? "." : "", name);

		if (json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0)
			rows_print(mem, value, path);
		else
			printf("%-32s %s\n", path, json_object_is_type(value, json_type_object) || value == NULL ? "-" :
			    json_object_get_string(value));
	}
}

static int
status(const struct request *q)
{
	struct json_object	*doc;
	enum err		e = db_service(db_as_service(q->mem, operator_open(q)), &doc, "ops.status()", NO_ARGS);

	if (e != OK)
		fprintf(stderr, "tollgate: status: %s\n", e == ERR_UNAVAILABLE ? "the database cannot be reached" :
		    err_info(e)->sentence);
	else if (q->options & OPTION_JSON)
		printf("%s\n", json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	else
		rows_print(q->mem, doc, "");
	return exit_code(e);
}

static const struct command commands[] = {
	{ "check", check, NEED_ALL, OPTION_LIVE, "read the whole configuration and tell every fault at once",
	    "Reads every section, its secrets too, so run it as one who may read them. A fault is told as\n"
	    "FILE:LINE: KEY REASON; programs read the same way when they start.\n\n"
	    "  --live          also reach the database, as tollgate_operator\n" },
	{ "migrate", migrate_command, NEED_DATABASE | NEED_PLANS, OPTION_DRY_RUN, "bring the database to this version's schema",
	    "Connects as database.conninfo says, without a role of its own: run it as the database's\n"
	    "administrator (sudo -u postgres tollgate migrate), and not through a pooler. Roles first, then each\n"
	    "migration that is not applied yet, then all functions and policies, then the plans. May be run at\n"
	    "any time, as often as you like; two at once wait for each other.\n\n"
	    "  --dry-run       say what would be applied, and change nothing\n" },
	{ "status", status, NEED_DATABASE, OPTION_JSON, "what waits, what is stuck, what is sold",
	    "Connects as tollgate_operator.\n\n"
	    "  --json          one JSON object instead of a table\n" },
	{ 0 }
};

static void
usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: tollgate %s [--config FILE] [OPTIONS]\n\n", c ? c->name : "COMMAND");
	if (c)
		fprintf(to, "%c%s.\n\n%s", c->about[0] & ~0x20, c->about + 1, c->help);
	for (const struct command *each = commands; !c && each->name; each++)
		fprintf(to, "  %-15s %s\n", each->name, each->about);
	fprintf(to, "%s  --config FILE   configuration (else $TOLLGATE_CONFIG, else " CONFIG_DEFAULT ")\n"
	    "  --help%s, --version\n\n"
	    "Exit: 0 done; 1 refused or failed; 64 usage; 69 no database; 78 configuration.\n", c ? "" : "\n",
	    c ? "" : " (also after a command)");
}

static const struct command *
command_find(const char *name)
{
	for (const struct command *c = commands; name && c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static int
usage_fault(const struct command *c, const char *what, const char *which)
{
	fprintf(stderr, "tollgate: %s%s\n", what, which);
	usage(stderr, c);
	return EX_USAGE;
}

static int
command_run(const struct command *c, struct request *q)
{
	mem_init();
	log_open("tollgate", LOG_INFO);
	q->mem = mem_new();
	if (config_load(q->mem, q->path, c->needs, &q->config) != OK)
		return EX_CONFIG;
	return c->run(q);
}

/* What was asked for, into q; the letter of an option that ends the matter, or 0. */
static int
options_read(int argc, char **argv, struct request *q)
{
	static const struct option	known[] = {
		{ "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' }, { "json", no_argument, NULL, OPTION_JSON },
		{ "dry-run", no_argument, NULL, OPTION_DRY_RUN }, { "live", no_argument, NULL, OPTION_LIVE }, { 0 }
	};
	const char	*variable = getenv("TOLLGATE_CONFIG");
	int		o, end = 0;

	q->path = variable ? variable : CONFIG_DEFAULT;
	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1 && end != '?') {
		if (o == 'c')
			q->path = optarg;
		else if (o == 'h' || o == 'v' || o == '?')
			end = o;
		else
			q->options |= (unsigned)o;
	}
	return end;
}

int
main(int argc, char **argv)
{
	struct request		q = { 0 };
	int			end = options_read(argc, argv, &q);
	const char		*name = argv[optind];
	const struct command	*c = command_find(name);

	if (end == 'v') {
		printf("tollgate %s\n", TOLLGATE_VERSION);
		return EX_OK;
	}
	if (end) {
		usage(end == 'h' ? stdout : stderr, c);
		return end == 'h' ? EX_OK : EX_USAGE;
	}
	if (c == NULL)
		return usage_fault(NULL, name ? "no such command: " : "give a command", name ? name : "");
	if (argv[optind + 1] || q.options & ~c->options)
		return usage_fault(c, c->name, argv[optind + 1] ? " takes no arguments" : " does not take that option");
	return command_run(c, &q);
}
