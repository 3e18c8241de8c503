"""A made-up city's seals: a root, a seal maker, two signers, and documents they seal. Keys are new in every run."""

import base64
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from keys import sm2
from keys.certificates import Certificate, KeyUsage, issue, parse
from seals.signature import assemble, make_seal, tbs
from seals.structure import Extension, Picture

SIGNED_AT = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
DOCUMENT = "演示：本文件仅用于测试。".encode() * 20
DATA_NAME = "text/plain"
PICTURE = Picture("PNG", b"\x89PNG\r\n\x1a\n" + b"\x00" * 56, 42, 42)
OFD = "http://www.ofdspec.org/2016"


@dataclass
class Party:
    """Somebody with an SM2 key and a certificate for it."""

    private: bytes
    der: bytes

    @cached_property
    def certificate(self) -> Certificate:
        return parse(self.der)

    def sign(self, data: bytes) -> bytes:
        return sm2.sign(self.private, data)


class City:
    """Everybody needed to make and judge seals."""

    def __init__(self) -> None:
        self.root = self.party("演示根证书", serial=1, ca=True)
        self.maker = self.party("演示制章中心", serial=2, issuer=self.root)
        self.signer = self.party("演示市行政审批服务局", serial=3, issuer=self.root)
        self.stranger = self.party("演示市其他单位", serial=4, issuer=self.root)
        self.seal = self.make_seal()

    @property
    def anchors(self) -> list[Certificate]:
        return [self.root.certificate]

    def party(
        self,
        name: str,
        *,
        serial: int,
        issuer: Party | None = None,
        ca: bool = False,
        not_before: datetime = SIGNED_AT - YEAR,
        not_after: datetime = SIGNED_AT + 2 * YEAR,
        key_usage: frozenset[KeyUsage] | None = None,
    ) -> Party:
        private, public = sm2.generate()
        der = issue(
            subject=[("C", "CN"), ("O", "演示市"), ("CN", name)],
            public_key=public,
            issuer=issuer.certificate if issuer else None,
            sign=issuer.sign if issuer else lambda data: sm2.sign(private, data),
            serial=serial,
            not_before=not_before,
            not_after=not_after,
            ca=ca,
            key_usage=key_usage or ({KeyUsage.KEY_CERT_SIGN} if ca else {KeyUsage.DIGITAL_SIGNATURE}),
        )
        return Party(private, der)

    def make_seal(
        self,
        *,
        maker: Party | None = None,
        signers: tuple[Party, ...] = (),
        valid_from: datetime = SIGNED_AT - timedelta(days=1),
        valid_until: datetime = SIGNED_AT + YEAR,
        extensions: tuple[Extension, ...] = (),
        sign: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        maker = maker or self.maker
        return make_seal(
            seal_id="37160000000001",
            vendor="DEMO",
            name="演示市行政审批服务局",
            picture=PICTURE,
            signer_certificates=[party.der for party in signers or (self.signer,)],
            created_at=SIGNED_AT - timedelta(days=1),
            valid_from=valid_from,
            valid_until=valid_until,
            maker_certificate=maker.der,
            sign=sign or maker.sign,
            extensions=extensions,
        )

    def stamp(
        self,
        document: bytes = DOCUMENT,
        *,
        seal: bytes | None = None,
        signer: Party | None = None,
        name: str = DATA_NAME,
        signed_at: datetime = SIGNED_AT,
        sign: Callable[[bytes], bytes] | None = None,
    ) -> bytes:
        """Return an SES_Signature over `document`."""
        seal, signer = seal or self.seal, signer or self.signer
        data_hash = sm2.sm3(document)
        value = (sign or signer.sign)(tbs(seal, signed_at, data_hash, name))
        return assemble(seal, signed_at, data_hash, name, signer_certificate=signer.der, signature=value)

    def stamp_ofd(self, files: Mapping[str, bytes], *, number: int = 0, lock: bool = True, **changes: object) -> bytes:
        """Return an OFD of `files` with a seal: `lock` protects Signatures.xml too. `changes` go to `stamp`."""
        return pack(self.sealed_files(files, number=number, lock=lock, **changes))

    def sealed_files(
        self, files: Mapping[str, bytes], *, number: int = 0, lock: bool = True, **changes: object
    ) -> dict[str, bytes]:
        folder = f"Doc_0/Signs/Sign_{number}"
        listed = [f"/Doc_0/Signs/Sign_{index}/Signature.xml" for index in range(number + 1)]
        seal = changes.get("seal") or self.seal
        assert isinstance(seal, bytes)
        result = dict(files) | {"Doc_0/Signs/Signatures.xml": signatures_xml(listed), f"{folder}/Seal.esl": seal}
        protected = {name: data for name, data in result.items() if lock or name != "Doc_0/Signs/Signatures.xml"}
        description = signature_xml(folder, {name: sm2.sm3(data) for name, data in protected.items()})
        result[f"{folder}/Signature.xml"] = description
        value = self.stamp(description, name=f"/{folder}/Signature.xml", **changes)  # type: ignore[arg-type]
        return result | {f"{folder}/SignedValue.dat": value}


def page(text: str = "演示") -> bytes:
    return f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content>{text}</ofd:Content></ofd:Page>'.encode()


def plain_files(*, sealed: bool = True) -> dict[str, bytes]:
    """The files of a one-page OFD before its seal; `sealed` makes OFD.xml point at the list of signatures."""
    pointer = "<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>" if sealed else ""
    return {
        "OFD.xml": (
            f'<ofd:OFD xmlns:ofd="{OFD}" Version="1.0" DocType="OFD"><ofd:DocBody>'
            f"<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{pointer}</ofd:DocBody></ofd:OFD>"
        ).encode(),
        "Doc_0/Document.xml": f'<ofd:Document xmlns:ofd="{OFD}"/>'.encode(),
        "Doc_0/Pages/Page_0/Content.xml": page(),
    }


def signatures_xml(locations: list[str]) -> bytes:
    lines = "".join(f'<ofd:Signature ID="{n}" Type="Seal" BaseLoc="{at}"/>' for n, at in enumerate(locations, 1))
    return f'<ofd:Signatures xmlns:ofd="{OFD}">{lines}</ofd:Signatures>'.encode()


def signature_xml(folder: str, digests: Mapping[str, bytes], *, method: str = "1.2.156.10197.1.401") -> bytes:
    lines = "".join(
        f'<ofd:Reference FileRef="/{name}">'
        f"<ofd:CheckValue>{base64.b64encode(value).decode()}</ofd:CheckValue></ofd:Reference>"
        for name, value in digests.items()
    )
    return (
        f'<ofd:Signature xmlns:ofd="{OFD}"><ofd:SignedInfo>'
        f'<ofd:References CheckMethod="{method}">{lines}</ofd:References>'
        f"<ofd:Seal><ofd:BaseLoc>/{folder}/Seal.esl</ofd:BaseLoc></ofd:Seal></ofd:SignedInfo>"
        f"<ofd:SignedValue>/{folder}/SignedValue.dat</ofd:SignedValue></ofd:Signature>"
    ).encode()


def pack(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 8, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
