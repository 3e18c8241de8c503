"""What else is scanned at a counter: credentials, identifiers, paper, pictures, files; and the operator's command."""

import io
import json
import re
import zlib
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from licences import artefacts, qr
from licences.change import find
from licences.formats import sdjwt
from tests.sealing import post_form
from tests.town import (
    ALICE,
    BOB,
    CLERK,
    OFFICER,
    SECURITY,
    Town,
)
from tests.unit.seals.made import pack, plain_files


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    """A real-estate title of Alice's: its location is masked as an address."""
    return town.issue().identifier


def test_a_credential_says_what_its_holder_left_in_it(town: Town, title: str) -> None:
    whole = town.act(lambda call: artefacts.credential(call, find(call, title)))
    part = sdjwt.present(whole, ["face_location"])
    report = town.verify(part)
    assert (report["ok"], report["scanned"]) == (True, "credential")
    assert report["licence"]["fields"] == {"location": "演示省示范市示范区演示路3号1幢101室"}
    assert report["licence"]["holder"]["name"] == "王**"
    assert town.verify(whole)["licence"]["holder"]["name"] == "王小明"
    assert town.verify(part)["ok"], "a credential can be shown again and again"
    assert town.verify(part[:-1])["reasons"] == ["signature_invalid"] or not town.verify(part[:-1])["ok"]


def test_an_identifier_says_state_and_a_masked_holder(town: Town, title: str) -> None:
    for text in (
        title,
        f"https://other.example/verify?licence={title}",
        f"  {title.lower()}\r\n",
        title.replace(".", "。"),
    ):
        report = town.verify(text)
        assert (report["ok"], report["scanned"], report["licence"]["fields"]) == (True, "identifier", {})
        assert report["licence"]["holder"]["name"] == "王**"
    foreign = "1.2.156.3005.2.11100000000013127D003.11370000004502000A.X123.001.7"
    found = town.verify(foreign)
    assert (found["ok"], found["state"], found["reasons"]) == (False, None, ["issuer_unknown"])
    assert found["checks"][0]["name"] == "identifier"


def test_a_paper_qr_is_read_from_a_picture_again_and_again(town: Town, title: str) -> None:
    png = town.web.get(f"/v1/licences/{title}/qr.png", headers=town.person(ALICE)).data
    with Image.open(io.BytesIO(png)) as picture:
        codes = zxingcpp.read_barcodes(picture.convert("L"))
    assert re.fullmatch(re.escape(town.house.settings.issuer.upper()) + r"/V#[0-9]{300,700}", codes[0].text)
    for _ in range(2):
        answer = post_form(
            town.web, "/v1/verifications", {"file": png, "purpose": "x"}, headers=town.machine("counter")
        )
        assert answer.status_code == 200
        assert (answer.json["ok"], answer.json["licence"]["identifier"]) == (True, title)


def test_a_picture_of_a_code_and_files_that_are_none(town: Town, title: str) -> None:
    code = town.show(title)
    headers = town.machine("counter")
    shown = post_form(town.web, "/v1/verifications", {"file": qr.png(code)}, headers=headers)
    assert (shown.json["ok"], shown.json["scanned"]) == (True, "show_code")
    for data, reason in (
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "unreadable"),
        (b"\xff\xd8\xff" + b"\xff" * 100, "unreadable"),
        (_bomb(), "unreadable"),
        (b"%PDF-1.7 nothing", "not_sealed"),
        (pack(plain_files(sealed=False)), "not_sealed"),
        (b"\x00" * 5000, "not_sealed"),
        (b"hello", "format_unknown"),
    ):
        report = post_form(town.web, "/v1/verifications", {"file": data}, headers=headers)
        assert report.status_code == 200, report.text
        assert (report.json["ok"], report.json["reasons"]) == (False, [reason])


def test_a_file_that_bears_a_seal_is_judged_as_one(town: Town, title: str) -> None:
    files = {
        name: town.web.get(f"/v1/licences/{title}/{name}", headers=town.person(ALICE)).data
        for name in ("seal.dat", "credential.sd-jwt")
    }
    headers = town.machine("counter")
    sealed = post_form(town.web, "/v1/verifications", {"file": files["seal.dat"]}, headers=headers).json
    assert (sealed["scanned"], sealed["ok"], sealed["document"]["format"]) == ("document", False, "ses_signature")
    assert {"name": "seal_signature", "result": "ok"} in sealed["checks"]
    credential = post_form(town.web, "/v1/verifications", {"file": files["credential.sd-jwt"]}, headers=headers).json
    assert (credential["ok"], credential["scanned"]) == (True, "credential")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"text": ""}, 422, "invalid"),
        ({"text": "x", "file": "y"}, 422, "invalid"),
        ({"text": "x" * 70_000}, 422, "invalid"),
        ({"text": "x", "operator": {"id_number": BOB}}, 403, "operator_unknown"),
        ({"text": "x", "operator": {"id_number": OFFICER}}, 403, "operator_unknown"),
        ({"text": "x", "operator": {"id_number": "nobody"}}, 403, "operator_unknown"),
        ({"text": "x", "operator": {}}, 422, "invalid"),
        ({"text": "x", "department": "short"}, 422, "invalid"),
        ({"text": "x", "admin": True}, 422, "invalid"),
    ],
)
def test_a_verification_is_refused(town: Town, body: dict[str, Any], status: int, code: str) -> None:
    answer = town.web.post("/v1/verifications", json=body, headers=town.machine("counter"))
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text


def test_a_clerk_verifies_with_his_own_token_and_a_citizen_does_not(town: Town, title: str) -> None:
    clerk = town.person(CLERK, client="staff-app")
    report = town.web.post("/v1/verifications", json={"text": town.show(title)}, headers=clerk)
    assert report.json["ok"]
    assert town.looks()[0]["who"] == "孙**"
    citizen = town.web.post("/v1/verifications", json={"text": "x"}, headers=town.person(BOB, client="staff-app"))
    assert (citizen.status_code, citizen.json["code"]) == (403, "operator_unknown")
    foreign = {"text": "x", "department": SECURITY}
    assert town.web.post("/v1/verifications", json=foreign, headers=town.machine("civil-counter")).status_code == 403


def test_the_command_verifies_text_and_pictures(town: Town, title: str, tmp_path: Any) -> None:
    runner = town.app.test_cli_runner()
    held = runner.invoke(args=["verify", "--json", title])
    assert (held.exit_code, json.loads(held.stdout)["ok"]) == (0, True)
    picture = tmp_path / "code.png"
    picture.write_bytes(qr.png(f"http://127.0.0.1:8000/verify?licence={title}"))
    assert runner.invoke(args=["verify", str(picture)]).exit_code == 0
    code = town.show(title)
    assert runner.invoke(args=["verify", code]).exit_code == 0
    assert runner.invoke(args=["verify", code]).exit_code == 1
    assert runner.invoke(args=["verify", "hello"]).exit_code == 2
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert runner.invoke(args=["verify", str(picture)]).exit_code == 2
    assert runner.invoke(args=["verify", "x" * 10_000]).exit_code == 2


def _bomb() -> bytes:
    """A PNG of 30,000 x 30,000 pixels in a few kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = (30_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)
