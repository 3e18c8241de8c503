"""The offline verifier of the pages, in a real Chromium: what it says of a batch of codes, beside what Python says."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from licences.offline.verify import Relied, verify

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

STATIC = Path(__file__).parents[4] / "idservice" / "static"
#: A secure origin, as Web Crypto wants one; nothing is asked of any network.
ORIGIN = "https://pages.example"
_JUDGE = """async ([bundle, pins, tokens, cases]) => {
  const [trust, verifier] = await Promise.all(["trust", "verify"].map((name) => import(`/js/offline/${name}.js`)));
  const relied = await verifier.rely(await trust.read(bundle, pins), tokens);
  const reports = [];
  const judged = (text, now) => verifier.verify(text, relied, now).catch((error) => String(error.stack));
  for (const [text, now] of cases) reports.push(await judged(text, now));
  return reports;
}"""

Case = tuple[str, datetime]


class Page:
    """A page that has the verifier's modules and no network."""

    def __init__(self, chromium: "Browser") -> None:
        self._page = chromium.new_page()
        self._page.route("**/*", self._serve)
        self._page.goto(ORIGIN)

    def _serve(self, route: "Route") -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/")
        if path:
            route.fulfill(path=STATIC / path)
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    def run(self, program: str, *arguments: Any) -> Any:
        """Return what a function answers; modules are below `/js/offline/`."""
        return self._page.evaluate(program, list(arguments))

    def judge(self, bundle: str, pins: Sequence[str], tokens: Sequence[str], cases: Sequence[Case]) -> list[Any]:
        """Return the reports on texts, each at its time."""
        return list(self.run(_JUDGE, bundle, list(pins), list(tokens), [(t, now.timestamp()) for t, now in cases]))

    def close(self) -> None:
        self._page.close()


def by_python(relied: Relied, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return Python's reports on the same."""
    return [verify(text, relied, now=now).as_json() for text, now in cases]
