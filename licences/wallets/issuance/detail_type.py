"""What a wallet is authorised for (钱包的细粒度授权): details `openid_credential`, OpenID4VCI 1.0 section 5.1.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idservice.oauth.detail_types import DetailType, Field, Shape, register
from licences.wallets.issuance import configurations, datasets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

CONFIGURATION: Final = "credential_configuration_id"
IDENTIFIERS: Final = "credential_identifiers"
SCOPE: Final = "licences.wallet"


def _told(call: Call, holder: str, detail: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the credential identifiers that a token response names (section 6.2): those granted, or all there are."""
    if IDENTIFIERS in detail:
        return {}
    found = configurations.find(call, detail[CONFIGURATION])
    return {} if found is None else {IDENTIFIERS: list(datasets.names(call, holder, found))}


OPENID_CREDENTIAL: Final = register(
    DetailType(
        name="openid_credential",
        scope=SCOPE,
        title=("把证照放入钱包", "Put a licence into your wallet"),
        explanation=("钱包得到绑定其密钥的副本", "As copies bound to its keys"),
        own_fields={
            CONFIGURATION: Field(
                ("证照和格式", "Licence and form"), Shape.TEXT, is_required=True, among=configurations.names
            ),
            IDENTIFIERS: Field(("限于证照", "For these licences"), is_inherited=True),
        },
        needs_person=True,
        told=_told,
    )
)
