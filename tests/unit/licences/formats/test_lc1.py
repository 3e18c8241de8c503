"""LC1: what it says of every shipped type, how small it stays, and that nothing else is read as one."""

import contextlib
import hashlib
import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files

import pytest

from keys import cbor, cose
from keys.signer import Algorithm, generate_private, load_private
from keys.verdict import Reason
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.formats import lc1, lc1_text
from licences.formats.lc1 import LC1Error, Paper
from licences.qr_symbol import symbol
from tests.unit.licences.formats.papers import COMPANY, ISSUED_AT, ISSUER, PERSON, SIGNER, message_of, paper_of

LARGEST_VERSION = 12
TYPES = {kind.slug: kind for kind in shipped_types()}
each_type = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
BUSINESS = TYPES["business_licence"]


def said_by(content: bytes) -> Paper:
    return lc1.authenticate(content, [SIGNER.public])


def claims_of(content: bytes) -> dict[object, object]:
    inflater = zlib.decompressobj(wbits=-15, zdict=lc1.dictionary())
    found = cbor.decode(inflater.decompress(cose.read(content).payload))
    assert isinstance(found, dict)
    return dict(found)


@each_type
def test_every_shipped_type_fits_into_version_12_whole_in_both_forms(kind: LicenceType) -> None:
    content = message_of(kind)
    assert symbol(lc1_text.to_base45(content)).version <= LARGEST_VERSION
    assert symbol(lc1_text.to_address(content, ISSUER)).version <= LARGEST_VERSION
    assert lc1.CUT not in "".join(str(value) for value in said_by(content).values)


@each_type
def test_the_code_says_who_what_by_whom_and_since_when(kind: LicenceType) -> None:
    said, stated = said_by(message_of(kind)), paper_of(kind)
    holder = stated.holders[0]
    assert (said.holder_name, said.holder_number, said.number) == (holder.name, holder.code, stated.number)
    assert (said.issuer, said.valid_from, said.issued_at) == (stated.issuer.name, stated.valid_from, ISSUED_AT)
    assert said.template == lc1.template(kind).identifier
    assert said.licence_id == lc1.licence_id(stated.identifier)
    assert said.kid == SIGNER.kid
    shown = {field.name for field in lc1.template(kind).fields}
    for field, value in zip(lc1.template(kind).fields, said.values, strict=True):
        expected = stated.surface[field.name]
        if field.type == "date":
            expected = (date.fromisoformat(str(expected)) - date(1970, 1, 1)).days
        assert str(value) == str(expected)
    left_out = {field.name for field in kind.fields if field.mask in {"number", "hidden"}}
    assert not shown & left_out, "other people's numbers and what is hidden stay on the face"


def test_times_are_those_of_china() -> None:
    ends = said_by(message_of(BUSINESS, valid_until=date(2031, 12, 31)))
    assert ends.expires_at == datetime(2031, 12, 31, 16, tzinfo=UTC)
    assert said_by(message_of(BUSINESS, valid_until=None)).expires_at is None
    assert claims_of(message_of(BUSINESS, valid_until=date(2031, 12, 31))).keys() == {4, 6, 7, -1, "f"}


def test_long_texts_are_cut_visibly_until_it_fits_and_choices_are_not() -> None:
    surface = {**BUSINESS.examples(), "business_scope": "零售" * 500, "address": "某某路" * 60}
    content = message_of(BUSINESS, surface=surface)
    said = said_by(content)
    values = dict(zip((field.name for field in lc1.template(BUSINESS).fields), said.values, strict=True))
    assert str(values["business_scope"]).endswith(lc1.CUT)
    assert surface["business_scope"].startswith(str(values["business_scope"])[:-1])
    assert values["organisation_type"] == "有限责任公司"
    assert symbol(lc1_text.to_address(content, ISSUER)).version <= LARGEST_VERSION


def test_several_holders_are_counted() -> None:
    assert said_by(message_of(BUSINESS, holders=(COMPANY, PERSON))).holder_name == f"{COMPANY.name}等2人"


def test_what_cannot_fit_is_not_made() -> None:
    rng = random.Random(1)
    chosen = tuple(
        replace(field, name=f"f{n}", choices=("".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(90)),))
        for n, field in enumerate([BUSINESS.fields[0]] * 3)
    )
    kind = replace(BUSINESS, fields=chosen)
    with pytest.raises(LC1Error) as caught:
        message_of(kind, surface={field.name: field.choices[0] for field in chosen})
    assert caught.value.code == "too_large"


def test_a_template_is_named_by_what_it_holds() -> None:
    names = {lc1.template(kind).identifier for kind in TYPES.values()}
    turned = replace(BUSINESS, fields=BUSINESS.fields[::-1])
    retyped = replace(
        BUSINESS, fields=(replace(BUSINESS.fields[0], type=BUSINESS.fields[1].type), *BUSINESS.fields[1:])
    )
    titled = replace(BUSINESS, name="另一个名称")
    assert len(names) == len(TYPES)
    assert lc1.template(titled).identifier == lc1.template(BUSINESS).identifier
    assert names.isdisjoint({lc1.template(turned).identifier, lc1.template(retyped).identifier})


def test_the_dictionary_is_the_one_that_paper_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (files("licences.formats") / "lc1_dictionary.txt").read_bytes()
    assert hashlib.sha256(data).hexdigest() == lc1.DICTIONARY_SHA256
    assert hashlib.sha256(data).hexdigest() == "7f4f03c3b62e07890d903b2dcfd49ccf1a69c975df669bb912914c4e5ef8d3a4"
    assert 1_500 < len(data) <= 2_000
    data.decode("utf-8")
    monkeypatch.setattr(lc1, "DICTIONARY_SHA256", "0" * 64)
    with pytest.raises(RuntimeError):
        lc1.dictionary.__wrapped__()


# --- what is refused ---------------------------------------------------------------------------------------------


def deflated(data: bytes, dictionary: bytes | None = None) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15, zdict=lc1.dictionary() if dictionary is None else dictionary)
    return deflater.compress(data) + deflater.flush()


def refused(payload: bytes) -> str:
    with pytest.raises(LC1Error) as caught:
        said_by(cose.sign(payload, signer=SIGNER))
    assert caught.value.reason is Reason.FORMAT_UNKNOWN
    return caught.value.code


GOOD = claims_of(message_of(BUSINESS))


def face(change: Callable[[list[object]], object]) -> dict[object, object]:
    values = list(GOOD["f"])  # type: ignore[call-overload]
    change(values)
    return {**GOOD, "f": values}


def put(place: int, value: object) -> dict[object, object]:
    return face(lambda values: values.__setitem__(place, value))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        [],
        0,
        {**GOOD, 1: "issuer"},
        {**GOOD, "g": 1},
        {key: value for key, value in GOOD.items() if key != 6},
        {key: value for key, value in GOOD.items() if key != 7},
        {key: value for key, value in GOOD.items() if key != "f"},
        {**GOOD, 6: "today"},
        {**GOOD, 6: True},
        {**GOOD, 6: 2**63},
        {**GOOD, 6: -(2**63)},
        {**GOOD, 4: None},
        {**GOOD, 4: 2**64 - 1},
        {**GOOD, 7: b"short"},
        {**GOOD, 7: "8 letter"},
        {**GOOD, -1: 5},
        {**GOOD, -1: b"\1\2"},
        {**GOOD, -1: b"\0\0\0\1"},
        {**GOOD, -1: b"\1" * 9},
        {**GOOD, "f": {}},
        {**GOOD, "f": []},
        put(0, b""),
        put(0, "8 letter"),
        put(1, None),
        put(2, True),
        put(3, b"x"),
        put(4, [1]),
        put(5, "2026-01-05"),
        put(5, 10**12),
        put(6, b"x"),
        put(6, [1]),
        put(6, {1: 1}),
        face(lambda values: values.extend([None] * 65)),
    ],
    ids=str,
)
def test_signed_claims_of_another_form_are_refused(claims: object) -> None:
    assert refused(deflated(cbor.encode(claims))) == "bad_payload"


def test_a_compressed_payload_that_is_more_or_less_is_refused() -> None:
    good = deflated(cbor.encode(GOOD))
    assert said_by(cose.sign(good, signer=SIGNER)).issuer
    for payload in (
        b"",
        good[:-1],
        good + b"\0",
        good + good,
        cbor.encode(GOOD),
        zlib.compress(cbor.encode(GOOD)),
        deflated(cbor.encode(GOOD) + b"\0"),
        deflated(cbor.encode(GOOD), lc1.dictionary()[::-1]),
        deflated(cbor.encode({**GOOD, "f": [b"x" * 5_000]})),
        deflated(b"\0" * 1_000_000),
        b"\xff" * 100,
    ):
        assert refused(payload) == "bad_payload"


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("LC2:BB8", "dictionary_unknown", Reason.DICTIONARY_UNKNOWN),
        ("LC1:BB", "malformed", Reason.UNREADABLE),
        ("LC1:" + "0" * 9_000, "too_large", Reason.UNREADABLE),
    ],
)
def test_a_text_is_refused_with_a_reason(text: str, code: str, reason: Reason) -> None:
    with pytest.raises(LC1Error) as caught:
        lc1.read(text)
    assert (caught.value.code, caught.value.reason) == (code, reason)


def test_a_key_that_is_not_ours_and_a_signature_that_is_not_its_own() -> None:
    stranger = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    content = message_of(BUSINESS)
    with pytest.raises(LC1Error) as caught:
        lc1.authenticate(content, [stranger.public])
    assert caught.value.reason is Reason.ISSUER_UNKNOWN
    with pytest.raises(LC1Error) as caught:
        lc1.authenticate(content[:-1] + bytes([content[-1] ^ 1]), [SIGNER.public])
    assert caught.value.reason is Reason.SIGNATURE_INVALID
    with pytest.raises(LC1Error) as caught:
        lc1.authenticate(b"\x00", [SIGNER.public])
    assert caught.value.reason is Reason.UNREADABLE


def test_no_signed_mutant_of_the_claims_crashes_the_reader() -> None:
    rng = random.Random(4)
    encoded = cbor.encode(GOOD)
    for number in range(3_000):
        data = bytearray(encoded if number % 2 else deflated(encoded))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        with contextlib.suppress(LC1Error):
            said_by(cose.sign(deflated(bytes(data)) if number % 2 else bytes(data), signer=SIGNER))


def test_every_shipped_type_fits_into_version_12_in_sm2_too() -> None:
    signer = load_private(Algorithm.SM2, generate_private(Algorithm.SM2))
    for slug, kind in TYPES.items():
        content = lc1.make(paper_of(kind), lc1.template(kind), issued_at=ISSUED_AT, signer=signer)
        assert symbol(lc1_text.to_base45(content)).version <= LARGEST_VERSION, slug
        assert symbol(lc1_text.to_address(content, ISSUER)).version <= LARGEST_VERSION, slug
        assert lc1.authenticate(content, [SIGNER.public, signer.public]).kid == signer.kid, slug
        with pytest.raises(LC1Error, match="unknown_key"):
            lc1.authenticate(content, [SIGNER.public])
