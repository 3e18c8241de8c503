"""What the form of /me/seals/apply becomes, and for whom a visitor is offered to apply."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from idservice.errors import Problem
from seals import own_pages
from seals.owner_kinds import KINDS, OwnerKind
from seals.picture_kinds import Kind
from tests.builders import act, build_app, migrate
from tests.databases import SqliteDatabases
from tests.unit.seals.parties import COMPANY, OFFICE, Parties, settle


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return SqliteDatabases(tmp_path_factory.mktemp("own-pages")).fresh(migrate)


@pytest.fixture(scope="module")
def parties(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    settled = settle(Path(tmp_path_factory.mktemp("house")), url)
    yield settled
    settled.house.database.engine.dispose()


@pytest.fixture(scope="module")
def app(url: str, parties: Parties, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return build_app(tmp_path_factory.mktemp("app"), url, seal_office=OFFICE)


@pytest.mark.parametrize(
    ("who", "organisations"),
    [("leader", [COMPANY]), ("administrator", [COMPANY]), ("sealer", [COMPANY]), ("limited", []), ("stranger", [])],
)
def test_for_whom_one_can_apply(app: Flask, parties: Parties, who: str, organisations: list[str]) -> None:
    with app.test_request_context("/me/seals"):
        found = act(parties.house, own_pages._choices, caller=parties.page(who))
    assert [choice.value for choice in found] == ["self", *organisations]
    assert found[0].kinds == (Kind.PERSONAL,)
    for choice in found[1:]:
        more = {Kind.REPRESENTATIVE} if who == "leader" else set()
        assert set(choice.kinds) == KINDS[OwnerKind.ORGANISATION] | more


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ({"organisation": "self", "kind": "personal"}, {"kind": "personal", "rank": "company", "reason": "r"}),
        (
            {"organisation": COMPANY, "kind": "contract", "number": "2", "department": OFFICE},
            {"organisation": COMPANY, "kind": "contract", "number": "2", "rank": "company", "reason": "r"},
        ),
    ],
)
def test_what_a_form_becomes(app: Flask, form: dict[str, str], body: dict[str, str]) -> None:
    with app.test_request_context("/me/seals/apply", method="POST", data={"reason": "r", **form}):
        assert own_pages._body() == body


def test_a_person_has_no_contract_seal(app: Flask) -> None:
    form = {"reason": "r", "organisation": "self", "kind": "contract"}
    with app.test_request_context("/me/seals/apply", method="POST", data=form), pytest.raises(Problem) as caught:
        own_pages._body()
    assert caught.value.errors[0].pointer == "/kind"
