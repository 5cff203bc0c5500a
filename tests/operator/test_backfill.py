"""Backfill of Stripe customers: by our id at once, by mail address only after a review."""
import json
import uuid


def customer(site, email="anna@example.com", **metadata):
    form = {"email": email, **{"metadata[%s]" % name: value for name, value in metadata.items()}}
    return site.sim.post("/v1/customers", form)["id"]


def bound(site):
    return dict(site.ask("select id, tenant_id::text from billing.customers"))


def test_c28_our_id_in_the_metadata_binds_at_once_and_once(site):
    tenant = site.tenant("anna@example.com")
    cus = customer(site, tenant_id=tenant)
    line, = site.lines("backfill", "customers")
    assert (line["match"], line["customer"], line["tenant"]) == ("bound", cus, tenant)
    assert bound(site) == {cus: tenant}
    assert site.lines("backfill", "customers") == []
    assert bound(site) == {cus: tenant}


def test_c28_its_subscriptions_are_fetched_then(site):
    tenant = site.tenant("anna@example.com")
    sub = site.sim.subscribe(client_reference_id=None, **{"subscription_data[metadata][tenant_id]": None})
    site.deliver()
    site.work()
    assert site.ask("select * from billing.subscriptions") == []
    site.sim.post("/v1/customers/" + sub["customer"], {"metadata[tenant_id]": tenant})
    site.ok("backfill", "customers")
    site.work()
    assert site.ask("select id, status, tenant_id::text from billing.subscriptions") == [(sub["id"], "active", tenant)]
    assert site.json("explain", tenant)[0]["entitlement"]["allowed"]


def test_d2_an_address_only_proposes(site):
    tenant = site.tenant("anna@example.com")
    cus = customer(site, "Anna@Example.com")
    line, = site.lines("backfill", "customers")
    assert (line["match"], line["customer"], line["tenant"], line["email"]) == (
        "proposed", cus, tenant, "Anna@Example.com")
    assert bound(site) == {}


def test_d2_what_was_reviewed_is_applied_again_and_again(site):
    tenant, cus = site.tenant("anna@example.com"), customer(site)
    proposals = site.path / "proposals"
    proposals.write_text(site.ok("backfill", "customers", "--json"))
    assert site.lines("backfill", "customers", "--dry-run", "--apply-proposals", str(proposals))[0]["match"] == "bound"
    assert bound(site) == {}
    assert site.lines("backfill", "customers", "--apply-proposals", str(proposals))[0]["match"] == "bound"
    assert site.lines("backfill", "customers", "--apply-proposals", str(proposals))[0]["match"] == "known"
    assert bound(site) == {cus: tenant}


def test_d2_what_has_changed_since_the_review_is_refused(site):
    tenant, other = site.tenant("anna@example.com"), site.tenant()
    taken, gone = customer(site), customer(site, "b@example.com")
    foreign = customer(site, "c@example.com", tenant_id=other)
    site.sim.call("DELETE", "/v1/customers/" + gone)
    site.ask("insert into billing.customers (id, tenant_id) values ('cus_before', %s)", tenant)
    proposals = site.path / "proposals"
    pairs = ((taken, tenant), (gone, tenant), (foreign, tenant), ("cus_nosuch", tenant), (taken, str(uuid.uuid4())),
             (taken, "anna@example.com"))
    proposals.write_text("".join(json.dumps({"match": "proposed", "customer": cus, "tenant": to}) + "\n"
                                 for cus, to in pairs))
    lines = site.lines("backfill", "customers", "--apply-proposals", str(proposals), code=1)
    assert [line["match"] for line in lines] == ["taken", "gone", "conflict", "gone", "no_tenant", "no_tenant"]
    assert bound(site) == {"cus_before": tenant}


def test_proposals_that_are_none_are_told_with_their_line(site):
    proposals = site.path / "proposals"
    proposals.write_text('{"match": "unknown"}\n\n[1]\n')
    done = site.run("backfill", "customers", "--apply-proposals", str(proposals))
    assert done.returncode == 1 and b"proposals:3: is not a JSON object" in done.stderr
    assert site.run("backfill", "customers", "--apply-proposals", "/nonexistent").returncode == 1


def test_several_tenants_of_one_address_are_left_to_choose(site):
    tenants = {site.tenant("anna@example.com") for _ in range(2)}
    customer(site)
    line, = site.lines("backfill", "customers")
    assert line["match"] == "proposed" and set(line["tenants"]) == tenants and "tenant" not in line


def test_a_tenant_that_has_a_customer_is_not_given_another(site):
    tenant = site.tenant("anna@example.com")
    site.ask("insert into billing.customers (id, tenant_id) values ('cus_before', %s)", tenant)
    cus = customer(site, tenant_id=tenant)
    customer(site)
    line, = site.lines("backfill", "customers", code=1)
    assert (line["match"], line["customer"], line["other"]) == ("conflict", cus, "cus_before")
    assert bound(site) == {"cus_before": tenant}


def test_a_dry_run_writes_nothing(site):
    cus = customer(site, tenant_id=site.tenant())
    assert "%s anna@example.com: would be bound to" % cus in site.ok("backfill", "customers", "--dry-run")
    assert bound(site) == {} and site.due() == []


def test_c28_interrupted_it_goes_on_where_it_was(site):
    tenants = [site.tenant() for _ in range(230)]
    for tenant in tenants:
        customer(site, tenant_id=tenant)
    site.sim.control("faults", {"path": "/v1/customers", "skip": 1, "times": 100})
    failed = site.run("backfill", "customers")
    assert failed.returncode == 69 and len(bound(site)) == 100
    after = failed.stderr.split(b"--after ")[1].split()[0].decode()
    site.sim.control("faults", method="DELETE")
    assert len(site.lines("backfill", "customers", "--after", after)) == 130
    assert sorted(bound(site).values()) == sorted(tenants)
