"""What the compiler cannot see of the house's rules: each function finds what breaks one, in the tree at root."""
import re
import statistics
import subprocess
from collections import Counter

# Which layers may include a library's headers. json-c is vocabulary and may be used everywhere.
FOREIGN = {
    "fcgi": {"web"},
    "libpq": {"db"},
    "curl/": {"net"},
    "libconfig": {"config"},
    "openssl/": {"base", "auth"},
    "talloc": {"base"},
    "unicode/": {"app", "auth"},
    "argon2": {"auth"},
    "zxcvbn": {"auth"},
    "qrencode": {"app"},
    "cairo": {"og"},
    "pango/": {"og"},
    "fontconfig/": {"og"},
    "png": {"og"},
    "glib": {"og"},
}
# Programs that answer requests, and the files of lib/app that every request goes through. What cairo and pango make is
# freed by hand, so og is not among them.
REQUEST_PROGRAMS = ("signin", "authn", "account", "signup", "billing", "admin", "usage", "chat", "webhooks")
REQUEST_NOUNS = ("answer", "check", "checkout", "device", "dispatch", "entrance", "identity", "kind_api", "kind_key",
                 "kind_public", "kind_raw", "kind_secret", "kind_user", "kind_visitor", "page", "picture", "route",
                 "target", "tenant", "visit")
# What a process has one of, all for its log: its name and level, the request a thread is at, counts of broken peers and
# of lines that could not be written.
GLOBALS = {"lib/base/log.o: held", "lib/base/log.o: is_journal", "lib/base/log.o: least_level", "lib/base/log.o: lost",
           "lib/base/log.o: program_name", "lib/base/log.o: request_id", "lib/web/connection.o: total",
           "lib/web/request.o: told"}


def sources(root):
    return sorted([*root.glob("lib/**/*.[ch]"), *root.glob("workers/*/*.[ch]")])


def blank(text):
    """The code without comments, strings and character constants; the lines stay where they are."""
    def empty(match):
        return "\n" * match[0].count("\n") if match[0].startswith("/") else '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', empty, text, flags=re.S)


def lines(root, pattern, files=None, code=True):
    found = []
    for path in files or sources(root):
        text = path.read_text()
        for number, line in enumerate((blank(text) if code else text).splitlines(), 1):
            if re.search(pattern, line):
                found.append("%s:%d: %s" % (path.relative_to(root), number, line.strip()))
    return found


def jumps(root):
    return lines(root, r"\bgoto\b")


def wall_clocks(root):
    """A read of the wall clock, which may step: only what the log, a mail's date and the age of a signature or of a
    challenge are about."""
    known = ("lib/auth/challenge.c", "lib/base/log.c", "workers/mailer/mailing.c", "workers/webhooks/receive.c")
    files = [path for path in sources(root) if str(path.relative_to(root)) not in known]
    return lines(root, r"\b(CLOCK_REALTIME|gettimeofday|timespec_get|time\s*\(\s*(NULL|&))", files)


def hasty_comparisons(root):
    """A secret that is compared byte by byte until one differs: the time tells how many were right."""
    return lines(root, r"(?<!\w)(?:mem|b|str|strn)cmp\s*\([^;]*\bbytes\b")


def includes_by_path(root):
    """An include that walks around the include path; a layer's own private/ is next to the file."""
    return lines(root, r'#\s*include\s*"(?!private/\w+\.h")[^"]*/', code=False)


def foreign_headers(root):
    found = []
    for name, layers in FOREIGN.items():
        elsewhere = [p for p in sources(root) if p.relative_to(root).parts[1] not in layers]
        found += lines(root, r"#\s*include\s*[<\"]%s" % name, elsewhere, code=False)
    return found


def freed_by_hand(root):
    files = [root / "lib/app" / (noun + ".c") for noun in REQUEST_NOUNS]
    for program in REQUEST_PROGRAMS:
        files += [root / "workers" / program / "main.c", *(root / "workers" / program).glob("*.c")]
    return lines(root, r"\b\w*free\w*\s*\(", sorted(set(files)))


def calls_around_the_macros(root):
    """SQL that is not a literal: the functions behind db_user() and its sisters, called directly."""
    files = [p for p in sources(root) if p.suffix == ".c" and p.relative_to(root).parts[1] not in ("db", "service")]
    return lines(root, r"\bdb_\w+_call\s*\(", files)


def rows_under_a_role(root):
    """A migration that reads or writes rows of an older table under a role that row-level security binds."""
    found = []
    mended = {"010_operating.sql"}      # by 020: what has been applied somewhere stays as it is
    for path in sorted((root / "schema/migrations").glob("*.sql")):
        text = "" if path.name in mended else re.sub(r"--[^\n]*", "", path.read_text())
        made = set(re.findall(r"create table (\S+)", text))
        for role, part in re.findall(r"set role (\w+);(.*?)(?=\bset role|\breset role|\Z)", text, re.S):
            found += ["%s: %s under %s" % (path.relative_to(root), table, role) for table in re.findall(
                r"(?m)^(?:insert into|update|delete from|select .*? from)\s+(\S+)", part) if table not in made]
    return found


def migration_numbers(root):
    """A migration without a number of its own, or with one below 021 that was not there: databases have applied later
    ones. Two of the applied ones are 008."""
    found, seen = [], Counter()
    for path in sorted((root / "schema/migrations").iterdir()):
        number = re.fullmatch(r"(\d{3})_[a-z_]+\.sql", path.name)
        n = int(number[1]) if number else 0
        seen[n] += 1
        if n in (0, 6, 9) or seen[n] > (2 if n == 8 else 1):
            found.append("%s: %s" % (path.relative_to(root),
                                     "not a number of its own" if number else "no NNN_name.sql"))
    return found


def functions(root):
    """Lines of each function: from the brace in the first column to its end."""
    sizes = {}
    for path in sources(root):
        start = None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                sizes["%s:%d" % (path.relative_to(root), start)] = number - start + 1
                start = None
    return sizes


def long_functions(root, screen=60):
    return ["%s: %d lines" % (where, n) for where, n in functions(root).items() if n > screen]


def median_function(root):
    return statistics.median(functions(root).values())


def symbols(path, *options):
    out = subprocess.run(["nm", *options, path], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1] for line in out.splitlines() if len(line.split()) >= 2}


def library_symbols(build, program, prefix):
    """The functions of a library that a program calls, by the prefix of their names."""
    return sorted(name for name in symbols(build / program, "-D", "--undefined-only") if name.startswith(prefix))


def service_symbols(build, worker):
    """What only webhooks, jobs, mailer and the operator may do, found in a worker."""
    return sorted(symbols(build / "service.a", "--defined-only", "--extern-only") & symbols(build / worker))


def writable_globals(build, known=GLOBALS):
    found = []
    for path in sorted([*build.glob("lib/*/*.o"), *build.glob("workers/*/*.o")]):
        out = subprocess.run(["nm", "--format=sysv", path], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) == 7 and re.fullmatch(r"\.t?(data|bss)(\.rel|\.rel\.local)?", cells[6]) \
                    and cells[3] in ("OBJECT", "TLS"):
                found.append("%s: %s" % (path.relative_to(build), cells[0].split(".")[0]))
    return [name for name in found if name not in known]


def long_lines(root, columns=120, frozen=20):
    """Lines of C, SQL and Python that are wider than columns; a tab counts 4. Skips migrations up to number frozen,
    which have been applied and may not change, dumps of earlier databases, and the inputs of the fuzzers."""
    found = []
    paths = {path for part in ("lib", "workers", "schema", "tests") for path in (root / part).glob("**/*")}
    kept = {path for place in ("fuzz/corpus", "db/upgrade") for path in root.glob("tests/%s/**/*" % place)}
    for path in sorted(paths - kept):
        if not path.is_file() or path.suffix not in (".c", ".h", ".sql", ".py", ""):
            continue
        if path.parent.name == "migrations" and int(path.name.partition("_")[0]) <= frozen:
            continue
        text = path.read_text()
        if path.suffix or text.startswith("#!/usr/bin/python3"):
            found += ["%s:%d: %d columns" % (path.relative_to(root), number, len(line.expandtabs(4)))
                      for number, line in enumerate(text.splitlines(), 1) if len(line.expandtabs(4)) > columns]
    return found
