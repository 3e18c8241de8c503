"""Making seals and seal signatures."""

from datetime import timedelta

import pytest

from keys import sm2
from seals.decoding import read_signature
from seals.signature import assemble, tbs
from seals.structure import SealFormatError
from tests.unit.seals.made import DATA_NAME, DOCUMENT, SIGNED_AT, City


def test_a_signature_is_rebuilt_from_its_time_and_value_alone(city: City) -> None:
    whole = city.stamp()
    row = (read_signature(whole).signed_at, read_signature(whole).signature)  # what a database row keeps
    again = assemble(
        city.seal, row[0], sm2.sm3(DOCUMENT), DATA_NAME, signer_certificate=city.signer.der, signature=row[1]
    )
    assert again == whole


def test_what_is_signed_is_the_tbs_of_the_signature(city: City) -> None:
    seen: list[bytes] = []

    def sign(data: bytes) -> bytes:
        seen.append(data)
        return city.signer.sign(data)

    signed = read_signature(city.stamp(sign=sign))
    assert seen == [signed.tbs_der] == [tbs(city.seal, SIGNED_AT, sm2.sm3(DOCUMENT), DATA_NAME)]
    assert (signed.signed_at, signed.property_info) == (SIGNED_AT, DATA_NAME)


@pytest.mark.parametrize("size", [0, 20, 31, 33])
def test_a_hash_that_is_no_sm3_is_refused(city: City, size: int) -> None:
    with pytest.raises(SealFormatError):
        tbs(city.seal, SIGNED_AT, bytes(size), DATA_NAME)


def test_a_seal_that_could_not_be_read_back_is_never_signed(city: City) -> None:
    def sign(_: bytes) -> bytes:
        raise AssertionError("signed")

    with pytest.raises(SealFormatError):
        city.make_seal(signers=(city.signer,) * 101, sign=sign)
    with pytest.raises(SealFormatError):
        city.make_seal(valid_until=SIGNED_AT - timedelta(days=2), sign=sign)
