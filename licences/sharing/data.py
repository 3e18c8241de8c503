"""Find, read and verify what licences state (检索、信息获取、信息验证、照面字段说明): GB/T 36906-2018.

Nobody searches: a look names the holder and the type, the identifier, or a code that was shown. It answers with the
fields that the permission's matter needs, and no others; holders are masked unless the matter needs them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.errors import FieldProblem, Problem
from idservice.numbers import citizen
from licences import artefacts, catalogue, paper, show, view
from licences.change import find_held
from licences.counter import applicant
from licences.counter.claimed_values import agrees, form_of
from licences.formats import lc1, lc1_text
from licences.guard import touches
from licences.guard.admit import admit
from licences.lifecycle import TITLES, State
from licences.metadata import LONG_TERM
from licences.models import Licence
from licences.sharing import looks, permissions
from licences.sharing.permissions import Operation
from licences.sharing.statuses import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.artefacts import Record
    from licences.sharing.looks import Reader

Answer = tuple[Status, dict[str, Any] | None]

MOST: Final = 50  # licences of one type of one holder
#: The states as the national interface of the housing ministry numbers them.
STATUS_CODES: Final[Mapping[State, str]] = {
    State.VALID: "01",
    State.SUSPENDED: "02",
    State.REVOKED: "03",
    State.CANCELLED: "04",
    State.EXPIRED: "05",
    State.TRANSFERRED: "06",
    State.WITHDRAWN: "07",
}
_OTHER_STATUS: Final = "99"
_ORGANISATION: Final = "001"


def find(call: Call, data: dict[str, Any]) -> Answer:
    """Return the identifiers of a holder's licences of a type, with their data where the app may read them.

    Raises:
        Problem: what `looks.enter` and `admit` refuse; invalid.
    """
    reader, subject = _holder(call, data, Operation.FIND)
    reads = Operation.READ in reader.permission.operations
    fields = sorted(reader.permission.fields) if reads else ["licence_identifier"]
    looks.put_on_record(call, reader, subject, fields=fields, operation=Operation.FIND)
    found = [(row, artefacts.open_record(call, row)) for row in _held(call, subject, data["certificateTypeCode"])]
    wanted = data.get("certificateNumber")
    if wanted is not None:
        found = [(row, record) for row, record in found if record.metadata.number == wanted.strip()]
    listed = [told(call, reader, row, record) if reads else _named(call, row) for row, record in found]
    return (Status.OK, {"certificates": listed}) if listed else (Status.NOT_FOUND, None)


def read(call: Call, data: dict[str, Any]) -> Answer:
    """Return what the licence with an identifier states, as far as the app's matter needs it.

    Raises:
        Problem: what `looks.enter` and `admit` refuse; invalid.
    """
    code = data["certificateIdentifier"]
    reader = looks.enter(call, data, looks.type_of(code), Operation.READ)
    return _read(call, reader, looks.named(call, reader, code))


def read_code(call: Call, data: dict[str, Any]) -> Answer:
    """Return what the licence states whose code was scanned: that on paper, or a show code (亮证码), used up by this.

    Raises:
        Problem: what `looks.enter` and `admit` refuse.
    """
    text = data["qrcode"].strip()
    if (code := show.find_code(text)) is not None and not lc1_text.looks_like(text):
        return _read_shown(call, data, code)
    licence = _on_paper(call, text)
    if licence is None:
        return Status.NOT_FOUND, None
    reader = looks.enter(call, data, licence.type_code, Operation.READ)
    return _read(call, reader, looks.named(call, reader, licence.identifier))


def verify(call: Call, data: dict[str, Any]) -> Answer:
    """Say whether a licence of the holder states exactly what is claimed: yes or no, and never which member differs.

    Raises:
        Problem: what `looks.enter` and `admit` refuse; invalid.
    """
    reader, subject = _holder(call, data, Operation.VERIFY_DATA)
    claimed = {**data["surfaceData"], "holder_name": data["holder"], "certificate_number": data["certNo"]}
    looks.put_on_record(call, reader, subject, fields=list(claimed), operation=Operation.VERIFY_DATA)
    rows = [row for row in _held(call, subject, data["certificateTypeCode"]) if view.state(call, row) is State.VALID]
    equal = any([_states(call, row, claimed) for row in rows])  # noqa: C419 - every licence, so that the clock tells nothing
    return Status.OK, {"result": equal, "message": "一致" if equal else "不一致"}


def dictionary(call: Call, data: dict[str, Any]) -> Answer:
    """Return the fields of a type's face.

    Raises:
        Problem: sharing_type_unknown.
    """
    entry = catalogue.entries(call).get(data["certificateTypeCode"])
    if entry is None:
        raise Problem("sharing_type_unknown", "GET /v1/licence-types lists them.")
    kind = entry.type.as_json()
    return Status.OK, {
        "certificateTypeCode": entry.type.code,
        "certificateTypeName": entry.type.name,
        "version": entry.version,
        "fields": kind["fields"],
        "derivedFields": kind["derived_fields"],
    }


def told(call: Call, reader: Reader, licence: Licence, record: Record) -> dict[str, Any]:
    """Return a licence under the names of GB/T 36903; `surfaceData` holds the fields that the matter needs."""
    metadata, clear = record.metadata, reader.permission.fields
    shown = {name: view.shown(call, metadata, licence, name, clear=clear) for name in sorted(clear)}
    names = [one.name if "holder_name" in clear else view.masked_name(one) for one in metadata.holders]
    codes = [one.code if "holder_number" in clear else view.masked_number(one) for one in metadata.holders]
    return {
        **_named(call, licence),
        "certificateVersion": f"{metadata.version:03d}",
        "certificateIssuingAuthorityName": metadata.issuer.name,
        "certificateIssuingAuthorityCode": metadata.issuer.code,
        "certificateAreaCode": metadata.issuer.area,
        "certificateIssuedDate": metadata.issued_on.isoformat(),
        "certificateHolderName": names,
        "certificateHolderCode": codes,
        "certificateHolderTypeCode": [one.code_type for one in metadata.holders],
        "surfaceData": {name: value for name, value in shown.items() if value is not None},
    }


def _named(call: Call, licence: Licence) -> dict[str, Any]:
    """Return what says nothing of the holder."""
    state = view.state(call, licence)
    return {
        "certificateIdentifier": licence.identifier,
        "certificateTypeCode": licence.type_code,
        "certificateName": catalogue.find(call, licence.type_code).type.name,
        "certificateEffectiveDate": licence.valid_from.isoformat(),
        "certificateExpiringDate": licence.valid_until.isoformat() if licence.valid_until else LONG_TERM,
        "status": STATUS_CODES.get(state, _OTHER_STATUS),
        "statusDescription": TITLES[state][0],
    }


def _read(call: Call, reader: Reader, found: tuple[Licence, Record] | None) -> Answer:
    if found is None:
        return Status.NOT_FOUND, None
    licence, record = found
    fields, code = sorted(reader.permission.fields), licence.identifier
    looks.put_on_record(call, reader, licence.subject, fields=fields, operation=Operation.READ, licence=code)
    return Status.OK, told(call, reader, licence, record)


def _read_shown(call: Call, data: dict[str, Any], code: str) -> Answer:
    """Use up a show code of one licence; the holder's own choice of fields and of a matter binds too.

    Whom the code is meant for is asked of the department that the permission for the licence's type names: an app may
    serve several.
    """
    permitted = permissions.held(call, Operation.READ)
    if not permitted:
        raise Problem("sharing_refused", "Ask the administrators of sharing for it.")
    kind = show.type_waiting(call, code)
    permission = permitted[0] if kind is None else permissions.demand(call, kind, Operation.READ)
    reader = looks.of_permission(call, data, permission)
    shown = show.redeem(call, code, reader.who)
    if not isinstance(shown, show.Redeemed):
        return Status.NOT_FOUND, None
    licence = find_held(call, shown.subject, shown.licences[0]) if len(shown.licences) == 1 else None
    if licence is None:
        raise Problem("invalid", "", errors=[FieldProblem("/data/qrcode", "choice", "a code that shows one licence")])
    if shown.matter not in {None, permission.matter}:
        raise Problem("authorisation_refused", "The holder showed this code for another matter.")
    reader = replace(reader.narrowed(shown.fields), basis="show_code")
    return _read(call, reader, looks.named(call, reader, licence.identifier))


def _on_paper(call: Call, text: str) -> Licence | None:
    """Return the licence for which we made exactly the code on paper that was scanned."""
    if not lc1_text.looks_like(text):
        return None
    try:
        scanned = lc1.read(text)
        said = lc1.authenticate(scanned.content, paper.keys(call))
    except lc1.LC1Error:
        return None
    return paper.licence_of(call, scanned.content, said.licence_id)


def _holder(call: Call, data: Mapping[str, Any], operation: Operation) -> tuple[Reader, str]:
    """Return who reads, and the subject of a holder's code, or of nobody's, after leave to look.

    Raises:
        Problem: invalid; what `looks.enter` and `admit` refuse.
    """
    with touches.watched(call, looks.said(data), data["holderCode"]):
        reader = looks.enter(call, data, data["certificateTypeCode"], operation)
        whom = applicant.find(call, data["holderCode"], "/data/holderCode")
        if citizen.is_valid(whom.number) is (data["holderCodeType"] == _ORGANISATION):
            raise Problem("invalid", "", errors=[FieldProblem("/data/holderCodeType", "choice", "not of that type")])
    known = whom.subject if whom.known else None
    admit(call, reader.who, matter=reader.permission.matter, subject=known, number=whom.number, by_law=True)
    return reader, whom.subject


def _held(call: Call, subject: str, type_code: str) -> list[Licence]:
    mine = (Licence.subject == subject, Licence.type_code == type_code)
    newest = (Licence.issued_at.desc(), Licence.identifier)
    return list(call.session.scalars(select(Licence).where(*mine).order_by(*newest).limit(MOST)))


def _states(call: Call, licence: Licence, claimed: Mapping[str, Any]) -> bool:
    metadata = artefacts.open_record(call, licence).metadata
    kind = catalogue.type_of(call, metadata)
    held = {name: view.shown(call, metadata, licence, name, clear=claimed) for name in claimed}
    return all([agrees(form_of(kind, name), held[name], said) for name, said in claimed.items()])  # noqa: C419 - as above
