"""Names of groups say what they are."""

import pytest

from idservice.admin.roles import Role
from idservice.call import Post
from idservice.scim import group_ids
from idservice.scim.group_ids import PostGroup, RoleGroup
from tests.identity import COMPANY


@pytest.mark.parametrize(
    "group", [*(PostGroup(post, COMPANY) for post in Post), *(RoleGroup(role) for role in Role)], ids=lambda g: g.text
)
def test_a_name_leads_back(group: PostGroup | RoleGroup) -> None:
    assert group_ids.named(group.text) == group


@pytest.mark.parametrize(
    "text",
    ["", "officer", "officer.", "officer.1", f"boss.{COMPANY}", f"officer.{COMPANY.lower()}", "administrator.root",
     "administrator", f"officer.{COMPANY}.x", f" officer.{COMPANY}", "administrator.Role.SYSTEM"],
)  # fmt: skip
def test_what_is_no_group(text: str) -> None:
    assert group_ids.named(text) is None


def test_the_names_to_show() -> None:
    assert PostGroup(Post.CLERK, COMPANY).display("示范局") == "示范局 窗口人员 Clerks"
    assert RoleGroup(Role.AUDIT).display.startswith("审计管理员")
