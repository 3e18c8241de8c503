"""Pages of the guard over look-ups and of questions about looks, in the states administrators and holders meet."""

from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
UNIT = "演示市行政审批服务局 3 号窗口"
LOOK: dict[str, Any] = {
    "id": "0a" * 16, "at": NOW, "act": "licences:lookup:create", "who": "李**", "unit": UNIT, "acting": None,
    "purpose": "受理用电报装", "matter": "用电报装", "case_number": "DEMO-2026-000123", "fields": ["持有人", "坐落"],
    "basis": "legal_basis", "log_index": 1042, "question": "overdue",
}  # fmt: skip
WAITING: dict[str, Any] = {
    "id": f"{'b' * 32}.{'0a' * 16}", "by": "王**", "access": "0a" * 16, "text": "我当天没有去过窗口，为什么查我？",
    "asked_at": NOW, "due": date(2026, 12, 4), "overdue": False, "verdict": None, "answer": None, "answered_at": None,
    "look": LOOK,
}  # fmt: skip
ANSWERED = WAITING | {"verdict": "unjustified", "answer": "经办人用错了办件，已提醒。" * 4, "answered_at": NOW}
ALARM: dict[str, Any] = {
    "id": "c" * 32, "kind": "honey", "times": 3, "first_at": NOW, "last_at": NOW, "seen_by": None, "seen_at": None,
    "operator_id": "d" * 32, "operator": "李**", "unit": "11379900DM0001016L", "matter": "用电报装",
}  # fmt: skip
SEEN = ALARM | {"kind": "anomaly", "seen_by": "周**", "seen_at": NOW, "operator_id": None, "operator": None}
STOP: dict[str, Any] = {
    "id": "e" * 32, "scope": "operator", "target": "李**", "reason": "疑似冒用账号", "by": "周**", "at": NOW,
    "lift_asked_by": None, "is_own": False, "lifted_by": None, "lifted_at": None,
}  # fmt: skip
STOPS = [
    STOP,
    STOP | {"scope": "all", "target": "", "lift_asked_by": "周**", "is_own": True},
    STOP | {"scope": "unit", "target": "11379900DM0001016L", "lift_asked_by": "吴**"},
    STOP | {"lift_asked_by": "周**", "lifted_by": "吴**", "lifted_at": NOW},
]
RULE: dict[str, Any] = {
    "id": "f" * 32, "effect": "allow", "unit": "*", "operator": "*", "matter": "*", "region": "own", "ground": "holder",
    "note": "本市及上级，经当事人授权", "may_remove": True,
}  # fmt: skip
DENIED = RULE | {"effect": "deny", "operator": "李**", "region": "3716", "ground": "law", "may_remove": False}
GUARD: dict[str, Any] = {
    "role": "security", "alarms": [ALARM, SEEN], "stops": STOPS, "rules": [RULE, DENIED], "honey": 10, "error": None,
    "quotas": [{"unit": "*", "per_day": 1000, "per_minute": 120, "per_subject": 60}], "values": {}, "done": None,
    "scopes": ["all", "unit", "operator", "matter"],
}  # fmt: skip
QUESTIONS: dict[str, Any] = {"role": "audit", "error": None, "faulty": None, "values": {}, "done": None}
ACCESS: dict[str, Any] = {"access": LOOK, "is_proved": True, "question": None, "days": 10, "error": None, "text": ""}

PERMISSION: dict[str, Any] = {
    "id": "app|11379900DM0001016L001", "client": "不动产登记系统", "client_id": "app", "type": "居民身份证",
    "operations": ["find", "read", "download"], "department": "11379900DM0001016L", "matter": "购房不动产转移登记",
    "ground": "《国务院关于在线政务服务的若干规定》第七条", "unattended": False, "asked_at": NOW, "agreed_at": None,
    "is_own": False,
}  # fmt: skip
SHARING: dict[str, Any] = {
    "role": "system", "error": None, "faults": [], "done": None, "values": {"operations": []},
    "permissions": [PERMISSION, PERMISSION | {"unattended": True, "agreed_at": NOW}],
    "operations": ["find", "read", "download", "verify_data", "verify_file"],
    "types": [("11379900DM0001016L001", "居民身份证")], "matters": [("DM-M-005", "购房不动产转移登记")],
    "departments": [("11379900DM0001016L", "演示市行政审批服务局")],
}  # fmt: skip

GUARD_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "guard": ("control/guard.html", GUARD),
    "guard at rest": ("control/guard.html", GUARD | {"role": "system", "alarms": [], "stops": [], "done": "done"}),
    "guard refused": ("control/guard.html", GUARD | {"error": "请填写", "values": {"scope": "unit"}}),
    "sharing": ("control/sharing.html", SHARING),
    "sharing to agree": ("control/sharing.html", SHARING | {"role": "security", "done": "done"}),
    "sharing refused": (
        "control/sharing.html",
        SHARING | {"permissions": [], "error": "有字段未通过校验", "faults": ["ground", "operations"]},
    ),
    "questions": (
        "control/questions.html",
        QUESTIONS | {"waiting": [WAITING | {"overdue": True}, WAITING | {"id": "x"}], "answered": [ANSWERED]},
    ),
    "questions refused": (
        "control/questions.html",
        QUESTIONS | {"waiting": [WAITING], "answered": [], "error": "有字段未通过校验", "faulty": WAITING["id"]},
    ),
    "no questions": ("control/questions.html", QUESTIONS | {"waiting": [], "answered": [], "done": "done"}),
    "a look": ("me/access.html", ACCESS),
    "a look of a moment ago": ("me/access.html", ACCESS | {"is_proved": False, "error": "请填写"}),
    "a look questioned": ("me/access.html", ACCESS | {"question": WAITING | {"overdue": True}}),
    "a look explained": ("me/access.html", ACCESS | {"question": ANSWERED}),
    "no looks of that unit": (
        "me/accesses.html",
        {"accesses": [], "next_cursor": "0a", "years": [2026, 2025], "year": 2025, "unit": "税务"},
    ),
    "looks with questions": (
        "me/accesses.html",
        {"accesses": [LOOK, LOOK | {"question": "waiting"}, LOOK | {"question": "answered"}], "next_cursor": None,
         "years": [2026], "year": None, "unit": ""},
    ),
}  # fmt: skip
