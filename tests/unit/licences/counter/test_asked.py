"""A request may ask for less than the matter needs, never for more; what is too much is named."""

from typing import Any

import pytest

from idservice.errors import Problem
from licences.counter import asked
from licences.counter.matter_definition import Matter, Proof, Way
from licences.definition import HolderKind


def proof(name: str, *ways: Way, required: bool = True) -> Proof:
    return Proof(name, "证明", "Proof", None, ways, ("holder_name", "phone"), required)


MATTER = Matter(
    "T-1", "事项", "Matter", "单位", "依据", HolderKind.PERSON,
    (
        proof("identity", Way.DATA_CHECK, Way.DEPARTMENT_CHECK),
        proof("extra", Way.DATA_CHECK, Way.COMMITMENT, required=False),
        proof("gone", Way.CANCELLED, required=False),
    ),
    demonstration=True,
)  # fmt: skip


def test_by_default_all_that_is_needed_in_the_order_of_the_matter() -> None:
    found = asked.read(MATTER, {})
    assert list(found) == ["identity", "extra"], "nobody asks for what is cancelled"
    assert found["identity"] == asked.Asked(("holder_name", "phone"), {}, (Way.DATA_CHECK, Way.DEPARTMENT_CHECK))
    assert found["extra"].ways == (Way.DATA_CHECK,), "what the matter can do without sets nobody to work by itself"


def test_less_may_be_asked_for_and_one_way_chosen() -> None:
    body = {"fields": {"identity": ["phone"]}, "claims": {"identity": {"phone": "1"}}, "ways": {"extra": "commitment"}}
    found = asked.read(MATTER, body)
    assert (found["identity"].fields, found["identity"].claims) == (("phone",), {"phone": "1"})
    assert found["extra"].ways == (Way.COMMITMENT,)
    assert asked.read(MATTER, {"fields": {"identity": []}})["identity"].fields == ()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"fields": {"identity": ["phone", "x/y~z", "sex"]}}, ["/fields/identity/x~1y~0z", "/fields/identity/sex"]),
        ({"claims": {"identity": {"address": "x"}}}, ["/claims/identity/address"]),
        ({"fields": {"marriage": []}, "ways": {"marriage": "licence"}}, ["/fields/marriage", "/ways/marriage"]),
        ({"fields": {"gone": ["phone"]}}, ["/fields/gone"]),
    ],
)  # fmt: skip
def test_more_than_the_matter_needs_is_refused_and_named(body: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        asked.read(MATTER, body)
    assert (refused.value.code, refused.value.kind.status) == ("fields_exceeded", 403)
    assert [error.pointer for error in refused.value.errors] == pointers


def test_a_way_that_the_matter_does_not_allow_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        asked.read(MATTER, {"ways": {"identity": "commitment"}})
    assert (refused.value.code, refused.value.errors[0].pointer) == ("invalid", "/ways/identity")


def test_what_the_holder_chose_bounds_what_is_asked() -> None:
    wanted = asked.Asked(("holder_name", "state"), {"holder_name": "x", "holder_number": "y"}, (Way.DATA_CHECK,))
    assert wanted.within(None) == (wanted, ())
    one, left_out = wanted.within(frozenset({"holder_name", "age_over_18"}))
    assert (one.fields, one.claims, one.ways) == (("holder_name",), {}, wanted.ways), "claims go all together or not"
    assert left_out == ("state", "holder_number")
    both, _left_out = wanted.within(frozenset({"holder_name", "holder_number"}))
    assert both.claims == wanted.claims


def test_what_the_holder_left_out_is_not_had_from_a_department() -> None:
    every = tuple(way for way in Way if way is not Way.CANCELLED)
    wanted = asked.Asked(("holder_name",), {}, every)
    bounded, _left_out = wanted.within(frozenset({"holder_name"}))
    assert bounded.ways == (Way.LICENCE, Way.DATA_CHECK, Way.COMMITMENT), "nor what he chose: it answers in words"
    assert wanted.within(None)[0].ways == every
