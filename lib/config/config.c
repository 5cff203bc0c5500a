#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "private/config_reader.h"

void
config_fault(struct reader *r, const config_setting_t *at, const char *key, const char *format, ...)
{
	const char	*file = at ? config_setting_source_file(at) : NULL;
	va_list		ap;

	r->faults++;
	fprintf(stderr, "%s:", file ? file : r->path);
	if (at && config_setting_source_line(at))
		fprintf(stderr, "%d:", config_setting_source_line(at));
	fprintf(stderr, " %s ", key);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Values of a section that this program does not need are not checked; their names, types and ranges are. */
static void
value_check(struct reader *r, const struct config_key *k, const config_setting_t *at, const char *value)
{
	const char	*wrong = k->check && (k->need == 0 || r->needs & k->need) ? k->check(value) : NULL;

	if (wrong)
		config_fault(r, at, k->path, "\"%s\" %s", value, wrong);
}

/* The setting's text, or NULL after a fault. */
static const char *
string_read(struct reader *r, const config_setting_t *at, const char *key)
{
	const char	*s = at ? config_setting_get_string(at) : NULL;

	if (s == NULL) {
		config_fault(r, at, key, at ? "must be text in double quotes" : "is missing");
		return NULL;
	}
	for (const char *c = s; *c; c++) {
		if (iscntrl((unsigned char)*c)) {
			config_fault(r, at, key, "holds a control character");
			return NULL;
		}
	}
	return mem_copy(r->ctx, s, strlen(s));
}

static void
text_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *to)
{
	const char	*s = at ? string_read(r, at, k->path) :
			    k->kind == KIND_PATH ? config_prefixed(r->ctx, k->text) : k->text;

	if (s == NULL)
		return;
	value_check(r, k, at, s);
	*(const char **)to = s;
}

static bool
is_digits(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static void
number_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *to)
{
	int		type = at ? config_setting_type(at) : CONFIG_TYPE_INT;
	bool		digits = k->kind == KIND_LARGE && type == CONFIG_TYPE_STRING &&
			    is_digits(config_setting_get_string(at));
	long long	n = digits ? strtoll(config_setting_get_string(at), NULL, 10) :
			    at ? config_setting_get_int64(at) : k->number;

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64 && !digits)
		config_fault(r, at, k->path, "must be a whole number");
	else if (n < k->min || n > k->max)
		config_fault(r, at, k->path, "must be from %lld to %lld", k->min, k->max);
	if (k->kind == KIND_LARGE)
		*(int64_t *)to = n;
	else
		*(int *)to = (int)n;
}

static void
switch_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *to)
{
	if (at && config_setting_type(at) != CONFIG_TYPE_BOOL)
		config_fault(r, at, k->path, "must be true or false");
	*(bool *)to = at ? config_setting_get_bool(at) : k->number;
}

static void
list_add(mem_ctx *ctx, struct config_list *list, const char *item)
{
	list->items = talloc_realloc(ctx, list->items, const char *, list->n + 1);
	list->items[list->n++] = item;
}

static bool
list_has(const struct config_list *list, const char *item)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->items[i], item) == 0)
			return true;
	}
	return false;
}

static void
words_split(mem_ctx *ctx, struct config_list *list, const char *text)
{
	char	*rest = mem_copy(ctx, text, strlen(text));
	char	*word;

	while ((word = strsep(&rest, " ")) != NULL) {
		if (*word)
			list_add(ctx, list, word);
	}
}

/* Adds the texts of a list or an array. A repeated text is a fault. */
static void
strings_read(struct reader *r, const struct config_key *k, const config_setting_t *at, struct config_list *list)
{
	if (!config_setting_is_array(at) && !config_setting_is_list(at)) {
		config_fault(r, at, k->path, "must be a list, as in [\"a\", \"b\"]");
		return;
	}
	if (config_setting_length(at) == 0 && k->min > 0 && k->kind == KIND_WORDS)
		config_fault(r, at, k->path, "is empty");
	for (int i = 0; i < config_setting_length(at); i++) {
		const config_setting_t	*item = config_setting_get_elem(at, (unsigned)i);
		const char		*s = string_read(r, item, k->path);

		if (s && list_has(list, s))
			config_fault(r, item, k->path, "has \"%s\" twice", s);
		else if (s)
			list_add(r->ctx, list, s);
	}
}

static void
words_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *to)
{
	struct config_list	*list = to;

	if (at)
		strings_read(r, k, at, list);
	else
		words_split(r->ctx, list, k->text);
	for (size_t i = 0; i < list->n; i++)
		value_check(r, k, at, list->items[i]);
}

/* source: the file or variable it came from. A secret itself is never printed. */
static void
secret_check(struct reader *r, const struct config_key *k, const config_setting_t *at, const char *source,
    const char *secret)
{
	const char	*wrong = config_check_secret(secret);

	if (wrong == NULL && k->check)
		wrong = k->check(secret);
	if (wrong)
		config_fault(r, at, k->path, "%s: the secret %s", source, wrong);
}

static const char *
last_name(const char *path)
{
	const char	*slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* systemd hands over one credential of a name: a second file of that name would be read as the first. */
static void
file_name_check(struct reader *r, const struct config_key *k, const config_setting_t *at, const char *file)
{
	for (size_t i = 0; i < r->secret_files.n; i++) {
		const char	*other = r->secret_files.items[i];

		if (strcmp(other, file) != 0 && strcmp(last_name(other), last_name(file)) == 0)
			config_fault(r, at, k->path, "%s has the last name of %s, by which systemd tells secrets apart: rename one",
			    file, other);
	}
	list_add(r->ctx, &r->secret_files, file);
}

/* Adds the secret in the file to the list. */
static void
secret_add(struct reader *r, const struct config_key *k, const config_setting_t *at, const char *file,
    struct config_list *list)
{
	const char	*secret = NULL;
	const char	*wrong = config_secret_file(r->ctx, file, &secret);

	file_name_check(r, k, at, file);
	if (wrong)
		config_fault(r, at, k->path, "%s %s", file, wrong);
	if (secret == NULL)
		return;
	secret_check(r, k, at, file, secret);
	list_add(r->ctx, list, secret);
}

/* From the environment, else from the files. A secret that this program does not need is only wiped. */
static void
secrets_read(struct reader *r, const struct config_key *k, const config_setting_t *at, struct config_list *list)
{
	char			*words = k->variable ? config_secret_variable(r->ctx, k->variable) : NULL;
	struct config_list	files = { 0 };
	unsigned		before = r->faults;

	if (at && k->kind == KIND_SECRETS)
		strings_read(r, k, at, &files);
	else if (at)
		list_add(r->ctx, &files, string_read(r, at, k->path));
	if (!(r->needs & k->need)) {
		if (words)
			explicit_bzero(words, strlen(words));
		return;
	}
	if (words && k->kind == KIND_SECRETS)
		words_split(r->ctx, list, words);
	else if (words)
		list_add(r->ctx, list, words);
	for (size_t i = 0; words && i < list->n; i++)
		secret_check(r, k, NULL, k->variable, list->items[i]);
	for (size_t i = 0; words == NULL && i < files.n; i++) {
		if (files.items[i] && *files.items[i])
			secret_add(r, k, at, files.items[i], list);
	}
	if (list->n == 0 && k->text == NULL && r->faults == before && k->variable)
		config_fault(r, at, k->path, "has no secret, and %s is not set", k->variable);
	else if (list->n == 0 && k->text == NULL && r->faults == before)
		config_fault(r, at, k->path, "has no secret: it names the file of one");
}

static void
secret_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *to)
{
	struct config_list	list = { 0 };

	secrets_read(r, k, at, &list);
	*(const char **)to = list.n ? list.items[0] : k->text;
}

void
config_key_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *into)
{
	void	*to = (char *)into + k->offset;

	if (at == NULL && k->text == NULL && r->needs & k->need && (k->kind == KIND_TEXT ||
	    (k->kind == KIND_GROUPS && k->groups->required)))
		config_fault(r, NULL, k->path, "is missing");
	switch (k->kind) {
	case KIND_TEXT:
	case KIND_PATH:
		text_read(r, k, at, to);
		return;
	case KIND_NUMBER:
	case KIND_LARGE:
		number_read(r, k, at, to);
		return;
	case KIND_SWITCH:
		switch_read(r, k, at, to);
		return;
	case KIND_WORDS:
		words_read(r, k, at, to);
		return;
	case KIND_SECRET:
		secret_read(r, k, at, to);
		return;
	case KIND_SECRETS:
		secrets_read(r, k, at, to);
		return;
	case KIND_GROUPS:
		config_groups_read(r, k, at);
	}
}

/* Checks the names of sections and keys. The reader of a key checks the names inside its value. */
static void
names_check(struct reader *r, const config_setting_t *group, const char *section)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t	*at = config_setting_get_elem(group, (unsigned)i);
		const char		*name = mem_printf(r->ctx, "%s%s", section, config_setting_name(at));

		if (*section == '\0' && config_setting_is_group(at) && config_name_is_known(name, '.'))
			names_check(r, at, mem_printf(r->ctx, "%s.", name));
		else if (!config_name_is_known(name, '\0'))
			config_fault(r, at, name, "%s", config_name_unknown(r->ctx, name));
	}
}

/* Checks keys together: sign-in links and passwords must not cross a network unencrypted. */
static void
mail_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;

	if (!(r->needs & NEED_MAIL) || r->faults)
		return;
	if (!c->mail.starttls && !config_smtp_is_private(c->mail.url))
		config_fault(r, config_lookup(tree, "mail.url"), "mail.starttls",
		    "must be true for a mail server on another machine");
	if (*c->mail.user && *c->mail.password == '\0')
		config_fault(r, config_lookup(tree, "mail.user"), "mail.user", "has no password: set mail.password_file");
}

/* A live key outside production would charge real customers; a test key in production would move no money. */
static void
key_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;
	const config_setting_t	*at = config_lookup(tree, "stripe.key_file");
	const char		*mode;

	if (!(r->needs & NEED_STRIPE) || r->faults)
		return;
	mode = strcmp(c->site.environment, "production") == 0 ? "live_" : "test_";
	if (strncmp(c->stripe.key + strlen("sk_"), mode, strlen(mode)) != 0)
		config_fault(r, at ? at : config_lookup(tree, "site.environment"), "stripe.key_file",
		    "(or TOLLGATE_STRIPE_KEY) must hold a key that begins with sk_%s or rk_%s: site.environment is \"%s\"",
		    mode, mode, c->site.environment);
}

/* Where conninfo stands: the database layer says what is wrong with it. */
static void
conninfo_place(struct reader *r, const config_t *tree)
{
	const config_setting_t	*at = config_lookup(tree, "database.conninfo");
	const char		*file = at ? config_setting_source_file(at) : NULL;
	struct stat		st;

	file = file ? file : r->path;
	r->out->database.conninfo_at = mem_printf(r->ctx, "%s:%u", file, at ? config_setting_source_line(at) : 0u);
	r->out->database.conninfo_shared = stat(file, &st) != 0 || (st.st_mode & 077) != 0;
}

static void
tree_read(struct reader *r, const config_t *tree)
{
	names_check(r, config_root_setting(tree), "");
	for (const struct config_key *k = config_keys; k->path; k++)
		config_key_read(r, k, config_lookup(tree, k->path), r->out);
	config_order_check(r, tree);
	config_usage_check(r, tree);
	config_chat_check(r, tree);
	conninfo_place(r, tree);
	mail_check(r, tree);
	key_check(r, tree);
}

enum err
config_load(mem_ctx *ctx, const char *path, unsigned needs, struct config **out)
{
	struct reader	r = { .ctx = ctx, .path = path, .needs = needs, .out = talloc_zero(ctx, struct config) };
	config_t	tree;

	config_init(&tree);
	if (config_read_file(&tree, path))
		tree_read(&r, &tree);
	else if (config_error_type(&tree) == CONFIG_ERR_PARSE)
		r.faults = (unsigned)fprintf(stderr, "%s:%d: %s\n", config_error_file(&tree) ? config_error_file(&tree) : path,
		    config_error_line(&tree), config_error_text(&tree));
	else
		config_fault(&r, NULL, "cannot be read:", "%s", strerror(errno));
	config_destroy(&tree);
	*out = r.out;
	return r.faults ? ERR_INVALID : OK;
}

const struct config_plan *
config_plan(const struct config *c, const char *id)
{
	for (size_t i = 0; i < c->n_plans; i++) {
		if (strcmp(c->plans[i].id, id) == 0)
			return &c->plans[i];
	}
	return NULL;
}

const struct config_meter *
config_meter(const struct config *c, const char *event_name)
{
	for (size_t i = 0; i < c->n_meters; i++) {
		if (strcmp(c->meters[i].event_name, event_name) == 0)
			return &c->meters[i];
	}
	return NULL;
}

const char *
config_seed_keys(mem_ctx *ctx, const struct config *c)
{
	if (*c->auth.seed_key == '\0' || *c->auth.seed_key_before == '\0')
		return c->auth.seed_key;
	return mem_printf(ctx, "%s %s", c->auth.seed_key, c->auth.seed_key_before);
}
