"""The guard in front of look-ups, through the API, the administrators' page and the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update

from idservice.admin import roles
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.models import AuditEntry, LoginSession, Person, Staff
from licences.guard import alarms, anomalies, baseline, honey, quota, rules, stop
from licences.guard.models import GuardAlarm, GuardCount, GuardQuota, GuardRule, GuardStop
from licences.guard.policy import ALLOW, ANY, DENY, LAW, Rule
from licences.guard.quota import Quota
from tests.identity import Browser, citizen_number
from tests.looking_up import ask, consent, counts, refusals, request_for
from tests.town import ALICE, BOB, CIVIL, CLERK, MATTER, OFFICER, SECURITY, STRANGER, Town

DECOY = citizen_number("37169919900307127")
COLLEAGUE = BOB
ELSEWHERE = citizen_number("11010519900307123")  # of another city
OF_SUBJECTS = ("subject_index", "guard_", "presentation", "licence ", "person", "access_record", "audit_entry")
TWO_FACTORS = {"amr": ["pwd", "otp", "mfa"], "level": 3}


@pytest.fixture(autouse=True)
def _clean(town: Town) -> Iterator[None]:
    yield
    for table in (GuardCount, GuardQuota, GuardStop, GuardAlarm):
        town.act(lambda call, table=table: call.session.execute(delete(table)))
    town.act(lambda call: call.session.execute(delete(GuardRule).where(GuardRule.effect == DENY)))


def held(town: Town) -> dict[str, str]:
    return {"consent": consent(town)}


def code(answer: Any) -> str:
    return str(answer.json["code"])


def seen(town: Town) -> dict[str, int]:
    found = town.act(lambda call: [(row.kind, row.times) for row in alarms.listed(call)])
    return dict(found)


def administrator(town: Town, number: str, role: Role) -> Browser:
    subject = town.subjects[number]
    town.act(lambda call: call.session.execute(delete(Administrator).where(Administrator.subject == subject)))
    town.act(lambda call: roles.give(call, subject, role))
    town.act(lambda call: call.session.execute(update(Person).where(Person.subject == subject).values(level=3)))
    browser = town.browser(number)
    town.act(lambda call: call.session.execute(update(LoginSession).values(**TWO_FACTORS)))
    return browser


def press(browser: Browser, **form: str) -> Any:
    """Press a button of the guard's page; the page's own form gives the token."""
    return browser.submit(browser.open("/admin/guard"), **form)


def test_a_subject_of_another_city_is_not_looked_up(town: Town) -> None:
    before = counts(town)
    answer = ask(town, request_for(held(town), subject={"number": ELSEWHERE}))
    assert (answer.status_code, code(answer)) == (403, "not_covered")
    assert refusals(town)[-1] == "not_covered"
    assert counts(town) == before


def test_a_row_that_denies_goes_first(town: Town) -> None:
    town.issue("household_register")
    assert ask(town, request_for(held(town))).status_code == 200
    town.act(lambda call: rules.put(call, Rule(DENY, unit=SECURITY, matter=MATTER, region=ANY, ground=ANY), note=""))
    assert code(ask(town, request_for(held(town)))) == "not_covered"


def test_a_full_day_and_a_burst_are_refused_recorded_and_raise_one_alarm(town: Town) -> None:
    town.act(lambda call: rules.limit(call, SECURITY, Quota(per_day=2, per_minute=100, per_subject=100)))
    strict(town, on=True)
    try:
        answers = [ask(town, request_for(held(town))) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
        assert code(answers[3]) == "quota_exceeded"
        assert 0 < int(answers[3].headers["Retry-After"]) <= 86_401
        assert seen(town) == {"day": 2}
        assert refusals(town)[-1] == "quota_exceeded"
        town.act(lambda call: rules.limit(call, SECURITY, Quota(per_day=100, per_minute=0, per_subject=100)))
        burst = ask(town, request_for(held(town)))
        assert int(burst.headers["Retry-After"]) <= 60
        town.act(lambda call: rules.limit(call, SECURITY, Quota(per_day=100, per_minute=100, per_subject=1)))
        assert code(ask(town, request_for(held(town)))) == "quota_exceeded"
        assert seen(town) == {"day": 2, "burst": 1, "subject": 1}
    finally:
        strict(town, on=False)


def test_an_operator_of_two_units_has_one_quota(town: Town) -> None:
    town.act(lambda call: rules.limit(call, ANY, Quota(per_day=2, per_minute=100, per_subject=100)))
    second = {"subject": town.subjects[CLERK], "department": CIVIL, "role": "clerk"}
    town.act(lambda call: call.session.add(Staff(**second)))
    strict(town, on=True)
    try:
        units = [SECURITY, CIVIL, SECURITY, CIVIL]
        answers = [ask(town, request_for(held(town), department=unit)) for unit in units]
        assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    finally:
        strict(town, on=False)
        gone = delete(Staff).where(Staff.subject == town.subjects[CLERK], Staff.department == CIVIL)
        town.act(lambda call: call.session.execute(gone))


def strict(town: Town, *, on: bool) -> None:
    """Let quotas hold, or not, for a caller on loopback."""
    object.__setattr__(town.house.settings, "unthrottled_loopback", not on)


def test_what_is_refused_counts_too(town: Town) -> None:
    for _ in range(3):
        assert code(ask(town, request_for({"code": "0" * 26}))) == "authorisation_refused"
    rows = select(GuardCount.looks).where(GuardCount.count_key.startswith("operator:look_up:"))
    own = town.act(lambda call: list(call.session.scalars(rows)))
    assert own == [3]


def test_a_honey_number_alarms_at_the_first_touch_and_is_answered_like_any_stranger(town: Town) -> None:
    town.act(lambda call: honey.put(call, [DECOY]))
    plain = ask(town, request_for({"code": "0" * 26}, subject={"number": STRANGER}))
    assert seen(town) == {}
    sounded = alarms.RAISED.labels("honey")._value.get()
    touched = ask(town, request_for({"code": "0" * 26}, subject={"number": DECOY}))
    assert seen(town) == {"honey": 1}
    assert alarms.RAISED.labels("honey")._value.get() == sounded + 1
    hidden = {"request_id"}
    assert {k: v for k, v in plain.json.items() if k not in hidden} == {
        k: v for k, v in touched.json.items() if k not in hidden
    }
    assert plain.status_code == touched.status_code == 403
    raised = town.act(
        lambda call: call.session.scalar(select(AuditEntry.facts).where(AuditEntry.deed == "licences:alarm:raise"))
    )
    assert DECOY not in str(raised)
    assert json.loads(str(raised))["operator"] == town.subjects[CLERK]


def test_everybody_who_touches_a_decoy_has_an_alarm_of_his_own(town: Town) -> None:
    """Whom the page's button stops is whom the alarm names: nobody hides behind whoever came first that day."""
    town.act(lambda call: honey.put(call, [DECOY]))
    operators = [town.subjects[CLERK], town.subjects[COLLEAGUE]]
    town.act(lambda call: call.session.add(Staff(subject=operators[1], department=SECURITY, role="clerk")))
    try:
        for number in (CLERK, COLLEAGUE, CLERK):
            ask(town, request_for({"code": "0" * 26}, subject={"number": DECOY}, operator={"id_number": number}))
    finally:
        town.act(lambda call: call.session.execute(delete(Staff).where(Staff.subject == operators[1])))
    named = {row.facts["operator"]: row.times for row in town.act(alarms.listed)}
    assert named == {operators[0]: 2, operators[1]: 1}


def test_everybody_who_asks_too_often_for_one_person_has_an_alarm_of_his_own(town: Town) -> None:
    town.act(lambda call: rules.limit(call, SECURITY, Quota(per_day=100, per_minute=100, per_subject=0)))
    operators = [town.subjects[CLERK], town.subjects[COLLEAGUE]]
    town.act(lambda call: call.session.add(Staff(subject=operators[1], department=SECURITY, role="clerk")))
    strict(town, on=True)
    try:
        for number in (CLERK, COLLEAGUE):
            ask(town, request_for(held(town), operator={"id_number": number}))
    finally:
        strict(town, on=False)
        town.act(lambda call: call.session.execute(delete(Staff).where(Staff.subject == operators[1])))
    assert {row.facts["operator"] for row in town.act(alarms.listed) if row.kind == "subject"} == set(operators)


@contextmanager
def asked_of(town: Town) -> Iterator[list[str]]:
    """Collect the statements that the database is given."""
    database, given = town.house.database, []

    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        given.append(statement)

    engines = {id(engine): engine for engine in (database.engine, database._writer)}.values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listen)
    yield given
    for engine in engines:
        event.remove(engine, "before_cursor_execute", listen)


def test_the_guard_costs_two_statements_and_a_verification_one(town: Town) -> None:
    real = town.issue("real_estate_title").identifier
    ground, code_ = held(town), town.show(real)
    with asked_of(town) as done:
        assert ask(town, request_for(ground)).status_code == 200
    assert len([statement for statement in done if "guard_" in statement]) == 2
    with asked_of(town) as done:
        assert town.verify(code_, operator={"id_number": CLERK})["ok"]
    assert len([statement for statement in done if "guard_" in statement]) == 1


def test_a_clerk_s_page_is_guarded_as_the_api_is(town: Town) -> None:
    town.act(lambda call: honey.put(call, [DECOY]))
    clerk = town.browser(CLERK)
    form = {"matter": MATTER, "number": DECOY, "authorisation": "code", "code": "0" * 26, "purpose": "x"}
    page = clerk.open(f"/counter/lookup?matter={MATTER}")
    assert clerk.submit(page, **form, case_number="1").status == 403
    assert seen(town) == {"honey": 1}


def test_an_unknown_person_and_one_without_licences_are_answered_with_the_same_words_and_work(town: Town) -> None:
    """A prober learns neither from the body nor from what the database is asked."""
    bodies, works = [], []
    for number in (STRANGER, BOB):
        with asked_of(town) as done:
            answer = ask(town, request_for({"code": "0" * 26}, subject={"number": number}))
        bodies.append({name: value for name, value in answer.json.items() if name != "request_id"})
        works.append([text for text in done if any(table in text for table in OF_SUBJECTS)])  # lists are kept a while
    assert bodies[0] == bodies[1]
    assert works[0] == works[1]
    assert len(works[0]) > 3


@pytest.mark.parametrize(
    ("scope", "target"), [("all", ""), ("unit", SECURITY), ("matter", MATTER), ("operator", CLERK)]
)
def test_a_stop_holds_at_once_and_leaves_verification_up(town: Town, scope: str, target: str) -> None:
    real = town.issue("real_estate_title").identifier
    whom = town.subjects[CLERK] if scope == "operator" else target
    made = town.act(lambda call: stop.put(call, scope=scope, target=whom, reason="演练").stop_id)
    answer = ask(town, request_for(held(town)))
    assert (answer.status_code, code(answer)) == (503, "look_ups_stopped")
    assert town.verify(town.show(real), operator={"id_number": CLERK})["ok"]
    for number in (ALICE, BOB):  # two people lift it
        town.act(lambda call: stop.resume(call, made), caller=town.caller(number))
    assert ask(town, request_for(held(town))).status_code == 200


def test_another_stop_touches_nobody_else(town: Town) -> None:
    town.act(lambda call: stop.put(call, scope="unit", target=CIVIL, reason="演练"))
    assert ask(town, request_for(held(town))).status_code == 200


def test_an_hour_unlike_the_others_stops_itself(town: Town) -> None:
    ordinary = anomalies.EVERY * baseline.FLOOR  # more than five times what the hours before had
    hours = {0: ordinary - 1, 1: 40, 2: 50, 3: 45}

    def past(call: Any) -> None:
        for back, looks in hours.items():
            for shard in range(quota.SHARDS):
                counter = quota.of_everybody(shard, call.now - timedelta(hours=back))
                row = {"count_key": counter.key, "looks": looks, "minute": 0, "in_minute": 0}
                call.session.add(GuardCount(**row, expires_at=counter.expires_at))

    town.act(past)
    strict(town, on=True)
    try:
        ask(town, request_for({"code": "0" * 26}))
    finally:
        strict(town, on=False)
    assert seen(town) == {"anomaly": 1}
    assert code(ask(town, request_for(held(town)))) == "look_ups_stopped"
    assert town.act(lambda call: [row.reason for row in stop.listed(call)]) == [anomalies.REASON]
    assert seen(town) == {"anomaly": 1}


def test_the_page_shows_the_alarm_stops_the_operator_and_needs_two_to_let_him_on(town: Town) -> None:
    security, system = administrator(town, OFFICER, Role.SECURITY), administrator(town, BOB, Role.SYSTEM)
    assert town.browser(ALICE).open("/admin/guard").status == 403
    town.act(lambda call: honey.put(call, [DECOY]))
    ask(town, request_for({"code": "0" * 26}, subject={"number": DECOY}))
    shown = security.open("/admin/guard")
    assert "触碰蜜罐号码" in shown.text
    assert DECOY not in shown.text
    assert "孙**" in shown.text or "孙*" in shown.text
    press(security, do=f"stop_operator.{town.subjects[CLERK]}")
    assert code(ask(town, request_for(held(town)))) == "look_ups_stopped"
    made = town.act(lambda call: stop.listed(call)[0].stop_id)
    press(security, do=f"resume.{made}")
    again = press(security, do=f"resume.{made}")
    assert again.status == 403
    assert code(ask(town, request_for(held(town)))) == "look_ups_stopped"
    press(system, do=f"resume.{made}")
    assert ask(town, request_for(held(town))).status_code == 200
    alarm = town.act(lambda call: alarms.listed(call)[0].alarm_id)
    assert press(system, do=f"seen.{alarm}").status == 403
    press(security, do=f"seen.{alarm}")
    assert town.act(lambda call: alarms.listed(call)[0].seen_by) == f"person:{town.subjects[OFFICER]}"


def test_the_page_narrows_and_does_not_widen(town: Town) -> None:
    security = administrator(town, OFFICER, Role.SECURITY)
    wrong = (
        {"scope": "unit", "target": "nobody", "reason": "x"},
        {"scope": "matter", "target": "nothing", "reason": "x"},
        {"scope": "operator", "target": STRANGER, "reason": "x"},
        {"scope": "all", "target": "", "reason": " "},
        {"scope": "everything", "target": "x", "reason": "x"},
    )
    for form in wrong:
        shown = press(security, do="stop", **form)
        assert "govuk-error-summary" in shown.text, form
    assert town.act(stop.listed) == []
    press(security, do="stop", scope="operator", target=CLERK, reason="疑似冒用账号")
    assert [(row.scope, row.target) for row in town.act(stop.listed)] == [("operator", town.subjects[CLERK])]
    denied = town.act(lambda call: rules.put(call, Rule(DENY, region="11"), note=""))
    assert press(security, do=f"remove.{denied}").status == 403
    allowed = town.act(lambda call: rules.put(call, Rule(ALLOW, region="11"), note=""))
    assert press(security, do=f"remove.{allowed}").status == 200
    kept = town.act(lambda call: {row.rule_id for row in rules.listed(call)})
    assert denied in kept
    assert allowed not in kept


def test_the_command_enters_rules_and_decoys_lists_alarms_and_stops(town: Town) -> None:
    run = town.app.test_cli_runner().invoke
    law = {"effect": "allow", "unit": SECURITY, "operator": CLERK, "region": "37", "ground": "law"}
    bad = run(args=["guard", "rules", "import", "-"], input=json.dumps([law, {"effect": "allow", "region": "3"}]))
    assert bad.exit_code == 1
    assert "/1/region" in bad.output
    done = run(args=["guard", "rules", "import", "-"], input=json.dumps([law]))
    assert done.exit_code == 0, done.output
    listed = json.loads(run(args=["guard", "rules", "list", "--json"]).output)["items"]
    assert {"law"} == {row["ground"] for row in listed if row["operator"] == town.subjects[CLERK]}
    for row in listed:
        if row["ground"] == LAW:
            assert run(args=["guard", "rules", "remove", row["rule_id"]]).exit_code == 0
    assert run(args=["guard", "honey"], input=f"{citizen_number('37169919900307135')}\n").output.strip().endswith("1")
    assert run(args=["guard", "honey"], input=f"{ALICE}\n").exit_code == 1
    assert run(args=["guard", "alarms"]).exit_code == 0
    stopped = run(args=["guard", "stop", "all", "--reason", "演练"]).output.strip()
    assert run(args=["guard", "resume", stopped]).exit_code == 0
    assert run(args=["guard", "resume", stopped]).exit_code == 1  # the same hand twice
    town.act(lambda call: stop.resume(call, stopped), caller=town.caller(ALICE))
    assert "operator" in run(args=["guard", "stops"]).output
    assert run(args=["guard", "stop", "unit", "--reason", "x"]).exit_code == 1
    assert run(args=["guard", "quota", "--per-day", "9", "--per-minute", "9", "--per-subject", "9"]).exit_code == 0
    assert [row.per_day for row in town.act(rules.quotas)] == [9]
