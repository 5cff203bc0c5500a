/* sentence: what Stripe says of a refusal, fit for a log and an alert. Pure. */
#ifndef TOLLGATE_SENTENCE_H
#define TOLLGATE_SENTENCE_H

#include <json-c/json.h>

#include "mem.h"

enum { SENTENCE_MOST = 500 };	/* bytes of a sentence */

/*
 * error.message with "***" for each word that may be secret: a key, a token, an e-mail address, or an address of a page
 * that is not of Stripe's documentation or Dashboard. NULL when Stripe says nothing.
 */
const char *sentence_of(mem_ctx *mem, struct json_object *doc);

/* error.request_log_url, which leads to Stripe's Dashboard; NULL when there is none, or it leads elsewhere. */
const char *sentence_page(struct json_object *doc);

#endif
