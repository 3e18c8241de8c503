"""Refusals in the words of SCIM: RFC 7644 section 3.12. Pure.

A `Problem` stays what it is everywhere in the house; below `/scim/v2` it is told in this form and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idservice.errors import Kind, Problem, register

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "/scim/v2"
MEDIA_TYPE: Final = "application/scim+json"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

register(
    {
        "scim_filter": Kind(400, "过滤条件不正确", "The filter is not valid"),
        "scim_syntax": Kind(400, "请求结构不正确", "The request is not built as it must be"),
        "scim_path": Kind(400, "属性路径不正确", "The path is not valid"),
        "scim_no_target": Kind(400, "路径没有对应的值", "The path leads to no value"),
        "scim_value": Kind(400, "属性值不正确", "A value is missing or not acceptable"),
        "scim_mutability": Kind(400, "该属性不可这样修改", "The attribute cannot be changed so"),
        "scim_uniqueness": Kind(409, "该值已被使用", "The value is in use already"),
        "precondition_failed": Kind(412, "资源已被他人修改", "The resource is not at that version any more"),
        "not_implemented": Kind(501, "不提供此操作", "This operation is not offered"),
    }
)

_TYPES: Final[Mapping[str, str]] = {
    "scim_filter": "invalidFilter",
    "scim_syntax": "invalidSyntax",
    "body_unreadable": "invalidSyntax",
    "scim_path": "invalidPath",
    "scim_no_target": "noTarget",
    "scim_value": "invalidValue",
    "scim_mutability": "mutability",
    "scim_uniqueness": "uniqueness",
    "role_taken": "uniqueness",
}


def is_below(path: str) -> bool:
    """Return whether a path belongs to the SCIM service."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def body(problem: Problem, *, language: str) -> dict[str, Any]:
    """Return the SCIM error document of a problem."""
    title = problem.kind.zh if language == "zh" else problem.kind.en
    told = {
        "schemas": [ERROR],
        "status": str(problem.kind.status),
        "detail": f"{title}: {problem.detail}" if problem.detail else title,
    }
    scim_type = _TYPES.get(problem.code)
    return told | ({"scimType": scim_type} if scim_type is not None else {})
