"""The sealed record as a row keeps it: raw DEFLATE (RFC 1951) with a dictionary, so that millions of rows stay small.

Two thirds of a record are the names of its members, and its identifier stands in the row beside it. Both are in the
dictionary, which is a part of the form: changing it is a new form, with a number of its own among the formats of a row.
"""

from __future__ import annotations

import zlib
from typing import Final

FORM: Final = 2  # the version of the row's format; 1: the record as it is
_LARGEST: Final = 1 << 20  # bytes
_RAW: Final = -zlib.MAX_WBITS  # the sealed field is authenticated: header and check sum would say nothing more
# Never to be changed: rows are read with the very bytes they were packed with.
_COMMON: Final = (
    '{"associatedCertIdentifier":"1.2.156.3005.2.","certificateAreaCode":"371600",'
    '"certificateEffectiveDate":"2026-01-01","certificateExpiringDate":"长期",'
    '"certificateHolderCode":["371600"],"certificateHolderName":["有限公司"],'
    '"certificateHolderTypeCode":["111"],"certificateHolderTypeName":["统一社会信用代码",'
    '"公民身份号码"],"certificateIdentifier":"1.2.156.3005.2.",'
    '"certificateIssuedDate":"2026-01-01","certificateIssuingAuthorityCode":"113716",'
    '"certificateIssuingAuthorityName":"滨州市","certificateName":"证","certificateNumber":"",'
    '"certificateTypeCode":"","certificateTypeName":"证","certificateTypeVersion":2,'
    '"certificateVersion":"001","changeReason":"归集数据更新",'
    '"changeTime":"2026-01-01T00:00:00+08:00","demonstration":false,"surfaceData":{}}'
).encode()


def pack(content: bytes, identifier: str) -> bytes:
    """Return the compact form of a record for the row of `identifier`."""
    packer = zlib.compressobj(6, zlib.DEFLATED, _RAW, zdict=_dictionary(identifier))
    return packer.compress(content) + packer.flush()


def unpack(packed: bytes, identifier: str) -> bytes:
    """Return the record exactly as it was packed; raises `ValueError`."""
    opener = zlib.decompressobj(_RAW, zdict=_dictionary(identifier))
    try:
        content = opener.decompress(packed, _LARGEST)
    except zlib.error as error:
        raise ValueError("not a packed record") from error
    if not opener.eof or opener.unused_data:
        raise ValueError("not a packed record")
    return content


def _dictionary(identifier: str) -> bytes:
    return _COMMON + identifier.encode()
