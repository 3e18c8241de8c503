"""Asking at the counter of the town, for the tests of look-ups."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import func, select

from idservice.models import AccessRecord, AuditEntry
from licences.models import Lookup
from tests.town import ALICE, CLERK, MATTER, WINDOW, Town


def request_for(ground: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """A whole request with some members changed, or left out by `...`."""
    body = {
        "matter": MATTER,
        "subject": {"number": ALICE},
        "authorisation": ground,
        "purpose": "购房登记",
        "case_number": "DM-2026-0001",
        "operator": {"id_number": CLERK, "counter": WINDOW},
    }
    return {name: value for name, value in (body | changes).items() if value is not ...}


def ask(town: Town, body: Any, headers: dict[str, str] | None = None) -> Any:
    return town.web.post("/v1/lookups", json=body, headers=headers or town.machine("counter"))


def consent(town: Town, number: str = ALICE, **body: Any) -> str:
    answer = town.web.post("/v1/lookup-consents", json={"matter": MATTER, **body}, headers=town.person(number))
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def proofs(answer: Any) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return {proof["proof"]: proof for proof in answer.json["proofs"]}


def counts(town: Town) -> tuple[int, int]:
    """How many looks and look-ups are on record."""

    def count(call: Any) -> tuple[int, int]:
        tables = (AccessRecord, Lookup)
        one, two = (call.session.scalar(select(func.count()).select_from(table)) for table in tables)
        return int(one), int(two)

    return town.act(count)


def refusals(town: Town) -> list[str]:
    wanted = select(AuditEntry.facts).where(AuditEntry.outcome == "refused").order_by(AuditEntry.entry_id)
    return [json.loads(facts)["code"] for facts in town.act(lambda call: call.session.scalars(wanted).all())]
