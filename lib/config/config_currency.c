/* What Stripe takes as a plan's amount in a currency: https://docs.stripe.com/currencies */
#include "private/config_key.h"

#include <string.h>

#include "currency.h"

/* The last digits of an amount that must be 0, as Stripe wants it. */
static const struct {
	const char	*currency;
	int		multiple;
} steps[] = {
	{ "bhd", 10 }, { "isk", 100 }, { "jod", 10 }, { "kwd", 10 }, { "omr", 10 }, { "tnd", 10 }, { "ugx", 100 },
};

/* The least amounts that are charged. For the others they depend on the account's own currency. */
static const struct {
	const char	*currency;
	int		amount;
} least[] = {
	{ "aed", 200 }, { "aud", 50 }, { "bgn", 100 }, { "brl", 50 }, { "cad", 50 }, { "chf", 50 }, { "czk", 1500 },
	{ "dkk", 250 }, { "eur", 50 }, { "gbp", 30 }, { "hkd", 400 }, { "huf", 17500 }, { "inr", 50 }, { "jpy", 50 },
	{ "mxn", 1000 }, { "myr", 200 }, { "nok", 300 }, { "nzd", 50 }, { "pln", 200 }, { "ron", 200 }, { "sek", 300 },
	{ "sgd", 50 }, { "thb", 1000 }, { "usd", 50 },
};

const char *
config_check_currency(const char *s)
{
	size_t	n = strlen(s);

	if (n == 0)
		return NULL;
	if (n != 3 || strspn(s, "abcdefghijklmnopqrstuvwxyz") != 3)
		return "must be three lower-case letters, as in \"eur\"";
	return currency_is_charged(s) ? NULL : "is not a currency that Stripe takes";
}

const char *
config_amount_fault(mem_ctx *ctx, const char *currency, int amount)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].currency, currency) == 0 && amount % steps[i].multiple != 0)
			return mem_printf(ctx, "has amount %d, and one in %s must be a multiple of %d", amount, currency,
			    steps[i].multiple);
	}
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++) {
		if (strcmp(least[i].currency, currency) == 0 && amount < least[i].amount)
			return mem_printf(ctx, "has amount %d, and Stripe charges at least %d in %s", amount, least[i].amount,
			    currency);
	}
	return NULL;
}
