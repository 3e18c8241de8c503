"""A honey number alarms at its first touch, whatever is answered, and is answered like any number of nobody's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from licences.guard import alarms, honey, stop
from licences.guard.models import GuardAlarm, GuardCount, GuardHoney, GuardStop
from tests import sharing
from tests.identity import citizen_number
from tests.looking_up import ask, request_for
from tests.town import ALICE, CLERK, MATTER, SECURITY, Town

DECOY, NOBODY = citizen_number("37169919900307127"), citizen_number("37169919900307135")
ELSEWHERE = citizen_number("11010519900307123")
DUTY = "/v1/license-app/license/auth"
Ask = Callable[[Town, str], Any]


@pytest.fixture(autouse=True)
def _decoy(town: Town) -> Iterator[None]:
    town.act(lambda call: honey.put(call, [DECOY]))
    yield
    for table in (GuardAlarm, GuardCount, GuardHoney, GuardStop):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def raised(town: Town) -> list[tuple[str, int, Any]]:
    return town.act(lambda call: [(row.kind, row.times, row.facts.get("operator")) for row in alarms.listed(call)])


def look(**changes: Any) -> Ask:
    def asked(town: Town, number: str) -> Any:
        return ask(town, request_for({"code": "0" * 26}, **{"subject": {"number": number}, **changes}))

    return asked


def as_agent(town: Town, number: str) -> Any:
    return ask(town, request_for({"mandate": {"id": "0" * 32, "agent": number}}))


def counter(where: str, **more: Any) -> Ask:
    def asked(town: Town, number: str) -> Any:
        body = request_for({}, subject={"number": number}, authorisation=..., **more)
        return town.web.post(where, json=body, headers=town.machine("counter"))

    return asked


def department_check(town: Town, number: str) -> Any:
    body = {"lookup": "0" * 32, "subject": {"number": number}, "proof": "x", "purpose": "x", "case_number": "1"}
    body["operator"] = {"id_number": CLERK}
    return town.web.post("/v1/department-checks", json=body, headers=town.machine("counter"))


def share(slug: str = "resident_card", head: Any = None, **changes: Any) -> Ask:
    def asked(town: Town, number: str) -> Any:
        more = {"head": head} if head else {}
        return sharing.ask(town, "queryCertInfoByHolderCode", sharing.holder(number, slug) | changes, **more)

    return asked


def use_code(town: Town, number: str) -> Any:
    """Guangdong's clerk names a matter that is not there."""
    named = {"identity_num": CLERK, "role": "3号", "name": "孙", "service_org": SECURITY, "account": "sun"}
    named |= {"division": "示范市", "division_code": "371600"}
    body = {"identity_number": number, "service_item_code": "NONE", "service_item_name": "无", "biz_num": "1"}
    answer = town.web.post(DUTY, json=body | {"operator": named}, headers=town.machine("share-app"))
    assert answer.json["ack_code"] == "FAILURE"
    return answer


TOUCHES: dict[str, tuple[Ask, bool]] = {  # and whether the clerk can be named
    "no such code": (look(), True),
    "no authorisation": (look(authorisation=...), True),
    "two grounds": (look(authorisation={"code": "0" * 26, "consent": "0" * 32}), True),
    "no purpose": (look(purpose=""), True),
    "no case": (look(case_number=...), True),
    "no such matter": (look(matter="NONE"), True),
    "no clerk": (look(operator={"id_number": ALICE}), False),
    "no operator": (look(operator=...), False),
    "as an agent": (as_agent, True),
    "by duty, without a basis": (counter("/v1/duty-authorisations", legal_basis="NONE"), True),
    "face": (counter("/v1/face-checks", checker="face"), True),
    "face, no such matter": (counter("/v1/face-checks", checker="face", matter="NONE"), True),
    "department check": (department_check, True),
    "sharing": (share(), True),
    "sharing, a type that is not permitted": (share("driving_licence"), True),
    "sharing, no operator": (share(operator=...), False),
    "sharing, another kind of holder": (share(holderCodeType="001"), True),
    "a code for one licence, no such matter": (use_code, True),
    "sharing, another client": (share(head={"accessId": "other"}), False),
}


@pytest.fixture(scope="module", autouse=True)
def _app(town: Town) -> None:
    sharing.register(town)
    sharing.permit(town)


@pytest.mark.parametrize("name", TOUCHES)
def test_a_decoy_alarms_and_is_answered_like_anybody_unknown(town: Town, name: str) -> None:
    touch, is_named = TOUCHES[name]
    plain = touch(town, NOBODY)
    assert raised(town) == []
    touched = touch(town, DECOY)
    assert raised(town) == [("honey", 1, town.subjects[CLERK] if is_named else None)]
    own = {"request_id", "nonce", "expires_at", "url", "response_id", "timestamp"}
    told = [{name: value for name, value in answer.json.items() if name not in own} for answer in (plain, touched)]
    assert told[0] == told[1]
    assert plain.status_code == touched.status_code


def test_the_alarm_of_an_unknown_operator_names_the_system(town: Town) -> None:
    look(operator={"id_number": ALICE}, matter="NONE")(town, DECOY)
    facts = town.act(lambda call: alarms.listed(call)[0].facts)
    assert facts == {"client": "counter"}


def test_a_form_that_is_not_filled_in_touches_too(town: Town) -> None:
    clerk = town.browser(CLERK)
    page = clerk.open(f"/counter/lookup?matter={MATTER}")
    clerk.submit(page, matter=MATTER, number=NOBODY, purpose="")
    assert raised(town) == []
    clerk.submit(page, matter=MATTER, number=DECOY, purpose="")
    assert raised(town) == [("honey", 1, town.subjects[CLERK])]


def test_a_question_to_a_checker_of_faces_passes_the_guard_and_counts(town: Town) -> None:
    begin = counter("/v1/face-checks", checker="face")
    assert begin(town, ELSEWHERE).json["code"] == "not_covered"
    assert begin(town, ALICE).status_code == 422, "no checker is set up here, and that is said to whoever may ask"
    looks = town.act(lambda call: {row.count_key.split(":")[0]: row.looks for row in call.session.query(GuardCount)})
    assert looks["operator"] == 2
    town.act(lambda call: stop.put(call, scope="all", target="", reason="演练"))
    assert begin(town, ALICE).status_code == 503
