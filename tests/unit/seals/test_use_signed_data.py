"""A seal's key on any file without the seal: made, rehearsed, recorded; never on another signature's inside."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from idservice.call import House
from idservice.errors import Problem
from keys.cms import read_signed_data
from seals.change import change
from seals.lifecycle import Change
from seals.models import Seal, SealUse
from seals.register import make
from seals.use import intend
from seals.use_signed_data import Ready, refuse_structures, use_signed_data
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT

LETTER = "演示：任何文件。".encode()


def used(house: House, seal_id: str, ready: Ready, document: bytes = LETTER) -> bytes:
    use_id = act(house, lambda call: intend(call, seal_id=seal_id, document=document, purpose="函件"))
    facts = {"seal_id": seal_id, "use_id": use_id, "document": document, "purpose": "函件", "ready": ready}
    return act(house, lambda call: use_signed_data(call, **facts)).result  # type: ignore[arg-type]


def count(house: House) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(SealUse)) or 0)


@pytest.mark.parametrize("detached", [True, False])
def test_a_signed_data_is_a_use_on_record(house: House, detached: bool) -> None:
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT))
    before = count(house)
    signed = read_signed_data(used(house, seal_id, Ready(detached=detached)))
    assert (signed.gm, signed.content) == (True, None if detached else LETTER)
    assert count(house) == before + 1
    certificate = act(house, lambda call: call.session.get_one(Seal, seal_id).signer_certificate)
    assert [one.der for one in signed.certificates] == [certificate]


@pytest.mark.parametrize("document", [b"\x30\x00", b"\x31\x03\x02\x01\x05", b"\x30\x82\x00\x80" + bytes(128)], ids=len)
def test_a_value_is_not_put_on_structures(document: bytes) -> None:
    if document[1] == 0x82:
        refuse_structures(document)  # not DER: nobody reads it as a structure
        return
    with pytest.raises(Problem, match="document_refused"):
        refuse_structures(document)


@pytest.mark.parametrize("document", [b"0", b"1 text", b"", b"%PDF-", b"\x30\x05ab"], ids=len)
def test_texts_that_begin_alike_are_no_structures(document: bytes) -> None:
    refuse_structures(document)


def test_a_seal_out_of_force_signs_nothing(house: House) -> None:
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT))
    act(house, lambda call: change(call, seal_id, Change.SUSPEND, reason="演示"))
    before = count(house)
    with pytest.raises(Problem, match="seal_not_in_force"):
        used(house, seal_id, Ready())
    assert count(house) == before
