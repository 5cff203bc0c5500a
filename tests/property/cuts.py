"""cuts: the kinds of transaction that are cut: how each is started, what its caller does after the cut, and what must
hold in the end. A case is made once for all cuts of its kind; run() is one of them."""
import json
import secrets
import time

import journey
import mirror
from client import Browser
from life import Life
from world import PATIENCE


class Case:
    """run(cut): cut() arms the proxy, just before what is to be cut begins."""

    def __init__(self, world, name):
        self.world, self.name = world, name

    @property
    def db(self):
        return self.world.db

    def prepare(self):
        pass

    def again(self, ask, good):
        """Repeats until it works, as people and Stripe do: (the first answer, the last one)."""
        first = last = ask()
        end = time.monotonic() + PATIENCE
        while last.status != good:
            assert last.status in (0, 502, 503, 504), (self.name, last)
            assert time.monotonic() < end, f"{self.name} never works again: {last}"
            time.sleep(0.02)
            last = ask()
        return first, last


class Event(Case):
    """Recorded once, marked once, however often it had to be sent."""

    def run(self, cut):
        ident, payload = self.make()
        cut()
        self.send(ident, payload)

    def make(self):
        ident = secrets.token_hex(8)
        return ident, json.dumps({"id": "evt_cut" + ident, "object": "event", "type": "customer.updated",
                                  "livemode": False, "api_version": "2026-07-29.dahlia", "created": int(time.time()),
                                  "data": {"object": {"id": "cus_cut" + ident, "object": "customer"}}}).encode()

    def send(self, ident, payload):
        acknowledged = self.world.attempt(payload) == 200
        found = self.db.value("select count(*) from inbox.events where id = %s", "evt_cut" + ident)
        assert found == 1 or not acknowledged
        self.world.deliver({"event": ident, "payload": payload.decode()})
        assert self.db.row("select count(*), min(octet_length(raw)) from inbox.events where id = %s",
                           "evt_cut" + ident) == (1, len(payload))
        assert self.db.value("select version from sync.objects where id = %s", "cus_cut" + ident) == 1
        self.world.quiet(lease=0.3)
        return acknowledged


class Hint(Event):
    """A hint that fails must not fail its event. Hints keep a distance in time, longer after a failure."""

    def run(self, cut):
        armed, end = cut(), time.monotonic() + PATIENCE
        while True:
            assert self.send(*self.make()), "not acknowledged"
            if armed.fired.is_set():
                return
            assert time.monotonic() < end, "no hint"
            time.sleep(0.05)


class Startup(Event):
    """A connection that breaks while it is made."""

    def run(self, cut):
        super().run(lambda: (self.world.proxy.drop(), cut()))


class Sync(Case):
    """All of one life written down, whichever of its transactions is cut."""

    def run(self, cut):
        self.world.begin()
        life = Life(self.world)
        life.sign_up()
        assert life.act("pay")
        self.spoil(life)
        armed = cut()
        self.world.deliver_all(self.world.take())
        assert armed.fired.wait(PATIENCE), self.name
        self.world.quiet(lease=0.3)
        assert mirror.all_differences(self.world, [life]) == []
        assert self.world.dead() == []
        assert self.db.value("select count(*) from mail.outbox where recipient = %s and template = 'welcome'",
                             life.email) == 1

    def spoil(self, life):
        if self.name == "service.fail_object":
            self.world.sim.fault(method="GET", path="/v1/customers/*", status=400)
        elif self.name == "service.mail_failed":
            self.world.mail.answer(at="data", reply="451 4.3.0 later", times=1)


class Gone(Case):
    def run(self, cut):
        armed, ident = cut(), "cus_gone" + secrets.token_hex(8)
        self.db.execute("select sync.mark('customer', %s)", ident)
        assert armed.fired.wait(PATIENCE), self.name
        self.world.quiet(lease=0.3)
        assert self.db.row("select version, clean_version from sync.objects where id = %s", ident) == (1, 1)


class SignUp(Case):
    """One tenant and one session, however often the button is pressed; the page is there again when it fails."""

    def run(self, cut):
        browser, email = Browser(self.world.stack["url"]), journey.new_address("cut")
        page = browser.get("/signup")
        cut()
        _, last = self.again(lambda: browser.submit(page, {"email": email, "plan": "starter"}), 303)
        session = journey.session_in(last)
        (_, attempt, recorded), = self.db.drafts_of(email)
        assert (attempt, recorded) == (1, session)
        state = self.world.sim.get("state/checkout.session")
        assert [row["id"] for row in state if row["customer_email"] == email] == [session]
        return email, session


class Journey(SignUp):
    """On to the first subscription: one customer, one session, one of everything."""

    def run(self, cut):
        self.world.begin()
        life = Life(self.world)
        life.email, life.session = super().run(cut)
        life.tenant = str(self.db.tenant_of(life.email))
        assert life.act("pay")
        self.world.deliver_all(self.world.take())
        self.world.quiet()
        assert mirror.all_differences(self.world, [life]) == []
        state = self.world.sim.get("state")
        assert [len(state[kind]) for kind in ("customer", "checkout.session", "subscription")] == [1, 1, 1]


class Member(Case):
    """A signed-in user who has paid."""

    def prepare(self):
        self.world.begin()
        self.life = Life(self.world)
        self.life.sign_up()
        assert self.life.act("pay")
        self.world.deliver_all(self.world.take())
        self.world.quiet()
        self.email, self.seen = self.life.email, 1
        self.browser = Browser(self.world.stack["url"])
        self.sign_in()

    def ask_for_link(self, cut=lambda: None):
        """(the first answer, the newest mail)"""
        page = self.browser.get("/signin")
        before = self.links()
        cut()
        first, _ = self.again(lambda: self.browser.submit(page, {"email": self.email}), 303)
        made = self.links() - before
        assert made == 1 or first.status != 303 and made == 2, (self.name, first, made)
        self.world.quiet(lease=0.3)
        return self.world.mail.to(self.email)[-1]

    def links(self):
        return self.db.value("select count(*) from mail.outbox where recipient = %s and template = 'signin'",
                             self.email)

    def sessions(self):
        return self.db.value("select count(*) from auth.sessions s join auth.users u on u.id = s.user_id "
                             "where u.email_canonical = %s and s.revoked_at is null", self.email)

    def sign_in(self, cut=lambda: None):
        self.sign_out()
        token = journey.token_in(self.ask_for_link())
        page = self.again(lambda: self.browser.get(f"/signin/link?t={token}"), 200)[1]
        cut()
        self.again(lambda: self.browser.submit(page), 303)
        assert self.browser.cookie("__Host-sid") and self.sessions() == 1, self.name

    def sign_out(self, cut=lambda: None):
        if not self.browser.cookie("__Host-sid"):
            return
        page = self.again(lambda: self.browser.get("/signout"), 200)[1]
        cut()
        self.again(lambda: self.browser.submit(page), 303)
        assert self.sessions() == 0 and not self.browser.cookie("__Host-sid"), self.name


class RequestLink(Member):
    def run(self, cut):
        self.sign_out()
        journey.token_in(self.ask_for_link(cut))
        self.sign_in()


class SignIn(Member):
    def run(self, cut):
        self.sign_in(cut)


class SignOut(Member):
    def run(self, cut):
        self.sign_out(cut)
        self.sign_in()


class Look(Member):
    """A page that changes nothing: correct, or 503."""

    def __init__(self, world, name, path, word, status=200):
        super().__init__(world, name)
        self.path, self.word, self.status = path, word, status

    def run(self, cut):
        cut()
        _, last = self.again(lambda: self.browser.get(self.path.format(self.life.session)), self.status)
        assert self.word in last.text, (self.name, last)


class Rotate(Look):
    """The same while the session's token is due: the browser stays signed in, with whichever token it has."""

    def run(self, cut):
        self.db.execute("update auth.tokens set issued_at = issued_at - interval '15 min', "
                        "confirmed_at = confirmed_at - interval '15 min', retired_at = retired_at - interval '15 min'")
        for _ in range(3):      # the candidate, its first use, and the page after it
            super().run(cut)
        assert self.sessions() == 1, self.name


class Portal(Member):
    def run(self, cut):
        page = self.again(lambda: self.browser.get("/settings/billing"), 200)[1]
        cut()
        _, last = self.again(lambda: self.browser.submit(page), 303)
        assert "/p/session/" in last.location, last


def cases(world):
    """One for each kind of transaction."""
    syncs = ("claim_object", "write_checkout", "write_subscription", "write_customer", "fail_object", "claim_mail",
             "mail_sent", "mail_failed")
    return [
        Startup(world, "startup tollgate_webhooks"), Event(world, "service.receive_events"),
        Hint(world, "service.hint"),
        *(Sync(world, "service." + name) for name in syncs), Gone(world, "service.object_gone"),
        SignUp(world, "api.open_draft"), SignUp(world, "api.checkout_opened"),
        RequestLink(world, "api.request_link"), SignIn(world, "api.sign_in"), SignOut(world, "api.sign_out"),
        Look(world, "api.link_state", "/signin/link?t=" + 43 * "A", "signin", 410),
        Look(world, "api.welcome", "/welcome?session_id={}", "You are all set"),
        Look(world, "api.workspace_page", "/workspace", "@example.com"),
        Rotate(world, "api.workspace_page", "/workspace", "@example.com"),
        Look(world, "api.billing_page", "/settings/billing", "Starter"), Portal(world, "api.portal_customer")]
