"""The pages on which a holder puts licences into wallets and takes them back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.browser.showing_samples import CARD, CITIZEN, NOW, QR

GROUP = {
    "id": f"pocket|{CARD['identifier']}|11370000DM0001016L001.sd-jwt", "wallet": "随身钱包（演示）",
    "licence": "居民身份证", "form": "可选择披露凭证", "copies": 10, "made_at": NOW,
    "expires_at": NOW + timedelta(days=90),
}  # fmt: skip
FORMS = [
    {"value": "a.sd-jwt", "text": "可选择披露凭证", "hint": "可以只出示其中几项，多数钱包支持"},
    {"value": "a.mdoc", "text": "移动证件", "hint": "用于当面出示，如移动驾驶证"},
]
OFFER = {
    "licence": CARD, "qr_svg": QR, "link": "openid-credential-offer://?credential_offer=%7B%7D",
    "digits": ["042", "713"],
    "expires_at": NOW + timedelta(minutes=5), "minutes": 5,
}  # fmt: skip

WALLET_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "what wallets hold": (
        "me/wallets.html",
        {"current_user": CITIZEN, "groups": [GROUP, {**GROUP, "form": "移动证件"}]},
    ),
    "no wallet holds anything": ("me/wallets.html", {"current_user": CITIZEN, "groups": []}),
    "put into a wallet": (
        "me/wallet_choose.html",
        {"current_user": CITIZEN, "licence": CARD, "forms_offered": FORMS, "error": None},
    ),
    "put into a wallet with mistakes": (
        "me/wallet_choose.html",
        {"current_user": CITIZEN, "licence": CARD, "forms_offered": FORMS, "error": "请至少选择一种格式"},
    ),
    "offer for a wallet": ("me/wallet_offer.html", {"current_user": CITIZEN, **OFFER}),
    "offer for a wallet in large type": ("me/wallet_offer.html", {"current_user": CITIZEN, "is_large": True, **OFFER}),
}
