"""Links to shared files: good for one use, for ten minutes, and as long as what they rest on."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from idservice import expiry
from licences.sharing import permissions
from licences.sharing.models import SharingLink
from licences.sharing.permissions import Operation
from tests.sharing import link_of, permit, register
from tests.town import BOB, Town, now, type_of

CARD = "resident_card"


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    """A resident card of Alice's, and an app that may do everything with the type."""
    register(town)
    permit(town, CARD)
    return town.issue(CARD).identifier


def test_a_link_works_once_and_its_file_is_gone(town: Town, card: str) -> None:
    link = link_of(town, card, fileType="pdf")
    assert town.web.head(link).status_code == 405, "who only looks where it leads does not use it up"
    first = town.web.get(link)
    assert (first.status_code, first.mimetype, first.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert first.headers["Cache-Control"] == "no-store"
    again = town.web.get(link)
    assert (again.status_code, again.json["code"]) == (404, "sharing_link_over")
    unknown = town.web.get("/v1/sharing/download?id=x")
    assert {**again.json, "request_id": ""} == {**unknown.json, "request_id": ""}
    used = select(SharingLink.content_sealed).where(SharingLink.used_at.is_not(None))
    assert set(town.act(lambda call: call.session.scalars(used).all())) == {None}


def test_a_link_is_over_after_ten_minutes_and_swept(town: Town, card: str) -> None:
    link = link_of(town, card)
    old = now() - timedelta(seconds=1)
    town.act(lambda call: call.session.execute(update(SharingLink).values(expires_at=old)))
    assert town.web.get(link).status_code == 404
    expiry.sweep(town.house, now())
    assert town.count(SharingLink) == 0


def test_a_link_leads_nowhere_when_what_it_rested_on_has_ended(town: Town, card: str) -> None:
    code = town.issue(CARD, BOB).identifier
    link = link_of(town, code)
    assert town.change(code, "suspend", reason="核查").status_code == 201
    refused = town.web.get(link)
    assert (refused.status_code, refused.json["code"]) == (404, "sharing_link_over")
    assert town.change(code, "resume", reason="核查").status_code == 201
    town.act(lambda call: permissions.revoke(call, "share-app", type_of(CARD).code))
    assert town.web.get(link).status_code == 404
    permit(town, CARD, Operation.READ)
    assert town.web.get(link).status_code == 404, "another operation"
    permit(town, CARD)
    assert town.web.get(link).status_code == 200, "what was refused was not used up"
    gone = link_of(town, code)
    assert town.change(code, "revoke", reason="核查").status_code == 201
    assert town.web.get(gone).status_code == 404


def test_of_many_who_fetch_at_once_one_gets_the_file(town: Town, card: str) -> None:
    link = link_of(town, card)
    found: list[int] = []
    ready = threading.Barrier(6)

    def fetch() -> None:
        ready.wait()
        found.append(town.app.test_client().get(link).status_code)

    threads = [threading.Thread(target=fetch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(found) == {200: 1, 404: 5}
