from typing import Any

import pytest

from idservice.call import Caller
from idservice.oauth import mandate_detail
from idservice.register.mandates import LiveMandate
from tests.identity import ALICE, COMPANY, company_code

OTHER = company_code("9137160210003000")


def mandate(code: str = COMPANY, **limits: Any) -> LiveMandate:
    return LiveMandate("m", "o", "某公司", code, "agent", **limits)


def detail(**fields: Any) -> dict[str, Any]:
    return {"type": "mandate", "principal": COMPANY, **fields}


@pytest.mark.parametrize(
    ("held", "asked", "fits"),
    [
        (mandate(), detail(), True),
        (mandate(OTHER), detail(), False),
        (mandate(matters=("a",)), detail(), True),
        (mandate(matters=("a", "b")), detail(matters=["a"]), True),
        (mandate(matters=("b",)), detail(matters=["a"]), False),
        (mandate(licence_types=("x",)), detail(licence_types=["x", "y"]), False),
        (mandate(licence_types=("x",)), detail(licence_types=["x"]), True),
    ],
)
def test_a_mandate_fits_that_is_for_the_organisation_and_reaches_what_is_named(
    held: LiveMandate, asked: dict[str, Any], fits: bool
) -> None:
    assert bool(mandate_detail.fitting([held], asked)) is fits


@pytest.mark.parametrize(
    ("details", "matter", "is_reached"),
    [
        ((), "a", True),
        ((), None, True),
        ((detail(),), None, True),
        ((detail(matters=["a"]),), "a", True),
        ((detail(matters=["a"]),), "b", False),
        ((detail(matters=["a"]),), None, False),
        ((detail(licence_types=["x"]),), "a", False),
    ],
)
def test_a_token_limited_to_matters_reaches_these_alone(details: Any, matter: str | None, is_reached: bool) -> None:
    assert mandate_detail.reaches(Caller(channel="api", details=details), matter) is is_reached


def test_a_code_is_written_as_it_is_stored() -> None:
    assert mandate_detail.is_code(COMPANY)
    for text in (COMPANY.lower(), f" {COMPANY}", COMPANY[:-1], ALICE):
        assert not mandate_detail.is_code(text)


def test_the_wanted_mandate_is_found_among_other_details() -> None:
    assert mandate_detail.wanted([{"type": "licence-show"}, detail()]) == detail()
    assert mandate_detail.wanted([]) is None
