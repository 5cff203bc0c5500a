"""`tollgate check` and the parties that vouch for users: how they are configured, and what they say of themselves."""
import json
import socket
import subprocess
import time
import urllib.request

import pytest
from conftest import ROOT, SECRET

ENV = {"TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET}


@pytest.fixture
def parties(tmp_path):
    """The address of parties that listen, for clients with the secret in tmp_path/x.secret."""
    secret = tmp_path / "x.secret"
    secret.write_text("hush\n")
    secret.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    process = subprocess.Popen([ROOT / "tests/identity/provider", "--port", str(port), "--client", "id",
                                "--secret-file", secret])
    url, end = "http://127.0.0.1:%d" % port, time.monotonic() + 20
    while True:
        try:
            urllib.request.urlopen(url + "/_seen").close()
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)
    yield url
    process.terminate()
    process.wait()


def tell(url, **told):
    urllib.request.urlopen(urllib.request.Request(url + "/_tell", json.dumps(told).encode())).close()


def provider(site, issuer, name="work", more=""):
    return '{ name = "%s"; issuer = "%s"; client_id = "id"; secret_file = "%s/x.secret"; %s }' % (
        name, issuer, site.path, more)


def test_f214_check_live_asks_each_party_how_it_describes_itself(site, parties, tmp_path):
    (site.path / "x.secret").touch(0o600)
    (site.path / "x.secret").write_text("hush\n")
    site.configure(more="providers = ( %s, %s, %s );" % (
        provider(site, parties + "/work"), provider(site, parties + "/partner", "partner"),
        provider(site, parties + "/github", "github")))
    done = site.run("check", "--live", **ENV)
    assert done.returncode == 0 and b"providers.work: ok\nproviders.partner: ok\n" in done.stdout, done
    tell(parties, partner={"lie": {"discovery": {"issuer": "https://evil.example.org"}}}, work={"lie": {"keys": []}})
    done = site.run("check", "--live", **ENV)
    assert done.returncode == 69
    assert "providers.work: %s/work/keys has no keys" % parties in done.stdout.decode()
    assert "configuration is of another issuer" in done.stdout.decode()


def test_f121_check_tells_what_is_wrong_with_a_party(site, tmp_path):
    site.configure(more='providers = ( { name = "work"; client_id = "id"; secret_file = "/nonexistent"; } );')
    done = site.run("check", **ENV)
    assert done.returncode == 78
    assert "providers.secret_file /nonexistent does not exist" in done.stderr.decode()
