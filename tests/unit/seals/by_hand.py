"""Seals of every version, assembled octet by octet: a writer that shares nothing with `seals.encoding`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from keys.sm2 import sm3
from tests.unit.seals.made import DOCUMENT, SIGNED_AT, YEAR, City, Party

VERSIONS = (1, 4, 5)
SM2_WITH_SM3 = bytes.fromhex("06082a811ccf55018375")
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(24)


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    return tlv(0x04, content)


def bits(content: bytes) -> bytes:
    return tlv(0x03, b"\0", content)


def ia5(text: str) -> bytes:
    return tlv(0x16, text.encode("ascii"))


def utc_time(moment: datetime) -> bytes:
    return tlv(0x17, moment.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(moment: datetime) -> bytes:
    return tlv(0x18, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


@dataclass
class Writer:
    """Writes a seal and a seal signature of one version. Every part can be put in place of the usual one."""

    city: City
    version: int
    maker: Party
    signer: Party
    header: int
    created_at: datetime = SIGNED_AT - timedelta(days=1)
    valid_from: datetime = SIGNED_AT - timedelta(days=1)
    valid_until: datetime = SIGNED_AT + YEAR
    signed_at: datetime = SIGNED_AT
    listed: tuple[bytes, ...] = ()
    time_info: bytes | None = None
    seal_timestamp: bytes | None = None
    timestamp: bytes | None = None
    extensions: bytes = b""
    seal_value: bytes | None = None
    value: bytes | None = None
    document: bytes = DOCUMENT
    name: str = "text/plain"

    def but(self, **changes: object) -> Writer:
        return replace(self, **changes)  # type: ignore[arg-type]

    def info(self) -> bytes:
        time = utc_time if self.version == 1 else generalized_time
        certificates = sequence(*(octets(der) for der in self.listed or (self.signer.der,)))
        return sequence(
            sequence(ia5("ES"), integer(self.header), ia5("HAND")),
            ia5("37160000000002"),
            sequence(
                integer(1),
                tlv(0x0C, "演示市手工印章".encode()),
                b"" if self.version == 1 else integer(1),
                certificates,
                time(self.created_at),
                time(self.valid_from),
                time(self.valid_until),
            ),
            sequence(ia5("PNG"), octets(PICTURE), integer(42), integer(42)),
            self.extensions,
        )

    def seal(self) -> bytes:
        info, certificate = self.info(), octets(self.maker.der)
        signed = sequence(info, certificate, SM2_WITH_SM3) if self.version == 1 else info
        value = bits(self.maker.sign(signed) if self.seal_value is None else self.seal_value)
        if self.version == 1:
            return sequence(info, sequence(certificate, SM2_WITH_SM3, value))
        stamp = b"" if self.seal_timestamp is None else tlv(0xA0, bits(self.seal_timestamp))
        return sequence(info, certificate, SM2_WITH_SM3, value, stamp)

    def to_sign(self) -> bytes:
        head = (integer(self.header), self.seal())
        tail = (bits(sm3(self.document)), ia5(self.name))
        if self.version == 1:
            time = utc_time(self.signed_at) if self.time_info is None else self.time_info
            return sequence(*head, bits(time), *tail, octets(self.signer.der), SM2_WITH_SM3)
        return sequence(*head, generalized_time(self.signed_at), *tail)

    def signature(self) -> bytes:
        to_sign = self.to_sign()
        value = bits(self.signer.sign(to_sign) if self.value is None else self.value)
        if self.version == 1:
            return sequence(to_sign, value)
        stamp = b"" if self.timestamp is None else tlv(0xA0, bits(self.timestamp))
        return sequence(to_sign, octets(self.signer.der), SM2_WITH_SM3, value, stamp)


def writer(city: City, version: int) -> Writer:
    return Writer(city, version, city.maker, city.signer, header=version)
