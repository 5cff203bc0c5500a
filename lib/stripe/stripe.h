/*
 * stripe: the API over HTTPS, one function for each thing we ask. Every POST carries an Idempotency-Key. After a lost
 * answer, 409, 429, 5xx or a Stripe-Should-Retry the call is repeated with the same key and bytes, at most twice. All
 * threads share a rate of calls, and after a 429 all of them pause; so do other processes, by stripe_pace.
 *
 * A call lasts at most 2 * timeout_ms + STRIPE_SLACK_MS, pauses and waits for the rate included.
 */
#ifndef TOLLGATE_STRIPE_H
#define TOLLGATE_STRIPE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

struct stripe;

enum { STRIPE_RETRIES = 2, STRIPE_SLACK_MS = 1000 };

/* Keeps the rate and the pauses of several processes. Without it, and while it fails, a process keeps its own. */
struct stripe_pace {
	/* 0: the call may be made, and is counted. Else the ms to wait before asking again. -1: it failed. NULL: none. */
	int	(*turn)(void *arg, mem_ctx *mem, int rate);
	void	(*pause)(void *arg, mem_ctx *mem, int ms);
	void	*arg;
};

/* A call that Stripe refused, in Stripe's words. */
struct stripe_refused {
	const char	*call;		/* its kind: "POST /v1/checkout/sessions", without ids */
	const char	*path;
	const char	*form;		/* encoded parameters, or NULL */
	const char	*code, *param;	/* or NULL */
	const char	*sentence;	/* or NULL; without what is secret */
	const char	*request;	/* req_..., or NULL */
	const char	*page;		/* the request in Stripe's Dashboard, or NULL */
};

/*
 * refused is called after each call that Stripe answered with a refusal (ERR_INTERNAL), accepted after each that it
 * carried out; call and form are as in stripe_refused. NULL: it is not called.
 */
struct stripe_report {
	void	(*refused)(void *arg, mem_ctx *mem, const struct stripe_refused *r);
	void	(*accepted)(void *arg, mem_ctx *mem, const char *call, const char *form);
	void	*arg;
};

struct stripe_options {
	const char	*api_url;		/* https://api.stripe.com; plain http only to a loopback address, any
						 * other makes every call fail */
	const char	*key;
	const char	*version;		/* sent as Stripe-Version on every call */
	const char	*portal_configuration;	/* bpc_... or "" */
	int		timeout_ms;		/* one attempt; connecting gets 3 s of it */
	int		rate;			/* calls a second, a second's worth of them at once; 0: any number */
	struct stripe_pace	pace;
	struct stripe_report	report;
};

/* No connection is made. Hangs on ctx; used by all threads. */
struct stripe *stripe_open(mem_ctx *ctx, const struct stripe_options *options);

/*
 * From any thread, before the process ends: calls in flight fail with ERR_UNAVAILABLE within a second, and so does
 * every later one.
 */
void stripe_stop(struct stripe *s);

/* False while calls are refused or delayed: the breaker is open, or Stripe asked to slow down. */
bool stripe_is_up(struct stripe *s);

/* What this process has seen of Stripe. */
struct stripe_health {
	bool	refused;	/* the breaker has opened, and no call has succeeded since */
	int64_t	answered;	/* when Stripe answered last and knew our key, in clock_ms()'s milliseconds; 0: never */
};

struct stripe_health stripe_health(struct stripe *s);

/* False after a 401, until Stripe accepts this key again. Meanwhile the breaker is open except for its probes. */
bool stripe_knows_key(struct stripe *s);

/* The calls that this key is refused now: [], ["every call"] or ["GET /v1/charges", ...]. On mem. */
struct json_object *stripe_refused(struct stripe *s, mem_ctx *mem);

/*
 * One API call. form: encoded parameters (query string for GET and DELETE), or NULL. key: Idempotency-Key of a POST,
 * else NULL. *out, a JSON object, on mem; with an error, what Stripe says of it, or NULL. Errors: ERR_UNAVAILABLE (no
 * answer, or one that is not JSON; 409, 429, 5xx after retries; or the breaker is open), ERR_KEY_REFUSED (401, 403, and
 * for 10 s all calls of the same kind; logged once), ERR_NOT_FOUND (404), ERR_UPSTREAM (an answer outside the API's
 * contract), ERR_INTERNAL (other 4xx: a fault of our request; logged), ERR_CONFLICT (the key is spent: Stripe stored a
 * failure under it and replays it for a day, so only another key can succeed; whether anything was made is not known).
 */
enum err stripe_call(struct stripe *s, mem_ctx *mem, const char *method, const char *path, const char *form,
    const char *key, struct json_object **out) MUST_CHECK;

/* A position in a list, newest first. Begin with after NULL, or with the id of an object to continue after it. */
struct stripe_list {
	const char		*path;
	const char		*form;		/* encoded parameters, or NULL */
	const char		*after;
	struct json_object	*data;		/* the page: an array of objects, each with an "id" */
	bool			more;		/* another page follows */
};

/* Gets the next page and moves after to its last object; both on mem. A page that is too large is got in parts. */
enum err stripe_list(struct stripe *s, mem_ctx *mem, struct stripe_list *l) MUST_CHECK;

/*
 * Adds every object of the list at path, page by page, to an array. form: encoded parameters, or NULL. until: in
 * clock_ms()'s milliseconds, INT64_MAX for any time; a page is not begun after it, which is ERR_UNAVAILABLE.
 */
enum err stripe_list_all(struct stripe *s, mem_ctx *mem, const char *path, const char *form, int64_t until,
    struct json_object *into) MUST_CHECK;

/*
 * GET /v1/account: the Stripe account of our key. *id "acct_...". ERR_FORBIDDEN: a restricted key without the right to
 * ask; else as stripe_call().
 */
enum err stripe_account(struct stripe *s, mem_ctx *mem, const char **id) MUST_CHECK;

struct stripe_checkout {
	const char	*tenant;	/* our id: client_reference_id, metadata[tenant_id] of checkout session and subscription */
	const char	*plan;
	const char	*price;
	struct json_object	*metered;	/* prices beside it, as texts, or NULL */
	const char	*email;		/* or NULL when customer is given */
	const char	*customer;	/* or NULL */
	const char	*success_url;	/* with the literal {CHECKOUT_SESSION_ID} */
	const char	*cancel_url;
	const char	*language;	/* "en" */
	int		trial_days;	/* or 0 */
	int		quantity_min, quantity_max;	/* 0 is 1 */
	bool		promotion_codes, automatic_tax, tax_ids, billing_address, terms;
	const char	*key;		/* Idempotency-Key */
};

/*
 * POST /v1/checkout/sessions. *id "cs_..."; *url on Stripe's checkout host (checked), or NULL when no longer open.
 * ERR_NOT_FOUND: the customer does not exist at Stripe, or was deleted. ERR_BAD_REQUEST: stripe_refuses_email().
 */
enum err stripe_checkout(struct stripe *s, mem_ctx *mem, const struct stripe_checkout *c, const char **id,
    const char **url) MUST_CHECK;

/*
 * Whether Stripe refused a call because its e-mail address is invalid (code email_invalid). The visitor typed it, so no
 * alert is raised.
 */
bool stripe_refuses_email(struct json_object *answer);

/* As stripe_portal(), for the portal's page that takes a new card and then returns. */
enum err stripe_portal_card(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url,
    const char *language, const char **url) MUST_CHECK;

/* POST /v1/billing_portal/sessions. *url on Stripe's portal host (checked). */
enum err stripe_portal(struct stripe *s, mem_ctx *mem, const char *customer, const char *return_url,
    const char *language, const char **url) MUST_CHECK;

/* Space-separated origins of Stripe's hosted pages, for the form-action of our Content-Security-Policy. */
const char *stripe_origins(const struct stripe *s);

#endif
