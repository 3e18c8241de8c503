"""Every real page, in both languages, as wide as a telephone and as a desk: accessible, within the screen, quiet."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.live import Account, Live, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LANGUAGES = ["zh", "en"]
TELEPHONE, TABLET, DESK = 320, 768, 1280
ACCOUNTS: dict[str, Callable[[Live], Account]] = {
    "citizen": lambda live: live.citizen(0),
    "newcomer": lambda live: live.citizen(19),
    "agent": lambda live: live.agent(1)[0],
    "clerk": lambda live: live.clerk(),
    "officer": lambda live: live.officer(),
}
Reach = Callable[[Visitor], None]


def at(path: str, *, then: Reach | None = None) -> Reach:
    """The page at a path; `{licence}` stands for one of the citizen's."""

    def reach(visitor: Visitor) -> None:
        visitor.open(path.format(licence=visitor.live.citizen(0)["licences"][0]))
        if then is not None:
            then(visitor)

    return reach


def asked_by_app(visitor: Visitor) -> None:
    visitor.open(visitor.live.authorize_path(visitor.live.client()))


def press(visitor: Visitor) -> None:
    visitor.submit()


def enter_licence(visitor: Visitor) -> None:
    visitor.page.fill("#text", visitor.live.citizen(0)["licences"][0])
    if visitor.page.locator("#purpose").count():
        visitor.page.select_option("#purpose", index=1)
    visitor.submit()


def choose_first_purpose(visitor: Visitor) -> None:
    visitor.page.select_option("#purpose", index=1)
    visitor.submit()


def enter_wrong_password(visitor: Visitor) -> None:
    visitor.page.fill("#number", "x")
    visitor.page.fill("#password", "x")
    visitor.submit()


def follow_first_type(visitor: Visitor) -> None:
    with visitor.page.expect_navigation():
        visitor.page.locator(".ona-types a").first.click()


def follow_first_type_and_press(visitor: Visitor) -> None:
    follow_first_type(visitor)
    visitor.submit()


def see_a_look(visitor: Visitor) -> None:
    at("/verify", then=enter_licence)(visitor)  # that there is one
    visitor.open("/me/accesses")
    with visitor.page.expect_navigation():
        visitor.page.locator(".ona-log__more a").first.click()


def follow_first_seal(visitor: Visitor) -> None:
    with visitor.page.expect_navigation():
        visitor.page.locator(".ona-drafts a").first.click()


def hand_in_the_altered_contract(visitor: Visitor) -> None:
    altered = next(one for one in visitor.live.members["document_verdicts"] if one["reasons"] == ["document_altered"])
    visitor.page.set_input_files("input[name=file]", altered["path"])
    visitor.submit()


def wait_for_operations(visitor: Visitor) -> None:
    visitor.page.locator(".opblock").first.wait_for()


PAGES: dict[str, tuple[str, Reach]] = {
    "home": ("anybody", at("/")),
    "login": ("anybody", at("/login")),
    "login for an app": ("anybody", asked_by_app),
    "login refused": ("anybody", at("/login", then=enter_wrong_password)),
    "matters": ("anybody", at("/matters")),
    "matters sought": ("anybody", at("/matters?q=结婚")),
    "matter": ("anybody", at("/matters/DM-M-028")),
    "verify": ("anybody", at("/verify?licence={licence}")),
    "verified": ("anybody", at("/verify", then=enter_licence)),
    "verify nothing": ("anybody", at("/verify", then=press)),
    "verify a seal": ("anybody", at("/verify/seal")),
    "verify no seal": ("anybody", at("/verify/seal", then=press)),
    "an altered contract": ("anybody", at("/verify/seal", then=hand_in_the_altered_contract)),
    "reference": ("anybody", at("/docs", then=wait_for_operations)),
    "no such page": ("anybody", at("/no-such-page")),
    "request of an unknown app": ("anybody", at("/oauth/authorize?client_id=unknown")),
    "licences": ("citizen", at("/me")),
    "licence": ("citizen", at("/me/licences/{licence}")),
    "showing": ("citizen", at("/me/licences/{licence}", then=press)),
    "choose what to show": ("citizen", at("/me/show")),
    "show nothing": ("citizen", at("/me/show", then=press)),
    "show offline": ("citizen", at("/me/offline")),
    "devices that show offline": ("citizen", at("/me/offline/devices")),
    "accesses": ("citizen", at("/me/accesses")),
    "accesses of a unit": ("citizen", at("/me/accesses?unit=x&year=2026")),
    "a look": ("citizen", see_a_look),
    "object": ("citizen", at("/me/objections/{licence}")),
    "object to nothing": ("citizen", at("/me/objections/{licence}", then=press)),
    "objections": ("citizen", at("/me/objections")),
    "apps": ("citizen", at("/me/apps")),
    "sessions": ("citizen", at("/me/sessions")),
    "consent": ("citizen", asked_by_app),
    "security": ("citizen", at("/me/security")),
    "second factor": ("citizen", at("/login/second")),
    "second factor refused": ("citizen", at("/login/second", then=press)),
    "recovery": ("anybody", at("/recover")),
    "recovery of nobody": ("anybody", at("/recover", then=press)),
    "log out": ("citizen", at("/logout")),
    "device": ("citizen", at("/device")),
    "no such device": ("citizen", at("/device?user_code=BBBB-BBBB")),
    "logins to confirm": ("citizen", at("/me/approvals")),
    "not for citizens": ("citizen", at("/admin")),
    "licences of somebody nobody looked at": ("newcomer", at("/me")),
    "whom to act for": ("agent", asked_by_app),
    "licences of an agent": ("agent", at("/me")),
    "mandates of an agent": ("agent", at("/me/mandates")),
    "counter": ("clerk", at("/counter")),
    "counter's answer": ("clerk", at("/counter", then=enter_licence)),
    "counter offline": ("anybody", at("/counter/offline")),
    "ask the holder": ("clerk", at("/counter/ask")),
    "ask the holder, scan": ("clerk", at("/counter/ask", then=choose_first_purpose)),
    "self-service terminal": ("clerk", at("/terminal")),
    "self-service terminal's answer": ("clerk", at("/terminal", then=enter_licence)),
    "self-service terminal that prints": ("clerk", at("/terminal/copies", then=press)),
    "lookup": ("clerk", at("/counter/lookup")),
    "lookup of a matter": ("clerk", at("/counter/lookup?matter=DM-M-035")),
    "lookup with mistakes": ("clerk", at("/counter/lookup", then=press)),
    "licence types": ("anybody", at("/licence-types")),
    "no such licence type": ("anybody", at("/licence-types?q=nothing")),
    "a licence type": ("anybody", at("/licence-types", then=follow_first_type)),
    "issuing": ("officer", at("/admin")),
    "catalogue": ("officer", at("/admin/catalogue")),
    "add a licence type, with mistakes": ("officer", at("/admin/catalogue/new", then=press)),
    "change a licence type": ("officer", at("/admin/catalogue", then=follow_first_type)),
    "check a licence type": ("officer", at("/admin/catalogue", then=follow_first_type_and_press)),
    "to do": ("officer", at("/admin/life")),
    "quality of what was collected": ("officer", at("/admin/quality")),
    "to do with mistakes": ("officer", at("/admin/life", then=press)),
    "checks to answer": ("officer", at("/assists")),
    "commitments to check": ("officer", at("/commitments")),
    "my commitments": ("citizen", at("/me/commitments")),
    "seals": ("officer", at("/seals")),
    "my seals": ("citizen", at("/me/seals")),
    "my seal": ("citizen", at("/me/seals", then=follow_first_seal)),
    "apply for my seal": ("citizen", at("/me/seals/apply")),
    "a seal": ("officer", at("/seals", then=follow_first_type)),
    "apply for a seal": ("officer", at("/seals/apply")),
    "apply with mistakes": ("officer", at("/seals/apply", then=press)),
    "issue": ("officer", at("/admin", then=follow_first_type)),
    "issue with mistakes": ("officer", at("/admin", then=follow_first_type_and_press)),
    "licence in the officer's hands": ("officer", at("/admin/licences/{licence}")),
    "change with mistakes": ("officer", at("/admin/licences/{licence}", then=press)),
    "no such licence": ("officer", at("/admin/licences?identifier=1.2.156.3005.2.0")),
}

#: Of each of the people whom a counter brings together; read in large type and on a tablet too.
OF_THE_COUNTER = [
    "licences", "showing", "choose what to show", "a look", "counter", "counter's answer", "ask the holder, scan",
    "lookup of a matter", "self-service terminal", "self-service terminal's answer", "checks to answer", "issuing",
]  # fmt: skip


@pytest.fixture(scope="module")
def sessions(live: Live, chromium: "Browser") -> dict[str, object]:
    """Log one account of each kind in, once; its cookies serve every reader."""
    kept: dict[str, object] = {"anybody": None}
    for role, account in ACCOUNTS.items():
        visitor = Visitor.arrive(live, chromium)
        visitor.log_in(account(live))
        kept[role] = visitor.context.storage_state()
        visitor.leave()
    return kept


@pytest.fixture(scope="module", params=LANGUAGES)
def readers(
    request: pytest.FixtureRequest, live: Live, chromium: "Browser", sessions: dict[str, object]
) -> Iterator[tuple[str, dict[str, Visitor]]]:
    """Give one browser for each kind of visitor, all reading one language."""
    came = {
        role: Visitor.arrive(live, chromium, language=request.param, width=TELEPHONE, storage_state=state)
        for role, state in sessions.items()
    }
    yield request.param, came
    for visitor in came.values():
        visitor.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_real_page_is_sound(name: str, readers: tuple[str, dict[str, Visitor]]):
    language, visitors = readers
    role, reach = PAGES[name]
    visitor = visitors[role]
    reach(visitor)
    assert visitor.page.evaluate("document.documentElement.lang") == ("en" if language == "en" else "zh-CN")
    visitor.assert_sound(TELEPHONE, DESK)
    assert visitor.complaints == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OF_THE_COUNTER)
def test_page_is_sound_on_a_tablet_and_in_large_type(
    name: str, language: str, live: Live, chromium: "Browser", sessions: dict[str, object]
):
    role, reach = PAGES[name]
    visitor = Visitor.arrive(live, chromium, language=language, width=TABLET, storage_state=sessions[role])
    reach(visitor)
    visitor.assert_sound(TABLET)
    large = {"name": "ona_size", "value": "large", "url": live.url}
    visitor.context.add_cookies([large])  # type: ignore[list-item]
    reach(visitor)
    assert "ona-large" in str(visitor.page.locator("html").get_attribute("class"))
    visitor.assert_sound(TELEPHONE, TABLET, DESK)
    visitor.leave()
