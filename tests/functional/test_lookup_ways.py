"""Each proof by the first of its ways that leads somewhere: licence, data check, department, commitment."""

from dataclasses import replace
from typing import Any

import pytest

from licences import enrol
from licences.counter import matters
from licences.counter.matter_definition import Matter, Proof, Way
from licences.definition import HolderKind
from licences.models import Lookup
from tests.looking_up import ask, consent, counts, proofs, request_for
from tests.town import ALICE, BOB, CLERK, NAMES, SECURITY, Town, type_of

CODE = "T-WAYS"
BOOK, CARD = type_of("household_register"), type_of("resident_card")
PROMISE: dict[str, Any] = {"commitment": "所述属实。", "commitment_en": "It is so."}
WAYS = Matter(
    CODE,
    "试办事项",
    "A matter on trial",
    NAMES[SECURITY],
    "《试办规定》第一条",
    HolderKind.PERSON,
    (
        Proof("identity", "身份证明", "Card", CARD.code, (Way.LICENCE,), ("holder_name", "ethnicity", "state"), True),
        Proof(
            "household", "户籍证明", "Household", BOOK.code, (Way.DATA_CHECK,), ("holder_name", "registered_on"), True
        ),
        Proof("register", "登记信息", "Register", None, (Way.DATA_CHECK,), ("holder_name",), True),
        Proof(
            "means", "收入证明", "Means", None, (Way.DEPARTMENT_CHECK, Way.COMMITMENT), (), True,
            issuing_unit=SECURITY, days=3, **PROMISE,
        ),
        Proof("health", "健康声明", "Health", None, (Way.COMMITMENT,), (), True, issuing_unit=SECURITY, **PROMISE),
        Proof("loan", "借款证明", "Loan", None, (Way.COMMITMENT,), (), False, issuing_unit=SECURITY, **PROMISE),
        Proof("old", "旧证明", "Old paper", None, (Way.CANCELLED,), (), False),
    ),
    demonstration=True,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def matter(town: Town) -> None:
    """Alice holds a resident card and a household register; Bob holds nothing."""
    town.issue("resident_card")
    town.issue("household_register")
    town.act(lambda call: enrol.put_matter(call, WAYS))


def look_up(town: Town, number: str = ALICE, **more: Any) -> Any:
    given = consent(town, number, matter=CODE)
    return ask(town, request_for({"consent": given}, matter=CODE, subject={"number": number}, **more))


def test_each_proof_goes_its_first_way_that_leads_somewhere(town: Town) -> None:
    claims = {
        "household": {"holder_name": "王 小明", "registered_on": "1900-01-01"},
        "register": {"holder_name": "王小明"},
    }
    answer = look_up(town, claims=claims)
    found = proofs(answer)
    assert {name: proof["outcome"] for name, proof in found.items()} == {
        "identity": "licence",
        "household": "data_partly",
        "register": "data_yes",
        "means": "department",
        "health": "commitment",
        "loan": "not_held",
    }
    assert found["identity"]["fields"].keys() == {"holder_name", "ethnicity", "state"}
    assert found["household"]["compared"] == {"holder_name": True, "registered_on": False}
    assert not {"fields", "licence"} & found["household"].keys(), "a data check hands nothing over"
    assert {"check", "due"} <= found["means"].keys()
    assert found["health"]["text"] == PROMISE["commitment"]
    assert found["health"]["sign_url"].endswith(found["health"]["commitment"])
    assert found["loan"]["ways_left"] == ["commitment"], "a way that sets others to work is gone by choice alone"
    assert [proof["proof"] for proof in answer.json["not_needed"]] == ["old"]
    version = town.act(lambda call: matters.find(call, CODE)).version
    assert (answer.json["basis"], answer.json["matter_version"]) == ("consent", version)
    assert town.looks()[0]["fields"] == ["holder_name", "ethnicity", "state", "registered_on"]


def test_another_way_may_be_chosen_and_less_be_asked_for(town: Town) -> None:
    body: dict[str, Any] = {"ways": {"means": "commitment", "loan": "commitment"}, "fields": {"identity": ["state"]}}
    found = proofs(look_up(town, **body))
    assert {found[name]["outcome"] for name in ("means", "loan")} == {"commitment"}
    assert found["identity"]["fields"] == {"state": "valid"}
    assert found["household"] | {"ways_left": None} == {
        "proof": "household",
        "name": "户籍证明",
        "name_en": "Household",
        "outcome": "not_held",
        "ways_left": None,
        "claims_wanted": ["holder_name", "registered_on"],
    }


def test_no_licence_and_a_wrong_claim_are_both_a_no(town: Town) -> None:
    claims = {
        "household": {"holder_name": "赵大海"},
        "register": {
            "holder_name": "赵大海",
        },
    }
    both = [proofs(look_up(town, number, claims=claims)) for number in (ALICE, BOB)]
    alice, bob = ({"household": found["household"], "register": found["register"]["outcome"]} for found in both)
    assert alice == {"household": bob["household"], "register": "data_no"}
    assert bob["household"]["compared"] == {"holder_name": False}
    assert bob["register"] == "data_yes"


def test_asking_for_more_is_refused_and_nothing_is_recorded_as_read(town: Town) -> None:
    before = counts(town)
    refused = look_up(town, fields={"identity": ["ethnicity", "address"]})
    assert (refused.status_code, refused.json["code"]) == (403, "fields_exceeded")
    assert [error["pointer"] for error in refused.json["errors"]] == ["/fields/identity/address"]
    for more in ({"claims": {"identity": {"state": ["x"]}}}, {"ways": {"identity": "paper"}}, {"fields": ["identity"]}):
        assert look_up(town, **more).status_code == 422, more
    assert counts(town) == before


def test_a_look_up_keeps_the_version_it_ran_under(town: Town) -> None:
    first = look_up(town).json
    newer = replace(WAYS, proofs=WAYS.proofs[:1], name="试办事项（新）")
    try:
        old, new = first["matter_version"], first["matter_version"] + 1
        assert town.act(lambda call: enrol.put_matter(call, newer)) == new
        assert town.act(lambda call: enrol.put_matter(call, newer)) == new, "the same again is no new version"
        second = look_up(town).json
        assert second["matter_version"] == new
        row = town.act(lambda call: call.session.get_one(Lookup, (town.subjects[ALICE], first["id"])))
        assert row.matter_version == old
        listed = (town.web.get(f"/v1/matters/{CODE}/versions").json or {})["items"]
        assert [(one["version"], one["definition"]["name"]) for one in listed][:2] == [
            (new, "试办事项（新）"),
            (old, "试办事项"),
        ]
        one = town.web.get(f"/v1/matters/{CODE}/versions/{old}").json or {}
        assert len(one["definition"]["proofs"]) == len(WAYS.proofs)
        gone = replace(newer, in_force=False)
        town.act(lambda call: enrol.put_matter(call, gone))
        assert CODE not in town.act(matters.entries)
        for path in ("9", str(2**63), "x"):
            assert town.web.get(f"/v1/matters/{CODE}/versions/{path}").status_code == 404
    finally:
        town.act(lambda call: enrol.put_matter(call, WAYS))


def test_the_page_says_what_came_of_each_proof(town: Town) -> None:
    clerk = town.browser(CLERK)
    form = clerk.open(f"/counter/lookup?matter={CODE}")
    assert 'name="claim.household.registered_on"' in form.text
    assert 'name="way.means"' in form.text
    filled = {
        "matter": "试办事项",
        "number": ALICE,
        "authorisation": "consent",
        "consent": consent(town, matter=CODE),
        "purpose": "受理",
        "case_number": "DM-8",
        "claim.register.holder_name": "王小明",
    }
    found = clerk.submit(form, **filled)
    assert found.status == 200, found.text
    for text in (
        "已查到证照",
        "核验一致",
        "已转部门协查",
        "可告知承诺",
        "/counter/commitments/",
        "旧证明",
        "请填写申请人所说的内容",
    ):
        assert text in found.text, text
    assert ALICE not in found.text
    assert f'href="/counter/lookup?matter={CODE}">去填写' in found.text
    refused = clerk.submit(form, **filled | {"consent": "0" * 32, "way.means": "commitment"})
    assert refused.status == 403
    assert 'name="claim.register.holder_name" type="text" value="王小明"' in " ".join(refused.text.split())
    assert '<option value="commitment" selected>' in refused.text, "nothing need be filled in again"
    code = town.show(town.issue().identifier, fields=["age_over_18"])
    by_code = filled | {"authorisation": "code", "consent": "", "code": code, "way.means": "department_check"}
    chosen = clerk.submit(form, **by_code)
    assert "不能再转：部门协查" in chosen.text
    assert "已转部门协查" not in chosen.text
    unknown = clerk.submit(form, **filled | {"matter": "没有的事项"})
    assert 'id="matter-error"' in unknown.text
