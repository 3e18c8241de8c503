"""The sub-room as a whole: where a login may lead."""

import random

import pytest

from idservice.login.pages import AFTER_LOGIN, local_path


@pytest.mark.parametrize(
    "path", ["/", "/me", "/oauth/authorize?client_id=a&redirect_uri=https%3A%2F%2Fa.example", "/a//b", "/~x"]
)
def test_a_path_on_this_site_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *(None, "", "me", " /me", "/me ", "/é", "/a\\b", "/\0", "/" + "a" * 9000),
        *("//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example"),
        *("/\t/evil.example", "/\n/evil.example"),
    ],
)
def test_everything_else_leads_home(path: str | None) -> None:
    assert local_path(path) == AFTER_LOGIN


def test_no_mutant_leads_off_the_site() -> None:
    chance = random.Random(11)
    for _ in range(3000):
        text = "".join(chance.choice("/\\.:@?#%ahtps \t\r\n\0é") for _ in range(chance.randint(0, 12)))
        path = local_path(text)
        assert path.startswith("/")
        assert path[1:2] not in {"/", "\\"}
        assert not set(path) & set("\\\t\r\n\0 ")
