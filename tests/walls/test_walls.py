"""The walls of the house stand, and each is seen to fall when it is broken in a copy of the tree."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import walls

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
WORKERS, SERVICES = (re.search(r"^%s\s*=(.*)" % name, (ROOT / "Makefile").read_text(), re.M)[1].split()
                     for name in ("WORKERS", "SERVICES"))
PROGRAMS = WORKERS + SERVICES


@pytest.fixture
def copy(tmp_path):
    for part in ("lib", "workers", "schema"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "Makefile", tmp_path)
    return tmp_path


def make(tree, target):
    return subprocess.run(["make", "--no-print-directory", target], cwd=tree, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})


def plant(tree, name, text):
    """Appends to a file that is there: a scan that looks where nothing is would pass for ever."""
    assert (tree / name).is_file()
    with (tree / name).open("a") as f:
        f.write(text)


SCANS = [
    (walls.jumps, "lib/app/visit.c", "static void f(void) {\nagain:\n\tgoto again;\n}\n"),
    (walls.jumps, "workers/signin/link.c", "static void f(void) {\nagain:\n\tgoto again;\n}\n"),
    (walls.hasty_comparisons, "lib/auth/session.c", "bool x = memcmp(a->bytes, b->bytes, SECRET_SIZE) == 0;\n"),
    (walls.wall_clocks, "lib/web/http.c", "static time_t f(void) { return time(NULL); }\n"),
    (walls.wall_clocks, "lib/db/pool.c", "int f(struct timespec *t) { return clock_gettime(CLOCK_REALTIME, t); }\n"),
    (walls.includes_by_path, "lib/web/http.c", '#include "../db/db.h"\n'),
    (walls.includes_by_path, "workers/webhooks/receive.c", '#include "../tollgate/schema.h"\n'),
    (walls.foreign_headers, "lib/web/http.c", "#include <libpq-fe.h>\n"),
    (walls.foreign_headers, "workers/billing/portal.c", "#include <curl/curl.h>\n"),
    (walls.foreign_headers, "lib/db/pool.c", "#  include <fcgiapp.h>\n"),
    (walls.foreign_headers, "lib/service/service.c", "#include <openssl/sha.h>\n"),
    (walls.foreign_headers, "lib/stripe/stripe.c", "#include <curl/curl.h>\n"),
    (walls.foreign_headers, "lib/app/pages.c", "#include <libconfig.h>\n"),
    (walls.foreign_headers, "lib/app/picture.c", "#include <pango/pangocairo.h>\n"),
    (walls.foreign_headers, "workers/signup/form.c", "#include <fontconfig/fontconfig.h>\n"),
    (walls.foreign_headers, "workers/tollgate/check.c", "#include <libconfig.h>\n"),
    (walls.foreign_headers, "workers/mailer/mailing.c", "#include <unicode/unum.h>\n"),
    (walls.freed_by_hand, "workers/billing/portal.c", "static void f(void *p) { talloc_free(p); }\n"),
    (walls.freed_by_hand, "workers/signin/main.c", "static void f(void *p) { talloc_free(p); }\n"),
    (walls.freed_by_hand, "lib/app/kind_user.c", "static void f(void *p) { talloc_free(p); }\n"),
    (walls.calls_around_the_macros, "workers/billing/portal.c", "int x = db_user_call(me, &doc, sql, NO_ARGS);\n"),
    (walls.rows_under_a_role, "schema/migrations/012_settle.sql",
     "set role tollgate_owner;\nupdate sync.objects set id = id;\n"),
    (walls.long_functions, "lib/app/page.c", "static void\nf(void)\n{\n%s}\n" % ("\t;\n" * 60)),
    (walls.long_functions, "workers/tollgate/schema.c", "static void\nf(void)\n{\n%s}\n" % ("\t;\n" * 60)),
    (walls.long_lines, "lib/app/page.c", "\t/*%s*/\n" % ("x" * 113)),
    (walls.long_lines, "workers/jobs/sync.c", "\t/*%s*/\n" % ("x" * 113)),
]


@pytest.mark.parametrize("scan", dict.fromkeys(s[0] for s in SCANS), ids=lambda s: s.__name__)
def test_the_tree_has_no(scan):
    assert scan(ROOT) == []


@pytest.mark.parametrize("scan, name, text", SCANS, ids=lambda s: getattr(s, "__name__", None))
def test_a_copy_is_caught_with(copy, scan, name, text):
    plant(copy, name, text)
    assert [found.split(":")[0] for found in scan(copy)] == [name]


def test_migrations_have_numbers_of_their_own():
    assert walls.migration_numbers(ROOT) == []


@pytest.mark.parametrize("name", ["021_second.sql", "009_late.sql", "22_short.sql"])
def test_a_migration_is_caught_whose_number(copy, name):
    (copy / "schema/migrations" / name).write_text("select 1;\n")
    assert [found.split(":")[0] for found in walls.migration_numbers(copy)] == ["schema/migrations/" + name]


def test_a_word_in_a_comment_or_a_string_is_no_jump(copy):
    plant(copy, "lib/app/visit.c", '/* no goto\n * here */ static const char s[] = "goto \\"x";\n')
    assert walls.jumps(copy) == []


def test_the_median_function_is_under_20_lines():
    assert walls.median_function(ROOT) < 20


def test_the_scans_see_every_program():
    programs = {path.relative_to(ROOT).parts[1] for path in walls.sources(ROOT) if path.name == "main.c"}
    assert programs == set(PROGRAMS)


# What each layer asks for and must not find: one header of every layer that is not below it.
UNSEEN = {
    "lib/base": "config.h https.h db.h http.h stripe.h session.h worker.h service.h",
    "lib/config": "https.h db.h http.h stripe.h session.h worker.h service.h",
    "lib/net": "config.h db.h http.h stripe.h session.h worker.h service.h",
    "lib/db": "config.h https.h http.h stripe.h session.h worker.h service.h",
    "lib/web": "config.h https.h db.h call.h stripe.h session.h worker.h service.h",
    "lib/stripe": "config.h db.h call.h http.h session.h worker.h service.h",
    "lib/auth": "config.h db.h call.h http.h stripe.h worker.h service.h",
    "lib/app": "call.h admin.h pool.h service.h",
    "lib/service": "http.h session.h worker.h admin.h pool.h",
    "workers/signin": "call.h admin.h pool.h service.h",
    "workers/authn": "call.h admin.h pool.h service.h",
    "workers/account": "call.h admin.h pool.h service.h",
    "workers/signup": "call.h admin.h pool.h service.h",
    "workers/billing": "call.h admin.h pool.h service.h",
    "workers/admin": "call.h admin.h pool.h service.h",
    "workers/usage": "call.h admin.h pool.h service.h",
    "workers/chat": "call.h admin.h pool.h service.h",
    "workers/og": "call.h admin.h pool.h service.h",
    "workers/webhooks": "call.h admin.h pool.h " + " ".join(sorted(p.name for p in ROOT.glob("workers/tollgate/*.h"))),
    "workers/jobs": "call.h admin.h pool.h operator.h schema.h mailer.h",
    "workers/mailer": "call.h admin.h pool.h operator.h schema.h jobs.h",
    "workers/tollgate": "call.h pool.h",
}


@pytest.mark.parametrize("place, header", [(place, h) for place, headers in UNSEEN.items() for h in headers.split()])
def test_a_layer_does_not_see(copy, place, header):
    assert (copy / place).is_dir() and [*ROOT.glob("lib/**/" + header), *ROOT.glob("workers/*/" + header)]
    (copy / place / "probe.c").write_text('#include "%s"\n' % header)
    done = make(copy, "build/%s/probe.o" % place)
    assert done.returncode != 0 and "%s: No such file" % header in done.stderr


@pytest.mark.parametrize("place", UNSEEN)
def test_each_layer_sees_what_is_below_it(copy, place):
    (copy / place / "probe.c").write_text('#include "err.h"\nextern int x;\n')
    done = make(copy, "build/%s/probe.o" % place)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("worker", PROGRAMS)
def test_service_h_is_seen_by_its_own_programs_only(copy, worker):
    plant(copy, "workers/%s/main.c" % worker, '\n#include "service.h"\nextern int x;\n')
    assert (make(copy, "build/workers/%s/main.o" % worker).returncode == 0) == (worker in SERVICES)


HANDLER = "USED enum err f(struct visit *v, struct db_visitor *me) { (void)v; (void)me; return OK; } "
ASK = "USED enum err f(struct %s *me, struct json_object **out) { return %s(me, out, %s, NO_ARGS); }"
CALL = ("USED enum err f(struct visit *v, struct json_object **out) { struct stripe *s; TRY(permit_take(v, &s)); "
        "return stripe_call(%s, v->q->mem, \"GET\", \"/v1/x\", NULL, NULL, out); }")
COMPILES = {    # what, the code, and what the compiler says against it
    "a call with a literal": (ASK % ("db_user", "db_user", '"api.billing_page()"'), None),
    "a call with SQL from elsewhere": (ASK % ("db_user", "db_user", "getenv(\"SQL\")"), "expected ‘)’ before"),
    "a user where a service is wanted": (ASK % ("db_user", "db_service", '"service.x()"'),
                                         "incompatible-pointer-types"),
    "a visitor where a user is wanted": (ASK % ("db_visitor", "db_user", '"api.x()"'), "incompatible-pointer-types"),
    "an error that nobody looks at": (
        'USED void f(struct db_user *me, struct json_object **out) { db_user(me, out, "api.x()", NO_ARGS); }',
        "unused-result"),
    "a call to Stripe with a permit": (CALL % "s", None),
    "a call to Stripe without a permit": (CALL % "v->app->permits", "incompatible-pointer-types"),
    "a call by what the permits know": (CALL % "permits_stripe(v->app->permits)", "discarded-qualifiers"),
    "a visitor's handler in a visitor's row": (HANDLER + 'USED struct route r = VISITOR("GET", "/", f);', None),
    "a visitor's handler in a user's row": (HANDLER + 'USED struct route r = USER("GET", "/", f);',
                                            "incompatible-pointer-types"),
    "a visitor's handler in an API row": (HANDLER + 'USED struct route r = API("POST", "/", f);',
                                          "incompatible-pointer-types"),
    "a visitor's handler in a row without identity": (HANDLER + 'USED struct route r = PUBLIC("/", f);',
                                                      "incompatible-pointer-types"),
}


@pytest.mark.parametrize("what", COMPILES)
def test_types_decide_on(copy, what):
    code, against = COMPILES[what]
    (copy / "workers/webhooks/probe.c").write_text(
        "#include <stdlib.h>\n#include \"permit.h\"\n#include \"service.h\"\n#include \"worker.h\"\n"
        "#define USED static __attribute__((used))\n%s\n" % code)
    done = make(copy, "build/workers/webhooks/probe.o")
    assert against in done.stderr if against else done.returncode == 0, done.stderr
    assert (done.returncode == 0) == (against is None)


@pytest.mark.parametrize("worker", WORKERS)
def test_no_service_symbol_is_in(worker):
    assert walls.service_symbols(BUILD, worker) == []


def copy_build(copy):
    shutil.copytree(BUILD, copy / "build", ignore=lambda d, names: [
        n for n in names if d == str(BUILD) and n not in ("lib", "workers", "flags") and not n.endswith(".a")])


def test_a_worker_that_was_linked_with_the_service_layer_is_caught(copy):
    copy_build(copy)
    makefile = copy / "Makefile"
    makefile.write_text(makefile.read_text().replace("SERVICES = webhooks", "SERVICES = billing webhooks")
                        .replace("signup billing\n", "signup\n"))
    plant(copy, "workers/billing/portal.c", '\n#include "service.h"\nstruct db_service *f(void);\n'
          "struct db_service *f(void) { return db_as_service(NULL, NULL); }\n")
    done = make(copy, "build/billing")
    assert done.returncode == 0, done.stderr
    assert "db_as_service" in walls.service_symbols(copy / "build", "billing")


# The libraries of resources that a program does not list, by the prefix of their functions.
UNLINKED = [(program, "curl_") for program in ("signin", "account", "admin", "usage", "webhooks")] + [
    (program, "FCGX_") for program in ("jobs", "mailer", "tollgate")] + [
    (program, prefix) for program in sorted({*PROGRAMS} - {"account", "admin", "authn", "billing", "chat", "mailer",
                                                           "signup"})
    for prefix in ("unum_", "udat_")]


@pytest.mark.parametrize("prefix", ["argon2", "Zxcvbn", "unorm2_"])
def test_only_signin_stretches_and_judges_passwords(prefix):
    assert [p for p in sorted(PROGRAMS) if walls.library_symbols(BUILD, p, prefix)] == ["signin"]


@pytest.mark.parametrize("prefix", ["PQ", "curl_"])
def test_og_has_neither_a_database_nor_a_network(prefix):
    assert walls.library_symbols(BUILD, "og", prefix) == []
    assert walls.library_symbols(BUILD, "billing", prefix) != []


@pytest.mark.parametrize("program", sorted(set(PROGRAMS) - {"og"}))
def test_only_og_draws(program):
    drawing = ("cairo_", "pango_", "Fc", "png_", "g_")
    assert [name for prefix in drawing for name in walls.library_symbols(BUILD, program, prefix)] == []
    assert all(walls.library_symbols(BUILD, "og", prefix) for prefix in drawing)


@pytest.mark.parametrize("program, prefix", UNLINKED)
def test_a_program_links_no_library_that_it_does_not_use(program, prefix):
    assert walls.library_symbols(BUILD, program, prefix) == []
    assert walls.library_symbols(BUILD, "billing", prefix) != []


def test_f68_the_currencies_that_are_stored_are_those_that_are_said():
    stored, said = (re.findall(r"\b[a-z]{3}\b", (ROOT / name).read_text().split(before)[1].split(after)[0])
                    for name, before, after in (("schema/functions/billing/faults.sql", "any ('{", "}'"),
                                                ("lib/base/currency.c", "currencies[] = {", "};")))
    assert len(said) == len(set(said)) > 150 and sorted(said) == sorted(stored)


def test_s11_the_mailer_has_no_code_that_speaks_to_stripe():
    def of_stripe(program):
        return sorted(walls.symbols(BUILD / "stripe.a", "--defined-only", "--extern-only")
                      & walls.symbols(BUILD / program, "--extern-only"))
    assert of_stripe("mailer") == [] and of_stripe("jobs") != []


def test_s11_jobs_has_no_code_that_reads_or_sends_mail():
    assert {"outbox_claim", "smtp_send"} & walls.symbols(BUILD / "jobs") == set()
    assert {"outbox_claim", "smtp_send"} <= walls.symbols(BUILD / "mailer")


def test_a_resource_that_a_program_lists_is_linked_and_seen(copy):
    copy_build(copy)
    main = copy / "workers/account/main.c"
    assert "&resource_database, " in main.read_text()
    main.write_text(main.read_text().replace("&resource_database, ", "&resource_database, &resource_stripe, "))
    done = make(copy, "build/account")
    assert done.returncode == 0, done.stderr
    assert walls.library_symbols(copy / "build", "account", "curl_") != []


def test_there_are_no_globals_but_the_logs():
    assert walls.writable_globals(BUILD) == []
    assert set(walls.writable_globals(BUILD, known=())) == walls.GLOBALS


def test_a_global_is_caught(copy):
    plant(copy, "lib/base/err.c", "int err_count_so_far;\n"
          "static int last = 1; int *err_last(void); int *err_last(void) { return &last; }\n")
    assert make(copy, "build/lib/base/err.o").returncode == 0
    assert walls.writable_globals(copy / "build") == ["lib/base/err.o: err_count_so_far", "lib/base/err.o: last"]
