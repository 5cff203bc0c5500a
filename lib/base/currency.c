#include "currency.h"

#include <stddef.h>
#include <string.h>

/*
 * Stripe's currencies, by the digits of an amount that are minor units there (https://docs.stripe.com/currencies).
 * Stripe's number may differ from ISO 4217's: ISK and UGX have no smaller coins, and Stripe counts hundredths of them.
 * billing.is_currency() has the same currencies.
 */
static const struct {
	int		digits;
	const char	*charged;	/* a plan may be sold in these */
	const char	*others;	/* an account's balance or an old invoice may be in these */
} currencies[] = {
	{ 0,
	    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf",
	    "" },
	{ 2,
	    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf "
	    "cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils "
	    "inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn "
	    "nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd "
	    "std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd xcg yer zar zmw",
	    "btn cup ern ghs hrk irr kpw mru sdg sll ssp stn svc syp tmt ved ves zwg" },
	{ 3,
	    "bhd jod kwd omr tnd",
	    "iqd lyd" },
};

static bool
is_code(const char *s)
{
	return strlen(s) == 3 && strspn(s, "abcdefghijklmnopqrstuvwxyz") == 3;
}

int
currency_digits(const char *code)
{
	for (size_t i = 0; is_code(code) && i < sizeof(currencies) / sizeof(currencies[0]); i++) {
		if (strstr(currencies[i].charged, code) != NULL || strstr(currencies[i].others, code) != NULL)
			return currencies[i].digits;
	}
	return -1;
}

bool
currency_is_charged(const char *code)
{
	for (size_t i = 0; is_code(code) && i < sizeof(currencies) / sizeof(currencies[0]); i++) {
		if (strstr(currencies[i].charged, code) != NULL)
			return true;
	}
	return false;
}
