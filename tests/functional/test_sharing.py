"""Sharing licences with other systems: who may do what with which type, what is answered, and what is on record."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest
from sqlalchemy import select, update

from idservice.errors import Problem
from idservice.models import AccessRecord, AuditEntry, Client
from idservice.oauth import clients
from licences import identifier, paper
from licences.collection import source_identifiers
from licences.guard import honey, rules, standing, stop
from licences.guard.policy import ALLOW, ANY, DENY, Rule
from licences.guard.quota import Quota
from licences.sharing import permissions
from licences.sharing.models import AnnotatedCopy
from licences.sharing.permissions import Operation
from tests.identity import CALLBACK, bearer
from tests.sharing import AGREES, CAUSE, GROUND, ask, holder, link_of, permit, register, status
from tests.town import ALICE, BOB, CIVIL, CLERK, COMPANY, SECURITY, STRANGER, Town, type_of

CARD, TITLE = "resident_card", "real_estate_title"
CARD_MATTER, TITLE_MATTER = "DM-M-005", "DM-M-027"


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    """A resident card of Alice's, and an app that may do everything with the type."""
    register(town)
    permit(town, CARD)
    return town.issue(CARD).identifier


# --- what is answered ---------------------------------------------------------------------------------------------


def test_a_holders_licences_are_found_with_what_the_matter_needs(town: Town, card: str) -> None:
    answer = ask(town, "queryCertInfoByHolderCode", holder())
    assert status(answer) == 0
    (found,) = answer.json["data"]["certificates"]
    assert found["certificateIdentifier"] == card
    assert found["status"] == "01"
    assert set(found["surfaceData"]) == {"holder_name", "holder_number", "state", "valid_until"}
    assert "address" not in answer.text, "the matter does not need it"


def test_whoever_may_only_find_gets_the_identifier_alone(town: Town, card: str) -> None:
    register(town, "finder")
    permit(town, CARD, Operation.FIND, client_id="finder")
    answer = ask(town, "queryCertInfoByHolderCode", holder(), "finder")
    assert status(answer) == 0
    assert "王小明" not in answer.text
    assert answer.json["data"]["certificates"][0]["certificateIdentifier"] == card


def test_a_sources_identifier_reaches_no_type_that_it_does_not_name(town: Town, card: str) -> None:
    title = town.issue(TITLE).identifier
    named = identifier.build(type_of(CARD).code, COMPANY, "FOREIGN1", 1)
    town.act(lambda call: source_identifiers.lead(call, [(named, title, None)]))
    assert town.verify(named)["licence"]["identifier"] == title
    answer = ask(town, "queryCertInfo", {"certificateIdentifier": named})
    nothing = identifier.build(type_of(CARD).code, COMPANY, "FOREIGN2", 1)
    assert answer.json == ask(town, "queryCertInfo", {"certificateIdentifier": nothing}).json
    assert "surfaceData" not in answer.text


def test_nobody_and_somebody_without_one_are_answered_alike(fresh_town: Town) -> None:
    register(fresh_town)
    permit(fresh_town, CARD)
    nobody = ask(fresh_town, "queryCertInfoByHolderCode", holder(STRANGER))
    nothing = ask(fresh_town, "queryCertInfoByHolderCode", holder(BOB))
    assert nobody.json == nothing.json
    assert status(nobody) == 10


def test_a_number_narrows_and_a_wrong_one_finds_nothing(town: Town, card: str) -> None:
    assert status(ask(town, "queryCertInfoByHolderCode", holder(certificateNumber=ALICE))) == 0
    assert status(ask(town, "queryCertInfoByHolderCode", holder(certificateNumber="1"))) == 10


def test_a_licence_is_read_by_identifier_and_by_its_code_on_paper(town: Town, card: str) -> None:
    by_identifier = ask(town, "queryCertInfo", {"certificateIdentifier": card})
    code = town.act(lambda call: paper.compact(call, town.row(card)))
    by_code = ask(town, "queryCertInfoByQRcode", {"qrcode": code})
    assert status(by_identifier) == status(by_code) == 0
    assert by_identifier.json["data"] == by_code.json["data"]
    assert by_code.json["data"]["surfaceData"]["holder_name"] == "王小明"


def test_a_show_code_is_used_up_and_shows_what_the_holder_chose(town: Town, card: str) -> None:
    code = town.show(card, fields=["holder_name", "address"])
    answer = ask(town, "queryCertInfoByQRcode", {"qrcode": code})
    assert status(answer) == 0
    assert answer.json["data"]["surfaceData"] == {"holder_name": "王小明"}
    assert town.looks()[0]["basis"] == "show_code"
    assert status(ask(town, "queryCertInfoByQRcode", {"qrcode": code})) == 10


def test_data_is_verified_by_yes_or_no(town: Town, card: str) -> None:
    right = holder(certNo=ALICE, holder="王小明", surfaceData={"birth_date": "1990年3月7日"})
    assert ask(town, "verifyCertInfo", right).json["data"] == {"result": True, "message": "一致"}
    twice = {"holder": "王小", "surfaceData": {"holder_name": "王小明"}}
    for wrong in ({"holder": "王小"}, twice, {"certNo": "1"}, {"surfaceData": {"birth_date": "19900308"}}):
        answer = ask(town, "verifyCertInfo", right | wrong)
        assert answer.json["data"] == {"result": False, "message": "不一致"}
    other = ask(town, "verifyCertInfo", right | {"holderCode": STRANGER})
    assert other.json["data"]["result"] is False


def test_the_dictionary_is_the_catalogues(town: Town, card: str) -> None:
    answer = ask(
        town, "getCertRemarkInfo", {"certificateTypeCode": type_of(CARD).code, "useCause": ..., "operator": ...}
    )
    assert status(answer) == 0
    assert [field["name"] for field in answer.json["data"]["fields"]] == [field.name for field in type_of(CARD).fields]


def in_the_page(document: bytes) -> int:
    """Return where a byte of the content stands: an OFD is a ZIP, with bytes between its files that say nothing."""
    if document.startswith(b"%PDF-"):
        return len(document) // 3
    largest = max(zipfile.ZipFile(io.BytesIO(document)).infolist(), key=lambda entry: entry.compress_size)
    return document.index(largest.filename.encode(), largest.header_offset) + 64 + largest.compress_size // 2


@pytest.mark.parametrize("form", ["pdf", "ofd"])
def test_a_file_is_an_annotated_copy_and_verifies_as_one(town: Town, card: str, form: str) -> None:
    answer = ask(town, "downloadFile", {"certificateIdentifier": card, "fileType": form, "validDays": 3})
    assert status(answer) == 0
    data = answer.json["data"]
    assert (data["certificateCopyCause"], data["fileType"]) == (CAUSE, form)
    checked = ask(town, "verifyFile", {"fileData": data["fileData"]})
    assert checked.json["data"]["result"] is True
    assert checked.json["data"]["certificateCopyCause"] == CAUSE
    assert "surfaceData" not in checked.text
    broken = bytearray(base64.b64decode(data["fileData"]))
    broken[in_the_page(broken)] ^= 1
    checked = ask(town, "verifyFile", {"fileData": base64.b64encode(broken).decode()})
    assert checked.json["data"]["result"] is False


def test_the_holder_reads_who_what_why_and_by_which_law(town: Town, card: str) -> None:
    link_of(town, card)
    look = town.looks()[0]
    assert (look["act"], look["purpose"], look["law"]) == ("licences:sharing:read", CAUSE, GROUND)
    assert (look["who"], look["fields"], look["matter"]) == ("孙**", ["document"], CARD_MATTER)
    assert "示范市公安局" in look["unit"]


# --- what is refused ----------------------------------------------------------------------------------------------


def test_every_operation_needs_its_own_permission_for_every_type(town: Town, card: str) -> None:
    """The matrix of app, type and operation: what is permitted passes, all else is status 100 and on no record."""
    title = town.issue(TITLE).identifier
    register(town, "matrix")
    asked: dict[Operation, Any] = {
        Operation.FIND: lambda slug, _code: ("queryCertInfoByHolderCode", holder(slug=slug)),
        Operation.READ: lambda _slug, code: ("queryCertInfo", {"certificateIdentifier": code}),
        Operation.DOWNLOAD: lambda _slug, code: ("downloadFile", {"certificateIdentifier": code}),
        Operation.VERIFY_DATA: lambda slug, _code: ("verifyCertInfo", holder(slug=slug, certNo="1", holder="王")),
    }
    for permitted in asked:
        permit(town, CARD, permitted, client_id="matrix")
        for operation, request in asked.items():
            for slug, code in ((CARD, card), (TITLE, title)):
                name, data = request(slug, code)
                wanted = 0 if operation is permitted and slug == CARD else 100
                assert status(ask(town, name, data, "matrix")) == wanted, (permitted, operation, slug)
    file = ask(town, "downloadFile", {"certificateIdentifier": card}).json["data"]["fileData"]
    assert status(ask(town, "verifyFile", {"fileData": file}, "matrix")) == 100


def test_a_file_of_another_type_tells_nothing_of_the_licence_it_names(town: Town, card: str) -> None:
    held = town.issue(TITLE).identifier
    said = identifier.parts(held)
    never = identifier.build(said.type_code, said.issuer_code, "0" * len(said.serial), 1)
    files = [base64.b64encode(b'%PDF-1.7 pdf:Keywords="' + code.encode() + b'"').decode() for code in (held, never)]
    first, second = (ask(town, "verifyFile", {"fileData": file}) for file in files)
    assert (status(first), first.json) == (100, second.json)


def test_a_permission_takes_two_people_and_ends_at_once(town: Town, card: str) -> None:
    register(town, "new")
    wanted = {
        "client_id": "new", "type": type_of(CARD).code, "operations": ["read"], "department": SECURITY,
        "matter": CARD_MATTER, "ground": GROUND, "unattended": True,
    }  # fmt: skip
    looked = {"certificateIdentifier": card, "operator": ...}
    kind = wanted["type"]
    first = town.act(lambda call: permissions.ask(call, wanted).asked_at)
    assert status(ask(town, "queryCertInfo", looked, "new")) == 100
    with pytest.raises(Problem, match="second_person"):
        town.act(lambda call: permissions.agree(call, "new", kind, asked_at=first))
    town.act(lambda call: permissions.agree(call, "new", kind, asked_at=first), caller=AGREES)
    assert status(ask(town, "queryCertInfo", looked, "new")) == 0
    second = town.act(lambda call: permissions.ask(call, wanted).asked_at)  # a change waits again
    assert status(ask(town, "queryCertInfo", looked, "new")) == 100
    with pytest.raises(Problem, match="conflict"):  # to what he saw before
        town.act(lambda call: permissions.agree(call, "new", kind, asked_at=first), caller=AGREES)
    town.act(lambda call: permissions.agree(call, "new", kind, asked_at=second), caller=AGREES)
    town.act(lambda call: permissions.revoke(call, "new", kind))
    assert status(ask(town, "queryCertInfo", looked, "new")) == 100


def test_an_app_alone_reads_for_its_own_department_and_a_public_one_never(town: Town, card: str) -> None:
    register(town, "elsewhere", department=CIVIL)
    permit(town, CARD, Operation.READ, client_id="elsewhere", unattended=True)
    looked = {"certificateIdentifier": card}
    assert status(ask(town, "queryCertInfo", looked | {"operator": ...}, "elsewhere")) == 100
    assert status(ask(town, "queryCertInfo", looked, "elsewhere")) == 100, "nor by a clerk of another's"
    town.act(
        lambda call: clients.register(
            call, client_id="phone", name="phone", unit="示范单位", auth_method="none",
            grant_types=["authorization_code"], redirect_uris=[CALLBACK], scope="openid",
        )
    )  # fmt: skip
    wider = update(Client).where(Client.client_id == "phone").values(scope="openid licences.share")
    town.act(lambda call: call.session.execute(wider))  # as no registration allows
    with pytest.raises(Problem, match="invalid"):
        permit(town, CARD, client_id="phone")


@pytest.mark.parametrize(
    ("operation", "data", "wanted"),
    [
        ("queryCertInfo", {"certificateIdentifier": "CARD", "useCause": ...}, 12),
        ("queryCertInfo", {"certificateIdentifier": "CARD", "useCause": "由" * 201}, 102),
        ("queryCertInfo", {"certificateIdentifier": "CARD", "operator": ...}, 12),
        ("queryCertInfo", {"certificateIdentifier": "CARD", "operator": {"idNumber": BOB}}, 100),
        ("queryCertInfo", {"certificateIdentifier": "1.2.3"}, 102),
        ("queryCertInfo", {}, 12),
        ("queryCertInfoByHolderCode", holder() | {"certificateTypeCode": "1" * 21}, 113),
        ("queryCertInfoByHolderCode", holder() | {"holderCodeType": "001"}, 102 + 1),
        ("queryCertInfoByHolderCode", holder() | {"holderCodeType": "7"}, 103),
        ("queryCertInfoByHolderCode", holder("37160219900307123"), 102),
        ("queryCertInfoByHolderCode", holder() | {"holderCode": "*"}, 102),
        ("verifyCertInfo", holder(holder="王小明"), 109),
        ("verifyCertInfo", holder(holder="王小明", certNo="1") | {"holderCode": ...}, 110),
        ("verifyCertInfo", holder(certNo="1"), 111),
        ("queryCertInfoByQRcode", {"qrcode": "nothing"}, 10),
        ("verifyFile", {"fileData": "?"}, 102),
        ("downloadFile", {"certificateIdentifier": "CARD", "fileType": "docx"}, 102),
        ("downloadFile", {"certificateIdentifier": "CARD", "validDays": 32}, 102),
        ("downloadFile", {"certificateIdentifier": "CARD", "useCause": "办事😀"}, 102),
    ],
)
def test_what_is_wrong_has_its_number(town: Town, card: str, operation: str, data: dict[str, Any], wanted: int) -> None:
    data = {name: card if value == "CARD" else value for name, value in data.items()}
    answer = ask(town, operation, data)
    assert status(answer) == wanted, answer.text
    assert answer.json["data"] is None


def test_the_head_may_repeat_the_client_and_nothing_else(town: Town, card: str) -> None:
    data = {"certificateIdentifier": card}
    assert status(ask(town, "queryCertInfo", data, head={"accessId": "share-app"})) == 0
    assert status(ask(town, "queryCertInfo", data, head={"accessId": "finder"})) == 11
    assert status(ask(town, "queryCertInfo", data, head={"accessToken": "x"})) == 11


def test_what_comes_before_the_operation_is_a_problem_document(town: Town, card: str) -> None:
    body = {"data": {"certificateIdentifier": card, "useCause": CAUSE}}
    no_token = town.web.post("/v1/sharing/queryCertInfo", json=body)
    assert (no_token.status_code, no_token.mimetype) == (401, "application/problem+json")
    no_scope = town.post("/v1/sharing/queryCertInfo", body, town.machine("counter"))
    assert (no_scope.status_code, no_scope.json["code"]) == (403, "insufficient_scope")
    forged = town.post("/v1/sharing/queryCertInfo", body, bearer("x"))
    assert forged.status_code == 401


def test_a_licence_that_is_not_valid_is_read_and_not_handed_out(town: Town, card: str) -> None:
    other = town.issue(CARD, BOB).identifier
    file = town.web.get(link_of(town, other)).data
    assert town.change(other, "suspend", reason="核查").status_code == 201
    read = ask(town, "queryCertInfo", {"certificateIdentifier": other})
    assert (status(read), read.json["data"]["status"]) == (0, "02")
    assert status(ask(town, "downloadFile", {"certificateIdentifier": other})) == 10
    claimed = holder(BOB, certNo=BOB, holder="赵大海")
    assert ask(town, "verifyCertInfo", claimed).json["data"]["result"] is False
    checked = ask(town, "verifyFile", {"fileData": base64.b64encode(file).decode()}).json["data"]
    assert (checked["result"], checked["reasons"]) == (False, ["suspended"])


# --- the guard ----------------------------------------------------------------------------------------------------


def test_the_guard_stands_in_front(town: Town, card: str) -> None:
    """A denied unit, a stop and a honey number: nothing is read, and the touch is an alarm."""
    data = {"certificateIdentifier": card}
    denied = town.act(lambda call: rules.put(call, Rule(DENY, matter=CARD_MATTER, region=ANY, ground=ANY), note="test"))
    looks = town.count(AccessRecord)
    assert status(ask(town, "queryCertInfo", data)) == 100
    assert status(ask(town, "queryCertInfoByHolderCode", holder())) == 100
    assert town.count(AccessRecord) == looks
    town.act(lambda call: rules.remove(call, denied))
    stopped = town.act(lambda call: stop.put(call, scope=standing.MATTER, target=CARD_MATTER, reason="test").stop_id)
    answer = ask(town, "downloadFile", data)
    assert (answer.status_code, answer.json["code"]) == (503, "look_ups_stopped")
    town.act(lambda call: stop.resume(call, stopped))
    town.act(lambda call: stop.resume(call, stopped), caller=AGREES)
    assert status(ask(town, "queryCertInfo", data)) == 0
    town.act(lambda call: honey.put(call, [STRANGER]))
    answer = ask(town, "queryCertInfoByHolderCode", holder(STRANGER))
    assert status(answer) == 10, "as for anybody unknown"
    wanted = select(AuditEntry.facts).where(AuditEntry.deed == "licences:alarm:raise")
    assert any('"honey"' in facts for facts in town.act(lambda call: call.session.scalars(wanted).all()))


def test_an_app_on_its_own_has_a_quota_too(town: Town, card: str) -> None:
    register(town, "batch")
    permit(town, CARD, Operation.READ, client_id="batch", unattended=True)
    town.act(lambda call: rules.limit(call, SECURITY, Quota(2, 100_000, 100_000)))
    object.__setattr__(town.house.settings, "unthrottled_loopback", False)
    data = {"certificateIdentifier": card, "operator": ...}
    answers = [ask(town, "queryCertInfo", data, "batch") for _ in range(3)]
    object.__setattr__(town.house.settings, "unthrottled_loopback", True)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Retry-After" in answers[2].headers


def test_what_left_is_on_record_under_its_number(town: Town, card: str) -> None:
    before = town.count(AnnotatedCopy)
    answer = ask(town, "downloadFile", {"certificateIdentifier": card})
    number = answer.json["data"]["certificateCopyNumber"]
    row = town.act(lambda call: call.session.get_one(AnnotatedCopy, number))
    assert town.count(AnnotatedCopy) == before + 1
    assert (row.identifier, row.form) == (card, "ofd")
    assert CLERK not in str(vars(row))


def test_a_key_for_repeating_keeps_no_file(town: Town, card: str) -> None:
    headers = town.machine("share-app") | {"Idempotency-Key": "k1"}
    body = {"data": {"certificateIdentifier": card, "useCause": CAUSE, "operator": {"idNumber": CLERK}}}
    first, again = (town.web.post("/v1/sharing/downloadFile", json=body, headers=headers) for _ in range(2))
    assert first.json["data"]["certificateCopyNumber"] != again.json["data"]["certificateCopyNumber"]


def test_rules_of_the_holder_do_not_open_the_way_by_law(town: Town, card: str) -> None:
    """A new service lets nobody share by law: a row of the guard has to say so beside the permission."""
    narrow = [row.rule_id for row in town.act(rules.listed) if row.effect == ALLOW]
    for rule in narrow:
        town.act(lambda call, rule=rule: rules.remove(call, rule))
    town.act(lambda call: rules.put(call, Rule(ALLOW, region="37"), note="authorised by the holder alone"))
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card})) == 100
    town.act(lambda call: rules.put(call, Rule(ALLOW, region="37", ground=ANY), note="as the town has it"))
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card})) == 0
