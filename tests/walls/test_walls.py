"""The walls of the house stand, and each is seen to fall when it is broken in a copy of the tree."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import walls

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")


@pytest.fixture
def copy(tmp_path):
    for part in ("lib", "workers", "schema"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def make(tree, target):
    return subprocess.run(["make", "--no-print-directory", target], cwd=tree, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})


SCANS = [
    (walls.jumps, "lib/app/visit.c", "static void f(void) {\nagain:\n\tgoto again;\n}\n"),
    (walls.includes_by_path, "lib/web/http.c", '#include "../db/db.h"\n'),
    (walls.foreign_headers, "lib/web/http.c", "#include <libpq-fe.h>\n"),
    (walls.foreign_headers, "workers/billing.c", "#include <curl/curl.h>\n"),
    (walls.foreign_headers, "lib/db/pool.c", "#  include <fcgiapp.h>\n"),
    (walls.foreign_headers, "lib/service/service.c", "#include <openssl/sha.h>\n"),
    (walls.freed_by_hand, "workers/billing.c", "static void f(void *p) { talloc_free(p); }\n"),
    (walls.calls_around_the_macros, "workers/billing.c", "int x = db_user_call(me, &doc, sql, NO_ARGS);\n"),
    (walls.rows_under_a_role, "schema/migrations/012_settle.sql", "set role tollgate_owner;\nupdate sync.objects set id = id;\n"),
    (walls.long_functions, "lib/app/page.c", "static void\nf(void)\n{\n%s}\n" % ("\t;\n" * 60)),
    (walls.long_lines, "lib/app/page.c", "\t/*%s*/\n" % ("x" * 113)),
]


@pytest.mark.parametrize("scan", dict.fromkeys(s[0] for s in SCANS), ids=lambda s: s.__name__)
def test_the_tree_has_no(scan):
    assert scan(ROOT) == []


@pytest.mark.parametrize("scan, name, text", SCANS, ids=lambda s: getattr(s, "__name__", None))
def test_a_copy_is_caught_with(copy, scan, name, text):
    with (copy / name).open("a") as f:
        f.write(text)
    assert [found.split(":")[0] for found in scan(copy)] == [name]


def test_a_word_in_a_comment_or_a_string_is_no_jump(copy):
    with (copy / "lib/app/visit.c").open("a") as f:
        f.write('/* no goto\n * here */ static const char s[] = "goto \\"x";\n')
    assert walls.jumps(copy) == []


def test_the_median_function_is_under_20_lines():
    assert walls.median_function(ROOT) < 20


# What each layer asks for and must not find: one header of every layer that is not below it.
UNSEEN = [
    ("lib/base", ["db.h", "http.h", "stripe.h", "session.h", "worker.h", "service.h"]),
    ("lib/db", ["http.h", "stripe.h", "session.h", "worker.h", "service.h"]),
    ("lib/web", ["db.h", "call.h", "stripe.h", "session.h", "worker.h", "service.h"]),
    ("lib/stripe", ["db.h", "call.h", "http.h", "session.h", "worker.h", "service.h"]),
    ("lib/auth", ["db.h", "call.h", "http.h", "stripe.h", "worker.h", "service.h"]),
    ("lib/app", ["call.h", "service.h"]),
    ("lib/service", ["http.h", "session.h", "worker.h"]),
    ("workers", ["call.h"]),
]


@pytest.mark.parametrize("place, header", [(place, h) for place, headers in UNSEEN for h in headers])
def test_a_layer_does_not_see(copy, place, header):
    (copy / place / "probe.c").write_text('#include "%s"\n' % header)
    done = make(copy, "build/%s/probe.o" % place)
    assert done.returncode != 0 and "%s: No such file" % header in done.stderr


@pytest.mark.parametrize("worker, seen", [("signup", False), ("account", False), ("billing", False),
                                          ("webhooks", True), ("jobs", True), ("tollgate", True)])
def test_service_h_is_seen_by_its_own_workers_only(copy, worker, seen):
    (copy / "workers" / (worker + ".c")).write_text('#include "service.h"\nextern int x;\n')
    assert (make(copy, "build/workers/%s.o" % worker).returncode == 0) == seen


HANDLER = "USED enum err f(struct visit *v, struct db_visitor *me) { (void)v; (void)me; return OK; } "
ASK = "USED enum err f(struct %s *me, struct json_object **out) { return %s(me, out, %s, NO_ARGS); }"
COMPILES = {    # what, the code, and what the compiler says against it
    "a call with a literal": (ASK % ("db_user", "db_user", '"api.billing_page()"'), None),
    "a call with SQL from elsewhere": (ASK % ("db_user", "db_user", "getenv(\"SQL\")"), "expected ‘)’ before"),
    "a user where a service is wanted": (ASK % ("db_user", "db_service", '"service.x()"'), "incompatible-pointer-types"),
    "a visitor where a user is wanted": (ASK % ("db_visitor", "db_user", '"api.x()"'), "incompatible-pointer-types"),
    "an error that nobody looks at": (
        'USED void f(struct db_user *me, struct json_object **out) { db_user(me, out, "api.x()", NO_ARGS); }',
        "unused-result"),
    "a visitor's handler in a visitor's row": (HANDLER + 'USED struct route r = VISITOR("GET", "/", f);', None),
    "a visitor's handler in a user's row": (HANDLER + 'USED struct route r = USER("GET", "/", f);',
                                            "incompatible-pointer-types"),
}


@pytest.mark.parametrize("what", COMPILES)
def test_types_decide_on(copy, what):
    code, against = COMPILES[what]
    (copy / "workers/webhooks.c").write_text(
        "#include <stdlib.h>\n#include \"service.h\"\n#include \"worker.h\"\n"
        "#define USED static __attribute__((used))\n%s\n" % code)
    done = make(copy, "build/workers/webhooks.o")
    assert against in done.stderr if against else done.returncode == 0, done.stderr
    assert (done.returncode == 0) == (against is None)


@pytest.mark.parametrize("worker", ["signup", "account", "billing"])
def test_no_service_symbol_is_in(worker):
    assert walls.service_symbols(BUILD, worker) == []


def test_a_worker_that_was_linked_with_the_service_layer_is_caught(copy):
    shutil.copytree(BUILD, copy / "build", ignore=lambda d, names: [
        n for n in names if d == str(BUILD) and n not in ("lib", "workers", "flags") and not n.endswith(".a")])
    makefile = copy / "Makefile"
    makefile.write_text(makefile.read_text().replace("SERVICES = webhooks", "SERVICES = billing webhooks")
                        .replace("WORKERS	= signup account billing", "WORKERS	= signup account"))
    with (copy / "workers/billing.c").open("a") as f:
        f.write('\n#include "service.h"\nstruct db_service *f(void);\nstruct db_service *f(void) '
                "{ return db_as_service(NULL, NULL); }\n")
    done = make(copy, "build/billing")
    assert done.returncode == 0, done.stderr
    assert "db_as_service" in walls.service_symbols(copy / "build", "billing")


def test_there_are_no_globals_but_the_logs():
    assert walls.writable_globals(BUILD) == []


def test_a_global_is_caught(copy):
    with (copy / "lib/base/err.c").open("a") as f:
        f.write("int err_count_so_far;\nstatic int last = 1; int *err_last(void); int *err_last(void) { return &last; }\n")
    assert make(copy, "build/lib/base/err.o").returncode == 0
    assert walls.writable_globals(copy / "build") == ["lib/base/err.o: err_count_so_far", "lib/base/err.o: last"]
