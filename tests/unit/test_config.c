/* config: every fault at once, each with its line; secrets only from closed files or the environment, then wiped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

struct stage {
	mem_ctx		*mem;
	char		dir[64];
	const char	*conf;
	struct config	*config;
	char		*said;		/* on stderr, by the last load() */
};

static const char site[] = "site = { url = \"https://a.example\"; pages = \"/tmp\"; };\n";
static const char database[] = "database = { conninfo = \"dbname=x\"; };\n";

static const char *
file_write(struct stage *s, const char *name, const char *text, mode_t mode)
{
	char	*path = mem_printf(s->mem, "%s/%s", s->dir, name);
	FILE	*f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static int
setup(void **state)
{
	struct stage	*s = calloc(1, sizeof(*s));

	s->mem = mem_new();
	snprintf(s->dir, sizeof(s->dir), "/tmp/tollgate-config.XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		return -1;
	unsetenv("TOLLGATE_STRIPE_KEY");
	unsetenv("TOLLGATE_STRIPE_WEBHOOK_SECRET");
	unsetenv("TOLLGATE_MAIL_PASSWORD");
	unsetenv("CREDENTIALS_DIRECTORY");
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct stage	*s = *state;
	char		command[96];
	int		code;

	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	code = system(command);
	talloc_free(s->mem);
	free(s);
	return code;
}

static enum err
load(struct stage *s, unsigned needs, const char *text)
{
	int		saved = dup(STDERR_FILENO);
	FILE		*said = tmpfile();
	enum err	e;
	long		n;

	s->conf = file_write(s, "t.conf", text, 0644);
	fflush(stderr);
	dup2(fileno(said), STDERR_FILENO);
	e = config_load(s->mem, s->conf, needs, &s->config);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = lseek(fileno(said), 0, SEEK_END);
	s->said = mem_printf(s->mem, "%*s", (int)n, "");
	assert_int_equal(pread(fileno(said), s->said, (size_t)n, 0), n);
	fclose(said);
	return e;
}

static void
test_f121_defaults_are_good_ones(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_SITE | NEED_DATABASE | NEED_SERVE | NEED_JOBS,
	    mem_printf(s->mem, "%s%s", site, database)), OK);
	assert_string_equal(s->said, "");
	assert_string_equal(s->config->site.url, "https://a.example");
	assert_int_equal(s->config->site.languages.n, 2);
	assert_string_equal(s->config->site.languages.items[0], "en");
	assert_string_equal(s->config->site.languages.items[1], "de");
	assert_string_equal(s->config->site.environment, "production");
	assert_string_equal(s->config->stripe.api_url, "https://api.stripe.com");
	assert_true(s->config->database.prepared);
	assert_int_equal(s->config->database.pool, 4);
	assert_null(s->config->stripe.key);
	assert_int_equal(s->config->n_plans, 0);
}

/* Its lines after a "#@" differ between machines; all others say what is so without them. */
static void
test_f121_the_commented_file_shows_every_default(void **state)
{
	struct stage	*s = *state;
	struct config	*shown, *c;

	assert_int_equal(config_load(s->mem, "conf/tollgate.conf", 0, &shown), OK);
	assert_int_equal(load(s, 0, ""), OK);
	c = s->config;
	assert_string_equal(shown->site.name, c->site.name);
	assert_int_equal(shown->site.languages.n, c->site.languages.n);
	for (size_t i = 0; i < c->site.languages.n; i++)
		assert_string_equal(shown->site.languages.items[i], c->site.languages.items[i]);
	assert_int_equal(shown->database.pool, c->database.pool);
	assert_int_equal(shown->database.wait_ms, c->database.wait_ms);
	assert_int_equal(shown->database.timeout_ms, c->database.timeout_ms);
	assert_int_equal(shown->database.prepared, c->database.prepared);
	assert_memory_equal(&shown->serve, &c->serve, sizeof(c->serve));
	assert_string_equal(shown->stripe.version, c->stripe.version);
	assert_string_equal(shown->stripe.portal_configuration, c->stripe.portal_configuration);
	assert_int_equal(shown->stripe.timeout_ms, c->stripe.timeout_ms);
	assert_string_equal(shown->mail.user, c->mail.user);
	assert_string_equal(shown->stripe.webhook_url, c->stripe.webhook_url);
	assert_string_equal(shown->portal.name, c->portal.name);
	assert_string_equal(shown->portal.cancel, c->portal.cancel);
	assert_string_equal(shown->chat.meter, c->chat.meter);
	assert_int_equal(shown->chat.streams, c->chat.streams);
	assert_int_equal(shown->chat.streams_each, c->chat.streams_each);
	assert_int_equal(shown->chat.first_ms, c->chat.first_ms);
	assert_int_equal(shown->chat.fallback_ms, c->chat.fallback_ms);
	assert_int_equal(shown->chat.total_ms, c->chat.total_ms);
	assert_int_equal(shown->chat.checkpoint_ms, c->chat.checkpoint_ms);
	assert_int_equal(shown->portal.invoices, c->portal.invoices);
	assert_int_equal(shown->portal.payment_method, c->portal.payment_method);
	assert_int_equal(shown->portal.change_plan, c->portal.change_plan);
	assert_int_equal(shown->portal.customer_update.n, c->portal.customer_update.n);
	assert_int_equal(shown->n_meters, c->n_meters);
	assert_int_equal(shown->mail.starttls, c->mail.starttls);
	assert_int_equal(shown->mail.timeout_ms, c->mail.timeout_ms);
	assert_int_equal(shown->mail.poll_ms, c->mail.poll_ms);
	assert_memory_equal(&shown->jobs, &c->jobs, sizeof(c->jobs));
	assert_true(shown->n_plans > 0);
}

static void
test_c90_every_fault_is_told_at_once_with_its_line(void **state)
{
	static const char	*expected[] = {
		":2: site.url \"https://a.example/\" must be scheme, host and perhaps port",
		":3: site.languages has \"en\" twice",
		":4: site.nam is not known: did you mean site.name?",
		": database.conninfo is missing\n",
		":6: database.pool must be from 1 to 64",
		":7: database.prepared must be true or false",
		":8: database.wait_ms must be a whole number",
		":10: colour is not known\n",
		":11: plans must be a list",
	};
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_SITE | NEED_DATABASE | NEED_PLANS,
	    "site = { pages = \"/tmp\";\n"
	    "url = \"https://a.example/\";\n"
	    "languages = [\"en\", \"en\"];\n"
	    "nam = \"x\"; };\n"
	    "database = {\n"
	    "pool = 65;\n"
	    "prepared = 1;\n"
	    "wait_ms = \"250\";\n"
	    "};\n"
	    "colour = 3;\n"
	    "plans = 7;\n"), ERR_INVALID);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strstr(s->said, mem_printf(s->mem, "%s%s", s->conf, expected[i])) == NULL)
			fail_msg("not told: %s\n%s", expected[i], s->said);
	}
}

static void
test_f121_a_file_that_is_no_configuration(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_SITE, "site = {\nurl = = 3; };\n"), ERR_INVALID);
	assert_non_null(strstr(s->said, ":2: syntax error"));
	assert_int_equal(config_load(s->mem, "/nonexistent", NEED_SITE, &s->config), ERR_INVALID);
}

/* One key of the site's, its value, and what is wrong with it (NULL: nothing). */
static void
test_f121_values_are_checked(void **state)
{
	static const struct {
		unsigned	need;
		const char	*text, *wrong;
	} table[] = {
		{ NEED_SITE, "url = \"http://localhost:8080\"", NULL },
		{ NEED_SITE, "url = \"http://127.0.0.1\"", NULL },
		{ NEED_SITE, "url = \"http://[::1]:80\"", NULL },
		{ NEED_SITE, "url = \"http://127.0.0.1.evil.example\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://localhost.evil.example\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://[::1].evil.example\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"http://127.0.0.1@evil.example\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"http://localhost:80@evil.example\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"http://127.0.0.1\\\\evil.example\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"http://127.\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://127.a\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://128.0.0.1\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://0.0.0.0\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://[::2]\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://localhosts\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"http://a.example\"", "http only on a loopback address" },
		{ NEED_SITE, "url = \"ftp://a.example\"", "must begin with https://" },
		{ NEED_SITE, "url = \"https://user@a.example\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"https://a.example:0\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"https://a.example:65536\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"https://a.example?x\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"https://\"", "must be scheme, host" },
		{ NEED_SITE, "url = \"\"", "must begin with https://" },
		{ NEED_SITE, "url = 3", "must be text" },
		{ NEED_SITE, "url = \"https://a.example\"; name = \"a\\x0d\\x0ab\"", "control character" },
		{ NEED_SITE, "url = \"https://a.example\"; languages = []", "is empty" },
		{ NEED_SITE, "url = \"https://a.example\"; languages = [\"English\"]", "two lower-case letters" },
		{ NEED_SITE, "url = \"https://a.example\"; languages = \"en\"", "must be a list" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, table[i].need,
		    mem_printf(s->mem, "site = { pages = \"/tmp\"; %s; };\n", table[i].text));

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s: %s", table[i].text, s->said);
	}
}

/* Every number of the configuration: its section's need, its key, and the least and the greatest value it may have. */
static void
test_f121_numbers_have_limits(void **state)
{
	static const struct {
		unsigned	need;
		const char	*section, *key;
		int		least, most;
	} table[] = {
		{ NEED_DATABASE, "database", "pool", 1, 64 }, { NEED_DATABASE, "database", "wait_ms", 1, 10000 },
		{ NEED_DATABASE, "database", "timeout_ms", 100, 60000 }, { NEED_SERVE, "serve", "threads", 1, 1024 },
		{ NEED_SERVE, "serve", "drain_ms", 100, 60000 }, { NEED_STRIPE, "stripe", "timeout_ms", 500, 80000 },
		{ NEED_STRIPE, "stripe", "rate", 1, 1000 }, { NEED_MAIL, "mail", "timeout_ms", 500, 120000 },
		{ NEED_MAIL, "mail", "poll_ms", 10, 60000 }, { NEED_JOBS, "jobs", "threads", 1, 16 },
		{ NEED_JOBS, "jobs", "poll_ms", 10, 60000 }, { NEED_JOBS, "jobs", "settle_ms", 0, 60000 },
		 { NEED_JOBS, "jobs", "gap_seconds", 1, 86400 },
		{ NEED_JOBS, "jobs", "metering_threads", 1, 16 },
		{ NEED_JOBS, "jobs", "reconcile_hour", 0, 23 }, { NEED_JOBS, "jobs", "keep_days", 31, 3650 },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char	*wrong = mem_printf(s->mem, ":1: %s.%s must be from %d to %d\n", table[i].section, table[i].key,
				    table[i].least, table[i].most);
		const int	values[] = { table[i].least - 1, table[i].least, table[i].most, table[i].most + 1 };

		for (size_t k = 0; k < 4; k++) {
			(void)!load(s, table[i].need, mem_printf(s->mem, "%s = { %s = %d; };", table[i].section, table[i].key,
			    values[k]));
			if ((strstr(s->said, wrong) != NULL) != (k == 0 || k == 3))
				fail_msg("%s = %d: %s", table[i].key, values[k], s->said);
		}
	}
}

/* A section that is not the site's, with what is wrong with it (NULL: nothing). */
static void
test_f121_texts_of_other_sections_are_checked(void **state)
{
	static const struct {
		unsigned	need;
		const char	*text, *wrong;
	} table[] = {
		{ NEED_DATABASE, "database = { conninfo = \"\"; };", "database.conninfo \"\" is empty" },
		{ NEED_DATABASE, "database = { conninfo = \"x\"; schema = \"\"; };", "database.schema \"\" is empty" },
		{ NEED_DATABASE, "database = { conninfo = \"x\"; prepared = 1; };", "must be true or false" },
		{ NEED_DATABASE, "database = { conninfo = \"x\"; pool = 4.5; };", "must be a whole number" },
		{ NEED_DATABASE, "database = { conninfo = \"x\"; pool = \"4\"; };", "must be a whole number" },
		{ NEED_DATABASE, "database = { conninfo = \"x\"; pool = 5000000000L; };", "must be from 1 to 64" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/nonexistent\"; };", "is not a directory" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/etc/passwd\"; };", "is not a directory" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; name = \"\"; };",
		    "site.name \"\" is empty" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; languages = [\"eng\"]; };", "two lower" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; languages = [\"eN\"]; };", "two lower" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; languages = [\"En\"]; };", "two lower" },
		{ NEED_SITE, "site = { url = \"http://127.evil.example\"; pages = \"/tmp\"; };", "loopback" },
		{ NEED_SITE, "site = { url = \"http://localhostess\"; pages = \"/tmp\"; };", "loopback" },
		{ NEED_SITE, "site = { url = \"xhttps://a.example\"; pages = \"/tmp\"; };", "must begin with https://" },
		{ NEED_SITE, "site = { url = \"https://a.example:1x\"; pages = \"/tmp\"; };", "must be scheme, host" },
		{ NEED_SITE, "site = { url = \"https://a.example:+1\"; pages = \"/tmp\"; };", "must be scheme, host" },
		{ NEED_SITE, "site = { url = \"https://a.example/x\"; pages = \"/tmp\"; };", "must be scheme, host" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; urls = 1; };", "did you mean site.url?" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; colour = 1; };",
		    "colour is not known\n" },
		{ NEED_SITE, "site = { url = \"https://a.example\"; pages = \"/tmp\"; };\nsites = { };", "sites is not known" },
		{ NEED_MAIL, "mail = { from = \"a\"; url = \"smtps://m.example\"; };", "must hold an address" },
		{ NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"http://m.example\"; };", "must be smtp://" },
		{ NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"m.example\"; };", "must be smtp://" },
		{ NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"smtp://m.example/x\"; };", "must be smtp://" },
		{ NEED_MAIL, "mail = { from = \"a@b.example\"; };", "mail.url is missing" },
		{ NEED_STRIPE, "stripe = { api_url = \"http://api.stripe.com\"; };", "stripe.api_url" },
		{ NEED_STRIPE, "stripe = { version = \"\"; };", "stripe.version \"\" is empty" },
		{ NEED_STRIPE, "stripe = { portal_configuration = \"bp_1\"; };", "must begin with bpc_" },
		{ NEED_STRIPE, "stripe = { webhook_url = \"ftp://a.example\"; };", "must be a URL" },
		{ NEED_PLANS, "plans = ( { id = \"a\"; lookup_key = \"a\"; currency = \"eur\"; } );", "not both amount and" },
		{ NEED_PLANS, "plans = ( { id = \"a\"; lookup_key = \"a\"; amount = 1; } );", "not both amount and" },
		{ NEED_PLANS, "plans = ( { id = \"a\"; price = \"price_1\"; features = [\"a b\"]; } );", "lower-case letters" },
		{ NEED_PLANS, "plans = ( { id = \"\"; price = \"price_1\"; } );", "lower-case letters" },
		{ NEED_PLANS, "plans = ( { price = \"price_1\"; } );", "plans.id is missing" },
		{ NEED_PLANS, "plans = ( { id = \"a\"; price = \"price_1\"; amount = 100000000; } );", "from 0 to 99999999" },
		{ NEED_PLANS, "plans = ( { id = \"a\"; lookup_key = \"x\"; amount = 1; currency = \"eur\"; },"
		    " { id = \"b\"; lookup_key = \"x\"; amount = 1; currency = \"eur\"; } );",
		    "plans.lookup_key has \"x\" twice" },
		{ NEED_PROVISIONING, "meters = ( { event_name = \"a\"; display_name = \"A\"; },"
		    " { event_name = \"a\"; display_name = \"B\"; } );", "meters.event_name has \"a\" twice" },
		{ NEED_PROVISIONING, "meters = ( { event_name = \"a\"; display_name = \"\"; } );",
		    "display_name \"\" is empty" },
		{ NEED_PROVISIONING, "meters = ( { event_name = \"a\"; display_name = \"A\"; unit = 1; } );",
		    "unit is not known here" },
		{ NEED_PROVISIONING, "meters = ();", NULL },
		{ NEED_USAGE, "quotas = ( { meter = \"a\"; } );", "quotas.plan is missing" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; included = 2; sold = true; price = \"price_1\"; "
		    "most = 1; } );", "is below" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; } );", "is sold without a price" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; price = \"price_1\"; "
		    "lookup_key = \"x\"; } );", "has both price and lookup_key" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; price = \"price_1\"; "
		    "unit_amount = \"1\"; } );", "has both price and unit_amount" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; price = \"prod_1\"; } );",
		    "must begin with price_" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; lookup_key = \"x\"; } );",
		    "has a lookup_key, but no unit_amount" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; unit_amount = \"1\"; } );",
		    "has a price, and is not sold" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; unit_amount = \"0.0\"; } );", "must be a decimal" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; unit_amount = \"1.\"; } );", "must be a decimal" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; unit_amount = \"1e3\"; } );", "must be a decimal" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; unit_amount = \"0.0000000000001\"; } );",
		    "at most 12 digits" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; sold = true; price = \"price_1\"; }, "
		    "{ plan = \"b\"; meter = \"a\"; sold = true; price = \"price_1\"; } );",
		    "quotas.price has \"price_1\" twice" },
		{ NEED_USAGE, "quotas = ( { plan = \"a\"; meter = \"a\"; included = 2; most = 3; } );", "is not sold" },
		{ NEED_USAGE, "rates = ( { name = \"a\"; allowed = 201; } );", "from 1 to 200" },
		{ NEED_USAGE, "caps = ( { kind = \"some\"; } );", "must be user, tenant, provider or all" },
		{ NEED_USAGE, "caps = ( { kind = \"provider\"; amount = 1; } );", "caps.provider is missing" },
		{ NEED_USAGE, "caps = ( { kind = \"all\"; provider = \"a\"; } );", "has no effect" },
		{ NEED_USAGE, "caps = ( { kind = \"all\"; plan = \"a\"; } );", "has no effect" },
		{ NEED_USAGE, "costs = ( { model = \"\"; } );", "costs.model \"\" is empty" },
		{ NEED_USAGE, "costs = ( { model = \"a\"; class = \"A\"; } );", "lower-case letters" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, table[i].need, table[i].text);

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s: %s", table[i].text, s->said);
	}
}

#define SECRET "client_id = \"id\"; secret_file = \"%s\"; "

static void
test_f121_a_party_that_vouches_for_users(void **state)
{
	static const struct {
		const char	*members, *wrong;
	} table[] = {
		{ "name = \"google\"; " SECRET, NULL },
		{ "name = \"work\"; issuer = \"https://id.example/x/\"; pages = \"https://in.example\"; " SECRET, NULL },
		{ "name = \"work\"; issuer = \"http://localhost:8080/x\"; " SECRET, NULL },
		{ "name = \"microsoft\"; issuer = \"https://login.microsoftonline.com/1-2/v2.0\"; " SECRET, NULL },
		{ "name = \"work\"; " SECRET, ":1: providers.issuer \"\" is missing" },
		{ "name = \"microsoft\"; " SECRET, "providers.issuer \"\" is missing" },
		{ "name = \"microsoft\"; issuer = \"https://login.microsoftonline.com/common/v2.0\"; " SECRET,
		    "of one tenant" },
		{ "name = \"work\"; issuer = \"http://id.example\"; " SECRET, "must begin with https://" },
		{ "name = \"work\"; issuer = \"id.example\"; " SECRET, "must begin with https://" },
		{ "name = \"work\"; issuer = \"https://id.example?x\"; " SECRET, "no query" },
		{ "name = \"work\"; issuer = \"https://user@id.example\"; " SECRET, "no query" },
		{ "name = \"work\"; issuer = \"https://id.example\"; pages = \"https://in.example/\"; " SECRET,
		    "must be scheme" },
		{ "name = \"Work\"; issuer = \"https://id.example\"; " SECRET, "1 to 32 lower-case letters" },
		{ "name = \"a/b\"; issuer = \"https://id.example\"; " SECRET, "1 to 32 lower-case letters" },
		{ "name = \"google\"; client_id = \"\"; secret_file = \"%s\";", "client_id \"\" is empty" },
		{ "name = \"google\"; client_id = \"id\";", "providers.secret_file has no secret" },
		{ "name = \"google\"; client_id = \"id\"; secret_file = \"/nonexistent\";", "does not exist" },
		{ "name = \"google\"; client_id = \"id\"; secret = \"x\";", "secret is not known here" },
	};
	struct stage	*s = *state;
	const char	*file = file_write(s, "google.secret", "hush\n", 0600);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char		*item = mem_printf(s->mem, "%s", table[i].members), *at = strstr(item, "%s");
		enum err	e;

		if (at != NULL)
			item = mem_printf(s->mem, "%.*s%s%s", (int)(at - item), item, file, at + 2);
		e = load(s, NEED_PROVIDERS, mem_printf(s->mem, "providers = ( { %s } );", item));
		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s: %s", item, s->said);
	}
}

static void
test_c92_a_preset_knows_its_issuer_and_another_program_no_secret(void **state)
{
	struct stage	*s = *state;
	const char	*file = file_write(s, "google.secret", "hush\n", 0600);
	const char	*text = mem_printf(s->mem, "providers = ( { name = \"google\"; client_id = \"id\"; "
	    "secret_file = \"%s\"; }, { name = \"work\"; issuer = \"https://id.example\"; client_id = \"id\"; "
	    "secret_file = \"%s\"; } );", file, file);

	assert_int_equal(load(s, NEED_PROVIDERS, text), OK);
	assert_int_equal(s->config->n_providers, 2);
	assert_string_equal(s->config->providers[0].label, "Google");
	assert_string_equal(s->config->providers[0].issuer, "https://accounts.google.com");
	assert_string_equal(s->config->providers[0].client_secret, "hush");
	assert_string_equal(s->config->providers[1].label, "work");
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(load(s, NEED_PROVIDERS, text), ERR_INVALID);
	assert_int_equal(load(s, NEED_SITE, site), OK);
	assert_int_equal(load(s, NEED_SITE, mem_printf(s->mem, "%s%s", site, text)), OK);
	assert_null(s->config->providers[0].client_secret);
}

/* A number and another that must not be below it. */
static void
test_f121_a_networks_limit_is_not_above_that_of_the_network_around_it(void **state)
{
	static const struct {
		const char	*limits, *wrong;	/* wrong: NULL for good ones */
	} table[] = {
		{ "link_near = 100; draft_far = 150; call_near = 1; call_wide = 1; call_far = 1;", NULL },
		{ "link_near = 101;", ":2: limits.link_near must not be above limits.link_wide, which is 100" },
		{ "link_wide = 301;", ":2: limits.link_wide must not be above limits.link_far, which is 300" },
		{ "link_wide = 19;", ":2: limits.link_wide must not be below limits.link_near, which is 20" },
		{ "draft_near = 5; draft_wide = 4;", ":2: limits.draft_near must not be above limits.draft_wide, which is 4" },
		{ "draft_far = 149;", ":2: limits.draft_far must not be below limits.draft_wide, which is 150" },
		{ "call_near = 301;", ":2: limits.call_near must not be above limits.call_wide, which is 300" },
		{ "call_far = 299;", ":2: limits.call_far must not be below limits.call_wide, which is 300" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_SITE, mem_printf(s->mem, "%slimits = { %s };", site, table[i].limits));

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s: %s", table[i].limits, s->said);
	}
}

static void
test_f121_mail_that_could_be_read_on_the_way_is_refused(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"smtp://m.example:25\"; };\n"), OK);
	assert_int_equal(load(s, NEED_MAIL,
	    "mail = { from = \"a@b.example\"; url = \"smtp://m.example:25\"; starttls = false; };\n"), ERR_INVALID);
	assert_non_null(strstr(s->said, ":1: mail.starttls must be true"));
	assert_int_equal(load(s, NEED_MAIL,
	    "mail = { from = \"a@b.example\"; url = \"smtp://127.0.0.1:25\"; starttls = false; };\n"), OK);
	assert_int_equal(load(s, NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"smtps://m.example:465\"; };\n"), OK);
	assert_int_equal(load(s, NEED_MAIL,
	    "mail = { from = \"a@b.example\"; url = \"smtps://m.example:465\"; user = \"joe\"; };\n"), ERR_INVALID);
	assert_non_null(strstr(s->said, "mail.user has no password"));
}

static void
test_f96_stripe_and_mail_are_spoken_to_in_the_clear_on_this_machine_only(void **state)
{
	static const char *const	here[] = { "127.0.0.1:8", "localhost:8", "[::1]:8", "127.9.8.7:8" };
	static const char *const	elsewhere[] = { "127.0.0.1.evil.example:8", "localhost.evil.example:8", "10.0.0.1:8",
	    "0.0.0.0:8", "joe@127.0.0.1:8", "127.0.0.1:8@evil.example", "localhost@evil.example:8", "[::2]:8", "" };
	struct stage			*s = *state;
	const char			*key = file_write(s, "plain-key", "sk_test_1\n", 0600);

	for (size_t i = 0; i < sizeof(here) / sizeof(*here) + sizeof(elsewhere) / sizeof(*elsewhere); i++) {
		bool		local = i < sizeof(here) / sizeof(*here);
		const char	*host = local ? here[i] : elsewhere[i - sizeof(here) / sizeof(*here)];

		if (load(s, NEED_MAIL, mem_printf(s->mem, "mail = { from = \"a@b.example\"; url = \"smtp://%s\"; "
		    "starttls = false; };\n", host)) != (local ? OK : ERR_INVALID))
			fail_msg("smtp://%s", host);
		if (load(s, NEED_STRIPE, mem_printf(s->mem, "site = { environment = \"preview\"; };\n"
		    "stripe = { key_file = \"%s\"; api_url = \"http://%s\"; };\n", key, host)) != (local ? OK : ERR_INVALID))
			fail_msg("http://%s", host);
	}
	assert_int_equal(load(s, NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"http://127.0.0.1:25\"; };\n"),
	    ERR_INVALID);
	assert_int_equal(load(s, NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"smtp://127.0.0.1:25/x\"; };\n"),
	    ERR_INVALID);
	assert_int_equal(load(s, NEED_MAIL, "mail = { from = \"a@b.example\"; url = \"smtp://m.example:25\"; };\n"), OK);
	assert_true(s->config->mail.starttls);
}

static enum err
load_key(struct stage *s, const char *secret, mode_t mode)
{
	return load(s, NEED_STRIPE, mem_printf(s->mem, "site = { environment = \"preview\"; };\n"
	    "stripe = { key_file = \"%s\"; };\n", file_write(s, "key", secret, mode)));
}

static void
test_f104_a_secret_comes_from_a_closed_file(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load_key(s, "sk_test_1\n", 0600), OK);
	assert_string_equal(s->config->stripe.key, "sk_test_1");
	assert_int_equal(load_key(s, "rk_test_1", 0400), OK);
	assert_int_equal(load_key(s, "sk_test_1\n", 0640), ERR_INVALID);
	assert_non_null(strstr(s->said, "chmod 600"));
	assert_int_equal(load_key(s, "sk_test_1\n", 0604), ERR_INVALID);
	assert_int_equal(load_key(s, "sk_test_1\n", 0610), ERR_INVALID);
	assert_int_equal(load_key(s, "sk_test_1\r\n", 0600), OK);
	assert_string_equal(s->config->stripe.key, "sk_test_1");
}

/* systemd gives the copy to a program's user by an access control list, whose mask shows as the group's bits. */
static void
test_f104_systemds_copy_of_a_secret_goes_before_the_file_of_its_name(void **state)
{
	struct stage	*s = *state;
	const char	*copies = mem_printf(s->mem, "%s/copies", s->dir);

	assert_int_equal(mkdir(copies, 0700), 0);
	setenv("CREDENTIALS_DIRECTORY", copies, 1);
	assert_int_equal(load_key(s, "sk_test_file\n", 0600), OK);
	assert_string_equal(s->config->stripe.key, "sk_test_file");
	file_write(s, "copies/key", "sk_test_copy\n", 0440);
	assert_int_equal(load_key(s, "sk_test_file\n", 0644), OK);
	assert_string_equal(s->config->stripe.key, "sk_test_copy");
	file_write(s, "copies/key", "sk_test_copy\n", 0444);
	assert_int_equal(load_key(s, "sk_test_file\n", 0600), ERR_INVALID);
	file_write(s, "copies/key", "sk_test_copy\n", 0460);
	assert_int_equal(load_key(s, "sk_test_file\n", 0600), ERR_INVALID);
	file_write(s, "copies/key", "\n", 0440);
	assert_int_equal(load_key(s, "sk_test_file\n", 0600), OK);
	assert_string_equal(s->config->stripe.key, "sk_test_file");
	setenv("CREDENTIALS_DIRECTORY", "copies", 1);
	assert_int_equal(load_key(s, "sk_test_file\n", 0600), OK);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_f104_a_secret_is_in_a_regular_file_of_a_secrets_size(void **state)
{
	struct stage	*s = *state;
	const char	*pipe = mem_printf(s->mem, "%s/pipe", s->dir);
	char		large[5000] = "sk_test_";

	assert_int_equal(mkfifo(pipe, 0600), 0);
	alarm(20);	/* a pipe that nobody writes to is not waited for */
	assert_int_equal(load(s, NEED_STRIPE, mem_printf(s->mem, "stripe = { key_file = \"%s\"; };", pipe)), ERR_INVALID);
	alarm(0);
	assert_non_null(strstr(s->said, "is not a regular file"));
	assert_int_equal(load(s, NEED_STRIPE, mem_printf(s->mem, "stripe = { key_file = \"%s\"; };", s->dir)), ERR_INVALID);
	assert_non_null(strstr(s->said, "is not a regular file"));
	memset(large + 8, 'a', sizeof(large) - 9);
	assert_int_equal(load_key(s, large, 0600), ERR_INVALID);
	assert_non_null(strstr(s->said, "is too long to be a secret"));
}

static void
test_f121_a_secret_that_is_none_is_told_but_never_shown(void **state)
{
	static const struct {
		const char	*secret, *wrong;
	} table[] = {
		{ "", "is empty" }, { "\n", "is empty" }, { "sk_hush hush", "white space" }, { "sk_hush\n\nx", "white space" },
		{ "sk_test_hush\x01", "control character" }, { "sk_test_hush\x7f", "control character" },
		{ " sk_hush", "white space" }, { "pk_hush", "must begin with sk_ or rk_" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(load_key(s, table[i].secret, 0600), ERR_INVALID);
		assert_non_null(strstr(s->said, table[i].wrong));
		assert_null(strstr(s->said, "hush"));
	}
	assert_int_equal(load(s, NEED_STRIPE, "stripe = { key_file = \"/nonexistent\"; };"), ERR_INVALID);
	assert_non_null(strstr(s->said, ":1: stripe.key_file /nonexistent does not exist"));
	assert_int_equal(load(s, NEED_STRIPE, "stripe = { key_file = \"/dev/zero\"; };"), ERR_INVALID);
	assert_int_equal(load(s, NEED_STRIPE, "stripe = { };"), ERR_INVALID);
	assert_non_null(strstr(s->said, "TOLLGATE_STRIPE_KEY is not set"));
}

static void
test_f104_the_environment_goes_first_and_is_wiped(void **state)
{
	struct stage	*s = *state;
	char		here[] = "TOLLGATE_STRIPE_WEBHOOK_SECRET="
	    "whsec_one_0123456789abcdef0123456  whsec_two_0123456789abcdef0123456";

	assert_int_equal(putenv(here), 0);
	setenv("TOLLGATE_STRIPE_KEY", "sk_other", 1);
	assert_int_equal(load(s, NEED_WEBHOOK, "stripe = { webhook_secret_files = [\"/nonexistent\"]; };"), OK);
	assert_int_equal(s->config->stripe.webhook_secrets.n, 2);
	assert_string_equal(s->config->stripe.webhook_secrets.items[0], "whsec_one_0123456789abcdef0123456");
	assert_string_equal(s->config->stripe.webhook_secrets.items[1], "whsec_two_0123456789abcdef0123456");
	assert_null(getenv("TOLLGATE_STRIPE_WEBHOOK_SECRET"));
	assert_string_equal(here, "TOLLGATE_STRIPE_WEBHOOK_SECRET=");
	/* not needed here: wiped all the same, and not kept */
	assert_null(getenv("TOLLGATE_STRIPE_KEY"));
	assert_null(s->config->stripe.key);
	setenv("TOLLGATE_STRIPE_WEBHOOK_SECRET", "whsec_one_0123456789abcdef0123456 sk_two", 1);
	assert_int_equal(load(s, NEED_WEBHOOK, ""), ERR_INVALID);
	assert_non_null(strstr(s->said, "TOLLGATE_STRIPE_WEBHOOK_SECRET: the secret must begin with whsec_"));
	setenv("TOLLGATE_STRIPE_WEBHOOK_SECRET", "whsec_", 1);
	assert_int_equal(load(s, NEED_WEBHOOK, ""), ERR_INVALID);
	assert_non_null(strstr(s->said, "TOLLGATE_STRIPE_WEBHOOK_SECRET: the secret is too short"));
	setenv("TOLLGATE_STRIPE_WEBHOOK_SECRET", "", 1);
	assert_int_equal(load(s, NEED_WEBHOOK, ""), ERR_INVALID);
}

static void
test_f104_no_file_is_needed_beside_the_environment(void **state)
{
	struct stage	*s = *state;

	setenv("TOLLGATE_STRIPE_WEBHOOK_SECRET", "whsec_one_0123456789abcdef0123456", 1);
	assert_int_equal(load(s, NEED_WEBHOOK, "stripe = { webhook_secret_files = []; };"), OK);
	assert_int_equal(s->config->stripe.webhook_secrets.n, 1);
	assert_int_equal(load(s, NEED_WEBHOOK, "stripe = { webhook_secret_files = []; };"), ERR_INVALID);
	assert_non_null(strstr(s->said, "has no secret, and TOLLGATE_STRIPE_WEBHOOK_SECRET is not set"));
}

static void
test_f104_two_files_of_one_last_name_are_refused(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(mkdir(mem_printf(s->mem, "%s/old", s->dir), 0700), 0);
	file_write(s, "one", "whsec_one_0123456789abcdef0123456", 0600);
	file_write(s, "two", "whsec_two_0123456789abcdef0123456", 0600);
	file_write(s, "old/one", "whsec_two_0123456789abcdef0123456", 0600);
	assert_int_equal(load(s, NEED_WEBHOOK, mem_printf(s->mem,
	    "stripe = { webhook_secret_files = [\"%s/one\", \"%s/two\"]; };", s->dir, s->dir)), OK);
	assert_int_equal(load(s, NEED_WEBHOOK, mem_printf(s->mem,
	    "stripe = { webhook_secret_files = [\"%s/one\", \"%s/old/one\"]; };", s->dir, s->dir)), ERR_INVALID);
	assert_non_null(strstr(s->said, ":1: stripe.webhook_secret_files"));
	assert_non_null(strstr(s->said, "/old/one has the last name of"));
}

static void
test_f202_the_key_of_the_seeds_comes_before_the_one_that_it_replaces(void **state)
{
	static const char	newest[] = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", before[] = "oooooooooooooooooooooooooooooooo";
	struct stage		*s = *state;

	setenv("TOLLGATE_SEED_KEY", newest, 1);
	setenv("TOLLGATE_SEED_KEY_BEFORE", before, 1);
	assert_int_equal(load(s, NEED_SEED_KEY, ""), OK);
	assert_string_equal(config_seed_keys(s->mem, s->config), mem_printf(s->mem, "%s %s", newest, before));
	setenv("TOLLGATE_SEED_KEY", newest, 1);
	assert_int_equal(load(s, NEED_SEED_KEY, ""), OK);
	assert_string_equal(config_seed_keys(s->mem, s->config), newest);
	setenv("TOLLGATE_SEED_KEY_BEFORE", before, 1);
	assert_int_equal(load(s, NEED_SEED_KEY, ""), OK);
	assert_string_equal(config_seed_keys(s->mem, s->config), "");
}

static void
test_c92_a_key_is_of_the_environments_own_mode(void **state)
{
	static const struct {
		const char	*environment, *key, *wanted;	/* NULL: it will do */
	} table[] = {
		{ "", "sk_live_hush", NULL }, { "production", "rk_live_hush", NULL },
		{ "", "sk_test_hush", "sk_live_ or rk_live_: site.environment is \"production\"" },
		{ "production", "rk_test_hush", "sk_live_ or rk_live_" }, { "production", "sk_hush", "sk_live_ or rk_live_" },
		{ "preview", "sk_test_hush", NULL }, { "development", "rk_test_hush", NULL },
		{ "preview", "rk_live_hush", "sk_test_ or rk_test_: site.environment is \"preview\"" },
		{ "development", "sk_live_hush", "sk_test_ or rk_test_: site.environment is \"development\"" },
		{ "staging", "sk_test_hush", "must be production, preview or development" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char	*text = mem_printf(s->mem, "site = { %s%s%s };\nstripe = { key_file = \"%s\"; };\n",
				    *table[i].environment ? "environment = \"" : "", table[i].environment,
				    *table[i].environment ? "\";" : "", file_write(s, "key", table[i].key, 0600));

		assert_int_equal(load(s, NEED_STRIPE, text), table[i].wanted ? ERR_INVALID : OK);
		assert_true(table[i].wanted == NULL || strstr(s->said, table[i].wanted) != NULL);
		assert_null(strstr(s->said, "hush"));
		assert_int_equal(load(s, NEED_MAIL, text), ERR_INVALID);	/* it lacks mail, and asks for no key */
		assert_null(strstr(s->said, "stripe"));
	}
	setenv("TOLLGATE_STRIPE_KEY", "sk_test_hush", 1);
	assert_int_equal(load(s, NEED_STRIPE, "\nsite = { environment = \"production\"; };"), ERR_INVALID);
	assert_non_null(strstr(s->said, ":2: stripe.key_file (or TOLLGATE_STRIPE_KEY) must hold a key"));
}

static void
test_c93_a_secret_not_needed_is_not_read(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_SITE, mem_printf(s->mem, "%sstripe = { key_file = \"/nonexistent\"; };", site)), OK);
	assert_null(s->config->stripe.key);
}

/* Whatever names a plan or a meter names one that there is, and says it once. */
static void
test_c75_what_is_used_is_of_plans_and_meters_that_there_are(void **state)
{
	static const struct {
		const char	*usage, *wrong;		/* wrong: NULL for a good one */
	} table[] = {
		{ "quotas = ( { plan = \"a\"; meter = \"tokens\"; included = 5; sold = true; price = \"price_t\"; } );\n"
		  "rates = ( { name = \"minute\"; }, { name = \"minute\"; plan = \"a\"; },\n"
		  "{ name = \"day\"; meter = \"tokens\"; }, { name = \"day\"; plan = \"a\"; meter = \"tokens\"; } );\n"
		  "caps = ( { kind = \"all\"; amount = 5; }, { kind = \"tenant\"; plan = \"a\"; amount = 1; } );\n"
		  "costs = ( { model = \"tokens\"; micros = \"40000000000\"; },\n"
		  "{ provider = \"p\"; model = \"m-1\"; micros = 5; } );\n",
		    NULL },
		{ "quotas = ( { plan = \"b\"; meter = \"tokens\"; } );", ":2: quotas.plan \"b\" is not one of plans" },
		{ "quotas = ( { plan = \"a\"; meter = \"b\"; } );", ":2: quotas.meter \"b\" is not one of meters" },
		{ "quotas = ( { plan = \"a\"; meter = \"tokens\"; },\n{ plan = \"a\"; meter = \"tokens\"; } );",
		    ":3: quotas says this twice" },
		{ "rates = ( { name = \"a\"; plan = \"b\"; } );", "rates.plan" },
		{ "rates = ( { name = \"a\"; meter = \"b\"; } );", "rates.meter" },
		{ "rates = ( { name = \"a\"; },\n{ name = \"a\"; } );", ":3: rates says this twice" },
		{ "rates = ( { name = \"m\"; meter = \"tokens\"; }, { name = \"day\"; meter = \"mails\"; },\n"
		  "{ name = \"m\"; plan = \"a\"; meter = \"mails\"; } );",
		    ":3: rates.meter \"mails\" is not \"tokens\", which another rate of the name \"m\" has" },
		{ "rates = ( { name = \"m\"; meter = \"tokens\"; },\n{ name = \"m\"; plan = \"a\"; } );",
		    ":3: rates.meter \"\" is not \"tokens\", which" },
		{ "caps = ( { kind = \"user\"; plan = \"b\"; } );", "caps.plan" },
		{ "caps = ( { kind = \"all\"; },\n{ kind = \"all\"; } );", ":3: caps says this twice" },
		{ "costs = ( { model = \"tokens\"; micros = \"1000000000001\"; } );",
		    "costs.micros must be from 0 to 1000000000000" },
		{ "costs = ( { model = \"tokens\"; micros = \"4e3\"; } );", "costs.micros must be a whole number" },
		{ "costs = ( { model = \"b\"; } );", "costs.model \"b\" is not one of meters" },
		{ "costs = ( { provider = \"p\"; model = \"m\"; },\n{ provider = \"p\"; model = \"m\"; } );",
		    ":3: costs says this twice" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_PLANS | NEED_USAGE, mem_printf(s->mem,
				    "plans = ( { id = \"a\"; price = \"price_a\"; } );"
				    " meters = ( { event_name = \"tokens\"; display_name = \"T\"; },"
				    " { event_name = \"mails\"; display_name = \"M\"; } );\n%s", table[i].usage));

		assert_int_equal(e, table[i].wrong ? ERR_INVALID : OK);
		if (table[i].wrong)
			assert_non_null(strstr(s->said, table[i].wrong));
		else
			assert_true(s->config->n_quotas == 1 && s->config->quotas[0].sold && s->config->n_costs == 2 &&
			    s->config->costs[0].micros == INT64_C(40000000000));
	}
}

/* A provider of models is asked where its key is safe, and only by what its API knows. */
static void
test_c81_a_provider_of_models(void **state)
{
	static const struct {
		const char	*members, *wrong;		/* wrong: NULL for a good one */
	} table[] = {
		{ "kind = \"openai-chat\"; url = \"https://a.example/v1\";", NULL },
		{ "kind = \"openai-chat\"; url = \"http://127.0.0.1:8000\"; max_tokens_field = \"max_tokens\"; "
		  "stream_options = false;", NULL },
		{ "kind = \"anthropic\"; url = \"https://a.example/v1\"; version = \"2023-06-01\"; auth = \"bearer\";", NULL },
		{ "kind = \"gemini\"; url = \"https://a.example\";", "must be openai-chat, openai-responses or anthropic" },
		{ "kind = \"anthropic\";", "model_providers.url is missing" },
		{ "kind = \"anthropic\"; url = \"http://a.example/v1\";", "must begin with https://" },
		{ "kind = \"anthropic\"; url = \"http://127.0.0.1.evil.example/v1\";", "must begin with https://" },
		{ "kind = \"anthropic\"; url = \"https://a.example/v1/\";", "no slash at the end" },
		{ "kind = \"anthropic\"; url = \"https://u:p@a.example/v1\";", "no user" },
		{ "kind = \"anthropic\"; url = \"https://a.example/v1?x=y\";", "no query" },
		{ "kind = \"anthropic\"; url = \"https://a.example\"; auth = \"basic\";", "must be bearer or x-api-key" },
		{ "kind = \"anthropic\"; url = \"https://a.example\"; max_tokens_field = \"max_tokens\";", "has no effect" },
		{ "kind = \"openai-chat\"; url = \"https://a.example\"; version = \"2026-10-21\";", "has no effect" },
		{ "kind = \"openai-chat\"; url = \"https://a.example\"; max_tokens_field = \"n\";", "must be max_tokens" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_CHAT, mem_printf(s->mem, "model_providers = ( { name = \"p\"; %s } );",
		    table[i].members));

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s: %s", table[i].members, s->said);
	}
}

static void
test_c81_a_provider_of_models_is_what_its_kind_is(void **state)
{
	struct stage				*s = *state;
	const struct config_model_provider	*p;

	assert_int_equal(load(s, NEED_CHAT, "model_providers = ("
	    "{ name = \"a\"; kind = \"openai-chat\"; url = \"https://a.example/v1\"; key_file = \"/nonexistent\"; }, "
	    "{ name = \"b\"; kind = \"anthropic\"; url = \"https://b.example\"; } );"), OK);
	p = config_model_provider(s->config, "a");
	assert_string_equal(p->auth, "bearer");
	assert_string_equal(p->max_tokens_field, "max_completion_tokens");
	assert_true(p->stream_options);
	p = config_model_provider(s->config, "b");
	assert_string_equal(p->auth, "x-api-key");
	assert_string_equal(p->version, "2026-10-21");
	assert_string_equal(p->max_tokens_field, "");
	assert_null(config_model_provider(s->config, "c"));
}

/* migrate knows the models; only the program that asks them reads their providers' keys. */
static void
test_c93_the_key_of_a_provider_of_models_is_read_where_it_is_needed(void **state)
{
	struct stage	*s = *state;
	const char	*text = mem_printf(s->mem, "model_providers = ( { name = \"a\"; kind = \"anthropic\"; "
	    "url = \"https://a.example\"; key_file = \"%s\"; } );", file_write(s, "a.secret", "sk-hush\n", 0600));

	assert_int_equal(load(s, NEED_CHAT | NEED_MODEL_KEYS, text), OK);
	assert_string_equal(s->config->model_providers[0].key, "sk-hush");
	assert_int_equal(load(s, NEED_CHAT, text), OK);
	assert_string_equal(s->config->model_providers[0].key, "");
	file_write(s, "a.secret", "sk-hush two\n", 0600);
	assert_int_equal(load(s, NEED_CHAT | NEED_MODEL_KEYS, text), ERR_INVALID);
	assert_non_null(strstr(s->said, "white space"));
	assert_null(strstr(s->said, "hush"));
}

#define MODEL "name = \"small\"; provider = \"p\"; model = \"m-1\"; "

/* A model has a provider, plans that may use tokens, and a price: nothing begins whose cost is not known. */
static void
test_f146_a_model_has_what_it_needs(void **state)
{
	static const struct {
		const char	*models, *chat, *wrong;		/* wrong: NULL for a good one */
	} table[] = {
		{ MODEL "plans = [\"a\"];", "meter = \"tokens\"; model = \"small\";", NULL },
		{ MODEL "plans = [\"a\"]; }, { name = \"large\"; provider = \"p\"; model = \"m-1\"; fallback = \"small\";",
		    "meter = \"tokens\"; model = \"small\"; title_model = \"large\";", NULL },
		{ MODEL, "", NULL },
		{ "name = \"small\"; provider = \"q\"; model = \"m-1\";", "",
		    ":3: models.provider \"q\" is not one of model_providers" },
		{ MODEL "plans = [\"b\"];", "", ":3: models.plans \"b\" is not one of plans" },
		{ MODEL "plans = [\"c\"];", "meter = \"tokens\"; model = \"small\";",
		    ":3: models.plans \"c\" has no quota of \"tokens\"" },
		{ MODEL "fallback = \"large\";", "", ":3: models.fallback \"large\" is not one of models" },
		{ MODEL "fallback = \"small\";", "", "models.fallback is the model itself" },
		{ MODEL "max_tokens = 2000; context = 2000;", "", "models.context must be above models.max_tokens" },
		{ "name = \"small\"; provider = \"p\"; model = \"m-2\";", "",
		    ":3: models.model costs have no \"output\" of \"m-2\" of provider \"p\"" },
		{ "name = \"a b\"; provider = \"p\"; model = \"m-1\";", "", "must be 1 to 64 letters" },
		{ MODEL, "meter = \"tokens\";", "chat.model \"\" is not one of models" },
		{ MODEL, "model = \"large\";", "chat.model \"large\" is not one of models" },
		{ MODEL, "title_model = \"large\";", "chat.title_model \"large\" is not one of models" },
		{ MODEL "plans = [\"a\"];", "meter = \"mails\"; model = \"small\";",
		    "chat.meter \"mails\" is not one of meters" },
		{ MODEL, "total_ms = 240001;", "chat.total_ms must be from 10 to 240000" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_PLANS | NEED_USAGE | NEED_CHAT, mem_printf(s->mem,
		    "plans = ( { id = \"a\"; price = \"price_a\"; }, { id = \"c\"; price = \"price_c\"; } ); "
		    "meters = ( { event_name = \"tokens\"; display_name = \"T\"; } ); "
		    "quotas = ( { plan = \"a\"; meter = \"tokens\"; } );\n"
		    "costs = ( { provider = \"p\"; model = \"m-1\"; class = \"input\"; }, "
		    "{ provider = \"p\"; model = \"m-1\"; class = \"output\"; }, "
		    "{ provider = \"p\"; model = \"m-2\"; class = \"input\"; } ); "
		    "model_providers = ( { name = \"p\"; kind = \"anthropic\"; url = \"https://a.example\"; } );\n"
		    "models = ( { %s } );\nchat = { %s };", table[i].models, table[i].chat));

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%s %s: %s", table[i].models, table[i].chat, s->said);
		if (table[i].wrong && strchr(s->said, '\n')[1] != '\0')
			fail_msg("more than the one fault: %s", s->said);
	}
}

static void
test_c82_a_model_is_found_by_its_name(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_CHAT, "model_providers = ( { name = \"p\"; kind = \"anthropic\"; "
	    "url = \"https://a.example\"; } ); "
	    "models = ( { name = \"gpt-4.1\"; provider = \"p\"; model = \"m\"; } );"), OK);
	assert_string_equal(config_model(s->config, "gpt-4.1")->display_name, "gpt-4.1");
	assert_int_equal(config_model(s->config, "gpt-4.1")->max_tokens, 4096);
	assert_null(config_model(s->config, "gpt-4"));
}

/* What is sold beside a plan is in its currency and month. */
static void
test_c76_what_is_sold_fits_its_plan(void **state)
{
	static const struct {
		const char	*plan, *quota, *wrong;		/* wrong: NULL for a good one */
	} table[] = {
		{ "price = \"price_a\";", "price = \"price_t\";", NULL },
		{ "lookup_key = \"a\"; amount = 100; currency = \"eur\";", "lookup_key = \"t\"; unit_amount = \"0.250\";",
		    NULL },
		{ "price = \"price_a\";", "lookup_key = \"t\"; unit_amount = \"0.25\";",
		    ":2: quotas.lookup_key needs a plan with amount and currency" },
		{ "free = true;", "price = \"price_t\";", ":2: quotas.sold has no effect: plan \"a\" is free" },
		{ "price = \"price_a\"; interval = \"year\";", "price = \"price_t\";",
		    ":2: quotas.sold is for plans that are paid" },
		{ "price = \"price_a\";", "price = \"price_a\";", ":2: quotas has the price or lookup_key of a plan" },
		{ "lookup_key = \"a\"; amount = 100; currency = \"eur\";", "lookup_key = \"a\"; unit_amount = \"1\";",
		    ":2: quotas has the price or lookup_key of a plan" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_PLANS | NEED_USAGE, mem_printf(s->mem, "plans = ( { id = \"a\"; %s } ); "
				    "meters = ( { event_name = \"tokens\"; display_name = \"T\"; } );\n"
				    "quotas = ( { plan = \"a\"; meter = \"tokens\"; sold = true; %s } );", table[i].plan,
				    table[i].quota));

		assert_int_equal(e, table[i].wrong ? ERR_INVALID : OK);
		if (table[i].wrong)
			assert_non_null(strstr(s->said, table[i].wrong));
		else if (*s->config->quotas[0].unit_amount)
			assert_string_equal(s->config->quotas[0].unit_amount, "0.25");
	}
}

static void
test_c76_the_portal_does_not_end_at_once_what_is_sold_by_use(void **state)
{
	static const struct {
		const char	*name, *cancel, *sold;
		enum err	err;
	} table[] = {
		{ "Ours", "immediately", "true; price = \"price_t\"", ERR_INVALID },
		{ "Ours", "at_period_end", "true; price = \"price_t\"", OK },
		{ "Ours", "immediately", "false", OK },
		{ "", "immediately", "true; price = \"price_t\"", OK },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(load(s, NEED_PLANS | NEED_USAGE | NEED_PROVISIONING, mem_printf(s->mem, "%s"
				     "portal = { name = \"%s\"; cancel = \"%s\"; };\n"
				     "plans = ( { id = \"a\"; price = \"price_a\"; } );"
				     "meters = ( { event_name = \"tokens\"; display_name = \"T\"; } );\n"
				     "quotas = ( { plan = \"a\"; meter = \"tokens\"; sold = %s; } );", site, table[i].name,
				     table[i].cancel, table[i].sold)), table[i].err);
		if (table[i].err)
			assert_non_null(strstr(s->said, "portal.cancel must not be immediately where quotas are sold"));
	}
}

static void
test_plans_have_ids_and_prices_of_their_own(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_PLANS, "plans = ( { id = \"starter\"; price = \"price_1\"; },"
	    " { id = \"growth\"; price = \"price_2\"; } );"), OK);
	assert_string_equal(config_plan(s->config, "growth")->price, "price_2");
	assert_null(config_plan(s->config, "other"));
	assert_int_equal(load(s, NEED_PLANS, "plans = (\n{ id = \"a\"; price = \"price_1\"; },\n"
	    "{ id = \"a\"; price = \"price_1\"; },\n{ id = \"B\"; price = \"prod_1\"; },\n{ id = \"c\"; } );"),
	    ERR_INVALID);
	assert_non_null(strstr(s->said, ":3: plans.id has \"a\" twice"));
	assert_non_null(strstr(s->said, ":3: plans.price has \"price_1\" twice"));
	assert_non_null(strstr(s->said, ":4: plans.id \"B\" must be lower-case"));
	assert_non_null(strstr(s->said, ":4: plans.price \"prod_1\" must begin with price_"));
	assert_non_null(strstr(s->said, ":5: plans has neither price nor lookup_key"));
	assert_int_equal(load(s, NEED_PLANS, "plans = ();"), ERR_INVALID);
	assert_int_equal(load(s, NEED_PLANS, ""), ERR_INVALID);
	assert_non_null(strstr(s->said, "plans is missing"));
}

static void
test_c17_what_a_plan_may_have_beside_a_price(void **state)
{
	static const struct {
		const char	*plans, *wrong;		/* wrong: NULL for a good one */
	} table[] = {
		{ "{ id = \"a\"; free = true; features = [\"chat\"]; }, { id = \"b\"; price = \"price_b\"; }", NULL },
		{ "{ id = \"a\"; free = true; },\n{ id = \"b\"; free = true; }", ":2: plans.free is true twice" },
		{ "{ id = \"a\"; free = true; price = \"price_a\"; }", ":1: plans.price has no effect in a plan that is free" },
		{ "{ id = \"a\"; free = true; lookup_key = \"a\"; }", ":1: plans.lookup_key has no effect" },
		{ "{ id = \"a\"; free = true;\namount = 500; currency = \"eur\"; }", ":2: plans.amount has no effect" },
		{ "{ id = \"a\"; free = true; currency = \"eur\"; }", ":1: plans.currency has no effect" },
		{ "{ id = \"a\"; free = true; interval = \"month\"; }", ":1: plans.interval has no effect" },
		{ "{ id = \"a\"; free = true; grace_days = 7; }", ":1: plans.grace_days has no effect" },
		{ "{ id = \"a\"; free = true; trial_days = 14; }", ":1: plans.trial_days has no effect" },
		{ "{ id = \"a\"; free = true; quantity_min = 1; }", ":1: plans.quantity_min has no effect" },
		{ "{ id = \"a\"; free = true; quantity_max = 9; }", ":1: plans.quantity_max has no effect" },
		{ "{ id = \"a\"; price = \"price_a\"; lookup_key = \"a\"; amount = 500; currency = \"eur\"; }",
		    ":1: plans has both price and lookup_key" },
		{ "{ id = \"a\"; price = \"price_a\"; currency = \"eur\"; }", ":1: plans has a currency without an amount" },
		{ "{ id = \"a\"; free = true; product = \"a\"; }", ":1: plans.product has no effect" },
		{ "{ id = \"a\"; price = \"price_a\"; product = \"a\"; }", ":1: plans has both price and product" },
		{ "{ id = \"a\"; lookup_key = \"a\"; product = \"A b\"; }", ":1: plans.product \"A b\" must be lower-case" },
		{ "{ id = \"a\"; price = \"price_a\"; quantity_min = 3; quantity_max = 2; }", ":1: plans has a quantity_max" },
		{ "{ id = \"a\"; price = \"price_a\"; trial_days = 731; }", ":1: plans.trial_days must be from 0 to 730" },
		{ "{ id = \"a\"; free = false; }", ":1: plans has neither price nor lookup_key" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_PLANS, mem_printf(s->mem, "plans = ( %s );", table[i].plans));

		assert_int_equal(e, table[i].wrong ? ERR_INVALID : OK);
		if (table[i].wrong)
			assert_non_null(strstr(s->said, table[i].wrong));
		else
			assert_true(config_plan(s->config, "a")->free && !config_plan(s->config, "b")->free);
	}
}

static void
test_plans_may_be_found_by_a_lookup_key(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_PLANS, "plans = ( { id = \"a\"; lookup_key = \"a_yearly\"; amount = 19000;"
	    " currency = \"eur\"; interval = \"year\"; grace_days = 3; features = [\"chat\", \"export\"]; },"
	    " { id = \"b\"; price = \"price_b\"; } );"), OK);
	assert_string_equal(s->config->plans[0].price, "");
	assert_int_equal(s->config->plans[0].amount, 19000);
	assert_string_equal(s->config->plans[0].interval, "year");
	assert_int_equal(s->config->plans[0].grace_days, 3);
	assert_int_equal(s->config->plans[0].features.n, 2);
	assert_string_equal(s->config->plans[0].features.items[1], "export");
	assert_string_equal(s->config->plans[1].interval, "month");
	assert_int_equal(s->config->plans[1].grace_days, 7);
	assert_int_equal(s->config->plans[1].features.n, 0);
}

/* Stripe takes the price of each, and refuses a payment of it. */
static void
test_f121_an_amount_is_one_that_stripe_charges(void **state)
{
	static const struct {
		const char	*currency;
		int		amount;
		const char	*wrong;		/* NULL: a good one */
	} table[] = {
		{ "eur", 50, NULL }, { "eur", 49, ":1: plans has amount 49, and Stripe charges at least 50 in eur" },
		{ "huf", 17400, "at least 17500 in huf" }, { "jpy", 50, NULL }, { "jpy", 49, "at least 50 in jpy" },
		{ "kwd", 5120, NULL }, { "kwd", 5124, "has amount 5124, and one in kwd must be a multiple of 10" },
		{ "isk", 50000, NULL }, { "isk", 50050, "a multiple of 100" }, { "ugx", 50010, "a multiple of 100" },
		{ "zmw", 1, NULL }, { "eux", 500, "plans.currency \"eux\" is not a currency that Stripe takes" },
		{ "aff", 500, "is not a currency" }, { "d a", 500, "must be three lower-case letters" },
	};
	struct stage	*s = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err	e = load(s, NEED_PLANS, mem_printf(s->mem,
		    "plans = ( { id = \"a\"; lookup_key = \"a\"; amount = %d; currency = \"%s\"; } );", table[i].amount,
		    table[i].currency));

		if (e != (table[i].wrong ? ERR_INVALID : OK) || (table[i].wrong && strstr(s->said, table[i].wrong) == NULL))
			fail_msg("%d %s: %s", table[i].amount, table[i].currency, s->said);
	}
}

static void
test_f121_members_of_plans_and_meters_are_checked(void **state)
{
	static const char	*expected[] = {
		":2: plans has a lookup_key, but not both amount and currency",
		":3: plans.currency \"Eur\" must be three lower-case letters",
		":3: plans.interval \"fortnight\" must be day, week, month or year",
		":4: plans.grace_days must be from 0 to 365",
		":4: colour is not known here",
		":5: plans must be a list of",
		":6: meters.display_name is missing",
		":7: portal.cancel \"never\" must be at_period_end",
		":7: portal.customer_update \"card\" must be address",
	};
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_PLANS | NEED_PROVISIONING, "plans = (\n"
	    "{ id = \"a\"; lookup_key = \"a\"; amount = 1; },\n"
	    "{ id = \"b\"; price = \"price_b\"; currency = \"Eur\"; interval = \"fortnight\"; },\n"
	    "{ id = \"c\"; price = \"price_c\"; grace_days = 366; colour = 1; },\n"
	    "7 );\n"
	    "meters = ( { event_name = \"tokens\"; } );\n"
	    "portal = { cancel = \"never\"; customer_update = [\"card\"]; };\n"), ERR_INVALID);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strstr(s->said, expected[i]) == NULL)
			fail_msg("not told: %s\n%s", expected[i], s->said);
	}
}

static void
test_c24_the_portal_may_forbid_every_change(void **state)
{
	struct stage	*s = *state;

	assert_int_equal(load(s, NEED_PROVISIONING,
	    "portal = { name = \"ours\"; customer_update = []; cancel = \"no\"; };"), OK);
	assert_int_equal(s->config->portal.customer_update.n, 0);
	assert_true(s->config->portal.invoices);
	assert_int_equal(s->config->n_meters, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f121_defaults_are_good_ones),
		TEST(test_f121_the_commented_file_shows_every_default),
		TEST(test_c90_every_fault_is_told_at_once_with_its_line),
		TEST(test_f121_a_file_that_is_no_configuration),
		TEST(test_f121_values_are_checked),
		TEST(test_f121_numbers_have_limits),
		TEST(test_f121_texts_of_other_sections_are_checked),
		TEST(test_f104_a_secret_is_in_a_regular_file_of_a_secrets_size),
		TEST(test_f121_mail_that_could_be_read_on_the_way_is_refused),
		TEST(test_f121_a_networks_limit_is_not_above_that_of_the_network_around_it),
		TEST(test_f96_stripe_and_mail_are_spoken_to_in_the_clear_on_this_machine_only),
		TEST(test_f104_a_secret_comes_from_a_closed_file),
		TEST(test_f104_systemds_copy_of_a_secret_goes_before_the_file_of_its_name),
		TEST(test_f121_a_secret_that_is_none_is_told_but_never_shown),
		TEST(test_f104_no_file_is_needed_beside_the_environment),
		TEST(test_f104_two_files_of_one_last_name_are_refused),
		TEST(test_f104_the_environment_goes_first_and_is_wiped),
		TEST(test_f202_the_key_of_the_seeds_comes_before_the_one_that_it_replaces),
		TEST(test_c92_a_key_is_of_the_environments_own_mode),
		TEST(test_f121_a_party_that_vouches_for_users),
		TEST(test_c92_a_preset_knows_its_issuer_and_another_program_no_secret),
		TEST(test_c93_a_secret_not_needed_is_not_read),
		TEST(test_c75_what_is_used_is_of_plans_and_meters_that_there_are),
		TEST(test_c81_a_provider_of_models),
		TEST(test_c81_a_provider_of_models_is_what_its_kind_is),
		TEST(test_c93_the_key_of_a_provider_of_models_is_read_where_it_is_needed),
		TEST(test_f146_a_model_has_what_it_needs),
		TEST(test_c82_a_model_is_found_by_its_name),
		TEST(test_c76_what_is_sold_fits_its_plan),
		TEST(test_c76_the_portal_does_not_end_at_once_what_is_sold_by_use),
		TEST(test_plans_have_ids_and_prices_of_their_own),
		TEST(test_c17_what_a_plan_may_have_beside_a_price),
		TEST(test_plans_may_be_found_by_a_lookup_key),
		TEST(test_f121_an_amount_is_one_that_stripe_charges),
		TEST(test_f121_members_of_plans_and_meters_are_checked),
		TEST(test_c24_the_portal_may_forbid_every_change),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
