"""SignedData: messages by openssl get right verdicts, ours are accepted by openssl, damaged ones hold nowhere."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import sm2
from keys.certificates import Certificate, der
from keys.cms import SM3, CMSError, certificate_of, check_content, check_signature, read_signed_data
from keys.cms_write import write_signed_data
from keys.verdict import Result
from tests.unit.keys.certificates.authority import AT, root
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.keys.p256 import P256
from tests.unit.seals.mutators import elements, grown

MESSAGE = "演示：任何文件。".encode() * 40
SIGNER = root().issues("签章人")


def judged(message: bytes, content: bytes | None = None, *more: Certificate) -> tuple[Result, Result]:
    signed = read_signed_data(message)
    (signer,) = signed.signers
    certificate = certificate_of(signed, signer, more)
    assert certificate is not None
    received = signed.content if signed.content is not None else content
    assert received is not None
    return check_signature(signed, signer, certificate).result, check_content(signer, received).result


def made(**changes: object) -> bytes:
    facts = {"certificate": SIGNER.certificate, "sign": lambda data: sm2.sign(SIGNER.private, data), "gm": True}
    return write_signed_data(MESSAGE, **{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        ("P-256", ["-nodetach"]),
        ("P-256", []),
        ("P-256", ["-nodetach", "-noattr"]),
        ("P-256", ["-nodetach", "-keyid"]),
        ("P-256", ["-nodetach", "-cades"]),
        ("RSA", ["-nodetach"]),
        ("RSA", ["-md", "sha512"]),
    ],
    ids=["attached", "detached", "no-attributes", "key-id", "cades", "rsa", "rsa-sha512-detached"],
)
def test_messages_by_openssl(openssl: str, tmp_path: Path, algorithm: str, options: list[str]) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    certificate = theirs.issue("signer", 77, section="authority" if "-keyid" in options else "signer")
    (tmp_path / "message").write_bytes(MESSAGE)
    theirs.run("cms", "-sign", "-binary", "-in", "message", "-signer", "signer.pem", "-inkey", "signer.key",
               "-outform", "DER", "-out", "message.cms", *options)  # fmt: skip
    message = (tmp_path / "message.cms").read_bytes()
    signed = read_signed_data(message)
    assert (signed.gm, signed.content) == (False, MESSAGE if "-nodetach" in options else None)
    assert signed.certificates == (certificate,)
    assert judged(message, MESSAGE) == (Result.OK, Result.OK)
    if signed.content is None:
        assert judged(message, MESSAGE + b" ") == (Result.OK, Result.FAIL)


@pytest.mark.parametrize("detached", [False, True])
def test_openssl_accepts_ours(openssl: str, tmp_path: Path, detached: bool) -> None:
    theirs = OpenSSL(openssl, tmp_path, "P-256")
    key = P256("签章人")
    (tmp_path / "ours.pem").write_text(key.pem)
    (tmp_path / "message").write_bytes(MESSAGE)
    message = write_signed_data(
        MESSAGE, certificate=key.certificate, sign=key.sign, detached=detached, signed_at=datetime.now(UTC)
    )
    (tmp_path / "message.cms").write_bytes(message)
    theirs.run("cms", "-verify", "-binary", "-inform", "DER", "-in", "message.cms", "-CAfile", "ours.pem",
               "-purpose", "any", "-cades", "-out", "out", *(["-content", "message"] if detached else []))  # fmt: skip
    assert (tmp_path / "out").read_bytes() == MESSAGE


def test_ours_of_gb_t_35275() -> None:
    signed = read_signed_data(made(signed_at=AT))
    assert (signed.gm, signed.content_type, signed.content) == (True, "1.2.156.10197.6.1.4.2.1", MESSAGE)
    assert signed.signers[0].signature_algorithm == "1.2.156.10197.1.301.1"
    assert judged(made()) == (Result.OK, Result.OK)
    assert judged(made(detached=True), MESSAGE) == (Result.OK, Result.OK)
    assert judged(made(detached=True), b"other") == (Result.OK, Result.FAIL)


def test_the_certificate_may_be_handed_in() -> None:
    message = made(with_certificate=False)
    signed = read_signed_data(message)
    assert certificate_of(signed, signed.signers[0]) is None
    assert judged(message, None, SIGNER.certificate) == (Result.OK, Result.OK)


def test_another_certificate_for_the_same_key_is_refused() -> None:
    """RFC 5035: the signer says which certificate he means, so that nobody puts a stronger one in its place."""
    other = root().issues("签章人", keys=(SIGNER.private, SIGNER.certificate.public_key))
    signed = read_signed_data(made())
    assert check_signature(signed, signed.signers[0], other.certificate).result is Result.FAIL


@pytest.mark.parametrize(
    "data", [b"", b"\x30\x00", b"\x30\x80\x06\x09", b"\x30\x03\x06\x01\x2a", b"PK\x03\x04" * 9], ids=len
)
def test_what_is_no_signed_data_is_refused(data: bytes) -> None:
    with pytest.raises(CMSError):
        read_signed_data(data)


def test_what_no_signature_covers_is_read_strictly() -> None:
    """Nobody signs what stands among the certificates or behind the name of an algorithm: junk there is refused."""
    message = made()
    listed = message.index(SIGNER.certificate.der)
    behind = listed + len(SIGNER.certificate.der)
    digests = [e for e in elements(message) if message[e[0] : e[2]] == der.write_oid(SM3)]
    assert len(digests) >= 2
    junk = [(listed, behind, b"\x01\x01\x00" + SIGNER.certificate.der)]
    junk += [(start, end, message[start:end] * 2) for start, _, end in digests[:2]]
    for start, end, new in junk:
        damaged = grown(message, start, end, len(new) - (end - start), message[:start] + new + message[end:])
        with pytest.raises(CMSError):
            read_signed_data(damaged)


def test_mutants_hold_only_where_nothing_signed_changed() -> None:
    rng = random.Random(35275)
    message = made()
    for _ in range(1_500):
        mutant = bytearray(message)
        mutant[rng.randrange(len(mutant))] ^= 1 << rng.randrange(8)
        try:
            signed = read_signed_data(bytes(mutant))
        except CMSError:
            continue
        if len(signed.signers) != 1:
            continue
        certificate = certificate_of(signed, signed.signers[0])
        if certificate is None or certificate.der != SIGNER.certificate.der:
            continue
        checks = (
            check_signature(signed, signed.signers[0], certificate),
            check_content(signed.signers[0], signed.content or b""),
        )
        if all(check.result is Result.OK for check in checks):
            assert signed.content == MESSAGE
