/* tollgate: the operator's command. A subcommand is a row of a table: its function, needs, options and help. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "log.h"
#include "resource.h"
#include "user.h"

#define CONFIG_DEFAULT "/etc/tollgate/tollgate.conf"

/* The commands' options: X(bit, name, argument, member of struct operator, about). Without argument it is a bool. */
#define SWITCHES(X) \
	X(JSON,		"json",		NULL,	 json,		"print JSON for programs: one object or array a line") \
	X(DRY_RUN,	"dry-run",	NULL,	 dry_run,	"print what would be done, and change nothing") \
	X(LIVE,		"live",		NULL,	 live,		"also ask the database, as tollgate_operator, and Stripe") \
	X(RAW,		"raw",		NULL,	 raw,		"print only the body, byte for byte") \
	X(DEAD,		"dead",		NULL,	 dead,		"everything that is dead-lettered") \
	X(STATE,	"state",	"STATE", state,		"only what is in this state; an event: received, done, ignored, dead") \
	X(TYPE,		"type",		"TYPE",	 type,		"only events of this type: invoice.paid, or 'invoice.*'") \
	X(OBJECT,	"object",	"ID",	 object,	"only events that name this object") \
	X(SINCE,	"since",	"TIME",	 since,		"received at or after: 2026-07-29T10:00:00Z, or 36h, 7d ago") \
	X(UNTIL,	"until",	"TIME",	 until,		"until just before this time") \
	X(LIMIT,	"limit",	"N",	 limit,		"print at most N (default 50)") \
	X(AT,		"at",		"TIME",	 at,		"show the state at this time (default now)") \
	X(PLAN,		"plan",		"PLAN",	 plan,		"allow this plan instead of the one that is paid for") \
	X(REASON,	"reason",	"TEXT",	 reason,	"the reason, stored with your user name (required)") \
	X(AFTER,	"after",	"ID",	 after,		"continue after this customer") \
	X(PROPOSALS,	"apply-proposals", "FILE", proposals,	"bind the proposals in FILE: lines of --json, reviewed") \
	X(SECRET_FILE,	"secret-file",	"FILE",	 secret_file,	"write a new webhook endpoint's secret to this new file") \
	X(TO,		"to",		"ADDRESS", to,		"the new address (required)") \
	X(OUT,		"out",		"FILE",	 out,		"write to this file, whole or not at all (required)") \
	X(STAMP,	"stamp",	NULL,	 stamp,		"move a database of another environment to this one")

#define SWITCH_NUMBER(bit, ...) bit##_NUMBER,
#define SWITCH_BIT(bit, ...) bit = 1u << bit##_NUMBER,
#define SWITCH_ROW(bit, name, argument, member, about) { name, argument, about, offsetof(struct operator, member) },

enum { SWITCHES(SWITCH_NUMBER) };
enum { SWITCHES(SWITCH_BIT) };

static const struct switch_row {
	const char	*name, *argument, *about;
	size_t		offset;		/* in struct operator */
} switches[] = { SWITCHES(SWITCH_ROW) { 0 } };

enum { TIMEOUT_MS = 60000 };	/* of a database call: some read every event in the inbox */

enum {
	STRIPE = NEED_STRIPE | NEED_DATABASE,
	PROVISIONING = STRIPE | NEED_SITE | NEED_PLANS | NEED_PROVISIONING | NEED_USAGE
};

static const struct command {
	const char	*name;
	int		(*run)(const struct operator *o);	/* returns the exit status */
	unsigned	needs;		/* of the configuration */
	unsigned	options;
	const char	*subject;	/* its argument: "TENANT", "[EVENT]", or NULL */
	const char	*about;
	const char	*help;
	const char	*example;
} commands[] = {
	{ "check", configuration_check, NEED_ALL, LIVE, NULL, "check the whole configuration and report every fault",
	    "Reads every section, every secret file and all pages, so run it as a user that may read them. Each\n"
	    "fault is a line FILE:LINE: KEY REASON. The programs check their own sections in the same way at start.\n\n"
	    "With --live it also asks Stripe, whose key may be read-only, for each plan's price and its product,\n"
	    "and for the portal's configuration. Exit status 1: one of them is not as configured. Each of the parties in\n"
	    "providers is asked how it describes itself; 69: one of them cannot be reached or is not as configured.\n",
	    "tollgate check --live" },
	{ "migrate", schema_migrate, NEED_DATABASE | NEED_PLANS | NEED_USAGE | NEED_CHAT, DRY_RUN | STAMP, NULL,
	    "bring the database to this version's schema",
	    "Connects as database.conninfo says, not as tollgate_operator: run it as the database's\n"
	    "administrator, and not through a pooler. It applies the roles, then each migration that is not\n"
	    "applied yet, then all functions and policies, then the plans. It may be repeated at any time; a\n"
	    "second migrate waits for the first.\n\n"
	    "The database is stamped with site.environment. From then on it refuses programs of another\n"
	    "environment. So does migrate, with exit status 78. --stamp is for a copy that is to change its\n"
	    "environment. It also deletes the recorded Stripe account; jobs then records the current one.\n",
	    "sudo -u postgres tollgate migrate --dry-run" },
	{ "pages", error_pages_write, NEED_SITE | NEED_PLANS, 0, "DIRECTORY",
	    "write the pages that the web server shows by itself",
	    "Pages for 413, 429, 500 and 503 in each of site.languages, from the templates and texts of site.pages and\n"
	    "site.own_pages, and what tells nginx (languages.map) and Apache (apache.conf) of them. conf/nginx.conf and\n"
	    "conf/apache.conf name the directory. Repeat it when those change, and reload the web server.\n",
	    "sudo tollgate pages /var/lib/tollgate-pages" },
	{ "status", status_show, NEED_DATABASE, JSON, NULL,
	    "show queues, dead letters, open alerts, tenants, subscriptions",
	    "Events of unknown types are acknowledged and kept, but nothing is fetched for them.\n",
	    "tollgate status --json" },
	{ "alerts list", alerts_list, NEED_DATABASE, JSON, NULL, "list the open alerts, newest first", "Times are UTC.\n",
	    "tollgate alerts list" },
	{ "alerts clear", alerts_clear, NEED_DATABASE, JSON, "ID", "close an alert after its cause was handled",
	    "Most alerts close by themselves when their cause is gone. An alert whose cause remains is raised\n"
	    "again when the cause is next seen.\n",
	    "tollgate alerts clear 17" },
	{ "audit verify", audit_verify, NEED_DATABASE, JSON, NULL,
	    "check that no row of the audit log was changed or removed",
	    "Each row holds a hash of itself and of the row before it. Prints the number of each row that was\n"
	    "altered or is missing, and the hash of the last one. Kept elsewhere, that hash also shows a log that\n"
	    "was written anew. Exit status 1: rows were altered or are missing.\n",
	    "tollgate audit verify" },
	{ "usage audit", usage_audit, NEED_DATABASE, JSON, NULL,
	    "check that what was used adds up",
	    "Compares the totals of every account and day, and what Stripe is told, with the records they are\n"
	    "totals of, and names the days of which Stripe had another sum when jobs last asked. Prints each that\n"
	    "differs. Exit status 1: one does.\n",
	    "tollgate usage audit" },
	{ "usage retry", usage_retry, NEED_DATABASE, JSON, NULL,
	    "tell Stripe again what it has refused",
	    "Records are parked when Stripe refuses them or finds them wrong later, when the tenant has no customer,\n"
	    "and when Stripe may have had one more than a day ago and its sums do not tell (\"uncertain\"): then look\n"
	    "first whether the meter has it, because Stripe would count it twice.\n",
	    "tollgate usage retry" },
	{ "usage drop", usage_drop, NEED_DATABASE, JSON, "TENANT",
	    "give up what Stripe cannot be told of a tenant",
	    "Parked records are not told any more, so they are not billed; `usage retry` leaves them. The tenant's\n"
	    "log says how many units. TENANT is as in tollgate explain --help.\n",
	    "tollgate usage drop anna@example.com" },
	{ "mail list", mail_list, NEED_DATABASE, JSON | STATE | LIMIT, NULL,
	    "list the mails that wait or are dead-lettered, newest first",
	    "With --state those that are pending, sent, dead, void (nobody may get them) or canceled. Times are\n"
	    "UTC. A mail shows what the server said last; its links are made when it is sent.\n",
	    "tollgate mail list --state dead" },
	{ "mail show", mail_show, NEED_DATABASE, JSON, "MAIL",
	    "show a mail: what it is about, its tries, the server's words",
	    "", "tollgate mail show 0b7c..." },
	{ "mail retry", mail_retry, NEED_DATABASE, JSON | DEAD, "[MAIL]", "try a mail again now, or all that wait",
	    "With --dead instead of MAIL all that are dead-lettered. Their tries are counted anew. A link is made\n"
	    "anew when its mail is sent.\n",
	    "tollgate mail retry --dead" },
	{ "mail cancel", mail_cancel, NEED_DATABASE, JSON, "MAIL", "give up a mail: it is not sent, and not tried again",
	    "", "tollgate mail cancel 0b7c..." },
	{ "user show", user_show, NEED_DATABASE, JSON, "ADDRESS",
	    "show a user: tenants, what is offered, sessions, the last sign-in, when a deletion is due", "",
	    "tollgate user show anna@example.com" },
	{ "user address", user_address, NEED_DATABASE, JSON | TO, "ADDRESS", "change a user's address",
	    "The user keeps tenants and sessions; links that were sent to the former address end. Both addresses\n"
	    "are told by mail. Make sure that whoever asks is the user: the new mailbox signs in.\n\n"
	    "Exit status 1: there is no such user, or the new address is another user's.\n",
	    "tollgate user address ana@example.com --to anna@example.com" },
	{ "user link", user_link, NEED_DATABASE, JSON, "ADDRESS", "mail a user a link to sign in",
	    "It goes to the user's address, before other mails, whatever strangers have asked for that address.\n",
	    "tollgate user link anna@example.com" },
	{ "user signout", user_signout, NEED_DATABASE, JSON, "ADDRESS", "end all sessions of a user", "",
	    "tollgate user signout anna@example.com" },
	{ "user factor", user_factor, NEED_DATABASE, JSON, "ADDRESS",
	    "remove a user's second factor and passkeys",
	    "For who has lost the device and the recovery codes, or the passkeys: who has one of these and cannot show it\n"
	    "can add and remove none. Sessions that came by a passkey end. The user is told by mail. Make sure that\n"
	    "whoever asks is the user: the mailbox alone signs in afterwards.\n", "tollgate user factor anna@example.com" },
	{ "user delete", user_delete, NEED_DATABASE, JSON, "ADDRESS", "delete a user, in 30 days",
	    "As the user does it in the settings: sessions end, subscriptions of tenants that close with the user are\n"
	    "canceled at Stripe at once, and the user is mailed how to keep the account. Make sure that whoever asks is\n"
	    "the user.\n\n"
	    "Exit status 1: there is no such user, or tenants with other members would be left without an owner.\n",
	    "tollgate user delete anna@example.com" },
	{ "user undelete", user_keep, NEED_DATABASE, JSON, "ADDRESS", "keep a user whose deletion is under way",
	    "What was canceled at Stripe stays canceled.\n\n"
	    "Exit status 1: there is no such user, or no deletion is under way.\n",
	    "tollgate user undelete anna@example.com" },
	{ "admin add", operators_add, NEED_DATABASE, JSON, "ADDRESS", "let a user use the pages of the site's operators",
	    "The user, who has an account already, finds them at /admin, after adding a second factor. Operators see\n"
	    "all users and tenants, suspend users, end sessions and override entitlements; the audit log has what\n"
	    "they do.\n\n"
	    "Exit status 1: there is no such user.\n", "tollgate admin add anna@example.com" },
	{ "admin list", operators_list, NEED_DATABASE, JSON, NULL, "list the site's operators", "Times are UTC.\n",
	    "tollgate admin list" },
	{ "admin remove", operators_remove, NEED_DATABASE, JSON, "ADDRESS",
	    "let a user use the pages of the site's operators no more",
	    "It holds from the next request on. The user stays a user.\n\n"
	    "Exit status 1: there is no such user.\n", "tollgate admin remove anna@example.com" },
	{ "factors rotate", factors_rotate, NEED_DATABASE | NEED_SEED_KEY, JSON, NULL,
	    "store the seeds of second factors under a new key",
	    "Under the key of auth.seed_key_file, after signin was restarted with it and with the key that it\n"
	    "replaces in auth.seed_key_before_file. Nobody is signed out, and recovery codes stay good. It may be\n"
	    "repeated, also after it was interrupted. Then the key before is needed no more.\n\n"
	    "Exit status 1: a seed is stored under neither key.\n",
	    "tollgate factors rotate" },
	{ "passwords build", passwords_build, 0, OUT, "LIST", "make the list of passwords that nobody may choose",
	    "LIST, or - for standard input, has a password or \"SHA1:count\" a line, as the files of Pwned Passwords\n"
	    "have it. The file for passwords.breached has 8 bytes for each, sorted; one LIST that is sorted by hash\n"
	    "needs no memory, another is sorted in the file. Restart signin to use it.\n",
	    "tollgate passwords build pwned-passwords.txt --out /var/lib/tollgate-breached" },
	{ "events list", events_list, NEED_DATABASE, JSON | STATE | TYPE | OBJECT | SINCE | UNTIL | LIMIT, NULL,
	    "list received events, newest first", "Times are UTC.\n",
	    "tollgate events list --type 'invoice.*' --since 2d" },
	{ "events show", events_show, NEED_DATABASE, JSON | RAW, "EVENT",
	    "show an event: body, headers, state, its object's state",
	    "", "tollgate events show evt_1 --raw | sha256sum" },
	{ "events dead", events_dead, NEED_DATABASE, JSON, NULL,
	    "list dead-lettered objects and the events that wait for them",
	    "", "tollgate events dead" },
	{ "events replay", events_replay, NEED_DATABASE, JSON | DRY_RUN | DEAD | SINCE | UNTIL | STATE | TYPE | OBJECT,
	    "[EVENT]", "process events again: fetch their objects as they are now",
	    "Takes one event, a range of time, or with --dead everything that is dead-lettered. Dead-lettered\n"
	    "objects are tried again. It may be repeated: a replay takes only the object's name from an event,\n"
	    "so nothing is applied twice.\n",
	    "tollgate events replay --dead --dry-run" },
	{ "explain", tenant_explain, NEED_DATABASE, JSON | AT, "TENANT",
	    "show a tenant's entitlement, its reason and its events",
	    "TENANT is its ID, the address of a member or payer, or a Stripe ID: cus_, sub_, in_, cs_.\n",
	    "tollgate explain anna@example.com --at 2026-07-29" },
	{ "override allow", override_allow, NEED_DATABASE, JSON | PLAN | UNTIL | REASON, "TENANT",
	    "entitle a tenant, whatever its state at Stripe",
	    "TENANT is as in tollgate explain --help. With --until 7d the override ends in seven days; without,\n"
	    "when it is cleared.\n",
	    "tollgate override allow anna@example.com --plan growth --until 7d --reason 'outage, 3 May'" },
	{ "override deny", override_deny, NEED_DATABASE, JSON | UNTIL | REASON, "TENANT",
	    "withdraw a tenant's entitlement, whatever its state at Stripe",
	    "TENANT is as in tollgate explain --help. With --until 7d the override ends in seven days; without,\n"
	    "when it is cleared.\n",
	    "tollgate override deny 0b7c... --reason 'abuse, ticket 4711'" },
	{ "override clear", override_clear, NEED_DATABASE, JSON, "TENANT",
	    "end an override: the state at Stripe decides again",
	    "TENANT is as in tollgate explain --help.\n", "tollgate override clear anna@example.com" },
	{ "reconcile", reconcile_run, STRIPE, JSON | DRY_RUN, NULL, "find what webhooks missed, and have jobs fetch it",
	    "Lists Stripe's recent events and all its subscriptions, and compares the subscriptions with the\n"
	    "database field by field. jobs does the same every few minutes and every night. jobs then fetches\n"
	    "what differs. An interrupted run continues where it stopped.\n\n"
	    "Exit status 1 with --dry-run: something differs.\n",
	    "tollgate reconcile --dry-run" },
	{ "backfill customers", customers_backfill, STRIPE, JSON | DRY_RUN | AFTER | PROPOSALS, NULL,
	    "find the customers at Stripe of tenants that have none",
	    "A customer whose metadata has our tenant ID is bound at once. One whose e-mail address matches is\n"
	    "only proposed: save the lines of --json, delete the wrong ones, and apply the rest. It may be\n"
	    "repeated.\n\n"
	    "Exit status 1: a customer was refused, because it or its tenant is bound otherwise or is gone.\n",
	    "tollgate backfill customers --json >proposals\n"
	    "         tollgate backfill customers --apply-proposals proposals" },
	{ "restore customer", customer_restore, STRIPE, JSON | DRY_RUN, "CUSTOMER",
	    "bring back the tenant of a customer that is newer than a restored dump",
	    "The tenant gets the ID that the customer or its subscriptions have at Stripe, its plan, and an owner\n"
	    "by the customer's address, who is mailed a link; to a user who exists it is offered. jobs then\n"
	    "fetches the subscriptions. It may be repeated.\n\n"
	    "Exit status 1: the customer names no tenant, or pays for no plan.\n",
	    "tollgate restore customer cus_1 --dry-run" },
	{ "stripe diff", provisioning_diff, PROVISIONING, JSON, NULL, "show what differs at Stripe from the configuration",
	    "Compares the webhook endpoint with its events and version, prices, meters, and the configuration of\n"
	    "the customer portal. + is missing, ~ differs, - is superfluous, ! must be done by hand.\n\n"
	    "Exit status 1: something differs.\n",
	    "tollgate stripe diff" },
	{ "stripe apply", provisioning_apply, PROVISIONING, JSON | SECRET_FILE, NULL,
	    "change Stripe to match the configuration",
	    "Deletes nothing that existed before. A changed amount makes a new price; existing subscriptions\n"
	    "keep the old one.\n\n"
	    "Exit status 1: something is left that must be done by hand.\n",
	    "tollgate stripe apply --secret-file /etc/tollgate/webhook.secret" },
	{ 0 }
};

static void
usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: tollgate %s%s%s [OPTIONS]\n\n", c ? c->name : "COMMAND", c && c->subject ? " " : "",
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
	fprintf(to, "%s  --config          FILE  configuration; default $TOLLGATE_CONFIG, else " CONFIG_DEFAULT "\n"
	    "  --help                  print this help%s\n\n", c ? "" : "\n",
	    c ? "" : "; after a command, the help of the command\n  --version               print the version");
	if (c)
		fprintf(to, "Example: %s\n\n", c->example);
	fprintf(to, "Exit: 0 done; 1 differs, refused or failed; 64 usage; 69 unavailable; 78 wrong configuration,\n"
	    "or a database of another environment or of another Stripe account.\n");
}

static int
usage_fault(const struct command *c, const char *what, const char *fault)
{
	fprintf(stderr, "tollgate: %s %s\n\n", what, fault);
	usage(stderr, c);
	return EX_USAGE;
}

/* The command that words begin with, or NULL; *used: the number of words in its name. */
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

/* EX_OK when the database admits this configuration. check and migrate look at the database themselves. */
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

static int
command_run(const struct command *c, struct operator *o)
{
	struct config	*config;
	enum err	e;
	int		code;

	o->name = c->name;
	o->user = user_caller(o->mem);
	if (c->needs == 0)
		return c->run(o);
	e = config_load(o->mem, o->path, c->needs, &config);
	o->config = config;
	if (e != OK)
		return c->run == configuration_check ? configuration_faulty(o) : EX_CONFIG;
	if (!(c->needs & NEED_DATABASE))
		return c->run(o);
	if (c->run != schema_migrate && user_become_operator(o->secret_file || o->proposals) != OK)
		return EX_OSERR;
	if (resource_open_database(o->mem, config, (struct db_options){
		.role = "tollgate_operator", .pool = 1, .timeout_ms = TIMEOUT_MS,
	}, &o->db) != OK)
		return EX_CONFIG;
	code = database_check(c, o);
	if (code != EX_OK)
		return code;
	if (c->run != configuration_check && c->needs & NEED_STRIPE)
		code = operator_stripe(o);
	return code == EX_OK ? c->run(o) : code;
}

/* Stores the options in o and their bits in *given. Returns 'h', 'v', '?' for a wrong option, or 0. */
static int
options_read(int argc, char **argv, struct operator *o, unsigned *given)
{
	enum { FIRST = 256 };	/* getopt_long's value of the first switch, above all letters */
	struct option	known[sizeof(switches) / sizeof(switches[0]) + 4] = {
		{ "config", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
	};
	int		n, end = 0;

	for (int i = 0; switches[i].name; i++)
		known[3 + i] = (struct option){ switches[i].name, switches[i].argument ? required_argument : no_argument, NULL,
		    FIRST + i };
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
		return usage_fault(NULL, argv[optind] ? argv[optind] : "COMMAND",
		    argv[optind] ? "is not a command" : "is missing");
	o.subject = c->subject ? argv[optind + words] : NULL;
	if (c->subject && !optional && o.subject == NULL)
		return usage_fault(c, c->subject, "is missing");
	if (argv[optind + words + (o.subject != NULL)] || given & ~c->options)
		return usage_fault(c, c->name, given & ~c->options ? "does not take that option" : "takes no more arguments");
	mem_init();
	log_open("tollgate", LOG_WARN);
	o.mem = mem_new();
	code = command_run(c, &o);
	talloc_free(o.mem);
	return code;
}
