"""One simulator process for all tests, reset for each."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from simclient import KEY, SECRET, Catcher, Sim

PROGRAM = Path(__file__).resolve().parent / "simulator"


@pytest.fixture(scope="session")
def process():
    hooks = Catcher()
    env = {"PATH": os.environ["PATH"], "SIM_KEY": KEY, "SIM_WEBHOOK_SECRET": SECRET}
    child = subprocess.Popen([str(PROGRAM), "--port", "0", "--site", "http://localhost", "--webhook",
                              hooks.url, "--portal"], stdout=subprocess.PIPE, text=True, env=env)
    ready = json.loads(child.stdout.readline())
    yield Sim(ready["url"], hooks)
    child.terminate()
    assert child.wait(5) == 0
    child.stdout.close()
    hooks.shutdown()


@pytest.fixture
def sim(process):
    """The simulator as new, with no webhook of the test before still on its way."""
    process.hooks.statuses.clear()
    process.control("mode", {"reset": True})
    process.quiet()
    process.control("reset", {})
    process.hooks.caught.clear()
    return process
