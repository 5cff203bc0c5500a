/*
 * config: tollgate.conf (libconfig) read into one struct by one table of keys. All faults are found at once, each with
 * file and line. Secrets come from files (owner only: mode & 077 must be 0), from systemd's credentials of the same
 * names, or from the environment, never from the configuration text itself or argv.
 */
#ifndef TOLLGATE_CONFIG_H
#define TOLLGATE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

/* The sections that a program needs: only these are required, and only their secrets are read. */
enum config_need {
	NEED_SITE	= 1 << 0,
	NEED_DATABASE	= 1 << 1,
	NEED_SERVE	= 1 << 2,
	NEED_STRIPE	= 1 << 3,	/* the API key */
	NEED_WEBHOOK	= 1 << 4,	/* the signing secrets */
	NEED_MAIL	= 1 << 5,
	NEED_PLANS	= 1 << 6,
	NEED_JOBS	= 1 << 7,
	NEED_PROVISIONING	= 1 << 8,	/* what is provisioned at Stripe: portal, meters */
	NEED_PICTURE	= 1 << 9,	/* the key that signs addresses of pictures */
	NEED_OG		= 1 << 10,	/* what draws them: fonts */
	NEED_SEED_KEY	= 1 << 11,	/* the key of the seeds of second factors */
	NEED_PASSWORDS	= 1 << 12,	/* what choosing and checking a password needs */
	NEED_PROVIDERS	= 1 << 13,	/* the secrets that other parties know us by */
	NEED_USAGE	= 1 << 14,	/* meters, and what of them plans allow and what they cost */
	NEED_CRON	= 1 << 15,	/* what a scheduler sends */
	NEED_CHAT	= 1 << 16,	/* models, and who runs them */
	NEED_MODEL_KEYS	= 1 << 17,	/* the keys that these know us by */
	NEED_ALL	= (1 << 18) - 1
};

struct config_list {
	const char	**items;
	size_t		n;
};

struct config_plan {
	const char	*id;		/* "starter" */
	const char	*price;		/* Stripe's price id; "": the price with the lookup_key */
	const char	*lookup_key;	/* or "" */
	const char	*product;	/* with a lookup_key: plans of one name are prices of one product; "": id is the name */
	int		amount;		/* in the currency's smallest unit; 0: not given */
	const char	*currency;	/* "eur" */
	const char	*interval;	/* "month" */
	int		grace_days;	/* how long a past_due subscription keeps access */
	int		trial_days;	/* once for a tenant and an address; 0: none */
	int		quantity_min;	/* how many of the price a checkout may buy; it begins with this */
	int		quantity_max;
	bool		free;		/* granted without a subscription; has no price. One plan at most */
	struct config_list features;	/* that the plan grants */
};

/* What Stripe's checkout page asks for or adds. */
struct config_checkout {
	bool	promotion_codes;
	bool	automatic_tax;
	bool	tax_ids;
	bool	billing_address;
	bool	terms;
};

struct config_meter {
	const char	*event_name;
	const char	*display_name;
	const char	*customer_key;	/* names in an event's payload */
	const char	*value_key;
};

/* Another party that may vouch for users: an issuer of OpenID Connect, or GitHub. */
struct config_provider {
	const char	*name;		/* "google": in paths, and the preset, where there is one of this name */
	const char	*label;		/* "Google": on buttons */
	const char	*issuer;	/* "https://accounts.google.com" */
	const char	*pages;		/* origin of the page where it asks its users, as in https://login.example.com */
	const char	*client_id;
	const char	*client_secret;	/* secret */
};

/* What a plan has of a meter in a period. */
struct config_quota {
	const char	*plan;
	const char	*meter;
	int		included;
	bool		sold;		/* what is beyond is billed; else it is refused */
	const char	*price;		/* of what is sold, as a plan's; or "" */
	const char	*lookup_key;	/* or "" */
	const char	*unit_amount;	/* "0.2": of a unit, in the smallest unit of the plan's currency; "": not given */
	int		most;		/* of a tenant, where it is sold; 0: no bound */
	int		member_most;	/* of one member; 0: no bound of its own */
};

/* How often a user may begin something in any span of time. */
struct config_rate {
	const char	*name;
	const char	*plan;		/* "": every plan without a rate of this name */
	const char	*meter;		/* "": every meter */
	int		allowed;
	int		seconds;
};

/* Money that may be spent in a period. */
struct config_cap {
	const char	*kind;		/* "user", "tenant", "provider" or "all" */
	const char	*plan;		/* "": every plan without a cap of this kind */
	const char	*provider;
	int		amount;		/* in whole units of money */
};

/* What a million units cost. */
struct config_cost {
	const char	*provider;	/* "": of a meter, which model names */
	const char	*model;
	const char	*class;
	int64_t		micros;		/* of a million units, in millionths of a unit of money */
};

/* Who runs models. */
struct config_model_provider {
	const char	*name;		/* "openai": as costs and caps have it */
	const char	*kind;		/* of its API: "openai-chat", "openai-responses" or "anthropic" */
	const char	*url;		/* "https://api.openai.com/v1", no slash at the end */
	const char	*auth;		/* "bearer" or "x-api-key": how it is sent the key */
	const char	*version;	/* Anthropic's */
	const char	*max_tokens_field;	/* of openai-chat: "max_completion_tokens" or "max_tokens" */
	bool		stream_options;		/* of openai-chat: it takes them, and so tells what was used */
	const char	*key;		/* secret; "": it is asked without */
};

struct config_model {
	const char	*name;		/* ours: "small" */
	const char	*display_name;
	const char	*provider;
	const char	*model;		/* the provider's name of it */
	int		max_tokens;	/* of an answer */
	int		context;	/* tokens that a request may have, with its answer */
	const char	*fallback;	/* the model that is asked where this one cannot; "": none */
	struct config_list plans;	/* that have it */
};

struct config {
	struct {
		const char		*url;		/* "https://app.example.com", no slash at the end */
		struct config_list	languages;	/* the first is the default */
		const char		*pages;		/* directory of templates, style sheet, languages */
		const char		*own_pages;	/* its files go before those in pages; need not exist; "": none */
		const char		*name;		/* the product's name, shown on pages and in mails */
		const char		*help;		/* where customers get it, an address or a URL; "": mails do not say */
		const char		*imprint;	/* at the foot of mails; or "" */
		const char		*environment;	/* "production", "preview" or "development", as the database's stamp */
	} site;
	struct {
		const char	*conninfo;	/* host, port, dbname; the role is the program's own */
		const char	*conninfo_at;	/* "FILE:LINE", for a fault that only libpq sees */
		bool		conninfo_shared;	/* others may read that file */
		const char	*schema;	/* directory of the schema's files, for migrate */
		int		pool;		/* connections of one process */
		int		wait_ms;	/* for a free connection */
		int		timeout_ms;	/* for one call */
		bool		passwords;	/* the roles have passwords, which migrate keeps */
		bool		prepared;	/* prepared statements; off behind a pooler in transaction mode */
	} database;
	struct {
		int	threads;
		int	calls;		/* to Stripe for browsers, in flight in one program on one machine */
		int	drain_ms;	/* after SIGTERM, at most */
	} serve;
	struct {
		const char	*seed_key;	/* secret; "": nobody can add a second factor */
		const char	*seed_key_before;	/* secret; "": what seeds may be stored under, too, until they are moved */
	} auth;
	struct {
		const char		*api_url;
		const char		*version;
		const char		*portal_configuration;	/* bpc_..., or "" */
		const char		*webhook_url;		/* "": site.url/webhooks/stripe */
		const char		*key;			/* secret */
		int			timeout_ms;		/* for one attempt */
		int			rate;			/* calls a second of all programs */
		struct config_list	webhook_secrets;	/* secrets, current first */
		struct config_list	thin_secrets;	/* of the event destination, current first; may be none */
	} stripe;
	struct {
		const char	*url;		/* smtp://host:port or smtps:// */
		const char	*helo;		/* our name to the mail server; "": the host of site.url */
		const char	*from;		/* "Name <address>" */
		const char	*user;
		const char	*password;	/* secret */
		bool		starttls;	/* require it on smtp:// */
		bool		receipts;	/* a mail for each payment received */
		int		timeout_ms;
		int		poll_ms;
	} mail;
	struct {
		int	link_near, link_wide, link_far;		/* an hour, of a network and those around it */
		int	link_stranger, link_known, link_global;	/* an hour, of an address, of a device, of all strangers */
		int	draft_near, draft_wide, draft_far;
		int	call_near, call_wide, call_far;
		int	password_near, password_wide, password_far, password_global;
		int	password_tries, password_address;	/* wrong ones in a row before the next must wait */
		int	confirm;				/* an hour, of a user */
		int	second_totp, second_recovery;		/* wrong ones a day, of a user */
		int	address_change;				/* a day, of a user */
		int	invite_tenant, invite_address;		/* a day, of a tenant */
		int	flow_near, flow_wide, flow_far;		/* sign-ins that other parties are asked about */
	} limits;
	struct {
		const char	*breached;	/* file of those that nobody may choose, see breached.h; "": none */
		const char	*slots;		/* directory of locks that bound how many are stretched at a time */
	} passwords;
	struct {
		const char	*alert_to;	/* address; "": alerts are not mailed */
		int		alert_hours;	/* until an open alert is mailed again */
	} ops;
	struct {
		int	threads;
		int	metering_threads;
		int	poll_ms;
		int	settle_ms;	/* between fetches of one object */
		int	gap_seconds;	/* between two readings of Stripe's list of events */
		int	reconcile_hour;	/* UTC; when subscriptions are compared */
		int	keep_days;	/* of handled events */
	} jobs;
	struct {
		const char		*name;		/* "": Stripe's default configuration is left alone */
		bool			invoices;
		bool			payment_method;
		bool			change_plan;
		const char		*cancel;	/* "at_period_end", "immediately", "no" */
		struct config_list	customer_update;	/* "email", ... */
	} portal;
	struct {
		struct config_list	fonts;		/* files; the first is for what all of them have */
		const char		*logo;		/* a PNG file, or "" */
		const char		*key;		/* secret; "": anybody may ask for any picture */
		int			drawing;	/* pictures at a time in one process */
	} og;
	struct {
		const char	*currency;	/* of costs and caps: "usd" */
	} usage;
	struct {
		const char	*meter;		/* that counts its tokens; "": nobody chats */
		const char	*model;		/* of a new conversation that names none */
		const char	*title_model;	/* of titles, summaries and classes; "": the conversation's */
		const char	*system;	/* what every model is told first; or "" */
		int		streams;	/* answers at a time in one process */
		int		streams_each;	/* of one person, in all processes */
		int		connect_ms;	/* to a provider */
		int		first_ms;	/* from there to the first text */
		int		fallback_ms;	/* the same where another model can be asked */
		int		idle_ms;	/* between two pieces of an answer */
		int		total_ms;	/* of an answer */
		int		ping_ms;	/* to the browser, while there is no text */
		int		checkpoint_ms;
	} chat;
	struct config_provider	*providers;
	size_t			n_providers;
	struct config_model_provider *model_providers;
	size_t			n_model_providers;
	struct config_model	*models;
	size_t			n_models;
	struct {
		const char	*secret;	/* secret; "": nobody may call */
		const char	*former_secret;	/* secret; still taken; or "" */
	} cron;
	struct config_checkout	checkout;
	struct config_plan	*plans;
	size_t			n_plans;
	struct config_meter	*meters;
	size_t			n_meters;
	struct config_quota	*quotas;
	size_t			n_quotas;
	struct config_rate	*rates;
	size_t			n_rates;
	struct config_cap	*caps;
	size_t			n_caps;
	struct config_cost	*costs;
	size_t			n_costs;
};

/*
 * Reads path. Prints every fault ("FILE:LINE: stripe.api_url must ...") on stderr; with any, returns ERR_INVALID, and
 * the program exits with 78 (EX_CONFIG). *out lives on ctx.
 */
enum err config_load(mem_ctx *ctx, const char *path, unsigned needs, struct config **out) MUST_CHECK;

/* The plan with this id, or NULL. */
const struct config_plan *config_plan(const struct config *c, const char *id);

/* The meter with this event_name, or NULL. */
const struct config_meter *config_meter(const struct config *c, const char *event_name);

/* The provider of models, and the model, with this name, or NULL. */
const struct config_model_provider *config_model_provider(const struct config *c, const char *name);
const struct config_model *config_model(const struct config *c, const char *name);

/* The keys that seeds are stored under, as the functions of the database take them: "", "KEY", or "KEY BEFORE". */
const char *config_seed_keys(mem_ctx *ctx, const struct config *c);

#endif
