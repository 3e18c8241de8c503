"""The filter grammar of RFC 7644 section 3.4.2.2, its bounds, and what it never tells."""

import pytest

from idservice.errors import Problem
from idservice.scim import filters
from idservice.scim.resource_types import GROUP, STAFF_URN, USER

BJENSEN = {
    "schemas": [USER.schema.urn],
    "id": "2819c223",
    "externalId": "E-7",
    "userName": "bjensen",
    "name": {"familyName": "O'Malley", "formatted": "Ms. O'Malley"},
    "title": "科员",
    "active": True,
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": True},
        {"value": "babs@example.org", "type": "other"},
    ],
    STAFF_URN: {"department": "11371600100050005R", "counter": "3"},
    "meta": {"resourceType": "User", "lastModified": "2026-05-13T04:42:34+00:00"},
}


def holds(text: str, resource: dict = BJENSEN) -> bool:
    ((_kind, test),) = filters.filter_of(text, USER)
    return test(resource)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "bjensen"',
        'USERNAME Eq "BJENSEN"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "BJ"',
        'name.familyName co "O\'Malley"',
        'userName ne "somebody"',
        'title pr and userName sw "b"',
        'title pr or userType eq "x"'.replace("userType", "displayName"),
        'meta.lastModified gt "2011-05-13T04:42:34Z"',
        'meta.lastModified le "2026-05-13T12:42:34+08:00"',
        'emails[type eq "work" and value co "@example.com"]',
        'emails co "example.org"',
        'emails.type eq "other"',
        "emails pr",
        "active eq true",
        "active ne false",
        'not (userName eq "x")',
        'userName eq "x" or title pr and active eq true',
        '(userName eq "x" or title pr) and active eq true',
        f'{STAFF_URN}:counter eq "3"',
        "displayName eq null",
        'displayName ne "x"',
        "title ne null",
        'externalId eq "E-7"',
        'userName ew "SEN"',
        'userName ge "bjensen"',
        'userName lt "c"',
        'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"',
        'userName co "j\\u0065n"',
    ],
)  # fmt: skip
def test_a_filter_that_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "bjense"',
        'externalId eq "e-7"',
        'emails[type eq "other" and value co "example.com"]',
        "not (title pr)",
        "displayName pr",
        "active eq false",
        'emails ne "babs@example.org"',
        'meta.lastModified gt "2026-05-13T12:42:34+08:00"',
        'displayName eq "x"',
        'displayName lt "x"',
        'userName eq "x" and (title pr or active eq true)',
        "emails[displayName pr]".replace("displayName", "primary") + ' and userName eq ""',
    ],
)  # fmt: skip
def test_a_filter_that_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "userName",
        "userName eq",
        'userName eq "x',
        "userName eq x",
        'userName is "x"',
        'userName eq "x" and',
        '(userName eq "x"',
        'userName eq "x")',
        'not userName eq "x"',
        "userName eq 7",
        "userName gt null",
        'active eq "true"',
        "active gt true",
        "emails[",
        "emails[]",
        'emails[value eq "x"',
        'emails.value[type eq "x"]',
        'userName[value eq "x"]',
        'name eq "x"',
        'meta.created gt "yesterday"',
        'meta.created gt "2026-05-13T04:42:34"',
        'userName eq {"a": 1}',
        "userName eq ['x']",
        'userName eq "x"; DROP TABLE staff_account',
        'nothing eq "x"',
        'name.nothing eq "x"',
        'userName eq "\\x"',
        f'{STAFF_URN}:idNumber sw "3716"',
        f"{STAFF_URN}:idNumber pr",
        "idNumber pr",
    ],
)
def test_a_filter_that_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        filters.filter_of(text, USER)
    assert refused.value.code == "scim_filter"


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 4000 + "title pr" + ")" * 4000,
        "(" * 60 + "title pr" + ")" * 60,
        "not (" * 40 + "title pr" + ")" * 40,
        " or ".join(["title pr"] * 100),
        'userName eq "' + "a" * 5000 + '"',
        "emails[" * 40 + "value pr" + "]" * 40,
        'userName co "' + "\\\\" * 900 + '"x',
        "title pr " + "and title pr " * 200,
        "[" * 2000,
        "9" * 2000,
    ],
    ids=["parentheses", "groups", "nots", "terms", "length", "brackets", "escapes", "ands", "opened", "digits"],
)  # fmt: skip
def test_a_filter_bomb_is_refused_before_it_costs_anything(bomb: str) -> None:
    with pytest.raises(Problem) as refused:
        filters.filter_of(bomb, USER)
    assert refused.value.code == "scim_filter"


def test_a_filter_over_two_types_leaves_out_the_one_without_the_attribute() -> None:
    found = filters.filter_of('userName eq "x"', USER, GROUP)
    assert [kind.name for kind, _test in found] == ["User"]
    assert [kind.name for kind, _test in filters.filter_of("displayName pr", USER, GROUP)] == ["User", "Group"]
    with pytest.raises(Problem):
        filters.filter_of("nothing pr", USER, GROUP)


@pytest.mark.parametrize(
    ("text", "attribute", "part", "selected"),
    [
        ("userName", "userName", None, None),
        ("name.familyName", "name", "familyName", None),
        (f"{STAFF_URN}:counter", "counter", None, None),
        ('emails[type eq "work"]', "emails", None, ["bjensen@example.com"]),
        ('emails[type eq "work"].value', "emails", "value", ["bjensen@example.com"]),
        ('emails[not (type eq "work")].type', "emails", "type", ["babs@example.org"]),
    ],
)
def test_a_path(text: str, attribute: str, part: str | None, selected: list[str] | None) -> None:
    path = filters.path_of(text, USER)
    assert path.located is not None
    assert path.located.attribute.name == attribute
    assert (path.located.sub.name if path.located.sub else None) == part
    if selected is not None:
        assert path.selects is not None
        assert [one["value"] for one in BJENSEN["emails"] if path.selects(one)] == selected


def test_a_path_may_name_a_whole_extension() -> None:
    assert filters.path_of(STAFF_URN.upper(), USER).extension == STAFF_URN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "scim_path"),
        ("nothing", "scim_path"),
        ("name.nothing", "scim_path"),
        ("userName extra", "scim_path"),
        ('userName[value eq "x"]', "scim_path"),
        ('emails[type eq "work"].nothing', "scim_path"),
        ('emails[type eq "work"]value', "scim_path"),
        ('emails[nothing eq "work"]', "scim_filter"),
        ("emails[", "scim_filter"),
        ('emails[type eq "work"].value.value', "scim_path"),
        ("members[value pr]", "scim_path"),
        ("__class__", "scim_path"),
        ("name.__init__", "scim_path"),
    ],
)
def test_a_path_that_is_refused(text: str, code: str) -> None:
    with pytest.raises(Problem) as refused:
        filters.path_of(text, USER)
    assert refused.value.code == code
