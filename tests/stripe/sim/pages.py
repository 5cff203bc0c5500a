"""The HTML of the hosted pages: Checkout and the portal, plain and without JavaScript."""
from datetime import datetime, timezone
from html import escape

from .catalog import money
from .subscriptions import period_end

STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --paper: #f6f7f9; --card: #fff; --line: #d9dee5; --tint: #635bff;
  --soft: #5b6673; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14171c; --card: #1d2127; --line: #343b45;
  --tint: #9a94ff; --soft: #a5afbb; --bad: #ff8f85 } }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
.banner { padding: .5rem 1rem; text-align: center; font-size: .875rem; color: #3b2f00; background: #ffd866 }
main { max-width: 30rem; margin: 2rem auto; padding: 0 1rem }
section { margin: 1rem 0; padding: 1.25rem; border: 1px solid var(--line); border-radius: .6rem;
  background: var(--card) }
h1 { margin: 0 0 .25rem; font-size: 1.4rem } h2 { margin: 0 0 .5rem; font-size: 1.05rem }
p { margin: .25rem 0 } .soft { color: var(--soft) } .price { font-size: 1.8rem; font-weight: 600 }
.bad { color: var(--bad); font-weight: 600 }
form { margin: .6rem 0 0 }
label { display: block; margin: .6rem 0 .2rem; font-size: .9rem }
input, select { width: 100%; padding: .6rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: .4rem }
button { width: 100%; padding: .7rem 1rem; font: inherit; font-weight: 600; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--tint); color: var(--tint); background: transparent }
button.main { color: #fff; background: #635bff; border-color: #635bff } button { margin-top: .6rem }
a { color: var(--tint) } :focus-visible { outline: 3px solid var(--tint); outline-offset: 2px }
"""


def page(title, body):
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<div class="banner" role="note">Stripe simulator: no real money, no real cards.</div>
<main>
{body}
</main>
</body>
</html>
"""


def date(when):
    at = datetime.fromtimestamp(when, timezone.utc)
    return f"{at.day} {at:%B %Y}"


def notice(text):
    return f'<p class="bad" role="alert" id="notice">{escape(text)}</p>' if text else ""


def form(token, fields, content, ident=""):
    """A form posted to its own address, good for one press."""
    hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                     for name, value in {"token": token, **fields}.items())
    return f'<form method="post"{f" id={chr(34)}{ident}{chr(34)}" if ident else ""}>{hidden}{content}</form>'


def button(ident, label, name="", value="", main=False):
    attributes = f' name="{name}" value="{value}"' if name else ""
    return f'<button id="{ident}"{attributes}{" class=main" if main else ""}>{escape(label)}</button>'


def email_field(session):
    if session["customer_email"] or session["customer"]:
        shown = session["customer_email"] or (session["customer_details"] or {}).get("email") or ""
        return f'<p>Paying as <strong id="email-shown">{escape(shown)}</strong></p>'
    return ('<label for="email">E-mail</label><input id="email" name="email" type="email" required '
            'autocomplete="email">')


def field(name, label, value="", kind="text"):
    return (f'<label for="{name}">{escape(label)}</label><input id="{name}" name="{name}" type="{kind}" '
            f'value="{escape(str(value))}">')


def option_fields(session, lines, code):
    """What the buyer may fill in beside a card, and the button that only works it out."""
    parts, choice = [], lines[0]["adjustable_quantity"]
    if choice:
        parts.append(field("quantity", f"Quantity ({choice['minimum']} to {choice['maximum']})", lines[0]["quantity"],
                           "number"))
    if session["allow_promotion_codes"]:
        parts.append(field("promotion_code", "Promotion code", code["code"] if code else ""))
    if parts:
        parts.append(button("apply", "Apply", "card", "later"))
    if session["tax_id_collection"]["enabled"]:
        parts.append(field("tax_id", "Tax id (optional)"))
    if (session["consent_collection"] or {}).get("terms_of_service") == "required":
        parts.append('<p><label for="terms"><input id="terms" name="terms" type="checkbox" value="yes"> '
                     'I accept the terms of service</label></p>')
    return "".join(parts)


def sums(session):
    """What is taken off and added, where something is."""
    told = session["total_details"]
    return "".join(f'<p class="soft" id="{ident}">{label} {money(amount, session["currency"])}</p>'
                   for ident, label, amount in (("discount", "Discount", told["amount_discount"]),
                                                ("tax", "Tax", told["amount_tax"])) if amount)


def counted(item):
    return "as used" if item["quantity"] is None else item["quantity"]


def checkout(session, lines, token, problem=None, trial_end=None, code=None):
    rows = "".join(f'<p>{escape(item["description"])} × {counted(item)}</p>' for item in lines)
    whole = sum(item["amount_total"] for item in lines)
    price = money(whole if trial_end else session["amount_total"], session["currency"])
    trial = f'<p class="soft">Free until {date(trial_end)}, then {price} a month.</p>' if trial_end else ""
    no_card = ""
    if trial_end and session["payment_method_collection"] == "if_required":
        no_card = button("start-without-card", "Start the trial without a card", "card", "none")
    buttons = (email_field(session) + option_fields(session, lines, code)
               + button("pay-good", "Pay with a good card", "card", "good", main=True)
               + button("pay-declined", "Pay with a declined card", "card", "declined")
               + button("pay-bank", "Pay by bank debit (settles later)", "card", "bank")
               + button("pay-amounts", "Pay from a bank account that is proven first", "card", "amounts") + no_card)
    back = ""
    if session["cancel_url"]:
        back = f'<p><a id="cancel" href="{escape(session["cancel_url"])}">Back without paying</a></p>'
    return page("Checkout", f"""<section><p class="soft">Subscribe to</p>{rows}
<p class="price" id="price">{price}<span class="soft"> / month</span></p>{sums(session)}{trial}</section>
<section><h1>Payment</h1>{notice(problem)}{form(token, {}, buttons, "pay")}</section>{back}""")


def plain(title, text, link=None):
    """A page with nothing to do but read, and perhaps one way on."""
    way = f'<p><a id="return" href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else ""
    return page(title, f'<section><h1>{escape(title)}</h1><p id="message">{escape(text)}</p></section>{way}')


def ends_on(sub):
    if sub["cancel_at"] or sub["cancel_at_period_end"]:
        return f'<p class="bad">Ends on {date(sub["cancel_at"] or period_end(sub))}</p>'
    return f'<p class="soft">Renews on {date(period_end(sub))}</p>'


def portal_buttons(sub, token, allowed, prices):
    """The forms of one subscription. prices: [(id, label)] of the plans on offer; what it has is not offered again."""
    has = [item["price"]["id"] for item in sub["items"]["data"]]
    prices = [(ident, label) for ident, label in prices if ident not in has]
    fields = {"subscription": sub["id"]}
    scheduled = sub["cancel_at"] or sub["cancel_at_period_end"]
    parts = []
    if allowed("change") and prices:
        options = "".join(f'<option value="{escape(ident)}">{escape(label)}</option>' for ident, label in prices)
        parts.append(form(token, {**fields, "action": "change"}, f'<label for="price">Plan</label><select id="price" '
                          f'name="price">{options}</select>' + button("change-plan", "Change plan")))
    if allowed("pay") and sub["status"] in ("past_due", "unpaid"):
        parts.append(form(token, {**fields, "action": "pay"}, button("pay-invoice", "Pay the open invoice", main=True)))
    if scheduled and allowed("renew"):
        parts.append(form(token, {**fields, "action": "renew"}, button("renew", "Renew the plan", main=True)))
    elif not scheduled and allowed("cancel_at_period_end"):
        parts.append(form(token, {**fields, "action": "cancel_at_period_end"},
                          button("cancel-at-period-end", "Cancel at the end of the period")))
    if allowed("cancel_now"):
        parts.append(form(token, {**fields, "action": "cancel_now"}, button("cancel-now", "Cancel now")))
    return "".join(parts)


def portal(session, email, subs, card, token, allowed, prices, problem=None):
    """subs: live subscriptions, each with its plan's name: [(subscription, name)]."""
    sections = "".join(f"""<section class="subscription" data-id="{escape(sub['id'])}"><h2>{escape(name)}</h2>
<p>Status: <strong class="status">{escape(sub['status'])}</strong></p>{ends_on(sub)}
{portal_buttons(sub, token, allowed, prices)}</section>""" for sub, name in subs)
    sections = sections or '<section><p id="none">No active subscription.</p></section>'
    cards = ""
    if allowed("card"):
        cards = "<section><h2>Card</h2>" + f'<p class="soft">Ends in {escape(card or "(none)")}</p>' + form(
            token, {"action": "card"}, button("card-good", "Use a new good card", "card", "good")
            + button("card-failing", "Use a card that will be declined", "card", "failing")) + "</section>"
    return page("Billing portal", f"""<h1>Billing</h1><p class="soft">{escape(email or "")}</p>{notice(problem)}
{sections}{cards}<p><a id="return" href="{escape(session['return_url'])}">Return to the application</a></p>""")


def invoice_lines(row):
    """What the invoice's page and its PDF say, line by line."""
    currency = row["currency"]
    due = [f"Due on {date(row['due_date'])}"] if row["due_date"] and row["status"] == "open" else []
    return [f"Invoice {row['number']}", f"{date(row['created'])}, {row['customer_email'] or row['customer']}",
            *(f"{line['description']}: {money(line['amount'], currency)}" for line in row["lines"]["data"]),
            f"Total: {money(row['total'], currency)}", f"Status: {row['status']}", *due]


def invoice(row, token, problem=None):
    title, *lines = invoice_lines(row)
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    pay = form(token, {}, button("pay-invoice", f"Pay {money(row['amount_remaining'], row['currency'])}", main=True))
    return page(title, f"""<section><h1>{escape(title)}</h1>{notice(problem)}{said}
{pay if row["status"] == "open" else ""}</section>
<p><a id="pdf" href="{escape(row['invoice_pdf'])}">As a PDF</a></p>""")


def amounts(token):
    press = button("enter-amounts", "Enter 0.32 and 0.45", main=True)
    return page("Bank account", f"""<section><h1>Which amounts have arrived?</h1>{form(token, {}, press)}</section>""")


DAYS = {"1": "A day passes", "7": "A week passes", "31": "A month passes"}


def clock(now, token, problem=None):
    presses = "".join(button(f"pass-{days}", label, "days", days) for days, label in DAYS.items())
    return page("Clock", f"""<section><p class="soft">It is now</p><p class="price" id="now">{date(now)}</p>
{notice(problem)}{form(token, {}, presses)}</section>
<p class="soft">What falls due meanwhile happens: plans renew, trials end, cards are charged. The site hears of it in a
moment: reload its page then. Who has been away for long is signed out there.</p>""")
