import pytest
import world as worlds


def pytest_report_header(config):
    return f"property: seed {worlds.SEED} (PROPERTY_SEED repeats it)"


@pytest.fixture(scope="session")
def world():
    yield from worlds.open_world()


def pytest_terminal_summary(terminalreporter):
    told = ", ".join(f"{number} {what}" for what, number in sorted(worlds.TALLY.items()))
    terminalreporter.write_line(f"property, seed {worlds.SEED}: {told}")
