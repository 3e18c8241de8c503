"""The GB/T 36903 record of a licence as other systems take it (电子证照元数据): English keys, and pinyin short names.

To what was sealed it adds what is true of the licence now: by whom, when and with which seal it was sealed
(签章人、签章时间、签章名称), and its state in the words of the standard.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from licences import artefacts, asker, view
from licences.lifecycle import CHINA_STANDARD_TIME, TITLES
from seals.models import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.models import Licence

#: English key -> pinyin short name, where systems in use have one.
SHORT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "certificateName": "ZZMC",
        "certificateTypeCode": "ZZLXDM",
        "certificateNumber": "ZZBH",
        "certificateIdentifier": "ZZBS",
        "certificateIssuingAuthorityName": "ZZBFJG",
        "certificateIssuingAuthorityCode": "ZZBFJGDM",
        "certificateIssuedDate": "ZZBFRQ",
        "certificateHolderName": "CZZT",
        "certificateHolderCode": "CZZTDM",
        "certificateHolderTypeName": "CZZTDMLX",
        "certificateHolderTypeCode": "CZZTDMLXDM",
        "certificateEffectiveDate": "ZZYXQQSRQ",
        "certificateExpiringDate": "ZZYXQJZRQ",
        "changeTime": "ZZBGSJ",
        "changeReason": "ZZBGYY",
        "sealSigner": "ZZQZR",
        "sealTime": "ZZQZSJ",
        "sealName": "ZZQZMC",
        "status": "ZZZT",
    }
)


def of_licence(call: Call, licence: Licence) -> dict[str, Any]:
    """Return `metadata` under English keys, and `short_names`: the same under pinyin names as far as there are some."""
    seal = call.session.get(Seal, licence.seal_id)
    record = json.loads(artefacts.open_record(call, licence).content)
    now = {
        "sealSigner": asker.unit_name(call, licence.issuer_code),
        "sealTime": licence.issued_at.astimezone(CHINA_STANDARD_TIME).isoformat(timespec="seconds"),
        "sealName": seal.name if seal is not None else "",
        "status": TITLES[view.state(call, licence)][0],
    }
    found = {**record, **now}
    return {"metadata": found, "short_names": {SHORT_NAMES[key]: found[key] for key in SHORT_NAMES if key in found}}
