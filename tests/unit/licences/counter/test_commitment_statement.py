"""A signed commitment holds, and each way of spoiling it has its own reason."""

from datetime import UTC, datetime
from pathlib import Path

from keys.base64url import b64u, unb64u
from keys.ring import Purpose
from licences.counter.commitment_statement import Statement, sign, verify
from tests.builders import build_keys

STATEMENT = Statement(
    issuer="https://one.example",
    commitment_id="c" * 32,
    at=datetime(2026, 11, 22, tzinfo=UTC),
    matter={"code": "DM-M-1", "name": "落户"},
    proof={"code": "household", "name": "户籍证明"},
    unit="示范市公安局",
    case_number="DM-1",
    signer={"name": "王小明", "number": "371602199003071231"},
    text="本人承诺属实。",
    text_en="I commit that this is true.",
    language="zh",
    act={"way": "login", "amr": ["pwd"], "level": 3},
)


def test_a_statement_holds_and_a_spoilt_one_says_why(tmp_path: Path) -> None:
    ring = build_keys(tmp_path / "keys")
    token, keys = sign(STATEMENT, ring.signer(Purpose.RECEIPT)), ring.public(Purpose.RECEIPT)
    head, payload, value = token.split(".")
    changed = b64u(unb64u(payload).replace("属实".encode(), "不实".encode()))
    found = verify(token, keys=keys, issuer=STATEMENT.issuer)
    assert (found.ok, found.payload, found.reasons) == (True, STATEMENT.body(), [])
    spoilt = {
        "signature_invalid": verify(f"{head}.{changed}.{value}", keys=keys, issuer=STATEMENT.issuer),
        "issuer_unknown": verify(token, keys=keys, issuer="https://other.example"),
        "unreadable": verify("not.a.token", keys=keys, issuer=STATEMENT.issuer),
    }
    for reason, report in spoilt.items():
        assert (report.ok, report.reasons, report.payload) == (False, [reason], {})
    foreign = verify(token, keys=build_keys(tmp_path / "other").public(Purpose.RECEIPT), issuer=STATEMENT.issuer)
    assert foreign.reasons == ["issuer_unknown"]
