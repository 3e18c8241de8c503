"""What an app can be authorised for in detail among seals (用章的细粒度授权): RFC 9396 section 2.

`seal-use` confines the use to one seal, and where it says so to forms of sealing, purposes, and to documents by digest.
"""

from __future__ import annotations

import re
from typing import Final

from idservice.oauth.detail_types import DetailType, Field, Shape, register
from seals.use_document import Form

_NUMBER = re.compile(r"[0-9]{14}\Z")
_SM3 = re.compile(r"[0-9a-f]{64}\Z")

SEAL_USE: Final = register(
    DetailType(
        name="seal-use",
        scope="seals.use",
        title=("使用电子印章", "Use an electronic seal"),
        explanation=("只能使用这一枚印章", "This one and no other"),
        own_fields={
            "actions": Field(("操作", "What it does"), words={"use": ("盖章", "Seal")}),
            "identifier": Field(
                ("印章编号", "Number of the seal"),
                Shape.TEXT,
                is_required=True,
                holds=lambda text: _NUMBER.match(text) is not None,
            ),
            "datatypes": Field(("盖章方式", "Forms of sealing"), words={str(form): (form, form) for form in Form}),
            "purposes": Field(("用途", "Purposes")),
            "digests": Field(
                ("文件摘要（SM3）", "Digests of documents (SM3)"), holds=lambda text: _SM3.match(text) is not None
            ),
        },
    )
)
