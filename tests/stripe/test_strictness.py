"""What Stripe refuses, the simulator refuses: headers, parameters, references, states."""
import base64

import pytest

import contract
from sim import tables
from simclient import KEY, send

needs_spec = pytest.mark.skipif(not contract.available(), reason="Stripe's openapi.json is not in ../shared/stripe")


@pytest.mark.parametrize("headers, status", [
    ({"Authorization": None}, 401), ({"Authorization": "Bearer sk_test_no"}, 401),
    ({"Authorization": "Basic !"}, 401), ({"Stripe_Version": None}, 400), ({"Stripe_Version": "2019-01-01"}, 400),
    ({"Content_Type": "application/json"}, 400), ({"Content_Type": "multipart/form-data"}, 400), ({}, 200)])
def test_headers(sim, headers, status):
    assert sim.call("POST", "/v1/customers", "name=x", **headers).status == status


def test_basic_authentication_is_as_good(sim):
    value = base64.b64encode(f"{KEY}:".encode()).decode()
    assert sim.call("GET", "/v1/account", Authorization=f"Basic {value}").json["object"] == "account"


LINES = "line_items[0][price]=price_starter&line_items[0][quantity]=1"
SUCCESS = "success_url=http://x.example/"
CREATE = f"mode=subscription&{SUCCESS}&{LINES}"
LONG = "k" * 41
CHECKOUT = [
    ("", "mode", "parameter_missing"),
    (f"mode=subscription&{SUCCESS}", "line_items", "parameter_missing"),
    (f"mode=subscription&{LINES}", "success_url", "parameter_missing"),
    (f"mode=payment&{SUCCESS}&{LINES}", "mode", None),
    (f"mode=gift&{SUCCESS}&{LINES}", "mode", None),
    (f"{CREATE}&mode=subscription", "mode", None),
    (f"{CREATE}&colour=red", "colour", "parameter_unknown"),
    (f"{CREATE}&line_items[0][colour]=1", "line_items[0][colour]", "parameter_unknown"),
    (f"{CREATE}&subscription_data[metadata][a][b]=1", "subscription_data[metadata][a]", None),
    (f"{CREATE}&metadata[{LONG}]=1", f"metadata[{LONG}]", None),
    (f"{CREATE}&metadata[a]={'x' * 501}", "metadata[a]", None),
    (f"{CREATE}&customer_email=a@b.c&customer=cus_1", "customer", "parameters_exclusive"),
    (f"{CREATE}&customer_email=nobody", "customer_email", "email_invalid"),
    (f"{CREATE}&customer_email=", "customer_email", "parameter_invalid_empty"),
    (f"{CREATE}&customer=cus_nobody", "customer", "resource_missing"),
    (f"{CREATE}&customer_update[name]=auto", "customer_update", None),
    (f"{CREATE}&locale=xx", "locale", None),
    (f"{CREATE}&allow_promotion_codes=yes", "allow_promotion_codes", None),
    (f"{CREATE}&expires_at=soon", "expires_at", "parameter_invalid_integer"),
    (f"{CREATE}&expires_at=1", "expires_at", None),
    (f"{CREATE}&ui_mode=hosted", "ui_mode", None),
    (f"{CREATE}&payment_method_types[0]=card", "payment_method_types", None),
    (f"{CREATE}&cancel_url=/back", "cancel_url", "url_invalid"),
    (f"{CREATE}&client_reference_id={'x' * 201}", "client_reference_id", None),
    (f"{CREATE}&subscription_data[trial_period_days]=0", "subscription_data[trial_period_days]",
     "parameter_invalid_integer"),
    (f"mode=subscription&{SUCCESS}&line_items[0][price]=price_no&line_items[0][quantity]=1", "line_items[0][price]",
     "resource_missing"),
    (f"mode=subscription&{SUCCESS}&line_items[0][price]=price_starter", "line_items[0][quantity]", None),
    (f"mode=subscription&{SUCCESS}&line_items[1][price]=price_starter", "line_items", None),
    (f"mode=subscription&{SUCCESS}&line_items[0][price]=price_starter&line_items[0][quantity]=1.5",
     "line_items[0][quantity]", "parameter_invalid_integer"),
]


@pytest.mark.parametrize("form, param, code", CHECKOUT)
def test_checkout_refuses(sim, form, param, code):
    refuse(sim, "POST", "/v1/checkout/sessions", form, param, code)
    assert sim.get("/v1/checkout/sessions")["data"] == []


PORTAL = "/v1/billing_portal/"
OTHERS = [
    ("POST", "/v1/customers", "name=%zz", None, None),
    ("POST", "/v1/customers", "name=%ff", None, None),
    ("POST", "/v1/customers", "name", None, None),
    ("POST", "/v1/customers", "name=a&name=b", "name", None),
    ("POST", "/v1/customers", "name[first]=x", "name", None),
    ("POST", "/v1/customers", "metadata=5", "metadata", None),
    ("POST", "/v1/customers", "address=5", "address", None),
    ("POST", PORTAL + "sessions", "return_url=http://x.example/", "customer", "parameter_missing"),
    ("POST", PORTAL + "sessions", "customer=cus_no", "customer", "resource_missing"),
    ("POST", PORTAL + "configurations", "", "features", "parameter_missing"),
    ("POST", PORTAL + "configurations", "features[invoice_history][x]=1", "features[invoice_history][x]",
     "parameter_unknown"),
    ("POST", PORTAL + "configurations", "features[subscription_update][enabled]=true",
     "features[subscription_update][products]", "parameter_missing"),
    ("GET", "/v1/customers", "limit=0", "limit", "parameter_invalid_integer"),
    ("GET", "/v1/customers", "limit=101", "limit", "parameter_invalid_integer"),
    ("GET", "/v1/customers", "starting_after=cus_no", "starting_after", "resource_missing"),
    ("GET", "/v1/customers", "expand[]=data.email", "expand", None),
    ("GET", "/v1/customers", "expand[]=a.b.c.d.e", "expand", None),
    ("GET", "/v1/customers/search", "", "query", "parameter_missing"),
    ("GET", "/v1/customers/search", "query=anna", "query", None),
    ("GET", "/v1/events", "type=a&types[]=b", "types", "parameters_exclusive"),
    ("GET", "/v1/subscriptions", "status=alive", "status", None),
    ("GET", "/v1/prices", "active=1", "active", None),
    ("GET", "/v1/subscription_items", "", "subscription", "parameter_missing"),
    ("GET", "/v1/subscription_items", "subscription=sub_no", "subscription", "resource_missing"),
    ("GET", "/v1/subscription_items", "subscription=sub_no&status=active", "status", "parameter_unknown"),
]


@pytest.mark.parametrize("method, path, form, param, code", OTHERS)
def test_others_refuse(sim, method, path, form, param, code):
    sim.post("/v1/customers", "email=a@b.c")
    refuse(sim, method, path, form, param, code)


def refuse(sim, method, path, form, param, code):
    answer = sim.call(method, path, form)
    error = answer.json["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert (error.get("param"), error.get("code")) == (param, code), error


@pytest.mark.parametrize("path", ["customers/cus_no", "subscriptions/sub_no", "invoices/in_no", "prices/price_no",
                                  "checkout/sessions/cs_no", "events/evt_no", "billing_portal/configurations/bpc_no"])
def test_unknown_objects_are_404(sim, path):
    answer = sim.call("GET", f"/v1/{path}")
    assert (answer.status, answer.json["error"]["code"]) == (404, "resource_missing")


def test_unknown_addresses_are_404(sim):
    assert sim.call("GET", "/v1/nothing").status == 404
    assert sim.call("DELETE", "/v1/prices/price_starter").status == 404


def test_parameters_in_the_wrong_place_are_refused(sim):
    assert send("POST", f"{sim.url}/v1/customers?name=x", b"", {"Authorization": f"Bearer {KEY}",
                "Stripe-Version": "2026-07-29.dahlia"}).status == 400


def test_ended_subscription_is_not_canceled_again(sim):
    path = f"/v1/subscriptions/{sim.subscribe()['id']}"
    assert [sim.call("DELETE", path).status for _ in range(2)] == [200, 404]
    assert sim.call("POST", path, "cancel_at_period_end=true").status == 400
    assert sim.call("POST", path, "metadata[a]=b").json["metadata"]["a"] == "b"


def test_expire_works_once_and_only_while_open(sim):
    path = f"/v1/checkout/sessions/{sim.session()['id']}/expire"
    assert [sim.call("POST", path).status for _ in range(2)] == [200, 400]


def test_list_by_email_is_exact_and_minds_case(sim):
    for email in ("anna@example.com", "Anna@example.com", "anna@example.com"):
        sim.post("/v1/customers", {"email": email})
    assert len(sim.get("/v1/customers", {"email": "anna@example.com"})["data"]) == 2
    assert len(sim.get("/v1/customers", {"email": "ANNA@example.com"})["data"]) == 0


def test_search_reads_metadata_and_quotes(sim):
    wanted = sim.post("/v1/customers", {"metadata[org]": "o'n", "email": "a@b.c"})["id"]
    sim.post("/v1/customers", {"metadata[org]": "other"})
    sim.advance(advance=60)
    found = sim.get("/v1/customers/search", {"query": r"metadata['org']:'o\'n' AND email:'a@b.c'"})["data"]
    assert [row["id"] for row in found] == [wanted]


def test_a_search_does_not_read_what_was_just_written(sim):
    ident = sim.post("/v1/customers", {"email": "a@b.c"})["id"]

    def found(email):
        return [row["id"] for row in sim.get("/v1/customers/search", {"query": f"email:'{email}'"})["data"]]
    assert found("a@b.c") == [] and len(sim.get("/v1/customers", {"email": "a@b.c"})["data"]) == 1
    sim.advance(advance=60)
    sim.post(f"/v1/customers/{ident}", {"email": "b@b.c"})
    assert (found("a@b.c"), found("b@b.c")) == ([ident], [])
    sim.advance(advance=60)
    assert (found("a@b.c"), found("b@b.c")) == ([], [ident])
    sim.call("DELETE", f"/v1/customers/{ident}")
    assert found("b@b.c") == []


def test_a_search_goes_on_where_its_page_ended(sim):
    ids = [sim.post("/v1/customers", {"email": "a@b.c"})["id"] for _ in range(5)][::-1]
    sim.advance(advance=60)
    seen, more = [], {}
    while more is not None:
        part = sim.get("/v1/customers/search", {"query": "email:'a@b.c'", "limit": "2", **more})
        seen.append([row["id"] for row in part["data"]])
        assert part["has_more"] == (part["next_page"] is not None)
        more = {"page": part["next_page"]} if part["has_more"] else None
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    answer = sim.call("GET", "/v1/customers/search", {"query": "email:'a@b.c'", "page": "2"})
    assert (answer.status, answer.json["error"]["param"]) == (400, "page")


def test_metadata_merges_and_unsets(sim):
    ident = sim.post("/v1/customers", {"metadata[a]": "1", "metadata[b]": "2"})["id"]
    assert sim.post(f"/v1/customers/{ident}", {"metadata[a]": "", "metadata[c]": "3"})["metadata"] == {"b": "2",
                                                                                                     "c": "3"}
    assert sim.post(f"/v1/customers/{ident}", {"metadata": ""})["metadata"] == {}


def test_pages_follow_each_other_without_gap(sim):
    ids = [sim.post("/v1/customers")["id"] for _ in range(7)][::-1]
    seen, after = [], {}
    while True:
        part = sim.get("/v1/customers", {"limit": "3", **after})
        seen += [row["id"] for row in part["data"]]
        if not part["has_more"]:
            break
        after = {"starting_after": seen[-1]}
    assert seen == ids
    back = sim.get("/v1/customers", {"limit": "2", "ending_before": ids[5]})
    assert [row["id"] for row in back["data"]] == ids[3:5] and back["has_more"]


@pytest.mark.parametrize("version", ["2026-07-29.dahlia", "2024-10-28.acacia"])
def test_a_list_within_an_object_ends_after_ten(sim, version):
    sub = sim.subscribe()
    for n in range(11):
        sim.control("plans", {"name": f"addon{n}", "price": f"price_addon{n}", "amount": 100})
    path = f"/v1/subscriptions/{sub['id']}"
    sim.post(path, {f"items[{n}][price]": f"price_addon{n}" for n in range(9)})
    whole = sim.call("GET", path, Stripe_Version=version).json["items"]
    assert (len(whole["data"]), whole["has_more"]) == (10, False)
    sim.post(path, {"items[0][price]": "price_addon9", "items[1][price]": "price_addon10"})
    first = sim.call("GET", path, Stripe_Version=version).json["items"]
    assert [row["price"]["id"] for row in first["data"]] == ["price_starter", *(f"price_addon{n}" for n in range(9))]
    assert first["has_more"] and first["url"] == f"/v1/subscription_items?subscription={sub['id']}"
    asked = {"subscription": sub["id"], "limit": "8"}
    page = sim.get("/v1/subscription_items", asked)
    rest = sim.get("/v1/subscription_items", {**asked, "starting_after": page["data"][-1]["id"]})
    assert (len(page["data"]), page["has_more"], len(rest["data"]), rest["has_more"]) == (8, True, 4, False)
    assert {row["id"] for row in first["data"]} < {row["id"] for row in page["data"] + rest["data"]}


def test_prices_by_lookup_key_with_product(sim):
    data = sim.get("/v1/prices", {"lookup_keys[0]": "growth_monthly", "expand[0]": "data.product"})["data"]
    assert [(row["id"], row["product"]["name"]) for row in data] == [("price_growth", "Growth")]


def test_a_portals_products_come_when_they_are_asked_for(sim):
    expand = "features.subscription_update.products"
    listed, = sim.get(PORTAL + "configurations")["data"]
    asked, = sim.get(PORTAL + "configurations", {"expand[0]": "data." + expand})["data"]
    alone = sim.get(PORTAL + "configurations/" + listed["id"], {"expand[0]": expand})
    assert "products" not in listed["features"]["subscription_update"]
    assert sorted(product["prices"] for product in asked["features"]["subscription_update"]["products"]) == [
        ["price_growth"], ["price_starter"]]
    assert alone == asked


def test_meter_identifier_is_taken_once(sim):
    form = {"event_name": "calls", "payload[stripe_customer_id]": "cus_1", "payload[value]": "25", "identifier": "a"}
    assert sim.call("POST", "/v1/billing/meter_events", form).status == 200
    again = sim.call("POST", "/v1/billing/meter_events", form)
    assert (again.status, again.headers["Stripe-Should-Retry"]) == (400, "false")


def leaves(node, path=""):
    for key, child in node.items():
        here = f"{path}[0]" if key == "[]" else f"{path}[{key}]" if path else key
        yield from [(here, child)] if isinstance(child, tuple) else leaves(child, here)


SAMPLES = {"boolean": "true", "integer": "1", "timestamp": "1", "metadata": None, "map": None, "range": "1"}


@needs_spec
@pytest.mark.parametrize("method, path, table", [
    ("POST", "/v1/customers", tables.CUSTOMER), ("GET", "/v1/customers", tables.CUSTOMER_LIST),
    ("GET", "/v1/customers/search", tables.SEARCH), ("POST", "/v1/checkout/sessions", tables.CHECKOUT_CREATE),
    ("GET", "/v1/checkout/sessions", tables.CHECKOUT_LIST), ("POST", "/v1/subscriptions/x", tables.SUBSCRIPTION_UPDATE),
    ("DELETE", "/v1/subscriptions/x", tables.SUBSCRIPTION_CANCEL), ("GET", "/v1/prices", tables.PRICE_LIST),
    ("GET", "/v1/subscriptions", tables.SUBSCRIPTION_LIST), ("GET", "/v1/events", tables.EVENT_LIST),
    ("POST", "/v1/billing_portal/sessions", tables.PORTAL_CREATE),
    ("POST", "/v1/billing_portal/configurations", tables.CONFIGURATION_CREATE),
    ("GET", "/v1/billing_portal/configurations", tables.CONFIGURATION_LIST),
    ("POST", "/v1/billing/meter_events", tables.METER_EVENT)])
def test_each_parameter_is_one_that_stripe_has(method, path, table):
    wrong = []
    for name, (kind, _) in leaves(table):
        if kind == "!":
            wrong += [fault for fault in contract.check_request(method, path, f"{name}=") if "is unknown" in fault]
            continue
        for value in kind.split("|") if "|" in kind else [SAMPLES.get(kind, "x")]:
            value = {"<integer>": "1", "<empty>": ""}.get(value, value)
            form = f"{name}[k]=v" if value is None else f"{name}={value}"
            wrong += [fault for fault in contract.check_request(method, path, form) if " lacks " not in fault]
    assert wrong == []


@needs_spec
def test_each_parameter_of_stripe_is_known_by_name():
    for method, path, table in [("POST", "/v1/checkout/sessions", tables.CHECKOUT_CREATE),
                                ("POST", "/v1/subscriptions/x", tables.SUBSCRIPTION_UPDATE),
                                ("POST", "/v1/customers", tables.CUSTOMER),
                                ("POST", "/v1/billing_portal/sessions", tables.PORTAL_CREATE)]:
        described = contract.parameters(contract.operation(method, path), method)["properties"]
        assert set(described) - set(table) == set()


@needs_spec
@pytest.mark.parametrize("form, fault", [
    (CREATE, None), (f"{CREATE}&colour=red", "colour is unknown"), (f"{CREATE}&mode=gift", "twice"),
    (f"{CREATE}&expires_at=soon", "expires_at is not a integer"), (f"{CREATE}&locale=xx", "locale is none"),
    (f"{CREATE}&automatic_tax[liability][type]=self", "automatic_tax lacks enabled")])
def test_contract_judges_a_request(form, fault):
    found = contract.check_request("POST", "/v1/checkout/sessions", form)
    assert found == [] if fault is None else any(fault in text for text in found), found
