"""README.md's block "Deploy it", word for word, in a new Debian. There is no systemd in a chroot: the test starts
PostgreSQL by Debian's pg_ctlcluster, and each program as its unit would, as its user and with its secrets."""
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import KEY, ROOT
from test_environment import DAEMONS, WORKERS

sys.path.insert(0, str(ROOT / "tests/e2e"))
import fcgi  # noqa: E402

pytestmark = pytest.mark.skipif(
    os.environ.get("PROPERTY_RUNS") != "full" or os.getuid() != 0 or not shutil.which("debootstrap"),
    reason="takes minutes, root and debootstrap: make soak")
SECRETS = {"signup": "stripe.key", "billing": "stripe.key", "jobs": "stripe.key", "webhooks": "webhook.secret"}


def block(begin):
    """The commands of the README's block that holds this, each on one line and without its comment."""
    text = (ROOT / "README.md").read_text()
    found = next(b for b in re.findall(r"^```[a-z]*\n(.*?)^```$", text, re.M | re.S) if begin in b)
    return [re.sub(r"\s+#.*", "", line) for line in found.replace("\\\n", " ").splitlines() if not line.startswith("#")]


class Debian:
    def __init__(self, root):
        self.root = root
        subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates,sudo,systemd", "bookworm",
                        root, "http://deb.debian.org/debian"], check=True, stdout=subprocess.DEVNULL)
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        ignore = shutil.ignore_patterns(".git", "build", ".hypothesis", "__pycache__")
        shutil.copytree(ROOT, root / "src", ignore=ignore)

    def write(self, path, text, mode=0o600):
        target = self.root / path.lstrip("/")
        target.write_text(text)
        target.chmod(mode)

    def argv(self, command):
        enter = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && ' \
            'exec chroot "$0" sh -c "cd /src && $1"'
        return ["unshare", "-m", "sh", "-c", enter, str(self.root), command]

    def run(self, command, given=None):
        done = subprocess.run(self.argv(command), input=given, capture_output=True, text=True, timeout=900,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        assert done.returncode == 0, command + "\n" + done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def start(self, name):
        """As tollgate@.service and tollgate-NAME.service say."""
        copies = self.root / "run/credentials" / name
        self.run("install -d -o tollgate_%s -m 700 /run/credentials/%s" % (name, name))
        self.run("install -d -m 1777 /run/tollgate")
        if secret := SECRETS.get(name):
            self.run("install -o tollgate_%s -m 400 /etc/tollgate/%s /run/credentials/%s/" % (name, secret, name))
        assert copies.is_dir()
        listen = "" if name in DAEMONS else " --listen /run/tollgate/%s.sock" % name
        return subprocess.Popen(self.argv(
            "exec setpriv --reuid tollgate_%s --regid tollgate_%s --clear-groups env CREDENTIALS_DIRECTORY="
            "/run/credentials/%s /usr/lib/tollgate/%s --config /etc/tollgate/tollgate.conf%s" % (
                name, name, name, name, listen)), stdin=subprocess.DEVNULL)


@pytest.fixture
def debian(tmp_path):
    tmp_path.chmod(0o755)
    there = Debian(tmp_path / "root")
    yield there
    subprocess.run(there.argv("pg_ctlcluster 15 main stop"), check=False)
    assert not os.path.ismount(there.root / "dev"), "each command has its own view of the mounts"
    shutil.rmtree(there.root)


def configure(debian, sim):
    """What is done in the editor."""
    path = debian.root / "etc/tollgate/tollgate.conf"
    text = path.read_text()
    for key, value in (("environment", "development"), ("api_url", sim.url)):
        text, n = re.subn(r'(?m)^(\t%s = )"[^"]*";' % key, r'\1"%s";' % value, text)
        assert n == 1
    path.write_text(text)


def well(debian, name):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            answer = fcgi.call(str(debian.root / "run/tollgate" / (name + ".sock")), "GET", "/healthz")
            return answer.status, answer.body
        except OSError:
            time.sleep(0.1)
    return None


def test_the_readmes_deployment_works_word_for_word(debian, sim):
    seen = []
    for command in block("systemd-sysusers"):
        seen.append(command)
        if command.startswith("sudoedit"):
            configure(debian, sim)
        elif "systemctl" in command:
            assert command == "sudo systemctl enable --now tollgate.target"
        elif "apt-get" in command:
            debian.run("apt-get update && " + command.replace("apt-get install", "apt-get install -y"))
            debian.run("pg_ctlcluster 15 main start")
        else:
            debian.run(command, given=KEY + "\n" if "/dev/stdin" in command else None)
    assert [re.search(r"make|sysusers|sudoedit|stripe.key|createdb|migrate|apply|check|pages|enable", c)[0]
            for c in seen[1:]] == [
                "make", "sysusers", "sudoedit", "stripe.key", "createdb", "migrate", "apply", "check", "pages",
                "enable"]
    programs = {name: debian.start(name) for name in (*WORKERS, *DAEMONS)}
    try:
        assert {name: well(debian, name) for name in WORKERS} == {name: (200, b"ok\n") for name in WORKERS}
        assert {name: program.poll() for name, program in programs.items()} == dict.fromkeys(programs)
        assert "database: ok" in debian.run("sudo tollgate check --live")
        for command in block("pg_reload_conf"):
            debian.run(command)
        time.sleep(1)
        debian.run("sudo -u www-data psql -U tollgate_signup -c 'select 1' tollgate")
        assert "database: ok" in debian.run("sudo tollgate check --live")
    finally:
        for program in programs.values():
            program.terminate()
    assert {name: program.wait(20) for name, program in programs.items()} == dict.fromkeys(programs, 0)
