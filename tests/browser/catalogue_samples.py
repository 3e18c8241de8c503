"""Pages of the catalogue in the states that people and officers meet; see `page_samples`."""

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 22, 2, 30, 5, tzinfo=UTC)
CODE = "11379900DM0001032A001"
LINE = {
    "code": CODE, "name": "不动产权证书", "authority": "自然资源主管部门（演示）", "holder_kind": "个人或单位",
    "colour": "#7a4a00",
}  # fmt: skip
LONG = LINE | {"name": "建筑施工企业安全生产管理人员考核合格证书（名称很长，用来检查换行）"}
KIND: dict[str, Any] = {
    **LONG, "version": 3, "other_name": "Construction safety management certificate", "validity": "3年",
    "authority_level": "国家级", "issuing_level": "省级", "national_code": "11100000000013338W011",
    "related_items": ["建筑施工企业安全生产管理人员考核（DM-ZJ-061）"], "demonstration": True, "derived": ["性别"],
    "fields": [
        {"title": "企业名称", "type": "文字", "required": True, "example": "示范建设公司（演示）"},
        {"title": "岗位类别", "type": "选项", "required": False, "example": "项目负责人（B类）"},
    ],
}  # fmt: skip
KINDS = [("person", "个人"), ("organisation", "单位")]
DRAFT: dict[str, Any] = {"definition": '{"code": "x"}', "base": 3, "reason": "", "type": KIND}
FORM: dict[str, Any] = {"type": LINE, "definition": '{\n  "code": "x"\n}', "reason": "", "errors": {}, "versions": []}

CATALOGUE_SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "catalogue": (
        "catalogue/index.html",
        {"types": [LINE, LONG], "kinds": KINDS, "values": {"q": "", "holder_kind": ""}, "next_cursor": CODE},
    ),
    "catalogue-empty": (
        "catalogue/index.html",
        {"types": [], "kinds": KINDS, "values": {"q": "没有", "holder_kind": "person"}, "next_cursor": None},
    ),
    "catalogue-type": ("catalogue/type.html", {"type": KIND, "issuers": ["示范市住房城乡建设局"], "may_change": True}),
    "admin-catalogue": ("admin/catalogue.html", {"types": [LINE, LONG]}),
    "admin-catalogue-edit": (
        "admin/catalogue_edit.html",
        FORM | {"versions": [{"version": 2, "at": NOW, "reason": "更名"}, {"version": 1, "at": NOW, "reason": None}]},
    ),
    "admin-catalogue-mistakes": (
        "admin/catalogue_edit.html",
        FORM | {"type": None, "errors": {"definition": "fields/0/type：type.fields[0].type is missing", "reason": "x"}},
    ),
    "admin-catalogue-check": (
        "admin/catalogue_check.html",
        DRAFT | {"is_new": False, "changes": [
            {"place": "fields/place/title", "before": None, "after": "位置"},
            {"place": "fields/order", "before": '["location"]', "after": '["place", "area", "use"]'},
        ]},
    ),
    "admin-catalogue-same": ("admin/catalogue_check.html", DRAFT | {"is_new": False, "changes": []}),
}  # fmt: skip
