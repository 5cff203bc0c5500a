#include "words.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unicode/ucurr.h>
#include <unicode/udat.h>
#include <unicode/uloc.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>

#include "currency.h"
#include "json.h"

enum { TEXT_MAX = 128, CODE = 3, SECONDS = 19, MICRO = 6 };

struct words {
	const struct pages	*pages;
	pthread_key_t		key;	/* struct speaker */
};

/* Of one language. A formatter is used by one thread at a time. */
struct voice {
	UNumberFormat	*money;		/* NULL until the language is spoken */
	UNumberFormat	*number;
	UDateFormat	*date;
	UChar		currency[CODE + 1];
	int32_t		digits;
};

/* What a thread has opened. */
struct speaker {
	size_t		n;
	struct voice	*voices;	/* one for each language of the pages */
};

static void
voice_close(struct voice *v)
{
	if (v->money != NULL)
		unum_close(v->money);
	if (v->number != NULL)
		unum_close(v->number);
	if (v->date != NULL)
		udat_close(v->date);
	*v = (struct voice){ 0 };
}

static enum err
voice_open(const struct language *l, struct voice *v)
{
	UErrorCode	e = U_ZERO_ERROR;
	UChar		pattern[TEXT_MAX];
	int32_t		n;

	u_strFromUTF8(pattern, TEXT_MAX, &n, l->date_pattern, -1, &e);
	v->money = unum_open(UNUM_CURRENCY, NULL, 0, l->code, NULL, &e);
	v->number = unum_open(UNUM_DECIMAL, NULL, 0, l->code, NULL, &e);
	v->date = udat_open(UDAT_PATTERN, UDAT_PATTERN, l->code, u"UTC", -1, pattern, n, &e);
	if (U_SUCCESS(e))
		return OK;
	voice_close(v);
	return ERR_INTERNAL;
}

static void
speaker_close(void *arg)
{
	struct speaker	*s = arg;

	for (size_t i = 0; i < s->n; i++)
		voice_close(&s->voices[i]);
	talloc_free(s);
}

/* The calling thread's voice in a language. */
static enum err
voice_of(const struct words *w, const struct language *l, struct voice **out)
{
	struct speaker	*s = pthread_getspecific(w->key);

	if (s == NULL) {
		s = talloc_zero(NULL, struct speaker);
		s->n = w->pages->n_languages;
		s->voices = talloc_zero_array(s, struct voice, s->n);
		if (pthread_setspecific(w->key, s) != 0)
			return ERR_INTERNAL;
	}
	*out = &s->voices[l - w->pages->languages];
	return (*out)->money != NULL ? OK : voice_open(l, *out);
}

/* The formatter keeps its currency, because changing that takes ten times as long as an amount. */
static enum err
voice_choose(struct voice *v, const UChar *currency, int32_t digits)
{
	UErrorCode	e = U_ZERO_ERROR;

	if (u_strcmp(v->currency, currency) == 0 && v->digits == digits)
		return OK;
	unum_setTextAttribute(v->money, UNUM_CURRENCY_CODE, currency, CODE, &e);
	unum_setAttribute(v->money, UNUM_FRACTION_DIGITS, digits);
	u_strcpy(v->currency, U_SUCCESS(e) ? currency : u"");
	v->digits = digits;
	return U_SUCCESS(e) ? OK : ERR_INTERNAL;
}

static enum err
text_put(struct json_object *value, const UChar *text, int32_t n, UErrorCode e)
{
	char	utf8[3 * TEXT_MAX + 1];

	u_strToUTF8(utf8, sizeof(utf8), NULL, text, n, &e);
	if (U_FAILURE(e))
		return ERR_INTERNAL;
	json_put(value, "text", utf8);
	return OK;
}

/* Whether an amount has no minor units. */
static bool
is_whole(const char *minor, size_t digits)
{
	size_t		n = strlen(minor);
	const char	*behind = n > digits ? minor + n - digits : minor;

	return strspn(behind, "0") == strlen(behind);
}

/* Behind the point: the currency's digits at Stripe; for a whole amount fewer, where people use fewer (ISK). */
static int32_t
digits_shown(const UChar *currency, const char *minor, int32_t digits)
{
	UErrorCode	e = U_ZERO_ERROR;
	int32_t		usual = ucurr_getDefaultFractionDigits(currency, &e);

	return U_SUCCESS(e) && usual < digits && is_whole(minor, (size_t)digits) ? usual : digits;
}

/* Of micro-units: the currency's digits, or as many as it takes to say less than its smallest unit. */
static int32_t
digits_of_micros(const char *micros, int32_t digits)
{
	size_t	n, shown = MICRO;

	micros += *micros == '-';
	n = strlen(micros);
	if (n > (size_t)(MICRO - digits) || strcmp(micros, "0") == 0)
		return digits;
	while (micros[--n] == '0')
		shown--;
	return (int32_t)shown;
}

/* As "minor" or "micros". A decimal as text, because a double holds no more than 15 digits. */
static enum err
amount_say(struct voice *v, struct json_object *value, const char *unit, bool *said)
{
	struct json_object	*amount = json_object_object_get(value, unit);
	const char		*currency = json_text(value, "/currency"), *units = json_object_get_string(amount);
	int			digits = currency == NULL ? -1 : currency_digits(currency);
	bool			micros = strcmp(unit, "micros") == 0;
	UErrorCode		e = U_ZERO_ERROR;
	UChar			code[CODE + 1] = { 0 }, text[TEXT_MAX];
	char			decimal[TEXT_MAX];
	int32_t			n;

	*said = digits >= 0 && json_object_is_type(amount, json_type_int);
	if (!*said)
		return OK;
	for (int i = 0; i < CODE; i++)
		code[i] = (UChar)(currency[i] - 'a' + 'A');
	TRY(voice_choose(v, code, micros ? digits_of_micros(units, digits) : digits_shown(code, units, digits)));
	snprintf(decimal, sizeof(decimal), "%sE-%d", units, micros ? MICRO : digits);
	n = unum_formatDecimal(v->money, decimal, -1, text, TEXT_MAX, NULL, &e);
	return text_put(value, text, n, e);
}

static enum err
number_say(struct voice *v, struct json_object *value, bool *said)
{
	struct json_object	*number = json_object_object_get(value, "figure");
	UErrorCode		e = U_ZERO_ERROR;
	UChar			text[TEXT_MAX];
	int32_t			n;

	*said = json_object_is_type(number, json_type_int);
	if (!*said)
		return OK;
	n = unum_formatInt64(v->number, json_object_get_int64(number), text, TEXT_MAX, NULL, &e);
	return text_put(value, text, n, e);
}

/* "2026-12-28T09:30:00Z", as a row of before has it too; a fraction is dropped. */
static bool
time_read(const char *iso, time_t *out)
{
	struct tm	tm = { 0 };
	const char	*end = iso == NULL ? NULL : strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end == NULL || end - iso != SECONDS)
		return false;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	*out = timegm(&tm);
	return strcmp(end, "Z") == 0 || strcmp(end, "+00:00") == 0;
}

static enum err
date_say(struct voice *v, struct json_object *value, bool *said)
{
	UErrorCode	e = U_ZERO_ERROR;
	UChar		text[TEXT_MAX];
	time_t		at;
	int32_t		n;

	*said = time_read(json_text(value, "/iso"), &at);
	if (!*said)
		return OK;
	n = udat_format(v->date, (UDate)at * 1000, text, TEXT_MAX, NULL, &e);
	return text_put(value, text, n, e);
}

static bool
has(struct json_object *value, const char *name)
{
	return json_object_object_get_ex(value, name, NULL);
}

static enum err
value_say(struct voice *v, struct json_object *value, bool *said)
{
	if (has(value, "minor") && has(value, "currency"))
		return amount_say(v, value, "minor", said);
	if (has(value, "micros") && has(value, "currency"))
		return amount_say(v, value, "micros", said);
	if (has(value, "figure"))
		return number_say(v, value, said);
	if (has(value, "iso"))
		return date_say(v, value, said);
	*said = true;
	return OK;
}

/* *keep: the document goes on to hold the value. */
static enum err
values_say(struct voice *v, struct json_object *value, bool *keep)
{
	bool	kept;

	*keep = true;
	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			TRY(values_say(v, json_object_array_get_idx(value, i), &kept));
			if (!kept)
				json_object_array_put_idx(value, i, NULL);
		}
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member) {
			TRY(values_say(v, member, &kept));
			if (!kept)
				json_object_object_add(value, name, NULL);
		}
		TRY(value_say(v, value, keep));
		*keep = *keep || json_text(value, "/text") != NULL;
	}
	return OK;
}

enum err
words_add(const struct words *w, const char *language, struct json_object *doc)
{
	const struct language	*l = pages_language(w->pages, language);
	struct voice		*v;
	bool			ignored;

	TRY(voice_of(w, l, &v));
	return values_say(v, doc, &ignored);
}

static void
words_close(void *arg)
{
	struct words	*w = arg;
	void		*s = pthread_getspecific(w->key);

	if (s != NULL)
		speaker_close(s);
	pthread_key_delete(w->key);
}

enum err
words_open(mem_ctx *ctx, const struct pages *p, const struct words **out)
{
	struct words	*w = talloc(ctx, struct words);
	UErrorCode	e = U_ZERO_ERROR;
	struct voice	v = { 0 };

	*w = (struct words){ .pages = p };
	/* For a language that ICU does not have. Without this it takes the one of the process's environment. */
	uloc_setDefault("en", &e);
	if (U_FAILURE(e) || pthread_key_create(&w->key, speaker_close) != 0)
		return ERR_INTERNAL;
	mem_hang(w, w, words_close);
	for (size_t i = 0; i < p->n_languages; i++) {
		if (voice_open(&p->languages[i], &v) != OK) {
			fprintf(stderr, "language %s: ICU takes no such date_pattern\n", p->languages[i].code);
			return ERR_INVALID;
		}
		voice_close(&v);
	}
	*out = w;
	return OK;
}
