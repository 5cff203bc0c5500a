"""life: the actions of one customer, in a call each. An action that Stripe refuses at the moment is skipped."""
import hashlib
import secrets
import time

import journey
import requests
from client import Browser
from world import PATIENCE, TALLY

VERSION = "2026-07-29.dahlia"
PRICES = {"starter": "price_starter", "growth": "price_growth"}


class Life:
    """email, tenant and session of one customer; said: what was done, for the history."""

    def __init__(self, world, plan="starter", trial=0, card="good", without="create_invoice"):
        self.world, self.plan, self.trial, self.card, self.without = world, plan, trial, card, without
        self.email = journey.new_address("life")
        self.tenant = self.session = None

    # -- the way in

    def sign_up(self):
        """By the form, as people do; a trial as a sales page of ours would ask for it."""
        if self.trial:
            self.sign_up_for_trial()
        else:
            self.session = journey.session_in(self.send_form())
        self.tenant = str(self.world.db.tenant_of(self.email))

    def send_form(self):
        """The answer; the button is pressed again when it says that Stripe did not answer in the short time that
        programs wait here."""
        browser = Browser(self.world.stack["url"])
        page = journey.sign_up(browser, self.email, self.plan)
        end = time.monotonic() + PATIENCE
        while page.status == 503 and time.monotonic() < end:
            TALLY["sign-ups that waited for Stripe"] += 1
            time.sleep(float(page.header("Retry-After") or 1))
            page = browser.submit(page)
        return page

    def sign_up_for_trial(self):
        key = hashlib.sha256(self.email.encode()).digest()
        draft = self.world.db.value("select api.open_draft(%s, %s, %s, 'en', %s, '127.0.0.1')", key, self.email,
                                    self.plan, secrets.token_bytes(32))
        made = self.ask_session(draft["tenant"], customer_email=self.email,
                                **{"subscription_data[trial_period_days]": self.trial,
                                   "subscription_data[trial_settings][end_behavior][missing_payment_method]":
                                       self.without,
                                   "payment_method_collection": "if_required"})
        self.session = made["id"]
        self.world.db.value("select api.checkout_opened(%s, %s::int, %s)", key, draft["attempt"], self.session)

    def ask_session(self, tenant, **more):
        form = {"mode": "subscription", "line_items[0][price]": PRICES[self.plan], "line_items[0][quantity]": 1,
                "success_url": "http://localhost/welcome?session_id={CHECKOUT_SESSION_ID}",
                "client_reference_id": tenant, "subscription_data[metadata][tenant_id]": tenant,
                "metadata[tenant_id]": tenant, **more}
        return self.api("POST", "checkout/sessions", form)

    def ask(self, method, path, form=None):
        stack = self.world.stack
        return requests.request(method, f"{stack['stripe_url']}/v1/{path}", data=form, timeout=30, headers={
            "Authorization": f"Bearer {stack['stripe_key']}", "Stripe-Version": VERSION})

    def api(self, method, path, form=None):
        answer = self.ask(method, path, form)
        assert answer.ok, answer.text
        return answer.json()

    def operate(self, path, form):
        """What an operator does by hand at Stripe: whether Stripe let it."""
        answer = self.ask("POST", path, form)
        assert answer.status_code in (200, 400, 402, 404), answer.text
        return answer.ok

    # -- what Stripe knows of it

    def rows(self, kind):
        return self.world.sim.get(f"state/{kind}")

    def customer(self):
        """The newest one, or None."""
        mine = [row["customer"] for row in self.rows("checkout.session") if row["client_reference_id"] == self.tenant]
        return next((ident for ident in reversed(mine) if ident), None)

    def subscription(self):
        """The newest one, or None."""
        mine = [row["id"] for row in self.rows("subscription") if row["metadata"].get("tenant_id") == self.tenant]
        return mine[-1] if mine else None

    def paid_subscription(self):
        """The newest one, unless its first payment is still under way at the bank: that one is settled, not paid."""
        session = self.world.sim.object("checkout.session", self.session)
        return self.subscription() if session["payment_status"] != "unpaid" else None

    def live_subscription(self):
        """The newest one if it has begun and not ended: only then can it be given any status."""
        ident = self.subscription()
        status = ident and self.world.sim.object("subscription", ident)["status"]
        return None if status in (None, "incomplete", "incomplete_expired", "canceled") else ident

    def charge(self):
        mine = [row["id"] for row in self.rows("charge") if row["customer"] == self.customer() and row["captured"]]
        return mine[-1] if mine else None

    def debit(self):
        """An invoice whose payment a bank has under way, or wants confirmed; or None."""
        under_way = {row["id"] for row in self.rows("payment_intent")
                     if row["customer"] == self.customer() and row["status"] in ("processing", "requires_action")}
        return next((row["invoice"] for row in self.rows("invoice_payment")
                     if row["status"] == "open" and row["payment"]["payment_intent"] in under_way), None)

    def dispute_open(self):
        mine = {row["id"] for row in self.rows("charge") if row["customer"] == self.customer()}
        return next((row["id"] for row in self.rows("dispute") if row["charge"] in mine), None)

    # -- what is done

    def control(self, path, **body):
        """Whether the simulator did it."""
        answer = requests.post(f"{self.world.stack['stripe_url']}/_sim/{path}", json=body, timeout=30)
        assert answer.status_code in (200, 400), answer.text
        return answer.status_code == 200

    def act(self, action, what=None):
        """One of ACTIONS; False when it makes no sense now."""
        kind, of = ACTIONS[action]
        ident = of(self)
        if ident is None:
            return False
        return kind(self, ident, what)

    def pay(self, session, what):
        return self.control(f"checkout/{session}/pay", card=self.card)

    def resubscribe(self, customer, what):
        """A new session of the same tenant, by the same customer unless that one is deleted."""
        live = [row for row in self.rows("subscription") if row["metadata"].get("tenant_id") == self.tenant
                and row["status"] not in ("canceled", "incomplete_expired")]
        if live:
            return False
        gone = self.world.sim.get(f"state/customer/{customer}").get("deleted")
        who = {"customer_email": self.email} if gone else {"customer": customer}
        return self.control(f"checkout/{self.ask_session(self.tenant, **who)['id']}/pay", card="good")

    def discount(self, subscription, what):
        if what is None:
            return self.operate(f"subscriptions/{subscription}", {"discounts": ""})
        made = self.api("POST", "coupons", {"percent_off": 50, "duration": what, "duration_in_months": 2}
                        if what == "repeating" else {"amount_off": 500, "currency": "usd", "duration": what})
        return self.operate(f"subscriptions/{subscription}", {"discounts[0][coupon]": made["id"]})

    def balance(self, customer, what):
        return self.operate(f"customers/{customer}", {"balance": what})

    def send_invoice(self, subscription, what):
        how = {"collection_method": "send_invoice", "days_until_due": what} if what else {
            "collection_method": "charge_automatically"}
        return self.operate(f"subscriptions/{subscription}", how)

    def schedule(self, subscription, price):
        """Another price from the next period on."""
        row = self.world.sim.object("subscription", subscription)
        made = self.ask("POST", "subscription_schedules", {"from_subscription": subscription})
        return made.ok and self.operate(f"subscription_schedules/{made.json()['id']}", {
            "phases[0][items][0][price]": row["items"]["data"][0]["price"]["id"],
            "phases[0][end_date]": max(i["current_period_end"] for i in row["items"]["data"]),
            "phases[1][items][0][price]": price})

    def release(self, subscription, what):
        plan = self.world.sim.object("subscription", subscription)["schedule"]
        return plan is not None and self.operate(f"subscription_schedules/{plan}/release", {})

    def pause_until(self, subscription, days):
        return self.control(f"subscriptions/{subscription}/pause", behavior="keep_as_draft",
                            resumes_at=int(self.world.sim.get("clock")["now"]) + days * 86400)

    def forget(self, customer, what):
        url = f"{self.world.stack['stripe_url']}/_sim/customers/{customer}"
        return requests.delete(url, timeout=30).status_code == 200


def on(path, **fixed):
    """Something the control API does to the object; `what` is its argument, if it has one."""
    def act(life, ident, what):
        body = {name: what if value is None else value for name, value in fixed.items()}
        return life.control(path.format(ident), **body)
    return act


SUBSCRIPTION = "subscriptions/{}/"
ACTIONS = {
    "pay": (Life.pay, lambda life: life.session),
    "expire": (on("checkout/{}/expire"), lambda life: life.session),
    "settle": (on("checkout/{}/settle", ok=None), lambda life: life.session),
    "change": (on(SUBSCRIPTION + "change", price=None), Life.subscription),
    "cancel": (on(SUBSCRIPTION + "cancel"), Life.subscription),
    "cancel_at_period_end": (on(SUBSCRIPTION + "cancel_at_period_end"), Life.subscription),
    "cancel_at": (on(SUBSCRIPTION + "cancel_at"), Life.subscription),
    "renew": (on(SUBSCRIPTION + "renew"), Life.subscription),
    "trial_end": (on(SUBSCRIPTION + "trial_end"), Life.subscription),
    "fail_next": (on(SUBSCRIPTION + "fail_next", times=None), Life.subscription),
    "debit_next": (on(SUBSCRIPTION + "debit_next"), Life.subscription),
    "confirm_next": (on(SUBSCRIPTION + "confirm_next"), Life.subscription),
    "settle_debit": (on("invoices/{}/settle", ok=None), Life.debit),
    "pay_open": (on(SUBSCRIPTION + "pay_open"), Life.paid_subscription),
    "status": (on(SUBSCRIPTION + "status", status=None), Life.live_subscription),
    "pause": (on(SUBSCRIPTION + "pause", behavior=None), Life.subscription),
    "pause_until": (Life.pause_until, Life.subscription),
    "discount": (Life.discount, Life.subscription),
    "balance": (Life.balance, Life.customer),
    "send_invoice": (Life.send_invoice, Life.subscription),
    "schedule": (Life.schedule, Life.live_subscription),
    "release": (Life.release, Life.subscription),
    "pending": (on(SUBSCRIPTION + "pending", price=None), Life.live_subscription),
    "unpause": (on(SUBSCRIPTION + "unpause"), Life.subscription),
    "resume": (on(SUBSCRIPTION + "resume"), Life.subscription),
    "card": (on("customers/{}/card", card=None), Life.customer),
    "refund": (on("charges/{}/refund"), Life.charge),
    "refund_part": (on("charges/{}/refund", amount=500), Life.charge),
    "dispute": (on("charges/{}/dispute"), Life.charge),
    "close_dispute": (on("disputes/{}/close", won=None), Life.dispute_open),
    "resubscribe": (Life.resubscribe, Life.customer),
    "forget": (Life.forget, Life.customer),
}
