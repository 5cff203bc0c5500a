"""The simulated account: all objects by kind, the clock, and the events that changes make."""
import random
import string
import time
from contextlib import contextmanager
from copy import deepcopy

from . import shapes
from .errors import not_found, refused

KINDS = ("customer", "product", "price", "payment_method", "checkout.session", "subscription", "invoice",
         "invoice_payment", "payment_intent", "charge", "refund", "dispute", "billing_portal.configuration",
         "billing_portal.session", "event", "webhook_endpoint", "billing.meter_event", "v2.core.event",
         "v2.core.event_destination",
         "billing.meter", "coupon", "promotion_code", "discount", "subscription_schedule")
MOST_METADATA = 50
ALPHABET = string.ascii_letters + string.digits
SETTINGS = {
    "account": "acct_1Simulator",       # the Stripe account of the key
    "api_version": shapes.NEW,          # shape of events and of what GET /v1/events answers
    "billing_mode": "flexible",         # of new subscriptions: flexible cancels by cancel_at, classic by period end
    "retry_days": [3, 5, 7],            # dunning: days after the first failed payment
    "dunning_end": "cancel",            # then: cancel | unpaid | past_due
    "search_lag": 60,                   # seconds until a search finds what was changed
    "terms_url": None,                  # of the terms of service, as the Dashboard has it
    "meter_lag": 0,                     # seconds until a meter event is counted, or found wrong
    "draft_seconds": 3600,              # a renewal's invoice stays a draft for so long
}


class World:
    def __init__(self, seed=None):
        self.random = random.Random(seed)
        self.objects = {kind: {} for kind in KINDS}
        self.offset = 0
        self.frozen = None
        self.settings = deepcopy(SETTINGS)
        self.line_items = {}        # checkout session -> its list
        self.hidden = {}            # what Stripe knows of an object and never shows, by id
        self.prorations = {}        # subscription -> invoice lines that wait for the next invoice
        self.found = {}             # customer -> [(when, what a search knows of it)], oldest first
        self.secrets = {}           # webhook endpoint -> signing secrets
        self.metering = {"new": [], "known": {}, "counted": {}, "second": 0, "calls": 0}    # what meters.py keeps
        self.base = None            # where the caller of the present request reaches the hosted pages
        self.request = None         # (request id, idempotency key) of the call being executed
        self.on_event = lambda event: None
        self.on_thin = lambda event, destinations: None

    def now(self):
        return self.frozen if self.frozen is not None else int(time.time()) + self.offset

    def new_id(self, prefix, length=24):
        return prefix + "".join(self.random.choices(ALPHABET, k=length))

    def put(self, row):
        self.objects[row["object"]][row["id"]] = row
        return row

    def all(self, kind):
        return [row for row in self.objects[kind].values() if not row.get("deleted")]

    def get(self, kind, ident, param=None):
        """An object that exists and is not deleted. param: the parameter that named it; None when it was the path."""
        row = self.objects[kind].get(ident)
        if row is None or row.get("deleted"):
            raise not_found(kind, ident, param)
        return row

    def keep(self, ident):
        return self.hidden.setdefault(ident, {})

    def emit(self, kind, row, before=None):
        """Records and delivers one event. before: the object as it was, for previous_attributes."""
        request, key = self.request or (None, None)
        if row["object"] == "customer":
            self.found.setdefault(row["id"], []).append((self.now(), deepcopy(row)))
        event = {
            "id": self.new_id("evt_1"), "object": "event", "api_version": self.settings["api_version"],
            "created": self.now(), "data": {"object": deepcopy(row)}, "livemode": False, "pending_webhooks": 0,
            "request": {"id": request, "idempotency_key": key}, "type": kind, "_before": before,
        }
        self.on_event(self.put(event))

    @contextmanager
    def changing(self, row, kind):
        """Emits the event after the block when the object was changed by it."""
        before = deepcopy(row)
        yield row
        if row != before:
            self.emit(kind, row, before)


def merge_metadata(row, value):
    """Stripe's rule: keys are merged, an empty value unsets one key, "" instead of a map unsets all."""
    if value == "":
        row["metadata"] = {}
        return
    merged = {key: text for key, text in {**row["metadata"], **value}.items() if text != ""}
    if len(merged) > MOST_METADATA:
        raise refused(f"Metadata can have up to {MOST_METADATA} keys.", "metadata")
    row["metadata"] = merged


def assign(row, p, *names):
    """Copies plain parameters onto the object; an empty value unsets."""
    for name in names:
        if name in p:
            row[name] = None if p[name] == "" else p[name]
