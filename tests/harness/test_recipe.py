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


def steps(readme, title="A program"):
    """Of each fenced block in the section that names a file: (how, file, text)."""
    section = re.search(r"^### %s\n(.*?)^### " % title, readme, re.M | re.S)[1]
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


def test_the_recipes_page_compiles(tree):
    (how, name, text), = steps((ROOT / "lib/README.md").read_text(), "A page")
    assert (how, name) == ("c", "workers/account/notes.c")
    (tree / name).write_text(text)
    header = tree / "workers/account/account.h"
    before = header.read_text()
    header.write_text(before.replace("tenant_routes[]", "notes_routes[], tenant_routes[]"))
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}
    try:
        subprocess.run(["make", "-s", "-C", tree, "build/workers/account/notes.o"], check=True, env=env)
    finally:
        header.write_text(before)
        (tree / name).unlink()


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


def serving(tree, name, source):
    """Runs a program of this one file: its socket, and its file."""
    (tree / "workers" / name).mkdir()
    (tree / "workers" / name / "main.c").write_text(source)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BUILD")}
    subprocess.run(["make", "-s", "-C", tree, "WORKERS=" + name, "build/" + name], check=True, env=env)
    conf, sock = tree / (name + ".conf"), tree / (name + ".sock")
    conf.write_text('site: { url = "https://app.example.com"; pages = "%s"; };\n' % tree)
    program = subprocess.Popen([tree / "build" / name, "--config", conf, "--listen", sock])
    try:
        while not listens(sock):
            assert program.poll() is None
        yield str(sock), tree / "build" / name
    finally:
        program.terminate()
    assert program.wait(10) == 0


def listens(sock):
    """Between bind() and listen() the socket is there, and refuses."""
    try:
        fcgi.Connection(str(sock)).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def bare(tree):
    """A program that lists no resource."""
    yield from serving(tree, "bare", BARE)


def test_a_program_without_a_database_is_well(bare):
    answer = fcgi.call(bare[0], "GET", "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


def test_a_program_without_pages_answers_errors_as_json(bare):
    assert fcgi.call(bare[0], "GET", "/bare/17", HTTP_HOST="app.example.com").body == b"bare\n"
    answer = fcgi.call(bare[0], "GET", "/bare/x", HTTP_HOST="app.example.com", HTTP_ACCEPT="text/html")
    assert (answer.status, answer.body) == (404, b'{"error":"Not found","code":"not_found"}')


def test_a_program_without_resources_links_none_of_their_libraries(bare):
    needed = subprocess.run(["readelf", "-d", bare[1]], check=True, capture_output=True, text=True).stdout
    assert "libfcgi" in needed and not re.search("libpq|libcurl", needed)


TRIES = """#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"
#include "mem.h"
#include "visit.h"
#include "worker.h"

static const struct {
	const char	*name, *path;
	int		flags;
} tries[] = {
	{ "hosts", "/etc/hosts", O_RDONLY }, { "certificates", "/etc/ssl/openssl.cnf", O_RDONLY },
	{ "null", "/dev/null", O_WRONLY }, { "configuration", "TREE/tries.conf", O_RDONLY },
	{ "source", "TREE/README.md", O_RDONLY }, { "process", "/proc/self/environ", O_RDONLY },
	{ "directory", "TREE", O_RDONLY | O_DIRECTORY }, { "create", "TREE/made", O_WRONLY | O_CREAT },
	{ "truncate", "TREE/tries.conf", O_WRONLY | O_TRUNC }, { "temporary", "/tmp", O_TMPFILE | O_RDWR },
	{ "etc", "/etc/hosts", O_WRONLY | O_APPEND },
};

static int
run(const char *program)
{
	int	status = 0;
	pid_t	pid = fork();

	if (pid == 0) {
		execl(program, program, "--version", (char *)NULL);
		_exit(errno);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static enum err
attempt(struct visit *v)
{
	const char	*what = visit_param(v, "what"), *said = "unknown";

	if (strcmp(what, "run") == 0)
		said = strerrorname_np(run("/bin/true"));
	if (strcmp(what, "loader") == 0)
		said = strerrorname_np(run("/lib64/ld-linux-x86-64.so.2"));
	if (strcmp(what, "unlink") == 0)
		said = strerrorname_np(unlink("TREE/tries.conf") == 0 ? 0 : errno);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int	fd;

		if (strcmp(tries[i].name, what) != 0)
			continue;
		fd = open(tries[i].path, tries[i].flags, 0600);
		said = strerrorname_np(fd >= 0 ? 0 : errno);
		if (fd >= 0)
			close(fd);
	}
	http_body(v->r, 200, "text/plain", said, strlen(said));
	return OK;
}

static const struct route		attempt_routes[] = { PUBLIC("/try/:what(word)", attempt), { 0 } };
static const struct route *const	routes[] = { attempt_routes, NULL };
static const struct resource *const	resources[] = { NULL };

int
main(int argc, char **argv)
{
	return worker_main(&(struct worker){
		.name = "tries", .about = "Nothing.", .resources = resources, .routes = routes,
	}, argc, argv);
}
"""


@pytest.fixture(scope="module")
def tries(tree):
    """A running program that tries, once it serves, what one that is taken over would try."""
    yield from serving(tree, "tries", TRIES.replace("TREE", str(tree)))


@pytest.mark.parametrize("what, said", [
    ("hosts", "0"), ("certificates", "0"), ("null", "0"), ("configuration", "EACCES"), ("source", "EACCES"),
    ("process", "EACCES"), ("directory", "EACCES"), ("create", "EACCES"), ("truncate", "EACCES"),
    ("temporary", "EACCES"), ("etc", "EACCES"), ("unlink", "EACCES"), ("run", "EACCES"), ("loader", "EACCES")])
def test_a_program_that_serves_reads_and_writes_no_file_but_what_its_libraries_need(tries, what, said):
    assert fcgi.call(tries[0], "GET", "/try/" + what, HTTP_HOST="app.example.com").body.decode() == said
