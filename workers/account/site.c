/* site: the front page, the style sheet, and redirects from aliases of pages. */
#include <string.h>

#include "account.h"
#include "identity.h"
#include "pages.h"

/* Paths that visitors guess, and the pages they mean. */
static const struct {
	const char	*from, *to;
} aliases[] = {
	{ "/login", "/signin" },
	{ "/register", "/signup" },
	{ "/dashboard", "/workspace" },
	{ "/dashboard/billing", "/settings/billing" },
};

static enum err
home(struct visit *v, struct db_visitor *me)
{
	(void)me;
	return http_redirect(v->r, visit_path(v, identity_is_member(v) ? "/workspace" : "/signup"));
}

static enum err
alias(struct visit *v)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (strcmp(v->path, aliases[i].from) == 0)
			return http_redirect(v->r, visit_path(v, aliases[i].to));
	return ERR_NOT_FOUND;
}

static enum err
style(struct visit *v)
{
	http_header(v->r, "Cache-Control", "public, max-age=31536000, immutable");
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	http_body(v->r, 200, "text/css; charset=utf-8", v->app->pages->style, strlen(v->app->pages->style));
	return OK;
}

const struct route site_routes[] = {
	VISITOR("GET", "/", home),
	PUBLIC("/style.css", style),
	PUBLIC("/login", alias),
	PUBLIC("/register", alias),
	PUBLIC("/dashboard", alias),
	PUBLIC("/dashboard/billing", alias),
	{ 0 }
};
