"""Requests for verified claims: each shape that is refused, and what is answered to each that is not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idservice.oauth.claim_constraint import ClaimsRefused
from idservice.oauth.verified_request import (
    MAX_ELEMENTS,
    Known,
    answer,
    check,
    names,
    wants_evidence,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FRAMEWORK = {"trust_framework": None}
KNOWN = Known(
    verification={
        "trust_framework": "cn_one_number",
        "assurance_level": "L3",
        "time": "2026-11-01T12:00:00Z",
        "evidence": [
            {
                "type": "electronic_record",
                "check_details": [
                    {"check_method": "data", "organization": "人口库", "time": "2025-01-01T00:00:00Z"},
                    {"check_method": "bvr", "organization": "face", "time": "2026-11-01T12:00:00Z"},
                ],
                "time": "2025-01-01T00:00:00Z",
                "record": {"type": "population_register", "source": {"name": "人口库", "country_code": "CHN"}},
            },
            {
                "type": "vouch",
                "attestation": {
                    "type": "digital_attestation",
                    "date_of_issuance": "2026-11-20",
                    "voucher": {"occupation": "self"},
                },
            },
        ],
    },
    claims={"name": "王小明", "birthdate": "1990-03-07"},
)


def asked(verification: Any = FRAMEWORK, claims: Any = None) -> dict[str, Any]:
    return {"verification": verification, "claims": {"name": None} if claims is None else claims}


def answered(verification: Any = FRAMEWORK, claims: Any = None) -> Any:
    stated = asked(verification, claims)
    check(stated)
    return answer(stated, KNOWN, now=NOW)


def framework(**more: Any) -> dict[str, Any]:
    return FRAMEWORK | more


RECORD = {"type": {"value": "electronic_record"}}
REFUSED = {
    "null": None,
    "a-text": "all",
    "no-elements": [],
    "too-many-elements": [asked()] * (MAX_ELEMENTS + 1),
    "an-element-that-is-none": [None],
    "no-verification": {"claims": {"name": None}},
    "no-claims": {"verification": FRAMEWORK},
    "empty-claims": asked(claims={}) | {"claims": {}},
    "claims-null": asked() | {"claims": None},
    "claims-array": asked() | {"claims": ["name"]},
    "verification-null": asked() | {"verification": None},
    "no-framework": asked({"time": None}),
    "framework-text": asked({"trust_framework": "cn_one_number"}),
    "essential-text": asked(claims={"name": {"essential": "yes"}}),
    "value-and-values": asked(claims={"name": {"value": "a", "values": ["a"]}}),
    "values-empty": asked({"trust_framework": {"values": []}}),
    "values-text": asked({"trust_framework": {"values": "a"}}),
    "value-object": asked({"trust_framework": {"value": {}}}),
    "too-many-values": asked({"trust_framework": {"values": ["a"] * 33}}),
    "age-of-a-text": asked(framework(assurance_level={"max_age": 1})),
    "age-text": asked(framework(time={"max_age": "1"})),
    "age-true": asked(framework(time={"max_age": True})),
    "age-negative": asked(framework(time={"max_age": -1})),
    "age-endless": asked(framework(time={"max_age": 10**12})),
    "evidence-null": asked(framework(evidence=None)),
    "evidence-empty": asked(framework(evidence=[])),
    "evidence-object": asked(framework(evidence=RECORD)),
    "evidence-text": asked(framework(evidence=["electronic_record"])),
    "evidence-without-type": asked(framework(evidence=[{"record": {"type": None}}])),
    "evidence-type-null": asked(framework(evidence=[{"type": None}])),
    "evidence-type-of-several": asked(framework(evidence=[{"type": {"values": ["vouch"]}}])),
    "too-many-filters": asked(framework(evidence=[RECORD] * 9)),
    "checks-object": asked(framework(evidence=[RECORD | {"check_details": {"check_method": None}}])),
    "record-text": asked(framework(evidence=[RECORD | {"record": "population_register"}])),
}


@pytest.mark.parametrize("stated", REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_request_is_refused(stated: Any) -> None:
    with pytest.raises(ClaimsRefused):
        check(stated)


def test_what_is_not_asked_for_is_not_answered() -> None:
    assert answered() == {"verification": {"trust_framework": "cn_one_number"}, "claims": {"name": "王小明"}}
    found = answered(framework(assurance_level=None, time=None), {"birthdate": None})
    assert found["verification"] == {
        "trust_framework": "cn_one_number", "assurance_level": "L3", "time": "2026-11-01T12:00:00Z",
    }  # fmt: skip
    assert found["claims"] == {"birthdate": "1990-03-07"}


def test_evidence_is_shown_as_deep_as_it_was_asked_for() -> None:
    evidence = [RECORD | {"record": {"type": None}}]
    assert answered(framework(evidence=evidence))["verification"]["evidence"] == [
        {"type": "electronic_record", "record": {"type": "population_register"}}
    ]
    deeper = [RECORD | {"record": {"source": {"country_code": None}}, "check_details": [{"check_method": None}]}]
    assert answered(framework(evidence=deeper))["verification"]["evidence"] == [
        {
            "type": "electronic_record",
            "check_details": [{"check_method": "data"}, {"check_method": "bvr"}],
            "record": {"type": "population_register", "source": {"country_code": "CHN"}},
        }
    ], "the type of a record comes with it: without it the answer would not be valid"
    assert answered(framework(evidence=[RECORD | {"record": None}]))["verification"]["evidence"] == [
        {"type": "electronic_record", "record": {"type": "population_register"}}
    ]


def test_filters_of_evidence_are_joined_by_or() -> None:
    both = [{"type": {"value": "document"}}, {"type": {"value": "vouch"}}, RECORD]
    found = answered(framework(evidence=both))["verification"]["evidence"]
    assert [one["type"] for one in found] == ["electronic_record", "vouch"]
    live = [RECORD | {"check_details": [{"check_method": {"value": "bvr"}, "time": {"max_age": 86400 * 30}}]}]
    found = answered(framework(evidence=live))["verification"]["evidence"]
    assert found[0]["check_details"] == [{"check_method": "bvr", "time": "2026-11-01T12:00:00Z"}]


MET = {
    "value": framework(assurance_level={"value": "L3"}),
    "values": {"trust_framework": {"values": ["de_aml", "cn_one_number"]}},
    "age": framework(time={"max_age": 86400 * 22}),
    "age-of-a-day": framework(
        evidence=[{"type": {"value": "vouch"}, "attestation": {"date_of_issuance": {"max_age": 86400 * 2}}}]
    ),
    "essential": framework(assurance_level={"essential": True}),
    "unknown-element": framework(verification_process=None, evidence=[RECORD | {"digest": {"alg": None}}]),
    "purpose": framework(time={"purpose": "because"}),
    "empty": framework(time={}),
}
UNMET = {
    "value": framework(assurance_level={"value": "L4"}),
    "value-of-another-kind": framework(assurance_level={"value": 3}),
    "values": {"trust_framework": {"values": ["de_aml", "eidas"]}},
    "age": framework(time={"max_age": 86400 * 20}),
    "age-of-a-day": framework(
        evidence=[{"type": {"value": "vouch"}, "attestation": {"date_of_issuance": {"max_age": 86400}}}]
    ),
    "evidence": framework(evidence=[{"type": {"value": "document"}}]),
    "check": framework(evidence=[RECORD | {"check_details": [{"check_method": {"value": "pvp"}}]}]),
    "record": framework(evidence=[RECORD | {"record": {"type": {"value": "birth_register"}}}]),
    "essential": framework(verification_process={"essential": True}),
    "deep-and-unknown": framework(assurance_process={"policy": {"value": "x"}}),
    "essential-in-evidence": framework(evidence=[RECORD | {"record": {"created_at": {"essential": True}}}]),
}


@pytest.mark.parametrize("verification", MET.values(), ids=MET.keys())
def test_a_constraint_that_is_met_changes_nothing(verification: Any) -> None:
    assert answered(verification)["claims"] == {"name": "王小明"}


@pytest.mark.parametrize("verification", UNMET.values(), ids=UNMET.keys())
def test_a_constraint_on_verification_that_is_not_met_leaves_out_the_whole(verification: Any) -> None:
    assert answered(verification) is None


def test_a_constraint_on_a_claim_leaves_out_that_claim() -> None:
    wanted = {"name": {"value": "李四"}, "birthdate": None, "nationality": {"essential": True}}
    assert answered(claims=wanted)["claims"] == {"birthdate": "1990-03-07"}
    assert answered(claims={"name": {"values": ["李四"]}}) is None, "nothing is left to say"


def test_of_several_requests_each_is_answered_by_itself() -> None:
    gold, ours = asked({"trust_framework": {"value": "gold"}}), asked(claims={"birthdate": None})
    check([gold, ours])
    found = answer([gold, ours], KNOWN, now=NOW)
    assert [one["claims"] for one in found] == [{"birthdate": "1990-03-07"}]
    assert answer([gold], KNOWN, now=NOW) is None
    assert names([gold, ours]) == ("name", "birthdate")
    assert not wants_evidence([gold, ours])
    assert wants_evidence([gold, asked(framework(evidence=[RECORD]))])


MEMBERS = st.sampled_from(
    ["trust_framework", "time", "evidence", "type", "check_details", "check_method", "record", "attestation", "voucher",
     "date_of_issuance", "value", "values", "max_age", "essential", "unknown"]
)  # fmt: skip
ATOMS = st.sampled_from([None, True, 0, "L3", "vouch", "electronic_record", {"value": "L3"}, {"max_age": 9}, [None]])
TEMPLATES = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(MEMBERS, inner, max_size=4))
ELEMENTS = st.builds(
    lambda inner, claim: asked(FRAMEWORK | inner, {"name": claim}), st.dictionaries(MEMBERS, TEMPLATES), TEMPLATES
)


@given(stated=ELEMENTS)
def test_whatever_is_accepted_can_be_answered_with_no_more_than_was_asked_for(stated: dict[str, Any]) -> None:
    try:
        check(stated)
    except ClaimsRefused:
        return
    found = answer(stated, KNOWN, now=NOW)
    if found is not None:
        assert found["claims"] == {"name": "王小明"}
        assert found["verification"].keys() <= stated["verification"].keys()
        assert found["verification"]["trust_framework"] == "cn_one_number"
