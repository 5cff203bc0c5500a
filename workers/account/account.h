/* account: the route tables of this program's files. */
#ifndef TOLLGATE_ACCOUNT_H
#define TOLLGATE_ACCOUNT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "route.h"

/* What the database has said of how the site is: the worker's own data. */
struct status {
	pthread_mutex_t	lock;
	char		text[16384];	/* a JSON document; "": not known */
	int64_t		asked_at;	/* in clock_ms()'s milliseconds */
	bool		asking;		/* a thread asks for a new one */
};

extern const struct route audit_routes[], deletion_routes[], export_routes[], invitation_routes[], keys_routes[],
    profile_routes[], security_routes[], sessions_routes[], site_routes[], status_routes[], team_routes[],
    tenant_routes[], usage_routes[], workspace_routes[];

#endif
