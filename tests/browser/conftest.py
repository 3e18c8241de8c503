"""Fixtures of the browser tests: one demonstration city for each test process, and people who visit it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.live import Live, Visitor, listening_app
from tests.functional.running_demo import RunningDemo
from tests.ports import in_turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Visit = Callable[..., Visitor]
App = tuple[dict[str, Any], list[dict[str, str]]]


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Run the city as a person starts it."""
    with RunningDemo(tmp_path_factory.mktemp("live")) as demo:
        yield Live(demo.members)


@pytest.fixture
def visit(live: Live, chromium: "Browser") -> Iterator[Visit]:
    """Let somebody visit with a browser of his own; at the end none may have heard a complaint."""
    came: list[Visitor] = []

    def arrive(**options: Any) -> Visitor:
        came.append(Visitor.arrive(live, chromium, **options))
        return came[-1]

    yield arrive
    for visitor in came:
        visitor.leave()


@pytest.fixture
def app(live: Live) -> Iterator[App]:
    """Let an app listen where it is registered, which one test process can at a time."""
    with in_turn("app"), contextlib.ExitStack() as stack:
        try:
            found = stack.enter_context(listening_app(live))
        except OSError as error:
            pytest.skip(f"no app can listen: {error}")
        yield found
