"""A licence on paper as a CWT (RFC 8392), deflated and in base45, read and verified by the package `cwt`.

Run with the package's own interpreter: claims come as one line of JSON; for every further line it verifies for half a
CPU second and answers with how often that was done in a CPU second.
"""

from __future__ import annotations

import json
import sys
import time
import zlib

import base45  # type: ignore[import-not-found]
import cwt  # type: ignore[import-not-found]
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SECONDS = 0.5


def main() -> None:
    """Answer line by line until the input ends."""
    claims = {int(name): value for name, value in json.loads(sys.stdin.readline()).items()}
    claims[7] = bytes.fromhex(claims[7])  # cti is a byte string
    private = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.PrivateFormat.PKCS8
    signing = cwt.COSEKey.from_pem(
        private.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption()), kid="01"
    )
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    checking = cwt.COSEKey.from_pem(private.public_key().public_bytes(serialization.Encoding.PEM, public), kid="01")
    text = base45.b45encode(zlib.compress(cwt.encode(claims, signing)))
    for _line in sys.stdin:
        calls, started, spent = 0, time.thread_time(), 0.0
        while spent < _SECONDS:
            cwt.decode(zlib.decompress(base45.b45decode(text)), checking)
            calls += 1
            spent = time.thread_time() - started
        print(calls / spent, flush=True)


if __name__ == "__main__":
    main()
