/*
 * config: tollgate.conf (libconfig) read into one struct by one table of keys. All faults are found at once, each with
 * file and line. Secrets come from files (owner only: mode & 077 must be 0) or from the environment, never from the
 * configuration text itself or argv.
 */
#ifndef TOLLGATE_CONFIG_H
#define TOLLGATE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "mem.h"

/* Which sections a program needs: only those are required, and only their secrets are read. */
enum config_need {
	NEED_SITE	= 1 << 0,
	NEED_DATABASE	= 1 << 1,
	NEED_SERVE	= 1 << 2,
	NEED_STRIPE	= 1 << 3,	/* the API key */
	NEED_WEBHOOK	= 1 << 4,	/* the signing secrets */
	NEED_MAIL	= 1 << 5,
	NEED_PLANS	= 1 << 6,
	NEED_JOBS	= 1 << 7,
	NEED_ALL	= (1 << 8) - 1
};

struct config_list {
	const char	**items;
	size_t		n;
};

struct config_plan {
	const char	*id;		/* "starter" */
	const char	*price;		/* Stripe's price id */
};

struct config {
	struct {
		const char		*url;		/* "https://app.example.com", no slash at the end */
		struct config_list	languages;	/* the first is the default */
		const char		*pages;		/* directory of templates, style sheet, languages */
		const char		*name;		/* the product's name, shown on pages and in mails */
	} site;
	struct {
		const char	*conninfo;	/* host, port, dbname; the role is the program's own */
		const char	*schema;	/* directory of the schema's files, for migrate */
		int		pool;		/* connections a process */
		int		wait_ms;	/* for a free connection */
		int		timeout_ms;	/* for one call */
		bool		prepared;	/* off for PgBouncer before 1.21 */
	} database;
	struct {
		int	threads;
		int	drain_ms;	/* after SIGTERM, at most */
	} serve;
	struct {
		const char		*api_url;
		const char		*version;
		const char		*portal_configuration;	/* bpc_..., or "" */
		const char		*key;			/* secret */
		int			timeout_ms;		/* for one attempt */
		struct config_list	webhook_secrets;	/* secrets, current first */
	} stripe;
	struct {
		const char	*url;		/* smtp://host:port or smtps:// */
		const char	*from;		/* "Name <address>" */
		const char	*user;
		const char	*password;	/* secret */
		bool		starttls;	/* require it on smtp:// */
		int		timeout_ms;
	} mail;
	struct {
		int	threads;
		int	poll_ms;
	} jobs;
	struct config_plan	*plans;
	size_t			n_plans;
};

/*
 * Reads path. On any fault prints every one ("FILE:LINE: stripe.api_url: ...") on stderr and returns ERR_INVALID: the
 * program then exits 78 (EX_CONFIG). *out lives on ctx.
 */
enum err config_load(mem_ctx *ctx, const char *path, unsigned needs, struct config **out) MUST_CHECK;

/* The plan with this id, or NULL. */
const struct config_plan *config_plan(const struct config *c, const char *id);

#endif
