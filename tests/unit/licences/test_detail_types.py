from types import SimpleNamespace
from typing import Any

import pytest

from idservice.oauth import authorization_details
from idservice.oauth.authorization_details import DetailsRefused
from licences.detail_types import LICENCE_ISSUE, LICENCE_SHOW
from tests.identity import ALICE, COMPANY

CALL: Any = SimpleNamespace(now=None)
APP: Any = SimpleNamespace(
    authorization_details_types={"licence-issue", "licence-show"},
    scope=("licences.issue", "licences.show"),
    resources=(),
)
KNOWN = {"a": ("甲", "A")}


def read(monkeypatch: pytest.MonkeyPatch, text: str, *, has_person: bool = True) -> Any:
    monkeypatch.setattr("idservice.register.grants_choices.names", lambda _call, _limit: KNOWN)
    return authorization_details.read(CALL, APP, text, own="https://id.example/v1", has_person=has_person)


def test_issuing_names_types_and_may_name_departments_and_companies(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = f'[{{"type":"licence-issue","licence_types":["a"],"departments":["{COMPANY}"],"holders":["{COMPANY}"]}}]'
    assert read(monkeypatch, whole, has_person=False)[0]["holders"] == [COMPANY]
    for bad in (
        '[{"type":"licence-issue"}]',
        f'[{{"type":"licence-issue","licence_types":["a"],"holders":["{ALICE}"]}}]',
    ):
        with pytest.raises(DetailsRefused):
            read(monkeypatch, bad)


def test_showing_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = '[{"type":"licence-show","licence_types":["a"],"actions":["show"],"matters":["a"]}]'
    assert read(monkeypatch, shown)
    with pytest.raises(DetailsRefused, match="person"):
        read(monkeypatch, shown, has_person=False)


def test_each_confines_its_scope() -> None:
    assert (LICENCE_ISSUE.scope, LICENCE_SHOW.scope) == ("licences.issue", "licences.show")
