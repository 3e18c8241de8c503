"""Bitstring Status List: the two purposes hold the same statuses, read by the words of the standard."""

import gzip
import json

import joserfc.jwk
import joserfc.jws

from keys.base64url import unb64u
from licences.status import bitstring
from licences.status.bitstring import Purpose
from licences.status.edition import name_of
from licences.status.token_list import SIZE
from tests.unit.licences.status.lists import ENTRIES, ISSUER, SIGNER, edition


def credential(purpose: Purpose) -> dict[str, object]:
    key = joserfc.jwk.ECKey.import_key(SIGNER.public.jwk())
    text = edition().files(SIGNER)[name_of(0, str(purpose))].decode()
    read = joserfc.jws.deserialize_compact(text, key, algorithms=["ES256"])
    assert read.protected["typ"] == "vc+jwt"
    found: dict[str, object] = json.loads(read.payload)
    return found


def set_places(encoded: str) -> set[int]:
    """Expand as section 3.3 says: multibase u, base64url, GZIP; bit 0 is the leftmost."""
    assert encoded[0] == "u"
    bits = gzip.decompress(unb64u(encoded[1:]))
    assert len(bits) * 8 == SIZE >= 131_072
    return {index for index in range(SIZE) if bits[index // 8] and format(bits[index // 8], "08b")[index % 8] == "1"}


def test_each_purpose_has_its_own_bits() -> None:
    for purpose, value in ((Purpose.REVOCATION, 1), (Purpose.SUSPENSION, 2)):
        said = credential(purpose)
        subject = said["credentialSubject"]
        assert isinstance(subject, dict)
        assert set_places(subject["encodedList"]) == {index for index, status in ENTRIES if status == value}
        assert subject["statusPurpose"] == purpose
        assert said["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
        assert said["id"] == f"{ISSUER}/status/0/{purpose}"
        assert said["validFrom"] < said["validUntil"]  # type: ignore[operator] - texts of one form


def test_the_same_list_has_the_same_bytes() -> None:
    assert bitstring.pack(ENTRIES, Purpose.REVOCATION) == bitstring.pack(list(ENTRIES), Purpose.REVOCATION)
