"""Currencies and amounts: what Stripe takes, and the sentences in which it refuses the rest."""
from .errors import bad, refused

CURRENCIES = """usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd
cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd
hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl
mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr
pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd
tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw usdc""".split()
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
# The last digits of an amount that networks cannot carry are zero: of three-decimal currencies one, and both of those
# whose hundredths exist at Stripe only.
STEPS = {**dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10), "isk": 100, "ugx": 100}
MOST = 99_999_999
LEAST = {"aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
         "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
         "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50}
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def shown(amount, currency):
    """$0.50, as in Stripe's sentences; a currency without a sign of its own follows its amount."""
    text = f"{amount:,}" if currency in ZERO_DECIMAL else f"{amount / 100:,.2f}"
    return f"{SIGNS[currency]}{text}" if currency in SIGNS else f"{text} {currency.upper()}"


def check_currency(currency, param):
    if currency not in CURRENCIES:
        raise bad(f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(CURRENCIES)}",
                  param)


def check_amount(amount, currency, param):
    if amount < 0:
        raise bad("Invalid non-negative integer", param, "parameter_invalid_integer")
    if amount > MOST:
        raise bad(f"Amount must be no more than {shown(MOST, currency)}", param, "amount_too_large")
    if amount % STEPS.get(currency, 1):
        raise bad(f"Amounts in {currency} must be divisible by {STEPS[currency]}", param, "parameter_invalid_integer")


def check_total(total, currency):
    """What a checkout session charges at once: nothing, or enough to be charged."""
    least = LEAST.get(currency, 50)
    if 0 < total < least:
        raise refused("The Checkout Session's total amount due must add up to at least "
                      f"{shown(least, currency)} {currency}", code="amount_too_small")
    if total > MOST:
        raise refused("The Checkout Session's total amount due must be no more than "
                      f"{shown(MOST, currency)} {currency}", code="amount_too_large")


def check_same_currency(price, currency, param):
    if price["currency"] != currency:
        raise refused(f"The price specified only supports `{price['currency']}`. This doesn't match the expected "
                      f"currency: `{currency}`.", param)
