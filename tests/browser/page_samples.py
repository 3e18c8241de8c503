"""Every page in the states that people meet, as (template, context): made-up data in the shapes the templates state."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup

from tests.browser.case_samples import CASE_SAMPLES
from tests.browser.catalogue_samples import CATALOGUE_SAMPLES
from tests.browser.life_samples import LIFE_SAMPLES
from tests.browser.matter_samples import MATTER_SAMPLES
from tests.browser.register_samples import REGISTER_SAMPLES
from tests.browser.seal_samples import SEAL_SAMPLES
from tests.browser.showing_samples import SHOWING_SAMPLES
from tests.browser.wallet_samples import WALLET_SAMPLES

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
CLIENT = {"name": "演示企业开办平台", "unit": "演示市行政审批服务局", "host": "start.demo.example"}
QR = Markup('<svg viewBox="0 0 3 3"><path d="M0 0h1v1h-1zM2 2h1v1h-1z" fill="#000"/></svg>')

Sample = tuple[str, dict[str, Any]]


def licence(type_name: str, *, state: str = "valid", until: date | None = date(2036, 11, 21)) -> dict[str, Any]:
    return {
        "identifier": "1.2.156.3005.2.11370000DM0001016L001.11370000DM0001016L.000000001.001.0", "version": "001",
        "type_name": type_name, "name": "王**", "state": state, "state_title": None, "issuer": "演示市公安局",
        "issued_at": NOW, "valid_from": date(2016, 11, 22), "valid_until": until, "colour": "#1f4e79",
        "fields": [{"title": "民族", "value": "汉族"}, {"title": "住址", "value": "演示省示范市示范区演示路1号" * 3}],
    }  # fmt: skip


PARTS = [
    ("masked", "全部信息，遮盖后", "姓名、号码等只露出一部分"),
    (
        "adult",
        "只出示是否年满 18 周岁",
        "不出示出生日期；另有证照种类、编号、签发机关、状态、有效期和遮盖后的姓名、号码，供核对",
    ),
]
LICENCES = [
    licence("居民身份证"), licence("机动车驾驶证", state="expired", until=date(2026, 1, 5)),
    licence("不动产权证书", state="suspended", until=None), licence("职业资格证书", state="revoked"),
]  # fmt: skip
ACCESSES = [
    {
        "at": NOW, "act": "licences:verification:create", "who": "李**", "unit": "演示市行政审批服务局 3 号窗口",
        "purpose": "受理用电报装", "matter": "用电报装", "case_number": "DEMO-2026-000123",
        "fields": ["持有人", "截止日期"], "basis": "show_code", "log_index": 1042,
    },
    {
        "at": NOW - timedelta(hours=3), "act": "licences:lookup:create", "who": "演示应用", "unit": None,
        "purpose": None, "matter": None, "case_number": None, "fields": [], "basis": "consent", "log_index": None,
    },
]  # fmt: skip
MANDATES = [{"id": "m1", "organisation": "滨海演示餐饮管理有限公司", "role": "法定代表人"}]
DETAILS = [
    {
        "title": "签发证照", "explanation": "只能签发下列种类的证照",
        "facts": [
            {"title": "证照种类", "values": ["道路运输经营许可证", "食品经营许可证（名称较长，用来检查换行）"]},
            {"title": "截止时间", "values": ["2026-12-01 18:00（北京时间）"]},
        ],
    },
    {
        "title": "使用电子印章", "explanation": "只能使用这一枚印章",
        "facts": [
            {"title": "印章编号", "values": ["37160010000001"]},
            {"title": "文件摘要（SM3）", "values": ["66c7f0f4 62eeedd9 d1f2d46b dc10e4e2"]},
        ],
    },
]  # fmt: skip
CONSENTS = [
    {"id": "c1", "client": CLIENT, "scopes": [{"title": "姓名"}], "granted_at": NOW, "acting_name": "演示有限公司",
     "receipt": f"{'c' * 32}/{'d' * 32}"},
]  # fmt: skip
RECEIPTS = [
    {"key": "self", "acting_name": name, "receipt": {"id": 32 * one, "name": CLIENT["name"], "unit": CLIENT["unit"],
     "event": event, "at": NOW}}
    for one, event, name in (("e", "withdrawn", None), ("d", "given", "演示有限公司"))
]  # fmt: skip
SESSIONS = [
    {
        "id": "a" * 32, "device": "Edge · Windows", "place": "203.0.113.*", "logged_in_at": NOW, "seen_at": NOW,
        "is_this": True, "apps": ["演示企业开办平台", "市民之家（演示）"],
    },
    {
        "id": "b" * 32, "device": "微信 WeChat · Android", "place": "2001:db8:aa::*", "logged_in_at": NOW,
        "seen_at": NOW, "is_this": False, "apps": [],
    },
    {
        "id": "c" * 32, "device": None, "place": None, "logged_in_at": NOW, "seen_at": NOW, "is_this": False,
        "apps": [],
    },
]  # fmt: skip
FILES = [{"title": "PDF", "href": "/v1/x.pdf"}]
SHOW = {
    "current_user": CITIZEN, "code": "7K3MQ9TZ4XWD0H2VRB8NJE5CPG", "qr_svg": QR, "seconds": 60,
    "code_groups": ["7K3M", "Q9TZ", "4XWD", "0H2V", "RB8N", "JE5C", "PG"],
    "expires_at": NOW + timedelta(seconds=60), "licences": LICENCES[:1], "shown_to": None,
}  # fmt: skip


ANNOTATION: dict[str, Any] = {
    "number": "ZJ" + "7" * 20, "purpose": "办理不动产转移登记", "asked_by": "示范市自然资源局", "made_at": NOW,
    "expires_at": NOW,
}  # fmt: skip


def checked(*codes: str, **results: str) -> dict[str, Any]:
    seen = {
        **LICENCES[0], "name": "居民身份证", "holder": {"name": "王**", "number": "371***********1237"},
        "issuer": {"name": "演示市公安局"},
    }  # fmt: skip
    checks = [{"name": name, "result": result} for name, result in results.items()]
    return {"ok": not codes, "state": "valid", "reasons": list(codes), "checks": checks, "licence": seen}


def counter(**more: Any) -> Sample:
    recent = [
        {"at": NOW, "name": "居民身份证", "ok": True, "reasons": []},
        {"at": NOW, "name": "机动车驾驶证", "ok": False, "reasons": ["expired"]},
    ]
    purposes = [{"code": "power", "name": "用电报装"}]
    context = {"purposes": purposes, "purpose": "power", "result": None, "error": None, "recent": recent}
    return "counter/index.html", {"current_user": CITIZEN, **context, **more}


def stamped() -> dict[str, Any]:
    """A seal whose time an authority confirms, by a certificate that was revoked since."""
    report = sealed(format="ok", signature="ok", integrity="ok", timestamp="ok", revocation="notice")
    times = {"signed_at": NOW, "trusted_at": NOW, "authority": "演示时间戳服务 Demonstration Time Stamps"}
    return report | {"signatures": [signature | times for signature in report["signatures"]]}


def sealed(*codes: str, **results: str) -> dict[str, Any]:
    signature = {
        "checks": [{"name": name, "result": result} for name, result in results.items()],
        "seal": {"seal_id": "DM0001", "name": "演示市公安局证照专用章", "vendor": "演示制章中心"},
        "signer": {"common_name": "演示市公安局", "issuer": "CN=演示根证书,O=演示市密码管理局,C=CN"},
        "signed_at": NOW, "altered": ["Doc_0/Pages/Page_0/Content.xml"] if codes else [], "not_covered": [],
    }  # fmt: skip
    return {"ok": not codes, "format": "ofd", "reasons": list(codes), "signatures": [signature]}


FIELDS = [
    {"name": "address", "title": "住址", "type": "string", "required": True, "example": "演示路1号", "max_length": 200},
    {"name": "sex", "title": "性别", "type": "enum", "required": True, "example": "男", "choices": ["男", "女"]},
    {"name": "born", "title": "出生日期", "type": "date", "required": False, "example": "1990-01-01"},
    {"name": "working", "title": "在职", "type": "boolean", "required": False, "example": True},
]
TYPE = {"code": "11379900DM0001016L001", "name": "居民身份证", "holder_kind": "person", "issued": 200}
CHANGES = [
    {"change": "suspend", "title": "暂扣", "explanation": "暂时停用，可以恢复"},
    {"change": "revoke", "title": "撤销", "explanation": "永久失效，不能恢复"},
]
HISTORY = [{"at": NOW, "title": "签发", "reason": "", "who": "赵**"}]
OFFICER = {"current_user": CITIZEN, "licence": LICENCES[0], "errors": {}, "values": {}}

CEREMONY = {"options": "{}", "ticket": "t"}
SECOND = {
    "action": "/login/second", "way": "totp", "others": ["sms", "code"], "hidden": {"acr": "a", "to": "/me"},
    "form": "", "phone": "138****1234", "ceremony": None, "client_name": "演示企业开办平台", "error": None,
    "refusal": "/oauth/decision", "current_user": CITIZEN,
}  # fmt: skip
CHECKERS = [{"name": "face", "title": "人脸核验（演示）"}, {"name": "ctid", "title": "网证（演示）"}]
SECURITY = {
    "current_user": CITIZEN, "level": 2, "phone": "138****1234", "has_sms": True, "password_at": NOW, "app_at": NOW,
    "codes_left": 8, "checkers": CHECKERS,
    "passkeys": [{"id": "aa", "title": "我的手机", "created_at": NOW, "used_at": NOW}],
}  # fmt: skip

SAMPLES: dict[str, Sample] = {
    "home": ("home.html", {"issuer": "http://127.0.0.1:8000"}),
    "login": ("login.html", {"action": "/login", "error": None, "client_name": "演示平台", "demo_hint": "演示账号"}),
    "login refused": ("login.html", {"action": "/login", "error": "号码或密码不正确", "hidden": {"to": "/me"}}),
    "login with a passkey": ("login.html", {"action": "/login", "error": None, "ceremony": CEREMONY}),
    "login once more": ("login_again.html", {"error": "密码不正确", "other": "/login", "ceremony": CEREMONY}),
    "second factor": ("second.html", SECOND),
    "second factor refused": ("second.html", {**SECOND, "error": "验证没有通过", "client_name": None, "refusal": None}),
    "second factor by SMS": ("second.html", {**SECOND, "way": "sms", "others": ["totp"]}),
    "second factor by SMS sent": ("second.html", {**SECOND, "way": "sms", "form": "f", "others": ["totp", "code"]}),
    "second factor by code": ("second.html", {**SECOND, "way": "code", "others": ["totp"]}),
    "second factor by passkey": ("second.html", {**SECOND, "way": "passkey", "ceremony": CEREMONY}),
    "no second factor": ("second.html", {**SECOND, "way": None, "others": []}),
    "to the checker": ("proofing.html", {"action": "/c", "hidden": {"nonce": "n"}, "title": "人脸核验（演示）"}),
    "check failed": ("proofing_failed.html", {}),
    "demonstration checker": ("demo_checker.html", {"action": "/login/proofing", "same": "a", "other": "b"}),
    "recover": ("recover.html", {"action": "/recover", "is_offered": True}),
    "recover at a counter": ("recover.html", {"action": "/recover", "is_offered": False}),
    "recover with a code": ("recover_prove.html", {"action": "/recover/prove", "form": "f", "error": "没有通过"}),
    "recover with a check": ("recover_next.html", {"action": "/recover/check", "checkers": CHECKERS}),
    "recover with no check": ("recover_next.html", {"action": "/recover/check", "checkers": []}),
    "recover a password": ("me/security_password.html", {"action": "/r", "error": "太弱", "is_recovery": True}),
    "recovered": ("recovered.html", {}),
    "security": ("me/security.html", SECURITY),
    "security of a newcomer": (
        "me/security.html",
        {
            **SECURITY, "level": 1, "phone": None, "has_sms": False, "password_at": None, "app_at": None,
            "codes_left": 0, "passkeys": None, "checkers": [], "onward": "/counter",
        },
    ),
    "security app": (
        "me/security_app.html", {"current_user": CITIZEN, "qr_svg": QR, "groups": ["ABCD"] * 8, "error": "不正确"},
    ),
    "security passkey": ("me/security_passkey.html", {"current_user": CITIZEN, "ceremony": CEREMONY, "error": None}),
    "security activation": (
        "me/security_activation.html",
        {"current_user": CITIZEN, "action": "/a", "hidden": {"to": "/me/security/app"}, "error": "不正确"},
    ),
    "security codes": ("me/security_codes.html", {"current_user": CITIZEN, "codes": ["abcd-efgh-ijkl-mnop"] * 10}),
    "security password": ("me/security_password.html", {"current_user": CITIZEN, "action": "/p", "error": None}),
    "acting": (
        "acting.html", {"action": "/acting", "person_name": "王**", "may_be_self": True, "mandates": MANDATES},
    ),
    "acting for one organisation": (
        "acting.html",
        {"action": "/acting", "person_name": "王**", "may_be_self": False, "mandates": [*MANDATES, *MANDATES]},
    ),
    "consent": (
        "consent.html",
        {
            "action": "/consent", "client": CLIENT, "claims": [{"title": "姓名", "masked": "王**"}],
            "scopes": [{"name": "licences.read", "title": "查看您的证照", "explanation": ""}], "current_user": CITIZEN,
            "acting_name": "演示有限公司", "redirect_host": "https://start.demo.example",
        },
    ),
    "consent in detail": (
        "consent.html",
        {
            "action": "/consent", "client": CLIENT, "scopes": [], "current_user": CITIZEN,
            "claims": [
                {"title": "姓名", "masked": "王**", "is_essential": True},
                {"title": "手机号码", "masked": "138****1234", "is_essential": False},
            ],
            "optional": [{"value": "phone_number", "text": "手机号码"}, {"value": "name", "text": "姓名"}],
            "details": DETAILS, "acting_name": "演示有限公司", "redirect_host": "start.demo.example",
            "resources": [{"name": "演示市大数据平台", "identifier": "https://api.bigdata.demo.example/v2"}],
        },
    ),
    "error": (
        "error.html",
        {"status": 403, "title": "无权办理", "detail": "", "code": "forbidden", "request_id": "r1", "back": "/me"},
    ),
    "logout": ("logout.html", {"action": "/logout", "client_name": "演示平台", "current_user": CITIZEN}),
    "logged out": ("logged_out.html", {}),
    "docs": ("docs.html", {}),
    "licences": (
        "me/index.html",
        {"current_user": CITIZEN, "licences": LICENCES, "accesses": ACCESSES, "mandates": MANDATES},
    ),
    "no licences": ("me/index.html", {"current_user": CITIZEN, "licences": [], "accesses": [], "mandates": []}),
    "licence": (
        "me/licence.html",
        {"current_user": CITIZEN, "licence": LICENCES[0], "artefacts": FILES},
    ),
    "choose": (
        "me/show_choose.html",
        {
            "current_user": CITIZEN, "licences": LICENCES, "parts_shown": PARTS, "error": "请至少选择一份",
            "units": [("11379900DM00000134", "示范市公安局（演示）" * 4)], "unit": None,
        },
    ),
    "nothing to choose": ("me/show_choose.html", {"current_user": CITIZEN, "licences": [], "error": None}),
    "show": ("me/show.html", SHOW),
    "shown": ("me/show.html", {**SHOW, "shown_to": {"unit": "演示市行政审批服务局 3 号窗口", "at": NOW}}),
    "accesses": ("me/accesses.html", {"current_user": CITIZEN, "accesses": ACCESSES, "next_cursor": "0a"}),
    "apps": ("me/apps.html", {"current_user": CITIZEN, "consents": CONSENTS, "receipts": RECEIPTS, "older": "d" * 32}),
    "no apps": ("me/apps.html", {"current_user": CITIZEN, "consents": [], "receipts": [], "older": None}),
    "sessions": ("me/sessions.html", {"current_user": CITIZEN, "sessions": SESSIONS}),
    "one session": ("me/sessions.html", {"current_user": CITIZEN, "sessions": SESSIONS[:1]}),
    "logged out of apps": ("logged_out.html", {"frames": ["about:blank"], "next_url": "https://start.demo.example/"}),
    "counter": counter(recent=[], purpose=None),
    "counter refused": counter(purpose=None, error="请先选择办理事项"),
    "counter valid": counter(result=checked(code="ok", state="ok", seal="ok")),
    "counter expired": counter(result=checked("expired", code="ok", state="fail", seal="not_checked")),
    "counter forged": counter(result=checked("expired", "signature_invalid", credential="fail", seal="notice")),
    "counter unreadable": counter(result={"ok": False, "reasons": ["format_unknown"], "checks": []}),
    "counter offline": ("counter/offline.html", {"pins": ["x"]}),
    "verify": ("verify.html", {"pins": ["x"], "result": None, "error": "请输入内容或选择文件"}),
    "verified": ("verify.html", {"result": checked("revoked", register="ok", state="fail"), "error": None}),
    "verified copy": (
        "verify.html",
        {"result": checked("expired", state="ok", annotation="fail") | {"annotation": ANNOTATION}, "error": None},
    ),
    "seal": ("seals/verify.html", {"report": None, "error": "请选择文件"}),
    "seal holds": ("seals/verify.html", {"report": sealed(format="ok", signature="ok", integrity="ok"), "error": None}),
    "seal with a trusted time": ("seals/verify.html", {"report": stamped(), "error": None}),
    "seal broken": (
        "seals/verify.html",
        {
            "report": sealed("certificate_untrusted", "document_altered", integrity="fail", coverage="not_checked"),
            "error": None, "filename": "演示合同.ofd",
        },
    ),
    "types": (
        "admin/index.html",
        {"current_user": CITIZEN, "department": {"name": "演示市公安局"}, "types": [TYPE], "error": "没有这份证照"},
    ),
    "issue": (
        "admin/issue.html",
        {
            "current_user": CITIZEN, "type": TYPE, "fields": FIELDS, "values": {"number": "3716"},
            "errors": {"number": "号码应为 18 位", "field.born": "请填写出生日期"}, "idempotency_key": "k1",
        },
    ),
    "issued": ("admin/issued.html", OFFICER),
    "change": ("admin/licence.html", {**OFFICER, "changes": CHANGES, "history": HISTORY, "artefacts": FILES}),
    "ended": ("admin/licence.html", {**OFFICER, "changes": []}),
}  # fmt: skip

ELSEWHERE = {
    "action": "/x", "client": {"name": "大厅自助屏", "unit": CLIENT["unit"], "host": None}, "current_user": CITIZEN,
    "claims": [{"title": "姓名", "masked": "王**"}], "scopes": [{"name": "openid", "title": "登录", "explanation": ""}],
    "acting_name": None, "redirect_host": None, "asked_at": NOW, "expires_at": NOW + timedelta(minutes=5),
}  # fmt: skip
WAITING = {"id": "0a" * 32, "message": "窗口 3 号", "asked_at": NOW, "expires_at": NOW + timedelta(minutes=5)}
SAMPLES |= {
    "device": ("device.html", {"current_user": CITIZEN, "error": None}),
    "device code refused": ("device.html", {"current_user": CITIZEN, "error": "代码不正确或已过期。"}),
    "device consent": ("device_consent.html", {**ELSEWHERE, "origin": "203.0.113.*", "endings": [], "error": None}),
    "device consent by link": (
        "device_consent.html",
        {**ELSEWHERE, "origin": None, "endings": ["BCDF", "GHJK", "LMNP"], "error": "请选择一组。"},
    ),
    "approval": ("approval.html", {**ELSEWHERE, "message": "窗口 3 号", "code": "", "error": None}),
    "approval refused": ("approval.html", {**ELSEWHERE, "message": "W4" * 32, "code": "", "error": "校验码不正确"}),
    "approvals": (
        "me/approvals.html",
        {"current_user": CITIZEN, "approvals": [{**WAITING, "client": ELSEWHERE["client"]}]},
    ),
    "no approvals": ("me/approvals.html", {"current_user": CITIZEN, "approvals": []}),
    "request allowed": (
        "request_done.html",
        {"current_user": CITIZEN, "outcome": "allowed", "client_name": "大厅自助屏", "back": "/device"},
    ),
    "request denied": ("request_done.html", {"current_user": CITIZEN, "outcome": "denied", "client_name": "自助屏"}),
    "request mismatch": ("request_done.html", {"current_user": CITIZEN, "outcome": "mismatch", "client_name": "屏"}),
}
SAMPLES |= SEAL_SAMPLES
SAMPLES |= CASE_SAMPLES
SAMPLES |= MATTER_SAMPLES
SAMPLES |= REGISTER_SAMPLES
SAMPLES |= LIFE_SAMPLES
SAMPLES |= SHOWING_SAMPLES
SAMPLES |= WALLET_SAMPLES
SAMPLES |= CATALOGUE_SAMPLES

# One red dot.
_DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGO4wcD/HwAEggHnYMihGwAAAABJRU5ErkJggg=="
SAMPLES |= {
    "seals on a pdf": (
        "seals/verify.html",
        {
            "report": {
                "ok": True, "format": "pdf", "reasons": [],
                "signatures": [
                    {
                        "checks": [
                            {"name": "integrity", "result": "ok"},
                            {"name": "coverage", "result": "notice", "detail": "sealed again since"},
                        ],
                        "plain": True, "signed_at": NOW, "trusted_at": NOW, "authority": "演示时间戳服务",
                        "altered": [],
                        "signer": {"common_name": "演示市公安局", "issuer": "CN=演示文档根证书,C=CN"},
                        "picture_uri": f"data:image/png;base64,{_DOT}", "picture": {"width": 42, "height": 42},
                        "not_covered": ["bytes 15126-29337"],
                    },
                ],
            },
            "error": None, "filename": "演示函件.pdf",
        },
    ),
}  # fmt: skip
