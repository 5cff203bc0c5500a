"""tests/README.md explains every code that a test is named after, and no other."""
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


def numbered(letter, number):
    return letter.lower(), int(number)


def used(root):
    """The codes in names of tests: test_f69_..., test_f76_f78_..., and 'F69 ...' where SQL describes a test."""
    codes = set()
    for path in (*root.glob("*/*.py"), *root.glob("*/*.c"), *root.glob("*/*.sql")):
        text = path.read_text()
        if path.suffix == ".sql":
            codes |= {numbered(*code) for code in re.findall(r"'([CDFS])(\d+) ", text)}
        for name in re.findall(r"^(?:(?:async )?def )?test_((?:[cdfs]\d+_)+)\w*\(", text, re.M):
            codes |= {numbered(*code) for code in re.findall(r"([cdfs])(\d+)_", name)}
    return codes


def listed(root):
    return [numbered(*code) for code in re.findall(r"^- `([cdfs])(\d+)` \S", (root / "README.md").read_text(), re.M)]


def test_each_code_of_a_test_is_explained_and_each_explained_code_has_a_test():
    assert sorted(used(TESTS) ^ set(listed(TESTS))) == []


def test_the_list_is_sorted_and_names_a_code_once():
    assert listed(TESTS) == sorted(set(listed(TESTS)))


@pytest.mark.parametrize("name, text", [
    ("unit/test_a.c", "static void\ntest_f69_a(void **state)\n{\n}\n"),
    ("e2e/test_a.py", "def test_c01_f69_a(stack):\n    pass\n"),
    ("schema/test_a.sql", "select is(1, 1, 'F69 one is one');\n"),
])
def test_a_code_without_a_line_and_a_line_without_a_test_are_seen(tmp_path, name, text):
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(text)
    (tmp_path / "README.md").write_text("- `c01` One.\n- `d02` Two.\n")
    assert numbered("f", "69") in used(tmp_path) - set(listed(tmp_path))
    assert numbered("d", "02") in set(listed(tmp_path)) - used(tmp_path)
