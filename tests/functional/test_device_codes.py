"""A telephone shows without a network: it is given licences, makes codes itself, and is ended."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from idservice import expiry
from idservice.errors import Problem
from idservice.login import change_password
from licences.offline.verify import Relied
from licences.offline.verify import verify as verify_offline
from licences.showing import device_codes
from licences.showing.models import DeviceCredential, UsedDeviceCode
from licences.status import files, publisher
from licences.status.models import StatusEntry
from licences.status.token_list import Status
from licences.trust import bundle, gather
from tests.device import Device
from tests.identity import PASSWORD
from tests.town import AGENT, ALICE, BOB, CLERK, COMPANY, SECURITY, Town


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


@pytest.fixture
def device(town: Town, card: str) -> Device:
    town.act(lambda call: device_codes.end_all(call, town.subjects[ALICE]))
    found = Device()
    found.enrol(town, card)
    return found


def place_of(town: Town, device: Device) -> int:
    row = select(DeviceCredential.place).where(DeviceCredential.device == device.signer.kid).limit(1)
    return int(town.act(lambda call: call.session.scalar(row)) or 0)


def status_at(town: Town, place: int) -> int | None:
    return town.act(lambda call: call.session.scalar(select(StatusEntry.value).where(StatusEntry.place == place)))


def relied(town: Town) -> Relied:
    """What a verifier has fetched a moment ago."""
    publisher.publish_all(town.house, datetime.now(UTC))
    found = town.act(lambda call: files.find(call.session, gather.NAME))
    assert found is not None
    return Relied.on(bundle.read(found.content.decode(), pins=None))


def test_a_counter_reads_it_and_the_holder_sees_who_looked(town: Town, device: Device, card: str) -> None:
    report = town.verify(device.code(card), purpose="核对身份", department=SECURITY)
    assert (report["ok"], report["scanned"], report["state"]) == (True, "device_code", "valid")
    assert report["licence"]["identifier"] == card
    assert report["licence"]["holder"]["name"] == "王**"
    assert ALICE not in str(report)
    look = town.looks()[0]
    assert (look["purpose"], look["basis"], look["fields"]) == ("核对身份", "device_code", ["masked_face"])


def test_the_clerks_page_reads_it_and_the_public_page_does_not_use_it_up(town: Town, device: Device, card: str) -> None:
    code, clerk = device.code(card), town.browser(CLERK)
    anybody = town.browser(BOB)
    assert "只有办事窗口能核验" in anybody.submit(anybody.open("/verify"), text=code).text
    page = clerk.submit(clerk.open("/counter"), text=code, purpose="identity")
    assert "王**" in page.text
    assert "居民身份证" in page.text


def test_what_a_device_gets_is_masked_and_lives_a_week(town: Town, device: Device, card: str) -> None:
    given = device.enrol(town, card)
    (item,) = given["items"]
    assert item["licence"] == card
    until = datetime.fromisoformat(item["expires_at"]) - datetime.fromisoformat(given["at"])
    assert timedelta(days=6, hours=23) < until <= timedelta(days=7)
    content = device.credentials[card]
    assert "王小明".encode() not in content
    assert ALICE.encode() not in content
    place = place_of(town, device)
    assert place == place_of(town, device), "a device's next credential keeps its place"
    held = select(func.count(func.distinct(DeviceCredential.place))).where(DeviceCredential.device == device.signer.kid)
    assert town.act(lambda call: call.session.scalar(held)) == 1


def test_only_a_person_s_own_licences_that_hold(town: Town, device: Device, card: str) -> None:
    assert device.ask(town, card, number=BOB).status_code == 404
    ended = town.issue().identifier
    assert town.change(ended, "suspend", reason="演示").status_code == 201
    assert device.ask(town, ended).json["code"] == "licence_not_in_force"
    off_curve = {**device.jwk, "y": device.jwk["x"]}
    body = {"public_key": off_curve, "licences": [card]}
    answer = town.post("/v1/device-credentials", body, town.person(ALICE))
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/public_key")
    agent = town.caller(AGENT, principal=town.subjects[COMPANY])
    with pytest.raises(Problem, match="forbidden"):
        town.act(device_codes.listed, caller=agent)


def test_at_most_five_devices(town: Town, device: Device, card: str) -> None:
    others = [Device() for _ in range(4)]
    for other in others:
        other.enrol(town, card)
    sixth = Device().ask(town, card)
    assert (sixth.status_code, sixth.json["code"]) == (409, "too_many_devices")
    assert device.ask(town, card).status_code == 201, "one that is known renews"
    listed = town.web.get("/v1/device-credentials", headers=town.person(ALICE)).json["items"]
    assert {one["device"] for one in listed} == {one.signer.kid for one in (device, *others)}


def test_a_suspended_licence_is_refused_and_one_resumed_holds_again(town: Town, device: Device) -> None:
    licence, phone = town.issue().identifier, device
    phone.enrol(town, licence)
    town.change(licence, "suspend", reason="演示")
    assert town.verify(phone.code(licence))["reasons"] == ["suspended"]
    town.change(licence, "resume", reason="演示")
    assert town.verify(phone.code(licence))["ok"]


def test_an_ended_device_is_refused_here_at_once_and_offline_with_the_next_list(
    town: Town, device: Device, card: str
) -> None:
    place = place_of(town, device)
    assert verify_offline(device.code(card), relied(town), now=datetime.now(UTC)).ok
    where = f"/v1/device-credentials/{device.signer.kid}"
    assert town.web.delete(where, headers=town.person(BOB)).status_code == 404
    assert town.web.delete(where, headers=town.person(ALICE)).status_code == 204
    assert town.web.delete(where, headers=town.person(ALICE)).status_code == 404
    assert town.verify(device.code(card))["reasons"] == ["device_ended"]
    assert verify_offline(device.code(card), relied(town), now=datetime.now(UTC)).reasons == ["revoked"]
    town.change(card, "suspend", reason="演示")
    town.change(card, "resume", reason="演示")
    assert status_at(town, place) == Status.INVALID, "what happens to the licence does not bring the device back"


def test_signing_out_everywhere_ends_every_device(town: Town, device: Device, card: str) -> None:
    browser = town.browser(ALICE)
    page = browser.open("/me/sessions")
    browser.open("/me/sessions", {"csrf_token": page.form["values"]["csrf_token"], "end": "others"})
    town.forget_tokens()
    assert town.verify(device.code(card))["reasons"] == ["device_ended"]
    assert status_at(town, place_of(town, device)) == Status.INVALID


def test_the_page_of_devices_gives_and_ends(town: Town, device: Device, card: str) -> None:
    browser, phone = town.browser(ALICE), Device()
    page = browser.open("/me/offline/devices")
    assert device.signer.kid in page.text
    token = page.form["values"]["csrf_token"]
    key = {"x": phone.jwk["x"], "y": phone.jwk["y"]}
    given = browser.open("/me/offline/devices", {"csrf_token": token, "licences": card, **key})
    assert given.status == 200
    assert '"credential"' in given.text
    refused = browser.open("/me/offline/devices", {"csrf_token": "x", "licences": card, **key})
    assert refused.status == 403
    again = browser.open("/me/offline/devices/end", {"csrf_token": token, "device": phone.signer.kid})
    assert phone.signer.kid not in again.text
    unknown = browser.open("/me/offline/devices/end", {"csrf_token": token, "device": "0" * 16})
    assert unknown.status == 404


def test_the_page_that_works_offline_says_nothing_of_its_reader(town: Town) -> None:
    page = town.browser(ALICE).open("/me/offline")
    assert page.status == 200
    anybody = town.web.get("/me/offline")
    assert anybody.status_code == 200
    assert "csrf_token" not in anybody.text
    script = town.web.get("/me/offline/worker.js")
    assert script.headers["Service-Worker-Allowed"] == "/me/offline"
    assert script.mimetype == "text/javascript"
    assert re.search(r'EDITION = "ona-show-[0-9a-f]{16}"', script.text)
    names = re.findall(r'"(/static/[^"]+)"', script.text)
    assert len(names) > 10
    for name in names:
        with town.web.get(name) as asset:
            assert asset.status_code == 200, name
    assert town.browser(ALICE).open("/me/offline/worker.js").text == script.text, "one worker for everybody"


def test_a_revoked_key_and_a_foreign_one(town: Town, device: Device, card: str) -> None:
    stranger = Device()
    stranger.credentials = device.credentials
    assert town.verify(stranger.code(card))["reasons"] == ["signature_invalid"]
    assert town.verify("LD2:AAAA")["reasons"] == ["format_unknown"]
    assert town.verify("LD1:AAAA")["reasons"] == ["unreadable"]


def test_a_credential_that_was_not_made_here_shows_nothing(town: Town, device: Device, card: str) -> None:
    gone = (
        update(DeviceCredential)
        .where(DeviceCredential.device == device.signer.kid)
        .values(device="x" * 16, digest=b"0" * 32)
    )
    town.act(lambda call: call.session.execute(gone))
    report = town.verify(device.code(card))
    assert (report["reasons"], "licence" in report) == (["signature_invalid"], False)


def test_a_licence_that_left_the_register_is_no_yes(town: Town, device: Device, card: str) -> None:
    moved = update(DeviceCredential).where(DeviceCredential.device == device.signer.kid)
    town.act(lambda call: call.session.execute(moved.values(identifier=f"{card}.X")))
    report = town.verify(device.code(card))
    assert (report["ok"], report["reasons"]) == (False, ["issuer_unknown"])


def test_an_operator_verifies_one_on_the_command_line(town: Town, device: Device, card: str) -> None:
    runner, code = town.app.test_cli_runner(), device.code(card)
    for status, reasons in ((0, []), (1, ["replayed"])):
        done = runner.invoke(args=["verify", "--json", code])
        assert done.exit_code == status, done.output
        assert json.loads(done.output)["reasons"] == reasons


def test_a_new_password_ends_every_device(town: Town, device: Device, card: str) -> None:
    whose = town.subjects[ALICE]
    for new in (f"{PASSWORD}-anew", PASSWORD):
        town.act(partial(change_password.change, subject=whose, new=new, keep=None), caller=town.caller(ALICE))
    town.forget_tokens()
    assert town.verify(device.code(card))["reasons"] == ["device_ended"]


def test_what_is_over_is_swept(town: Town, device: Device, card: str) -> None:
    assert town.verify(device.code(card))["ok"]
    late = datetime.now(UTC) + timedelta(days=9)
    expiry.sweep(town.house, late)
    assert town.count(UsedDeviceCode) == 0
    assert town.count(DeviceCredential) == 0
    town.forget_tokens()  # they were swept too
