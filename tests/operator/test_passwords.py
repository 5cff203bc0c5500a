"""`tollgate passwords build`: a list that signin takes, of whatever list of passwords there is."""
import subprocess
from hashlib import sha1

import pytest
from conftest import BUILD


def build(tmp_path, text, out=None):
    (tmp_path / "list").write_bytes(text)
    return subprocess.run([BUILD / "tollgate", "passwords", "build", tmp_path / "list", "--out",
                           out or tmp_path / "breached"], capture_output=True, text=True, cwd=tmp_path)


def records(tmp_path):
    data = (tmp_path / "breached").read_bytes()
    assert data[:8] == b"tgpwned1" and len(data) % 8 == 0
    return [data[at:at + 8] for at in range(8, len(data), 8)]


def short(password):
    return sha1(password.encode()).digest()[:8]


WORDS = ["password", "123456", "qwertz", "correct horse", "Zoë"]


@pytest.mark.parametrize("kind", ["plain", "hashes", "sorted hashes", "dos"])
def test_f47_a_list_of_either_kind_is_sorted_and_has_each_once(tmp_path, kind):
    hashes = [sha1(word.encode()).hexdigest() for word in WORDS]
    text = {"plain": "#!comment: words\n\n" + "\n".join(WORDS + WORDS[:2]), "hashes": "\n".join(
        hash + ":17" for hash in hashes + hashes[:2]), "sorted hashes": "\n".join(
        hash.upper() + ":1" for hash in sorted(hashes)) + "\n", "dos": "\r\n".join(WORDS)}[kind]
    done = build(tmp_path, text.encode())
    assert (done.returncode, done.stdout) == (0, "5 passwords\n"), done.stderr
    assert records(tmp_path) == sorted(map(short, WORDS))
    assert (tmp_path / "breached").stat().st_mode & 0o777 == 0o644 and not (tmp_path / "breached.new").exists()


def test_f47_nothing_takes_the_place_of_a_list_but_a_list(tmp_path):
    assert build(tmp_path, b"password\n").returncode == 0
    before = (tmp_path / "breached").read_bytes()
    done = build(tmp_path, b"")
    assert done.returncode == 73 and str(tmp_path / "breached") in done.stderr
    assert (tmp_path / "breached").read_bytes() == before
    assert build(tmp_path, b"x", out=tmp_path / "nowhere/breached").returncode == 73
    done = subprocess.run([BUILD / "tollgate", "passwords", "build", tmp_path / "list"], capture_output=True, text=True)
    assert done.returncode == 1 and "--out FILE is missing" in done.stderr


def test_f47_the_shipped_list_has_the_most_common_passwords():
    data = (BUILD / "breached").read_bytes()
    assert len(data) > 8 * 3000 and all(short(word) in data for word in ("password", "123456", "letmein"))
