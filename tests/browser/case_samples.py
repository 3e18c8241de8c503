"""The pages of department checks and commitments in the states that people meet, as in `page_samples`."""

from datetime import UTC, date, datetime
from typing import Any

from tests.browser.showing_samples import QR

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
HOLDER = {"name": "王**", "number": "371***********1237"}
STEPS = [
    {"at": NOW, "step": "request", "state": "requested", "reason": None},
    {"at": NOW, "step": "remind", "state": "requested", "reason": "当事人在窗口等候，请尽快核查并盖章答复" * 3},
]
CHECK = {
    "id": "0193500000000000" * 2, "matter": "户口迁移（演示）", "proof": "户籍证明", "state": "requested",
    "unit": "示范市公安局（演示）", "asking_unit": "示范市行政审批服务局（演示）综合窗口3号", "holder": HOLDER,
    "case_number": "DEMO-2026-000123", "purpose": "受理落户", "due_on": date(2026, 11, 24), "due_is_sure": True,
    "is_overdue": False, "days_late": 0, "reminders": 0, "escalated_at": None, "is_mine": False, "answer": None,
    "opened_at": NOW, "answered_at": None, "steps": STEPS,
}  # fmt: skip
LATE = {**CHECK, "is_overdue": True, "days_late": 3, "reminders": 2, "escalated_at": NOW, "is_mine": True}
ANSWERED = {**CHECK, "state": "answered", "answer": "cannot_tell", "answered_at": NOW, "due_is_sure": False}
MINE = {**CHECK, "state": "assigned", "is_mine": True, "holder": {"name": "王小明", "number": "371602199003071237"}}
LIST = {
    "current_user": CITIZEN, "is_officer": True, "matters": [("DM-M-002", "义务教育入学登记")], "most": 200,
    "values": {"state": "open", "matter": "", "late": False},
}  # fmt: skip
PAGE = {
    "current_user": CITIZEN, "is_officer": True, "answers": ["yes", "no", "cannot_tell"], "errors": {}, "values": {},
}  # fmt: skip
ROW = {
    "unit": "示范市公安局（演示）", "matter": "户口迁移（演示）", "proofs": 40, "without_paper": 37,
    "without_paper_share": 92.5, "checks": 8, "overdue": 1, "overdue_share": 12.5,
}  # fmt: skip
EMPTY = {**ROW, "without_paper_share": None, "overdue_share": None}
COMMITMENT = {
    "id": "0193500000000001" * 2, "matter": "户口迁移（演示）", "proof": "居住证明", "unit": "示范市公安局（演示）",
    "case_number": "DEMO-2026-000123", "state": "offered", "text": "本人承诺所述居住情况属实。\n" * 6, "holder": HOLDER,
    "offered_at": NOW, "signed_at": None, "objection_until": None, "steps": STEPS[:1],
}  # fmt: skip
SIGNED = {**COMMITMENT, "state": "signed", "signed_at": NOW}
FALSE = {**SIGNED, "state": "false", "objection_until": date(2026, 12, 4)}
OWN = {"current_user": CITIZEN, "is_officer": True, "is_signed": False, "errors": {}, "values": {}, "steps": []}

CASE_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "checks to answer": ("assists/index.html", {**LIST, "side": "issuing", "checks": [LATE, CHECK, ANSWERED]}),
    "check in hand": (
        "assists/check.html",
        {**PAGE, "check": MINE, "side": "issuing", "steps": ["return", "answer"], "errors": {"text": "请填写"}},
    ),
    "check returned": (
        "assists/check.html",
        {
            **PAGE, "check": {**CHECK, "state": "returned"}, "side": "asking", "steps": ["resend", "close"],
            "errors": {"resend-reason": "请填写"},
        },
    ),
    "late checks": (
        "assists/escalated.html",
        {"current_user": CITIZEN, "role": "system", "checks": [{**LATE, "asking": "示范市行政审批服务局（演示）"}]},
    ),
    "figures": (
        "assists/figures.html",
        {"current_user": CITIZEN, "figures": {"month": "2026-11", "total": ROW, "items": [ROW, EMPTY]}},
    ),
    "my cases": (
        "me/commitments.html",
        {"current_user": CITIZEN, "commitments": [COMMITMENT, FALSE], "checks": [CHECK, ANSWERED]},
    ),
    "commitment to sign": ("me/commitment.html", {**OWN, "commitment": COMMITMENT, "steps": ["sign", "decline"]}),
    "commitment called false": (
        "me/commitment.html",
        {**OWN, "commitment": FALSE, "steps": ["object"], "is_signed": True, "errors": {"reason": "请填写"}},
    ),
    "commitment at the counter": (
        "counter/commitment.html",
        {"current_user": CITIZEN, "commitment": COMMITMENT, "errors": {"code": "授权无效"}, "qr_svg": QR},
    ),
    "commitments of a unit": (
        "commitments/index.html", {"current_user": CITIZEN, "commitments": [SIGNED, FALSE], "chosen": "todo"},
    ),
    "commitment to check": (
        "commitments/commitment.html",
        {**OWN, "commitment": SIGNED, "steps": ["find_kept", "find_false"], "errors": {"reason": "请填写"}},
    ),
}  # fmt: skip
