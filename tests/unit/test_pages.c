/* pages: the product's own templates and catalogues are complete. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "json.h"
#include "pages.h"
#include "secret.h"

#define PAGES "workers/pages"

static const char *const	folders[] = { "account", "billing", "chat", "mail", "signin", "signup" };

enum { FOLDERS = sizeof(folders) / sizeof(*folders) };

static const struct pages *
pages(mem_ctx *mem, const char *folder)
{
	static const char	*languages[] = { "en", "de" };
	struct config		c = { .site = { .pages = PAGES, .name = "Test", .url = "https://example.com" } };
	const struct pages	*p;

	c.site.languages = (struct config_list){ languages, 2 };
	assert_int_equal(pages_load(mem, &c, folder, &p), OK);
	return p;
}

static char *
contents(mem_ctx *mem, const char *path)
{
	static char	text[65536];
	FILE		*f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return mem_printf(mem, "%s", text);
}

/* Every {{>name}} in text exists in the language; {{>*name}} is chosen by the document. */
static void
partials_check(const struct language *l, const char *file, const char *text)
{
	for (const char *at = text; (at = strstr(at, "{{>")) != NULL; at += 3) {
		char	name[64];

		if (at[3] != '*' && sscanf(at + 3, "%63[a-z0-9_/.]", name) == 1 && pages_partial(l, name) == NULL)
			fail_msg("%s: no %s in %s", file, name, l->code);
	}
}

static void
directory_check(const struct pages *p, const char *dir)
{
	mem_ctx		*mem = mem_new();
	DIR		*d = opendir(dir);
	struct dirent	*e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".mustache") != NULL)
			for (size_t i = 0; i < p->n_languages; i++)
				partials_check(&p->languages[i], e->d_name,
				    contents(mem, mem_printf(mem, "%s/%s", dir, e->d_name)));
	closedir(d);
	talloc_free(mem);
}

static void
test_every_text_a_template_names_exists_in_every_language(void **state)
{
	(void)state;
	for (size_t f = 0; f < FOLDERS; f++) {
		mem_ctx			*mem = mem_new();
		const struct pages	*p = pages(mem, folders[f]);

		if (strcmp(folders[f], "mail") != 0)
			directory_check(p, PAGES "/common");
		directory_check(p, mem_printf(mem, PAGES "/%s", folders[f]));
		talloc_free(mem);
	}
}

/* Each name is a text in every language of that program. */
static void
texts_check(const char *folder, const char *prefix, const char *const *names, size_t n)
{
	mem_ctx			*mem = mem_new();
	const struct pages	*p = pages(mem, folder);

	for (size_t i = 0; i < p->n_languages; i++)
		for (size_t k = 0; k < n; k++)
			if (pages_partial(&p->languages[i], mem_printf(mem, "%s_%s", prefix, names[k])) == NULL)
				fail_msg("%s: no %s_%s in %s", folder, prefix, names[k], p->languages[i].code);
	talloc_free(mem);
}

/* What the document chooses: an error's name. */
static void
test_every_text_a_document_names_exists_in_every_language(void **state)
{
	(void)state;
	for (size_t f = 0; f < FOLDERS; f++) {
		for (int e = ERR_BAD_REQUEST; e < ERR_CLOSED; e++) {
			if (e == ERR_AUTH)
				continue;
			texts_check(folders[f], "error", &err_info(e)->name, 1);
			texts_check(folders[f], "advice", &err_info(e)->name, 1);
		}
	}
}

static void
test_d21_every_stripe_status_has_a_text(void **state)
{
	static const char *const	statuses[] = {
		"pending", "incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid", "paused", "canceled",
		"unknown",
	};

	(void)state;
	texts_check("account", "status", statuses, sizeof(statuses) / sizeof(*statuses));
	texts_check("billing", "status", statuses, sizeof(statuses) / sizeof(*statuses));
}

#define COMMON "\"language_name\": \"L\", \"date_pattern\": \"d MMMM y\", \"a\": \"A\""

/* Whether pages_load() takes two languages of a program, each with these texts of its own beside the common ones. */
static bool
loads(const char *common, const char *en, const char *de)
{
	static const char	*languages[] = { "en", "de" };
	mem_ctx			*mem = mem_new();
	char			*dir = mem_printf(mem, "/tmp/tollgate-pages.XXXXXX");
	struct config		c = { 0 };
	const struct pages	*p;
	bool			taken;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(system(mem_printf(mem,
	    "cd %s && mkdir -p common p languages/en languages/de && touch style.css favicon.svg passkey.js chat.js && "
	    "printf '%%s' '{{a}}' >common/layout.mustache && "
	    "for l in en de; do printf '%%s' '{%s}' >languages/$l/common.json; done && "
	    "printf '%%s' '%s' >languages/en/p.json && printf '%%s' '%s' >languages/de/p.json", dir, common, en, de)), 0);
	c.site.pages = dir;
	c.site.languages = (struct config_list){ languages, 2 };
	taken = pages_load(mem, &c, "p", &p) == OK;
	assert_int_equal(system(mem_printf(mem, "rm -r %s", dir)), 0);
	talloc_free(mem);
	return taken;
}

static void
test_a_catalogue_that_is_not_complete_and_clear_stops_the_program(void **state)
{
	(void)state;
	assert_true(loads(COMMON, "{\"b\": \"B\"}", "{\"b\": \"{{x}}\"}"));
	assert_false(loads(COMMON, "{\"b\": \"B\"}", "{}"));
	assert_false(loads(COMMON, "{}", "{\"b\": \"B\"}"));
	assert_false(loads(COMMON, "{\"a\": \"B\"}", "{\"a\": \"B\"}"));
	assert_false(loads(COMMON, "{\"b\": \"B\", \"b\": \"C\"}", "{\"b\": \"B\"}"));
	assert_false(loads(COMMON, "{\"b\": 1}", "{\"b\": 1}"));
	assert_false(loads(COMMON, "{\"b\": \"{{\"}", "{\"b\": \"{{\"}"));
	assert_false(loads(COMMON, "[]", "[]"));
	assert_false(loads(COMMON, "{", "{"));
	assert_false(loads("\"a\": \"A\", \"date_pattern\": \"d MMMM y\"", "{}", "{}"));
	assert_false(loads("\"a\": \"A\", \"language_name\": \"L\"", "{}", "{}"));
	assert_false(loads("\"a\": \"A\", \"language_name\": \"L\", \"date_pattern\": \"DD.MM.YYYY\"", "{}", "{}"));
}

/* Pages of an installation with the operator's own files, which the shell commands in own make in the directory own. */
static const struct pages *
with_own(mem_ctx *mem, const char *own, const char *plan)
{
	static const char	*languages[] = { "en", "de" };
	char			*dir = mem_printf(mem, "/tmp/tollgate-pages.XXXXXX");
	struct config_plan	plans[] = { { .id = plan } };
	struct config		c = { .site = { .pages = PAGES }, .plans = plans, .n_plans = plan != NULL };
	const struct pages	*p;
	enum err		e;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(system(mem_printf(mem, "cd %s && mkdir -p own/languages/en own/languages/de own/signup && cd own "
	    "&& %s", dir, own)), 0);
	c.site.own_pages = mem_printf(mem, "%s/own", dir);
	c.site.languages = (struct config_list){ languages, 2 };
	e = pages_load(mem, &c, "signup", &p);
	assert_int_equal(system(mem_printf(mem, "rm -r %s", dir)), 0);
	return e == OK ? p : NULL;
}

static const char *
shown(mem_ctx *mem, const struct pages *p, const char *text)
{
	struct buf	b = { .ctx = mem };

	assert_int_equal(mustache_render(pages_partial(&p->languages[0], text), json_new(mem), pages_partial,
	    &p->languages[0], &b), OK);
	return b.data;
}

static void
test_c90_own_pages_go_before_the_installed_ones_file_by_file_and_text_by_text(void **state)
{
	mem_ctx			*mem = mem_new();
	const struct pages	*p = with_own(mem,
	    "echo 'p{}' >style.css && echo '{{>signup_lead}}!' >signup/signup.mustache && "
	    "echo '{\"signup_lead\": \"Join\"}' >languages/en/signup.json", "starter");

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->style, "p{}\n");
	assert_string_equal(shown(mem, p, "signup"), "Join!\n");
	assert_string_equal(shown(mem, p, "plan_starter"), "Starter");
	assert_non_null(strstr(shown(mem, p, "welcome"), "<h1>"));
	talloc_free(mem);
}

static void
test_c90_own_pages_with_a_fault_stop_the_program(void **state)
{
	static const char *const	faults[] = {
		"echo '{{' >signup/signup.mustache", "echo '{{#a}}' >signup/signup.mustache", "mkdir style.css",
		"ln -s nowhere style.css", "echo '[]' >languages/en/common.json", "echo '{\"a\": 1}' >languages/en/signup.json",
		"echo '{\"signup_lead\": \"Join\"}' >languages/en/common.json",
		"echo '{\"more\": \"More\"}' >languages/en/common.json",
	};
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_non_null(with_own(mem, "true", NULL));
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (with_own(mem, faults[i], NULL) != NULL)
			fail_msg("taken: %s", faults[i]);
	talloc_free(mem);
}

static void
test_c90_a_plan_without_a_name_in_every_language_stops_the_program(void **state)
{
#define NAME(language, name) "echo '{\"plan_pro\": \"" name "\"}' >languages/" language "/common.json"
	mem_ctx	*mem = mem_new();

	(void)state;
	assert_null(with_own(mem, "true", "pro"));
	assert_null(with_own(mem, NAME("en", "Pro"), "pro"));
	assert_null(with_own(mem, NAME("en", "Pro") " && " NAME("de", " "), "pro"));
	assert_non_null(with_own(mem, NAME("en", "Pro") " && " NAME("de", "Profi"), "pro"));
	talloc_free(mem);
}

static void
test_c90_a_plan_whose_text_left_the_catalogue_is_called_by_its_id(void **state)
{
	mem_ctx			*mem = mem_new();
	const struct pages	*p = with_own(mem,
	    "echo '<b>{{>*plan}}</b>{{>*about}}{{>*other}}' >signup/signup.mustache", NULL);
	struct json_object	*doc = json_new(mem);
	char			*html;

	(void)state;
	assert_non_null(p);
	json_put(doc, "plan", "plan_old_pro");
	json_put(doc, "about", "plan_old_pro_about");
	json_put(doc, "other", "status_old");
	assert_int_equal(pages_render(p, mem, "de", "signup", doc, &html), OK);
	assert_string_equal(html, "<b>old_pro</b>\n");
	json_put(doc, "plan", "plan_starter");
	assert_int_equal(pages_render(p, mem, "de", "signup", doc, &html), OK);
	assert_string_equal(html, "<b>Starter</b>\n");
	talloc_free(mem);
}

static void
test_the_style_sheets_version_is_a_digest_of_it(void **state)
{
	mem_ctx			*mem = mem_new();
	const struct pages	*p = pages(mem, "account");
	struct secret		digest = secret_sha256("", p->style, strlen(p->style));

	(void)state;
	assert_int_equal(strlen(p->style_version), 12);
	assert_memory_equal(p->style_version, secret_hex(mem, &digest), 12);
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_every_text_a_template_names_exists_in_every_language),
		cmocka_unit_test(test_every_text_a_document_names_exists_in_every_language),
		cmocka_unit_test(test_d21_every_stripe_status_has_a_text),
		cmocka_unit_test(test_a_catalogue_that_is_not_complete_and_clear_stops_the_program),
		cmocka_unit_test(test_c90_own_pages_go_before_the_installed_ones_file_by_file_and_text_by_text),
		cmocka_unit_test(test_c90_own_pages_with_a_fault_stop_the_program),
		cmocka_unit_test(test_c90_a_plan_without_a_name_in_every_language_stops_the_program),
		cmocka_unit_test(test_c90_a_plan_whose_text_left_the_catalogue_is_called_by_its_id),
		cmocka_unit_test(test_the_style_sheets_version_is_a_digest_of_it),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
