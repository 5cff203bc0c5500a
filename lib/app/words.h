/*
 * words: the amounts, dates and numbers of a document, said in the language of a page or mail. Documents carry values,
 * which are the same for everybody: {"minor": 1900, "currency": "eur"} and {"iso": "2026-12-28T09:30:00Z"}. JSON
 * endpoints and the operator's command print these. {"micros": 39, "currency": "usd"} is an amount in millionths, and
 * {"figure": 1200} a number.
 */
#ifndef TOLLGATE_WORDS_H
#define TOLLGATE_WORDS_H

#include <json-c/json.h>

#include "err.h"
#include "mem.h"
#include "pages.h"

struct words;

/*
 * In the languages of p, by its catalogues' date_pattern. Lives as long as ctx. ERR_INVALID: ICU takes no such
 * pattern; printed on stderr.
 */
enum err words_open(mem_ctx *ctx, const struct pages *p, const struct words **out) MUST_CHECK;

/*
 * Gives each amount, date and number in doc, at any depth, the member "text": "$19.00", "19,00 €", "28. Dezember 2026"
 * (UTC), "1.500".
 * One that cannot be said (null, a currency that Stripe does not have) becomes null, unless it has a text already.
 * A value that is a string stays as it is. Once a thread has said something, the formatters stay open until it ends.
 */
enum err words_add(const struct words *w, const char *language, struct json_object *doc) MUST_CHECK;

#endif
