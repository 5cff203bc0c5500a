"""The control API of tests, at /_sim/ (JSON in, JSON out; 400 {"error": ...} for what makes no sense).

GET    /_sim/                         this text's facts: url, key, webhook secrets, clock, settings, mode
GET    /_sim/state                    every object by kind, as kept (new shape); /_sim/state/KIND[/ID] for a part
GET    /_sim/requests                 log of the API calls: method, path, query, headers, body, params, status, error,
                                      request_id, time; ?method= ?path= (a pattern with *) select
DELETE /_sim/requests                 forgets the log
GET    /_sim/clock                    {"now": seconds}
POST   /_sim/clock                    {"advance": seconds} or {"days": n} or {"to": seconds}: what falls due happens
GET    /_sim/settings                 account, api_version, billing_mode, retry_days, dunning_end, draft_seconds,
                                      meter_lag, search_lag: see world.py
POST   /_sim/settings                 changes some; api_version "old", "new" or "newest" is the shape of webhooks and
                                      events
GET    /_sim/mode                     how webhooks are delivered (deliveries.py)
POST   /_sim/mode                     changes some of it; {} changes nothing; {"reset": true} first restores all
GET    /_sim/deliveries               each delivery: event, type, endpoint, state, attempts, statuses
GET    /_sim/pending                  {"pending": n}: deliveries neither accepted nor given up
GET    /_sim/quiet?timeout=10         waits until none is pending: {"quiet": true}; after the time-out {"quiet": false}
POST   /_sim/resend                   {"event": "evt_...", "times": 1}: delivers it again; a thin one once, to the
                                      destinations that there are by now
POST   /_sim/take                     in mode manual: the events since the last time, oldest first, as
                                      [{"event", "type", "payload": text of the body}]; the caller delivers them
POST   /_sim/delivered                {"events": ["evt_...", ...]}: those were accepted
POST   /_sim/emit                     {"type": "...", "object": {...}, "livemode": false, ...}: signs and delivers an
                                      event made up here; other fields of the event may be given too
GET    /_sim/events                   all events as sent, newest first; ?type=
GET    /_sim/faults                   those still waiting
POST   /_sim/faults                   adds one (faults.py) or a list of them
DELETE /_sim/faults                   removes all
POST   /_sim/checkout/ID/pay          {"card": "good"|"declined"|"failing"|"bank"|"amounts" (bank, to be
                                      proven first)|"none", "email"?, "quantity"?,
                                      "promotion_code"?, "tax_id"?, "terms": true}: presses Pay; answers
                                      {"paid": bool, "reason", "return_url"}
POST   /_sim/checkout/ID/settle       {"ok": true}: the bank debit of a session comes through, or does not
POST   /_sim/checkout/ID/expire       as time would
POST   /_sim/subscriptions/ID/ACTION  cancel_at_period_end, cancel_at {"at"?: seconds, else the period's end}, cancel,
                                      renew, change {"price"}, trial_end (now), pay_open, fail_next {"times": 1} (next
                                      payments fail), debit_next (a bank has the next payment under way),
                                      confirm_next (a bank wants the customer to confirm the next payment),
                                      status {"status": "unpaid"} (any word, at once), pause {"behavior": "void",
                                      "resumes_at"?} and unpause (the collection of payments),
                                      resume, pending {"price"} (an update that waits for its payment)
POST   /_sim/invoices/ID/pay          pays an open invoice outside the card, as its page does
POST   /_sim/invoices/ID/settle       {"ok": true}: the debit that a bank has under way comes through, or does not; or
                                      the payment that it wants confirmed is confirmed, or not
POST   /_sim/charges/ID/refund        {"amount"?}: all that is left by default
POST   /_sim/charges/ID/dispute       {"reason"?}: the customer's bank takes the money back
POST   /_sim/disputes/ID/close        {"won": true}
POST   /_sim/customers/ID/card        {"card": "good"|"declined"|"failing"|"bank"}: a new default card
DELETE /_sim/customers/ID             deletes the customer, as Stripe's Dashboard does
POST   /_sim/plans                    {"name", "price", "amount"}: one more product with a monthly price
POST   /_sim/portal                   saves the Dashboard's portal settings: then there is a default configuration
DELETE /_sim/portal                   as if they had never been saved
POST   /_sim/endpoints/ID             {"secrets": [...]} and/or {"api_version": "old"|...|null}: rolls secrets, of an
                                      event destination too
POST   /_sim/reset                    everything as at the start
"""
import asyncio
import json
from copy import deepcopy
from fnmatch import fnmatchcase

from aiohttp import web

from . import catalog, checkout, customers, deliveries, invoices, lifecycle, refunds, shapes, subscriptions, thin
from .errors import ApiError, bad

VERSIONS = {"newest": shapes.NEWEST, "new": shapes.NEW, "old": shapes.OLD}


def changed(target, wanted, what):
    """Lays the wanted values over known names."""
    for name in wanted:
        if name not in target:
            raise bad(f"{what} has no {name}", name)
    target.update(wanted)
    return target


def version(name):
    return VERSIONS.get(name, name)


class Control:
    def __init__(self, sim):
        self.sim = sim

    @property
    def world(self):
        return self.sim.world

    def routes(self):
        table = (
            ("GET", "", self.facts), ("GET", "state", self.state), ("GET", "state/{kind}", self.state),
            ("GET", "state/{kind}/{id}", self.state), ("GET", "requests", self.requests),
            ("DELETE", "requests", self.clear_requests), ("GET", "clock", self.clock), ("POST", "clock", self.clock),
            ("GET", "settings", self.settings), ("POST", "settings", self.settings), ("GET", "mode", self.mode),
            ("POST", "mode", self.mode), ("GET", "deliveries", self.deliveries), ("GET", "pending", self.pending),
            ("GET", "quiet", self.quiet), ("POST", "resend", self.resend), ("POST", "emit", self.emit),
            ("POST", "take", self.take), ("POST", "delivered", self.delivered),
            ("POST", "invoices/{id}/pay", self.pay_invoice),
            ("POST", "invoices/{id}/settle", self.settle_invoice), ("POST", "charges/{id}/{action}", self.charge),
            ("POST", "disputes/{id}/close", self.dispute),
            ("GET", "events", self.events), ("GET", "faults", self.faults), ("POST", "faults", self.faults),
            ("DELETE", "faults", self.clear_faults), ("POST", "checkout/{id}/{action}", self.checkout),
            ("POST", "subscriptions/{id}/{action}", self.subscription), ("POST", "customers/{id}/card", self.card),
            ("DELETE", "customers/{id}", self.delete_customer), ("POST", "plans", self.plan),
            ("POST", "portal", self.save_portal), ("DELETE", "portal", self.forget_portal),
            ("POST", "endpoints/{id}", self.endpoint), ("POST", "reset", self.reset),
        )
        return [web.route(method, "/_sim/" + path, self.answering(handler)) for method, path, handler in table]

    def answering(self, handler):
        """Wraps a handler(request, body) -> document; refusals become 400."""
        async def answer(request):
            try:
                raw = await request.read()
                body = json.loads(raw) if raw else {}
                document = handler(request, body)
                if asyncio.iscoroutine(document):
                    document = await document
                return web.json_response(document)
            except (ApiError, KeyError, ValueError, TypeError) as refusal:
                return web.json_response({"error": f"{type(refusal).__name__}: {refusal}"}, status=400)
        return answer

    def facts(self, request, body):
        return {"url": self.sim.url, "key": self.sim.key, "webhook_secrets": self.sim.secrets,
                "endpoints": list(self.world.objects["webhook_endpoint"].values()), "now": self.world.now(),
                "settings": self.world.settings, "mode": self.sim.deliveries.mode, "help": __doc__}

    def state(self, request, body):
        rows = self.world.objects
        kind, ident = request.match_info.get("kind"), request.match_info.get("id")
        if kind is None:
            return {name: list(found.values()) for name, found in rows.items()}
        return rows[kind][ident] if ident else list(rows[kind].values())

    def requests(self, request, body):
        method, path = request.query.get("method", "*"), request.query.get("path", "*")
        return [entry for entry in self.sim.api.log
                if fnmatchcase(entry["method"], method) and fnmatchcase(entry["path"], path)]

    def clear_requests(self, request, body):
        self.sim.api.log.clear()
        return {}

    async def clock(self, request, body):
        now = self.world.now()
        if request.method == "POST":
            seconds = body.get("advance", 0) + body.get("days", 0) * 86400
            await self.sim.pass_time(body["to"] - now if "to" in body else seconds)
        return {"now": self.world.now()}

    def settings(self, request, body):
        if "api_version" in body:
            body["api_version"] = version(body["api_version"])
            if body["api_version"] not in shapes.VERSIONS:
                raise bad("api_version is old, new or newest", "api_version")
        return changed(self.world.settings, body, "settings")

    def mode(self, request, body):
        mode = self.sim.deliveries.mode
        if body.pop("reset", False):
            mode.update(deepcopy(deliveries.MODE))
        return changed(mode, body, "mode")

    def deliveries(self, request, body):
        return self.sim.deliveries.rows

    def pending(self, request, body):
        return {"pending": self.sim.deliveries.open}

    async def quiet(self, request, body):
        """Quiet must last for a moment, since an answered webhook often makes the next call."""
        loop = asyncio.get_running_loop()
        until = loop.time() + float(request.query.get("timeout", 10))
        while loop.time() < until:
            if self.sim.deliveries.open == 0:
                return {"quiet": True}
            await asyncio.sleep(0.02)
        return {"quiet": False, "pending": self.sim.deliveries.open}

    def resend(self, request, body):
        if thin_event := self.world.objects[thin.EVENT].get(body["event"]):
            thin.send(self.world, thin_event)
            return {}
        event = self.world.get("event", body["event"])
        for endpoint in self.world.all("webhook_endpoint"):
            self.sim.deliveries.add(event, endpoint, body.get("times", 1))
        return {}

    def take(self, request, body):
        sender = self.sim.deliveries
        taken, sender.waiting = [self.world.get("event", ident) for ident in sender.waiting], []
        return [{"event": event["id"], "type": event["type"],
                 "payload": sender.payload(event, event["api_version"]).decode()} for event in taken]

    def delivered(self, request, body):
        for ident in body["events"]:
            self.world.get("event", ident)["pending_webhooks"] = 0
        return {}

    def emit(self, request, body):
        row = {"id": "made_up", "object": "made_up", **body.pop("object", {})}
        before = set(self.world.objects["event"])
        hook, self.world.on_event = self.world.on_event, lambda event: event.update(body)
        try:
            self.world.emit(body["type"], row)
        finally:
            self.world.on_event = hook
        ident = next(ident for ident in self.world.objects["event"] if ident not in before)
        event = self.world.objects["event"][ident]
        hook(event)
        return {"event": event["id"]}

    def events(self, request, body):
        wanted = request.query.get("type", "*")
        rows = [row for row in reversed(self.world.all("event")) if fnmatchcase(row["type"], wanted)]
        return [shapes.render_event(row, row["api_version"]) for row in rows]

    def faults(self, request, body):
        if request.method == "POST":
            for fault in body if isinstance(body, list) else [body]:
                self.sim.faults.add(fault)
        return self.sim.faults.waiting

    def clear_faults(self, request, body):
        self.sim.faults.clear()
        return []

    def checkout(self, request, body):
        row = self.world.get("checkout.session", request.match_info["id"])
        action = request.match_info["action"]
        if action == "settle":
            checkout.settle(self.world, row, body.get("ok", True))
        elif action == "expire":
            checkout.expire(self.world, {}, row["id"])
        elif action == "pay":
            try:
                checkout.pay(self.world, row, body.get("card", "good"), body.get("email"), {"terms": True, **body})
            except checkout.Declined as refusal:
                return {"paid": False, "reason": str(refusal), "return_url": None}
            return {"paid": True, "reason": None,
                    "return_url": row["success_url"].replace("{CHECKOUT_SESSION_ID}", row["id"])}
        else:
            raise bad(f"No such action: {action}")
        return row

    def subscription(self, request, body):
        row = self.world.get("subscription", request.match_info["id"])
        price = body.get("price")
        update = {
            "cancel_at_period_end": {"cancel_at_period_end": True},
            "cancel_at": {"cancel_at": body.get("at") or subscriptions.period_end(row)},
            "renew": {"cancel_at_period_end": False}, "trial_end": {"trial_end": "now"},
            "change": {"items": [{"id": row["items"]["data"][0]["id"], "price": price}]},
            "pause": {"pause_collection": {"behavior": body.get("behavior", "void"), 
                                           "resumes_at": body.get("resumes_at")}},
            "unpause": {"pause_collection": ""},
        }
        action = request.match_info["action"]
        if action in update:
            return subscriptions.update(self.world, update[action], row["id"])
        if action == "resume":
            return subscriptions.resume(self.world, {}, row["id"])
        if action == "cancel":
            return subscriptions.cancel(self.world, {}, row["id"])
        if action == "pay_open":
            lifecycle.pay_open(self.world, row)
        elif action == "pending":
            subscriptions.leave_pending(self.world, row, self.world.get("price", price))
        elif action == "fail_next":
            self.world.keep(row["id"])["fail_payments"] = body.get("times", 1)
        elif action in ("debit_next", "confirm_next"):
            self.world.keep(row["id"])[action] = True
        elif action == "status":
            with self.world.changing(row, "customer.subscription.updated"):
                row["status"] = body["status"]
        else:
            raise bad(f"No such action: {action}")
        return row

    def pay_invoice(self, request, body):
        return lifecycle.pay_by_hand(self.world, self.world.get("invoice", request.match_info["id"]))

    def settle_invoice(self, request, body):
        row = self.world.get("invoice", request.match_info["id"])
        return lifecycle.settle_debit(self.world, row, body.get("ok", True))

    def charge(self, request, body):
        row = self.world.get("charge", request.match_info["id"])
        if request.match_info["action"] == "refund":
            return refunds.refund(self.world, {**body, "charge": row["id"]})
        if request.match_info["action"] == "dispute":
            return refunds.dispute(self.world, row, body.get("reason", "fraudulent"))
        raise bad(f"No such action: {request.match_info['action']}")

    def dispute(self, request, body):
        return refunds.close_dispute(self.world, self.world.get("dispute", request.match_info["id"]), body["won"])

    def card(self, request, body):
        customer = self.world.get("customer", request.match_info["id"])
        return customers.attach_card(self.world, customer, body["card"])

    def delete_customer(self, request, body):
        return customers.delete(self.world, {}, request.match_info["id"])

    def plan(self, request, body):
        catalog.add_plan(self.world, body["name"], body["price"], body["amount"])
        return self.world.get("price", body["price"])

    def save_portal(self, request, body):
        return self.sim.save_portal()

    def forget_portal(self, request, body):
        kept = self.world.objects["billing_portal.configuration"]
        for ident in [ident for ident, row in kept.items() if row["is_default"]]:
            del kept[ident]
        return {}

    def endpoint(self, request, body):
        ident = request.match_info["id"]
        row = self.world.get("v2.core.event_destination" if ident.startswith("ed_") else "webhook_endpoint", ident)
        if "secrets" in body:
            self.world.secrets[row["id"]] = list(body["secrets"])
        if "api_version" in body:
            row["api_version"] = version(body["api_version"])
        return {**row, "secrets": self.world.secrets[row["id"]]}

    async def reset(self, request, body):
        await self.sim.restart()
        return {}
