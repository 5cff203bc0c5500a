"""Run by root, the command becomes the user tollgate_operator, whom PostgreSQL lets in as the role of that name."""
import os
import pwd
import subprocess

import pytest
from conftest import BUILD

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def peer(site):
    """A database that knows the operator by the user of the process alone: one with nobody's number."""
    data = os.path.join(site.server, "data")
    saved = {}
    for name, line in (("pg_hba.conf", "local %s tollgate_operator peer map=operator\n" % site.name),
                       ("pg_ident.conf", "operator nobody tollgate_operator\n")):
        with open(os.path.join(data, name), "r+", encoding="utf-8") as file:
            saved[name] = file.read()
            file.seek(0)
            file.write(line + saved[name])
    os.chmod(site.server, 0o755)
    site.ask("select pg_reload_conf()")
    yield site
    for name, text in saved.items():
        with open(os.path.join(data, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(site.server, 0o700)
    site.ask("select pg_reload_conf()")


def run(site, *arguments):
    """With a user tollgate_operator on this machine."""
    users = site.path / "passwd"
    with open("/etc/passwd", encoding="utf-8") as file:
        users.write_text(file.read() + "tollgate_operator:x:%d:%d::/:/bin/false\n" % (NOBODY.pw_uid, NOBODY.pw_gid))
    env = {name: value for name, value in os.environ.items() if name != "SUDO_USER"}
    return subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"', users,
                           BUILD / "tollgate", *arguments, "--config", site.conf], capture_output=True, timeout=60,
                          text=True, env=env)


def test_c52_root_becomes_the_operator(peer):
    assert run(peer, "status").returncode == 0
    assert peer.run("status").returncode == 69, "root itself is not let in"


def test_c52_an_override_is_still_the_callers(peer):
    tenant = peer.tenant("anna@example.com")
    done = run(peer, "override", "allow", tenant, "--reason", "outage")
    assert done.returncode == 0, done.stderr
    assert "root" in str(peer.ask("select to_jsonb(o) from billing.overrides o"))


def test_c52_the_files_that_root_names_are_still_roots(peer):
    secret = peer.path / "webhook.secret"
    done = run(peer, "stripe", "apply", "--secret-file", secret)
    assert done.returncode in (0, 1) and secret.read_text().startswith("whsec_"), done.stderr
    assert (secret.stat().st_uid, secret.stat().st_mode & 0o777) == (0, 0o600)
    assert run(peer, "stripe", "apply", "--secret-file", secret).returncode in (0, 1)
    proposals = peer.path / "proposals"
    proposals.write_text("")
    proposals.chmod(0o600)
    done = run(peer, "backfill", "customers", "--apply-proposals", proposals)
    assert done.returncode == 0, done.stderr
