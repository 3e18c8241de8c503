import json
import random
from pathlib import Path
from typing import Any

import pytest

from idservice.oauth import redirects

VECTORS = json.loads((Path(__file__).parents[3] / "vectors/oauth/redirects.json").read_text())


@pytest.mark.parametrize("case", VECTORS["registrable"].values(), ids=VECTORS["registrable"].keys())
def test_registrable(case: dict[str, Any]) -> None:
    assert redirects.check(**case) == case["uri"]


@pytest.mark.parametrize("case", VECTORS["refused"].values(), ids=VECTORS["refused"].keys())
def test_refused(case: dict[str, Any]) -> None:
    with pytest.raises(redirects.UnsafeRedirect):
        redirects.check(**case)


def test_comparison_is_exact() -> None:
    registered = ("https://app.example.cn/cb",)
    assert redirects.matches(registered, registered[0], native=True)
    for other in (
        "https://app.example.cn/cb/",
        "https://APP.example.cn/cb",
        "https://app.example.cn/cb?",
        "https://app.example.cn:443/cb",
        "",
    ):
        assert not redirects.matches(registered, other, native=True)


@pytest.mark.parametrize("port", ["", ":1", ":50123"])
def test_a_native_app_has_whatever_port(port: str) -> None:
    assert redirects.matches(("http://127.0.0.1:9/cb?a=1",), f"http://127.0.0.1{port}/cb?a=1", native=True)
    assert not redirects.matches(("http://127.0.0.1:9/cb?a=1",), f"http://127.0.0.1{port}/cb?a=1", native=False)


@pytest.mark.parametrize(
    "uri",
    [
        "http://[::1]/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1/cb2",
        "http://127.0.0.1:1@evil/cb",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/cb#x",
        "http://127.0.0.1:1/cb\n",
    ],
)
def test_and_nothing_else_of_its_own(uri: str) -> None:
    assert not redirects.matches(("http://127.0.0.1/cb",), uri, native=True)


def test_no_mutant_of_a_registered_uri_matches_it() -> None:
    chance, good = random.Random(5), "https://app.example.cn:8443/cb?tenant=1"
    for _ in range(3000):
        place = chance.randrange(len(good) + 1)
        mutant = good[:place] + chance.choice("/\\@:.%#? \0aZ1é") + good[place + chance.randint(0, 2) :]
        if mutant != good:
            assert not redirects.matches((good,), mutant, native=True)
        try:
            redirects.check(mutant, native=True, loopback=True)
        except redirects.UnsafeRedirect:
            continue
        assert mutant.startswith("https://")
