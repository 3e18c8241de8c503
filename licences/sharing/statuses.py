"""The numbers with which a sharing interface answers (GB/T 36906-2018), as systems in use understand them.

Whatever the operation itself has to say stands in `head.status`, over HTTP 200. What is said before it is reached (no
token, too many requests, stopped, a fault) has no number here and stays a problem document (RFC 9457) with its own
HTTP status, because the caller's HTTP layer has to act on it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.errors import FieldProblem, Problem

#: What a schema says of a member that is missing; `of` tells it from a wrong one by this.
REQUIRED: Final = "required"


class Status(IntEnum):
    """`head.status`."""

    OK = 0
    NOT_OFFERED = 2
    NOT_FOUND = 10
    NOT_IDENTIFIED = 11
    MISSING = 12
    OTHER = 99
    NOT_PERMITTED = 100
    WRONG = 102
    HOLDER_CODE_TYPE = 103
    NO_CERTIFICATE_NUMBER = 109
    NO_HOLDER_CODE = 110
    NO_HOLDER = 111
    TYPE_UNKNOWN = 113


MESSAGES: Final[Mapping[Status, tuple[str, str]]] = {
    Status.OK: ("接口调用成功", "Done"),
    Status.NOT_OFFERED: ("证照源未提供此接口", "The source of this licence does not offer this"),
    Status.NOT_FOUND: ("未找到匹配的证照", "No licence matches"),
    Status.NOT_IDENTIFIED: ("身份验证不通过", "This is not who the access token names"),
    Status.MISSING: ("必填参数为空", "A required member is missing"),
    Status.OTHER: ("其他异常", "It cannot be done"),
    Status.NOT_PERMITTED: ("无访问该证的权限", "You have no permission for this licence"),
    Status.WRONG: ("参数值错误", "A member is wrong"),
    Status.HOLDER_CODE_TYPE: ("持证主体代码类型不符合规范", "The type of the holder's code does not fit"),
    Status.NO_CERTIFICATE_NUMBER: ("缺少证照编号", "certNo is missing"),
    Status.NO_HOLDER_CODE: ("缺少持证主体代码", "holderCode is missing"),
    Status.NO_HOLDER: ("缺少持证主体", "holder is missing"),
    Status.TYPE_UNKNOWN: ("证照类型代码有误", "There is no such licence type"),
}

_BY_CODE: Final[Mapping[str, Status]] = {
    "sharing_refused": Status.NOT_PERMITTED,
    "not_covered": Status.NOT_PERMITTED,
    "operator_unknown": Status.NOT_PERMITTED,
    "legal_basis_not_offered": Status.NOT_PERMITTED,
    "auth_code_refused": Status.NOT_PERMITTED,
    "authorisation_refused": Status.NOT_PERMITTED,
    "operator_required": Status.MISSING,
    "licence_not_in_force": Status.NOT_FOUND,
    "sharing_type_unknown": Status.TYPE_UNKNOWN,
    "glyph_missing": Status.WRONG,
    "face_impossible": Status.OTHER,
    "seal_not_in_force": Status.OTHER,
    "paper_code_impossible": Status.OTHER,
}
_OF_MEMBERS: Final[Mapping[str, Status]] = {
    "/data/certificateTypeCode": Status.TYPE_UNKNOWN,
    "/data/holderCodeType": Status.HOLDER_CODE_TYPE,
}
_IF_MISSING: Final[Mapping[str, Status]] = {
    "/data/certNo": Status.NO_CERTIFICATE_NUMBER,
    "/data/holderCode": Status.NO_HOLDER_CODE,
    "/data/holder": Status.NO_HOLDER,
}


def of(problem: Problem) -> Status | None:
    """Return the number of a refusal; None for one that is said in the words of RFC 9457."""
    if problem.code != "invalid":
        return _BY_CODE.get(problem.code)
    missing = [fault for fault in problem.errors if _is_missing(fault)]
    if missing:
        return next((_IF_MISSING[fault.pointer] for fault in missing if fault.pointer in _IF_MISSING), Status.MISSING)
    if any(fault.pointer.startswith("/head/") for fault in problem.errors):
        return Status.NOT_IDENTIFIED
    return next((_OF_MEMBERS[one.pointer] for one in problem.errors if one.pointer in _OF_MEMBERS), Status.WRONG)


def members(problem: Problem) -> str:
    """Return the members that are at fault, for the message."""
    return ", ".join(dict.fromkeys(fault.pointer for fault in problem.errors))[:200]


def _is_missing(fault: FieldProblem) -> bool:
    return fault.message == REQUIRED
