"""The holder's own record of who looked: his alone, newest first, whole however it is paged."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from idservice import accesses, audit
from idservice.call import Call, Caller
from idservice.errors import Problem
from idservice.models import AccessRecord, AuditEntry
from idservice.register import mandates
from keys.fields import FieldError
from tests.builders import act, migrate
from tests.databases import Databases
from tests.identity import HOLDER_SCOPE, City, Flow, bearer, build_city, redeem

START = datetime(2026, 11, 1, tzinfo=UTC)
LOOKS = 7


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path_factory.mktemp("accesses"), url)
    for number in range(LOOKS):
        look(built, built.alice, number)
    look(built, built.company, 100)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def look(city: City, subject: str, number: int) -> str:
    facts: dict[str, audit.Fact] = {"who": "孙窗口", "purpose": f"第{number}次", "fields": ["name"]}

    def deed(call: Call) -> str:
        return audit.record_access(call, audit.Deed.CLAIMS_RELEASED, subject=subject, facts=facts)

    return act(city.house, deed, now=START + timedelta(minutes=number))


def page(city: City, caller: Caller, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return act(city.house, lambda call: accesses.of_holder(call, limit=limit, cursor=cursor), caller=caller)


def holder(city: City, subject: str | None = None, principal: str | None = None) -> Caller:
    mandate = city.mandate if principal is not None else None
    return Caller(channel="api", client_id="basic", person=subject or city.alice, principal=principal, mandate=mandate)


def test_newest_first_and_nobody_elses(city: City) -> None:
    found = page(city, holder(city))
    assert [item["purpose"] for item in found["items"]] == [f"第{number}次" for number in reversed(range(LOOKS))]
    assert found["next_cursor"] is None
    first = found["items"][-1]
    assert (first["at"], first["who"], first["unit"], first["fields"]) == (START, "孙窗口", None, ["name"])


def test_one_who_acts_for_a_company_sees_the_companys(city: City) -> None:
    found = page(city, holder(city, city.agent, city.company))
    assert [item["purpose"] for item in found["items"]] == ["第100次"]
    assert page(city, holder(city, city.agent))["items"] == []


@pytest.mark.parametrize(
    "limits",
    [{"role": "agent", "licence_types": ["T1"]}, {"role": "administrator", "matters": ["M1"]}],
)
def test_one_whose_mandate_is_limited_reads_none(city: City, limits: dict[str, Any]) -> None:
    mandate = act(city.house, lambda call: mandates.enter(call, person=city.agent, principal=city.company, **limits))
    with pytest.raises(Problem) as refused:
        page(city, replace(holder(city, city.agent, city.company), mandate=mandate))
    assert refused.value.code == "forbidden"


def test_a_token_for_some_matters_reads_none(city: City) -> None:
    details = ({"type": "mandate", "principal": "x", "matters": ["M1"]},)
    with pytest.raises(Problem) as refused:
        page(city, replace(holder(city, city.agent, city.company), details=details))
    assert refused.value.code == "forbidden"


@pytest.mark.parametrize("limit", [1, 2, 3, LOOKS - 1, LOOKS, LOOKS + 1])
def test_pages_join_without_gap_or_repetition(city: City, limit: int) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        found = page(city, holder(city), limit, cursor)
        assert len(found["items"]) <= limit
        seen += [item["purpose"] for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"第{number}次" for number in reversed(range(LOOKS))]


def test_a_client_alone_is_no_holder(city: City) -> None:
    with pytest.raises(Problem, match="forbidden"):
        page(city, Caller(channel="api", client_id="counter", all_departments=True))


def test_the_place_in_the_log_comes_with_the_sequencer(city: City) -> None:
    record_id = look(city, city.agent, 5)
    assert page(city, holder(city, city.agent))["items"][0]["log_index"] is None

    def sequence(call: Call) -> None:
        row = call.session.get_one(AccessRecord, (city.agent, record_id))
        call.session.execute(update(AuditEntry).where(AuditEntry.entry_id == row.audit_id).values(log_index=41))

    act(city.house, sequence)
    assert page(city, holder(city, city.agent))["items"][0]["log_index"] == 41


def test_a_record_moved_to_another_row_is_not_shown(city: City) -> None:
    one, other = look(city, city.agent, 6), look(city, city.agent, 7)

    def swap(call: Call) -> None:
        kept = call.session.get_one(AccessRecord, (city.agent, one)).facts_sealed
        call.session.get_one(AccessRecord, (city.agent, other)).facts_sealed = kept
        call.session.flush()
        accesses.of_holder(Call(call.house, call.session, holder(city, city.agent), call.now), limit=50)

    with pytest.raises(FieldError):
        act(city.house, swap)


@pytest.fixture(scope="module")
def headers(city: City) -> dict[str, str]:
    flow = Flow("basic", HOLDER_SCOPE)
    return bearer(redeem(city.app, flow, city.browser().code(flow)).json["access_token"])


def test_over_the_api(city: City, headers: dict[str, str]) -> None:
    client = city.app.test_client()
    found = client.get("/v1/accesses?limit=2", headers=headers).json
    assert len(found["items"]) == 2
    assert set(found["items"][0]) == {
        *("at", "act", "who", "unit", "acting", "purpose", "matter", "case_number", "fields", "basis"),
        *("id", "law", "log_index"),
    }
    following = client.get(f"/v1/accesses?limit=2&cursor={found['next_cursor']}", headers=headers).json
    assert found["items"][1]["at"] > following["items"][0]["at"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=" + "G" * 32, "limit=1&limit=2", "page=1", "cursor=%00"],
)
def test_a_bad_query_is_refused(city: City, headers: dict[str, str], query: str) -> None:
    answer = city.app.test_client().get(f"/v1/accesses?{query}", headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.mimetype == "application/problem+json"
