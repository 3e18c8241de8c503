"""Licences to be put on paper: one of every shipped type, its fields the catalogue's examples."""

from datetime import UTC, date, datetime

from keys.signer import Algorithm, generate_private, load_private
from licences import metadata
from licences.definition import HolderKind, LicenceType
from licences.formats import lc1
from licences.metadata import Metadata
from tests.identity import citizen_number, company_code

SIGNER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
ISSUED_AT = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
ISSUER = "https://licence.samplecity.cn"
PERSON = metadata.person("欧阳建国", citizen_number("37160219900307123"))
COMPANY = metadata.organisation("示范市大河食品有限公司（演示）", company_code("9137160210002000"))


def paper_of(kind: LicenceType, **more: object) -> Metadata:
    holder = COMPANY if kind.holder_kind is not HolderKind.PERSON else PERSON
    begins = date(2026, 1, 5)
    stated: dict[str, object] = {
        "identifier": f"1.2.156.3005.2.{kind.code}.11379900DM0001024F.0A1B2C3D4E5F6G7H8I9J.001.X",
        "number": metadata.certificate_number(kind, holder=holder, year=2026, serial="00012345"),
        "type_code": kind.code,
        "type_name": kind.name,
        "version": 1,
        "holders": (holder,),
        "issuer": metadata.Issuer("示范市市场监督管理局（演示）", "11379900DM0001024F", "379900"),
        "issued_on": begins,
        "valid_from": begins,
        "valid_until": kind.last_day(begins),
        "surface": metadata.surface(kind, kind.examples(), holder),
    }
    return Metadata(**{**stated, **more})  # type: ignore[arg-type]


def message_of(kind: LicenceType, **more: object) -> bytes:
    layout, status = lc1.template(kind), 13 * 2**20 + 987_654
    return lc1.make(paper_of(kind, **more), layout, issued_at=ISSUED_AT, signer=SIGNER, status=status)
