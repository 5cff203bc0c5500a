"""An authenticator of passkeys that says what a test wants, be it a lie."""
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40


def text_of(raw):
    return urlsafe_b64encode(raw).decode().rstrip("=")


def bytes_of(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    width = next(w for w in (1, 2, 4, 8) if n < 1 << 8 * w)
    return bytes([major << 5 | 23 + width.bit_length()]) + n.to_bytes(width, "big")


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


def number(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


class Es256:
    curve, alg, cose_curve = ec.SECP256R1(), -7, 1

    def __init__(self):
        self.private = ec.generate_private_key(self.curve)

    def cose(self):
        at, size = self.private.public_key().public_numbers(), self.curve.key_size // 8
        return {1: 2, 3: self.alg, -1: self.cose_curve, -2: at.x.to_bytes(size, "big"), -3: at.y.to_bytes(size, "big")}

    def sign(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


class P384(Es256):
    curve, cose_curve = ec.SECP384R1(), 2


class EdDsa:
    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()

    def cose(self):
        return {1: 1, 3: -8, -1: 6, -2: self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)}

    def sign(self, data):
        return self.private.sign(data)


class Rs256:
    bits = 2048

    def __init__(self):
        self.private = rsa.generate_private_key(65537, self.bits)

    def cose(self):
        public = self.private.public_key().public_numbers()
        return {1: 3, 3: -257, -1: number(public.n), -2: number(public.e)}

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Rsa512(Rs256):
    bits = 512


class Authenticator:
    """One key of one site. What it says is in members and arguments, to be changed."""

    def __init__(self, origin, kind=Es256):
        self.origin, self.host = origin, origin.split("://")[1].split(":")[0]
        self.key, self.id, self.count, self.handle = kind(), os.urandom(32), 0, b""
        self.flags = PRESENT | VERIFIED

    def client(self, use, challenge, **more):
        said = {"type": f"webauthn.{use}", "challenge": challenge, "origin": self.origin, "crossOrigin": False, **more}
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    def data(self, flags, tail=b""):
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + tail

    def key_data(self, cose=None):
        return bytes(16) + len(self.id).to_bytes(2, "big") + self.id + (cose or cbor(self.key.cose()))

    def made(self, challenge, handle, **more):
        """The fields of the form that adds this key."""
        self.handle = bytes_of(handle)
        data = self.data(self.flags | HAS_KEY, self.key_data(more.pop("cose", None)))
        whole = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return {"id": text_of(self.id), "client": text_of(self.client("create", challenge, **more)),
                "attestation": text_of(whole), "transports": "internal"}

    def used(self, challenge, **more):
        """The fields of the form that uses it."""
        client, data = self.client("get", challenge, **more), self.data(self.flags)
        return {"id": text_of(self.id), "client": text_of(client), "data": text_of(data),
                "signature": text_of(self.key.sign(data + sha256(client).digest())), "user": text_of(self.handle)}
