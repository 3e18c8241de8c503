"""LD1: it fits on a telephone's screen, is read back, and every change of it is refused."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from keys import cbor, cose, cose_holder
from keys.signer import Algorithm, generate_private, load_private
from keys.verdict import Reason
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.formats import device_code, lc1, lc1_text
from licences.formats.device_code import CLOCKS, SECONDS, DeviceCodeError, Minimal
from licences.qr_symbol import symbol
from licences.view import masked_name, masked_number
from tests.unit.licences.formats.papers import SIGNER, paper_of

DEVICE, STRANGER = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(2))
KEYS = [SIGNER.public]
NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
PLACE = 13 * 2**20 + 987_654
NONCE = bytes(range(8))
KIND = next(kind for kind in shipped_types() if kind.slug == "resident_card")
ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def face_of(kind: LicenceType) -> Minimal:
    record = paper_of(kind)
    named = record.holders[0]
    return Minimal(lc1.template(kind).identifier, masked_name(named), masked_number(named)[-4:], date(2036, 1, 4))


def credential(kind: LicenceType = KIND, *, place: int = PLACE, until: datetime | None = None) -> bytes:
    ends = until or NOW + timedelta(days=7)
    return device_code.issue(face_of(kind), key=DEVICE.public, place=place, expires_at=ends, signer=SIGNER)


def text_of(content: bytes, *, at: datetime = NOW, audience: bytes | None = None) -> str:
    return device_code.sign(content, at=at, nonce=NONCE, signer=DEVICE, audience=audience)


def refused(text: str) -> str:
    with pytest.raises(DeviceCodeError) as caught:
        device_code.authenticate(text, KEYS)
    assert caught.value.reason in Reason
    return caught.value.code


@pytest.mark.parametrize("kind", shipped_types(), ids=lambda kind: kind.slug)
def test_every_type_fits_into_a_symbol_of_version_12_at_level_m(kind: LicenceType) -> None:
    text = text_of(credential(kind, place=2**40 + 1), audience=device_code.audience_of("11379900DM0001024F"))
    assert set(text) <= ALPHANUMERIC
    assert symbol(text).version <= 12
    assert device_code.authenticate(text, KEYS).credential.face.template == lc1.template(kind).identifier


def test_it_says_what_was_put_in() -> None:
    unit = device_code.audience_of("11379900DM0001024F")
    code = device_code.authenticate(text_of(credential(), audience=unit), KEYS)
    assert (code.made_at, code.nonce, code.audience) == (NOW, NONCE, unit)
    said = code.credential
    assert (said.kid, said.key.members, said.place) == (SIGNER.kid, DEVICE.public.members, PLACE)
    assert said.expires_at == NOW + timedelta(days=7)
    assert said.face == Minimal(lc1.template(KIND).identifier, "欧阳**", face_of(KIND).number_tail, date(2036, 1, 4))


def test_a_long_name_is_cut_and_says_so() -> None:
    long = Minimal(lc1.template(KIND).identifier, "示范" * 40, "123X", None)
    made = device_code.issue(long, key=DEVICE.public, place=PLACE, expires_at=NOW, signer=SIGNER)
    name = device_code.read_credential(made, KEYS).face.holder_name
    assert name.endswith("…")
    assert ("示范" * 40).startswith(name[:-1])
    assert len(name) > 4


def test_scanners_and_caps_lock_are_forgiven_and_nothing_else() -> None:
    text = text_of(credential())
    for scanned in (f"]Q3{text}", f" {text}\n", text.lower()):
        assert device_code.looks_like(scanned)
        assert device_code.authenticate(scanned, KEYS).nonce == NONCE
    assert refused("LD2:" + text[4:]) == "version_unknown"
    assert refused("LD1:" + text[4:].lower()) == "malformed"
    assert refused(text[:-1]) == refused(text + "0") == refused("LD1:") == refused("LD1:" + "0" * 5_000) == "malformed"
    assert not any(map(device_code.looks_like, ("", "LD", "LDX:", "LC1:00", "7K3MQ9TZ4XWD0H2VRB8NJE5CPG")))


def test_two_codes_of_one_credential_have_two_names() -> None:
    content = credential()
    names = {
        device_code.authenticate(device_code.sign(content, at=NOW, nonce=bytes([n] * 8), signer=DEVICE), KEYS).name
        for n in range(3)
    }
    assert len(names) == 3
    again = device_code.sign(content, at=NOW + timedelta(seconds=5), nonce=bytes(8), signer=DEVICE)
    assert device_code.authenticate(again, KEYS).name in names, "a nonce is used once, whatever the time says"


def test_the_second_form_of_an_ecdsa_signature_is_no_second_code() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    content, message = cbor.decode(lc1_text.from_base45(text_of(credential())[4:]))  # type: ignore[misc]
    r, s = message[3][:32], int.from_bytes(message[3][32:], "big")
    message[3] = r + (order - s).to_bytes(32, "big")
    twin = device_code.PREFIX + lc1_text.base45(cbor.encode([content, message]))
    first = device_code.authenticate(text_of(credential()), KEYS)
    assert device_code.authenticate(twin, KEYS).nonce == first.nonce
    assert device_code.authenticate(twin, KEYS).name == device_code.authenticate(text_of(content), KEYS).name


def test_another_device_or_another_issuer_is_refused() -> None:
    by_stranger = device_code.sign(credential(), at=NOW, nonce=NONCE, signer=STRANGER)
    assert refused(by_stranger) == "signature"
    with pytest.raises(DeviceCodeError, match="unknown_key"):
        device_code.authenticate(text_of(credential()), [STRANGER.public])
    one, other = credential(), credential(place=PLACE + 1)
    message = cose_holder.sign(cbor.encode({6: 1_800_000_000, 7: NONCE}), signer=DEVICE, credential=one)
    moved = device_code.PREFIX + lc1_text.base45(cbor.encode([other, message]))
    assert refused(moved) == "signature", "signed for one licence, shown with another"


CLAIMS = {
    4: 1_800_000_000,
    8: {1: cose_holder.cose_key(DEVICE.public)},
    -1: b"\x01\x02\x03",
    "f": [bytes(8), "王**", "123X", 1],
}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({4: "x"}, "bad_payload"),
        ({4: -1}, "bad_payload"),
        ({4: True}, "bad_payload"),
        ({5: 1}, "bad_payload"),
        ({8: {}}, "bad_payload"),
        ({8: {1: {}}}, "bad_key"),
        ({8: {1: CLAIMS[8][1], 2: 1}}, "bad_payload"),  # type: ignore[index, dict-item]
        ({-1: b"\x01\x02"}, "bad_payload"),
        ({-1: b"\x00\x01\x02\x03"}, "bad_payload"),
        ({-1: bytes(9)}, "bad_payload"),
        ({"f": [bytes(8), "王**", "123X"]}, "bad_payload"),
        ({"f": [bytes(7), "王**", "123X", 1]}, "bad_payload"),
        ({"f": [bytes(8), 1, "123X", 1]}, "bad_payload"),
        ({"f": [bytes(8), "王**", 1, 1]}, "bad_payload"),
        ({"f": [bytes(8), "王**", "123X", 10**9]}, "bad_payload"),
    ],
)
def test_a_signed_credential_of_another_form_is_refused(change: dict[object, object], code: str) -> None:
    content = cose.sign(cbor.encode({**CLAIMS, **change}), signer=SIGNER)
    assert refused(device_code.sign(content, at=NOW, nonce=NONCE, signer=DEVICE)) == code


@pytest.mark.parametrize(
    "stated",
    [
        {6: 1},
        {7: NONCE},
        {6: "x", 7: NONCE},
        {6: 1, 7: bytes(7)},
        {6: 1, 7: NONCE, 3: bytes(3)},
        {6: 1, 7: NONCE, 9: 1},
        7,
    ],
    ids=str,
)
def test_a_signed_time_of_another_form_is_refused(stated: object) -> None:
    content = credential()
    message = cose_holder.sign(cbor.encode(stated), signer=DEVICE, credential=content)
    assert refused(device_code.PREFIX + lc1_text.base45(cbor.encode([content, message]))) == "bad_payload"


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (0, None),
        (-SECONDS, None),
        (-SECONDS - 1, Reason.CODE_EXPIRED),
        (-CLOCKS - 1, Reason.CODE_EXPIRED),
        (CLOCKS, None),
        (CLOCKS + 1, Reason.CLOCK_WRONG),
        (86_400, Reason.CLOCK_WRONG),
    ],
)
def test_a_minute_to_the_past_and_five_to_the_future(seconds: int, reason: Reason | None) -> None:
    code = device_code.authenticate(text_of(credential(), at=NOW + timedelta(seconds=seconds)), KEYS)
    assert device_code.judge_time(code, NOW) is reason


def test_a_credential_that_is_over_makes_no_code() -> None:
    content = credential(until=NOW)
    code = device_code.authenticate(text_of(content, at=NOW - timedelta(seconds=1)), KEYS)
    assert device_code.judge_time(code, NOW - timedelta(seconds=1)) is None
    assert device_code.judge_time(code, NOW) is Reason.CODE_EXPIRED
    turned_back = device_code.authenticate(text_of(content, at=NOW + timedelta(seconds=1)), KEYS)
    assert device_code.judge_time(turned_back, NOW - timedelta(seconds=1)) is Reason.CODE_EXPIRED


def mutants(seed: int) -> list[str]:
    """One code changed in one place, as text or as bytes, and pieces of it moved about."""
    chance, text = random.Random(seed), text_of(credential())
    content = bytearray(lc1_text.from_base45(text[4:]))
    place, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
    flipped, cut, doubled = bytearray(content), content[:place], content[:place] + content[place:] * 2
    flipped[place] ^= bit
    at = chance.randrange(4, len(text))
    other = chance.choice(sorted(ALPHANUMERIC - {text[at]}))
    written = [text[:at] + other + text[at + 1 :], text[:at] + text[at + 1 :], text[:at] + other + text[at:]]
    return [device_code.PREFIX + lc1_text.base45(bytes(one)) for one in (flipped, cut, doubled)] + written


def accepted(seeds: range) -> tuple[int, list[str]]:
    tried, found = 0, []
    for seed in seeds:
        for mutant in mutants(seed):
            tried += 1
            try:
                device_code.authenticate(mutant, KEYS)
            except DeviceCodeError:
                continue
            found.append(mutant)
    return tried, found


def test_no_mutant_is_accepted() -> None:
    tried, found = accepted(range(150))
    assert (tried, found) == (900, [])


@pytest.mark.soak
def test_no_mutant_of_a_hundred_thousand_is_accepted() -> None:
    tried = 0
    for start in count(0, 500):
        more, found = accepted(range(start, start + 500))
        tried += more
        assert found == []
        if tried >= 100_000:
            break
