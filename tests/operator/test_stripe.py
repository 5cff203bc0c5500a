"""tollgate stripe: provisioning of the endpoint, prices, meters and the portal."""
import json
import os
import re

import pytest

import contract
from conftest import PLANS, SECRET

KEYED = ('{ id = "starter"; lookup_key = "starter_eur"; amount = 1900; currency = "eur"; },'
         '{ id = "growth"; lookup_key = "growth_eur"; amount = 4900; currency = "eur"; interval = "year"; }')
METERS = 'meters = ( { event_name = "tokens"; display_name = "Tokens"; } );'
PORTAL = 'portal = { name = "ours"; customer_update = ["email"]; cancel = "at_period_end"; };'
HERE = "http://localhost/webhooks/stripe"


@pytest.fixture
def asked(site):
    """Every call of the test must be one that Stripe's description allows, where the description covers it."""
    site.sim.control("requests", method="DELETE")
    yield site
    for call in site.sim.control("requests"):
        if contract.available() and contract.operation(call["method"], call["path"]):
            assert contract.check_request(call["method"], call["path"], call["params"]) == []


def diff(site, code=1):
    return [(line["change"], line["object"], line["name"]) for line in site.lines("stripe", "diff", code=code)]


def apply(site, *arguments, code=0):
    return site.lines("stripe", "apply", *arguments, code=code)


def endpoints(site):
    return {e["id"]: e for e in site.sim.get("/v1/webhook_endpoints")["data"]}


@pytest.fixture
def applied(asked):
    asked.secret = asked.path / "webhook.secret"
    apply(asked, "--secret-file", str(asked.secret))
    return asked


def test_c24_a_diff_changes_nothing_and_exits_with_1(asked):
    assert diff(asked) == [("create", "webhook endpoint", HERE)]
    assert diff(asked) == [("create", "webhook endpoint", HERE)]
    assert endpoints(asked) == {}
    assert asked.ok("stripe", "diff", code=1) == "+ webhook endpoint %s: 2026-07-29.dahlia\n" % HERE


def test_c24_the_endpoint_is_made_with_our_events_and_version(applied):
    endpoint, = endpoints(applied).values()
    assert (endpoint["url"], endpoint["api_version"], endpoint["status"]) == (HERE, "2026-07-29.dahlia", "enabled")
    assert {"checkout.session.completed", "customer.subscription.deleted",
            "invoice.paid"} <= set(endpoint["enabled_events"])
    assert not {"*", "plan.created", "invoice.payment_succeeded"} & set(endpoint["enabled_events"])
    assert diff(applied, code=0) == []


def test_c24_the_events_are_those_that_webhooks_understands(applied):
    endpoint, = endpoints(applied).values()
    for n, type_ in enumerate(endpoint["enabled_events"]):
        event = {"id": "evt_%d" % n, "object": "event", "type": type_, "data": {"object": {
            "id": "xx_1", "subscription": "sub_1", "charge": "ch_1", "customer": "cus_1", "product": "prod_1"}}}
        applied.receive(event["id"], type_, None, None, json.dumps(event).encode())
    done = applied.lines("events", "replay", "--since", "1h")
    assert len(done) == len(endpoint["enabled_events"]) and [line["type"] for line in done if "kind" not in line] == []


def test_f104_the_secret_goes_to_a_closed_file_and_nowhere_else(asked):
    secret = asked.path / "webhook.secret"
    done = asked.run("stripe", "apply", "--secret-file", str(secret))
    assert done.returncode == 0
    assert re.fullmatch(r"whsec_\w{32}\n", secret.read_text())
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text().strip().encode() not in done.stdout + done.stderr


def test_f104_no_endpoint_without_a_place_for_its_secret(asked):
    taken = asked.path / "taken"
    taken.write_text("whsec_old\n")
    for arguments in ([], ["--secret-file", "/nonexistent/x"], ["--secret-file", str(taken)]):
        done = asked.run("stripe", "apply", *arguments)
        assert done.returncode == 1 and done.stderr
    assert endpoints(asked) == {} and taken.read_text() == "whsec_old\n"
    os.symlink("/nonexistent", asked.path / "link")
    assert asked.run("stripe", "apply", "--secret-file", str(asked.path / "link")).returncode == 1


def test_a_failed_creation_leaves_no_file(asked):
    asked.sim.control("faults", {"method": "POST", "path": "/v1/webhook_endpoints", "status": 400,
                                 "body": {"error": {"type": "invalid_request_error", "message": "no"}}})
    secret = asked.path / "webhook.secret"
    assert asked.run("stripe", "apply", "--secret-file", str(secret)).returncode == 1
    assert not secret.exists()


def test_c24_what_was_changed_by_hand_is_shown_and_put_right(applied):
    ident, = endpoints(applied)
    applied.sim.post(f"/v1/webhook_endpoints/{ident}", {"enabled_events[0]": "*", "disabled": "true"})
    line, = applied.lines("stripe", "diff", code=1)
    assert (line["change"], line["name"]) == ("update", ident)
    assert [(f["field"], f["is"]) for f in line["fields"]] == [("enabled_events", ["*"]), ("status", "disabled")]
    apply(applied)
    assert diff(applied, code=0) == []


def test_c24_another_version_is_another_endpoint_and_the_old_one_goes_last(applied):
    old, = endpoints(applied)
    applied.configure(stripe='version = "2024-10-28.acacia"')
    assert diff(applied) == [("create", "webhook endpoint", HERE), ("by_hand", "webhook endpoint", old)]
    apply(applied, "--secret-file", str(applied.path / "new.secret"), code=1)
    new, = set(endpoints(applied)) - {old}
    assert {ident: e["status"] for ident, e in endpoints(applied).items()} == {old: "enabled", new: "enabled"}
    assert diff(applied) == [("retire", "webhook endpoint", old)]
    apply(applied)
    assert {ident: e["status"] for ident, e in endpoints(applied).items()} == {old: "disabled", new: "enabled"}
    assert diff(applied, code=0) == []


def test_c17_the_free_plan_is_in_the_database_and_not_at_stripe(applied):
    before = applied.sim.get("/v1/prices")["data"]
    applied.configure('{ id = "free"; free = true; features = ["chat"]; }, ' + PLANS, more=PORTAL)
    assert applied.run("migrate", PGUSER="postgres").returncode == 0
    assert applied.ask("select id, features from billing.plans where free") == [("free", ["chat"])]
    apply(applied, code=1)      # the portal configuration's id is to be written into the configuration
    assert applied.sim.get("/v1/prices")["data"] == before
    portal, = [c for c in applied.sim.get("/v1/billing_portal/configurations", {
        "expand[0]": "data.features.subscription_update.products"})["data"] if c["name"] == "ours"]
    assert len(portal["features"]["subscription_update"]["products"]) == 2


def test_an_address_of_another_is_left_alone(applied):
    other = applied.sim.post("/v1/webhook_endpoints", {"url": "http://other.example/", "enabled_events[0]": "*"})["id"]
    assert diff(applied, code=0) == []
    assert endpoints(applied)[other]["status"] == "enabled"


def test_the_address_may_be_configured(asked):
    asked.configure(stripe='webhook_url = "http://localhost:1/hook"')
    assert diff(asked) == [("create", "webhook endpoint", "http://localhost:1/hook")]


def prices(site):
    return dict(site.ask("select id, price from billing.plans where offered"))


@pytest.fixture
def keyed(applied):
    applied.configure(KEYED)
    applied.run("migrate", PGUSER="postgres")
    return applied


def test_prices_are_made_and_learned_by_their_lookup_keys(keyed):
    assert prices(keyed) == {"starter": None, "growth": None}
    assert diff(keyed) == [("create", "price", "starter_eur"), ("create", "price", "growth_eur")]
    apply(keyed)
    found = {p["lookup_key"]: p for p in keyed.sim.get("/v1/prices", "limit=100&expand[0]=data.product")["data"]}
    starter, growth = found["starter_eur"], found["growth_eur"]
    assert (starter["unit_amount"], starter["currency"], starter["recurring"]["interval"]) == (1900, "eur", "month")
    assert (growth["unit_amount"], growth["recurring"]["interval"]) == (4900, "year")
    assert (starter["product"]["id"], starter["product"]["name"]) == ("tollgate_starter", "Tollgate Starter")
    assert prices(keyed) == {"starter": starter["id"], "growth": growth["id"]}
    assert diff(keyed, code=0) == []


def test_c40_before_migrate_nothing_is_made(asked):
    asked.configure(KEYED.replace('"growth"', '"team"'))
    done = asked.run("stripe", "apply", "--secret-file", str(asked.path / "webhook.secret"))
    assert (done.returncode, done.stdout, done.stderr) == (
        1, b"! plan team: is not in the database: run tollgate migrate first\n", b"")
    assert [r["method"] for r in asked.sim.control("requests") if r["method"] != "GET"] == []
    assert ("by_hand", "plan", "team") in diff(asked) and ("create", "price", "growth_eur") in diff(asked)
    assert asked.run("migrate", PGUSER="postgres").returncode == 0
    apply(asked, "--secret-file", str(asked.path / "webhook.secret"))
    assert diff(asked, code=0) == []


def test_a_price_that_is_there_is_only_learned(keyed):
    keyed.sim.post("/v1/products", {"id": "old", "name": "Old"})
    made = {}
    for key, amount, interval in (("starter_eur", "1900", "month"), ("growth_eur", "4900", "year")):
        made[key[:-4]] = keyed.sim.post("/v1/prices", {
            "product": "old", "unit_amount": amount, "currency": "eur", "recurring[interval]": interval,
            "lookup_key": key})["id"]
    assert diff(keyed) == [("update", "plan", "starter"), ("update", "plan", "growth")]
    apply(keyed)
    assert prices(keyed) == made


def test_another_amount_is_another_price_on_the_same_product(keyed):
    apply(keyed)
    before = prices(keyed)
    keyed.configure(KEYED.replace("1900", "2900"))
    keyed.run("migrate", PGUSER="postgres")
    line = keyed.lines("stripe", "diff", code=1)[0]
    assert (line["change"], line["name"], line["fields"]) == (
        "create", "starter_eur", [{"field": "unit_amount", "is": 1900, "should": 2900}])
    apply(keyed)
    old, new = (keyed.sim.get("/v1/prices/" + p["starter"]) for p in (before, prices(keyed)))
    assert (old["active"], old["lookup_key"]) == (True, None)
    assert (new["unit_amount"], new["lookup_key"], new["product"]) == (2900, "starter_eur", old["product"])
    assert keyed.ask("select plan from billing.prices where id = %s", old["id"]) == [("starter",)]
    assert diff(keyed, code=0) == []


ONE_PRODUCT = KEYED.replace("amount", 'product = "pro"; amount')


def test_c17_c24_plans_of_one_product_stand_beside_each_other(keyed):
    keyed.configure(ONE_PRODUCT, more=PORTAL)
    line = apply(keyed, code=1)[-1]
    assert {keyed.sim.get("/v1/prices/" + p)["product"] for p in prices(keyed).values()} == {"tollgate_pro"}
    assert keyed.sim.get("/v1/products/tollgate_pro")["name"] == "Tollgate Pro"
    made = keyed.sim.get("/v1/billing_portal/configurations/" + re.search(r'should be "(bpc_\w+)"', line["why"])[1],
                         {"expand[0]": "features.subscription_update.products"})
    offered, = made["features"]["subscription_update"]["products"]
    assert sorted(offered["prices"]) == sorted(prices(keyed).values())
    assert [(p["id"], p["pair"]) for p in keyed.ask("select api.offered_plans()")[0][0]] == [
        ("starter", True), ("growth", False)]


def test_c24_a_price_on_another_product_is_replaced(keyed):
    apply(keyed)
    before = prices(keyed)
    keyed.configure(ONE_PRODUCT.replace('"pro"', '"starter"'))
    line, = keyed.lines("stripe", "diff", code=1)
    assert (line["change"], line["name"], line["fields"]) == (
        "create", "growth_eur", [{"field": "product", "is": "tollgate_growth", "should": "tollgate_starter"}])
    apply(keyed)
    after = prices(keyed)
    assert after["starter"] == before["starter"] and after["growth"] != before["growth"]
    assert keyed.sim.get("/v1/prices/" + after["growth"])["product"] == "tollgate_starter"
    assert keyed.ask("select plan from billing.prices where id = %s", before["growth"]) == [("growth",)]
    assert diff(keyed, code=0) == []
    keyed.configure(ONE_PRODUCT.replace('"pro"', '"starter"').replace('; interval = "year"', "").replace("eur", "usd"),
                    more=PORTAL)
    keyed.run("migrate", PGUSER="postgres")
    assert any(line.get("why", "").startswith("offers no change to plan growth") for line in
               apply(keyed, code=1))


def test_a_named_price_is_compared_and_not_replaced(applied):
    applied.configure(PLANS.replace('"price_starter";', '"price_starter"; amount = 2000; currency = "usd";')
                      .replace("price_growth", "price_nosuch"))
    applied.run("migrate", PGUSER="postgres")
    assert diff(applied) == [("by_hand", "price", "price_starter"), ("by_hand", "price", "price_nosuch")]
    apply(applied, code=1)
    assert len(applied.sim.get("/v1/prices")["data"]) == 2


def test_a_named_price_is_switched_on_again(applied):
    applied.sim.post("/v1/prices/price_starter", "active=false")
    assert diff(applied) == [("update", "price", "price_starter")]
    apply(applied)
    assert applied.sim.get("/v1/prices/price_starter")["active"]


def test_meters_are_made_once_and_renamed(applied):
    applied.configure(more=METERS)
    assert diff(applied) == [("create", "meter", "tokens")]
    apply(applied)
    meter, = applied.sim.get("/v1/billing/meters")["data"]
    assert (meter["event_name"], meter["display_name"], meter["customer_mapping"]["event_payload_key"],
            meter["value_settings"]["event_payload_key"], meter["default_aggregation"]["formula"]) == (
                "tokens", "Tokens", "stripe_customer_id", "value", "sum")
    assert diff(applied, code=0) == []
    applied.configure(more=METERS.replace('"Tokens"', '"All tokens"'))
    apply(applied)
    assert applied.sim.get("/v1/billing/meters")["data"][0]["display_name"] == "All tokens"
    applied.configure(more=METERS.replace('"Tokens"', '"All tokens"; value_key = "n"'))
    assert diff(applied) == [("by_hand", "meter", "tokens")]


SOLD = METERS + """ quotas = ( { plan = "starter"; meter = "tokens"; included = %d; sold = true;
    lookup_key = "starter_tokens"; unit_amount = "%s"; } ); """


def sell(site, included, amount):
    site.configure(KEYED, more=SOLD % (included, amount) + PORTAL)
    assert site.run("migrate", PGUSER="postgres").returncode == 0


def tiers(site):
    """(ID, [(up to, amount)...]) of the price that sells tokens."""
    price, = site.sim.get("/v1/prices", {"lookup_keys[0]": "starter_tokens", "expand[0]": "data.tiers"})["data"]
    return price, [(tier["up_to"], tier["unit_amount_decimal"]) for tier in price.get("tiers", [])]


def test_c76_what_a_meter_sells_is_made_with_its_tiers_and_moves_to_a_new_price(applied):
    sell(applied, 1000, "0.250")
    assert ("create", "price", "starter_tokens") in diff(applied)
    apply(applied, code=1)      # the portal configuration's id is to be written into the configuration
    price, made = tiers(applied)
    meter, = applied.sim.get("/v1/billing/meters")["data"]
    assert made == [(1000, "0"), (None, "0.25")]
    assert (price["recurring"]["meter"], price["recurring"]["usage_type"], price["recurring"]["interval"],
            price["currency"], price["product"]) == (meter["id"], "metered", "month", "eur", "tollgate_meter_tokens")
    assert applied.ask("select p.id, p.included, p.unit_amount::text from usage.quotas q join billing.prices p "
                       "on p.id = q.price") == [(price["id"], 1000, "0.25")]
    portal, = [c for c in applied.sim.get("/v1/billing_portal/configurations", {
        "expand[0]": "data.features.subscription_update.products"})["data"] if c["name"] == "ours"]
    assert len(portal["features"]["subscription_update"]["products"]) == 1      # the portal adds no metered item
    sell(applied, 1000, "0.25")
    assert [line for line in diff(applied) if "price" in line] == []
    sell(applied, 2000, "0.25")
    assert [line for line in diff(applied) if "price" in line] == [("create", "price", "starter_tokens")]
    apply(applied, code=1)
    moved, made = tiers(applied)
    assert made[0] == (2000, "0") and moved["id"] != price["id"]
    assert applied.ask("select price from usage.quotas") == [(moved["id"],)]
    sell(applied, 0, "3")
    apply(applied, code=1)
    flat, made = tiers(applied)
    assert (made, flat["unit_amount"], flat["billing_scheme"]) == ([], 3, "per_unit")


@pytest.fixture
def portal(applied):
    applied.configure(more=PORTAL)
    line = apply(applied, code=1)[-1]
    applied.portal = re.search(r'should be "(bpc_\w+)"', line["why"])[1]
    use(applied, applied.portal)
    return applied


def use(site, ident, more=PORTAL):
    site.configure(stripe='portal_configuration = "%s"' % ident, more=more)


def test_c24_the_portal_allows_what_the_configuration_says(portal):
    made = portal.sim.get("/v1/billing_portal/configurations/" + portal.portal,
                          {"expand[0]": "features.subscription_update.products"})
    features = made["features"]
    assert features["customer_update"] == {"enabled": True, "allowed_updates": ["email"]}
    assert features["subscription_cancel"]["enabled"] and features["subscription_cancel"]["mode"] == "at_period_end"
    offered = [price for product in features["subscription_update"]["products"] for price in product["prices"]]
    assert sorted(offered) == ["price_growth", "price_starter"]
    assert diff(portal, code=0) == []
    wanted, = portal.ask("select id, desired -> 'active' from billing.portal_configurations")
    assert wanted == (portal.portal, True)


def test_c24_a_changed_portal_is_seen_and_put_right(portal):
    path = "/v1/billing_portal/configurations/" + portal.portal
    portal.sim.post(path, {"features[subscription_cancel][mode]": "immediately", "active": "false"})
    line, = portal.lines("stripe", "diff", code=1)
    assert (line["change"], line["name"]) == ("update", portal.portal)
    assert {f["field"] for f in line["fields"]} == {"features.subscription_cancel.mode", "active"}
    apply(portal)
    assert diff(portal, code=0) == []


def test_c24_a_changed_configuration_is_another_version_and_the_old_one_stays(portal):
    use(portal, portal.portal, PORTAL.replace("at_period_end", "no"))
    assert diff(portal)[0][:2] == ("create", "portal configuration")
    line = apply(portal, code=1)[-1]
    new = re.search(r'should be "(bpc_\w+)"', line["why"])[1]
    assert new != portal.portal
    assert portal.sim.get("/v1/billing_portal/configurations/" + portal.portal)["active"]
    use(portal, new, PORTAL.replace("at_period_end", "no"))
    assert diff(portal, code=0) == []
    use(portal, portal.portal)
    assert diff(portal, code=0) == []


def test_c24_a_configuration_that_is_not_ours_must_be_there(applied):
    use(applied, "bpc_nosuch", "")
    assert diff(applied) == [("by_hand", "portal configuration", "bpc_nosuch")]
    default, = applied.sim.get("/v1/billing_portal/configurations", "is_default=true")["data"]
    use(applied, default["id"], "")
    assert diff(applied, code=0) == []


def test_c24_a_portal_waits_for_its_prices(applied):
    applied.configure(KEYED, more=PORTAL)
    applied.run("migrate", PGUSER="postgres")
    assert [change for change, *_ in diff(applied)] == ["create", "create", "by_hand"]
    assert len(apply(applied, code=1)) == 6


def test_c24_a_portal_is_offered_one_price_of_a_product_and_interval(applied):
    """Stripe refuses a configuration with two: the earlier plan is the one that customers may change to."""
    product = applied.sim.get("/v1/prices/price_starter")["product"]
    price = {"product": product, "unit_amount": "9900", "currency": "usd", "recurring[interval]": "month"}
    rival = applied.sim.post("/v1/prices", price)["id"]
    yearly = applied.sim.post("/v1/prices", price | {"recurring[interval]": "year"})["id"]
    applied.configure('{ id = "starter"; price = "price_starter"; }, { id = "growth"; price = "%s"; }, '
                      '{ id = "team"; price = "%s"; }' % (rival, yearly), more=PORTAL)
    applied.run("migrate", PGUSER="postgres")
    told = "offers no change to plan growth: its price is of the product and interval of plan starter"
    assert [line["why"].startswith(told) for line in applied.lines("stripe", "diff", code=1)] == [True, False]
    lines = apply(applied, code=1)
    ident = re.search(r'should be "(bpc_\w+)"', lines[-1]["why"])[1]
    made = applied.sim.get("/v1/billing_portal/configurations/" + ident,
                           {"expand[0]": "features.subscription_update.products"})
    product, = made["features"]["subscription_update"]["products"]
    assert product["prices"] == ["price_starter", yearly]


SECRETS = {"TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET, "TOLLGATE_SEED_KEY": 64 * "1"}


def check(site, code=1):
    done = site.run("check", "--live", **SECRETS)
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, lines[:2]) == (code, ["%s: ok" % site.conf, "database: ok"]), done
    return lines[2:]


def test_c24_check_live_asks_stripe_for_each_price_and_the_portal_and_changes_nothing(applied):
    applied.sim.control("requests", method="DELETE")
    assert check(applied, code=0) == ["plan starter: ok", "plan growth: ok", "portal: ok"]
    applied.configure(more=PORTAL)
    told = check(applied)
    assert told[2:] == ["portal configuration ours: does not exist at Stripe: run tollgate stripe apply"]
    assert {r["method"] for r in applied.sim.control("requests")} == {"GET"}


def test_c24_check_live_says_what_is_wrong_with_a_price(applied):
    applied.sim.post("/v1/prices/price_starter", "active=false")
    product = applied.sim.get("/v1/prices/price_growth")["product"]
    applied.sim.post("/v1/products/" + product, "active=false")
    again = ": run tollgate stripe apply"
    assert check(applied) == ["price price_starter: is not active" + again,
                              "product %s: is not active" % product + again, "portal: ok"]
    apply(applied)
    assert check(applied, code=0) == ["plan starter: ok", "plan growth: ok", "portal: ok"]
    once = applied.sim.control("faults", {"method": "GET", "path": "/v1/prices/price_growth", "answer": "real",
                                          "set": {"recurring": None}, "times": 1})
    assert once is not None and check(applied)[1] == "price price_growth: is paid once: a plan's price recurs"
    applied.configure(PLANS.replace("price_growth", "price_nosuch"))
    assert check(applied)[1] == "price price_nosuch: does not exist at Stripe"
    applied.configure(PLANS.replace('"price_starter";', '"price_starter"; amount = 2000; currency = "usd";'))
    assert check(applied)[1] == "    unit_amount is 1900, should be 2000"


def test_c24_check_live_says_that_a_price_with_a_lookup_key_is_missing_or_differs(applied):
    for language in ("en", "de"):
        named = applied.path / "pages/languages" / language / "common.json"
        named.parent.mkdir(parents=True)
        named.write_text('{"plan_team": "Team"}')
    applied.configure(KEYED.replace("growth", "team"))
    assert check(applied)[0] == "plan team: is not in the database: run tollgate migrate first"
    applied.run("migrate", PGUSER="postgres")
    assert check(applied)[:2] == ["price %s_eur: does not exist at Stripe: run tollgate stripe apply" % plan
                                  for plan in ("starter", "team")]
    apply(applied)
    applied.configure(KEYED.replace("growth", "team").replace("1900", "2900"))
    assert check(applied) == ["price starter_eur: differs: run tollgate stripe apply",
                              "    unit_amount is 1900, should be 2900", "plan team: ok", "portal: ok"]


def test_c24_a_portal_that_was_never_saved_is_said(applied):
    applied.sim.control("faults", {"method": "GET", "path": "/v1/billing_portal/configurations", "answer": "real",
                                   "set": {"data": []}, "times": 2})
    assert diff(applied) == [("by_hand", "portal configuration", "default")]
    told, = check(applied)[2:]
    assert told.startswith("portal configuration default: does not exist at Stripe: save the portal's settings")


def test_f102_check_live_tells_a_refused_key_from_a_stripe_that_is_down(site):
    site.sim.control("faults", {"times": 100})
    done = site.run("check", "--live", **SECRETS)
    assert done.returncode == 69 and b"Stripe cannot be reached" in done.stderr and b"database: ok" in done.stdout
    site.sim.control("faults", method="DELETE")
    site.key.write_text("sk_test_wrong")
    done = site.run("check", "--live", **SECRETS)
    assert done.returncode == 1 and b"refused: Stripe rejects the key" in done.stderr


def test_stripe_that_is_down_is_69_and_a_wrong_key_is_1(site):
    site.sim.control("faults", {"times": 100})
    assert site.run("stripe", "diff").returncode == 69
    site.sim.control("faults", method="DELETE")
    site.key.write_text("sk_test_wrong")
    done = site.run("stripe", "diff")
    assert done.returncode == 1 and b"refused" in done.stderr and b"sk_test_wrong" not in done.stderr + done.stdout


def test_c25_what_the_endpoint_does_not_ask_for_was_not_missed(site):
    apply(site, "--secret-file", str(site.path / "webhook.secret"))
    asked_for = set(next(iter(endpoints(site).values()))["enabled_events"])
    site.id = site.tenant("anna@example.com")
    session = site.sim.session(client_reference_id=site.id, **{"subscription_data[metadata][tenant_id]": site.id})
    assert site.sim.control(f"checkout/{session['id']}/pay", {"card": "good"})["paid"]
    events = site.sim.get("/v1/events", "limit=100")["data"]
    told = [e for e in events if e["type"] in asked_for]
    assert len(told) < len(events)
    for event in told[1:]:
        site.receive(event["id"], event["type"], None, None, json.dumps(event).encode())
    missed = {line["id"] for line in site.lines("reconcile", "--dry-run", code=1) if line["kind"] == "event"}
    assert missed == {told[0]["id"]}


def test_f101_a_price_that_names_no_product_is_a_bad_answer(site):
    site.configure(more=PORTAL.replace("};", "change_plan = true; };"))
    site.sim.control("faults", {"method": "GET", "path": "/v1/prices/*", "answer": "real", "set": {"product": None},
                                "times": 9})
    done = site.run("stripe", "diff")
    assert done.returncode == 69, done
