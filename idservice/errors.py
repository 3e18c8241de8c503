"""Problems: every refusal this service utters, as RFC 9457 problem details with a stable code.

A `Problem` is raised anywhere below an endpoint and translated once, at the edge. Its text is for the caller and never
carries internal detail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What a problem code means: its HTTP status and its title in both languages."""

    status: int
    zh: str
    en: str


KINDS: dict[str, Kind] = {
    "bad_request": Kind(400, "请求格式不正确", "The request is malformed"),
    "body_unreadable": Kind(400, "请求正文无法读取", "The request body cannot be read"),
    "csrf": Kind(403, "页面已过期，请刷新后重试", "The page has expired: reload it and try again"),
    "parameter_repeated": Kind(400, "参数重复", "A parameter is repeated"),
    "unauthenticated": Kind(401, "需要有效的访问令牌", "A valid access token is required"),
    "forbidden": Kind(403, "无权执行此操作", "You may not do this"),
    "insufficient_scope": Kind(403, "访问令牌的权限范围不足", "The access token lacks the scope"),
    "second_person": Kind(403, "须由另一名管理员复核", "Another administrator must decide this"),
    "not_found": Kind(404, "未找到", "Not found"),
    "method_not_allowed": Kind(405, "不支持此请求方法", "This method is not offered here"),
    "not_acceptable": Kind(406, "无法提供所需格式", "This format is not offered"),
    "conflict": Kind(409, "与当前状态冲突", "This conflicts with the current state"),
    "request_running": Kind(409, "相同请求正在处理", "The first request with this key is still running"),
    "too_large": Kind(413, "请求过大", "The request is too large"),
    "media_type": Kind(415, "不支持此内容类型", "This content type is not accepted"),
    "invalid": Kind(422, "有字段未通过校验", "Some fields are not valid"),
    "key_reused": Kind(422, "幂等键已用于另一请求", "The Idempotency-Key was used for another request"),
    "too_many_requests": Kind(429, "请求过于频繁", "Too many requests"),
    "internal": Kind(500, "服务内部错误", "Internal error"),
    "unavailable": Kind(503, "服务暂不可用", "The service is not available for the moment"),
    "temporarily_unavailable": Kind(503, "服务暂时中断，请稍后再试", "The service is interrupted: try again shortly"),
    "outcome_unknown": Kind(503, "无法确定此操作是否已完成", "It is not known whether this was done"),
}


def register(kinds: Mapping[str, Kind]) -> None:
    """Add a room's own codes to the one list; a code means one thing in the whole house."""
    for code, kind in kinds.items():
        if KINDS.setdefault(code, kind) != kind:
            raise ValueError(f"problem code {code!r} is already defined differently")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One faulty member of a request: JSON pointer (RFC 6901), stable code, English sentence."""

    pointer: str
    code: str
    message: str


class Problem(Exception):
    """A request that cannot be served.

    Args:
        code: a key of `KINDS`.
        detail: what to do about it, one sentence, no internal or personal data.
        errors: the faulty fields, where the body is at fault.
        headers: extra response headers, such as Retry-After.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.kind = KINDS[code]

    def body(self, *, language: str, request_id: str) -> dict[str, object]:
        """Return the problem document (RFC 9457 section 3.1) in `language` ("zh" or "en")."""
        document: dict[str, object] = {
            "type": f"urn:ona:problem:{self.code}",
            "title": self.kind.zh if language == "zh" else self.kind.en,
            "status": self.kind.status,
            "code": self.code,
            "request_id": request_id,
        }
        if self.detail:
            document["detail"] = self.detail
        if self.errors:
            document["errors"] = [{"pointer": e.pointer, "code": e.code, "message": e.message} for e in self.errors]
        return document
