"""The record as a file: no cell is a formula, and nothing but what was recorded is in it."""

import csv
import io

import pytest

from idservice import audit
from idservice.call import Call
from licences.accesses import export
from tests.town import BOB, Town


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_compute_is_text(town: Town, text: str) -> None:
    facts: dict[str, audit.Fact] = {"who": text, "purpose": '有"引号",逗号', "fields": ["name", "area"]}
    subject, caller = town.subjects[BOB], town.caller(BOB)
    town.act(lambda call: audit.record_access(call, audit.Deed.CLAIMS_RELEASED, subject=subject, facts=facts))

    def read(call: Call) -> str:
        return export.as_csv(call)

    first = next(csv.DictReader(io.StringIO(town.act(read, caller=caller), newline="")))
    assert first["who"] == f"'{text}"
    assert (first["purpose"], first["fields"], first["unit"]) == ('有"引号",逗号', "name area", "")
    assert "salt" not in first


def test_what_is_not_in_the_log_yet_has_no_proof(town: Town) -> None:
    subject, caller = town.subjects[BOB], town.caller(BOB)
    town.act(lambda call: audit.record_access(call, audit.Deed.CLAIMS_RELEASED, subject=subject, facts={"who": "甲"}))
    found = town.act(export.as_json, caller=caller)
    assert found["items"][0]["who"] == "甲"
    assert found["items"][0]["proof"] is None
    assert found["next_cursor"] is None
