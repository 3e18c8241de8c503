import pytest

from idservice.call import House
from idservice.errors import KINDS, Problem
from keys.verdict import Result
from seals.position import PositionError
from seals.refusals import impossible, no_key, no_such_place, refuse_broken, refused
from tests.builders import act
from tests.unit.seals.pdfs import Office, document

OFFICE = Office()


def test_the_codes_are_those_of_the_guide() -> None:
    assert (KINDS["document_refused"].status, KINDS["document_locked"].status) == (422, 409)
    assert refused(ValueError("x" * 1000)).code == "document_refused"
    assert (KINDS["seal_impossible"].status, KINDS["seal_not_in_force"].status) == (422, 409)
    assert (impossible(ValueError("x")).code, no_key().code) == ("seal_impossible", "seal_not_in_force")
    problem = no_such_place(PositionError("page", "It has one."))
    assert (problem.code, [error.pointer for error in problem.errors]) == ("invalid", ["/page"])


@pytest.mark.parametrize("data", [document(), OFFICE.seal(document())], ids=["unsealed", "sealed under another root"])
def test_what_nothing_speaks_against_may_be_sealed(house: House, data: bytes) -> None:
    act(house, lambda call: refuse_broken(call, data))


@pytest.mark.parametrize(
    "data",
    [OFFICE.seal(document()).replace(b"Page 1", b"Page 2"), b"%PDF-1.7 /ByteRange", b""],
    ids=["altered", "cut", ""],
)
def test_what_does_not_hold_is_refused(house: House, data: bytes) -> None:
    with pytest.raises(Problem, match="document_refused"):
        act(house, lambda call: refuse_broken(call, data))
    assert Result.FAIL == "fail"
