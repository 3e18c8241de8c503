"""DCQL queries are read strictly, and as another implementation reads them."""

import json
import random
from typing import Any

import pytest

from licences.wallets.presentation import dcql, dcql_match
from licences.wallets.presentation.dcql import DCQLError
from licences.wallets.presentation.dcql_match import NotMetError
from tests.peers import peer
from tests.unit.licences.wallets.presentation import queries

GOOD: dict[str, Any] = {
    "credentials": [
        {
            "id": "pid",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:t:1"]},
            "claims": [{"id": "a", "path": ["a", 0, None]}, {"id": "b", "path": ["b"], "values": ["x", 1, True]}],
            "claim_sets": [["a"], ["a", "b"]],
            "trusted_authorities": [{"type": "aki", "values": ["k"]}],
        },
        {
            "id": "mdl",
            "format": "mso_mdoc",
            "meta": {"doctype_value": "org.iso.18013.5.1.mDL"},
            "claims": [{"path": ["org.iso.18013.5.1", "family_name"], "intent_to_retain": False}],
            "multiple": True,
            "require_cryptographic_holder_binding": False,
        },
        {"id": "vc", "format": "jwt_vc_json", "meta": {"type_values": [["A", "B"], ["C"]]}},
    ],
    "credential_sets": [{"options": [["pid"], ["mdl", "vc"]]}, {"options": [["vc"]], "required": False}],
}


def refused(stated: Any) -> tuple[str, str]:
    with pytest.raises(DCQLError) as error:
        dcql.parse(stated)
    return error.value.pointer, error.value.code


def test_a_whole_query_is_read() -> None:
    query = dcql.parse(GOOD)
    pid, mdl, vc = query.credentials.values()
    assert pid.claims[0].path == ("a", 0, None)
    assert pid.claim_sets == ((0,), (0, 1))
    assert pid.authorities == {("aki", "k")}
    assert (mdl.multiple, mdl.is_bound, pid.multiple, pid.is_bound) == (True, False, False, True)
    assert vc.types == (frozenset({"A", "B"}), frozenset({"C"}))
    assert [(each.required, each.options) for each in query.sets] == [
        (True, (frozenset({"pid"}), frozenset({"mdl", "vc"}))),
        (False, (frozenset({"vc"}),)),
    ]


@pytest.mark.parametrize(
    ("place", "value", "pointer", "code"),
    [
        ((), [], "", "type"),
        (("credentials",), [], "/credentials", "empty"),
        (("credentials",), [GOOD["credentials"][2]] * 17, "/credentials", "too_many"),
        (("credentials",), [GOOD["credentials"][2]] * 2, "/credentials/1/id", "repeated"),
        (("presentation_definition",), {}, "/presentation_definition", "unknown"),
        (("credentials", 0, "claim"), [], "/credentials/0/claim", "unknown"),
        (("credentials", 0, "id"), "a b", "/credentials/0/id", "id"),
        (("credentials", 0, "format"), "ldp_vc", "/credentials/0/format", "format"),
        (("credentials", 0, "meta"), {}, "/credentials/0/meta/vct_values", "required"),
        (("credentials", 0, "meta", "vct_values"), "urn:t:1", "/credentials/0/meta/vct_values", "type"),
        (("credentials", 0, "claims", 0, "path"), [], "/credentials/0/claims/0/path", "empty"),
        (("credentials", 0, "claims", 0, "path"), [-1], "/credentials/0/claims/0/path/0", "type"),
        (("credentials", 0, "claims", 0, "path"), [True], "/credentials/0/claims/0/path/0", "type"),
        (("credentials", 0, "claims", 0, "path"), ["x"] * 9, "/credentials/0/claims/0/path", "too_many"),
        (("credentials", 0, "claims", 1, "id"), "a", "/credentials/0/claims", "repeated"),
        (("credentials", 0, "claims", 1, "values"), [1.5], "/credentials/0/claims/1/values/0", "type"),
        (("credentials", 0, "claim_sets"), [["z"]], "/credentials/0/claim_sets/0/0", "reference"),
        (
            ("credentials", 0, "trusted_authorities", 0, "type"),
            "x",
            "/credentials/0/trusted_authorities/0/type",
            "unknown",
        ),
        (("credentials", 1, "claims", 0, "path"), ["a"], "/credentials/1/claims/0/path", "type"),
        (("credentials", 1, "multiple"), 1, "/credentials/1/multiple", "type"),
        (("credentials", 2, "claim_sets"), [["a"]], "/credentials/2/claims", "required"),
        (("credential_sets", 0, "options"), [["nobody"]], "/credential_sets/0/options/0/0", "reference"),
    ],
)
def test_each_fault_is_named_with_its_place(place: tuple[Any, ...], value: Any, pointer: str, code: str) -> None:
    bad: Any = json.loads(json.dumps(GOOD))
    if not place:
        assert refused(value) == (pointer, code)
        return
    holder = bad
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    assert refused(bad) == (pointer, code)


def ours(case: dict[str, Any]) -> dict[str, Any]:
    """Our verdict in the words of the other implementation."""
    try:
        query = dcql.parse(case["query"])
    except DCQLError:
        return {"parsed": False, "satisfied": None}
    if not case["presented"]:
        return {"parsed": True, "satisfied": None}
    found = {name: [queries.candidate(one) for one in each] for name, each in case["presented"].items()}
    try:
        dcql_match.check(query, found)
    except NotMetError:
        return {"parsed": True, "satisfied": False}
    return {"parsed": True, "satisfied": True}


def test_another_implementation_says_the_same() -> None:
    rng = random.Random("OpenID4VP 1.0 section 6")
    good = [queries.query(rng) for _ in range(1500)]
    cases = [{"query": query, "presented": queries.presented(rng, query) or None} for query in good]
    theirs = peer.ask("dcql_verdicts", cases)
    differ = [(case, them) for case, them in zip(cases, theirs, strict=True) if ours(case) != them]
    assert differ == []
    verdicts = [verdict["satisfied"] for verdict in theirs]
    assert min(verdicts.count(True), verdicts.count(False)) > 100, "both answers are met often"


def test_what_another_implementation_refuses_we_refuse() -> None:
    """And more: an unknown member, a path without end, an identifier of odd characters."""
    rng = random.Random("DCQL, broken")
    cases = [{"query": queries.broken(rng, queries.query(rng)), "presented": None} for _ in range(1500)]
    theirs = peer.ask("dcql_verdicts", cases)
    lenient = [case for case, them in zip(cases, theirs, strict=True) if not them["parsed"] and ours(case)["parsed"]]
    assert lenient == []
    assert sum(not them["parsed"] for them in theirs) > 700
