#include "private/config_key.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *
config_check_filled(const char *s)
{
	return *s ? NULL : "is empty";
}

static bool
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
host_is_loopback(const char *host, size_t n)
{
	return (n == 9 && begins(host, "localhost")) || (n == 5 && begins(host, "[::1]")) ||
	    (n > 4 && begins(host, "127.") && strspn(host, "0123456789.") == n);
}

static size_t
name_length(const char *s)
{
	size_t	n;

	if (*s != '[')
		return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	n = 1 + strspn(s + 1, ":.0123456789abcdefABCDEF");
	return s[n] == ']' ? n + 1 : 0;
}

/* The length of HOST in "HOST" or "HOST:PORT"; 0 for anything else. */
static size_t
host_length(const char *s)
{
	size_t	n = name_length(s);
	char	*end;
	long	port;

	if (s[n] == '\0')
		return n;
	if (s[n] != ':' || !isdigit((unsigned char)s[n + 1]))
		return 0;
	port = strtol(s + n + 1, &end, 10);
	return *end == '\0' && port >= 1 && port <= 65535 ? n : 0;
}

const char *
config_check_origin(const char *s)
{
	bool		plain = begins(s, "http://");
	const char	*host = s + (plain ? 7 : 8);
	size_t		n;

	if (!plain && !begins(s, "https://"))
		return "must begin with https://";
	n = host_length(host);
	if (n == 0)
		return "must be scheme, host and perhaps port, with no slash at the end";
	return plain && !host_is_loopback(host, n) ? "must begin with https:// (http only on a loopback address)" : NULL;
}

static const char *
check_smtp(const char *s)
{
	size_t	scheme = begins(s, "smtp://") ? 7 : begins(s, "smtps://") ? 8 : 0;

	return scheme && host_length(s + scheme) ? NULL : "must be smtp://HOST:PORT or smtps://HOST:PORT";
}

bool
config_smtp_is_private(const char *url)
{
	return begins(url, "smtps://") || host_is_loopback(url + 7, host_length(url + 7));
}

static const char *
check_helo(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[:]") == strlen(s) ? NULL :
	    "must be a host's name, or an address in brackets, as in \"[192.0.2.1]\"";
}

static const char *
check_from(const char *s)
{
	return strchr(s, '@') ? NULL : "must hold an address, as in \"Name <billing@example.com>\"";
}

static const char *
check_help(const char *s)
{
	return *s == '\0' || begins(s, "https://") || (strchr(s, '@') && strpbrk(s, " <>,;:") == NULL) ? NULL :
	    "must be an address, as in \"help@example.com\", or a page that begins with https://";
}

static const char *
check_to(const char *s)
{
	return *s == '\0' || (strchr(s, '@') && strpbrk(s, " <>,;") == NULL) ? NULL :
	    "must be one address, as in \"ops@example.com\"";
}

static const char *
check_language(const char *s)
{
	return strlen(s) == 2 && islower((unsigned char)s[0]) && islower((unsigned char)s[1]) ? NULL :
	    "must be two lower-case letters each, as in \"en\"";
}

static const char *
check_directory(const char *s)
{
	struct stat	st;

	return stat(s, &st) == 0 && S_ISDIR(st.st_mode) ? NULL : "is not a directory";
}

static const char *
check_portal(const char *s)
{
	return *s == '\0' || begins(s, "bpc_") ? NULL : "must begin with bpc_";
}

static const char *
check_environment(const char *s)
{
	return strcmp(s, "production") == 0 || strcmp(s, "preview") == 0 || strcmp(s, "development") == 0 ? NULL :
	    "must be production, preview or development";
}

static const char *
check_api_key(const char *s)
{
	return begins(s, "sk_") || begins(s, "rk_") ? NULL : "must begin with sk_ or rk_";
}

static const char *
check_webhook(const char *s)
{
	return !begins(s, "whsec_") ? "must begin with whsec_" :
	    strlen(s) < 32 ? "is too short: a signing secret has at least 32 characters" : NULL;
}

static const char *
check_url(const char *s)
{
	return *s == '\0' || begins(s, "https://") || begins(s, "http://") ? NULL : "must be a URL";
}

static const char *
check_cancel(const char *s)
{
	return strcmp(s, "at_period_end") == 0 || strcmp(s, "immediately") == 0 || strcmp(s, "no") == 0 ? NULL :
	    "must be at_period_end, immediately or no";
}

static const char *
check_file(const char *s)
{
	struct stat	st;

	return stat(s, &st) == 0 && S_ISREG(st.st_mode) ? NULL : "is not there: install its package, or leave it out";
}

static const char *
check_logo(const char *s)
{
	return *s == '\0' || check_file(s) == NULL ? NULL : "is not there: copy the PNG file, or leave it empty";
}

static const char *
check_breached(const char *s)
{
	return *s == '\0' || check_file(s) == NULL ? NULL : "is not there: make it with `tollgate passwords build`";
}

static const char *
check_slots(const char *s)
{
	return *s == '/' ? NULL : "must be the path of a directory";
}

static const char *
check_random_key(const char *s)
{
	return strlen(s) >= 32 ? NULL : "is too short: take 32 random characters, as `openssl rand -hex 32` prints them";
}

static const char *
check_customer_field(const char *s)
{
	static const char *const	fields[] = { "address", "email", "name", "phone", "shipping", "tax_id" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(s, fields[i]) == 0)
			return NULL;
	}
	return "must be address, email, name, phone, shipping or tax_id";
}

/* Of Debian's fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji. */
#define NOTO(script) "/usr/share/fonts/truetype/noto/NotoSans" script "-Bold.ttf "
#define FONTS NOTO("") NOTO("Arabic") NOTO("Hebrew") NOTO("Devanagari") NOTO("Bengali") NOTO("Gurmukhi") \
	NOTO("Gujarati") NOTO("Tamil") NOTO("Telugu") NOTO("Kannada") NOTO("Malayalam") NOTO("Sinhala") NOTO("Thai") \
	NOTO("Lao") NOTO("Khmer") NOTO("Myanmar") NOTO("Georgian") NOTO("Armenian") NOTO("Ethiopic") \
	"/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

#define TEXT(p, need, member, otherwise, check) \
	{ p, KIND_TEXT, need, offsetof(struct config, member), otherwise, 0, 0, 0, check, NULL, NULL, false, false }
#define PATH(p, need, member, otherwise, check) \
	{ p, KIND_PATH, need, offsetof(struct config, member), otherwise, 0, 0, 0, check, NULL, NULL, false, false }
#define INT(p, need, member, otherwise, min, max) \
	{ p, KIND_NUMBER, need, offsetof(struct config, member), NULL, otherwise, min, max, NULL, NULL, NULL, false, false }
#define BOOL(p, need, member, otherwise) \
	{ p, KIND_SWITCH, need, offsetof(struct config, member), NULL, otherwise, 0, 0, NULL, NULL, NULL, false, false }
#define MANY(p, kind, need, member, otherwise, check, variable) \
	{ p, kind, need, offsetof(struct config, member), otherwise, 0, 1, 0, check, variable, NULL, false, false }

const struct config_key config_keys[] = {
	TEXT("site.url", NEED_SITE, site.url, NULL, config_check_origin),
	MANY("site.languages", KIND_WORDS, NEED_SITE, site.languages, "en de", check_language, NULL),
	PATH("site.pages", NEED_SITE, site.pages, "share/tollgate/pages", check_directory),
	TEXT("site.own_pages", NEED_SITE, site.own_pages, "/etc/tollgate/pages", NULL),
	TEXT("site.name", NEED_SITE, site.name, "Tollgate", config_check_filled),
	TEXT("site.help", NEED_SITE, site.help, "", check_help),
	TEXT("site.imprint", NEED_SITE, site.imprint, "", NULL),
	TEXT("site.environment", NEED_SITE | NEED_DATABASE | NEED_STRIPE, site.environment, "production",
	    check_environment),
	TEXT("database.conninfo", NEED_DATABASE, database.conninfo, NULL, config_check_filled),
	PATH("database.schema", NEED_DATABASE, database.schema, "share/tollgate/schema", config_check_filled),
	INT("database.pool", NEED_DATABASE, database.pool, 4, 1, 64),
	INT("database.wait_ms", NEED_DATABASE, database.wait_ms, 250, 1, 10000),
	INT("database.timeout_ms", NEED_DATABASE, database.timeout_ms, 3000, 100, 60000),
	BOOL("database.passwords", NEED_DATABASE, database.passwords, false),
	BOOL("database.prepared", NEED_DATABASE, database.prepared, true),
	INT("serve.threads", NEED_SERVE, serve.threads, 4, 1, 1024),
	INT("serve.calls", NEED_SERVE, serve.calls, 3, 1, 1024),
	INT("serve.drain_ms", NEED_SERVE, serve.drain_ms, 2000, 100, 60000),
	MANY("auth.seed_key_file", KIND_SECRET, NEED_SEED_KEY, auth.seed_key, "", check_random_key, "TOLLGATE_SEED_KEY"),
	MANY("auth.seed_key_before_file", KIND_SECRET, NEED_SEED_KEY, auth.seed_key_before, "", check_random_key,
	    "TOLLGATE_SEED_KEY_BEFORE"),
	TEXT("stripe.api_url", NEED_STRIPE, stripe.api_url, "https://api.stripe.com", config_check_origin),
	TEXT("stripe.version", NEED_STRIPE | NEED_WEBHOOK, stripe.version, "2026-07-29.dahlia", config_check_filled),
	TEXT("stripe.portal_configuration", NEED_STRIPE, stripe.portal_configuration, "", check_portal),
	TEXT("stripe.webhook_url", NEED_STRIPE, stripe.webhook_url, "", check_url),
	INT("stripe.timeout_ms", NEED_STRIPE, stripe.timeout_ms, 10000, 500, 80000),
	INT("stripe.rate", NEED_STRIPE, stripe.rate, 80, 1, 1000),
	MANY("stripe.key_file", KIND_SECRET, NEED_STRIPE, stripe.key, NULL, check_api_key, "TOLLGATE_STRIPE_KEY"),
	MANY("stripe.webhook_secret_files", KIND_SECRETS, NEED_WEBHOOK, stripe.webhook_secrets, NULL, check_webhook,
	    "TOLLGATE_STRIPE_WEBHOOK_SECRET"),
	MANY("stripe.thin_secret_files", KIND_SECRETS, NEED_WEBHOOK, stripe.thin_secrets, "", check_webhook,
	    "TOLLGATE_STRIPE_THIN_SECRET"),
	TEXT("mail.url", NEED_MAIL, mail.url, NULL, check_smtp),
	TEXT("mail.helo", NEED_MAIL, mail.helo, "", check_helo),
	TEXT("mail.from", NEED_MAIL, mail.from, NULL, check_from),
	TEXT("mail.user", NEED_MAIL, mail.user, "", NULL),
	MANY("mail.password_file", KIND_SECRET, NEED_MAIL, mail.password, "", NULL, "TOLLGATE_MAIL_PASSWORD"),
	BOOL("mail.starttls", NEED_MAIL, mail.starttls, true),
	BOOL("mail.receipts", NEED_PLANS, mail.receipts, false),
	INT("mail.timeout_ms", NEED_MAIL, mail.timeout_ms, 30000, 500, 120000),
	INT("mail.poll_ms", NEED_MAIL, mail.poll_ms, 1000, 10, 60000),
	INT("limits.link_near", NEED_PLANS, limits.link_near, 20, 1, 1000000),
	INT("limits.link_wide", NEED_PLANS, limits.link_wide, 100, 1, 1000000),
	INT("limits.link_far", NEED_PLANS, limits.link_far, 300, 1, 1000000),
	INT("limits.link_stranger", NEED_PLANS, limits.link_stranger, 5, 1, 1000000),
	INT("limits.link_known", NEED_PLANS, limits.link_known, 5, 1, 1000000),
	INT("limits.link_global", NEED_PLANS, limits.link_global, 2000, 1, 1000000),
	INT("limits.draft_near", NEED_PLANS, limits.draft_near, 30, 1, 1000000),
	INT("limits.draft_wide", NEED_PLANS, limits.draft_wide, 150, 1, 1000000),
	INT("limits.draft_far", NEED_PLANS, limits.draft_far, 500, 1, 1000000),
	INT("limits.call_near", NEED_PLANS, limits.call_near, 60, 1, 1000000),
	INT("limits.call_wide", NEED_PLANS, limits.call_wide, 300, 1, 1000000),
	INT("limits.call_far", NEED_PLANS, limits.call_far, 1000, 1, 1000000),
	INT("limits.password_near", NEED_PLANS, limits.password_near, 100, 1, 1000000),
	INT("limits.password_wide", NEED_PLANS, limits.password_wide, 500, 1, 1000000),
	INT("limits.password_far", NEED_PLANS, limits.password_far, 1500, 1, 1000000),
	INT("limits.password_global", NEED_PLANS, limits.password_global, 20000, 1, 1000000),
	INT("limits.flow_near", NEED_PLANS, limits.flow_near, 100, 1, 1000000),
	INT("limits.flow_wide", NEED_PLANS, limits.flow_wide, 500, 1, 1000000),
	INT("limits.flow_far", NEED_PLANS, limits.flow_far, 1500, 1, 1000000),
	INT("limits.password_tries", NEED_PLANS, limits.password_tries, 5, 1, 1000000),
	INT("limits.password_address", NEED_PLANS, limits.password_address, 50, 1, 1000000),
	INT("limits.confirm", NEED_PLANS, limits.confirm, 5, 1, 1000000),
	INT("limits.second_totp", NEED_PLANS, limits.second_totp, 20, 1, 1000000),
	INT("limits.second_recovery", NEED_PLANS, limits.second_recovery, 20, 1, 1000000),
	INT("limits.address_change", NEED_PLANS, limits.address_change, 5, 1, 1000000),
	INT("limits.invite_tenant", NEED_PLANS, limits.invite_tenant, 50, 1, 1000000),
	INT("limits.invite_address", NEED_PLANS, limits.invite_address, 5, 1, 1000000),
	PATH("passwords.breached", NEED_PASSWORDS, passwords.breached, "share/tollgate/breached", check_breached),
	TEXT("passwords.slots", NEED_PASSWORDS, passwords.slots, "/run/lock/tollgate-signin", check_slots),
	TEXT("ops.alert_to", NEED_MAIL, ops.alert_to, "", check_to),
	INT("ops.alert_hours", NEED_MAIL, ops.alert_hours, 24, 1, 8760),
	INT("jobs.threads", NEED_JOBS, jobs.threads, 2, 1, 16),
	INT("jobs.metering_threads", NEED_JOBS, jobs.metering_threads, 4, 1, 16),
	INT("jobs.poll_ms", NEED_JOBS, jobs.poll_ms, 1000, 10, 60000),
	INT("jobs.settle_ms", NEED_JOBS, jobs.settle_ms, 500, 0, 60000),
	INT("jobs.gap_seconds", NEED_JOBS, jobs.gap_seconds, 300, 1, 86400),
	INT("jobs.reconcile_hour", NEED_JOBS, jobs.reconcile_hour, 3, 0, 23),
	INT("jobs.keep_days", NEED_JOBS, jobs.keep_days, 90, 31, 3650),
	TEXT("portal.name", NEED_PROVISIONING, portal.name, "", NULL),
	BOOL("portal.invoices", NEED_PROVISIONING, portal.invoices, true),
	BOOL("portal.payment_method", NEED_PROVISIONING, portal.payment_method, true),
	BOOL("portal.change_plan", NEED_PROVISIONING, portal.change_plan, true),
	TEXT("portal.cancel", NEED_PROVISIONING, portal.cancel, "at_period_end", check_cancel),
	{ .path = "portal.customer_update", .kind = KIND_WORDS, .need = NEED_PROVISIONING,
	    .offset = offsetof(struct config, portal.customer_update), .text = "email address tax_id",
	    .check = check_customer_field },
	MANY("og.fonts", KIND_WORDS, NEED_OG, og.fonts, FONTS, check_file, NULL),
	TEXT("og.logo", NEED_OG, og.logo, "", check_logo),
	INT("og.drawing", NEED_OG, og.drawing, 2, 1, 64),
	MANY("og.key_file", KIND_SECRET, NEED_PICTURE, og.key, "", check_random_key, "TOLLGATE_OG_KEY"),
	MANY("cron.secret_file", KIND_SECRET, NEED_CRON, cron.secret, "", check_random_key, "TOLLGATE_CRON_SECRET"),
	MANY("cron.former_secret_file", KIND_SECRET, NEED_CRON, cron.former_secret, "", check_random_key,
	    "TOLLGATE_CRON_FORMER_SECRET"),
	BOOL("checkout.promotion_codes", NEED_PLANS, checkout.promotion_codes, false),
	BOOL("checkout.automatic_tax", NEED_PLANS, checkout.automatic_tax, false),
	BOOL("checkout.tax_ids", NEED_PLANS, checkout.tax_ids, false),
	BOOL("checkout.billing_address", NEED_PLANS, checkout.billing_address, false),
	BOOL("checkout.terms", NEED_PLANS, checkout.terms, false),
	TEXT("usage.currency", NEED_SITE, usage.currency, "usd", config_check_currency),
	TEXT("chat.meter", NEED_CHAT, chat.meter, "", config_check_name_or_none),
	TEXT("chat.model", NEED_CHAT, chat.model, "", NULL),
	TEXT("chat.title_model", NEED_CHAT, chat.title_model, "", NULL),
	TEXT("chat.system", NEED_CHAT, chat.system, "", NULL),
	INT("chat.streams", NEED_CHAT, chat.streams, 64, 1, 1000),
	INT("chat.streams_each", NEED_CHAT, chat.streams_each, 8, 2, 1000),
	INT("chat.connect_ms", NEED_CHAT, chat.connect_ms, 3000, 10, 30000),
	INT("chat.first_ms", NEED_CHAT, chat.first_ms, 60000, 10, 240000),
	INT("chat.fallback_ms", NEED_CHAT, chat.fallback_ms, 20000, 10, 240000),
	INT("chat.idle_ms", NEED_CHAT, chat.idle_ms, 30000, 10, 240000),
	INT("chat.total_ms", NEED_CHAT, chat.total_ms, 240000, 10, 240000),
	INT("chat.ping_ms", NEED_CHAT, chat.ping_ms, 5000, 10, 30000),
	INT("chat.checkpoint_ms", NEED_CHAT, chat.checkpoint_ms, 10000, 10, 10000),
	{ .path = "providers", .kind = KIND_GROUPS, .need = NEED_PROVIDERS, .offset = offsetof(struct config, providers),
	    .groups = &config_providers },
	{ .path = "plans", .kind = KIND_GROUPS, .need = NEED_PLANS, .offset = offsetof(struct config, plans),
	    .groups = &config_plans },
	{ .path = "meters", .kind = KIND_GROUPS, .need = NEED_PROVISIONING | NEED_USAGE,
	    .offset = offsetof(struct config, meters), .groups = &config_meters },
	{ .path = "quotas", .kind = KIND_GROUPS, .need = NEED_USAGE, .offset = offsetof(struct config, quotas),
	    .groups = &config_quotas },
	{ .path = "rates", .kind = KIND_GROUPS, .need = NEED_USAGE, .offset = offsetof(struct config, rates),
	    .groups = &config_rates },
	{ .path = "caps", .kind = KIND_GROUPS, .need = NEED_USAGE, .offset = offsetof(struct config, caps),
	    .groups = &config_caps },
	{ .path = "costs", .kind = KIND_GROUPS, .need = NEED_USAGE, .offset = offsetof(struct config, costs),
	    .groups = &config_costs },
	{ .path = "model_providers", .kind = KIND_GROUPS, .need = NEED_CHAT,
	    .offset = offsetof(struct config, model_providers), .groups = &config_model_providers },
	{ .path = "models", .kind = KIND_GROUPS, .need = NEED_CHAT, .offset = offsetof(struct config, models),
	    .groups = &config_models },
	{ 0 }
};
