"""How fresh what was collected is: judged row by row, and by the days the source itself states."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from licences import catalogue
from licences.collection import batches, quality
from licences.collection.models import CollectedLicence
from tests.functional.test_collection import CODE, FIELDS
from tests.town import ALICE, SECURITY, Town, now, type_of


@pytest.fixture(autouse=True)
def nothing_waits(town: Town) -> None:
    town.act(lambda call: call.session.execute(delete(CollectedLicence)))


def test_one_fresh_row_hides_no_stale_ones(town: Town) -> None:
    kind = type_of("vocational_qualification")

    def figure(when: datetime) -> dict[str, Any]:
        figures = town.act(lambda call: quality.figures(call, SECURITY), now=when)
        return next(item for item in figures if item["type"] == kind.code)

    base = {"type": CODE, "holder": ALICE, "fields": FIELDS, "updated_on": str(now().date())}
    body = {"department": SECURITY, "rows": [base | {"number": "ZY-950"}, base | {"number": "ZY-951"}]}
    assert town.post("/v1/licence-batches", body).json["refused"] == 0
    today, later = figure(now()), now() + timedelta(days=31)
    assert (today["stale_rows"], today["stale"]) == (0, False)
    fresh = body | {"rows": [base | {"number": "ZY-951"}]}
    town.act(lambda call: batches.bring_in(call, fresh), now=later)
    found = figure(later)
    assert (found["stale_rows"], found["stale"]) == (today["rows"] - 1, True), "one of them was sent again"


def test_a_source_that_changes_nothing_for_long_is_stale(town: Town) -> None:
    kind = type_of("teacher_qualification")
    issuer = town.act(lambda call: catalogue.find(call, kind.code).authorities[0].department)
    sent = {"type": kind.code, "holder": ALICE, "number": "JS-1", "fields": kind.examples(), "updated_on": "2020-01-01"}
    town.act(lambda call: batches.bring_in(call, {"department": issuer, "rows": [sent]}))
    (found,) = (one for one in town.act(lambda call: quality.figures(call, issuer)) if one["type"] == kind.code)
    assert (found["stale_rows"], found["stale"], str(found["updated_on"])) == (0, True, "2020-01-01")
