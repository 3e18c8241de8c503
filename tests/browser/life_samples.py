"""Pages around the life of a licence in the states that officers and holders meet; see `page_samples`."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
IDENTIFIER = "1.2.156.3005.2.11370000DM0001016L001.11370000DM0001016L.000000001.001.0"
OBJECTION: dict[str, Any] = {
    "id": "ab" * 16, "type_name": "不动产权证书", "identifier": IDENTIFIER, "field_title": "坐落", "state": "waiting",
    "right": "演示省示范市示范区演示路2号", "why": "与登记簿不一致，请核对登记簿第 12 页", "made_at": NOW,
    "due_at": NOW + timedelta(days=21), "overdue": False, "correctable": True, "answer": None, "corrected": None,
}  # fmt: skip
LATE = OBJECTION | {"due_at": NOW, "overdue": True, "correctable": False, "field_title": "持有人"}
UPHELD = OBJECTION | {"state": "upheld", "answer": "属实，已更正", "corrected": IDENTIFIER}
REFUSED = OBJECTION | {"state": "refused", "answer": "登记簿记载与证照一致"}
REQUEST: dict[str, Any] = {
    "id": "cd" * 16, "title": "撤销", "type_name": "残疾人证", "identifier": IDENTIFIER, "holder": None, "own": False,
    "reason": "以欺骗手段取得", "fields": [], "dates": [], "asked_at": NOW, "expires_at": NOW + timedelta(days=3),
}  # fmt: skip
OWN = REQUEST | {
    "title": "签发", "identifier": None, "holder": "379921199006075030", "own": True, "reason": None,
    "fields": [{"title": "残疾类别", "value": "肢体"}, {"title": "住址", "value": "演示省示范市示范区演示路1号" * 3}],
}  # fmt: skip
RENEWAL = REQUEST | {"title": "换发", "reason": None, "dates": [("生效日期", NOW.date()), ("截止日期", None)]}
STOPS = [
    {"id": "ef" * 16, "type_name": "不动产权证书", "reason": "系统升级", "at": NOW, "until": NOW + timedelta(days=1)},
    {"id": "ee" * 16, "type_name": None, "reason": "机构调整", "at": NOW, "until": None},
]
DESK: dict[str, Any] = {
    "department": "11379900DM0001016L", "types": [("11379900DM0001016L001", "居民身份证")], "done": None,
    "error": None, "values": {},
    "collected": [{"type": "11379900DM0001016L001", "type_name": "残疾人证", "rows": 3200, "until": NOW}],
}  # fmt: skip
FIGURE: dict[str, Any] = {
    "title": "职业资格证书", "rows": 120345, "waiting": 200, "failed": 12, "incomplete": 3400, "wrong_identifier": 2,
    "repeated": 1, "collected_at": NOW, "updated_on": NOW.date(), "stale_rows": 45, "stale": True,
    "reasons": [{"title": "持证主体已有一份有效的此类证照", "rows": 9}, {"title": "invalid/fields/area", "rows": 3}],
}  # fmt: skip
BATCHES: list[dict[str, Any]] = [
    {
        "name": "0123456789abcdef",
        "counted_at": NOW,
        "counts": [
            {"type": "职业资格证书", "title": "持证主体代码校验码不符", "rows": 312, "next": "在源头更正后重新报送"},
            {"type": None, "title": "证照类型不在目录中", "rows": 1, "next": "对照证照目录核对类型和颁发机构"},
        ],
    }
]
QUESTION = {"id": "aa" * 16, "identifier": IDENTIFIER, "question": "坐落与登记簿不一致", "asked_at": NOW}

LIFE_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "admin-life": (
        "admin/life.html",
        {**DESK, "requests": [REQUEST, RENEWAL, OWN], "objections": [OBJECTION, LATE], "stops": STOPS, "done": "asked"},
    ),
    "admin-life-refused": (
        "admin/life.html",
        {**DESK, "requests": [], "objections": [], "stops": [], "error": "这项申请已处理或已过期"},
    ),
    "admin-quality": (
        "admin/quality.html",
        {
            "department": DESK["department"],
            "figures": [FIGURE, FIGURE | {"stale": False, "stale_rows": 0}],
            "batches": BATCHES,
            "questions": [QUESTION],
        },
    ),
    "admin-quality-none": ("admin/quality.html", {"department": "", "figures": [], "batches": [], "questions": []}),
    "me-objections": ("me/objections.html", {"objections": [LATE, OBJECTION, UPHELD, REFUSED]}),
    "me-objections-none": ("me/objections.html", {"objections": []}),
}
