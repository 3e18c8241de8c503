"""Time stamps by openssl are verified here, ours by openssl; a forged or foreign one never gives a trusted time."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import sm2
from keys.certificates.crl import issue_list, parse_list
from keys.cms import SHA256, SHA512, SM3
from keys.timestamp import TimestampError, read_request, read_token, token_in, verify_token, write_request
from keys.timestamp_issue import answer
from keys.verdict import Reason, Result
from tests.unit.keys.certificates.authority import AT, root
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.keys.p256 import P256

USAGE = ("1.3.6.1.5.5.7.3.8",)
POLICY = "1.2.3.4.1"
STAMPED = b"a signature value"
NOW = AT + timedelta(days=30)
ROOT = P256("演示根", ca=True)
TSA = P256("演示时间戳服务", ROOT, extended_usage=USAGE)
SIGNER = P256("签章人", ROOT)
CONFIG = """[tsa]
default_tsa = own
[own]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = {hash}
clock_precision_digits = 3
"""


def token(by: P256 = TSA, *, data: bytes = STAMPED, algorithm: str = SHA256, at: datetime = AT) -> bytes:
    request = write_request(data, nonce=-5 % (1 << 64), algorithm=algorithm)
    response, granted = answer(request, certificate=by.certificate, sign=by.sign, policy=POLICY, serial=99, at=at)
    assert granted is not None
    return token_in(response)


def judged(data: bytes, stamped: bytes = STAMPED, *, roots: tuple[P256, ...] = (ROOT,), now: datetime = NOW):
    return verify_token(data, stamped, anchors=[one.certificate for one in roots], now=now)


@pytest.mark.parametrize("algorithm", [SHA256, SHA512, SM3])
def test_ours_gives_a_trusted_time(algorithm: str) -> None:
    found = judged(token(algorithm=algorithm))
    assert (found.check.result, found.at, found.authority) == (Result.OK, AT, "演示时间戳服务")
    read = read_token(token(algorithm=algorithm))
    assert (read.serial, read.nonce, read.policy) == (99, (1 << 64) - 5, POLICY)


def test_of_sm2_gives_a_trusted_time() -> None:
    top = root()
    party = top.issues("国密时间戳", extended_usage=USAGE)
    response, _ = answer(
        write_request(STAMPED, nonce=1, algorithm=SM3), certificate=party.certificate,
        sign=lambda data: sm2.sign(party.private, data), policy=POLICY, serial=1, at=AT,
    )  # fmt: skip
    for data in (response, token_in(response)):
        found = verify_token(data, STAMPED, anchors=[top.certificate], now=NOW)
        assert (found.check.result, found.at) == (Result.OK, AT)


@pytest.mark.parametrize("essential", ["sha1", "sha256"])
@pytest.mark.parametrize("algorithm", ["P-256", "RSA"])
def test_stamps_by_openssl(openssl: str, tmp_path: Path, algorithm: str, essential: str) -> None:
    theirs = OpenSSL(openssl, tmp_path, algorithm)
    theirs.issue("tsa", 7, section="times")
    (tmp_path / "serial").write_text("01")
    (tmp_path / "tsa.cnf").write_text(CONFIG.format(folder=tmp_path, hash=essential))
    (tmp_path / "request").write_bytes(write_request(STAMPED, nonce=12345678901234567890))
    theirs.run("ts", "-reply", "-config", "tsa.cnf", "-section", "own", "-queryfile", "request", "-signer", "tsa.pem",
               "-inkey", "tsa.key", "-out", "response")  # fmt: skip
    response = (tmp_path / "response").read_bytes()
    assert read_token(token_in(response)).nonce == 12345678901234567890
    now = datetime.now(UTC)
    found = verify_token(response, STAMPED, anchors=[theirs.root], now=now)
    assert (found.check.result, found.authority) == (Result.OK, "tsa")
    assert found.at is not None
    assert abs(found.at - now) < timedelta(minutes=1)
    assert verify_token(response, b"other", anchors=[theirs.root], now=now).check.result is Result.FAIL
    unknown = verify_token(response, STAMPED, anchors=[], now=now)
    assert (unknown.check.result, unknown.at) == (Result.NOT_CHECKED, None)


def test_openssl_verifies_ours(openssl: str, tmp_path: Path) -> None:
    theirs = OpenSSL(openssl, tmp_path, "P-256")
    (tmp_path / "data").write_bytes(STAMPED)
    theirs.run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "request")
    request = (tmp_path / "request").read_bytes()
    response, granted = answer(
        request, certificate=TSA.certificate, sign=TSA.sign, policy=POLICY, serial=4, at=datetime.now(UTC)
    )
    assert granted is not None
    assert granted == read_request(request)
    (tmp_path / "response").write_bytes(response)
    (tmp_path / "root.pem").write_text(ROOT.pem)
    said = theirs.run("ts", "-verify", "-queryfile", "request", "-in", "response", "-CAfile", "root.pem")
    assert "Verification: OK" in said
    assert "Time stamp" in theirs.run("ts", "-reply", "-in", "response", "-text")


@pytest.mark.parametrize(
    ("data", "stamped", "result", "reason"),
    [
        (token(), b"other", Result.FAIL, Reason.SIGNATURE_INVALID),
        (token(SIGNER), STAMPED, Result.FAIL, Reason.CERTIFICATE_UNTRUSTED),
        (token(at=NOW + timedelta(hours=1)), STAMPED, Result.FAIL, Reason.CLOCK_WRONG),
        (token(P256("自称时间戳", extended_usage=USAGE)), STAMPED, Result.NOT_CHECKED, None),
        (b"\x30\x03\x02\x01\x00", STAMPED, Result.NOT_CHECKED, None),
        (b"", STAMPED, Result.NOT_CHECKED, None),
    ],
    ids=["other-data", "no-authority", "of-tomorrow", "unknown-root", "no-stamp", "nothing"],
)
def test_no_time_is_trusted(data: bytes, stamped: bytes, result: Result, reason: Reason | None) -> None:
    found = judged(data, stamped)
    assert (found.check.result, found.check.reason, found.at) == (result, reason, None)


def test_an_authority_revoked_before_gives_no_time() -> None:
    made = issue_list(
        issuer=ROOT.certificate, sign=ROOT.sign, number=1, this_update=AT, next_update=NOW,
        revoked=[(TSA.certificate.serial, AT - timedelta(days=1), "keyCompromise")],
    )  # fmt: skip
    found = verify_token(token(), STAMPED, anchors=[ROOT.certificate], lists=[parse_list(made)], now=NOW)
    assert (found.check.result, found.check.reason, found.at) == (Result.FAIL, Reason.KEY_REVOKED, None)


@pytest.mark.parametrize(
    "request_der",
    [b"", b"nonsense", write_request(b"", nonce=1)[:-5], write_request(b"", nonce=1).replace(b"\x86\x48", b"\x86\x49")],
    ids=["nothing", "nonsense", "cut", "unknown-digest"],
)
def test_bad_requests_are_answered_with_a_refusal(request_der: bytes) -> None:
    response, granted = answer(request_der, certificate=TSA.certificate, sign=_never, policy=POLICY, serial=1, at=AT)
    assert granted is None
    with pytest.raises(TimestampError, match="status 2"):
        token_in(response)


def _never(_data: bytes) -> bytes:
    raise AssertionError


def test_mutants_give_no_time() -> None:
    rng, data = random.Random(3161), token()
    for _ in range(800):
        mutant = bytearray(data)
        mutant[rng.randrange(len(mutant))] ^= 1 << rng.randrange(8)
        found = judged(bytes(mutant))
        assert found.at in {None, AT}
        if found.at is not None:
            assert read_token(bytes(mutant)).signed.content == read_token(data).signed.content
