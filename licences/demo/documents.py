"""Sealed documents of the demonstration city (演示盖章文件), so that /verify/seal can be tried: good ones and bad.

They are sealed by the verbs that everybody uses, once, when the city answers: its time-stamp authority has to.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.register import people
from licences import artefacts, portions
from licences.counter.assist_letter import as_ofd
from licences.demo import letters, owned_seals, seed
from licences.models import Licence
from seals import use_document
from seals.lifecycle import State
from seals.models import Seal
from seals.picture_kinds import Kind
from seals.position import Position
from seals.use import intend
from seals.use_document import Form, Wish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from idservice.call import Call, House
    from licences.demo.city import DemoCity

INDEX: Final = "index.json"
_LETTER: Final = (
    "关于开展电子印章应用演示的函",
    ("各有关单位：", "", "    本函由一号通行演示市制作，用于演示电子印章的加盖与核验，", "不具有任何法律效力。",
     "", "    请在“核验印章”页面上传本文件，查看核验结果。", "", "特此函告。"),
)  # fmt: skip
_CONTRACT: Final = (
    "供货合同（演示）",
    ("甲方：示范市第一人民医院（演示）", "乙方：{company}", "", "    一、乙方向甲方供应演示物资一批，价款 10000 元。",
     "    二、本合同加盖乙方合同专用章和法定代表人名章后成立。", "    三、本合同仅供演示，不具有法律效力。"),
)  # fmt: skip
_PURPOSE: Final = "演示"


def make(house: House, town: DemoCity, folder: Path) -> list[dict[str, Any]]:
    """Make the documents in a folder where they are not there yet, and return what each is and what is to be expected.

    Each has `path`, `about`, `ok` and `reasons`, and `document` where the signature lies beside its file.
    """
    index = folder / INDEX
    if not index.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = [_write(folder, *one) for one in _documents(house, town)]
        index.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    told = json.loads(index.read_text("utf-8"))
    places = {member for one in told for member in ("path", "document") if member in one}
    return [one | {member: str(folder / one[member]) for member in places if member in one} for one in told]


def _documents(house: House, town: DemoCity) -> list[tuple[dict[str, Any], bytes, bytes | None]]:
    company = town.organisations[0]
    lines = [line.format(company=company.name) for line in _CONTRACT[1]]
    letter, contract = as_ofd(*_LETTER), as_ofd(_CONTRACT[0], lines)
    of_department = _by_department(house, town)
    sealed_letter = of_department(letter, Wish(Form.OFD))
    sealed_contract = contract
    for kind, x in ((Kind.CONTRACT, 60.0), (Kind.REPRESENTATIVE, 120.0)):
        sealed_contract = _by_company(house, town, sealed_contract, kind, Position(1, x, 180.0))
    signature, record = _licence(house, town)
    altered = _altered(sealed_contract)
    return [
        (_expected("letter.pdf", "部门函件（PDF）"), of_department(letters.as_pdf(*_LETTER), Wish(Form.PDF)), None),
        (_expected("letter.ofd", "部门函件（OFD）"), sealed_letter, None),
        (_expected("contract.ofd", "企业合同：合同专用章和法定代表人名章"), sealed_contract, None),
        (_expected("licence.ses", "证照的签章，原文另存"), signature, record),
        (_expected("contract-altered.ofd", "盖章后被改动的合同", "document_altered"), altered, None),
        (_expected("letter-unsealed.ofd", "没有盖章的函件", "not_sealed"), letter, None),
    ]


def _expected(name: str, about: str, *reasons: str) -> dict[str, Any]:
    return {"path": name, "about": about, "ok": not reasons, "reasons": list(reasons)}


def _write(folder: Path, facts: dict[str, Any], data: bytes, document: bytes | None) -> dict[str, Any]:
    (folder / facts["path"]).write_bytes(data)
    if document is None:
        return facts
    beside = f"{facts['path']}.original"
    (folder / beside).write_bytes(document)
    return facts | {"document": beside}


def _by_department(house: House, town: DemoCity) -> Callable[[bytes, Wish], bytes]:
    department = town.departments[1]

    def seal_of(call: Call) -> str:
        wanted = (Seal.department == department.credit_code, Seal.state == State.IN_FORCE)
        return call.session.scalars(select(Seal.seal_id).where(*wanted).order_by(Seal.created_at).limit(1)).one()

    def run(verb: Callable[[Call], Any]) -> Any:
        return seed.act(house, verb)

    return lambda document, wish: _use(run, run(seal_of), document, wish)


def _by_company(house: House, town: DemoCity, document: bytes, kind: Kind, position: Position) -> bytes:
    company = town.organisations[0]

    def run(verb: Callable[[Call], Any]) -> Any:
        return owned_seals.as_person(house, company.representative, verb)

    owner = company.representative.number if kind is Kind.REPRESENTATIVE else company.credit_code
    seal_id = run(lambda call: owned_seals.find(call, owner, kind))
    return _use(run, seal_id, document, Wish(Form.OFD, position))


def _use(run: Callable[[Callable[[Call], Any]], Any], seal_id: str, document: bytes, wish: Wish) -> bytes:
    """Use a seal as the API does: announced first, then sealed, in two transactions."""

    def announce(call: Call) -> Any:
        ready = use_document.draft(call, seal_id=seal_id, document=document, wish=wish)
        return ready, intend(call, seal_id=seal_id, document=document, purpose=_PURPOSE)

    ready, use_id = run(announce)
    facts = {"seal_id": seal_id, "use_id": use_id, "document": document, "purpose": _PURPOSE, "ready": ready}
    result: bytes = run(lambda call: use_document.seal(call, **facts)).result
    return result


def _licence(house: House, town: DemoCity) -> tuple[bytes, bytes]:
    """Return the seal signature of a licence, and the record that it covers."""

    def export(call: Call) -> tuple[bytes, bytes]:
        holder = people.find(call, town.people[0].number)
        asked = select(Licence).where(Licence.subject == holder, Licence.next_identifier.is_(None))
        licence = call.session.scalars(asked.order_by(Licence.identifier).limit(1)).one()
        record = artefacts.open_record(call, licence)
        return portions.seal_signature(call, licence, record), record.content

    return seed.act(house, export)


def _altered(document: bytes) -> bytes:
    """Return the contract with another price in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename.endswith("Content.xml"):
                data = data.replace(b"10000", b"90000")
            new.writestr(entry, data, entry.compress_type)
    return buffer.getvalue()
