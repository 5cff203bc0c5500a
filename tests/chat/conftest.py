import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import hook  # noqa: E402
from reference import Reference  # noqa: E402


@pytest.fixture(scope="session")
def clients():
    return hook.installed()


@pytest.fixture
def server():
    server = Reference()
    yield server
    server.close()


@pytest.fixture(params=hook.VERSIONS)
def page(request, clients, server):
    """Opens pages with the hook of one version."""
    opened = []

    def open_page(**options):
        opened.append(hook.Hook(clients, request.param, server.url, "one=1; two=a=b", **options))
        return opened[-1]
    yield open_page
    for each in opened:
        each.close()
