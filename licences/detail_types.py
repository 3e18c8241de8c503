"""What an app can be authorised for in detail among licences (证照的细粒度授权): RFC 9396 section 2.

`licence-issue` confines the issuing of licences, `licence-show` the showing of one's own.
"""

from __future__ import annotations

from typing import Final

from idservice.oauth.detail_types import DetailType, Field, register
from idservice.oauth.mandate_detail import is_code, known_matters, known_types

LICENCE_ISSUE: Final = register(
    DetailType(
        name="licence-issue",
        scope="licences.issue",
        title=("签发证照", "Issue licences"),
        explanation=("只能签发下列种类的证照", "Of these types and no others"),
        own_fields={
            "actions": Field(("操作", "What it does"), words={"issue": ("签发", "Issue")}),
            "licence_types": Field(("证照种类", "Licence types"), is_required=True, among=known_types),
            "departments": Field(("签发部门", "Issuing departments"), holds=is_code),
            "holders": Field(("持证单位", "Holders"), holds=is_code),
        },
    )
)
LICENCE_SHOW: Final = register(
    DetailType(
        name="licence-show",
        scope="licences.show",
        title=("出示您的证照", "Show your licences"),
        explanation=("只能出示下列种类的证照", "Of these types and no others"),
        own_fields={
            "actions": Field(("操作", "What it does"), words={"show": ("出示", "Show")}),
            "licence_types": Field(("证照种类", "Licence types"), is_required=True, among=known_types),
            "datatypes": Field(("可完整出示的内容", "Fields shown in full")),
            "matters": Field(("限于事项", "For these matters"), among=known_matters),
        },
        needs_person=True,
    )
)
