"""Somebody at a browser without a mouse: where each key leads is seen, and it is the next thing of the page."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

# How everything that a key can lead to looks before the key is pressed: what a ring of the focus would change.
LOOKS = """() => {
  const CLEAR = "rgba(0, 0, 0, 0)";
  const drawn = (style) => [
    style.outlineStyle === "none" || style.outlineColor === CLEAR ? "none" : style.outline,
    style.boxShadow, style.backgroundColor, style.borderColor,
  ].join("; ");
  const label = (one) => (one.labels?.[0] ? drawn(getComputedStyle(one.labels[0], "::before")) : "");
  window.look = (one) => drawn(getComputedStyle(one)) + label(one);
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
  window.before = { one: document.activeElement, looks: new Map([...all].map((one) => [one, window.look(one)])) };
}"""
FOUND = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const { one: last, looks } = window.before;
  const boxes = one.getClientRects(), box = boxes[0];
  const at = (x, y) => document.elementFromPoint(x, y);
  const from = last.getClientRects()[0];  // the next column may begin above what one leaves
  const line = Math.min(box.height, 40);  // of a box of many lines the first is where one writes
  const seen = [...boxes].map((b) => at(b.x + b.width / 2, b.y + Math.min(b.height, line) / 2));
  const mine = (other) => other && (one.contains(other) || other.contains(one) || one.labels?.[0]?.contains(other));
  return {
    name: (one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent).trim(),
    follows: !!(last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING),
    rises: last !== document.body && box.bottom <= from?.top && box.left < from.right,
    hidden: !(box.width && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.top + line <= innerHeight),
    covered: !seen.some(mine),
    ring: one.matches(":focus-visible") && window.look(one) !== looks.get(one),
  };
}"""


class Keyboard:
    """The keys that somebody presses on a page."""

    def __init__(self, page: "Page") -> None:
        self._page, self._keys = page, page.keyboard

    def to(self, name: str) -> None:
        """Press Tab until what has this name, or one that begins so, has the focus.

        Raises:
            AssertionError: it was not reached, or on the way the focus was lost, out of sight or out of order.
        """
        passed: list[str] = []
        while not passed or not passed[-1].startswith(name):
            found = self._tab("Tab")
            assert found is not None, f"{name} was not reached, only {passed}"
            assert found["follows"], f"{found} comes after {passed}"
            assert not found["rises"], f"{found} is above {passed}"
            passed.append(found["name"])

    def back_to(self, name: str) -> None:
        """Press Shift+Tab until what has this name, or one that begins so, has the focus.

        Raises:
            AssertionError: as `to`.
        """
        found = None
        while found is None or not found["name"].startswith(name):
            found = self._tab("Shift+Tab")
            assert found is not None, f"{name} was not reached"
            assert not found["follows"], f"{found} comes out of order"

    def write(self, text: str) -> None:
        """Type into what has the focus."""
        self._keys.type(text)

    def press(self, key: str) -> None:
        """Press a key that leaves the page where it is."""
        self._keys.press(key)

    def follow(self, key: str = "Enter") -> None:
        """Press a key that leads to another page, and wait for it."""
        with self._page.expect_navigation():
            self._keys.press(key)

    def _tab(self, key: str) -> dict[str, Any] | None:
        """Press a key that moves the focus; return what has it then, None where nothing of the page has."""
        self._page.evaluate(LOOKS)
        self._keys.press(key)
        found: dict[str, Any] | None = self._page.evaluate(FOUND)
        if found is not None:
            assert not found["hidden"], f"{found} is out of sight"
            assert not found["covered"], f"{found} lies below something"
            assert found["ring"], f"{found} does not show that it has the focus"
        return found
