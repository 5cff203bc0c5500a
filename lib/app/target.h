/* target: the pages that a proof may lead to. */
#ifndef TOLLGATE_TARGET_H
#define TOLLGATE_TARGET_H

/* path, when a sign-in may redirect to it; else "/workspace". */
const char *target_allowed(const char *path);

#endif
