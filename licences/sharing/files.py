"""Hand out and verify files (文件下载、下载地址、文件验证): GB/T 36906-2018. What leaves is an annotated copy, always.

The licence's own document leaves to its holder and its issuer alone. A copy is handed out of a licence that is valid
now; the purpose that was stated is printed on it as it stands on the holder's record.
"""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import FieldProblem, Problem
from idservice.numbers import InvalidNumber
from licences import copies, copy_check, identifier, view
from licences import verify as verification
from licences.lifecycle import State
from licences.scan import Scan
from licences.sharing import annotated, links, looks, permissions
from licences.sharing.annotated import CopyForm
from licences.sharing.permissions import Operation
from licences.sharing.statuses import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.sharing.annotated import Annotated
    from licences.sharing.data import Answer
    from licences.sharing.permissions import Permission

MAX_DAYS: Final = 31
_WHOLE: Final = ["document"]  # what the holder reads was handed out


def download(call: Call, data: dict[str, Any]) -> Answer:
    """Return an annotated copy in base64.

    Raises:
        Problem: what `looks.enter`, `admit` and `annotated.make` refuse; invalid.
    """
    copy = _copy(call, data)
    if copy is None:
        return Status.NOT_FOUND, None
    return Status.OK, told(copy) | {"fileData": base64.b64encode(copy.content).decode()}


def address(call: Call, data: dict[str, Any]) -> Answer:
    """Return a link to an annotated copy, which works once within ten minutes.

    Raises:
        Problem: see `download`.
    """
    copy = _copy(call, data)
    if copy is None:
        return Status.NOT_FOUND, None
    link = links.put(call, copy)
    return Status.OK, told(copy) | {"downloadUrl": link.url, "downloadUrlExpiringTime": link.expires_at.isoformat()}


def verify(call: Call, data: dict[str, Any]) -> Answer:
    """Say whether a sealed file holds, and why not; of its licence the identifier and the state alone.

    Raises:
        Problem: sharing_refused, where the app may not verify files of that type; operator_required,
            operator_unknown; what `admit` refuses; invalid.
    """
    content = _decoded(data["fileData"])
    permission = _permission(call, content)
    reader = looks.of_permission(call, data, permission)
    report = verification.verify(call, Scan(document=content), reader.who)
    licence = report.licences[0] if report.licences else None
    if licence is not None and licence["type"] != permission.type_code:
        raise Problem("sharing_refused", "Ask the administrators of sharing for it.")
    found: dict[str, Any] = {"result": report.ok, "reasons": report.reasons}
    found["message"] = "验证通过" if report.ok else "验证不通过"
    if licence is not None:
        found |= {"certificateIdentifier": licence["identifier"], "state": str(licence["state"])}
    if report.annotation is not None:
        note = report.annotation
        found |= {
            "certificateCopyCause": note["purpose"],
            "certificateCopyExpiringTime": note["expires_at"].isoformat(),
        }
    return Status.OK, found


def told(copy: Annotated) -> dict[str, Any]:
    """Return what is said of a copy beside its content."""
    return {
        "fileName": copy.file_name,
        "fileType": str(copy.form),
        "certificateCopyNumber": copy.note.number,
        **{name: value for name, value in copy.note.entries().items() if name != "certificateCopyNumber"},
    }


def _copy(call: Call, data: Mapping[str, Any]) -> Annotated | None:
    code = data["certificateIdentifier"]
    reader = looks.enter(call, data, looks.type_of(code), Operation.DOWNLOAD)
    found = looks.named(call, reader, code)
    if found is None or view.state(call, found[0]) is not State.VALID:
        return None
    licence = found[0]
    looks.put_on_record(
        call, reader, licence.subject, fields=_WHOLE, operation=Operation.DOWNLOAD, licence=licence.identifier
    )
    return annotated.make(
        call,
        licence,
        form=CopyForm(data["fileType"]),
        purpose=data["useCause"],
        asked_by=reader.printed,
        expires_at=call.now + timedelta(days=data["validDays"]),
    )


def _permission(call: Call, content: bytes) -> Permission:
    """Return the permission by which a file is verified: that for the type of its licence, which names the department.

    An app may serve several departments, and the holder reads which of them has verified his file. One of a file that
    is of no licence is on nobody's record.

    Raises:
        Problem: sharing_refused.
    """
    kind = _type_of(call, content)
    held = [one for one in permissions.held(call, Operation.VERIFY_FILE) if kind in {None, one.type_code}]
    if not held:
        raise Problem("sharing_refused", "Ask the administrators of sharing for it.")
    return held[0]


def _type_of(call: Call, content: bytes) -> str | None:
    """Return the type of the licence that a file is of, by its bytes or its own word: it is verified afterwards.

    What a file says of itself is not looked up here: nobody has leave to look yet, and the answer would tell.
    """
    noted, copy = annotated.find(call, content), copies.find(call, content)
    if noted is not None:
        code: str | None = noted.identifier
    else:
        code = copy[0].identifier if copy is not None else copy_check.identifier_in(content)
    try:
        return identifier.parts(code).type_code if code is not None else None
    except InvalidNumber:
        return None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Problem("invalid", "", errors=[FieldProblem("/data/fileData", "form", "base64")]) from None
