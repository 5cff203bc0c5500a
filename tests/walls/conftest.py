"""What `make install` lays down, and a certificate of its own."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "-s", "-C", ROOT], check=True, env=env, stdout=subprocess.DEVNULL)
    subprocess.run(["make", "-s", "-C", ROOT, "install", "DESTDIR=%s" % root, "PREFIX=/usr"], check=True, env=env,
                   stdout=subprocess.DEVNULL, umask=0o077)
    return root


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
                    "-keyout", directory / "key.pem", "-out", directory / "cert.pem"], check=True, capture_output=True)
    return directory
