import time

import pytest

pytest.register_assert_rewrite("cuts", "mirror", "world")

import world as worlds  # noqa: E402


def pytest_report_header(config):
    return f"property: seed {worlds.SEED} (PROPERTY_SEED repeats it)"


def pytest_terminal_summary(terminalreporter):
    told = ", ".join(f"{number} {what}" for what, number in sorted(worlds.TALLY.items()))
    terminalreporter.write_line(f"property, seed {worlds.SEED}: {told}")


@pytest.fixture
def progress(request):
    """A function that goes through range(n), and tells the terminal twenty times how far a long run is."""
    capture, begun = request.config.pluginmanager.getplugin("capturemanager"), time.monotonic()

    def steps(n):
        for done in range(n):
            yield done
            if n >= 50 and (done + 1) * 20 // n > done * 20 // n:
                with capture.global_and_fixture_disabled():
                    print(f"\n{request.node.name}: {done + 1} of {n}, {time.monotonic() - begun:.0f} s", end="",
                          flush=True)
    return steps


@pytest.fixture(scope="session")
def world():
    yield from worlds.open_world()
