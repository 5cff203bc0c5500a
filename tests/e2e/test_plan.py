"""The plan of a user as JSON."""
from datetime import datetime

import pytest
from journey import catch_up, wait_until

API = "/api/billing/plan"


def plan_of(browser, address=API):
    answer = browser.get(address, Accept="application/json")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json"), answer
    return answer.json


def ends(said):
    return datetime.fromisoformat(said["period_end"].replace("Z", "+00:00")).timestamp()


@pytest.fixture
def subscription(customer, db):
    return wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                       db.tenant_of(customer[1])))


def test_c18_a_paid_plan_with_its_interval_and_period(customer, sim, subscription):
    said = wait_until(lambda: (p := plan_of(customer[0])) and p["interval"] and p)
    assert {**said, "period_end": None} == {"plan": "starter", "paid": True, "interval": "month", "interval_count": 1,
                                           "canceled": False, "period_end": None}
    item, = sim.object("subscription", subscription)["items"]["data"]
    assert ends(said) == item["current_period_end"]


def test_c18_a_cancellation_to_come_and_an_end(customer, sim, subscription):
    browser, _ = customer
    sim.post(f"subscriptions/{subscription}/cancel_at_period_end")
    said = wait_until(lambda: (p := plan_of(browser)) and p["canceled"] and p)
    assert (said["plan"], said["paid"]) == ("starter", True)
    sim.post(f"subscriptions/{subscription}/cancel")
    said = wait_until(lambda: (p := plan_of(browser)) and not p["paid"] and p)
    assert (said["plan"], said["canceled"]) == (None, True)
    assert ends(said) == sim.object("subscription", subscription)["ended_at"]


def test_c18_the_operators_word_is_not_a_payment(customer, sim, db):
    browser, email = customer
    catch_up(sim, db)       # or what comes yet writes the status again
    db.execute("update billing.subscriptions set status = 'canceled' where tenant_id = %s", db.tenant_of(email))
    db.execute("select ops.put_override(%s, true, 'growth', null, 'a test', 'tests')", db.tenant_of(email))
    said = plan_of(browser)
    assert (said["plan"], said["paid"], said["canceled"]) == ("growth", False, True)


def test_c18_without_a_tenant_nothing_is_had(customer, db):
    browser, email = customer
    db.execute("delete from app.members where tenant_id = %s", db.tenant_of(email))
    assert plan_of(browser) == {"plan": None, "paid": False, "interval": None, "interval_count": None,
                                "canceled": False, "period_end": None}


def test_c18_of_the_users_own_tenants_only(customer, other, db):
    browser, email = customer
    mine = db.tenant_of(email)
    assert plan_of(browser, f"{API}?tenant={mine}")["plan"] == "starter"
    for tenant, status in (("00000000-0000-4000-8000-000000000000", 404), ("x", 404)):
        assert browser.get(f"{API}?tenant={tenant}").status == status
    assert other.get(API).status == 401
    assert browser.post(API, b"", Accept="application/json").status == 405
