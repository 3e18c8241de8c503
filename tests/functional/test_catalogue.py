"""A licence type changes while licences of it live: each keeps the version it was issued under."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from idservice.call import Caller
from licences import catalogue, catalogue_change, enrol
from licences.catalogue_cli import types
from licences.catalogue_models import LicenceTypeVersion
from licences.catalogue_schemas import MAX_LISTED
from licences.definition import LicenceType
from licences.metadata_form import SHORT_NAMES
from licences.surface import Mask
from tests.town import ALICE, BOB, CIVIL, CLERK, OFFICER, PERSON_NAMES, SECURITY, STRANGER, Town, order_for, type_of

OPERATOR = Caller(channel="cli", client_id="operator", all_departments=True)


@pytest.fixture(autouse=True)
def as_shipped(town: Town) -> Iterator[None]:
    """Give the town back its types as they are shipped (as a next version) after each test."""
    yield
    for slug in ("patent_certificate", "household_register"):
        town.act(lambda call, slug=slug: enrol.put_type(call, type_of(slug)))


def as_data(kind: LicenceType) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(asdict(kind)))
    return found


def changed(kind: LicenceType, **more: Any) -> dict[str, Any]:
    return as_data(replace(kind, **more))


def enter(town: Town, definition: object, headers: dict[str, str] | None = None, **more: Any) -> Any:
    return town.post("/v1/licence-types", {"definition": definition, **more}, headers)


def test_a_new_version_leaves_old_licences_as_they_are(town: Town) -> None:
    kind = type_of("patent_certificate")
    old = town.order(kind.slug, BOB)
    renamed = tuple(
        replace(field, name="makers", title="设计人", mask=Mask.NONE) if field.name == "inventors" else field
        for field in kind.fields
    )
    done = enter(town, changed(kind, name="专利证", fields=renamed), reason="字段更名", base=version_of(town, kind))
    assert done.status_code == 201, done.text
    assert {"place": "name", "before": "发明专利证书", "after": "专利证"} in done.json["changes"]
    assert {change["place"] for change in done.json["changes"]} >= {"fields/order", "fields/makers/title"}

    # In use at once: what the old version asked for is refused, what the new one asks for is issued.
    assert town.post("/v1/licences", order_for(kind.slug, BOB)).status_code == 422
    wanted = {**kind.examples(), "makers": "李示例"}
    del wanted["inventors"]
    new = town.order(kind.slug, BOB, fields=wanted)
    assert new["type_version"] == done.json["version"] == old["type_version"] + 1
    assert new["name"] == "专利证"

    again = town.web.get(f"/v1/licences/{old['identifier']}", headers=town.machine("issuer")).json
    assert (again["name"], again["type_version"]) == ("发明专利证书", old["type_version"])
    browser = town.browser(BOB)
    assert "发明人" in browser.open(f"/me/licences/{old['identifier']}").text
    shown = browser.open(f"/me/licences/{new['identifier']}").text
    assert "设计人" in shown
    assert "发明人" not in shown
    for code, name, value in ((old, "inventors", "张**"), (new, "makers", "李示例")):
        seen = town.verify(town.show(code["identifier"], number=BOB))["licence"]["fields"]
        assert seen[name] == value, "masked by the rule it was issued under"

    # A next version of the licence is one of the type as it is now, and says when and why it came.
    refused = town.change(old["identifier"], "correct", reason="姓名有误")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/fields/makers")
    corrected = town.change(old["identifier"], "correct", reason="姓名有误", fields={"makers": "王示例"})
    assert corrected.status_code == 201, corrected.text
    assert "inventors" not in corrected.json["fields"]
    where = f"/v1/licences/{corrected.json['identifier']}?form=metadata"
    told = town.web.get(where, headers=town.machine("issuer")).json["metadata"]
    assert (told["changeReason"], told["associatedCertIdentifier"]) == ("姓名有误", old["identifier"])
    assert told["certificateTypeVersion"] == new["type_version"]


def version_of(town: Town, kind: LicenceType) -> int:
    return town.act(lambda call: catalogue.find(call, kind.code)).version


def test_versions_are_kept_with_who_and_why(town: Town) -> None:
    kind = type_of("household_register")
    version = version_of(town, kind)
    assert enter(town, changed(kind, name_en="Register of a household"), reason="英文名").status_code == 201
    same = enter(town, changed(kind, name_en="Register of a household"))
    assert (same.json["version"], same.json["changes"]) == (version + 1, [])
    assert enter(town, as_data(kind), base=version).json["code"] == "conflict"
    row = town.act(lambda call: call.session.get_one(LicenceTypeVersion, (kind.code, version + 1)))
    assert (row.reason, row.entered_by) == ("英文名", "client:issuer")
    first = town.web.get(f"/v1/licence-types/{kind.code}?version=1").json
    latest = town.web.get(f"/v1/licence-types/{kind.code}").json
    assert (first["version"], first["name_en"], first["latest_version"]) == (1, kind.name_en, version + 1)
    assert latest["name_en"] == "Register of a household"
    assert [told["version"] for told in latest["versions"]] == list(range(version + 1, 0, -1))
    assert town.web.get(f"/v1/licence-types/{kind.code}?version=99").status_code == 404


def test_a_type_is_added_and_issued_without_a_restart(town: Town) -> None:
    kind = type_of("student_card")
    added = changed(kind, code=f"{kind.code[:18]}901", slug="library_card", name="借书证", name_en="Library card")
    done = enter(town, added, officer(town))
    assert done.status_code == 201, done.text
    assert done.json["version"] == 1
    body = {**order_for("student_card", BOB), "type": added["code"]}
    assert town.post("/v1/licences", body).json["name"] == "借书证"
    found = town.web.get("/v1/licence-types?q=library card").json["items"]
    assert [(item["code"], item["issuers"][0]["code"]) for item in found] == [(added["code"], SECURITY)]


def officer(town: Town) -> dict[str, str]:
    return town.person(OFFICER, client="staff-app")


def test_who_may_not_change_a_type(town: Town) -> None:
    kind = type_of("household_register")
    wanted = changed(kind, name="户口本")
    for headers, status, code in (
        (town.machine("civil-issuer"), 403, "forbidden"),
        (town.person(ALICE), 403, "insufficient_scope"),
        (town.person(CLERK, client="staff-app"), 403, "forbidden"),
        (town.person(ALICE, client="staff-app"), 403, "forbidden"),
    ):
        answer = enter(town, wanted, headers)
        assert (answer.status_code, answer.json["code"]) == (status, code), (headers, answer.text)
    # An officer of one department changes nothing that another issues, and takes no code of its authority.
    marriage = type_of("marriage_certificate")
    for definition in (
        changed(marriage, name="婚书"),
        changed(type_of("elder_card"), code=f"{CIVIL}001", slug="other", defining_authority=civil_authority()),
    ):
        answer = enter(town, definition, officer(town))
        assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def civil_authority() -> Any:
    return replace(type_of("elder_card").defining_authority, code=CIVIL)


def test_a_type_that_takes_two_people_is_not_eased_by_one(town: Town) -> None:
    kind = type_of("student_card")
    assert enter(town, changed(kind, sensitive=True), officer(town)).status_code == 201
    for headers in (officer(town), town.machine("issuer")):
        assert enter(town, as_data(kind), headers).json["code"] == "forbidden"
    town.act(lambda call: catalogue_change.enter(call, {"definition": as_data(kind)}), caller=OPERATOR)


def test_what_is_wrong_is_named_and_changes_nothing(town: Town) -> None:
    kind = type_of("household_register")
    before = version_of(town, kind)
    broken = as_data(kind)
    broken["fields"][0]["type"] = "text"
    answer = enter(town, broken)
    assert (answer.status_code, answer.json["code"]) == (422, "definition_refused")
    assert answer.json["errors"][0]["pointer"] == "/definition/fields/0/type"
    for definition in ({}, {"code": 1}, as_data(kind) | {"extra": 1}, as_data(kind) | {"fields": [None]}):
        assert enter(town, definition).json["code"] == "definition_refused"
    taken = enter(town, changed(kind, slug="student_card"))
    assert (taken.status_code, taken.json["code"]) == (409, "slug_taken")
    # A field that a matter asks for cannot go.
    needed = enter(town, changed(kind, fields=kind.fields[:1]))
    assert (needed.status_code, needed.json["code"]) == (409, "type_needed"), needed.text
    assert version_of(town, kind) == before


def codes_by_page(town: Town, limit: int) -> list[str]:
    seen, cursor = [], ""
    while cursor is not None:
        page = town.web.get(f"/v1/licence-types?limit={limit}{cursor and f'&cursor={cursor}'}").json
        seen += [item["code"] for item in page["items"]]
        cursor = page["next_cursor"]
    return seen


def test_the_list_is_read_by_pages_kinds_and_words(fresh_town: Town) -> None:
    seen = codes_by_page(fresh_town, 30)
    everything = [item["code"] for item in fresh_town.web.get("/v1/licence-types").json["items"]]
    assert seen == everything == sorted(set(everything))
    organisations = fresh_town.web.get("/v1/licence-types?holder_kind=organisation").json["items"]
    assert {item["holder_kind"] for item in organisations} == {"organisation"}
    assert [i["name"] for i in fresh_town.web.get("/v1/licence-types?q=驾驶证").json["items"]] == ["机动车驾驶证"]
    assert fresh_town.web.get("/v1/licence-types?q=nothing such").json["items"] == []
    for query in ("limit=0", "cursor=x", "holder_kind=ship", "q="):
        assert fresh_town.web.get(f"/v1/licence-types?{query}").status_code == 422


# --- several holders ---------------------------------------------------------------------------------------------


def test_everybody_on_a_licence_finds_it(town: Town) -> None:
    answer = town.post("/v1/licences", shared_by(ALICE, BOB))
    assert answer.status_code == 201, answer.text
    shared = answer.json
    code = shared["identifier"]
    assert [holder["number"] for holder in shared["holders"]] == [ALICE, BOB]
    for number in (ALICE, BOB):
        listed = town.web.get("/v1/licences?limit=200", headers=town.person(number)).json["items"]
        assert [item["identifier"] for item in listed if item["identifier"] == code] == [code]
        assert town.web.get(f"/v1/licences/{code}", headers=town.person(number)).json["holder"]["number"] == ALICE
        browser = town.browser(number)
        assert code in browser.open("/me").text
        assert PERSON_NAMES[BOB] in browser.open(f"/me/licences/{code}").text
    assert town.web.get(f"/v1/licences/{code}", headers=town.person(CLERK)).status_code == 404
    assert town.looks(ALICE)[0]["basis"] == "co_holder", "the owner sees that an app of the other read it"
    assert "whole_licence" in town.looks(BOB)[0]["fields"]

    # A counter sees both masked; the one who stands second reads, and has nothing changed.
    told = town.verify(town.show(code))["licence"]
    assert told["co_holders"] == [{"name": "赵**", "number": told["co_holders"][0]["number"]}]
    assert "*" in told["co_holders"][0]["number"]
    refused = town.change(code, "cancel", town.person(BOB, client="staff-app"), reason="不要了")
    assert (refused.status_code, refused.json["code"]) == (403, "not_entitled")

    # The next version has the same holders, and the second finds that one too.
    renewed = town.change(code, "renew").json
    assert [holder["number"] for holder in renewed["holders"]] == [ALICE, BOB]
    assert town.web.get(f"/v1/licences/{renewed['identifier']}", headers=town.person(BOB)).status_code == 200
    record = town.web.get(f"/v1/licences/{renewed['identifier']}?form=metadata", headers=town.person(BOB)).json
    assert record["metadata"]["certificateHolderCode"] == record["short_names"]["CZZTDM"] == [ALICE, BOB]
    assert record["metadata"]["status"] == "有效"
    assert record["metadata"]["sealName"]
    assert set(record["short_names"]) == set(SHORT_NAMES.values()) - {"ZZBGYY"}


def shared_by(*numbers: str, slug: str = "real_estate_title") -> dict[str, Any]:
    body = order_for(slug) | {"holders": [{"number": number} for number in numbers]}
    del body["holder"]
    return body


def test_holders_that_do_not_go_together(town: Town) -> None:
    for slug, numbers, code in (
        ("household_register", (BOB, ALICE), "holders_one"),
        ("real_estate_title", (BOB, BOB), "invalid"),
        ("real_estate_title", (BOB, STRANGER), "holder_unknown"),
        ("real_estate_title", (BOB, "371602"), "invalid"),
        ("real_estate_title", (), "invalid"),
    ):
        answer = town.post("/v1/licences", shared_by(*numbers, slug=slug))
        assert answer.json["code"] == code, (slug, numbers, answer.text)
    both = town.post("/v1/licences", order_for() | {"holders": [{"number": BOB}]})
    neither = {name: value for name, value in order_for().items() if name != "holder"}
    assert (both.status_code, town.post("/v1/licences", neither).status_code) == (422, 422)


def test_a_shared_licence_stands_in_its_place_among_the_holders_own(town: Town) -> None:
    for _ in range(3):
        town.issue(number=CLERK)
        assert town.post("/v1/licences", shared_by(ALICE, CLERK)).status_code == 201
    seen, cursor = [], ""
    while cursor is not None:
        page = town.web.get(f"/v1/licences?limit=2{cursor and f'&cursor={cursor}'}", headers=town.person(CLERK)).json
        seen += [item["identifier"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 6
    assert seen == sorted(set(seen))


# --- the officer's pages -----------------------------------------------------------------------------------------


def test_an_officer_changes_a_type_on_the_page(town: Town) -> None:
    kind = type_of("household_register")
    browser = town.browser(OFFICER)
    form = browser.open(f"/admin/catalogue/{kind.code}")
    assert form.status == 200
    wanted = changed(kind, name_en="Family register")
    broken = copy.deepcopy(wanted)
    broken["fields"][0]["mask"] = "blur"
    for text, told in ((json.dumps(broken), "fields/0/mask"), ("{", "JSON"), ("", "JSON"), ("[]", "JSON")):
        refused = browser.submit(form, definition=text)
        assert (refused.status, told in refused.text) == (422, True), text
    preview = browser.submit(form, definition=json.dumps(wanted), reason="改英文名")
    assert preview.status == 200
    assert "Family register" in preview.text
    assert kind.name_en in preview.text
    before = version_of(town, kind)
    nameless = browser.submit(preview, reason="")
    assert (nameless.status, version_of(town, kind)) == (422, before)
    done = browser.submit(preview)
    assert (done.status, version_of(town, kind)) == (200, before + 1)
    assert "改英文名" in done.text
    again = browser.submit(preview)
    assert again.status == 409, "the same form posted again was made from an old version"
    public = town.web.get(f"/licence-types/{kind.code}", headers={"Accept-Language": "en"})
    assert "Family register" in public.text


def test_the_pages_are_for_those_who_may(town: Town) -> None:
    marriage = type_of("marriage_certificate")  # the officer's department does not issue it
    browser = town.browser(OFFICER)
    assert browser.open(f"/admin/catalogue/{marriage.code}").status == 404
    assert marriage.name not in browser.open("/admin/catalogue").text
    form = browser.open("/admin/catalogue/new")
    assert browser.submit(form, definition=json.dumps(changed(marriage, name="婚书"))).status == 403
    assert town.browser(CLERK).open("/admin/catalogue").status == 403
    assert town.browser(ALICE).open("/admin/catalogue/new").status == 403


def test_anybody_reads_the_list_page_by_page(town: Town) -> None:
    first = town.web.get("/licence-types").text
    cursor = re.search(r"cursor=([0-9A-Z]{21})", first)
    assert cursor is not None
    second = town.web.get(f"/licence-types?q=&holder_kind=&cursor={cursor[1]}").text
    codes = [re.findall(r'href="/licence-types/([0-9A-Z]{21})"', page) for page in (first, second)]
    assert len(codes[0]) == 30
    assert max(codes[0]) == cursor[1] < min(codes[1])
    found = town.web.get("/licence-types?q=律师&holder_kind=organisation").text
    assert ("律师事务所执业许可证" in found, "律师执业证" in found) == (True, False)
    assert town.web.get("/licence-types?q=&holder_kind=ship").status_code == 422
    assert town.web.get(f"/licence-types/{'1' * 21}").status_code == 404


# --- the operator's commands -------------------------------------------------------------------------------------


def test_types_are_taken_in_from_files_all_or_none(town: Town, tmp_path: Path) -> None:
    run = town.app.test_cli_runner().invoke
    kind = type_of("household_register")
    (tmp_path / "a.json").write_text(json.dumps(changed(kind, name_en="Household booklet")), "utf-8")
    (tmp_path / "b.json").write_text(json.dumps(as_data(kind) | {"extra": 1}), "utf-8")
    before = version_of(town, kind)
    refused = run(types, ["import", str(tmp_path), "--json"])
    assert (refused.exit_code, version_of(town, kind)) == (1, before)
    assert json.loads(refused.stderr.splitlines()[0])["file"] == "b.json"
    (tmp_path / "b.json").unlink()
    tried = run(types, ["import", str(tmp_path), "--json", "--dry-run"])
    assert (tried.exit_code, version_of(town, kind)) == (0, before)
    assert json.loads(tried.stdout)["changes"][0]["after"] == "Household booklet"
    done = run(types, ["import", str(tmp_path / "a.json"), "--reason", "改名"])
    assert (done.exit_code, version_of(town, kind)) == (0, before + 1), done.output
    out = tmp_path / "out"
    assert run(types, ["export", str(out)]).exit_code == 0
    assert json.loads((out / f"{kind.slug}.json").read_text("utf-8"))["name_en"] == "Household booklet"
    again = run(types, ["import", str(out), "--json"])
    assert again.exit_code == 0
    assert not any(json.loads(line)["changes"] for line in again.stdout.splitlines()), "what came out goes in as it is"
    (tmp_path / "a.json").write_text("{", "utf-8")
    assert run(types, ["import", str(tmp_path / "a.json")]).exit_code == 2


def test_a_citys_546_types_are_listed_found_and_issued(town: Town) -> None:
    run = town.app.test_cli_runner().invoke
    asked = ["generate", "--count", "546", "--seed", "7", "--department", SECURITY, "--json"]
    assert json.loads(run(types, asked).stdout)["types"] == 546
    assert json.loads(run(types, asked).stdout)["made"] == 0, "a full catalogue is left alone"
    assert len(run(types, ["list", "--json"]).stdout.splitlines()) == 546
    town.act(catalogue.forget)
    assert len(set(codes_by_page(town, MAX_LISTED))) == 546
    found = town.web.get("/v1/licence-types?q=驾驶培训 荣誉证书").json["items"]
    assert [item["name"] for item in found] == ["驾驶培训荣誉证书（演示）"]
    assert "驾驶培训荣誉证书" in town.web.get("/licence-types?q=驾驶培训").text
    body = {
        "type": found[0]["code"],
        "holder": {"number": BOB},
        "fields": {field["name"]: field["example"] for field in found[0]["fields"]},
    }
    assert town.post("/v1/licences", body).status_code == 201
