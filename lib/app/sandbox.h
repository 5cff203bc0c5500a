/* sandbox: what a program may read once it serves. */
#ifndef TOLLGATE_SANDBOX_H
#define TOLLGATE_SANDBOX_H

#include "app.h"
#include "mem.h"

/*
 * To be called when everything is open and no thread has been started: see confine_files(). Readable is what glibc's
 * resolver, the libraries and the listed resources need. A kernel without Landlock is named in the log once.
 */
enum err sandbox_enter(mem_ctx *ctx, const struct app *app) MUST_CHECK;

#endif
