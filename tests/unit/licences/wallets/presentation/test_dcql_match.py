"""Presentations meet a query whole, or the refusal says why not."""

from typing import Any

import pytest

from licences.wallets.presentation import dcql, dcql_match
from licences.wallets.presentation.dcql import SD_JWT
from licences.wallets.presentation.dcql_match import Candidate, NotMetError

CLAIMS = {"name": "x", "age": 1, "adult": True, "addresses": [{"city": "A"}, {"city": "B"}]}


def query(**more: Any) -> dcql.Query:
    one = {"id": "q", "format": SD_JWT, "meta": {"vct_values": ["t"]}, **more}
    other = {"id": "other", "format": SD_JWT, "meta": {"vct_values": ["u"]}}
    sets = [{"options": [["q"]]}, {"options": [["other"]], "required": False}]
    return dcql.parse({"credentials": [one, other], "credential_sets": sets})


def given(**more: Any) -> Candidate:
    return Candidate(**{"format": SD_JWT, "types": frozenset({"t"}), "claims": CLAIMS, "is_bound": True, **more})


def code_of(asked: dcql.Query, presented: dict[str, list[Candidate]]) -> str | None:
    try:
        dcql_match.check(asked, presented)
    except NotMetError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("asked", "presented", "code"),
    [
        ({}, {"q": [given()]}, None),
        ({}, {"q": [given()], "stranger": [given()]}, "unasked"),
        ({}, {"q": [given(), given()]}, "multiple"),
        ({"multiple": True}, {"q": [given(), given()]}, None),
        ({}, {"q": []}, "multiple"),
        ({}, {"q": [given(format="mso_mdoc")]}, "format"),
        ({}, {"q": [given(types=frozenset({"u"}))]}, "type"),
        ({}, {"q": [given(is_bound=False)]}, "holder_binding"),
        ({"require_cryptographic_holder_binding": False}, {"q": [given(is_bound=False)]}, None),
        ({"trusted_authorities": [{"type": "aki", "values": ["k"]}]}, {"q": [given()]}, "authority"),
        ({"trusted_authorities": [{"type": "aki", "values": ["k"]}]}, {"q": [given(authorities={("aki", "k")})]}, None),
        ({"claims": [{"path": ["nothing"]}]}, {"q": [given()]}, "claim"),
        ({"claims": [{"path": ["age"], "values": [True]}]}, {"q": [given()]}, "claim"),
        ({"claims": [{"path": ["adult"], "values": [1]}]}, {"q": [given()]}, "claim"),
        ({"claims": [{"path": ["addresses", None, "city"], "values": ["B"]}]}, {"q": [given()]}, None),
        ({"claims": [{"path": ["addresses", 0, "city"], "values": ["B"]}]}, {"q": [given()]}, "claim"),
        ({}, {"other": [given(types=frozenset({"u"}))]}, "missing"),
    ],
)
def test_each_refusal_has_its_code(asked: dict[str, Any], presented: dict[str, list[Candidate]], code: str) -> None:
    assert code_of(query(**asked), presented) == code


def test_of_alternative_claims_the_first_that_is_met_counts() -> None:
    claims = [{"id": "a", "path": ["nothing"]}, {"id": "b", "path": ["name"]}, {"id": "c", "path": ["age"]}]
    asked = query(claims=claims, claim_sets=[["a", "b"], ["b", "c"], ["c"]]).credentials["q"]
    met = dcql_match.claims_met(asked, CLAIMS)
    assert met is not None
    assert [claim.path for claim in met] == [("name",), ("age",)]


def test_a_path_leads_through_values_of_the_right_kind_alone() -> None:
    assert dcql_match.select(CLAIMS, ("addresses", None, "city")) == ["A", "B"]
    assert dcql_match.select(CLAIMS, ("addresses", 1)) == [{"city": "B"}]
    for path in (("addresses", 2), ("addresses", "city"), ("name", 0), ("name", "x"), ("age", None)):
        assert dcql_match.select(CLAIMS, path) == []
