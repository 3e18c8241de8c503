"""The pages on which licences are shown and scanned: in large type, asked for by a counter, at a terminal."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
QR = Markup('<svg viewBox="0 0 3 3"><path d="M0 0h1v1h-1zM2 2h1v1h-1z" fill="#000"/></svg>')
CARD = {
    "identifier": "1.2.156.3005.2.11370000DM0001016L001.11370000DM0001016L.000000001.001.0", "version": "001",
    "type_name": "居民身份证", "name": "王**", "state": "valid", "state_title": None, "issuer": "演示市公安局",
    "valid_from": date(2016, 11, 22), "valid_until": date(2036, 11, 21), "colour": "#1f4e79", "can_be_shown": True,
}  # fmt: skip
SHOWN = {
    "code": "7K3MQ9TZ4XWD0H2VRB8NJE5CPG", "code_groups": ["7K3M", "Q9TZ", "4XWD", "0H2V", "RB8N", "JE5C", "PG"],
    "qr_svg": QR, "seconds": 60, "expires_at": NOW + timedelta(seconds=60), "licences": [CARD], "shown_to": None,
}  # fmt: skip
LARGE = {"current_user": CITIZEN, "is_large": True}
WALLET = {"licences": [CARD, {**CARD, "state": "expired", "can_be_shown": False}], "accesses": [], "mandates": []}

DEVICE = {
    "device": "0a1b2c3d4e5f6071", "title": "Chrome · Android", "licences": ["居民身份证", "机动车驾驶证"],
    "made_at": NOW, "expires_at": NOW + timedelta(days=7),
}  # fmt: skip

CLERK = {"current_user": CITIZEN, "question": "出示证照：用电报装"}
ASKED = {**CLERK, "id": "ab" * 32, "purpose": "用电报装", "qr_svg": None, "address": None, "seconds": 90}
ASK = {
    "purposes": [{"code": "power", "name": "用电报装"}], "purpose": "power", "question": "licences",
    "questions": [{"value": "licences", "text": "出示证照", "hint": "持证人自己选择"}], "types": [("id", "居民身份证")],
}  # fmt: skip
REQUEST = {
    "current_user": CITIZEN, "action": "/me/requests/x", "unit": "演示市行政审批服务局 3 号窗口", "seconds": 90,
    "purpose": "用电报装", "question": "出示证照", "is_yes_or_no": False, "licences": [CARD], "error": None,
    "parts_shown": [("masked", "全部信息，遮盖后", "姓名、号码等只露出一部分")],
}  # fmt: skip
YES = {**CLERK, "check_number": "0427", "result": None, "answer": {"tone": "good", "word": "是"}, "reasons": []}

REPLAYED = {
    "ok": False, "state": None, "reasons": ["replayed"], "checks": [{"name": "code", "result": "fail"}],
    "licence": None, "licences": [],
}  # fmt: skip

WALLET_ASKED = {
    "current_user": CITIZEN, "id": "ab" * 32, "title": "用电报装", "purpose": "用电报装", "qr_svg": None, "seconds": 90,
}  # fmt: skip
WALLET_DONE = {"current_user": None, "unit": "演示市行政审批服务局 3 号窗口", "purpose": "用电报装"}

SHOWING_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "licences in large type": ("me/index.html", {**LARGE, **WALLET}),
    "show offline": ("me/offline.html", {}),
    "show offline in large type": ("me/offline.html", {"is_large": True}),
    "devices that show offline": (
        "me/devices.html",
        {"current_user": CITIZEN, "devices": [DEVICE], "licences": [CARD]},
    ),
    "no device and no licence to show offline": (
        "me/devices.html",
        {"current_user": CITIZEN, "devices": [], "licences": []},
    ),
    "show in large type": ("me/show.html", {**LARGE, **SHOWN}),
    "counter asks": ("counter/ask.html", {"current_user": CITIZEN, **ASK, "error": None}),
    "counter asks with mistakes": (
        "counter/ask.html",
        {"current_user": CITIZEN, **ASK, "error": "请选择办理事项", "wrong": "purpose"},
    ),
    "counter's request": (
        "counter/asked.html",
        {**ASKED, "state": "waiting", "qr_svg": QR, "address": f"https://one.demo.example/me/requests/{SHOWN['code']}"},
    ),
    "counter's request refused": ("counter/asked.html", {**ASKED, "state": "refused"}),
    "counter's request expired": ("counter/asked.html", {**ASKED, "state": "expired"}),
    "counter's answer of yes": ("counter/answered.html", YES),
    "counter asks a wallet": ("counter/wallet_ask.html", {"current_user": CITIZEN, **ASK, "type": "id", "error": None}),
    "counter asks a wallet with mistakes": (
        "counter/wallet_ask.html",
        {"current_user": CITIZEN, **ASK, "type": "id", "error": "请选择办理事项"},
    ),
    "counter's wallet request": ("counter/wallet_asked.html", {**WALLET_ASKED, "state": "waiting", "qr_svg": QR}),
    "counter's wallet request opened": ("counter/wallet_asked.html", {**WALLET_ASKED, "state": "fetched"}),
    "counter's wallet request expired": ("counter/wallet_asked.html", {**WALLET_ASKED, "state": "expired"}),
    "wallet's refusal at the counter": (
        "counter/wallet_answered.html",
        {"current_user": CITIZEN, "title": "用电报装", "check_number": "0427", "result": REPLAYED},
    ),
    "wallet's holder": ("wallet/answered.html", {**WALLET_DONE, "number": "0427", "over": False}),
    "wallet's holder who refused": ("wallet/answered.html", {**WALLET_DONE, "number": None, "over": False}),
    "wallet's holder too late": ("wallet/answered.html", {**WALLET_DONE, "number": None, "over": True}),
    "terminal": ("terminal/index.html", {"current_user": CITIZEN, "result": None, "error": None, "seconds": 60}),
    "terminal that prints": (
        "terminal/index.html",
        {"current_user": CITIZEN, "result": None, "error": "亮证码无效", "is_copy": True, "seconds": 60},
    ),
    "terminal's refusal": ("terminal/index.html", {"current_user": CITIZEN, "result": REPLAYED, "seconds": 60}),
    "request to show": ("me/request.html", REQUEST),
    "request to say yes or no": ("me/request.html", {**REQUEST, "is_yes_or_no": True, "error": "请至少选择一份证照"}),
    "request to show in large type": ("me/request.html", {**REQUEST, "is_large": True}),
    "request without a licence": ("me/request.html", {**REQUEST, "licences": []}),
    "request answered": ("me/request_done.html", {"current_user": CITIZEN, "number": "0427", "over": False}),
    "request refused": ("me/request_done.html", {"current_user": CITIZEN, "number": None, "over": False}),
    "request over": ("me/request_done.html", {"current_user": CITIZEN, "number": None, "over": True}),
}
