/* app: what all requests of a process share. Constant once the process serves. */
#ifndef TOLLGATE_APP_H
#define TOLLGATE_APP_H

#include <json-c/json.h>

#include "config.h"
#include "err.h"

struct db;
struct pages;
struct permits;
struct visit;
struct words;
struct worker;

struct app {
	const struct config	*config;
	const struct worker	*worker;
	struct db		*db;		/* each of these four: NULL unless the worker lists its resource */
	struct permits		*permits;	/* permit.h: the only way to Stripe */
	const struct pages	*pages;
	const struct words	*words;
	enum err		(*say)(const struct words *w, const char *language, struct json_object *doc);	/* or NULL */
	enum err		(*error_page)(struct visit *v, enum err why);	/* NULL: errors are JSON */
	const char		*form_action;	/* origins besides our own that a form may lead to; "" for none */
	const char		*csp;		/* Content-Security-Policy */
	const char		*csp_script;	/* of pages with a script of ours */
	const char		*csp_fetch;	/* and whose script asks our programs */
	void			*own;		/* the worker's own data */
	int			threads;	/* that serve requests */
};

#endif
