/* config_key: the table of configuration keys, and what a value must look like. Only for config*.c. */
#ifndef TOLLGATE_CONFIG_KEY_H
#define TOLLGATE_CONFIG_KEY_H

#include "config.h"

enum config_kind { KIND_TEXT, KIND_NUMBER, KIND_SWITCH, KIND_WORDS, KIND_SECRET, KIND_SECRETS, KIND_GROUPS };

/* What is wrong with the value, to stand after the key's name; NULL when nothing is. */
typedef const char *config_check(const char *value);

struct config_groups;

struct config_key {
	const char		*path;		/* "site.url" */
	enum config_kind	kind;
	unsigned		need;		/* of enum config_need */
	size_t			offset;		/* in struct config */
	const char		*text;		/* default; words have spaces between; NULL: required */
	int			number;		/* default */
	int			min, max;	/* of words: whether there must be one */
	config_check		*check;
	const char		*variable;	/* of the environment, instead of a secret's file */
	const struct config_groups *groups;
	bool			unique;		/* among the groups of a list */
};

/* A list of groups, read into an array; the offsets of its members' keys are those in an item. */
struct config_groups {
	const struct config_key	*members;
	size_t			size;		/* of an item */
	size_t			count;		/* offset of their number in struct config */
	const char		*(*check)(const void *item);	/* what is wrong with it as a whole; may be NULL */
	const char		*shape;
	bool			required;
};

extern const struct config_key config_keys[];	/* ends with a path of NULL */

extern const struct config_groups config_plans, config_meters;

/* Of a URL that passed its check: encrypted from the first byte, or never on a wire. */
bool config_smtp_is_private(const char *url);

/* end '\0': a key; '.': a section. */
bool config_name_is_known(const char *name, char end);

/* "is not known", with the nearest name there is. */
const char *config_name_unknown(mem_ctx *ctx, const char *name);

/* A secret's words from the environment, wiped there as they are read; NULL when the variable is not set. */
char *config_secret_variable(mem_ctx *ctx, const char *name);

/* From a file, without the line's end. What is wrong with the file, or NULL. */
const char *config_secret_file(mem_ctx *ctx, const char *path, const char **out);

/* Not empty, no white space. What is wrong, or NULL. */
config_check config_check_secret;

#endif
