"""The API under /v1: authentication, version, routing, parameters, idempotency, and the faults on top."""
import asyncio
import base64
import json
import re
import time
from collections import deque
from copy import deepcopy

from aiohttp import web

from . import (catalog, checkout, customers, discounts, events, faults, invoices, meters, portal, previews,
               promotions, refunds, schedules, selling, shapes, subscriptions, tables, thin)
from .errors import ApiError, bad
from .listing import expanded
from .parameters import decode, read_object


def account(world, p):
    return {"id": world.settings["account"], "object": "account", "business_type": "company", "charges_enabled": True,
            "country": "US", "default_currency": "usd", "details_submitted": True, "email": "owner@example.com",
            "payouts_enabled": True, "settings": {"dashboard": {"display_name": "Tollgate Simulator"}},
            "type": "standard"}


LOG = 50000     # entries kept
ROUTES = (
    ("GET", "account", tables.NOTHING, account),
    ("POST", "customers", tables.CUSTOMER, customers.create),
    ("GET", "customers", tables.CUSTOMER_LIST, customers.list_all),
    ("GET", "customers/search", tables.SEARCH, customers.search),
    ("GET", "customers/{id}", tables.NOTHING, customers.retrieve),
    ("POST", "customers/{id}", tables.CUSTOMER, customers.update),
    ("DELETE", "customers/{id}", tables.NOTHING, customers.delete),
    ("POST", "checkout/sessions", tables.CHECKOUT_CREATE, checkout.create),
    ("GET", "checkout/sessions", tables.CHECKOUT_LIST, checkout.list_all),
    ("GET", "checkout/sessions/{id}", tables.NOTHING, checkout.retrieve),
    ("POST", "checkout/sessions/{id}/expire", tables.NOTHING, checkout.expire),
    ("GET", "subscriptions", tables.SUBSCRIPTION_LIST, subscriptions.list_all),
    ("GET", "subscriptions/{id}", tables.NOTHING, subscriptions.retrieve),
    ("POST", "subscriptions/{id}", tables.SUBSCRIPTION_UPDATE, subscriptions.update),
    ("DELETE", "subscriptions/{id}", tables.SUBSCRIPTION_CANCEL, subscriptions.cancel),
    ("POST", "subscriptions/{id}/resume", tables.SUBSCRIPTION_RESUME, subscriptions.resume),
    ("GET", "subscription_items", tables.SUBSCRIPTION_ITEM_LIST, subscriptions.list_items),
    ("GET", "invoices", tables.INVOICE_LIST, invoices.list_all),
    ("POST", "invoices/create_preview", previews.CREATE, previews.create),
    ("GET", "invoices/{id}", tables.NOTHING, invoices.retrieve),
    ("GET", "invoice_payments", tables.INVOICE_PAYMENT_LIST, refunds.list_invoice_payments),
    ("GET", "payment_intents/{id}", tables.NOTHING, invoices.retrieve_intent),
    ("GET", "charges", tables.CHARGE_LIST, refunds.list_charges),
    ("GET", "charges/{id}", tables.NOTHING, refunds.get_charge),
    ("POST", "refunds", tables.REFUND_CREATE, refunds.refund),
    ("GET", "refunds", tables.REFUND_LIST, refunds.list_refunds),
    ("GET", "refunds/{id}", tables.NOTHING, refunds.get_refund),
    ("GET", "disputes", tables.REFUND_LIST, refunds.list_disputes),
    ("GET", "disputes/{id}", tables.NOTHING, refunds.get_dispute),
    ("GET", "prices", tables.PRICE_LIST, catalog.list_prices),
    ("GET", "prices/{id}", tables.NOTHING, catalog.get_price),
    ("GET", "products", tables.PRODUCT_LIST, catalog.list_products),
    ("GET", "products/{id}", tables.NOTHING, catalog.get_product),
    ("POST", "billing_portal/sessions", tables.PORTAL_CREATE, portal.create),
    ("POST", "billing_portal/configurations", tables.CONFIGURATION_CREATE, portal.create_configuration),
    ("GET", "billing_portal/configurations", tables.CONFIGURATION_LIST, portal.list_configurations),
    ("GET", "billing_portal/configurations/{id}", tables.NOTHING, portal.get_configuration),
    ("POST", "billing_portal/configurations/{id}", tables.CONFIGURATION_UPDATE, portal.update_configuration),
    ("GET", "events", tables.EVENT_LIST, events.list_all),
    ("GET", "events/{id}", tables.NOTHING, events.retrieve),
    ("POST", "webhook_endpoints", tables.ENDPOINT_CREATE, events.create_endpoint),
    ("GET", "webhook_endpoints", tables.LIST, events.list_endpoints),
    ("GET", "webhook_endpoints/{id}", tables.NOTHING, events.get_endpoint),
    ("POST", "webhook_endpoints/{id}", tables.ENDPOINT_UPDATE, events.update_endpoint),
    ("DELETE", "webhook_endpoints/{id}", tables.NOTHING, events.delete_endpoint),
    ("POST", "billing/meter_events", tables.METER_EVENT, meters.create),
)
ROUTES += selling.ROUTES + discounts.ROUTES + promotions.ROUTES + schedules.ROUTES + meters.ROUTES
COMPILED = [(method, re.compile(path.replace("{id}", "([^/]+)")), table, handler)
            for method, path, table, handler in (*((method, "/v1/" + path, table, handler)
                                                   for method, path, table, handler in ROUTES),
                                                 *((method, path, None, handler)
                                                   for method, path, handler in thin.ROUTES))]


def find_route(method, path):
    """(parameter table, handler, ids in the path)."""
    for wanted, pattern, table, handler in COMPILED:
        match = pattern.fullmatch(path)
        if wanted == method and match:
            return table, handler, match.groups()
    raise ApiError(404, f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can "
                   "help at https://support.stripe.com/.", checked=True)


def check_key(headers, key):
    given = headers.get("Authorization", "")
    scheme, _, value = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except ValueError:
            value = ""
    if not value:
        raise ApiError(401, "You did not provide an API key. You need to provide your API key in the Authorization "
                       "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').", checked=True)
    if value != key:
        raise ApiError(401, f"Invalid API Key provided: {value[:8]}***", checked=True)


def check_version(headers):
    """Ours is stricter than Stripe, which has a default: the product promises to name its version on every call."""
    version = headers.get("Stripe-Version")
    if version is None:
        raise bad("The simulator wants a Stripe-Version header on every call.")
    if version not in shapes.VERSIONS:
        raise bad(f"Invalid Stripe API version: {version}. The simulator speaks {' and '.join(shapes.VERSIONS)}.")
    return version


def content_type(request):
    return request.headers.get("Content-Type", "").split(";")[0].strip().lower()


def read_params(request, raw, table):
    """(parameters as sent, as the table reads them). Without a table the call is of the second API: JSON for a POST."""
    if table is None and request.method == "POST":
        if raw and content_type(request) != "application/json":
            raise bad("Invalid request: the body must be application/json")
        params = thin.read_body(raw)
        return params, params
    params = decode(read_form(request, raw))
    return params, params if table is None else read_object(table, params)


def read_form(request, raw):
    """The parameters' text: of the body for POST, else of the query string."""
    if request.method != "POST":
        if raw:
            raise bad("GET and DELETE parameters belong into the query string")
        return request.rel_url.raw_query_string
    if request.rel_url.raw_query_string:
        raise bad("POST parameters belong into the body")
    if raw and content_type(request) != "application/x-www-form-urlencoded":
        raise bad("Invalid request: the body must be application/x-www-form-urlencoded")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise bad("Invalid request: the body must be percent-encoded") from None


class Api:
    def __init__(self, sim):
        self.sim = sim
        self.log = deque(maxlen=LOG)
        self.metering = set()       # the meters.turn() of calls under way

    def record(self, request, raw):
        """One entry of the request log; the key itself is not kept."""
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        entry = {"time": time.time(), "method": request.method, "path": request.path,
                 "query": request.rel_url.raw_query_string, "headers": headers,
                 "body": raw.decode("utf-8", "backslashreplace"), "params": None, "status": None, "error": None}
        self.log.append(entry)
        return entry

    async def handle(self, request):
        raw = await request.read()
        entry = self.record(request, raw)
        fault = self.sim.faults.match(request.method, request.path)
        if fault:
            entry["fault"] = fault["answer"]
            if not fault["effect"]:
                await asyncio.sleep(fault["before"] + fault["after"])
                return self.closed(entry, await self.spoil(request, fault, None, None, {}))
        status, body, headers = await self.answer(request, raw, entry, fault)
        entry["error"] = body.get("error")
        headers["Request-Id"] = entry["request_id"]
        if fault:
            await asyncio.sleep(fault["after"])
            return self.closed(entry, await self.spoil(request, fault, status, body, headers))
        return self.closed(entry, render(status, body, headers))

    def begin_metering(self, entry, turn):
        if turn in self.metering:
            raise ApiError(429, "Only one call at a time is taken for each customer and meter.", "lock_timeout",
                           checked=True)
        self.metering.add(turn)
        entry["turn"] = turn

    def closed(self, entry, response):
        self.metering.discard(entry.pop("turn", None))
        entry["status"] = response.status
        return response

    async def answer(self, request, raw, entry, fault):
        """(status, body, headers) of the true answer; the effect is done and saved when it returns."""
        entry["request_id"] = self.sim.world.new_id("req_", 14)
        headers, version = {}, shapes.NEW
        try:
            check_key(request.headers, self.sim.key)
            version = check_version(request.headers)
            headers["Stripe-Version"] = version
            table, handler, ids = find_route(request.method, request.path)
            params, p = read_params(request, raw, table)
            entry["params"] = params
            if handler is meters.create:
                self.begin_metering(entry, meters.turn(params))
            self.sim.world.base = f"{request.scheme}://{request.host}"
            key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
            call = (handler, p, ids, version, entry["request_id"])
            if key is None:
                await asyncio.sleep(fault["before"] if fault else 0)
                return (*self.execute(*call, None), headers)
            headers["Idempotency-Key"] = key
            fingerprint = (request.method, request.path, json.dumps(params, sort_keys=True))
            return await self.once(key, fingerprint, call, headers, fault)
        except ApiError as refusal:
            return refusal.status, refusal.body, {**headers, **refusal.headers}

    async def once(self, key, fingerprint, call, headers, fault):
        """Executes under an Idempotency-Key, or repeats what was answered under it before."""
        keys = self.sim.idempotency
        saved = keys.begin(key, fingerprint)
        if saved:
            return (*saved, {**headers, "Idempotent-Replayed": "true"})
        try:
            await asyncio.sleep(fault["before"] if fault else 0)
            status, body = self.execute(*call, key)
        except ApiError as refusal:
            if refusal.checked:
                keys.forget(key)
                raise
            keys.finish(key, refusal.status, refusal.body)
            raise
        except BaseException:
            keys.forget(key)
            raise
        keys.finish(key, *(faults.spoilt_status(fault) if fault and fault["saved"] else (status, deepcopy(body))))
        return status, body, headers

    def execute(self, handler, p, ids, version, request_id, key):
        world = self.sim.world
        world.request = (request_id, key)
        try:
            answer = handler(world, p, *ids)
        finally:
            world.request = None
        return 200, shapes.render(expanded(world, answer, p.get("expand", [])), version)

    async def spoil(self, request, fault, status, body, headers):
        """The answer the fault asks for."""
        kind = fault["answer"]
        headers = {**headers, **{name: str(value) for name, value in fault["headers"].items()}}
        if kind == "hang":
            return await faults.leave(request, self.sim.faults)
        if kind == "close":
            return await faults.hang_up(request)
        if kind == "html":
            return web.Response(status=200, text=faults.PAGE, content_type="text/html", headers=headers)
        if kind == "status":
            status, body = faults.spoilt_status(fault)
            return render(status, body, headers)
        if kind == "real":
            return render(status, faults.patched(body, fault["set"]), headers)
        payload = to_json(body)
        if kind == "partial":
            return await faults.partial(request, payload, headers)
        return web.Response(body=payload[:len(payload) // 2], content_type="application/json", headers=headers)


def to_json(body):
    return body.encode() if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False).encode()


def render(status, body, headers):
    if status == 401:
        headers = {**headers, "WWW-Authenticate": 'Bearer realm="Stripe"'}
    return web.Response(status=status, body=to_json(body), content_type="application/json",
                        headers={**headers, "Cache-Control": "no-cache, no-store"})
