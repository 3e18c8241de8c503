import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licences import artefacts, record_form
from licences.artefacts import Record
from licences.formats import sdjwt
from tests.town import Town

CODE = "1.2.156.3005.2.11379900DM0001075P001.113716001000300047.ABCDEFGHIJKLMNOPQRST.001.X"


def test_the_dictionary_stays_as_it_is() -> None:
    frozen = "8015732f9bb015c89a4d312622a664b5e395c1a7b6e419f6dd430699a083f771"
    assert hashlib.sha256(record_form._COMMON).hexdigest() == frozen, "rows that are stored would not be read"


@given(st.binary(max_size=3000))
def test_what_is_packed_comes_back_byte_for_byte(content: bytes) -> None:
    assert record_form.unpack(record_form.pack(content, CODE), CODE) == content


def test_a_record_of_another_row_or_cut_or_longer_is_refused_or_another() -> None:
    content = CODE.encode() * 3
    packed = record_form.pack(content, CODE)
    assert record_form.unpack(packed, CODE.replace("ABC", "XYZ")) != content
    for wrong in (packed[:-1], packed + b"x", b"", b"\xff\xff"):
        with pytest.raises(ValueError, match="packed"):
            record_form.unpack(wrong, CODE)
    endless = zlib.compressobj(9, zlib.DEFLATED, -15)
    with pytest.raises(ValueError, match="packed"):
        record_form.unpack(endless.compress(bytes(2 << 20)) + endless.flush(), CODE)


def test_a_row_is_small_and_rows_of_before_are_read(town: Town) -> None:
    licence = town.issue("vocational_qualification")
    record = town.act(lambda call: artefacts.open_record(call, licence))
    assert len(licence.record_sealed) < len(record.content) // 2
    plain = record.seed + record.content
    seal = town.house.cipher.seal
    licence.record_sealed = seal(plain, table="licence", column="record_sealed", row=licence.identifier)
    assert town.act(lambda call: artefacts.open_record(call, licence)) == record
    assert record == Record(record.content, plain[: sdjwt.SEED_BYTES])
