/*
 * models: the way to the providers of models, and the places of those who are being answered. Each answer has a thread
 * for as long as it takes, so there are more threads than places: the rest of the program is served meanwhile.
 */
#ifndef TOLLGATE_MODELS_H
#define TOLLGATE_MODELS_H

#include "https.h"
#include "resource.h"

extern const struct resource resource_models;

/* As many as one process needs: chat.streams, and some for what takes no time. */
int models_threads(const struct config *c);

struct https *models_https(const struct app *app);

/* Takes a place; false when all are taken: nothing is waited for. */
bool models_enter(const struct app *app) MUST_CHECK;

void models_leave(const struct app *app);

#endif
