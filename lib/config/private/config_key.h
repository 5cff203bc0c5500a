/* config_key: the table of configuration keys, and what a value must look like. Only for config*.c. */
#ifndef TOLLGATE_CONFIG_KEY_H
#define TOLLGATE_CONFIG_KEY_H

#include "config.h"

/* KIND_LARGE: an int64_t, as a number or a text, because libconfig cuts a number off at 32 bits. */
enum config_kind {
	KIND_TEXT, KIND_PATH, KIND_NUMBER, KIND_LARGE, KIND_SWITCH, KIND_WORDS, KIND_SECRET, KIND_SECRETS, KIND_GROUPS
};

/* What is wrong with the value, as the message after the key's name; NULL for a valid value. */
typedef const char *config_check(const char *value);

struct config_groups;
struct config_setting_t;
struct reader;

struct config_key {
	const char		*path;		/* "site.url" */
	enum config_kind	kind;
	unsigned		need;		/* bits of enum config_need */
	size_t			offset;		/* in struct config */
	const char		*text;		/* default; NULL: required. Words are separated by spaces; a path is below the prefix */
	long long		number;		/* default */
	long long		min, max;	/* for words, min 1: not empty */
	config_check		*check;
	const char		*variable;	/* environment variable that replaces a secret's file */
	const struct config_groups *groups;
	bool			unique;		/* no two groups of a list have the same text, or both are on */
	bool			joint;		/* no two groups of a list have the same texts in all such keys */
};

/* A list of groups, read into an array. The offsets in members are relative to an item. */
struct config_groups {
	const struct config_key	*members;
	size_t			size;		/* of an item */
	size_t			count;		/* offset of their number in struct config */
	/* Checks a whole item, and tells its faults; may fill in what it lacks. May be NULL. */
	void			(*check)(struct reader *r, const struct config_setting_t *at, void *item);
	const char		*shape;		/* the message for an item of another form */
	bool			required;
};

extern const struct config_key config_keys[];	/* ends with a path of NULL */

extern const struct config_groups config_plans, config_meters, config_providers,
	config_quotas, config_rates, config_caps, config_costs, config_model_providers, config_models;

/* Scheme, host and perhaps port. http only to this machine. */
config_check config_check_origin;

/* Whether mail to this valid URL is encrypted from the first byte, or does not leave the machine. */
bool config_smtp_is_private(const char *url);

/* Whether the table has a key (end '\0') or a section (end '.') of this name. */
bool config_name_is_known(const char *name, char end);

/* The message for an unknown name, with the nearest known one. */
const char *config_name_unknown(mem_ctx *ctx, const char *name);

/* The path below the prefix that this program is installed under, so that one build serves every prefix. */
const char *config_prefixed(mem_ctx *ctx, const char *below);

/* The value of an environment variable, which is wiped there; NULL when it is not set. */
char *config_secret_variable(mem_ctx *ctx, const char *name);

/*
 * Reads a secret from a file, without the line end after it, or from systemd's credential of the file's last name.
 * Returns what is wrong with the file, or NULL.
 */
const char *config_secret_file(mem_ctx *ctx, const char *path, const char **out);

/* Anything but "". */
config_check config_check_filled;

/* Lower-case letters, digits and _; and the same, or "". */
config_check config_check_name, config_check_name_or_none;

/* "", or the ID of a price at Stripe. */
config_check config_check_price;

/* "", or a currency that Stripe takes. */
config_check config_check_currency;

/* What is wrong with an amount above 0 in the currency's smallest unit, or NULL. */
const char *config_amount_fault(mem_ctx *ctx, const char *currency, int amount);

/* A secret must not be empty or contain white space or control characters. */
config_check config_check_secret;

#endif
