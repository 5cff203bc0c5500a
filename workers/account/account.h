/* account: the route tables of this program's files. */
#ifndef TOLLGATE_ACCOUNT_H
#define TOLLGATE_ACCOUNT_H

#include "route.h"

extern const struct route audit_routes[], deletion_routes[], export_routes[], invitation_routes[], keys_routes[],
    profile_routes[], security_routes[], sessions_routes[], site_routes[], team_routes[], tenant_routes[],
    usage_routes[], workspace_routes[];

#endif
