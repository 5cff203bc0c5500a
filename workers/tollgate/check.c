#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "issuer.h"
#include "json.h"
#include "pages.h"
#include "provisioning.h"

/* The pages of every program that has some. */
static enum err
pages_all_check(const struct operator *o)
{
	static const char *const	folders[] = { "account", "admin", "authn", "billing", "chat", "mail", "signin",
		"signup", NULL };

	return pages_check(o->mem, o->config, folders);
}

static int
stripe_check(const struct operator *o)
{
	struct operator	live = *o;
	int		code = operator_stripe(&live);

	return code == EX_OK ? provisioning_check(&live) : code;
}

static int
seed_key_check(const struct operator *o)
{
	struct json_object	*fits;
	enum err		e = db_service(operator_as(o, o->mem), &fits, "ops.fits_seed_key($1)",
	    ARGS(TEXT(config_seed_keys(o->mem, o->config))));

	if (e != OK)
		return operator_failed(o, e);
	if (json_true(fits, ""))
		return EX_OK;
	printf("%s: auth.seed_key_file is not the key that second factors are stored under\n", o->path);
	fflush(stdout);
	return EX_CONFIG;
}

/* Asks each party that vouches for users how it describes itself, and for its keys. GitHub has neither. */
static int
providers_check(const struct operator *o)
{
	const struct config	*c = o->config;
	struct json_object	*keys;
	const char		*why;
	int			code = EX_OK;

	for (size_t i = 0; i < c->n_providers; i++) {
		const struct config_provider	*p = &c->providers[i];

		if (strcmp(p->name, "github") == 0)
			continue;
		if (issuer_keys(issuer_open(o->mem, p->issuer, p->pages), o->mem, false, &keys, &why) == OK) {
			printf("providers.%s: ok\n", p->name);
			continue;
		}
		printf("providers.%s: %s\n", p->name, why);
		code = EX_UNAVAILABLE;
	}
	fflush(stdout);
	return code;
}

/* A fault of a key hides no fault of the pages, where the configuration says where they are. */
int
configuration_faulty(const struct operator *o)
{
	const char	*pages = o->config->site.pages;

	if (pages != NULL && access(pages, R_OK | X_OK) == 0)
		(void)!pages_all_check(o);
	return EX_CONFIG;
}

/* What is allowed, and seldom meant. */
static void
hints_print(const struct operator *o)
{
	const struct config	*c = o->config;

	if (strcmp(c->site.environment, "production") == 0 && *c->og.key == '\0')
		printf("%s: og.key_file is not set: anybody can have any words drawn under this site's name\n", o->path);
	if (*c->auth.seed_key == '\0')
		printf("%s: auth.seed_key_file is not set: nobody can add a second factor\n", o->path);
	if (c->n_models > 0 && *c->chat.meter == '\0')
		printf("%s: chat.meter is not set: nobody can use models\n", o->path);
	for (size_t i = 0; i < c->n_model_providers; i++) {
		if (*c->model_providers[i].key == '\0')
			printf("%s: model_providers.key_file of \"%s\" is not set: it is asked without a key\n", o->path,
			    c->model_providers[i].name);
	}
}

int
configuration_check(const struct operator *o)
{
	const char	*why;
	enum err	e;
	int		code, providers;

	if (pages_all_check(o) != OK)
		return EX_CONFIG;
	printf("%s: ok\n", o->path);
	hints_print(o);
	if (!o->live)
		return EX_OK;
	e = db_admit(o->db, o->mem, &why);
	printf("database: %s\n", e == OK ? "ok" : why ? why : "cannot be reached as tollgate_operator");
	fflush(stdout);
	if (e != OK)
		return operator_code(e);
	providers = providers_check(o);
	code = seed_key_check(o);
	if (code == EX_OK)
		code = stripe_check(o);
	return code == EX_OK ? providers : code;
}
