/*
 * turn: one answer of a model. Asks the candidates in their order, each twice at most, until one answers; once a text
 * has come, nobody else is asked. Every word that comes out of it is ours or the model's text, never what a provider
 * says beside it.
 */
#ifndef TOLLGATE_TURN_H
#define TOLLGATE_TURN_H

#include "config.h"
#include "https.h"
#include "wire.h"

enum { TURN_MAX_TEXT = 1024 * 1024 };

struct turn_candidate {
	const char	*provider;	/* the row's name in model_providers */
	const char	*model;		/* the provider's name of the model */
	int		max_tokens;	/* of it; 0: the request's */
	bool		open;		/* its breaker: it is not asked */
};

struct turn_request {
	const struct config		*config;
	struct https			*https;
	mem_ctx				*mem;		/* what the turn needs hangs on it */
	const struct turn_candidate	*candidates;	/* in the order to ask them */
	size_t				n_candidates;
	const char			*system;	/* instructions; or NULL */
	const struct wire_message	*messages;	/* begins with a user's, roles alternate */
	size_t				n_messages;
	int				max_tokens;
	int64_t				input;		/* bound of what the input may count; 0: by its bytes */
	int				total_ms;	/* for the whole answer; 0, or more than chat.total_ms: chat.total_ms */
	bool				stream;		/* false: the provider answers as a whole; text() is called once */
};

/* A call to a model that has come to its end. */
struct turn_call {
	const char	*provider, *model;
	const char	*outcome;	/* "ok", "error", ...: as api.chat_note_call() takes it */
	int		status;		/* HTTP's, or what an error event stands for; 0: none */
	int		first_ms;	/* to the first text; -1: none came */
	int		ms;
};

struct turn_calls {
	void		*own;

	/* Text, valid UTF-8 without U+0000, as it comes. Not OK: the turn is stopped. */
	enum err	(*text)(void *own, const char *utf8, size_t n);

	/* Each second at least, and when other_fd is readable: pings, checkpoint, client gone. Not OK: stopped. */
	enum err	(*tick)(void *own);

	/* After each call. */
	void		(*called)(void *own, const struct turn_call *call);

	int		other_fd;	/* ends a wait when it is readable; -1: none */
};

enum turn_end {
	TURN_STOP,
	TURN_LENGTH,	/* max_tokens, TURN_MAX_TEXT or the time for all of it is reached */
	TURN_FILTER,
	TURN_TOOLS,
	TURN_OTHER,
	TURN_FAILED,	/* nobody answered, and there is no text */
	TURN_CUT,	/* the provider failed after text */
	TURN_CLOSED	/* stopped by text() or tick() */
};

struct turn_result {
	enum turn_end	end;
	const char	*provider, *model;	/* who answered, or was asked last; NULL: nobody was asked */
	struct tokens	usage;		/* all 0 of TURN_FAILED, and when nobody was being asked */
	bool		measured;	/* input, output or both are ours, not the provider's */
	unsigned	alerts;		/* enum tokens_alert */
	size_t		text_bytes;
	unsigned	deltas;
	int		first_ms;	/* to the first text; -1: none came */
	int		retry_after;	/* TURN_FAILED: seconds after which to try again; 0: not known */
	bool		refused;	/* TURN_FAILED: the provider takes the request for wrong, so a repetition is no use */
};

/* The word of useChat for an end: "stop", "length", "content-filter", "tool-calls", "other" or "error". */
const char *turn_finish(enum turn_end end);

/* Never fails otherwise than by out->end. */
void turn_run(const struct turn_request *q, const struct turn_calls *c, struct turn_result *out);

#endif
