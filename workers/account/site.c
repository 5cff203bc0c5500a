/* site: the front page, the style sheet, the icon, the scripts, and redirects from aliases of pages. */
#include <string.h>

#include "account.h"
#include "identity.h"
#include "pages.h"

/* Paths that visitors guess, and the pages they mean. */
static const struct {
	const char	*from, *to;
} aliases[] = {
	{ "/login", "/signin" },
	{ "/dashboard", "/workspace" },
	{ "/dashboard/billing", "/settings/billing" },
	{ "/dashboard/settings", "/settings/profile" },
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

/*
 * What the address names by its content may be kept for ever; under another version, or none, it may not. While
 * programs restart one after the other, a new page asks for the new version of a program that still has the old file.
 */
static enum err
keep_while(struct visit *v, const char *version)
{
	const char	*asked;

	TRY(http_query(v->q, "v", &asked));
	http_header(v->r, "Cache-Control",
	    asked != NULL && strcmp(asked, version) == 0 ? "public, max-age=31536000, immutable" : "no-cache");
	return OK;
}

static enum err
asset(struct visit *v, const char *type, const char *text, const char *version)
{
	TRY(keep_while(v, version));
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	http_body(v->r, 200, type, text, strlen(text));
	return OK;
}

static enum err
style(struct visit *v)
{
	return asset(v, "text/css; charset=utf-8", v->app->pages->style, v->app->pages->style_version);
}

static enum err
icon(struct visit *v)
{
	return asset(v, "image/svg+xml", v->app->pages->icon, v->app->pages->icon_version);
}

static enum err
script(struct visit *v)
{
	return asset(v, "text/javascript; charset=utf-8", v->app->pages->script, v->app->pages->script_version);
}

static enum err
chat_script(struct visit *v)
{
	return asset(v, "text/javascript; charset=utf-8", v->app->pages->chat, v->app->pages->chat_version);
}

const struct route site_routes[] = {
	VISITOR("GET", "/", home),
	PUBLIC("/style.css", style),
	PUBLIC("/favicon.svg", icon),
	PUBLIC("/passkey.js", script),
	PUBLIC("/chat.js", chat_script),
	PUBLIC("/favicon.ico", icon),	/* what browsers ask for beside a page that names none */
	PUBLIC("/login", alias),
	PUBLIC("/dashboard", alias),
	PUBLIC("/dashboard/billing", alias),
	PUBLIC("/dashboard/settings", alias),
	{ 0 }
};
