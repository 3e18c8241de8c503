"""Names of groups: a post in a department, or an administrator's role. They say what they are, so nothing is stored.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idservice.admin.roles import Role
from idservice.call import Post
from idservice.numbers import credit_code

_ADMINISTRATOR: Final = "administrator"
_POSTS: Final = {Post.OFFICER: "经办人员 Officers", Post.CLERK: "窗口人员 Clerks"}
_ROLES: Final = {
    Role.SYSTEM: "系统管理员 System administrators",
    Role.SECURITY: "安全管理员 Security administrators",
    Role.AUDIT: "审计管理员 Audit administrators",
}


@dataclass(frozen=True, slots=True)
class PostGroup:
    """Whoever holds a post in a department."""

    post: Post
    department: str

    @property
    def text(self) -> str:
        """Return the group's id."""
        return f"{self.post}.{self.department}"

    def display(self, department_name: str) -> str:
        """Return the group's name."""
        return f"{department_name} {_POSTS[self.post]}"


@dataclass(frozen=True, slots=True)
class RoleGroup:
    """Whoever holds an administrator's role."""

    role: Role

    @property
    def text(self) -> str:
        """Return the group's id."""
        return f"{_ADMINISTRATOR}.{self.role}"

    @property
    def display(self) -> str:
        """Return the group's name."""
        return _ROLES[self.role]


def named(text: str) -> PostGroup | RoleGroup | None:
    """Return the group of that id, or None; whether its department exists is not asked."""
    kind, _, rest = text.partition(".")
    if kind == _ADMINISTRATOR:
        return RoleGroup(Role(rest)) if rest in set(Role) else None
    if kind not in set(Post) or not credit_code.is_valid(rest) or credit_code.normalise(rest) != rest:
        return None
    return PostGroup(Post(kind), rest)
