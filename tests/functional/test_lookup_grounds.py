"""On what ground proofs are looked up: codes of three kinds, consents, mandates, faces, the law; each for its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from idservice.call import Call
from idservice.events import courier
from idservice.login import demo_checker, proofing
from idservice.models import Mandate, Staff
from idservice.register import mandates
from licences import catalogue, enrol
from licences.counter import authorisation_codes, lookups, matters, notices
from licences.counter.lookup_models import LookupAuthorisation
from licences.counter.matter_definition import LegalGround, Matter, Proof, Way
from licences.definition import HolderKind
from licences.guard import rules
from licences.guard.models import GuardCount
from licences.guard.policy import ANY, DENY, HOLDER, Rule
from licences.guard.policy import LAW as LAW_ALONE
from licences.models import Lookup
from tests.builders import migrate
from tests.databases import Databases, noting_statements
from tests.looking_up import ask, consent, counts, proofs, refusals, request_for
from tests.town import (
    AGENT,
    ALICE,
    BOB,
    CIVIL,
    CLERK,
    NAMES,
    PERSON_NAMES,
    SECURITY,
    STRANGER,
    Town,
    build_town,
    type_of,
)
from tests.town import MATTER as OTHER

CODE, LAW = "T-LAW", "SHJZ-58"
CARD = type_of("resident_card").code
PROOFS = (
    Proof("identity", "身份证明", "Identity", CARD, (Way.LICENCE,), ("holder_name", "state"), True),
    Proof("means", "收入证明", "Means", None, (Way.DEPARTMENT_CHECK,), (), True, issuing_unit=SECURITY, days=3),
)
PROVISION = (LegalGround(LAW, "《社会救助暂行办法》", "第五十八条"),)
BY_LAW = Matter(
    CODE, "救助申请", "Relief", NAMES[SECURITY], "《社会救助暂行办法》", HolderKind.PERSON, PROOFS, demonstration=True,
    unit_code=SECURITY, grounds=PROVISION,
)  # fmt: skip


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that sends messages, where Bob is a clerk of the other department and acts for Alice."""
    url, folder = databases.fresh(migrate), tmp_path_factory.mktemp("town")
    built = build_town(folder, url, sms_sender=f"file:{folder / 'sms.jsonl'}", demo=True)

    def enter(call: Call) -> None:
        enrol.put_matter(call, BY_LAW)
        call.session.add(Staff(subject=built.subjects[BOB], department=CIVIL, role="clerk", counter="民政1号"))

    built.act(enter)
    built.issue("resident_card")
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def mandate(town: Town) -> str:
    """The mandate by which Bob acts for Alice, for this matter alone."""
    who = {"person": town.subjects[BOB], "principal": town.subjects[ALICE], "principal_kind": mandates.PERSON}
    return town.act(lambda call: mandates.enter(call, **who, role="proxy", matters=[CODE]))


def request(ground: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    return request_for(ground, **{"matter": CODE, **changes})


def made(town: Town, where: str, body: dict[str, Any], headers: dict[str, str]) -> str:
    answer: Any = town.web.post(where, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json["code"])


def by_holder(town: Town, **more: Any) -> str:
    body = {"mode": "holder", "matter": CODE, **more}
    return made(town, "/v1/lookup-authorisations", body, town.person(ALICE))


def by_duty(town: Town, **changes: Any) -> Any:
    body = request({}, **changes) | {"legal_basis": changes.get("legal_basis", LAW)}
    return town.web.post(
        "/v1/duty-authorisations", json=_without(body, "authorisation"), headers=town.machine("counter")
    )


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in body.items() if member != name}


def face_word(town: Town, number: str = ALICE, **changes: Any) -> str:
    """The word of the demonstration's checker on a question of the counter, about whoever stands there."""
    body = _without(request({}, **changes), "authorisation") | {"checker": "face"}
    asked: Any = town.web.post("/v1/face-checks", json=body, headers=town.machine("counter"))
    assert asked.status_code == 201, asked.text
    who = proofing.who(asked.json["nonce"], number, PERSON_NAMES.get(number, "无名"))
    said = {"checker": "face", "audience": town.house.settings.issuer, "nonce": asked.json["nonce"], "who": who}
    return demo_checker.word(town.house.keys, **said, now=datetime.now(UTC))


def test_each_ground_opens_the_matter_and_stands_on_the_record(town: Town, mandate: str) -> None:
    entrusted = {"mode": "entrust", "matter": CODE, "mandate": mandate}
    grounds: dict[str, tuple[dict[str, Any], str]] = {
        "show code": ({"code": town.show(matter=CODE)}, "show_code"),
        "consent": ({"consent": consent(town, matter=CODE)}, "consent"),
        "holder's code": ({"auth_code": by_holder(town, department=SECURITY, case_number="DM-2026-0001")}, "consent"),
        "agent's code": (
            {"auth_code": made(town, "/v1/lookup-authorisations", entrusted, town.person(BOB))},
            "mandate",
        ),
        "duty's code": ({"auth_code": by_duty(town).json["code"]}, "legal_basis"),
        "mandate": ({"mandate": {"id": mandate, "agent": BOB}}, "mandate"),
        "law": ({"legal_basis": LAW}, "legal_basis"),
        "face": ({"face": face_word(town)}, "face"),
    }
    for name, (ground, basis) in grounds.items():
        answer = ask(town, request(ground))
        assert proofs(answer)["identity"]["fields"]["holder_name"] == "王小明", name
        look = town.looks()[0]
        assert (answer.json["basis"], look["basis"]) == (basis, basis), name
        assert look["acting"] == ("赵**" if basis == "mandate" else None), name
        assert look["law"] == ("《社会救助暂行办法》第五十八条" if basis == "legal_basis" else None), name
        if next(iter(ground)) in {"code", "auth_code", "face"}:
            again = ask(town, request(ground))
            assert (again.status_code, again.json["code"]) == (403, "authorisation_refused"), name
    assert "依法查询，未经您授权" in town.browser(ALICE).open("/me/accesses").text


def test_nobody_else_is_served_on_any_ground(town: Town, mandate: str) -> None:
    """Operator x ground x subject: who may use it for whom, and nobody else, whatever he sends."""
    clerks = {"security": {"id_number": CLERK}, "civil": {"id_number": BOB}}
    grounds: dict[str, Any] = {
        "own consent": lambda: {"consent": consent(town, matter=CODE, department=SECURITY)},
        "own code": lambda: {"auth_code": by_holder(town, department=SECURITY)},
        "code of this case": lambda: {"auth_code": by_holder(town, case_number="DM-2026-0001")},
        "duty": lambda: {"auth_code": by_duty(town).json["code"]},
        "law": lambda: {"legal_basis": LAW},
        "another provision": lambda: {"legal_basis": "SHJZ-59"},
        "mandate": lambda: {"mandate": {"id": mandate, "agent": BOB}},
        "mandate of another agent": lambda: {"mandate": {"id": mandate, "agent": AGENT}},
        "face": lambda: {"face": face_word(town)},
        "face of another": lambda: {"face": face_word(town, BOB)},
        "no word": lambda: {"face": "x.y.z"},
        "no code": lambda: {"auth_code": "0" * 32},
    }
    allowed = {
        (operator, ground)
        for operator, ground in (
            *(("security", name) for name in ("own consent", "own code", "code of this case", "duty", "law", "face")),
            *(("civil", name) for name in ("code of this case", "mandate")),
            ("security", "mandate"),
        )
    }
    opened = set()
    for operator, who in clerks.items():
        for name, make in grounds.items():
            before = counts(town)
            answer = ask(town, request(make(), operator=who))
            assert answer.status_code in {200, 403}, (operator, name, answer.text)
            if answer.status_code == 200:
                opened.add((operator, name))
            else:
                assert answer.json["code"] in {"authorisation_refused", "legal_basis_not_offered"}, (operator, name)
                assert counts(town) == before, (operator, name)
                assert refusals(town)[-1] == answer.json["code"]
            for number in (BOB, STRANGER):  # who gave no such leave, and nobody
                body = request(make(), operator=who, subject={"number": number})
                elsewhere = ask(town, body)
                expected = 200 if (operator, name) == ("security", "law") else 403
                assert elsewhere.status_code == expected, (operator, name, number)
    assert opened == allowed


def test_a_code_made_by_duty_is_a_look_by_law_when_it_is_used(town: Town) -> None:
    """Whoever may not look by law does not with a code that is older than the rule, and still does with a consent."""
    code = by_duty(town).json["code"]
    denied = town.act(lambda call: rules.put(call, Rule(DENY, unit=SECURITY, region=ANY, ground=LAW_ALONE), note=""))
    try:
        for ground in ({"legal_basis": LAW}, {"auth_code": code}):
            assert ask(town, request(ground)).json["code"] == "not_covered"
        for ground in ({"consent": consent(town, matter=CODE)}, {"auth_code": by_holder(town)}):
            assert ask(town, request(ground)).status_code == 200
    finally:
        town.act(lambda call: rules.remove(call, denied))
    assert ask(town, request({"auth_code": code})).status_code == 200, "refused, so not used up"


def test_where_only_looks_by_law_are_allowed_a_code_made_by_duty_is_good(town: Town) -> None:
    denied = town.act(lambda call: rules.put(call, Rule(DENY, unit=SECURITY, region=ANY, ground=HOLDER), note=""))
    try:
        used = by_duty(town).json["code"]
        with noting_statements(town.house.database) as work:
            assert ask(town, request({"auth_code": used})).json["basis"] == "legal_basis"
        assert len([text for text in work if text.startswith("INSERT INTO guard_count")]) == 1, "counted once"
        for ground in ({"consent": consent(town, matter=CODE)}, {"auth_code": by_holder(town)}):
            assert ask(town, request(ground)).json["code"] == "not_covered"
    finally:
        town.act(lambda call: rules.remove(call, denied))


def test_a_code_is_for_its_matter_and_its_case_and_ends(town: Town) -> None:
    for change in ({"matter": OTHER}, {"case_number": "DM-OTHER"}):
        code = by_holder(town, case_number="DM-2026-0001")
        refused = ask(town, request({"auth_code": code}, **change))
        assert (refused.status_code, refused.json["code"]) == (403, "authorisation_refused"), change
        assert proofs(ask(town, request({"auth_code": f" {code.lower()} "}))), "a refused code is not used up"
    code = by_holder(town)

    def end(call: Call) -> None:
        past = call.now - timedelta(seconds=1)
        call.session.execute(update(LookupAuthorisation).values(expires_at=past))

    town.act(end)
    assert ask(town, request({"auth_code": code})).status_code == 403
    stored = town.act(lambda call: call.session.scalars(select(LookupAuthorisation)).all())
    assert len({row.mode for row in stored} & {str(mode) for mode in authorisation_codes.Mode}) >= 2
    assert {type(row.code_hash) for row in stored} == {bytes}


def test_who_may_make_a_code(town: Town, mandate: str) -> None:
    for body, headers, status in (
        ({"mode": "entrust", "matter": CODE}, town.person(ALICE), 422),
        ({"mode": "holder", "matter": CODE, "mandate": mandate}, town.person(BOB), 422),
        ({"mode": "entrust", "matter": CODE, "mandate": mandate}, town.person(ALICE), 404),
        ({"mode": "entrust", "matter": OTHER, "mandate": mandate}, town.person(BOB), 403),
        ({"mode": "holder", "matter": CODE, "department": "0" * 18}, town.person(ALICE), 422),
        ({"mode": "auth", "matter": CODE}, town.person(ALICE), 422),
        ({"mode": "holder", "matter": "NO-SUCH"}, town.person(ALICE), 404),
        ({"mode": "holder", "matter": CODE}, town.machine("counter"), 403),
    ):
        answer = town.web.post("/v1/lookup-authorisations", json=body, headers=headers)
        assert answer.status_code == status, (body, answer.text)
    assert by_duty(town, operator={"id_number": BOB}).json["code"] == "legal_basis_not_offered"
    assert by_duty(town, case_number="").json["code"] == "case_number_required"


def test_a_mandate_withdrawn_ends_its_codes_at_once(town: Town) -> None:
    who = {"person": town.subjects[BOB], "principal": town.subjects[ALICE], "principal_kind": mandates.PERSON}
    other = town.act(lambda call: mandates.enter(call, **who, role="proxy"))
    body = {"mode": "entrust", "matter": CODE, "mandate": other}
    code = made(town, "/v1/lookup-authorisations", body, town.person(BOB))
    ended = update(Mandate).where(Mandate.mandate_id == other)
    town.act(lambda call: call.session.execute(ended.values(withdrawn_at=call.now)))
    for ground in ({"auth_code": code}, {"mandate": {"id": other, "agent": BOB}}):
        assert ask(town, request(ground)).json["code"] == "authorisation_refused"


def test_nobody_and_somebody_who_holds_nothing_are_answered_alike(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """By law nobody's leave is asked, so this is where a look-up could tell who exists: body, rows, statements."""
    town.act(lambda call: call.session.execute(delete(GuardCount)))  # these looks come from no loopback: quotas hold
    for lists in (matters, catalogue):
        monkeypatch.setattr(lists, "_KEEP", 3600.0)  # what a process reads once is read
    answers, works = [], []
    for number in (ALICE, BOB, STRANGER):
        body = request({"legal_basis": LAW}, subject={"number": number})
        with noting_statements(town.house.database) as work:
            answer = town.act(partial(lookups.look_up, body=body))
        for proof in answer["proofs"]:
            proof.pop("check", None)
        answers.append({**answer, "id": "", "at": ""})
        # Now and then, for whomever, a look also compares today's count with what is usual.
        works.append([statement[:60] for statement in work if not statement.startswith("SELECT guard_count.")])
    assert answers[1] == answers[2]
    assert works[1] == works[2] != []
    rows = town.act(lambda call: call.session.scalars(select(Lookup).where(Lookup.subject.like("nobody%"))).all())
    assert {row.basis for row in rows} == {f"legal_basis:{LAW}"}


def test_a_holder_is_told_of_a_look_by_law(town: Town) -> None:
    sent = Path(str(town.house.settings.sms_sender).removeprefix("file:"))
    courier.deliver(town.house, datetime.now(UTC))
    before = sent.read_text("utf-8").count("\n") if sent.exists() else 0
    town.act(lambda call: _give_phone(call, town.subjects[ALICE], "10000000001"))
    for number in (ALICE, STRANGER):
        assert ask(town, request({"legal_basis": LAW}, subject={"number": number})).status_code == 200
    assert ask(town, request({"consent": consent(town, matter=CODE)})).status_code == 200
    assert courier.deliver(town.house, datetime.now(UTC)) == 2, notices.KIND
    lines = [json.loads(line) for line in sent.read_text("utf-8").splitlines()[before:]]
    assert [line["to"] for line in lines] == ["10000000001"], "nobody is sent nothing, and whoever consented knows"
    assert NAMES[SECURITY] in lines[0]["text"]
    assert "救助申请" in lines[0]["text"]
    assert ALICE not in lines[0]["text"]


def _give_phone(call: Call, subject: str, phone: str) -> None:
    from idservice.models import Person

    sealed = call.cipher.seal(phone.encode(), table="person", column="phone_sealed", row=subject)
    call.session.execute(update(Person).where(Person.subject == subject).values(phone_sealed=sealed))
