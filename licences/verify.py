"""Verify what was scanned, typed or uploaded at a counter (核验): what is it, does it hold, and why not.

Accepted: a show code, a device's offline code (LD1), an SD-JWT VC, the code of a paper licence (LC1) in both forms,
copies in further forms (mdoc, JWT-VC, Claim 169), a licence identifier (ours or foreign, also inside a longer text),
and files that bear a seal. The answer is always a report; state is judged now. Every look at a holder's licence is on
his record before the answer leaves.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from idservice import audit
from idservice.numbers import InvalidNumber
from keys.base64url import b64u
from keys.ring import Purpose
from keys.verdict import Check, Reason, Result, reasons
from licences import bound_copy, copies, copy_check, identifier, judging, paper, show, verify_record, view
from licences.change import find_any, find_held
from licences.deeds import Deed
from licences.formats import device_code, lc1, lc1_text, sdjwt
from licences.guard.admit import admit
from licences.lifecycle import State, reasons_at
from licences.sharing import annotated
from licences.showing import device_codes
from licences.verify_record import MASKED_HOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from idservice.call import Call
    from licences.artefacts import Record
    from licences.asker import Asker
    from licences.copies import Form
    from licences.models import Licence
    from licences.scan import Scan
    from licences.sharing.annotated import Known

MAX_TEXT = 65_536
_WHY_NOT = {
    Reason.REPLAYED: "used before",
    Reason.CODE_EXPIRED: "expired or unknown: the holder shows a new one",
    Reason.WRONG_AUDIENCE: "made for another unit",
}
#: A document that names a licence, sealed by somebody, and not by the department that issued it.
_FOREIGN = Check("register", Result.FAIL, "not sealed by the department that issued it", Reason.SEAL_INVALID)
_IDENTIFIER = re.compile(rf"{re.escape(identifier.ROOT)}\.[0-9A-Z.]{{10,160}}")


@dataclass(slots=True)
class Report:
    """What a verification found. `document` is the report on a sealed file, in the form of `seals.report`."""

    scanned: str  # show_code | device_code | credential | paper | identifier | document | unknown
    checks: list[Check] = field(default_factory=list)
    licences: list[dict[str, Any]] = field(default_factory=list)
    state: str | None = None
    document: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None  # of an annotated copy: what it was made for, and until when

    @property
    def ok(self) -> bool:
        """Return whether everything that was checked holds."""
        if self.document is not None:
            failed = any(check.result is Result.FAIL for check in self.checks)
            return bool(self.document["ok"]) and not failed
        results = {check.result for check in self.checks}
        return bool(results) and results <= {Result.OK, Result.NOTICE} and not self.reasons

    @property
    def reasons(self) -> list[str]:
        """Return the distinct reason codes in the order they were found."""
        return reasons(self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return what `ReportSchema` shows: `licence` is the first of `licences`."""
        return {
            "ok": self.ok,
            "state": self.state,
            "reasons": self.reasons,
            "checks": [check.as_json() for check in self.checks],
            "scanned": self.scanned,
            **({"licence": self.licences[0], "licences": self.licences} if self.licences else {}),
            **({"document": self.document} if self.document is not None else {}),
            **({"annotation": self.annotation} if self.annotation is not None else {}),
        }


def verify(call: Call, scan: Scan, asker: Asker) -> Report:
    """Judge what was scanned; a look that found no licence is audited too.

    Raises:
        Problem: quota_exceeded.
    """
    if not asker.is_public:
        admit(call, asker, matter=None, subject=None, number=None)
    report = _judge_scan(call, scan, asker)
    if not report.licences:
        _found_nothing(call, report, asker)
    return report


def verify_answer(call: Call, code: str, asker: Asker, *, matter: str | None, yes_or_no: bool) -> Report:
    """Judge the show code by which a holder answered a request (反向扫码).

    Args:
        call: of whoever asked.
        code: the code, which this uses up.
        asker: who asked.
        matter: for which matter he asked, if for one.
        yes_or_no: whether nothing but yes or no leaves the house; then the holder is named to nobody.

    Raises:
        Problem: quota_exceeded.
    """
    admit(call, asker, matter=None, subject=None, number=None)
    report = _show_code(call, code, asker, matter=matter, named=not yes_or_no)
    if not report.licences:
        _found_nothing(call, report, asker)
    return report


def _found_nothing(call: Call, report: Report, asker: Asker) -> None:
    facts: dict[str, Any] = {"scanned": report.scanned, "reasons": report.reasons, "operator": asker.operator}
    audit.record(call, Deed.VERIFIED, **facts)


def _judge_scan(call: Call, scan: Scan, asker: Asker) -> Report:
    if scan.document is not None:
        return _judge_document(call, scan.document, asker)
    text = (scan.text or "").strip()
    if not text or len(text) > MAX_TEXT:
        return Report("unknown", [Check("format", Result.FAIL, "nothing legible was found", Reason.UNREADABLE)])
    return _judge_text(call, text, asker)


def _judge_text(call: Call, text: str, asker: Asker) -> Report:
    if text.startswith("eyJ") and "~" in text:
        return _credential(call, text, asker)
    if (judge_code := next((judged for looks_like, judged in _BY_LOOK if looks_like(text)), None)) is not None:
        return judge_code(call, text, asker)
    if (copy := copy_check.form_of_text(text)) is not None:
        return _copy(call, *copy, asker)
    # An input method widens letters and digits (undone by NFKC) and turns the full stop into its own.
    if found := _IDENTIFIER.search(unicodedata.normalize("NFKC", text).replace("。", ".").upper()):
        return _identifier(call, found[0].rstrip("."), asker)
    if (code := show.find_code(text)) is not None:
        return _show_code(call, code, asker)
    return Report("unknown", [Check("format", Result.FAIL, "no code or credential was found", Reason.FORMAT_UNKNOWN)])


def _show_code(call: Call, code: str, asker: Asker, *, matter: str | None = None, named: bool = True) -> Report:
    report = Report("show_code")
    if asker.is_public:
        report.checks.append(Check("code", Result.NOT_CHECKED, "a counter alone may use a code up"))
        return report
    found = show.redeem(call, code, asker)
    if isinstance(found, Reason):
        report.checks.append(Check("code", Result.FAIL, _WHY_NOT[found], found))
        return report
    report.checks.append(Check("code", Result.OK))
    clear = frozenset(found.fields or ())
    seen = []
    for shown in found.licences:
        licence = find_held(call, found.subject, shown)
        if licence is None:
            report.checks.append(Check("register", Result.FAIL, "not in the register", Reason.ISSUER_UNKNOWN))
            continue
        record = _judge(call, report, licence)
        seen.append((licence, record))
        only = clear if found.fields is not None else None
        report.licences.append(view.face(call, licence, clear=clear, only=only, record=record))
    read = ["masked_face"] if found.fields is None else verify_record.fields_read(clear) if named else sorted(clear)
    facts: dict[str, Any] = {"basis": "show_code", "fields": read, "licences": found.licences, "matter": matter}
    verify_record.put(call, asker, found.subject, seen, named=named, **facts)
    return report


def _device_code(call: Call, text: str, asker: Asker) -> Report:
    """Judge the code that a device made without a network: used up by this, as a show code is."""
    report = Report("device_code")
    if asker.is_public:
        report.checks.append(Check("code", Result.NOT_CHECKED, "a counter alone may use a code up"))
        return report
    check, found = device_codes.redeem(call, text, asker)
    report.checks.append(check)
    if found is None:
        return report
    licence = find_held(call, found.subject, found.identifier)
    if licence is None:
        report.checks.append(Check("register", Result.FAIL, "not in the register", Reason.ISSUER_UNKNOWN))
        return report
    record = _judge(call, report, licence)
    report.licences.append(view.face(call, licence, clear=(), record=record))
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="device_code", fields=["masked_face"])
    return report


def _credential(call: Call, text: str, asker: Asker) -> Report:
    report = Report("credential")
    try:
        keys = call.keys.public(Purpose.LICENCE)
        found = sdjwt.authenticate(text, keys=keys, issuer=call.settings.signs_as)
    except sdjwt.SDJWTError as error:
        report.checks.append(Check("credential", Result.FAIL, error.code, error.reason))
        return report
    if "cnf" in found.claims and (bound := bound_copy.of_sd_jwt(call, found.claims)) is not None:
        report.checks += bound
        return report
    licence = find_any(call, str(found.claims.get("licence_identifier")))
    if licence is None:
        report.checks.append(Check("register", Result.FAIL, "not in the register", Reason.ISSUER_UNKNOWN))
        return report
    if not _is_stored(text, licence):
        report.checks.append(Check("credential", Result.FAIL, "not the signature we made", Reason.SIGNATURE_INVALID))
        return report
    report.checks.append(Check("credential", Result.OK))
    record = _judge(call, report, licence)
    clear = frozenset() if asker.is_public else frozenset(name.removeprefix("face_") for name in found.disclosed)
    report.licences.append(view.face(call, licence, clear=clear, only=clear, record=record))
    read = verify_record.fields_read(clear)
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="credential", fields=read)
    return report


def _is_stored(credential: str, licence: Licence) -> bool:
    """Return whether a credential bears the signature we made: of every ECDSA signature a second form verifies too."""
    signature = credential.partition("~")[0].rpartition(".")[2]
    return hmac.compare_digest(signature, b64u(licence.credential_signature or b""))


def _paper(call: Call, text: str, asker: Asker) -> Report:
    """Judge the code of a paper licence: it can be scanned again and again, and says nothing of today by itself."""
    report = Report("paper")
    try:
        scanned = lc1.read(text)
        said = lc1.authenticate(scanned.content, paper.keys(call))
    except lc1.LC1Error as error:
        revoked = error.code == "unknown_key" and paper.is_key_revoked(call, lc1.read(text).content)
        reason = Reason.KEY_REVOKED if revoked else error.reason
        report.checks.append(Check("credential", Result.FAIL, error.code, reason))
        return report
    licence = paper.licence_of(call, scanned.content, said.licence_id)
    if licence is None:
        report.checks.append(Check("credential", Result.FAIL, "not the signature we made", Reason.SIGNATURE_INVALID))
        return report
    strange = scanned.host not in {None, urlsplit(call.settings.issuer).netloc, urlsplit(call.settings.signs_as).netloc}
    detail = "its address leads to another site: type ours instead of opening it" if strange else ""
    report.checks.append(Check("credential", Result.NOTICE if strange else Result.OK, detail))
    record = _judge(call, report, licence)
    only = () if asker.is_public else None
    report.licences.append(view.face(call, licence, clear=(), only=only, record=record))
    read = [MASKED_HOLDER] if asker.is_public else ["masked_face"]
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="paper", fields=read)
    return report


def _identifier(call: Call, code: str, asker: Asker) -> Report:
    report = Report("identifier")
    try:
        parts = identifier.parts(code)
    except InvalidNumber as error:
        report.checks.append(Check("identifier", Result.FAIL, error.code, Reason.UNREADABLE))
        return report
    warnings = ", ".join(sorted(parts.warnings))
    report.checks.append(Check("identifier", Result.NOTICE if warnings else Result.OK, warnings))
    licence = find_any(call, parts.identifier)
    # Sources may count their identifiers up: whoever is not counted himself would go through them one by one.
    if licence is None or (asker.is_public and licence.identifier != parts.identifier):
        report.checks.append(Check("register", Result.NOT_CHECKED, "not in this register", Reason.ISSUER_UNKNOWN))
        return report
    _add_named(call, report, licence, asker)
    return report


def _add_named(call: Call, report: Report, licence: Licence, asker: Asker) -> None:
    """Add a licence that was named and not shown: nothing of its face."""
    record = _judge(call, report, licence)
    report.licences.append(view.face(call, licence, clear=(), only=(), record=record))
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="identifier", fields=[MASKED_HOLDER])


def _judge_document(call: Call, data: bytes, asker: Asker) -> Report:
    copy = copy_check.form_of_bytes(data)
    return _document(call, data, asker) if copy is None else _copy(call, *copy, asker)


def _copy(call: Call, form: Form, content: bytes, asker: Asker) -> Report:
    """Judge a copy that a signature of ours holds together; who hands one over hands over all that stands in it."""
    report = Report("credential")
    found, licence = copy_check.check(call, form, content)
    report.checks += found
    if licence is not None:
        _add_copied(call, report, licence, asker)
    return report


def _document(call: Call, data: bytes, asker: Asker) -> Report:
    """Judge a file that bears a seal, or should: the report on its seals becomes this report's.

    Where the file is a copy of a licence that we made, what holds of the licence now is added; of an annotated one
    also what it was made for. Packed anew it is still what its seal covers, so its time runs out all the same; what
    another body's seal covers is no copy, whatever licence it names.
    """
    found = judging.judge_document(call, data)
    checks = [check for signature in found.signatures for check in signature.checks]
    for problem in found.problems:
        result = Result.FAIL if problem is Reason.NOT_SEALED else Result.NOT_CHECKED
        checks.append(Check("format", result, "", problem))
    report = Report("document", checks, document=found.as_json())
    if not found.ok:
        if not report.reasons:  # a signature whose signer could not even be named: every refusal has a code
            checks.append(Check("signer_certificate", Result.NOT_CHECKED, "", Reason.CERTIFICATE_UNTRUSTED))
        return report
    if (noted := annotated.find(call, data)) is not None and (licence := find_any(call, noted.identifier)) is not None:
        part = data if noted.exact else copy_check.sealed_by(data, found, licence.issuer_code)
        if not noted.exact and annotated.number_in(part) != noted.note.number:
            report.checks.append(_FOREIGN)
            return report
        _add_copied(call, report, licence, asker)
        _add_note(call, report, noted)
    elif (copy := copies.find(call, data)) is not None:
        _add_copied(call, report, copy[0], asker)
    elif (code := copy_check.identifier_in(data)) is not None and (licence := find_any(call, code)) is not None:
        if copy_check.identifier_in(copy_check.sealed_by(data, found, licence.issuer_code)) != code:
            report.checks.append(_FOREIGN)
            return report
        report.checks.append(Check("register", Result.NOTICE, "not byte for byte the copy we made"))
        _add_named(call, report, licence, asker)
    return report


def _add_note(call: Call, report: Report, noted: Known) -> None:
    """Add what an annotated copy (加注件) was made for; after its time it holds no longer."""
    if noted.note.expires_at <= call.now and report.state == State.VALID:
        report.state = State.EXPIRED
    report.checks += noted.checks(call.now)
    report.annotation = noted.as_json()


def _add_copied(call: Call, report: Report, licence: Licence, asker: Asker) -> None:
    """Add the licence of which a copy was handed over: to a counter all that stands on it, to the public its holder."""
    record = _judge(call, report, licence)
    clear = frozenset() if asker.is_public else frozenset(record.metadata.surface) | {"holder_name", "holder_number"}
    report.licences.append(view.face(call, licence, clear=clear, only=clear, record=record))
    read = verify_record.fields_read(clear)
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="credential", fields=read)


def add_presented(
    call: Call, report: Report, licence: Licence, asker: Asker, fields: Collection[str], *, matter: str | None
) -> None:
    """Add a licence that was presented from a wallet, with the fields its holder disclosed there and no others."""
    record, clear = _judge(call, report, licence), frozenset(fields)
    report.licences.append(view.face(call, licence, clear=clear, only=clear, record=record))
    read = verify_record.fields_read(clear)
    verify_record.put(call, asker, licence.subject, [(licence, record)], basis="wallet", fields=read, matter=matter)


def _judge(call: Call, report: Report, licence: Licence) -> Record:
    """Add the checks of one licence, its state now and its seal; return the record that was sealed."""
    now_state = view.state(call, licence)
    found = reasons_at(
        State(licence.state), valid_from=licence.valid_from, valid_until=licence.valid_until, now=call.now
    )
    if report.state in {None, State.VALID}:
        report.state = now_state
    for reason in found:
        report.checks.append(Check("state", Result.FAIL, str(now_state), reason))
    if not found:
        report.checks.append(Check("state", Result.OK, str(now_state)))
    judged = judging.judge(call, licence)
    report.checks.append(judged.seal)
    return judged.record


_BY_LOOK: tuple[tuple[Callable[[str], bool], Callable[[Call, str, Asker], Report]], ...] = (
    (lc1_text.looks_like, _paper),
    (device_code.looks_like, _device_code),
)
