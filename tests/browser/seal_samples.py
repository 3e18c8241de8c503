"""The pages of the seal register in the states that officers meet, as in `page_samples`."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAANgADwAAACwAAAAAAQABAAACAkQBADs="
UNITS = {"11990000MB0000001C": "演示市行政审批服务局"}
SEAL = {
    "id": "99010012345678", "owner_kind": "department", "department": "11990000MB0000001C", "organisation": None,
    "name": "演示市行政审批服务局证照专用章",
    "kind": "special", "state": "in_force", "purposes": ["函件", "许可"], "valid_from": NOW,
    "valid_until": NOW + timedelta(days=1825), "created_at": NOW, "changed_at": NOW,
}  # fmt: skip
OWN = {
    **SEAL,
    "owner_kind": "person",
    "department": None,
    "name": "王小明个人名章",
    "kind": "personal",
    "purposes": None,
}
OF_COMPANY = {
    **OWN, "owner_kind": "organisation", "organisation": "91990100DM0010004M", "name": "滨海演示食品公司合同专用章",
    "kind": "contract", "state": "suspended",
}  # fmt: skip
APPLIED = {**SEAL, "id": "99010087654321", "state": "applied", "valid_from": None, "valid_until": None}
LIFE = [
    {"at": NOW, "change": "apply", "state": "applied", "reason": "启用新业务", "who": "王**"},
    {"at": NOW, "change": "approve", "state": "approved", "reason": "同意", "who": "李**"},
    {"at": NOW, "change": "make", "state": "in_force", "reason": None, "who": "王**"},
]
USES = [
    {
        "at": NOW, "purpose": "函件", "on_behalf": "滨海演示餐饮管理有限公司", "who": "王**", "outcome": "done",
        "digest": "66c7f0f462eeedd9" * 4,
    },
    {
        "at": NOW, "purpose": None, "on_behalf": None, "who": "办公系统（演示）", "outcome": "unfinished",
        "digest": "debe9ff92275b8a1" * 4,
    },
]  # fmt: skip
REGISTERED = {
    "current_user": CITIZEN, "seal": SEAL, "mine": False, "names_users": True, "made": True,
    "owner": "演示市行政审批服务局", "custodian": "李**",
    "picture": PICTURE, "changes": ["suspend", "report_lost", "retire", "destroy"], "needs_second": False,
    "may_use": True, "users": [{"who": "王**", "until": None}, {"who": "办公系统（演示）", "until": NOW}],
    "history": LIFE, "uses": USES, "errors": {}, "values": {},
}  # fmt: skip
DESIGN = {
    "current_user": CITIZEN, "units": UNITS, "values": {"kind": "special"}, "errors": {}, "picture": PICTURE,
    "idempotency_key": "k1",
}  # fmt: skip
MISTAKES = {"special": "以“专用章”结尾", "users": "不是本部门经办人员的号码", "reason": "请填写"}


def handed_in(name: str, state: str, failure: str | None = None, first_page: str | None = None) -> dict[str, Any]:
    draft = {
        "draft_id": "d1", "name": name, "digest": "66c7f0f462eeedd9" * 4, "purpose": "函件", "on_behalf": "演示企业",
        "state": state, "failure": failure, "result_name": f"{name}.ses",
    }  # fmt: skip
    return {"draft": draft, "first_page": first_page, "failure": failure}


def confirming(*items: dict[str, Any], error: str | None = None) -> tuple[str, dict[str, Any]]:
    states = [item["draft"]["state"] for item in items]
    facts = {"waiting": states.count("waiting"), "done": states.count("done"), "error": error}
    return "seals/confirm.html", {
        "current_user": CITIZEN, "batch_id": "b1", "seal": SEAL, "drafts": list(items), **facts,
    }  # fmt: skip


SEAL_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "seals": (
        "seals/index.html",
        {"current_user": CITIZEN, "units": UNITS, "waiting": [APPLIED], "seals": [SEAL, {**SEAL, "state": "lost"}]},
    ),
    "my seals": (
        "seals/own.html",
        {
            "current_user": CITIZEN, "may_apply": True,
            "waiting": [{"seal": {**OWN, "state": "applied"}, "picture": PICTURE, "uses": [], "may_use": False}],
            "seals": [
                {"seal": OWN, "picture": PICTURE, "uses": USES[:1], "may_use": True},
                {"seal": OF_COMPANY, "picture": None, "uses": [], "may_use": False},
            ],
        },
    ),
    "no seals of mine": (
        "seals/own.html", {"current_user": CITIZEN, "may_apply": False, "waiting": [], "seals": []}
    ),
    "apply for my seal": (
        "seals/own_apply.html",
        {
            "current_user": CITIZEN, "choices": [("self", "本人"), ("91990100DM0010004M", "滨海演示餐饮管理有限公司")],
            "kinds": ["official", "personal"], "values": {"kind": "personal"}, "errors": {}, "picture": PICTURE,
            "idempotency_key": "k1",
        },
    ),
    "a seal of mine": (
        "seals/seal.html",
        {**REGISTERED, "seal": OWN, "mine": True, "names_users": False, "owner": "王**", "custodian": None},
    ),
    "a seal seen by the office": (
        "seals/seal.html",
        {**REGISTERED, "seal": OF_COMPANY, "names_users": False, "may_use": False, "uses": None},
    ),
    "no seals": ("seals/index.html", {"current_user": CITIZEN, "units": UNITS, "waiting": [], "seals": []}),
    "apply for a seal": ("seals/apply.html", DESIGN),
    "apply with mistakes": ("seals/apply.html", {**DESIGN, "picture": None, "errors": MISTAKES}),
    "registered seal": ("seals/seal.html", REGISTERED),
    "seal applied for": (
        "seals/seal.html",
        {
            **REGISTERED, "seal": APPLIED, "made": False, "changes": ["approve", "refuse"], "needs_second": True,
            "users": [], "history": LIFE[:1], "uses": [], "errors": {"reason": "请填写"},
        },
    ),
    "use a seal": (
        "seals/use.html",
        {"current_user": CITIZEN, "seal": SEAL, "errors": {"files": "请选择文件"}, "values": {}, "most": 50},
    ),
    "confirm a seal": confirming(
        handed_in("关于演示的函.pdf", "waiting", first_page=PICTURE),
        handed_in("附件.txt", "waiting"),
        error="印章不可用",
    ),
    "seal going on": confirming(
        handed_in("一.txt", "done"),
        handed_in("二.txt", "refused", "seal_not_in_force"),
        handed_in("三.txt", "unfinished"),
    ),
    "sealed": confirming(handed_in("一.txt", "done"), handed_in("二.txt", "done")),
}  # fmt: skip
