"""The recipe for a new program in lib/README.md, made word for word in a copy of the tree: the program answers."""
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
import requests
from conftest import TESTS

ROOT = TESTS.parent
sys.path.insert(0, str(TESTS / "e2e"))
import fcgi  # noqa: E402


def steps(readme):
    """Of each fenced block in the section that names a file: (how, file, text)."""
    section = re.search(r"^### A program\n(.*?)^### ", readme, re.M | re.S)[1]
    blocks = re.findall(r"^( *)```(c|diff) (\S+)\n(.*?)^ *```$", section, re.M | re.S)
    return [(how, name, textwrap.dedent(re.sub("(?m)^%s" % indent, "", text))) for indent, how, name, text in blocks]


def patched(text, diff):
    """The lines of a diff without positions: those without + are there once, together, and become those without -."""
    lines = [(line[0], line[1:]) for line in diff.splitlines()]
    before = "".join(line + "\n" for sign, line in lines if sign != "+")
    after = "".join(line + "\n" for sign, line in lines if sign != "-")
    assert text.count(before) == 1, before
    return text.replace(before, after)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("recipe") / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", "asan", "check", "fuzz", "packaged", "corpus",
                                                              ".hypothesis", "__pycache__"))
    for how, name, text in steps((tree / "lib/README.md").read_text()):
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text if how == "c" else patched(path.read_text(), text))
    return tree


def test_the_recipe_touches_what_it_says():
    assert [name for _, name, _ in steps((ROOT / "lib/README.md").read_text())] == [
        "workers/hello/main.c", "Makefile", "schema/roles.sql", "schema/policies/10_execute.sql", "conf/nginx.conf",
        "conf/apache.conf", "conf/systemd/tollgate.target"]


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_a_program_made_by_the_recipe_answers(tree, server):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}
    up = subprocess.run([tree / "tests/stack", "up", "--detach", "--server", server], capture_output=True, text=True,
                        env=env)
    assert up.returncode == 0, up.stderr
    stack = json.loads(up.stdout)
    try:
        answer = requests.get(stack["url"] + "/api/hello", timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"signed_in": False})
        assert requests.get(stack["url"] + "/signup", timeout=10).status_code == 200
        if server == "nginx":
            assert fcgi.call(stack["sockets"]["hello"], "GET", "/healthz").status == 200
    finally:
        subprocess.run([tree / "tests/stack", "down", "--dir", stack["dir"]], check=True, env=env)


BARE = """#include "http.h"
#include "visit.h"
#include "worker.h"

static enum err
bare(struct visit *v)
{
	http_body(v->r, 200, "text/plain", "bare\\n", 5);
	return OK;
}

static const struct route		bare_routes[] = { PUBLIC("/bare/:n(number)", bare), { 0 } };
static const struct route *const	routes[] = { bare_routes, NULL };
static const struct resource *const	resources[] = { NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "bare", .about = "Nothing.", .resources = resources, .routes = routes,
	}, argc, argv);
}
"""


@pytest.fixture(scope="module")
def bare(tree):
    """A running program that lists no resource: its socket and its file."""
    (tree / "workers/bare").mkdir()
    (tree / "workers/bare/main.c").write_text(BARE)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}
    subprocess.run(["make", "-s", "-C", tree, "WORKERS=bare", "build/bare"], check=True, env=env)
    conf, sock = tree / "bare.conf", tree / "bare.sock"
    conf.write_text('site: { url = "https://app.example.com"; pages = "%s"; };\n' % tree)
    program = subprocess.Popen([tree / "build/bare", "--config", conf, "--listen", sock])
    while not sock.exists():
        assert program.poll() is None
    yield str(sock), tree / "build/bare"
    program.terminate()
    assert program.wait(10) == 0


def test_a_program_without_a_database_is_well(bare):
    answer = fcgi.call(bare[0], "GET", "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_a_program_without_pages_answers_errors_as_json(bare):
    assert fcgi.call(bare[0], "GET", "/bare/17", HTTP_HOST="app.example.com").body == b"bare\n"
    answer = fcgi.call(bare[0], "GET", "/bare/x", HTTP_HOST="app.example.com", HTTP_ACCEPT="text/html")
    assert (answer.status, answer.body) == (404, b'{"error":"Not found"}')


def test_a_program_without_resources_links_none_of_their_libraries(bare):
    needed = subprocess.run(["readelf", "-d", bare[1]], check=True, capture_output=True, text=True).stdout
    assert "libfcgi" in needed and not re.search("libpq|libcurl", needed)
