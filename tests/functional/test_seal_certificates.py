"""The operator's certificates: set up, certify, revoke, issue lists, permit makers; and our time-stamp authority."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from idservice.models import AuditEntry
from keys.certificates import parse_pem, read_lists, to_pem
from keys.certificates.crl import is_list_of
from keys.timestamp import token_in, verify_token, write_request
from seals import time_routes
from seals.authority import DOCUMENT_ROOT, ROOT, make_authority, party_of
from seals.models import PermittedMaker
from seals.revoking import keep_fresh
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import LETTER, Office, build_office, post_form
from tests.unit.keys.certificates.openssl import OpenSSL
from tests.unit.keys.test_imported import pem_of
from tests.unit.seals.made import City


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = databases.fresh(migrate)
    built = build_office(tmp_path_factory.mktemp("office"), url, timestamp_url="http://127.0.0.1:8000/tsa")
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def flask(office: Office, *words: str, status: int = 0) -> str:
    done = office.app.test_cli_runner().invoke(args=["seals", *words])
    assert done.exit_code == status, done.output
    return done.stdout


def results(report: dict[str, object]) -> dict[str, str]:
    (signature,) = report["signatures"]  # type: ignore[misc]
    return {check["name"]: check["result"] for check in signature["checks"]}


# -- time stamps ------------------------------------------------------------------------------------------------------


def test_what_is_sealed_here_carries_a_trusted_time(office: Office) -> None:
    report = office.by_api(office.sealed_letter(), LETTER)
    assert (report["ok"], results(report)["timestamp"]) == (True, "ok")
    (signature,) = report["signatures"]
    times = signature["times"]
    assert times["claimed"] == signature["signed_at"]
    assert abs(datetime.fromisoformat(times["trusted"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert "时间戳" in times["authority"]


def test_the_page_shows_both_times(office: Office) -> None:
    page = office.by_page(office.sealed_letter(), LETTER)
    assert "时间戳时间" in page


def test_anybody_gets_a_time_stamp_that_openssl_verifies(office: Office, openssl: str, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(
        to_pem(act(office.house, lambda call: party_of(call, DOCUMENT_ROOT)).certificate.der)
    )
    (tmp_path / "data").write_bytes(LETTER)
    run = [openssl, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "request"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    answer = office.app.test_client().post(
        "/tsa", data=(tmp_path / "request").read_bytes(), content_type="application/timestamp-query"
    )
    assert (answer.status_code, answer.content_type) == (200, "application/timestamp-reply")
    (tmp_path / "response").write_bytes(answer.data)
    run = [openssl, "ts", "-verify", "-queryfile", "request", "-in", "response", "-CAfile", "root.pem"]
    done = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"nonsense", "application/timestamp-query", 200),
        (b"", "application/timestamp-query", 200),
        (b"x", "text/plain", 415),
        (b"x" * 5000, "application/timestamp-query", 413),
    ],
    ids=["nonsense", "nothing", "other-type", "too-large"],
)
def test_bad_requests_for_a_time_stamp(office: Office, body: bytes, kind: str, status: int) -> None:
    answer = office.app.test_client().post("/tsa", data=body, content_type=kind)
    assert answer.status_code == status
    assert status != 200 or b"\x02\x01\x02" in answer.data, "a rejection in the protocol's own form"


def test_time_stamps_are_given_within_limits(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_routes, "LIMIT", "2/minute")
    request = {"data": write_request(b"x", nonce=1), "content_type": "application/timestamp-query"}
    stranger = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    client = office.app.test_client()
    assert [client.post("/tsa", **request, **stranger).status_code for _ in range(3)] == [200, 200, 429]


def test_every_time_stamp_is_on_record(office: Office) -> None:
    def count(call: object) -> int:
        query = select(func.count()).where(AuditEntry.deed == "seals:time_stamp:issue")
        return int(call.session.scalar(query))  # type: ignore[attr-defined]

    before = act(office.house, count)
    request = write_request(b"x", nonce=3)
    answer = office.app.test_client().post("/tsa", data=request, content_type="application/timestamp-query")
    root = act(office.house, lambda call: party_of(call, DOCUMENT_ROOT)).certificate
    found = verify_token(token_in(answer.data), b"x", anchors=[root], now=datetime.now(UTC))
    assert found.at is not None
    assert act(office.house, count) == before + 1


# -- signature files without a seal -----------------------------------------------------------------------------------


def test_a_signed_data_is_made_and_verified(office: Office) -> None:
    answer = office.use(format="signed_data")
    assert answer.status_code == 201, answer.text
    assert answer.json["result"]["media_type"] == "application/pkcs7-signature"
    made = base64.b64decode(answer.json["result"]["data"])
    report = office.by_api(made, LETTER)
    assert (report["ok"], report["format"], results(report)["timestamp"]) == (True, "signed_data", "ok")
    assert "签名有效</h" in office.by_page(made, LETTER)
    altered = office.by_api(made, LETTER + b".")
    assert (altered["ok"], altered["reasons"]) == (False, ["document_altered"])
    assert "有效</h" not in office.by_page(made, LETTER + b".").replace("无效</h", "")


def test_a_signature_value_is_made_and_verified_with_its_certificate(office: Office) -> None:
    answer = office.use(format="signature")
    assert answer.status_code == 201, answer.text
    made = base64.b64decode(answer.json["result"]["data"])
    report = office.by_api(made, LETTER)
    assert (report["ok"], report["format"]) == (False, "signature")
    from seals.models import Seal

    der = act(office.house, lambda call: call.session.get_one(Seal, office.seal_id).signer_certificate)
    for certificate in (der, to_pem(der).encode()):
        body = {"file": made, "document": LETTER, "certificate": certificate}
        answer = post_form(office.app.test_client(), "/v1/seal-verifications", body)
        assert answer.json["ok"] is True, answer.text
    bad = post_form(office.app.test_client(), "/v1/seal-verifications", {"file": made, "certificate": b"no"})
    assert (bad.status_code, bad.json["code"]) == (422, "invalid")


def test_no_value_is_put_on_the_inside_of_another_signature(office: Office) -> None:
    answer = office.use(b"\x30\x03\x02\x01\x05", format="signature")
    assert (answer.status_code, answer.json["code"]) == (422, "document_refused")


# -- the authority ----------------------------------------------------------------------------------------------------


def test_the_authority_is_set_up_and_shown(office: Office) -> None:
    roots = parse_pem(flask(office, "ca", "root"))
    assert [root.key_algorithm for root in roots] == ["SM2", "P-256"]
    assert parse_pem(flask(office, "ca", "show", ROOT)) == [roots[0]]
    listed = [json.loads(line) for line in flask(office, "ca", "list", "--json").splitlines()]
    assert {row["name"] for row in listed} >= {"demo-root", "demo-maker", "demo-document-root", "demo-time-stamper"}
    assert "PRIVATE" not in flask(office, "ca", "list") + flask(office, "ca", "show", ROOT)


def test_a_further_maker_is_permitted_and_a_signer_is_not(office: Office) -> None:
    before = flask(office, "makers", "list").splitlines()
    (maker,) = parse_pem(flask(office, "ca", "maker", "second-maker"))
    (signer,) = parse_pem(flask(office, "ca", "signer", "a-signer", "--common-name", "演示签章者"))
    (other,) = parse_pem(flask(office, "ca", "signer", "a-pdf-signer", "--pdf"))
    assert (signer.common_name, signer.key_algorithm, other.key_algorithm) == ("演示签章者", "SM2", "P-256")
    after = flask(office, "makers", "list").splitlines()
    assert [line.split(" ", 1)[1] for line in after if line not in before] == [maker.subject]
    assert "2" in flask(office, "ca", "signer", "a-signer", status=2) + "2", "the name is taken"


def test_a_key_made_elsewhere_is_certified_unless_it_is_weak(office: Office, openssl: str, tmp_path: Path) -> None:
    theirs = OpenSSL(openssl, tmp_path, "SM2")
    theirs.key("good")
    (certificate,) = parse_pem(flask(office, "ca", "signer", "taken-in", "--key", str(tmp_path / "good.key")))
    assert (certificate.key_algorithm, certificate.common_name) == ("SM2", "taken-in")
    from cryptography.hazmat.primitives.asymmetric import ec

    weak = ec.derive_private_key(5, ec.SECP256R1())
    (tmp_path / "weak.key").write_bytes(pem_of(weak))
    flask(office, "ca", "signer", "weak", "--pdf", "--key", str(tmp_path / "weak.key"), status=2)
    flask(office, "ca", "signer", "other", "--pdf", "--key", str(tmp_path / "good.key"), status=2)


def test_a_seal_by_whoever_is_no_maker_does_not_hold(office: Office) -> None:
    """A department's own certificate under the trusted root makes a seal: today everything about it would hold."""
    (rogue,) = parse_pem(flask(office, "ca", "signer", "rogue"))
    city = City()
    key = office.house.keys.seal_signer("rogue")

    class Rogue:
        der, sign, certificate = rogue.der, staticmethod(key.sign), rogue

    now = datetime.now(UTC).replace(microsecond=0)
    days = {"valid_from": now - timedelta(days=1), "valid_until": now + timedelta(days=1)}
    seal = city.make_seal(maker=Rogue, signers=(Rogue,), **days)  # type: ignore[arg-type]
    forged = city.stamp(LETTER, seal=seal, signer=Rogue, signed_at=now)  # type: ignore[arg-type]
    report = office.by_api(forged, LETTER)
    assert (report["ok"], results(report)["seal_maker"]) == (False, "fail")
    assert office.by_command(forged, LETTER)[0] == 1


def test_makers_are_added_and_removed_by_the_operator(office: Office, tmp_path: Path) -> None:
    (tmp_path / "maker.pem").write_text(to_pem(City().maker.der))
    fingerprint = flask(office, "makers", "add", str(tmp_path / "maker.pem")).split()[0]
    assert fingerprint in flask(office, "makers", "list")
    flask(office, "makers", "remove", fingerprint)
    assert fingerprint not in flask(office, "makers", "list")
    flask(office, "makers", "remove", fingerprint, status=2)
    flask(office, "makers", "add", str(tmp_path / "none.pem"), status=2)


def test_lists_of_others_are_added(office: Office, tmp_path: Path) -> None:
    city = City()
    from keys.certificates.crl import issue_list

    now = datetime.now(UTC).replace(microsecond=0)
    der = issue_list(
        issuer=city.root.certificate, sign=city.root.sign, number=1, this_update=now, next_update=now + timedelta(1),
        revoked=[],
    )  # fmt: skip
    (tmp_path / "list.crl").write_bytes(der)
    for _ in range(2):
        assert city.root.certificate.subject in flask(office, "crl", "add", str(tmp_path / "list.crl"))
    rows = [json.loads(line) for line in flask(office, "crl", "list", "--json").splitlines()]
    assert [row["issuer"] for row in rows].count(city.root.certificate.subject) == 1
    (tmp_path / "bad").write_bytes(b"no list")
    flask(office, "crl", "add", str(tmp_path / "bad"), status=2)
    flask(office, "crl", "add", str(tmp_path / "missing"), status=2)


def test_lists_are_kept_fresh(office: Office) -> None:
    act(office.house, keep_fresh)
    before = len(flask(office, "crl", "list").splitlines())
    act(office.house, keep_fresh)
    assert len(flask(office, "crl", "list").splitlines()) == before
    act(office.house, keep_fresh, now=datetime.now(UTC) + timedelta(days=16))
    assert len(flask(office, "crl", "list").splitlines()) == before + 2


def test_revoking_a_signer_ends_his_seal_and_leaves_what_he_sealed_before(databases: Databases, tmp_path: Path) -> None:
    """The last test of the walk, in an office of its own: afterwards the seal is worth nothing."""
    url = databases.fresh(migrate)
    office = build_office(tmp_path, url)
    sealed = office.sealed_letter()
    lists = read_lists(flask(office, "ca", "crl").encode())
    root = act(office.house, lambda call: party_of(call, ROOT)).certificate
    assert is_list_of(lists[0], root)
    fresh, report = office.house.database, office.by_api(sealed, LETTER)
    assert (report["ok"], results(report)["revocation"]) in {(True, "ok"), (True, "not_checked")}  # two seconds' memory
    (tmp_path / "office-list.pem").write_text(flask(office, "ca", "crl"))
    serial = flask(office, "ca", "revoke", office.seal_id, "--reason", "keyCompromise").split()[0]
    revoked = {row["serial"] for row in map(json.loads, flask(office, "ca", "list", "--json").splitlines())}
    assert serial not in revoked, "a seal's certificate is not one of the authority's own"
    (found,) = [one for one in read_lists(flask(office, "ca", "crl").encode()) if one.issuer == root.subject]
    assert [f"{number:x}" for number in found.revoked] == [serial]
    for form in ("detached", "signed_data", "signature"):
        answer = office.use(format=form)
        assert (answer.status_code, answer.json["code"]) == (409, "seal_certificate_revoked"), form
    flask(office, "ca", "revoke", "nobody", status=2)
    assert act(office.house, make_authority).root.certificate == root
    assert act(office.house, lambda call: call.session.scalar(select(func.count()).select_from(PermittedMaker))) == 1
    fresh.engine.dispose()
    databases.drop(url)
