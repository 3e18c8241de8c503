"""SCIM 2.0 for staff accounts, walked as a department's directory walks it (RFC 7644 section 3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from idservice.login import lockout
from idservice.models import AccessRecord, AuditEntry, Person, Staff
from idservice.scim import accounts, door
from idservice.scim.door import OPERATIONS
from idservice.scim.models import StaffAccount
from tests.builders import act
from tests.factors import forget_factors
from tests.identity import (
    AGENT,
    ALICE,
    COMPANY,
    ISSUER,
    STRANGER,
    City,
    is_alive,
    logged_in,
)
from tests.staff import (
    BOTH,
    CLERKS,
    DIRECTORY,
    ELSEWHERE,
    HEALTH,
    HOUSING,
    MEDIA_TYPE,
    NOWHERE,
    OFFICERS,
    SEARCH,
    STAFF,
    USER,
    Scim,
    forget_staff,
    posts_of,
    refused,
    staffed,
)

CSRF = re.compile(r'name="csrf_token" value="[^"]+"')


@pytest.fixture(scope="module")
def office(city: City) -> City:
    return staffed(city)


@pytest.fixture(autouse=True)
def no_staff_is_left(office: City) -> Iterator[None]:
    yield
    forget_staff(office)


@pytest.fixture
def scim(office: City) -> Scim:
    return Scim(office)


# --- discovery


def test_what_is_offered_is_said(scim: Scim) -> None:
    config = scim("GET", "/ServiceProviderConfig")
    assert config.headers["Content-Type"].startswith(MEDIA_TYPE)
    offered = {name for name, told in config.json.items() if isinstance(told, dict) and told.get("supported")}
    assert offered == {"patch", "filter", "sort", "etag"}
    assert {kind["id"] for kind in scim("GET", "/ResourceTypes").json["Resources"]} == {"User", "Group"}
    assert scim("GET", "/ResourceTypes/User").json["schemaExtensions"] == [{"schema": STAFF, "required": False}]
    for schema in scim("GET", "/Schemas").json["Resources"]:
        assert scim("GET", f"/Schemas/{schema['id']}").json == schema
    assert refused(scim("GET", "/Schemas/urn:x")) == (404, None)
    assert refused(scim("GET", "/Schemas?filter=id pr")) == (403, None)  # fmt: skip


# --- accounts


def test_an_account_from_its_making_to_its_end(office: City, scim: Scim) -> None:
    made = scim(
        "POST", "/Users",
        {"schemas": [USER, STAFF], "userName": "Wang.Fang", "displayName": "王芳", "externalId": "E-1",
         "emails": [{"value": "wf@example.com", "type": "work", "primary": True}], "title": "科员",
         STAFF: {"idNumber": ALICE, "counter": "3"}},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    found = made.json
    assert made.headers["Location"] == found["meta"]["location"] == f"{ISSUER}/scim/v2/Users/{found['id']}"
    assert made.headers["ETag"] == found["meta"]["version"] == 'W/"1"'
    assert (found["active"], found.get("groups", [])) == (True, [])
    assert found[STAFF] == {"department": HOUSING, "counter": "3", "linked": True}
    path = f"/Users/{found['id']}"
    assert scim("GET", path).json == found

    assert scim.join(CLERKS, found).status_code == 200
    assert posts_of(office, office.alice) == {("clerk", HOUSING)}
    (held,) = scim("GET", path).json["groups"]
    assert (held["value"], held["$ref"]) == (CLERKS, f"{ISSUER}/scim/v2/Groups/{CLERKS}")

    replaced = scim("PUT", path, {"schemas": [USER], "userName": "wang.fang", STAFF: {"counter": "4"}}).json
    assert "displayName" not in replaced
    assert (replaced["userName"], replaced["active"], replaced["meta"]["version"]) == ("wang.fang", True, 'W/"2"')
    seats = select(Staff.counter).where(Staff.subject == office.alice)
    assert act(office.house, lambda call: call.session.scalar(seats)) == "4"

    assert scim("DELETE", path).status_code == 204
    assert posts_of(office, office.alice) == set()
    for method in ("GET", "DELETE"):
        assert refused(scim(method, path)) == (404, None)
    assert scim.user("WANG.FANG")["id"] != found["id"], "the name is free again"


def test_a_person_logs_in_by_the_name_of_his_account(office: City, scim: Scim) -> None:
    """The password, the lock and the refusal are the same as with his number; the name by itself opens nothing."""
    account = scim.linked("Wang.Fang")
    unlinked, path = scim.user("somebody"), f"/Users/{account['id']}"
    assert office.browser().log_in(number=" wang.FANG ").status == 200
    refusals = [office.browser().log_in(number=name) for name in (unlinked["userName"], "wang.fan", "no such name")]
    refusals.append(office.browser().log_in(number="wang.fang", password="another one"))
    assert {page.status for page in refusals} == {400}
    assert len({CSRF.sub("", page.text) for page in refusals}) == 1, "which of them it was is not told"
    browser = office.browser()
    for _ in range(lockout.FREE_TRIES - 1):  # with the wrong password above it makes all that are free
        assert browser.log_in(number="wang.fang", password="wrong password").status == 400
    assert office.browser().log_in(number=ALICE).status == 400, "the lock is the person's, whichever way one comes"
    forget_factors(office)
    assert office.browser().log_in(number=ALICE).status == 200
    assert scim.patch(path, {"op": "replace", "value": {"active": False}}).status_code == 200
    assert office.browser().log_in(number="wang.fang").status == 400, "an account that has ended is nobody's name"
    assert office.browser().log_in(number=ALICE).status == 200, "and the person is a citizen like any other"


@pytest.mark.parametrize("way", ["delete", "patch", "put"])
def test_an_ended_account_ends_sessions_and_tokens_at_once(office: City, scim: Scim, way: str) -> None:
    account = scim.linked("a")
    scim.join(OFFICERS, account)
    browser = office.browser()
    browser.log_in()
    got = logged_in(office)
    assert is_alive(office, got)
    path = f"/Users/{account['id']}"
    answer = {
        "delete": lambda: scim("DELETE", path),
        "patch": lambda: scim.patch(path, {"op": "replace", "value": {"active": False}}),
        "put": lambda: scim("PUT", path, {"schemas": [USER], "userName": "a", "active": False}),
    }[way]()
    assert answer.status_code in {200, 204}, answer.text
    assert not is_alive(office, got)
    assert "/login" in browser.open("/me").url
    assert posts_of(office, office.alice) == set()
    if way == "delete":
        return
    assert scim("GET", f"/Groups/{OFFICERS}").json.get("members", []) == []
    assert refused(scim.join(OFFICERS, account)) == (400, "invalidValue")
    again = scim.patch(path, {"op": "replace", "path": "active", "value": True}).json
    assert (again["active"], again.get("groups", [])) == (True, []), "a post is given anew, not found again"


@pytest.mark.parametrize("way", ["made", "delete", "patch"])
def test_who_holds_no_post_here_stays_logged_in(office: City, scim: Scim, way: str) -> None:
    browser = office.browser()
    browser.log_in()
    got = logged_in(office)
    if way == "made":
        scim.user("a", active=False, **{STAFF: {"idNumber": ALICE}})
    else:
        path = f"/Users/{scim.linked('a')['id']}"
        off = {"op": "replace", "value": {"active": False}}
        assert (scim("DELETE", path) if way == "delete" else scim.patch(path, off)).status_code in {200, 204}
    assert is_alive(office, got)
    assert "/login" not in browser.open("/me").url


def test_the_number_links_once_is_on_the_record_and_never_told(office: City, scim: Scim) -> None:
    account = scim.linked("a")
    told = [scim("GET", "/Users").text, scim("GET", f"/Users/{account['id']}?attributes={STAFF}:idNumber").text]
    told.append(scim("POST", "/.search", {"schemas": [SEARCH]}).text)
    assert not any(ALICE in text or office.alice in text for text in told)
    for question in (f'{STAFF}:idNumber eq "{ALICE}"', f'{STAFF}:idNumber sw "37"', "idNumber pr"):
        assert refused(scim("GET", f"/Users?filter={question}")) == (400, "invalidFilter")
    seen = act(office.house, lambda call: call.session.scalars(
        select(AccessRecord).where(AccessRecord.subject == office.alice)).all())  # fmt: skip
    assert {row.act for row in seen} == {"idservice:staff_account:link"}
    written = act(office.house, lambda call: [row.facts for row in call.session.scalars(select(AuditEntry))])
    assert not any(ALICE in facts for facts in written)

    path = f"/Users/{account['id']}"
    other = {"op": "add", "path": f"{STAFF}:idNumber", "value": AGENT}
    assert refused(scim.patch(path, other)) == (400, "mutability")
    assert scim.patch(path, {**other, "value": ALICE}).status_code == 200
    twice = {"schemas": [USER], "userName": "b", STAFF: {"idNumber": ALICE}}
    assert refused(scim("POST", "/Users", twice)) == (409, "uniqueness")
    later = scim.user("c")
    assert not later[STAFF]["linked"]
    linked = scim.patch(f"/Users/{later['id']}", other).json
    assert linked[STAFF]["linked"]


@pytest.mark.parametrize("number", [STRANGER, COMPANY, "37160219900307123X", "x"])
def test_a_number_that_links_to_nobody(scim: Scim, number: str) -> None:
    sent = {"schemas": [USER], "userName": "a", STAFF: {"idNumber": number}}
    assert refused(scim("POST", "/Users", sent)) == (400, "invalidValue")
    assert scim.names("") == []


def test_who_is_locked_gets_no_account(office: City, scim: Scim) -> None:
    def lock(status: str) -> None:
        act(office.house, lambda call: call.session.execute(
            update(Person).where(Person.subject == office.agent).values(status=status)) and None)  # fmt: skip

    lock("locked")
    sent = {"schemas": [USER], "userName": "a", STAFF: {"idNumber": AGENT}}
    try:
        assert refused(scim("POST", "/Users", sent)) == (400, "invalidValue")
    finally:
        lock("active")


@pytest.mark.parametrize("name", ["", "a b", "王芳", "-a", "a" * 65, ALICE, "123456789012345", "a/b", "a\u0000b"])
def test_a_login_name_that_is_refused(scim: Scim, name: str) -> None:
    assert refused(scim("POST", "/Users", {"schemas": [USER], "userName": name}))[0] == 400


def test_a_name_is_one_in_any_case(scim: Scim) -> None:
    scim.user("a")
    other = scim.user("b")
    taken = {"schemas": [USER], "userName": "A"}
    assert refused(scim("POST", "/Users", taken)) == (409, "uniqueness")
    assert refused(scim("PUT", f"/Users/{other['id']}", taken)) == (409, "uniqueness")
    assert scim.names('filter=userName eq "A"') == ["a"]


def test_what_describes_a_person_is_stored_sealed(office: City, scim: Scim) -> None:
    scim.user("a", displayName="王小芳", emails=[{"value": "secret@example.com"}])
    row = act(office.house, lambda call: call.session.scalars(select(StaffAccount)).one())
    assert "王小芳".encode() not in row.facts_sealed
    assert b"secret@example.com" not in row.facts_sealed


def test_a_patch_is_done_wholly_or_not_at_all(scim: Scim) -> None:
    account = scim.user("a", title="x")
    path = f"/Users/{account['id']}"
    half = scim.patch(
        path, {"op": "replace", "path": "title", "value": "y"}, {"op": "replace", "path": "id", "value": "z"}
    )
    assert refused(half) == (400, "mutability")
    assert scim("GET", path).json == account
    same = scim.patch(path, {"op": "replace", "path": "title", "value": "x"}).json
    assert same["meta"] == account["meta"], "nothing was changed"


# --- versions


def test_a_change_of_another_version_is_refused(scim: Scim) -> None:
    account = scim.user("a")
    path, old = f"/Users/{account['id']}", account["meta"]["version"]
    changed = scim.patch(path, {"op": "add", "path": "title", "value": "x"}, If_Match=old)
    assert changed.status_code == 200
    body = {"schemas": [USER], "userName": "a"}
    for answer in (
        scim("PUT", path, body, If_Match=old),
        scim.patch(path, {"op": "add", "path": "title", "value": "y"}, If_Match=old),
        scim("DELETE", path, If_Match=old),
        scim.patch(f"/Groups/{CLERKS}", {"op": "remove", "path": "members"}, If_Match='W/"0"'),
    ):
        assert refused(answer) == (412, None)
    now = changed.headers["ETag"]
    assert scim("GET", path, If_None_Match=now).status_code == 304
    assert scim("GET", path, If_None_Match=old).status_code == 200
    assert scim("DELETE", path, If_Match=now).status_code == 204


# --- lists


def test_lists_are_filtered_ordered_and_paged(scim: Scim) -> None:
    for name, title in (("c", "x"), ("a", "y"), ("b", None)):
        scim.user(name, **({"title": title} if title else {}))
    assert scim.names("") == ["c", "a", "b"]
    assert scim.names("sortBy=userName") == ["a", "b", "c"]
    assert scim.names("sortBy=userName&sortOrder=descending&startIndex=2&count=1") == ["b"]
    assert scim.names('filter=title pr and not (userName eq "a")') == ["c"]
    assert scim.names('filter=(userName eq "a" or title eq "X") and active eq true&sortBy=userName') == ["a", "c"]
    found = scim("GET", "/Users?count=0").json
    assert (found["totalResults"], found["Resources"]) == (3, [])
    narrow = scim("GET", "/Users?attributes=title&count=1").json["Resources"]
    assert [set(one) for one in narrow] == [{"schemas", "id", "userName", "title"}]
    one = scim("GET", f"/Users/{narrow[0]['id']}?excludedAttributes=meta,groups,{STAFF}")
    assert set(one.json) == {"schemas", "id", "userName", "title", "active"}
    assert one.headers["ETag"] == 'W/"1"'


def test_a_search_asks_in_a_body(scim: Scim) -> None:
    scim.user("a")

    def ask(path: str, **members: Any) -> list[str]:
        answer = scim("POST", f"{path}/.search", {"schemas": [SEARCH], **members})
        assert answer.status_code == 200, answer.text
        return [one.get("userName", one["id"]) for one in answer.json["Resources"]]

    assert ask("/Users", filter='userName sw "a"') == ["a"]
    assert ask("/Groups") == [OFFICERS, CLERKS]
    assert ask("") == ["a", OFFICERS, CLERKS]
    assert ask("", filter='displayName co "Clerks"') == [CLERKS]
    assert refused(scim("POST", "/Users/.search", {})) == (400, "invalidSyntax")


# --- at the door


def test_every_operation_demands_its_scope(office: City) -> None:
    reader, nobody = Scim(office, scope="scim.read"), office.app.test_client()
    stranger = Scim(office, scope="matters.read")
    assert len(OPERATIONS) > 20
    for operation in OPERATIONS:
        path = operation.path.replace("<name>", "x")
        bare = nobody.open(path, method=operation.method)
        assert (bare.status_code, refused(bare)[0]) == (401, 401), operation
        assert bare.headers["WWW-Authenticate"]
        below = path.removeprefix("/scim/v2")
        assert refused(stranger(operation.method, below)) == (403, None), operation
        if operation.scope == "scim.write":
            answer = reader(operation.method, below)
            assert refused(answer) == (403, None), operation
            assert 'scope="scim.write"' in answer.headers["WWW-Authenticate"]


def test_whatever_goes_wrong_is_told_in_scims_form(scim: Scim) -> None:
    assert refused(scim("GET", "/Nothing")) == (404, None)
    assert refused(scim("PUT", "/Users")) == (405, None)
    for data, kind, expected in (
        (b"{", MEDIA_TYPE, (400, "invalidSyntax")),
        (b'{"a":1,"a":2}', MEDIA_TYPE, (400, "invalidSyntax")),
        (b"[" * 5000, MEDIA_TYPE, (400, "invalidSyntax")),
        (b"[]", "application/json", (400, "invalidSyntax")),
        (b"{}", "text/plain", (415, None)),
        (b" " * 300_000, MEDIA_TYPE, (413, None)),
    ):
        answer = scim.client.post("/scim/v2/Users", data=data, content_type=kind, headers=scim.headers)
        assert refused(answer) == expected
    assert refused(scim("GET", "/Users?filter=title pr&filter=title pr")) == (400, None)


def test_a_browser_gets_no_page_here(office: City) -> None:
    answer = office.app.test_client().get("/scim/v2/Users", headers={"Accept": "text/html"})
    assert refused(answer) == (401, None)


def test_every_deed_is_audited_and_every_refusal(office: City, scim: Scim) -> None:
    account = scim.linked("a")
    scim.join(CLERKS, account)
    scim("DELETE", f"/Users/{account['id']}")
    Scim(office, NOWHERE)("GET", "/Users")
    rows = act(office.house, lambda call: call.session.execute(
        select(AuditEntry.deed, AuditEntry.outcome, AuditEntry.facts).order_by(AuditEntry.entry_id.desc()).limit(40)
    ).all())  # fmt: skip
    deeds = {row.deed for row in rows}
    for deed in ("staff_account:make", "staff_account:link", "staff_account:remove", "post:give", "post:take"):
        assert f"idservice:{deed}" in deeds
    assert any(row.outcome == "refused" and json.loads(row.facts)["what"] == "scim.list_users" for row in rows)


def test_a_client_of_no_department_reaches_nobody(office: City) -> None:
    nowhere = Scim(office, NOWHERE)
    for answer in (nowhere("GET", "/Users"), nowhere("GET", "/ServiceProviderConfig")):
        assert refused(answer) == (403, None)


def test_a_client_of_two_departments_says_which(office: City) -> None:
    both = Scim(office, BOTH)
    assert refused(both("POST", "/Users", {"schemas": [USER], "userName": "a"})) == (400, "invalidValue")
    assert both.user("a", **{STAFF: {"department": HEALTH}})[STAFF]["department"] == HEALTH
    assert Scim(office, DIRECTORY).names("") == []
    assert Scim(office, ELSEWHERE).names("") == ["a"]


def test_a_directory_is_slowed_down_and_most_of_all_with_numbers(
    office: City, scim: Scim, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, str] = {}
    monkeypatch.setattr(
        office.house.limiter, "check", lambda limit, *, what, who, **_more: counted.update({what: f"{limit} {who}"})
    )
    scim.linked("a")
    assert counted["scim"].startswith(f"{door.LIMIT} {DIRECTORY}|")
    assert counted["scim.link"] == f"{accounts.LINK_LIMIT} {DIRECTORY}"
