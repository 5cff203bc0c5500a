import pytest

pytest.register_assert_rewrite("cuts", "mirror", "world")

import world as worlds  # noqa: E402


def pytest_report_header(config):
    return f"property: seed {worlds.SEED} (PROPERTY_SEED repeats it)"


def pytest_terminal_summary(terminalreporter):
    told = ", ".join(f"{number} {what}" for what, number in sorted(worlds.TALLY.items()))
    terminalreporter.write_line(f"property, seed {worlds.SEED}: {told}")


@pytest.fixture(scope="session")
def world():
    yield from worlds.open_world()
