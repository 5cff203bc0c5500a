/* candidate: whom a turn may ask for an answer, as the configuration knows it, and what is sent there. */
#ifndef TOLLGATE_CANDIDATE_H
#define TOLLGATE_CANDIDATE_H

#include "turn.h"

struct candidate {
	const char				*provider, *model;
	const struct config_model_provider	*at;
	const struct wire			*wire;
	int					max_tokens;
};

/* Whether it can be asked: its breaker is not open, and its provider is in the configuration. */
bool candidate_find(const struct turn_request *q, const struct turn_candidate *named, struct candidate *out);

/* What it is sent for this turn, on mem, with the provider's key. */
void candidate_request(const struct candidate *c, const struct turn_request *q, mem_ctx *mem,
    struct https_request *out);

#endif
