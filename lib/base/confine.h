/* confine: takes from a process what it no longer needs of the file system (Landlock). */
#ifndef TOLLGATE_CONFINE_H
#define TOLLGATE_CONFINE_H

#include "err.h"

/*
 * From now on the calling thread, and every thread it starts, reads only what lies below these paths (NULL at the end;
 * one that does not exist is left out), writes no file but /dev/null, and starts no program. Open descriptors stay
 * usable. ERR_UNAVAILABLE: the kernel has no Landlock. ERR_INTERNAL: the kernel refused.
 */
enum err confine_files(const char *const *readable) MUST_CHECK;

#endif
