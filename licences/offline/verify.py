"""Verify a credential, a paper code or a device's code without a network (离线核验), from a bundle and lists alone.

No Flask, no database, no clock of its own: `now` is handed in. What cannot be known offline is said: a show code and a
bare identifier need the register, and a list has an age. Five minutes are granted to clocks that differ; beyond that
the answer is `clock_wrong`, for a wrong clock makes every date a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from keys.base64url import unb64u
from keys.strict_json import strict_json
from keys.verdict import Check, Reason, Result
from licences.formats import device_code, lc1, lc1_text, sdjwt
from licences.formats.device_code import DeviceCodeError
from licences.lifecycle import State, local_day, reasons_at
from licences.offline.report import OfflineReport
from licences.status import token_list
from licences.status.edition import uri_of
from licences.status.token_list import Status, StatusListError
from licences.surface import FieldType
from licences.trust.bundle import LICENCE, LICENCE_SM2

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from licences.formats.device_code import Code
    from licences.status.token_list import Signed
    from licences.trust.bundle import Bundle

MAX_TEXT: Final = 65_536
CLOCKS: Final = 300  # seconds by which clocks may differ
OLD: Final = 24 * 3600  # seconds after which a list's age is worth a notice

_VERDICTS: Final = {
    Status.VALID: (Check("status", Result.OK), State.VALID),
    Status.INVALID: (Check("status", Result.FAIL, "it has ended", Reason.REVOKED), State.REVOKED),
    Status.SUSPENDED: (Check("status", Result.FAIL, "", Reason.SUSPENDED), State.SUSPENDED),
}


@dataclass(frozen=True, slots=True)
class Relied:
    """What a verifier relies on: a bundle, and the newest list of each address."""

    bundle: Bundle
    lists: dict[str, Signed] = field(default_factory=dict)

    @classmethod
    def on(cls, bundle: Bundle, tokens: Iterable[str] = ()) -> Relied:
        """Take further lists (JWT) to those of the bundle; of one address the newest counts, in doubt the one given.

        Raises:
            StatusListError: a list that no key of the bundle signed.
        """
        lists = dict(bundle.lists)
        for token in tokens:
            read = token_list.read_jwt(token.strip(), keys=bundle.keys[LICENCE])
            held = lists.get(read.uri)
            if held is None or held.issued_at <= read.issued_at:
                lists[read.uri] = read
        return cls(bundle, lists)


def verify(text: str, relied: Relied, *, now: datetime, unit: str | None = None) -> OfflineReport:
    """Judge a text as scanned: an SD-JWT VC, a paper code (LC1) in either form, a device's code (LD1).

    `unit` is the verifier's own credit code, to be told whether a device's code was made for another. It never raises.
    """
    text = text.strip()
    if not text or len(text) > MAX_TEXT:
        return OfflineReport("unknown", [Check("format", Result.FAIL, "nothing legible was found", Reason.UNREADABLE)])
    if text.startswith("eyJ") and "~" in text:
        report = _credential(text, relied, now)
    elif lc1_text.looks_like(text):
        report = _paper(text, relied, now)
    elif device_code.looks_like(text):
        report = _device_code(text, relied, now, unit)
    else:
        detail = "neither a credential, a paper code nor a device's code: others need the register"
        return OfflineReport("unknown", [Check("format", Result.FAIL, detail, Reason.FORMAT_UNKNOWN)])
    report.checks.append(_bundle_check(relied, now, report))
    return report


def _credential(text: str, relied: Relied, now: datetime) -> OfflineReport:
    report = OfflineReport("credential")
    bundle = relied.bundle
    try:
        found = sdjwt.authenticate(text, keys=bundle.keys[LICENCE], issuer=bundle.issuer)
    except sdjwt.SDJWTError as error:
        revoked = error.code == "unknown_key" and _kid_of(text) in bundle.revoked
        reason = Reason.KEY_REVOKED if revoked else error.reason
        report.checks.append(Check("credential", Result.FAIL, error.code, reason))
        return report
    claims = found.claims
    try:
        begins, ends = date.fromisoformat(claims["valid_from"]), claims["valid_until"]
        until = date.fromisoformat(ends) if ends else None
        pointer = claims["status"]["status_list"] if "status" in claims else None
        place = None if pointer is None else (str(pointer["uri"]), int(pointer["idx"]))
    except (KeyError, TypeError, ValueError):
        report.checks.append(Check("credential", Result.FAIL, "not one of ours", Reason.FORMAT_UNKNOWN))
        return report
    report.checks += [Check("credential", Result.OK), *_copy_checks(claims, now)]
    report.licence = {name: value for name, value in claims.items() if name != "status"}
    _judge(report, relied, now, place, begins=begins, until=until, issued_at=int(claims.get("iat", 0)))
    return report


def _copy_checks(claims: dict[str, Any], now: datetime) -> list[Check]:
    """Return what a wallet's copy lacks: it ends before its licence, and holds for nobody but who proves its key."""
    checks, moment = [], now.timestamp()
    if moment >= claims.get("exp", moment + 1):
        checks.append(Check("copy_period", Result.FAIL, "the copy has run out", Reason.EXPIRED))
    elif moment + CLOCKS < claims.get("nbf", moment):
        checks.append(Check("copy_period", Result.FAIL, "the copy does not hold yet", Reason.NOT_YET_VALID))
    if "cnf" in claims:
        detail = "whoever has seen the copy could show it: ask the holder's wallet"
        checks.append(Check("holder_binding", Result.NOT_CHECKED, detail, Reason.HOLDER_UNPROVEN))
    return checks


def _paper(text: str, relied: Relied, now: datetime) -> OfflineReport:
    report = OfflineReport("paper")
    bundle = relied.bundle
    if bundle.dictionaries.get("D1") != lc1.DICTIONARY_SHA256:
        report.checks.append(Check("credential", Result.FAIL, "no dictionary D1", Reason.DICTIONARY_UNKNOWN))
        return report
    try:
        scanned = lc1.read(text)
        content = scanned.content
        said = lc1.authenticate(content, [*bundle.keys[LICENCE].values(), *bundle.keys[LICENCE_SM2].values()])
    except lc1.LC1Error as error:
        revoked = error.code == "unknown_key" and _is_revoked(lc1.short_kid(content).hex(), bundle)
        reason = Reason.KEY_REVOKED if revoked else error.reason
        report.checks.append(Check("credential", Result.FAIL, error.code, reason))
        return report
    strange = scanned.host not in {None, urlsplit(bundle.issuer).netloc}
    detail = "its address leads to another site" if strange else ""
    report.checks.append(Check("credential", Result.NOTICE if strange else Result.OK, detail))
    report.licence = _paper_face(said, bundle)
    if "licence_type" not in report.licence:
        report.checks.append(Check("template", Result.NOTICE, "a template this bundle does not know"))
    place = None if said.status is None else _place(bundle.issuer, said.status)
    try:
        until = None if said.expires_at is None else local_day(said.expires_at) - timedelta(days=1)
    except OverflowError:
        report.checks.append(Check("state", Result.FAIL, "its end is no date", Reason.FORMAT_UNKNOWN))
        return report
    report.licence["valid_until"] = until.isoformat() if until is not None else ""
    issued_at = int(said.issued_at.timestamp())
    _judge(report, relied, now, place, begins=said.valid_from, until=until, issued_at=issued_at)
    return report


def _device_code(text: str, relied: Relied, now: datetime, unit: str | None) -> OfflineReport:
    report = OfflineReport("device_code")
    bundle = relied.bundle
    try:
        code = device_code.authenticate(text, bundle.keys[LICENCE].values())
    except DeviceCodeError as error:
        revoked = error.code == "unknown_key" and _is_revoked(device_code.short_kid(text).hex(), bundle)
        reason = Reason.KEY_REVOKED if revoked else error.reason
        report.checks.append(Check("credential", Result.FAIL, error.code, reason))
        return report
    report.checks += [Check("credential", Result.OK), _code_check(code, now)]
    if code.audience not in {None, device_code.audience_of(unit or "")}:
        told = Result.NOT_CHECKED if unit is None else Result.FAIL
        report.checks.append(Check("audience", told, "made for one unit alone", Reason.WRONG_AUDIENCE))
    face = code.credential.face
    report.licence = {
        **_type_of(face.template, bundle),
        "holder_name": [face.holder_name],
        "holder_number": [f"***{face.number_tail}"],
        "valid_until": face.valid_until.isoformat() if face.valid_until else "",
        "made_at": int(code.made_at.timestamp()),
    }
    place = _place(bundle.issuer, code.credential.place)
    _judge(report, relied, now, place, begins=date.min, until=face.valid_until, issued_at=0)
    return report


def _code_check(code: Code, now: datetime) -> Check:
    """Return what the code's own time says; that it was scanned before is not to be seen offline, and this is said."""
    age = int((now - code.made_at).total_seconds())
    match device_code.judge_time(code, now):
        case Reason.CLOCK_WRONG:
            return Check("code", Result.NOT_CHECKED, f"made {-age} s from now", Reason.CLOCK_WRONG)
        case Reason.CODE_EXPIRED:
            return Check("code", Result.FAIL, f"made {age} s ago", Reason.CODE_EXPIRED)
        case _:
            return Check(
                "code", Result.NOTICE, f"made {age} s ago; whether it was scanned before only the service knows"
            )


def _type_of(template: bytes, bundle: Bundle) -> dict[str, Any]:
    found = bundle.templates.get(template)
    return {} if found is None else {"licence_type": found.type_code, "licence_name": found.name}


def _judge(
    report: OfflineReport,
    relied: Relied,
    now: datetime,
    place: tuple[str, int] | None,
    *,
    begins: date,
    until: date | None,
    issued_at: int,
) -> None:
    """Add what clock, dates and lists say about a licence that is genuine."""
    if issued_at > now.timestamp() + CLOCKS:
        report.checks.append(Check("clock", Result.NOT_CHECKED, "issued in the future", Reason.CLOCK_WRONG))
    status, state = _status_check(report, relied, now, place)
    dates = reasons_at(State.VALID, valid_from=begins, valid_until=until, now=now)
    report.checks += [Check("state", Result.FAIL, "", reason) for reason in dates]
    if not dates:
        report.checks.append(Check("state", Result.OK))
    report.checks.append(status)
    report.state = str(state if state is not State.VALID or not dates else dates[0])


def _status_check(
    report: OfflineReport, relied: Relied, now: datetime, place: tuple[str, int] | None
) -> tuple[Check, State]:
    """Return what the list says, and the state that follows."""
    listed = relied.lists.get(place[0]) if place is not None else None
    if place is None or listed is None:
        detail = "it names no list: ask online" if place is None else "its list is not at hand"
        return Check("status", Result.NOT_CHECKED, detail, Reason.STATUS_STALE), State.VALID
    age = report.ages[listed.uri] = int(now.timestamp()) - listed.issued_at
    try:
        verdict, state = _VERDICTS[Status(listed.status(place[1]))]
    except (StatusListError, ValueError):
        return Check("status", Result.NOT_CHECKED, "no such place", Reason.FORMAT_UNKNOWN), State.VALID
    return _aged(verdict, age, is_over=now.timestamp() >= listed.expires_at), state


def _aged(verdict: Check, age: int, *, is_over: bool) -> Check:
    """Return what a list of that age is worth; that a licence has ended stays true, however old the list is."""
    if verdict.reason is Reason.REVOKED:
        return verdict
    if age < -CLOCKS:
        return Check("status", Result.NOT_CHECKED, "the list is of the future", Reason.CLOCK_WRONG)
    detail = f"the list is {_hours(age)} old"
    if is_over:
        return Check("status", Result.NOT_CHECKED, detail, Reason.STATUS_STALE)
    is_old = verdict.result is Result.OK and age > OLD
    return Check("status", Result.NOTICE if is_old else verdict.result, detail, verdict.reason)


def _bundle_check(relied: Relied, now: datetime, report: OfflineReport) -> Check:
    """Return whether what is relied on may be: its age, its end, and whether its key was compared with a pin."""
    bundle, moment = relied.bundle, now.timestamp()
    age = int(moment) - bundle.issued_at
    report.ages["bundle"] = age
    if age < -CLOCKS:
        return Check("bundle", Result.NOT_CHECKED, "signed in the future", Reason.CLOCK_WRONG)
    if moment >= bundle.expires_at:
        return Check("bundle", Result.NOT_CHECKED, f"it is {_hours(age)} old", Reason.STATUS_STALE)
    if not bundle.is_pinned:
        return Check("bundle", Result.NOTICE, "its key was compared with no pin")
    return Check("bundle", Result.OK)


def _place(issuer: str, place: int) -> tuple[str, int]:
    number, index = divmod(place, token_list.SIZE)
    return uri_of(issuer, number), index


def _kid_of(credential: str) -> object:
    """Return the key that a credential names, which nobody has believed."""
    try:
        header = strict_json(unb64u(credential.partition(".")[0]), max_bytes=2_048)
    except ValueError:
        return None
    return header.get("kid") if isinstance(header, dict) else None


def _is_revoked(short: str, bundle: Bundle) -> bool:
    return any(kid.startswith(short) for kid in bundle.revoked)


def _paper_face(said: lc1.Paper, bundle: Bundle) -> dict[str, Any]:
    """Return what a code says, its fields named where the bundle knows the template."""
    face: dict[str, Any] = {
        "licence_number": said.number,
        "issuing_authority": {"name": said.issuer},
        "holder_name": [said.holder_name],
        "holder_number": [said.holder_number],
        "valid_from": said.valid_from.isoformat(),
    }
    template = bundle.templates.get(said.template)
    if template is None or len(template.fields) != len(said.values):
        return face
    named = zip(template.fields, said.values, strict=True)
    shown = {f"face_{name}": _shown(value, kind) for (name, _title, kind), value in named}
    return {"licence_type": template.type_code, "licence_name": template.name, **face, **shown}


def _shown(value: object, kind: str) -> object:
    """Return a value of the code as the face has it: a day is its number there."""
    if type(value) is not int:
        return value
    if kind == FieldType.DATE:
        try:
            return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
        except OverflowError:
            return str(value)  # no day of the calendar: what was signed is shown as it is
    return str(value) if kind == FieldType.STRING else value


def _hours(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds >= 3600 else f"{max(0, seconds) // 60} min"
