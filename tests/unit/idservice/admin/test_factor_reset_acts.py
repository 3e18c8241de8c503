"""Second factors that staff have lost: for whom two administrators take them away, and what goes with them."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from sqlalchemy import func, select, update

from idservice.admin import approvals, factor_reset_acts
from idservice.admin.acts import RiskyAct
from idservice.admin.approvals import Asked
from idservice.events import emit
from idservice.login import activation, factor_reset, recovery_codes, second_factor, session, sms_sender, totp
from idservice.login.models import ActivationCode, Passkey, RecoveryCode, Totp
from idservice.models import AuditEntry, LoginSession, Person
from tests.unit.idservice.admin.conftest import Desk

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FACTORS = (Totp, Passkey, RecoveryCode, ActivationCode)


def give_all(desk: Desk, who: str = "audit") -> str:
    """Give somebody one factor of each kind, a code for activation and a session; return his subject."""
    subject = desk.subject[who]

    def give(call: Any) -> None:
        totp.put(call, subject, SECRET)
        recovery_codes.make(call, subject)
        call.session.add(
            Passkey(
                subject=subject, credential_hash=b"1" * 32, credential_id=b"1", public_key=b"1", sign_count=0,
                title="演示", created_at=call.now, used_at=None,
            )
        )  # fmt: skip
        activation.enter(call, subject, activation.hash_of("aaaa-bbbb-cccc-dddd"))
        session.start(call, subject, level=3, amr=["pwd", "otp", "mfa"])

    desk.do(give, who)
    return subject


def held(desk: Desk, subject: str) -> list[int]:
    def count(call: Any) -> list[int]:
        rows = (select(func.count()).select_from(table).where(table.subject == subject) for table in FACTORS)
        return [call.session.scalar(row) for row in rows]

    found: list[int] = desk.do(count)
    return found


def live(desk: Desk, subject: str) -> int:
    rows = select(func.count()).where(LoginSession.subject == subject, LoginSession.ended_at.is_(None))
    found: int = desk.do(lambda call: call.session.scalar(rows))
    return found


def ask(desk: Desk, whose: str = "audit") -> Asked:
    facts = {"subject": desk.subject[whose]}
    asked: Asked = desk.do(lambda call: approvals.ask(call, RiskyAct.FACTOR_RESET, facts))
    return asked


def refused(desk: Desk, asked: Asked, who: str = "security") -> str:
    return desk.refusal(lambda call: approvals.decide(call, asked.request_id, approve=True), who)


def session_of(desk: Desk, subject: str) -> str:
    row = select(LoginSession.id_hash).where(LoginSession.subject == subject)
    return bytes(desk.do(lambda call: call.session.scalar(row))).hex()


def at_once(desk: Desk, first: Callable[[Any], Any], then: Callable[[], Any], **login: Any) -> None:
    """Do `first` and, before it is committed, begin `then`."""
    begun = threading.Event()

    def slowly(call: Any) -> None:
        first(call)
        begun.set()
        time.sleep(0.3)

    def after() -> None:
        begun.wait(timeout=60)
        then()

    thread = threading.Thread(target=after)
    thread.start()
    desk.do(slowly, "audit", **login)
    thread.join(timeout=60)


def test_all_of_them_go_at_once_with_the_sessions_and_the_audit_log_tells(desk: Desk) -> None:
    subject, other = give_all(desk), give_all(desk, "security2")
    asked = ask(desk)
    assert (held(desk, subject), live(desk, subject)) == ([1, 1, 10, 1], 1), "not before a second person has agreed"
    desk.do(lambda call: approvals.decide(call, asked.request_id, approve=True), "security")
    assert (held(desk, subject), live(desk, subject)) == ([0, 0, 0, 0], 0)
    assert (held(desk, other), live(desk, other)) == ([1, 1, 10, 1], 1)
    assert desk.do(lambda call: second_factor.ways_of(call, subject)) == []
    rows = desk.do(lambda call: call.session.execute(select(AuditEntry.deed, AuditEntry.facts)).all())
    told = [facts for deed, facts in rows if deed == "idservice:factor:reset"]
    assert len(told) == 1
    assert subject in told[0]
    assert [deed for deed, _facts in rows].count("idservice:factor:remove") == 3


def test_an_app_that_was_only_begun_goes_too(desk: Desk) -> None:
    subject = give_all(desk)
    desk.do(lambda call: call.session.execute(update(Totp).values(confirmed_at=None)))
    desk.do(lambda call: factor_reset.reset(call, subject))
    assert held(desk, subject) == [0, 0, 0, 0]


def test_for_whom_it_is_not_done(desk: Desk) -> None:
    def refusal(whose: str) -> str:
        facts = {"subject": desk.subject.get(whose, "0" * 32)}
        return desk.refusal(lambda call: approvals.ask(call, RiskyAct.FACTOR_RESET, facts))

    for who in ("citizen", "system", "security"):
        subject = desk.subject[who]
        desk.do(lambda call, s=subject: totp.put(call, s, SECRET))
    found = [refusal(whose) for whose in ("nobody", "citizen", "system", "audit")]
    assert found == ["not_found", "conflict", "forbidden", "conflict"], "audit has none"
    desk.do(lambda call: call.session.execute(update(Person).values(status="locked")))
    assert refusal("security") == "conflict", "he is stopped"


def test_nobody_does_it_alone_or_agrees_to_it_for_himself(desk: Desk) -> None:
    subject = give_all(desk, "security")
    asked = ask(desk, "security")
    assert refused(desk, asked, "system") == "forbidden"
    assert refused(desk, asked, "system2") == "forbidden"
    assert refused(desk, asked, "security") == "forbidden"
    assert (held(desk, subject), live(desk, subject)) == ([1, 1, 10, 1], 1)
    desk.do(lambda call: approvals.decide(call, asked.request_id, approve=True), "security2")
    assert held(desk, subject) == [0, 0, 0, 0]


def test_it_is_looked_at_again_when_it_is_agreed_to(desk: Desk) -> None:
    subject = give_all(desk)
    first, second = ask(desk), ask(desk)
    locked = update(Person).where(Person.subject == subject)
    desk.do(lambda call: call.session.execute(locked.values(status="locked")))
    assert refused(desk, first) == "conflict"
    assert held(desk, subject) == [1, 1, 10, 1]
    desk.do(lambda call: call.session.execute(locked.values(status="active")))
    desk.do(lambda call: approvals.decide(call, first.request_id, approve=True), "security")
    assert refused(desk, second) == "conflict", "nothing is left"


def test_he_and_the_apps_are_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, str]] = []
    told: list[tuple[str, str, str]] = []
    sender = SimpleNamespace(send=lambda to, **said: sent.append((to, said["text"])))
    monkeypatch.setattr(sms_sender, "is_configured", lambda _settings: True)
    monkeypatch.setattr(sms_sender, "sender", lambda _settings: sender)
    monkeypatch.setattr(second_factor, "phone_of", lambda *_: "13800001234")
    note = ["credential", "change", "by"]
    monkeypatch.setattr(emit, "credential_changed", lambda *_, **said: told.append(tuple(said[name] for name in note)))
    subject = give_all(desk)
    desk.do(lambda call: factor_reset.reset(call, subject))
    assert sent == [("13800001234", factor_reset.TEXT)]
    assert told == [("app", "delete", "admin"), ("fido2-platform", "delete", "admin")]


def test_without_a_telephone_or_a_sender_nothing_is_sent(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms_sender, "sender", lambda _settings: pytest.fail("nobody carries messages"))
    subject = give_all(desk)
    desk.do(lambda call: factor_reset_acts.reset(call, {"subject": subject}))
    assert live(desk, subject) == 0


def test_a_session_made_stronger_by_a_factor_at_that_moment_ends_too(desk: Desk) -> None:
    """The reset waits for whoever is showing the factor just now, and sees the session that came of it."""
    subject = give_all(desk)
    row = select(LoginSession).where(LoginSession.subject == subject)

    def show(call: Any) -> None:
        assert totp.check(call, subject, pyotp.TOTP(SECRET).at(desk.now))
        session.strengthen(call, call.session.scalars(row).one(), amr=["pwd", "otp", "mfa"])

    at_once(desk, show, lambda: desk.do(lambda call: factor_reset.reset(call, subject)))
    assert (held(desk, subject), live(desk, subject)) == ([0, 0, 0, 0], 0)


def test_a_factor_that_is_added_at_that_moment_goes_with_the_others(desk: Desk) -> None:
    subject = give_all(desk)

    def add(call: Any) -> None:
        assert session.hold(call)
        recovery_codes.make(call, subject)

    his = session_of(desk, subject)
    at_once(desk, add, lambda: desk.do(lambda call: factor_reset.reset(call, subject)), session_id=his)
    assert (held(desk, subject), live(desk, subject)) == ([0, 0, 0, 0], 0)


def test_no_factor_is_added_by_a_session_that_is_ended_at_that_moment(desk: Desk) -> None:
    subject, found = give_all(desk), []
    his = session_of(desk, subject)
    assert desk.do(session.hold, "audit", session_id=his)

    def hold() -> None:
        found.append(desk.do(session.hold, "audit", session_id=his))

    at_once(desk, lambda call: factor_reset.reset(call, subject), hold)
    assert found == [False]
