import copy
import json
import random
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from idservice.numbers import InvalidNumber
from keys.canonical import canonical_json
from licences import metadata
from licences.definition import HolderKind, LicenceType, validate_fields
from licences.definition_file import shipped_types
from licences.lifecycle import CHINA_STANDARD_TIME
from licences.metadata import Changed, Holder, Issuer, Metadata, MetadataError

TYPES = {of.slug: of for of in shipped_types()}
PERSON = metadata.person("王小明", "11010519491231002x")
COMPANY = metadata.organisation("示范公司（演示）", "91350100m000100y43")
ISSUER = Issuer("示范市公安局（演示）", "11379900DM00000134", "379900")


def example(slug: str = "resident_card", **changes: Any) -> Metadata:
    of = TYPES[slug]
    holder = PERSON if of.accepts(HolderKind.PERSON) else COMPANY
    made = Metadata(
        identifier="1.2.156.3005.2.x",
        number=metadata.certificate_number(of, holder=holder, year=2026, serial="000001"),
        type_code=of.code,
        type_name=of.name,
        version=1,
        holders=(holder,),
        issuer=ISSUER,
        issued_on=date(2026, 11, 22),
        valid_from=date(2026, 11, 22),
        valid_until=of.last_day(date(2026, 11, 22)),
        surface=metadata.surface(of, validate_fields(of, of.examples()), holder),
        demonstration=True,
    )
    return replace(made, **changes)


def test_every_type_goes_out_and_comes_back() -> None:
    for slug in TYPES:
        made = example(slug)
        assert metadata.read(json.loads(canonical_json(made.record()))) == made, slug


def test_optional_members_come_back() -> None:
    at = datetime(2026, 11, 22, 10, 30, 5, tzinfo=CHINA_STANDARD_TIME)
    for changed in (None, Changed(at, ""), Changed(at, "地址变更")):
        made = example(previous="1.2.156.3005.2.y", version=2, type_version=3, changed=changed)
        assert metadata.read(made.record()) == made
    assert made.record()["changeTime"] == "2026-11-22T10:30:05+08:00"
    optional = {"associatedCertIdentifier", "certificateTypeVersion", "changeTime", "changeReason"}
    assert optional <= made.record().keys()
    assert not optional & example().record().keys()


def test_the_record_says_what_the_standard_names() -> None:
    record = example().record()
    assert record["certificateVersion"] == "001"
    assert record["certificateHolderCode"] == ["11010519491231002X"]
    assert record["certificateHolderTypeCode"] == ["111"]
    assert record["certificateHolderTypeName"] == ["公民身份号码"]
    assert record["certificateExpiringDate"] == "2046-11-22"
    assert record["certificateNumber"] == "11010519491231002X"
    assert record["demonstration"] is True
    assert example("business_licence").record()["certificateExpiringDate"] == "长期"


def test_co_owners_keep_their_order() -> None:
    other = metadata.person("李小红", "440524188001010014")
    one, two = example(holders=(PERSON, other)), example(holders=(other, PERSON))
    assert metadata.read(one.record()).holders == (PERSON, other)
    assert canonical_json(one.record()) != canonical_json(two.record())


@pytest.mark.parametrize(
    ("number", "code_type"),
    [
        ("11010519491231002X", "111"),
        ("810000199001010019", "551"),
        ("830000199001010016", "552"),
    ],
)
def test_the_type_of_a_person_s_number(number: str, code_type: str) -> None:
    body = number[:17]
    right = body + metadata.citizen.check_character(body)
    holder = metadata.person("某", right)
    assert holder.code_type == code_type
    assert metadata.holder_kind(holder) is HolderKind.PERSON


def test_the_kind_of_an_organisation() -> None:
    assert Holder("示范公司（演示）", "91350100M000100Y43", "001") == COMPANY
    assert metadata.holder_kind(COMPANY) is HolderKind.ORGANISATION


@pytest.mark.parametrize("number", ["", "110105194912310021", "91350100M000100Y43"])
def test_a_holder_has_a_valid_number(number: str) -> None:
    with pytest.raises(InvalidNumber):
        metadata.person("王小明", number)


def test_derived_fields_follow_from_the_number() -> None:
    assert example().surface["sex"] == "女"
    assert example().surface["birth_date"] == "1949-12-31"


def test_a_type_without_derived_fields_adds_none() -> None:
    of: LicenceType = TYPES["real_estate_title"]
    assert metadata.surface(of, of.examples(), COMPANY) == of.examples()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("certificateName", "别的证"),
        ("certificateName", ...),
        ("certificateVersion", "000"),
        ("certificateVersion", "1"),
        ("certificateVersion", "١٢٣"),
        ("certificateIssuedDate", "20261122"),
        ("certificateExpiringDate", "永久"),
        ("certificateExpiringDate", ""),
        ("certificateHolderName", []),
        ("certificateHolderName", ["甲", "乙"]),
        ("certificateHolderName", "甲"),
        ("certificateHolderCode", [1]),
        ("certificateHolderTypeCode", ["999"]),
        ("certificateHolderTypeName", ["统一社会信用代码"]),
        ("certificateIdentifier", "x" * 129),
        ("certificateAreaCode", None),
        ("surfaceData", []),
        ("surfaceData", {"a": {"b": 1}}),
        ("surfaceData", {"a": None}),
        ("surfaceData", {str(place): 1 for place in range(101)}),
        ("demonstration", 1),
        ("associatedCertIdentifier", ""),
        ("certificateTypeVersion", 1),
        ("certificateTypeVersion", "2"),
        ("changeTime", "2026-11-22T10:30:05"),
        ("changeTime", "2026-11-22T10:30:05Z"),
        ("changeTime", "yesterday"),
        ("changeReason", "没有时间"),
        ("status", "valid"),
    ],
)
def test_records_that_are_refused(member: str, value: Any) -> None:
    record = copy.deepcopy(example().record())
    if value is ...:
        del record[member]
    else:
        record[member] = value
    with pytest.raises(MetadataError):
        metadata.read(record)


def test_a_holder_stands_once() -> None:
    with pytest.raises(MetadataError):
        metadata.read(example(holders=(PERSON, PERSON)).record())


@pytest.mark.parametrize("record", [None, [], "x", 1, {}])
def test_what_is_no_record(record: object) -> None:
    with pytest.raises(MetadataError):
        metadata.read(record)


def test_what_is_read_is_what_was_written() -> None:
    """A mutant is refused, or it says something else: two records never read as the same licence."""
    rng = random.Random(36903)
    original = example("real_estate_title", previous="1.2.3")
    text = canonical_json(original.record()).decode()
    junk: list[Any] = [None, 0, "", "x", [], {}, ["x"], True, "长期", "2026-01-01"]
    for _ in range(2_000):
        record = json.loads(text)
        member = rng.choice(list(record))
        record[member] = rng.choice(junk)
        try:
            found = metadata.read(record)
        except MetadataError:
            continue
        # An optional member may be spelt null; everything else comes back as it was sent.
        assert found.record() == {name: value for name, value in record.items() if value is not None}
