"""Collected rows whose days no record can state: each is refused alone."""

import pytest

from tests.town import BOB, SECURITY, Town, type_of

SHORT = type_of("disability_card")  # valid for ten years
OTHER = type_of("vocational_qualification")


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ({"issued_on": "2199-01-01"}, "invalid/issued_on"),
        ({"valid_from": "2199-06-01"}, "invalid/valid_until"),
    ],
)
def test_a_row_of_days_that_no_record_states_keeps_none_of_the_others(
    town: Town, days: dict[str, str], reason: str
) -> None:
    name = next(iter(days))
    first = {"type": SHORT.code, "holder": BOB, "number": name, "fields": SHORT.examples(), **days}
    second = {"type": OTHER.code, "holder": BOB, "number": f"beside {name}", "fields": OTHER.examples()}
    sent = town.post("/v1/licence-batches", {"department": SECURITY, "rows": [first, second]})
    assert sent.json["refused"] == 0
    assert town.app.test_cli_runner().invoke(args=["licences", "sign", "--json"]).exit_code == 1
    where = f"/v1/collected-licences?department={SECURITY}&limit=200"
    listed = town.web.get(where, headers=town.machine("issuer")).json["items"]
    found = {item["number"]: (item["state"], item["reason"]) for item in listed}
    assert found[name] == ("failed", reason)
    assert found[f"beside {name}"][0] == "signed"
