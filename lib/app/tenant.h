/* tenant: which tenant a request is for. A page in another tab may show another one than the page that it came from. */
#ifndef TOLLGATE_TENANT_H
#define TOLLGATE_TENANT_H

#include <stdbool.h>

#include "db.h"
#include "visit.h"

/* As visit_tenant(), for a page. NULL also after a form of a tenant to which the user does not belong any more. */
enum err tenant_shown(struct visit *v, const char **tenant) MUST_CHECK;

/*
 * The tenant that a form of this page ("/settings/team") is for, NULL for a user without one. *answered: the page shows
 * another tenant by now, and the response asks which one is meant; or the user has left it, and the response says so.
 */
enum err tenant_of_form(struct visit *v, struct db_user *me, const char *page, const char **tenant, bool *answered)
    MUST_CHECK;

/* The same for a JSON body, whose "tenant" may be missing. */
enum err tenant_of_json(struct visit *v, struct db_user *me, const char **tenant, bool *answered) MUST_CHECK;

#endif
