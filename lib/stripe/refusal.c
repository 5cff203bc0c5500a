#include "refusal.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { UNKNOWN_KEY = 401, NO_RIGHT = 403, TOO_MANY = 429, FAILED = 500 };

/* The length of "/v1/checkout/sessions" in "/v1/checkout/sessions/cs_1". Ids have no fixed form, so segments count. */
static int
kind_length(const char *path)
{
	static const char *const	spaces[] = { "/v1/billing/", "/v1/billing_portal/", "/v1/checkout/",
		"/v2/core/" };
	size_t				n = strlen("/v1/");

	for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++) {
		if (strncmp(path, spaces[i], strlen(spaces[i])) == 0)
			n = strlen(spaces[i]);
	}
	return (int)(strlen(path) < n ? strlen(path) : n + strcspn(path + n, "/"));
}

/* The entry of this kind of call, or, if it has none, a free entry; NULL when the list is full. */
static struct refusal *
refusal_find(struct refusals *r, const char *method, const char *path, bool *found)
{
	struct refusal	*room = NULL;
	char		what[REFUSAL_NAME];

	snprintf(what, sizeof(what), "%s %.*s", method, kind_length(path), path);
	for (size_t i = 0; i < REFUSALS; i++) {
		*found = strcmp(r->list[i].what, what) == 0;
		if (*found)
			return &r->list[i];
		if (room == NULL && r->list[i].what[0] == '\0')
			room = &r->list[i];
	}
	return room;
}

const char *
refusal_kind(mem_ctx *mem, const char *method, const char *path)
{
	return mem_printf(mem, "%s %.*s", method, kind_length(path), path);
}

bool
refusal_allows(struct refusals *r, const char *method, const char *path, int64_t now)
{
	bool		found;
	struct refusal	*one = refusal_find(r, method, path, &found);

	if (!found)
		return true;
	if (now < one->until)
		return false;
	one->until = now + REFUSAL_PAUSE_MS;
	return true;
}

static bool
is_answer(int status)
{
	return status != 0 && status != TOO_MANY && status < FAILED;
}

bool
refusal_note_key(struct refusals *r, int status)
{
	bool	was = r->all;

	if (is_answer(status))
		r->all = status == UNKNOWN_KEY;
	return r->all != was;
}

bool
refusal_note(struct refusals *r, const char *method, const char *path, int status, int64_t now)
{
	bool		found;
	struct refusal	*one = refusal_find(r, method, path, &found);

	if (one == NULL || !is_answer(status) || status == UNKNOWN_KEY || (!found && status != NO_RIGHT))
		return false;
	if (status != NO_RIGHT) {
		one->what[0] = '\0';
		return true;
	}
	snprintf(one->what, sizeof(one->what), "%s %.*s", method, kind_length(path), path);
	one->until = now + REFUSAL_PAUSE_MS;
	return !found;
}
