"""What a reason of refusal is called, and what the source has to do about it: pure tables, no database."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from idservice.numbers.fold import MESSAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

Both = tuple[str, str]


class Next(StrEnum):
    """What brings a refused row in: a closed list."""

    MEND = "mend_at_source"
    ENROL = "enrol_holder"
    FILE = "mend_file"
    CATALOGUE = "see_catalogue"
    REQUEST = "change_request"


STEPS: Final[Mapping[Next, Both]] = {
    Next.MEND: ("在源头更正后重新报送", "Mend it at the source and send it again"),
    Next.ENROL: (
        "先在人口库、法人库登记该主体，再报送",
        "Have the holder entered in the registers, then send it again",
    ),
    Next.FILE: ("修正文件或报文的格式后重新报送", "Mend the form of the file or message and send it again"),
    Next.CATALOGUE: ("对照证照目录核对类型和颁发机构", "See the catalogue for the type and who issues it"),
    Next.REQUEST: ("由发证人员提出变更申请", "An officer asks for it with a change request"),
}
_DATES: Final[Mapping[str, Both]] = {
    "valid_from": ("有效期起始日期不是日期", "The first day is no date"),
    "valid_until": ("有效期截止日期不是日期", "The last day is no date"),
    "issued_on": ("颁发日期不是日期", "The day of issue is no date"),
    "updated_on": ("更新日期不是日期", "The day of the last change is no date"),
    "dates": ("有效期截止早于起始", "It ends before it begins"),
}
_ROWS: Final[Mapping[str, tuple[Both, Next]]] = {
    **{reason: (title, Next.MEND) for reason, title in _DATES.items()},
    "type": (("证照类型不在目录中", "No such type in the catalogue"), Next.CATALOGUE),
    "department": (("该机构不颁发此类证照", "That department does not issue the type"), Next.CATALOGUE),
    "holder_unknown": (("登记库中没有该持证主体", "The register knows no such holder"), Next.ENROL),
    "holder_kind": (("该证照不能颁发给此类主体", "Not issued to this kind of holder"), Next.MEND),
    "number": (("缺少证照编号或编号不合规", "No number of the licence, or not a fitting one"), Next.MEND),
    "identifier": (("电子证照标识不合规", "The identifier does not fit"), Next.MEND),
    "field": (("有目录中没有的照面信息", "A field that the type does not have"), Next.FILE),
    "unknown": (("有不认识的栏目", "A column that is not known"), Next.FILE),
    "json": (("不是规定的 JSON", "Not JSON as prescribed"), Next.FILE),
    "csv": (("不是规定的 CSV", "Not CSV as prescribed"), Next.FILE),
    "columns": (("栏目数量或名称不符", "Other columns than the file has"), Next.FILE),
    "encoding": (("字符编码不符", "Not in the encoding of the file"), Next.FILE),
    "too_long": (("一行过长", "The line is too long"), Next.FILE),
    "state": (("证照状态不在规定的取值中", "None of the states prescribed"), Next.MEND),
    "state_on": (("缺少状态变更日期或晚于今天", "No day of the state, or one to come"), Next.MEND),
    "state_reason": (("状态变更原因不合规", "The reason of the state does not fit"), Next.MEND),
    "state_ground": (("状态变更依据不合规", "The state cannot rest on that ground"), Next.MEND),
    "holders_one": (("该证照只能有一个持证主体", "The type has one holder alone"), Next.MEND),
    "co_holders_kind": (("其他持证主体不能持有此类证照", "Another holder is of a kind it is not issued to"), Next.MEND),
    "co_holders_repeated": (("持证主体重复", "A holder is named twice"), Next.MEND),
    "twice": (("同一批中重复", "Twice in one batch"), Next.FILE),
    "second_person_required": (("须经另一名人员复核", "An officer must approve it"), Next.REQUEST),
}
_FAULTS: Final[Mapping[str, Both]] = {
    "required": ("缺少", "missing"),
    "length": ("长度不符", "not of a fitting length"),
    "choice": ("不在规定的取值中", "none of the values prescribed"),
    "invisible": ("含有看不见的字符", "contains a character that cannot be seen"),
    "date": ("不是日期", "no date"),
}


def next_step(reason: str) -> Next:
    """Return what the source has to do where rows are refused for `reason`."""
    known = _ROWS.get(_head(reason))
    return known[1] if known is not None else Next.MEND


def title(reason: str, field_title: str | None = None) -> Both:
    """Return what `reason` is called; `field_title` is what the field that it names is called on the face."""
    head, _colon, code = reason.partition(":")
    if head.startswith("field."):
        name = field_title or head.removeprefix("field.")
        fault = _FAULTS.get(code, ("不合规", f"refused ({code})"))
        return f"{name}：{fault[0]}", f"{name}: {fault[1]}"
    if (known := _ROWS.get(_head(reason))) is not None:
        return known[0]
    others = "其他" if head.startswith("co_holders_") else ""
    zh, slash, en = MESSAGES.get(head.removeprefix("co_holders_").removeprefix("holder_"), "").partition(" / ")
    return (f"{others}持证主体代码{zh}", f"Holder's number: {en}") if slash else (reason, reason)


def field_of(reason: str) -> str | None:
    """Return the name of the field that a reason is about, or None."""
    head = reason.partition(":")[0]
    return head.removeprefix("field.") if head.startswith("field.") else None


def _head(reason: str) -> str:
    return reason.partition(":")[0]
