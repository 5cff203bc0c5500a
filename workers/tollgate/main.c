/* tollgate: the operator's command. A subcommand is a row of a table: what it does, needs and takes. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "log.h"
#include "resource.h"
#include "stamp.h"
#include "provisioning.h"

#define CONFIG_DEFAULT "/etc/tollgate/tollgate.conf"

/* What may follow a command: X(bit, name, argument, member of struct operator, about). Without argument it is a bool. */
#define SWITCHES(X) \
	X(JSON,		"json",		NULL,	 json,		"for programs: JSON, an object or array on each line") \
	X(DRY_RUN,	"dry-run",	NULL,	 dry_run,	"say what would be done, and change nothing") \
	X(LIVE,		"live",		NULL,	 live,		"also reach the database, as tollgate_operator") \
	X(RAW,		"raw",		NULL,	 raw,		"the exact bytes alone") \
	X(DEAD,		"dead",		NULL,	 dead,		"everything that is dead-lettered") \
	X(STATE,	"state",	"STATE", state,		"received, done, ignored or dead") \
	X(TYPE,		"type",		"TYPE",	 type,		"as invoice.paid, or 'invoice.*'") \
	X(OBJECT,	"object",	"ID",	 object,	"events that named this object") \
	X(SINCE,	"since",	"TIME",	 since,		"received then or later: 2026-07-29T10:00:00Z, or 36h, 7d ago") \
	X(UNTIL,	"until",	"TIME",	 until,		"before that time") \
	X(LIMIT,	"limit",	"N",	 limit,		"at most so many (50)") \
	X(AT,		"at",		"TIME",	 at,		"as it was then") \
	X(PLAN,		"plan",		"PLAN",	 plan,		"another plan than the one that is paid for") \
	X(REASON,	"reason",	"TEXT",	 reason,	"why; kept with your name") \
	X(AFTER,	"after",	"ID",	 after,		"go on behind this customer") \
	X(PROPOSALS,	"apply-proposals", "FILE", proposals,	"bind what stands in FILE: lines of --json that you have reviewed") \
	X(SECRET_FILE,	"secret-file",	"FILE",	 secret_file,	"a new file for the secret of a new webhook endpoint") \
	X(STAMP,	"stamp",	NULL,	 stamp,		"make a database of another environment this one's")

#define SWITCH_NUMBER(bit, ...) bit##_NUMBER,
#define SWITCH_BIT(bit, ...) bit = 1u << bit##_NUMBER,
#define SWITCH_ROW(bit, name, argument, member, about) { name, argument, about, offsetof(struct operator, member) },

enum { SWITCHES(SWITCH_NUMBER) };
enum { SWITCHES(SWITCH_BIT) };

static const struct switch_row {
	const char	*name, *argument, *about;
	size_t		offset;		/* in struct operator */
} switches[] = { SWITCHES(SWITCH_ROW) { 0 } };

enum { PATIENCE_MS = 60000 };	/* with the database: some of this looks at all that ever came in */

enum { STRIPE = NEED_STRIPE | NEED_DATABASE, ACCOUNT = STRIPE | NEED_SITE | NEED_PLANS | NEED_CATALOGUE };

static const struct command {
	const char	*name;
	int		(*run)(const struct operator *o);	/* the exit code */
	unsigned	needs;		/* of the configuration */
	unsigned	options;
	const char	*subject;	/* its argument: "TENANT", "[EVENT]", or NULL */
	const char	*about;
	const char	*help;
	const char	*example;
} commands[] = {
	{ "check", configuration_check, NEED_ALL, LIVE, NULL, "read the whole configuration and tell every fault at once",
	    "Reads every section, its secrets too, so run it as one who may read them. A fault is told as\n"
	    "FILE:LINE: KEY REASON; programs read the same way when they start.\n", "tollgate check --live" },
	{ "migrate", schema_migrate, NEED_DATABASE | NEED_PLANS, DRY_RUN | STAMP, NULL, "bring the database to this version's schema",
	    "Connects as database.conninfo says, without a role of its own: run it as the database's\n"
	    "administrator, and not through a pooler. Roles first, then each migration that is not applied yet,\n"
	    "then all functions and policies, then the plans. May be run at any time, as often as you like; two\n"
	    "at once wait for each other.\n"
	    "The database is stamped with site.environment, and from then on refuses programs of another one. So\n"
	    "does migrate itself, with exit status 78; --stamp is for a copy that is to become another one's. It\n"
	    "also forgets whose account at Stripe the database belongs to, and jobs finds that out anew.\n", "sudo -u postgres tollgate migrate --dry-run" },
	{ "status", status_show, NEED_DATABASE, JSON, NULL, "what waits, what is stuck, what to look at, what is sold",
	    "Unknown events are those of types that nobody here understands: kept and acknowledged.\n",
	    "tollgate status --json" },
	{ "alerts list", alerts_list, NEED_DATABASE, JSON, NULL, "what somebody must look at, the newest first", "Times are UTC.\n",
	    "tollgate alerts list" },
	{ "alerts clear", alerts_clear, NEED_DATABASE, JSON, "ID", "say that an alert was dealt with",
	    "One whose cause is still there comes back when it is next seen; most are cleared by themselves.\n",
	    "tollgate alerts clear 17" },
	{ "events list", events_list, NEED_DATABASE, JSON | STATE | TYPE | OBJECT | SINCE | UNTIL | LIMIT, NULL,
	    "what has come in, the newest first", "Times are UTC.\n", "tollgate events list --type 'invoice.*' --since 2d" },
	{ "events show", events_show, NEED_DATABASE, JSON | RAW, "EVENT", "one event: exact body, headers, state, what it changed",
	    "", "tollgate events show evt_1 --raw | sha256sum" },
	{ "events dead", events_dead, NEED_DATABASE, JSON, NULL, "objects that were given up, and the events that wait for them",
	    "", "tollgate events dead" },
	{ "events replay", events_replay, NEED_DATABASE, JSON | DRY_RUN | DEAD | SINCE | UNTIL | STATE | TYPE | OBJECT, "[EVENT]",
	    "do events again: fetch their objects as they are now",
	    "One event, a range of time, or all that is dead. Dead ones come to life again. Nothing is applied\n"
	    "twice, because nothing is taken from an event but the name of its object: repeat it at will.\n",
	    "tollgate events replay --dead --dry-run" },
	{ "explain", tenant_explain, NEED_DATABASE, JSON | AT, "TENANT", "why a tenant is entitled to what, and from which events",
	    "TENANT is its id, the address of a member or payer, or an id of Stripe's: cus_, sub_, in_, cs_.\n",
	    "tollgate explain anna@example.com --at 2026-07-29" },
	{ "override allow", override_allow, NEED_DATABASE, JSON | PLAN | UNTIL | REASON, "TENANT",
	    "entitle a tenant, whatever Stripe says", "With --until 7d it ends in seven days; without, when it is cleared.\n",
	    "tollgate override allow anna@example.com --plan growth --until 7d --reason 'outage of 3 May'" },
	{ "override deny", override_deny, NEED_DATABASE, JSON | UNTIL | REASON, "TENANT",
	    "take a tenant's entitlement away, whatever Stripe says", "",
	    "tollgate override deny 0b7c... --reason 'abuse, ticket 4711'" },
	{ "override clear", override_clear, NEED_DATABASE, JSON, "TENANT", "end an override: Stripe's word counts again", "",
	    "tollgate override clear anna@example.com" },
	{ "reconcile", reconcile_run, STRIPE, JSON | DRY_RUN, NULL, "find what webhooks have missed, and have it fetched again",
	    "Lists Stripe's events of late and all subscriptions, and compares them with what is here, field by\n"
	    "field, as jobs does by itself every few minutes and each night; jobs then mends what differs.\n"
	    "Interrupted, it goes on where it was. Exit status 1 with --dry-run: something differs.\n",
	    "tollgate reconcile --dry-run" },
	{ "backfill customers", customers_backfill, STRIPE, JSON | DRY_RUN | AFTER | PROPOSALS, NULL,
	    "find the customers of tenants that have none",
	    "Our id in a customer's metadata is proof: it is bound at once. An e-mail address that fits is only\n"
	    "proposed: keep the lines of --json, delete the wrong ones, and apply the rest. May be repeated.\n"
	    "Exit status 1: one was refused, because it or its tenant is bound otherwise.\n",
	    "tollgate backfill customers --json >proposals; tollgate backfill customers --apply-proposals proposals" },
	{ "stripe diff", provisioning_diff, ACCOUNT, JSON, NULL, "what differs at Stripe from the configuration",
	    "The webhook endpoint with its events and version, prices, meters, the portal's configuration.\n"
	    "+ is missing, ~ differs, - is one too many, ! is for you to do. Exit status 1: something differs.\n",
	    "tollgate stripe diff" },
	{ "stripe apply", provisioning_apply, ACCOUNT, JSON | SECRET_FILE, NULL, "make Stripe as the configuration says",
	    "Nothing is deleted. A price that costs something else is a new price; the old one stays with those who\n"
	    "pay it. Exit status 1: something is left for you to do.\n",
	    "tollgate stripe apply --secret-file /etc/tollgate/webhook.secret" },
	{ 0 }
};

static void
usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: tollgate %s%s%s [--config FILE] [OPTIONS]\n\n", c ? c->name : "COMMAND", c && c->subject ? " " : "",
	    c && c->subject ? c->subject : "");
	if (c)
		fprintf(to, "%c%s.\n%s%s\n", c->about[0] & ~0x20, c->about + 1, *c->help ? "\n" : "", c->help);
	for (const struct command *each = commands; !c && each->name; each++)
		fprintf(to, "  %-20s %s\n", each->name, each->about);
	for (unsigned i = 0; c && switches[i].name; i++) {
		if (c->options & 1u << i)
			fprintf(to, "  --%-15s %-5s %s\n", switches[i].name, switches[i].argument ? switches[i].argument : "",
			    switches[i].about);
	}
	fprintf(to, "%s  --config          FILE  configuration (else $TOLLGATE_CONFIG, else " CONFIG_DEFAULT ")\n"
	    "  --help%s, --version\n\n", c ? "" : "\n", c ? "" : " (also after a command)");
	if (c)
		fprintf(to, "Example: %s\n\n", c->example);
	fprintf(to, "Exit: 0 done; 1 differs, refused or failed; 64 usage; 69 unavailable; 78 configuration,\n"
	    "or a database of another environment or of another account at Stripe.\n");
}

static int
usage_fault(const struct command *c, const char *what, const char *which)
{
	fprintf(stderr, "tollgate: %s %s\n", what, which);
	usage(stderr, c);
	return EX_USAGE;
}

/* The command that the words begin with; *used: how many of them are its name. */
static const struct command *
command_find(char **words, int *used)
{
	for (const struct command *c = commands; words[0] && c->name; c++) {
		size_t	n = strlen(words[0]);

		*used = strchr(c->name, ' ') ? 2 : 1;
		if (*used == 1 ? strcmp(c->name, words[0]) == 0 : words[1] && strncmp(c->name, words[0], n) == 0 &&
		    c->name[n] == ' ' && strcmp(c->name + n + 1, words[1]) == 0)
			return c;
	}
	return NULL;
}

/* EX_OK when the database is the configuration's own, or is not asked for anything. */
static int
database_check(const struct command *c, const struct operator *o)
{
	const char	*why;
	enum err	e = OK;

	if (c->run != configuration_check && c->run != schema_migrate)
		e = db_admit(o->db, o->mem, &why);
	if (e == OK)
		return EX_OK;
	if (why == NULL)
		return operator_failed(o, e);
	operator_refused(o, "%s", why);
	return e == ERR_FORBIDDEN ? EX_CONFIG : EX_UNAVAILABLE;
}

/* EX_OK when the key is the database's own too. What is unknown yet stays so: that is for jobs to find out. */
static int
account_check(const struct operator *o)
{
	const char	*account, *why;
	enum err	e = stamp_ask(o->stripe, o->mem, &account);

	if (e == OK)
		e = stamp_match(operator_as(o, o->mem), o->mem, account, false, &why);
	if (e == ERR_CONFLICT) {
		operator_refused(o, "%s", why);
		return EX_CONFIG;
	}
	return e == OK ? EX_OK : operator_failed(o, e);
}

static int
command_run(const struct command *c, struct operator *o)
{
	struct config	*config;
	int		code;

	o->name = c->name;
	if (config_load(o->mem, o->path, c->needs, &config) != OK)
		return EX_CONFIG;
	o->config = config;
	o->db = resource_open_database(o->mem, config, (struct db_options){
		.role = "tollgate_operator", .pool = 1, .timeout_ms = PATIENCE_MS,
	});
	code = database_check(c, o);
	if (code != EX_OK)
		return code;
	if (c->needs == NEED_ALL || !(c->needs & NEED_STRIPE))
		return c->run(o);
	o->stripe = resource_open_stripe(o->mem, config);
	code = account_check(o);
	return code == EX_OK ? c->run(o) : code;
}

/* What was asked for, into o; the letter of an option that ends the matter, or 0. */
static int
options_read(int argc, char **argv, struct operator *o, unsigned *given)
{
	enum { FIRST = 256 };	/* getopt's values of our switches, above all letters */
	struct option	known[sizeof(switches) / sizeof(switches[0]) + 4] = {
		{ "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'v' },
	};
	int		n, end = 0;

	for (int i = 0; switches[i].name; i++)
		known[3 + i] = (struct option){ switches[i].name, switches[i].argument ? required_argument : no_argument, NULL, FIRST + i };
	while ((n = getopt_long(argc, argv, "", known, NULL)) != -1 && end != '?') {
		if (n == 'c')
			o->path = optarg;
		else if (n < FIRST)
			end = n;
		else if (switches[n - FIRST].argument)
			*(const char **)((char *)o + switches[n - FIRST].offset) = optarg;
		else
			*(bool *)((char *)o + switches[n - FIRST].offset) = true;
		*given |= n >= FIRST ? 1u << (n - FIRST) : 0;
	}
	return end;
}

int
main(int argc, char **argv)
{
	const char		*variable = getenv("TOLLGATE_CONFIG");
	struct operator		o = { .path = variable ? variable : CONFIG_DEFAULT };
	unsigned		given = 0;
	int			words = 0, end = options_read(argc, argv, &o, &given);
	const struct command	*c = command_find(argv + optind, &words);
	bool			optional = c && c->subject && *c->subject == '[';
	int			code;

	if (end == 'v') {
		printf("tollgate %s\n", TOLLGATE_VERSION);
		return EX_OK;
	}
	if (end) {
		usage(end == 'h' ? stdout : stderr, c);
		return end == 'h' ? EX_OK : EX_USAGE;
	}
	if (c == NULL)
		return usage_fault(NULL, argv[optind] ? "no such command:" : "give a command", argv[optind] ? argv[optind] : "");
	o.subject = c->subject ? argv[optind + words] : NULL;
	if (c->subject && !optional && o.subject == NULL)
		return usage_fault(c, "give", c->subject);
	if (argv[optind + words + (o.subject != NULL)] || given & ~c->options)
		return usage_fault(c, c->name, given & ~c->options ? "does not take that option" : "takes no more arguments");
	mem_init();
	log_open("tollgate", LOG_WARN);
	o.mem = mem_new();
	code = command_run(c, &o);
	talloc_free(o.mem);
	return code;
}
