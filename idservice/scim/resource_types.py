"""The two resources of this service: a staff account and a group, RFC 7643 sections 4.1, 4.2 and 8.7. Pure.

Only what is kept is told. A password is none of it: people log in as they always do, and the account says where they
work. The citizen number links an account to a person of the register; it is written once and never told.
"""

from __future__ import annotations

from typing import Final

from idservice.scim.attributes import (
    ALWAYS,
    BOOLEAN,
    COMPLEX,
    IMMUTABLE,
    NEVER,
    READ_ONLY,
    REFERENCE,
    WRITE_ONLY,
    Attribute,
    ResourceType,
    Schema,
)

USER_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
STAFF_URN: Final = "urn:ona:scim:schemas:2.0:Staff"


def _contact(name: str, description: str) -> Attribute:
    return Attribute(
        name,
        description,
        COMPLEX,
        multi=True,
        subs=(
            Attribute("value", description),
            Attribute("type", "What it is for.", canonical=("work", "other"), longest=32),
            Attribute("primary", "Whether it is the one to use; at most one is.", BOOLEAN),
        ),
    )


_NAME: Final = tuple(
    Attribute(name, description, longest=128)
    for name, description in (
        ("formatted", "The whole name."),
        ("familyName", "The family name."),
        ("givenName", "The given name."),
    )
)

USER: Final = ResourceType(
    "User",
    "/Users",
    "工作人员账号 A staff account",
    Schema(
        USER_URN,
        "User",
        "A staff account in one department",
        (
            Attribute(
                "userName",
                "The staff login name; never a citizen number.",
                required=True,
                uniqueness="server",
                returned=ALWAYS,
                longest=64,
            ),
            Attribute("name", "The name as the department writes it.", COMPLEX, subs=_NAME),
            Attribute("displayName", "The name to show.", longest=128),
            Attribute("title", "The post as the department calls it.", longest=128),
            Attribute("active", "Whether the account works; false ends posts, sessions and tokens at once.", BOOLEAN),
            _contact("emails", "Address at work."),
            _contact("phoneNumbers", "Telephone at work."),
            Attribute(
                "groups",
                "The posts and roles held; changed at the group.",
                COMPLEX,
                multi=True,
                mutability=READ_ONLY,
                subs=(
                    Attribute("value", "The group's id.", case_exact=True, mutability=READ_ONLY),
                    Attribute("$ref", "The group's address.", REFERENCE, mutability=READ_ONLY, references=("Group",)),
                    Attribute("display", "The group's name.", mutability=READ_ONLY),
                    Attribute("type", "How it is held.", mutability=READ_ONLY, canonical=("direct",)),
                ),
            ),
        ),
    ),
    (
        Schema(
            STAFF_URN,
            "Staff",
            "Where a member of staff works",
            (
                Attribute(
                    "department",
                    "The department's unified social credit code.",
                    mutability=IMMUTABLE,
                    case_exact=True,
                    longest=18,
                ),
                Attribute("counter", "The window at which a clerk sits.", longest=64),
                Attribute(
                    "idNumber",
                    "The citizen number that links the account to a person of the register.",
                    mutability=WRITE_ONLY,
                    returned=NEVER,
                    longest=18,
                ),
                Attribute("linked", "Whether the account is linked to a person.", BOOLEAN, mutability=READ_ONLY),
            ),
        ),
    ),
)

GROUP: Final = ResourceType(
    "Group",
    "/Groups",
    "岗位与管理角色 A post in a department, or an administrator's role",
    Schema(
        GROUP_URN,
        "Group",
        "Who holds a post or a role; groups follow from the departments and are neither made nor removed",
        (
            Attribute("displayName", "The group's name.", mutability=READ_ONLY),
            Attribute(
                "members",
                "The staff accounts that hold it.",
                COMPLEX,
                multi=True,
                subs=(
                    Attribute("value", "The account's id.", case_exact=True, mutability=IMMUTABLE, longest=32),
                    Attribute("$ref", "The account's address.", REFERENCE, mutability=IMMUTABLE, references=("User",)),
                    Attribute("display", "The account's userName.", mutability=READ_ONLY),
                    Attribute("type", "What kind it is.", mutability=IMMUTABLE, canonical=("User",), longest=8),
                ),
            ),
        ),
    ),
)

TYPES: Final = (USER, GROUP)
