import json
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))


def run_stack(*argv):
    done = subprocess.run([TESTS / "stack", *map(str, argv)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def open_stack(server):
    state = run_stack("up", "--detach", "--server", server)
    yield state
    run_stack("down", "--dir", state["dir"])


@pytest.fixture(scope="session")
def nginx():
    yield from open_stack("nginx")


@pytest.fixture(scope="session")
def apache():
    yield from open_stack("apache")


@pytest.fixture(params=["nginx", "apache"])
def either(request):
    return request.getfixturevalue(request.param)
