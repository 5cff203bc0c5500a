"""The example configuration works over TLS as it is, and `make install` puts files where Debian's conventions say."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from harness.system import APART, WORKERS, fill  # noqa: E402


def production(name, **changed):
    """The file as it is, but for the marked lines that are named."""
    text = (ROOT / "conf" / name).read_text()
    return fill(text, {**dict.fromkeys(re.findall(r"^\s*#@ (\w+)$", text, re.M)), **changed})


def test_nginx_takes_it_with_tls(certificate, tmp_path):
    kinds = ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
    (tmp_path / "nginx.conf").write_text(production(
        "nginx.conf", pid="pid %s/pid;" % tmp_path, error_log="error_log %s/error.log warn;" % tmp_path,
        error_log_quiet="error_log %s/error.log alert;" % tmp_path,
        access_log="access_log %s/access.log private;" % tmp_path,
        temp_paths="".join("%s_temp_path %s/%s;" % (kind, tmp_path, kind) for kind in kinds),
        cache_path="fastcgi_cache_path %s/cache keys_zone=images:1m;" % tmp_path,
        listen_plain="listen 127.0.0.1:8080 default_server;", listen="listen 127.0.0.1:8443 ssl http2;",
        listen_plain_v6="", listen_v6="",
        certificate="ssl_certificate %s/cert.pem;" % certificate,
        certificate_key="ssl_certificate_key %s/key.pem;" % certificate))
    done = subprocess.run(["/usr/sbin/nginx", "-t", "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nginx_listens_on_both_families_and_marks_every_line_with_the_sites_name():
    lines = (ROOT / "conf/nginx.conf").read_text().splitlines()
    assert [line.split()[1] for line in lines if line.split()[:1] == ["listen"]] == ["80", "[::]:80", "443", "[::]:443"]
    marked = [before.strip().startswith("#@") for before, line in zip(lines, lines[1:]) if "app.example.com" in line]
    assert marked == [True] * 4


def test_apache_takes_it_with_tls(certificate, tmp_path):
    (tmp_path / "apache.conf").write_text(production(
        "apache.conf", run='Define RUN "%s"' % tmp_path, log='Define LOG "%s"' % tmp_path,
        certificate="SSLCertificateFile %s/cert.pem" % certificate,
        certificate_key="SSLCertificateKeyFile %s/key.pem" % certificate))
    done = subprocess.run(["/usr/sbin/apache2", "-t", "-f", tmp_path / "apache.conf"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_systemd_takes_the_units(installed, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not on this machine")
    units = tmp_path / "units"
    shutil.copytree(installed / "usr/lib/systemd/system", units)
    for unit in (path for path in units.rglob("*") if path.is_file()):
        unit.write_text(unit.read_text().replace("/usr/lib/tollgate/", "%s/usr/lib/tollgate/" % installed))
    for name in WORKERS:
        for kind in ("socket", "service"):
            shutil.copy(units / ("tollgate@.%s" % kind), units / ("tollgate@%s.%s" % (name, kind)))
    names = ["tollgate.target", "tollgate-jobs.service", "tollgate-mailer.service", "tollgate@signup.service",
             "tollgate@webhooks.socket"]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(units / n for n in names)],
                          capture_output=True, text=True)
    assert "tollgate" not in done.stderr and done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", ["tollgate@", "tollgate-jobs", "tollgate-mailer"])
def test_s19_a_unit_lets_its_program_confine_itself(unit):
    """systemd ends a program at a call that is not listed, and Debian 12's @system-service lacks Landlock's."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not on this machine")
    lines = re.findall(r"^SystemCallFilter=(.*)$", (ROOT / "conf/systemd" / (unit + ".service")).read_text(), re.M)
    allowed, denied = lines
    assert denied.startswith("~")

    def expanded(names):
        calls = set()
        for name in names.split():
            if not name.startswith("@"):
                calls.add(name)
                continue
            shown = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True,
                                   check=True)
            calls |= expanded(" ".join(line.strip() for line in shown.stdout.splitlines()[1:]
                                       if line.strip() and not line.strip().startswith("#")))
        return calls

    left = expanded(allowed) - expanded(denied[1:])
    source = (ROOT / "lib/base/confine.c").read_text()
    wanted = {"memfd_create", "getrandom", "accept4", "prctl", "openat", *re.findall(r"SYS_(landlock_\w+)", source)}
    assert len([name for name in wanted if name.startswith("landlock_")]) == 3
    assert wanted <= left, wanted - left


ENVIRONMENT = {"TOLLGATE_STRIPE_KEY": "sk_test_1", "TOLLGATE_STRIPE_WEBHOOK_SECRET": "whsec_" + "0" * 40,
               "TOLLGATE_MAIL_PASSWORD": "secret"}
REFUSED = "%s:4: database.conninfo %s"


@pytest.mark.parametrize("argv", [*([name, "--check"] for name in (*WORKERS, "jobs", "mailer") if name not in APART),
                                  ["tollgate", "check"], ["tollgate", "migrate"], ["tollgate", "status"]], ids=" ".join)
@pytest.mark.parametrize("conninfo, mode, more, why", [
    ("host=/nowhere password=p", 0o644, {}, "holds a password, and others may read this file"),
    ("host=/nowhere password=p", 0o640, {}, "holds a password, and others may read this file"),
    ("host=192.0.2.1 sslmode=prefer", 0o600, {}, "leads to another machine (192.0.2.1)"),
    ("dbname=x", 0o600, {"PGHOST": "192.0.2.1"}, "leads to another machine (192.0.2.1)")])
def test_s16_every_program_refuses_an_unsafe_way_to_the_database(tmp_path, argv, conninfo, mode, more, why):
    conf = tmp_path / "tollgate.conf"
    text = production("tollgate.conf", environment='environment = "preview";', conninfo='conninfo = "%s";' % conninfo,
                      pages='pages = "%s/workers/pages";' % ROOT, key_file="", webhook_secret_files="",
                      breached='breached = "";')
    section = re.search(r"^database: \{\n.*?^\};\n", text, re.M | re.S)[0]
    conf.write_text("\n\ndatabase: {\n\tconninfo = \"%s\";\n};\n%s" % (conninfo, text.replace(section, "")))
    conf.chmod(mode)
    command = [ROOT / "build" / argv[0], *argv[1:], "--config", conf]
    done = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, **more}, timeout=20)
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    assert done.stderr.startswith(REFUSED % (conf, why)) and len(done.stderr.splitlines()) == 1


def test_an_installation_is_where_debian_wants_it(installed):
    found = {str(p.relative_to(installed)) for p in installed.rglob("*") if p.is_file()}
    for name in ("usr/bin/tollgate", "usr/lib/tollgate/signup", "usr/lib/tollgate/jobs", "usr/lib/tollgate/mailer",
                 "etc/tollgate/tollgate.conf", "usr/share/tollgate/pages/style.css",
                 "usr/share/tollgate/schema/roles.sql", "usr/share/doc/tollgate/nginx.conf",
                 "usr/lib/systemd/system/tollgate@.socket", "usr/lib/sysusers.d/tollgate.conf"):
        assert name in found
    assert {name.split("/")[0] for name in found} == {"usr", "etc"}


def test_an_installation_speaks_of_its_own_prefix(installed):
    for path in (installed / "etc", installed / "usr/share/doc", installed / "usr/lib/systemd"):
        assert [p for p in path.rglob("*") if p.is_file() and "/usr/local" in p.read_text()] == []


def test_an_installation_under_another_prefix_compiles_nothing_again(installed, tmp_path):
    """As in `make && sudo make install PREFIX=/usr`."""
    done = subprocess.run(["make", "-C", ROOT, "install", "DESTDIR=%s" % tmp_path, "PREFIX=/opt/tollgate"], check=True,
                          capture_output=True, text=True)
    assert [line for line in done.stdout.splitlines() if line.startswith(("cc ", "ld "))] == []
    assert (tmp_path / "opt/tollgate/lib/tollgate/signup").is_file()


@pytest.mark.parametrize("program", ["usr/lib/tollgate/account", "usr/bin/tollgate"])
def test_an_installed_program_finds_the_files_of_its_own_prefix(installed, tmp_path, program):
    conf = tmp_path / "tollgate.conf"
    conf.write_text('site: { url = "https://app.example.com"; }; database: { conninfo = "dbname=x"; };\n')
    place = tmp_path / program
    place.parent.mkdir(parents=True)
    shutil.copy(installed / program, place)
    (tmp_path / "usr/share").symlink_to(installed / "usr/share")
    command = [place, "--check" if place.name == "account" else "check", "--config", conf]
    found = subprocess.run(command, capture_output=True, text=True, timeout=20, env={"PATH": os.environ["PATH"]})
    assert "site.pages" not in found.stderr
    (tmp_path / "usr/share").unlink()
    lost = subprocess.run(command, capture_output=True, text=True, timeout=20, env={"PATH": os.environ["PATH"]})
    assert 'site.pages "%s/usr/share/tollgate/pages" is not a directory' % tmp_path in lost.stderr


def test_an_installation_keeps_the_configuration_that_is_there(tmp_path):
    mine = tmp_path / "etc/tollgate/tollgate.conf"
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine\n")
    subprocess.run(["make", "-s", "-C", ROOT, "install", "DESTDIR=%s" % tmp_path, "PREFIX=/usr"], check=True,
                   stdout=subprocess.DEVNULL)
    assert mine.read_text() == "# mine\n"
    subprocess.run(["make", "-s", "-C", ROOT, "uninstall", "DESTDIR=%s" % tmp_path, "PREFIX=/usr"], check=True,
                   stdout=subprocess.DEVNULL)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [mine]


def test_the_configuration_shows_every_key():
    table = "".join(path.read_text() for path in sorted(ROOT.glob("lib/config/config_*.c")))
    text = (ROOT / "conf/tollgate.conf").read_text()
    keys = set(re.findall(r'"([a-z]+\.[a-z_]+)"', re.sub("#include.*", "", table)))
    assert len(keys) > 25
    assert [key for key in sorted(keys) if not re.search(r"\b%s = " % key.split(".")[1], text)] == []


def test_the_configuration_shows_the_defaults():
    """What is not marked could be left out: the value is the one in the table of keys."""
    table = (ROOT / "lib/config/config_keys.c").read_text()
    text = (ROOT / "conf/tollgate.conf").read_text()
    section, seen = None, 0
    for before, line in zip(text.splitlines(), text.splitlines()[1:]):
        if head := re.match(r"(\w+): \{", line):
            section = head[1]
        setting = re.match(r"\t(\w+) = (\d+|true|false);", line)
        if setting and "#@" not in before:
            key, seen = "%s.%s" % (section, setting[1]), seen + 1
            assert re.search(r'"%s", \w+, [\w.]+, %s[,)]' % (re.escape(key), setting[2]), table), key
    assert seen >= 9
