"""The pages of mandates and of administration in the states that people meet; see `page_samples`."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.browser.guard_samples import GUARD_SAMPLES

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
MANDATE = {
    "id": "0" * 32, "role": "agent", "state": "in_force", "matters": [],
    "licence_types": ["营业执照", "食品经营许可证"],
    "principal": {"kind": "organisation", "name": "滨海演示餐饮管理有限公司", "number": "91379900DM0001016L"},
    "person": {"kind": "person", "name": "李**", "number": "371***********1237"}, "person_subject": "1" * 32,
    "valid_from": NOW, "last_day": date(2027, 6, 30),
}  # fmt: skip
LED = {"id": "2" * 32, "name": "滨海演示餐饮管理有限公司", "kind": "organisation", "role": "legal_representative"}
MYSELF = {"id": "self", "name": "王**", "kind": "person", "role": "self"}
GRANT = {
    "current_user": CITIZEN, "by": LED, "roles": ["administrator", "agent"], "latest": date(2029, 11, 24),
    "choices": {
        "licence_types": [{"value": "T1", "text": "营业执照"}, {"value": "T2", "text": "食品经营许可证"}],
        "matters": [{"value": "M1", "text": "企业变更登记"}],
    },
}  # fmt: skip
REGISTER_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "mandates": (
        "me/mandates/index.html",
        {
            "current_user": CITIZEN, "done": "offer",
            "received": [
                {**MANDATE, "state": "offered"},
                {**MANDATE, "role": "legal_representative", "last_day": None},
            ],
            "groups": [
                {**MYSELF, "mandates": []},
                {**LED, "mandates": [{**MANDATE, "state": state} for state in ("in_force", "suspended", "withdrawn")]},
            ],
        },
    ),
    "no mandates": (
        "me/mandates/index.html",
        {"current_user": CITIZEN, "done": None, "received": [], "groups": [{**MYSELF, "mandates": []}]},
    ),
    "grant": ("me/mandates/new.html", {**GRANT, "values": {}, "errors": {}}),
    "grant refused": (
        "me/mandates/new.html",
        {
            **GRANT, "values": {"name": "李晓华", "role": "agent", "licence_types": ["T1"]},
            "errors": {"number": "公民身份号码不正确", "valid_until": "请填写日期", "role": "请填写"},
        },
    ),
    "grant confirmed": (
        "me/mandates/confirm.html",
        {
            "current_user": CITIZEN, "by": LED, "person": {"name": "李晓华", "number": "371***********1237"},
            "role": "agent", "last_day": date(2027, 6, 30), "licence_types": ["营业执照"], "matters": [],
            "hidden": {"by": LED["id"], "name": "李晓华"}, "repeated": [("licence_types", "T1")],
        },
    ),
}  # fmt: skip

APP_ROW = {
    "client_id": "app-basic", "name": "市民之家（演示）", "unit": "演示市政务服务中心", "disabled_at": None,
    "created_at": NOW, "auth_method": "client_secret_basic", "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile phone offline_access licences.read licences.show",
    "redirect_uris": ["https://a.example/cb"],
}  # fmt: skip
RISKY = {
    "id": "3" * 32, "act": "client.create", "state": "waiting", "requested_by": "钱**", "requested_at": NOW,
    "expires_at": NOW + timedelta(days=3), "decided_by": None, "decided_at": None, "is_own": False, "may_decide": True,
    "facts": {"name": "新应用", "unit": "演示单位", "scope": "matters.read", "grant_types": ["client_credentials"]},
}  # fmt: skip
DECIDED = {
    **RISKY, "state": "approved", "decided_by": "孙**", "decided_at": NOW, "act": "role.give",
    "facts": {"role": "audit"},
}  # fmt: skip
FOUND = {
    "subject": "1" * 32, "kind": "person", "name": "王**", "number": "371***********1237", "status": "active",
    "level": 3, "administrator": None, "mandates": [MANDATE],
}  # fmt: skip
ADMINISTRATORS = [
    {"role": role, "name": name} for role, name in (("system", "钱**"), ("security", "孙**"), ("audit", "周**"))
]
SYSTEM, SECURITY = {"current_user": CITIZEN, "role": "system"}, {"current_user": CITIZEN, "role": "security"}
REGISTER_SAMPLES |= {
    "administration": (
        "control/overview.html", {**SECURITY, "waiting": 2, "for_me": 1, "administrators": ADMINISTRATORS}
    ),
    "administration of audits": (
        "control/overview.html",
        {"current_user": CITIZEN, "role": "audit", "waiting": 0, "for_me": 0, "administrators": ADMINISTRATORS},
    ),
    "registered apps": (
        "control/clients.html",
        {**SYSTEM, "clients": [APP_ROW, {**APP_ROW, "disabled_at": NOW}], "next_cursor": "app-b"},
    ),
    "registered app": (
        "control/client.html",
        {
            **SYSTEM, "client": APP_ROW, "overlap_until": NOW, "done": "asked",
            "more": [{"value": "lookups.create", "text": "lookups.create"}],
        },
    ),
    "settings of an app": (
        "control/client_settings.html",
        {**SYSTEM, "client": APP_ROW, "settings": '{"name": "市民之家"}', "error": "profile is not one of ours"},
    ),
    "new app": (
        "control/client_new.html",
        {
            **SYSTEM, "methods": ["client_secret_basic", "none"], "grants": ["client_credentials"], "values": {},
            "scopes": [{"value": "openid", "text": "openid", "hint": "登录"}], "errors": {"name": "请填写"},
        },
    ),
    "secret of an app": ("control/secret.html", {**SYSTEM, "client_id": "app-basic", "secret": "s" * 43}),
    "find a person": ("control/search.html", {**SYSTEM, "kind": "people", "error": "未找到"}),
    "find a mandate": ("control/search.html", {**SYSTEM, "kind": "mandates", "error": None}),
    "a person found": (
        "control/party.html",
        {**SYSTEM, "found": FOUND, "roles": [], "done": None, "is_self": False, "needs_code": True, "may_reset": True},
    ),
    "code to activate by": (
        "control/activation.html", {**SYSTEM, "code": "abcd-efgh-ijkl-mnop", "back": "/admin/people/x"},
    ),
    "an account found": (
        "control/party.html",
        {
            **SECURITY, "found": {**FOUND, "mandates": []}, "roles": ["system", "security", "audit"], "done": "done",
            "is_self": False,
        },
    ),
    "guardian": ("control/guardian.html", {**SYSTEM, "values": {}, "errors": {"minor": "没有登记这个号码"}}),
    "second person": (
        "control/approvals.html",
        {
            **SECURITY, "next_cursor": "0" * 32, "done": "approve",
            "requests": [RISKY, {**RISKY, "is_own": True}, {**RISKY, "state": "void"}, DECIDED],
        },
    ),
    "settings asked for": (
        "control/approvals.html",
        {
            **SECURITY, "next_cursor": None, "done": None,
            "requests": [
                {**RISKY, "act": "client.change",
                 "facts": {"client_id": "app-basic", "before": {"sector": None, "policy": {"actor": None}},
                           "settings": {"sector": "city", "policy": {"actor": "gateway"}}}},
            ],
        },
    ),
    "no requests": ("control/approvals.html", {**SECURITY, "next_cursor": None, "done": None, "requests": []}),
    "audit rows": (
        "control/audit.html",
        {
            "current_user": CITIZEN, "role": "audit", "next_cursor": "0" * 32,
            "entries": [
                {"deed": "idservice:admin_request:approve", "outcome": "done", "at": NOW, "actor": "person:" + "1" * 32,
                 "facts": {"request": "3" * 32, "act": "client.create"}, "log_index": 7},
                {"deed": "idservice:session:login", "outcome": "refused", "at": NOW, "actor": "nobody", "facts": {},
                 "log_index": None},
            ],
        },
    ),
}  # fmt: skip
REGISTER_SAMPLES |= GUARD_SAMPLES
