"""For tests: short ways to call a running simulator, and an endpoint that catches its webhooks."""
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

KEY = "sk_test_simulator"
SECRET = "whsec_0123456789abcdef0123456789abcdef"
VERSION = "2026-07-29.dahlia"


class Catcher(ThreadingHTTPServer):
    """Keeps each webhook; answers the next of `statuses`, or 200."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), CatcherHandler)
        self.caught, self.statuses = [], []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/webhooks/stripe"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def types(self):
        return [entry.event["type"] for entry in self.caught]

    def objects(self, kind):
        return [entry.event["data"]["object"] for entry in self.caught if entry.event["type"] == kind]


class CatcherHandler(BaseHTTPRequestHandler):
    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.caught.append(SimpleNamespace(raw=raw, event=json.loads(raw), status=status,
                                                  signature=self.headers["Stripe-Signature"]))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored):
        pass


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *ignored):
        return None


OPENER = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))


def send(method, url, body=None, headers=None, timeout=10):
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        answer = OPENER.open(request, timeout=timeout)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        raw = answer.read()
    kind = answer.headers.get("Content-Type", "")
    return SimpleNamespace(status=answer.status, headers=answer.headers, raw=raw,
                           json=json.loads(raw) if raw and "json" in kind and raw.strip()[-1:] == b"}" else
                           json.loads(raw) if raw and "json" in kind and raw.strip()[-1:] == b"]" else None)


class Sim:
    def __init__(self, url, hooks):
        self.url, self.hooks = url, hooks

    def call(self, method, path, form="", key=None, timeout=10, **headers):
        """One API call as Stripe wants it. form: a dict of spelled-out names, or text."""
        text = form if isinstance(form, str) else urllib.parse.urlencode(form)
        headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": VERSION,
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        if key:
            headers["Idempotency-Key"] = key
        url, body = self.url + path, None
        if method == "POST":
            body = text.encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif text:
            url += "?" + text
        return send(method, url, body, {name: value for name, value in headers.items() if value is not None}, timeout)

    def get(self, path, form=""):
        return self.call("GET", path, form).json

    def post(self, path, form="", **more):
        return self.call("POST", path, form, **more).json

    def control(self, path, body=None, method=None):
        """Asks the control API: GET without a body, POST with one."""
        raw = None if body is None else json.dumps(body).encode()
        answer = send(method or ("GET" if body is None else "POST"), f"{self.url}/_sim/{path}", raw)
        assert answer.status == 200, answer.raw
        return answer.json

    def quiet(self):
        assert self.control("quiet?timeout=8")["quiet"], self.control("deliveries")

    def session(self, **more):
        form = {"mode": "subscription", "line_items[0][price]": "price_starter", "line_items[0][quantity]": "1",
                "success_url": "http://localhost/welcome?session_id={CHECKOUT_SESSION_ID}",
                "cancel_url": "http://localhost/signup", "customer_email": "anna@example.com",
                "client_reference_id": "tenant-1", "subscription_data[metadata][tenant_id]": "tenant-1", **more}
        return self.post("/v1/checkout/sessions", {name: value for name, value in form.items() if value is not None})

    def subscribe(self, card="good", **more):
        """A paid session; the subscription of it."""
        session = self.session(**more)
        assert self.control(f"checkout/{session['id']}/pay", {"card": card})["paid"]
        return self.get(f"/v1/subscriptions/{self.get('/v1/checkout/sessions/' + session['id'])['subscription']}")

    def advance(self, **how):
        self.control("clock", how)
