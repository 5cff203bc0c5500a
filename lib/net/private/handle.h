/* handle: what an exchange is made with: libcurl's handles, kept for their connections, under the rules of https.h. */
#ifndef TOLLGATE_HANDLE_H
#define TOLLGATE_HANDLE_H

#include <curl/curl.h>

#include "https.h"

enum handle_kind {
	HANDLE_WHOLE,	/* for curl_easy_perform() */
	HANDLE_FEED,	/* for curl_multi_perform(), one at a time */
	HANDLE_KINDS
};

struct handle {
	CURL	*easy;
	CURLM	*multi;		/* of HANDLE_FEED; it has the connections */
};

/* From those that are kept, or new. To be given back. */
struct handle handle_take(struct https *h, enum handle_kind kind);
void handle_give(struct https *h, enum handle_kind kind, struct handle x);

/* Sets the rules and the request. *why: set when an address is refused. q's body is not copied. */
void handle_prepare(CURL *c, struct https *h, mem_ctx *mem, const struct https_request *q, const char **why);

/*
 * Has it trust the authorities that libcurl trusts by default, but read once for all handles. For handles that are made
 * for many connections at once.
 */
void handle_share_trust(CURL *c, struct https *h);

/* The values of the named headers, each at most 200 bytes; NULL for one that did not come. */
void handle_headers(CURL *c, mem_ctx *mem, const char *const *named, const char **values);

/* A descriptor that is readable from https_stop() on. */
int handle_stop_fd(const struct https *h);

#endif
