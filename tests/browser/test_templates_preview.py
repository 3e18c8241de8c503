"""Every template in a real Chromium under the real content policy: it fits, it is accessible, it breaks no rule."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, jsonify, render_template, request
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemLoader
from playwright.sync_api import expect
from werkzeug.serving import make_server

from idservice.http.headers import PAGE_POLICY
from tests.browser.live import AXE, SEEN
from tests.browser.page_samples import SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = {
    "openapi": "3.1.0", "info": {"title": "One Number Access", "version": "1"},
    "paths": {"/v1/licences": {"get": {"tags": ["licences"], "responses": {"200": {"description": "ok"}}}}},
}  # fmt: skip
# As a file of the site: the browser compiles it once, and not for every page.
LOAD_AXE = """() => new Promise((loaded, failed) => {
    const script = document.createElement("script");
    Object.assign(script, { src: "/axe.js", onload: loaded, onerror: failed });
    document.head.append(script);
    script.remove();
}).then(() => null)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the samples at /p/<name> with fresh translations; the application itself is not needed."""
    translations = tmp_path_factory.mktemp("translations")
    english = translations / "en" / "LC_MESSAGES"
    english.mkdir(parents=True)
    with (ROOT / "idservice/translations/en/LC_MESSAGES/messages.po").open("rb") as source:
        catalogue = read_po(source)
    with (english / "messages.mo").open("wb") as target:
        write_mo(target, catalogue)

    app = Flask("preview", static_folder=str(ROOT / "idservice/static"))
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(ROOT / room / "templates") for room in ("idservice", "seals", "licences")]
    )
    # A browser fetches each file once, and keeps what it compiled of the scripts.
    app.config.update(SECRET_KEY="x", SEND_FILE_MAX_AGE_DEFAULT=3600, BABEL_TRANSLATION_DIRECTORIES=str(translations))
    Babel(app, locale_selector=lambda: request.args.get("lang", "zh"), default_timezone="Asia/Shanghai")
    app.jinja_env.globals.update(
        csrf_token=lambda: "made-up", has_address=True, address_in=lambda tongue: f"?lang={tongue}"
    )
    app.jinja_env.globals.update(query_sized=lambda size: f"size={size}")
    app.context_processor(lambda: {"lang": request.args.get("lang", "zh"), "is_demo": True, "current_user": None})
    app.add_url_rule("/openapi.json", view_func=lambda: jsonify(OPENAPI))
    # What pages ask for that check by themselves: a worker that keeps nothing, and lists that nobody can believe.
    app.add_url_rule("/offline-worker.js", "worker", lambda: Response("", mimetype="text/javascript"))
    app.add_url_rule("/trust/bundle", "bundle", lambda: Response("", mimetype="application/trust-bundle+jwt"))
    app.add_url_rule("/axe.js", "axe", _axe)
    app.add_url_rule("/p/<name>", "sample", lambda name: render_template(SAMPLES[name][0], **SAMPLES[name][1]))

    @app.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        # Files are read whole here: werkzeug's server leaves one open when the browser goes away in its midst.
        with contextlib.closing(response.response) if response.direct_passthrough else contextlib.nullcontext():
            response.direct_passthrough = False
            response.get_data()
        return response

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/p"
    server.shutdown()


def _axe() -> Response:
    return Response(AXE, mimetype="text/javascript", headers={"Cache-Control": "max-age=3600"})


@dataclass
class Reader:
    """One browser page of a language and width, and what it complains of."""

    page: "Page"
    language: str
    width: int
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture(scope="module", params=[("zh", 320), ("en", 1280)], ids=["zh-320", "en-1280"])
def reader(request: pytest.FixtureRequest, chromium: "Browser") -> Iterator[Reader]:
    language, width = request.param
    context = chromium.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    read = Reader(context.new_page(), language, width)
    read.page.on("console", read.hear)
    yield read
    context.close()


@pytest.mark.parametrize("name", SAMPLES)
def test_page_is_sound(name: str, site: str, reader: Reader):
    page = reader.page
    reader.complaints.clear()
    answer = page.goto(f"{site}/{name}?lang={reader.language}")
    assert answer.status == 200
    if name == "docs":
        page.locator(".opblock").first.wait_for()
    page.evaluate(LOAD_AXE)
    seen = page.evaluate(SEEN)
    assert seen["headings"] == 1
    assert seen["language"] == ("en" if reader.language == "en" else "zh-CN")
    assert seen["width"] <= reader.width
    assert seen["violations"] == []
    assert reader.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_s_own_pages_are_grouped_on_a_telephone(language: str, site: str, page: "Page"):
    def rows() -> list[int]:
        """How many links stand in each row."""
        places = [link.bounding_box()["y"] for link in page.locator(".ona-nav__link:visible").all()]
        return [places.count(place) for place in sorted(set(places))]

    for name, pages in {"accesses": 7, "apps": 2, "sessions": 3}.items():
        page.set_viewport_size({"width": 320, "height": 800})
        page.goto(f"{site}/{name}?lang={language}")
        groups, *below = rows()
        assert (groups, sum(below)) == (3, pages)
        assert page.locator("[aria-current=page]:visible").count() == 1
        page.set_viewport_size({"width": 1280, "height": 800})
        assert sum(rows()) == 12
        assert page.locator("[aria-current]:visible").count() == 1


def test_scan_box_keeps_the_focus_and_escape_clears(site: str, page: "Page"):
    page.goto(f"{site}/counter valid")
    box = page.locator("#text")
    expect(box).to_be_focused()
    page.locator("h1").click()
    expect(box).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type("7K3M")  # a scanner gun fires while nothing has the focus
    assert page.input_value("#text") == "7K3M"
    page.keyboard.press("Escape")
    assert page.input_value("#text") == ""
    assert page.locator("[data-answer] *").count() == 0
    page.focus("#purpose")
    page.locator("h1").dispatch_event("click")
    expect(page.locator("#purpose")).to_be_focused()  # another field in use keeps the focus


def test_scan_box_gets_the_gun_s_text_whatever_was_clicked_before(site: str, page: "Page"):
    page.goto(f"{site}/counter valid")
    for clicked in (page.get_by_label("用声音提示结果"), page.locator("summary").first):
        clicked.click()
        expect(page.locator("#text")).not_to_be_focused()
        page.keyboard.type("7K3M")
        assert page.input_value("#text") == "7K3M"
        page.locator("#text").clear()
    expect(page.get_by_label("用声音提示结果")).to_be_checked()


def test_purpose_chosen_by_the_mouse_hands_the_focus_on_and_by_the_keyboard_keeps_it(site: str, page: "Page"):
    page.goto(f"{site}/counter valid")
    box, purpose = page.locator("#text"), page.locator("#purpose")
    purpose.focus()
    page.keyboard.press("ArrowUp")
    expect(purpose).to_have_value("")
    expect(purpose).to_be_focused()
    purpose.dispatch_event("pointerdown")  # the list that opens is no part of the page
    purpose.select_option(index=1)
    expect(box).to_be_focused()


def test_what_must_not_be_accepted_sounds_like_nothing_else(site: str, page: "Page"):
    page.goto(f"{site}/counter forged")
    page.evaluate("localStorage.setItem('ona-sound', 'on')")
    page.add_init_script("""
        window.heard = [];
        AudioContext.prototype.resume = () => Promise.resolve();
        const start = AudioScheduledSourceNode.prototype.start;
        AudioScheduledSourceNode.prototype.start = function (when) {
          window.heard.push(this.frequency.value);
          return start.call(this, when);
        };
    """)
    page.reload()
    page.wait_for_function("window.heard.length > 0")
    assert page.evaluate("window.heard") == [220, 220, 220]


def test_lookup_asks_only_for_the_chosen_authorisation(site: str, page: "Page"):
    page.goto(f"{site}/lookup")
    assert page.locator("#code").is_visible()
    assert not page.locator("#consent").is_visible()
    page.get_by_label("申请人在应用中同意").check()
    assert page.locator("#consent").is_visible()
    assert not page.locator("#code").is_visible()


def test_shown_code_counts_down_and_is_covered_when_over(site: str, page: "Page"):
    page.clock.install(time=0)
    page.clock.pause_at(1)  # from here on it goes as far as it is told
    page.route("**/me/show", lambda route: route.fulfill(status=204))
    page.goto(f"{site}/show")
    page.clock.run_for(30_000)
    assert page.locator("[data-left]").inner_text().startswith("30 ")
    assert not page.locator("[data-over]").is_visible()
    with page.expect_request("**/me/show"):  # renews by itself while it is being watched
        page.clock.run_for(31_000)
    expect(page.locator("[data-over]")).to_be_visible()


def test_shown_code_has_a_clock_that_goes_and_a_band_that_moves(site: str, page: "Page"):
    page.clock.install(time=datetime(2026, 11, 22, 2, 30, tzinfo=UTC))
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/show")
    clock, moving = page.locator("[data-clock]"), "document.querySelector('.ona-show__live').getAnimations().length"
    before = clock.inner_text()
    assert before.startswith("10:30:"), "the city's time, whatever the telephone's"
    page.clock.run_for(2_000)
    assert clock.inner_text() > before
    assert page.evaluate(moving) == 0  # as this reader wishes
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) == 1


def test_shown_code_renews_five_times_in_each_showing(site: str, page: "Page"):
    page.clock.install()
    page.goto(f"{site}/show")
    shown = page.content()
    page.route("**/me/show", lambda route: route.fulfill(body=shown, content_type="text/html"))
    for _showing in range(2):
        page.goto(f"{site}/show")
        for _renewal in range(5):
            with page.expect_navigation(url="**/me/show"):
                page.clock.run_for(61_000)
        page.clock.run_for(61_000)
        expect(page.locator("[data-over]")).to_be_visible()  # a forgotten page makes no more


def test_shown_code_that_ran_out_unwatched_is_renewed_on_return(site: str, page: "Page"):
    look = """state => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.clock.install()
    page.route("**/me/show", lambda route: route.fulfill(status=204))
    page.goto(f"{site}/show")
    page.evaluate(look, "hidden")
    page.clock.run_for(61_000)
    expect(page.locator("[data-over]")).to_be_visible()
    with page.expect_request("**/me/show"):
        page.evaluate(look, "visible")


@pytest.mark.parametrize("name", ["login", "consent", "acting", "counter", "lookup", "choose", "issue"])
def test_first_form_is_the_main_one_and_stands_without_scripts(name: str, site: str, chromium: "Browser"):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{name}")
    form = page.locator("form").first
    assert form.get_attribute("method") == "post"
    assert form.locator("input[name=csrf_token]").count() == 1
    assert form.locator("button[type=submit]:visible").count() >= 1
    context.close()
