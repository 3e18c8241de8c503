"""The ASN.1 shapes of electronic seals, word for word: GB/T 38540-2020 clauses 6.1 (SESeal) and 7.1 (SES_Signature).

GM/T 0031-2025 adds one optional field, GM/T 0031-2014 (`...2014` here) arranges the same parts in another way. Field
names are the standards'. A part that something signs is kept as `TLV`, so that its bytes stay those received.
`seals.decoding` and `seals.encoding` turn these into values and back; nothing else should need this file.
"""

from typing import Annotated

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier


@asn1.sequence
class SESHeader:
    """SES_Header (头信息)."""

    ID: asn1.IA5String
    version: int
    Vid: asn1.IA5String


@asn1.sequence
class CertDigestObj:
    """CertDigestObj: the digest of one signer certificate."""

    type: asn1.PrintableString
    value: bytes


@asn1.sequence
class PropertyWithCerts:
    """SES_ESPropertyInfo (印章属性) whose certListType is 1: the signer certificates themselves."""

    type: int
    name: str
    certListType: int  # noqa: N815
    certList: list[bytes]  # noqa: N815
    createDate: asn1.GeneralizedTime  # noqa: N815
    validStart: asn1.GeneralizedTime  # noqa: N815
    validEnd: asn1.GeneralizedTime  # noqa: N815


@asn1.sequence
class PropertyWithDigests:
    """SES_ESPropertyInfo (印章属性) whose certListType is 2: digests of the signer certificates."""

    type: int
    name: str
    certListType: int  # noqa: N815
    certList: list[CertDigestObj]  # noqa: N815
    createDate: asn1.GeneralizedTime  # noqa: N815
    validStart: asn1.GeneralizedTime  # noqa: N815
    validEnd: asn1.GeneralizedTime  # noqa: N815


@asn1.sequence
class PictureInfo:
    """SES_ESPictrueInfo (印章图像); millimetres."""

    type: asn1.IA5String
    data: bytes
    width: int
    height: int


@asn1.sequence
class ExtData:
    """ExtData (自定义数据). OPTIONAL instead of DEFAULT FALSE, because real seals write the FALSE out."""

    extnID: ObjectIdentifier  # noqa: N815
    critical: bool | None
    extnValue: bytes  # noqa: N815


@asn1.sequence
class SESSealInfo:
    """SES_SealInfo (印章信息): what the seal maker signs."""

    header: SESHeader
    esID: asn1.IA5String  # noqa: N815
    property: asn1.TLV
    picture: PictureInfo
    extDatas: list[ExtData] | None  # noqa: N815


@asn1.sequence
class SESeal:
    """SESeal (电子印章). The timestamp is of GM/T 0031-2025 alone."""

    eSealInfo: asn1.TLV  # noqa: N815
    cert: bytes
    signAlgID: ObjectIdentifier  # noqa: N815
    signedValue: asn1.BitString  # noqa: N815
    timeStamp: Annotated[asn1.BitString | None, asn1.Explicit(0)]  # noqa: N815


@asn1.sequence
class TBSSign:
    """TBS_Sign (待签章数据): what the signer signs."""

    version: int
    eseal: asn1.TLV
    timeInfo: asn1.GeneralizedTime  # noqa: N815
    dataHash: asn1.BitString  # noqa: N815
    propertyInfo: asn1.IA5String  # noqa: N815
    extDatas: Annotated[list[ExtData] | None, asn1.Explicit(0)]  # noqa: N815


@asn1.sequence
class SESSignature:
    """SES_Signature (电子签章数据), the SignedValue.dat of a sealed OFD."""

    toSign: asn1.TLV  # noqa: N815
    cert: bytes
    signatureAlgID: ObjectIdentifier  # noqa: N815
    signature: asn1.BitString
    timeStamp: Annotated[asn1.BitString | None, asn1.Explicit(0)]  # noqa: N815


@asn1.sequence
class Property2014:
    """SES_ESPropertyInfo (印章属性) of GM/T 0031-2014: always certificates, and UTCTime."""

    type: int
    name: str
    certList: list[bytes]  # noqa: N815
    createDate: asn1.UTCTime  # noqa: N815
    validStart: asn1.UTCTime  # noqa: N815
    validEnd: asn1.UTCTime  # noqa: N815


@asn1.sequence
class SignInfo2014:
    """SES_SignInfo (印章签名信息) of GM/T 0031-2014."""

    cert: bytes
    signatureAlgorithm: ObjectIdentifier  # noqa: N815
    signData: asn1.BitString  # noqa: N815


@asn1.sequence
class SESeal2014:
    """SESeal (电子印章) of GM/T 0031-2014."""

    esealInfo: asn1.TLV  # noqa: N815
    signInfo: SignInfo2014  # noqa: N815


@asn1.sequence
class SignedSeal2014:
    """What the maker of a GM/T 0031-2014 seal signs."""

    esealInfo: asn1.TLV  # noqa: N815
    cert: bytes
    signatureAlgorithm: ObjectIdentifier  # noqa: N815


@asn1.sequence
class TBSSign2014:
    """TBS_Sign (待签章数据) of GM/T 0031-2014, with the signer's certificate inside."""

    version: int
    eseal: asn1.TLV
    timeInfo: asn1.BitString  # noqa: N815
    dataHash: asn1.BitString  # noqa: N815
    propertyInfo: asn1.IA5String  # noqa: N815
    cert: bytes
    signatureAlgorithm: ObjectIdentifier  # noqa: N815


@asn1.sequence
class SESSignature2014:
    """SES_Signature (电子签章数据) of GM/T 0031-2014."""

    toSign: asn1.TLV  # noqa: N815
    signature: asn1.BitString
