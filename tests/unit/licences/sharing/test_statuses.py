"""Which refusal has which number, and which has none."""

import pytest

import licences.routes
from idservice.errors import KINDS, FieldProblem, Problem
from licences.sharing import statuses
from licences.sharing.statuses import REQUIRED, Status


def invalid(*faults: tuple[str, str]) -> Problem:
    return Problem("invalid", "", errors=[FieldProblem(pointer, "invalid", message) for pointer, message in faults])


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ([("/data/useCause", REQUIRED)], Status.MISSING),
        ([("/data", REQUIRED)], Status.MISSING),
        ([("/data/useCause", REQUIRED), ("/data/holder", REQUIRED)], Status.NO_HOLDER),
        ([("/data/certNo", REQUIRED), ("/data/certificateTypeCode", "wrong")], Status.NO_CERTIFICATE_NUMBER),
        ([("/data/holderCode", REQUIRED)], Status.NO_HOLDER_CODE),
        ([("/data/certificateTypeCode", "wrong")], Status.TYPE_UNKNOWN),
        ([("/data/holderCodeType", "wrong")], Status.HOLDER_CODE_TYPE),
        ([("/head/accessToken", "Unknown field.")], Status.NOT_IDENTIFIED),
        ([("/data/x", "Unknown field.")], Status.WRONG),
        ([("", "wrong")], Status.WRONG),
    ],
)
def test_a_faulty_member_has_its_number(faults: list[tuple[str, str]], status: Status) -> None:
    assert statuses.of(invalid(*faults)) is status


BEFORE = "unauthenticated insufficient_scope too_many_requests quota_exceeded look_ups_stopped unavailable internal"


@pytest.mark.parametrize("code", BEFORE.split())
def test_what_the_callers_http_layer_acts_on_has_none(code: str) -> None:
    assert statuses.of(Problem(code)) is None


def test_every_number_has_words_and_every_code_is_registered() -> None:
    assert statuses.MESSAGES.keys() == set(Status)
    assert all(zh and en for zh, en in statuses.MESSAGES.values())
    assert licences.routes.BLUEPRINTS, "the rooms have registered their codes"
    assert statuses._BY_CODE.keys() <= KINDS.keys()


def test_the_message_names_the_members_once() -> None:
    assert statuses.members(invalid(("/data/a", "x"), ("/data/a", "y"), ("/data/b", "x"))) == "/data/a, /data/b"
