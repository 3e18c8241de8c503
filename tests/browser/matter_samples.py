"""The pages of matters and look-ups in the states that people meet, as in `page_samples`."""

from datetime import UTC, date, datetime
from typing import Any

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CITIZEN = {"name_masked": "王**"}
MATTERS = [{"code": "DM-1", "name": "用电报装", "unit": "演示供电窗口", "proofs": ["居民身份证", "不动产权证书"]}]
PROOFS = [
    {
        "proof": "id", "name": "居民身份证", "outcome": "licence",
        "fields": [{"title": "姓名", "value": "王小明"}, {"title": "证件号码", "value": "37990119900101001X"}],
    },
    {"proof": "title", "name": "不动产权证书", "outcome": "not_held", "ways_left": ["告知承诺", "部门协查"]},
    {"proof": "means", "name": "收入证明", "outcome": "not_held", "ways_left": [], "ways_beyond": ["部门协查"]},
    {"proof": "home", "name": "住房证明", "outcome": "not_held", "claims_wanted": ["坐落", "面积"]},
    {"proof": "debt", "name": "无欠费证明", "outcome": "data_no", "compared": [{"title": "户号", "agrees": False}]},
    {
        "proof": "phone", "name": "登记信息", "outcome": "data_partly",
        "compared": [{"title": "姓名", "agrees": True}, {"title": "手机号码", "agrees": False}],
    },
    {"proof": "job", "name": "就业证明", "outcome": "department", "unit": "演示人社局", "due": date(2026, 11, 27)},
    {
        "proof": "use", "name": "房屋用途声明", "outcome": "commitment", "text": "用于居住。" * 30,
        "sign_url": f"http://127.0.0.1:8000/me/commitments/{'a' * 32}",
    },
]  # fmt: skip
MATTER = {
    "matter": {**MATTERS[0], "legal_basis": "《供电营业规则》", "version": 3}, "demonstration": True,
    "grounds": [{"law": "《社会救助暂行办法》", "article": "第五十八条"}],
    "proofs": [
        {
            "name": "不动产权证书", "required": False, "unit": "演示自然资源局", "licence": "不动产权证书", "days": 3,
            "fields": ["坐落", "面积"], "commitment": "用于居住。" * 20,
            "ways": [
                {"code": "licence", "title": "电子证照", "why": "窗口直接读取。"},
                {"code": "commitment", "title": "告知承诺", "why": "可以签承诺书。"},
            ],
        },
        {
            "name": "验资报告", "required": False, "unit": "会计师事务所", "licence": None, "days": None, "fields": [],
            "commitment": "", "ways": [{"code": "cancelled", "title": "已取消", "why": "不应再要。"}],
        },
    ],
}  # fmt: skip
CHOSEN = {
    "code": "DM-1", "grounds": [("SHJZ-58", "《社会救助暂行办法》第五十八条")],
    "claims": [{"name": "claim.title.location", "proof": "不动产权证书", "title": "坐落"}],
    "ways": [{"name": "way.title", "title": "不动产权证书", "ways": [("licence", "电子证照"), ("commitment", "承诺")]}],
}  # fmt: skip
LOOKUP = {
    "current_user": CITIZEN, "matters": MATTERS, "chosen": None, "values": {}, "errors": {}, "result": None,
}  # fmt: skip
LOOKED_UP = {
    "id": "0193500000000000", "at": NOW, "matter": "用电报装", "subject": "王** 371***********1237",
    "purpose": "受理用电报装", "case_number": "DEMO-2026-000123", "operator": "李** 3 号窗口", "proofs": PROOFS,
    "not_needed": ["验资报告"],
}  # fmt: skip
MATTER_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "lookup": ("counter/lookup.html", {**LOOKUP, "errors": {"number": "校验位不对", "purpose": "请填写用途"}}),
    "lookup of a matter": (
        "counter/lookup.html",
        {**LOOKUP, "chosen": CHOSEN, "values": {"authorisation": "legal_basis"}},
    ),
    "matters": (
        "matters/index.html",
        {"matters": MATTERS, "count": 1, "more": True, "units": ["演示供电窗口"], "q": "用电", "unit": "演示供电窗口"},
    ),
    "no matters": ("matters/index.html", {"matters": [], "count": 0, "more": False, "units": [], "q": "x", "unit": ""}),
    "matter": ("matters/matter.html", MATTER),
    "looked up": ("counter/lookup.html", {**LOOKUP, "result": LOOKED_UP}),
}  # fmt: skip
