"""U+0000 comes in by no door: PostgreSQL cannot store it, and no text has it."""

from __future__ import annotations

import pytest

from tests.identity import City


@pytest.mark.parametrize("path", ["/login%00", "/log/tile/0/000%00", "/v1/licences/%00", "/me/licences/%00"])
def test_an_address_with_nul_is_refused(city: City, path: str) -> None:
    assert city.app.test_client().get(path).status_code == 400


@pytest.mark.parametrize(
    "path", ["/login?to=%00", "/v1/licence-types?limit=%00", "/verify?licence=%00x", "/docs?a=%00"]
)
def test_a_parameter_with_nul_harms_nobody(city: City, path: str) -> None:
    assert city.app.test_client().get(path).status_code < 500


def test_a_form_with_nul_is_refused_or_reads_as_a_wrong_login(city: City) -> None:
    browser = city.browser()
    page = browser.open("/login")
    answer = browser.submit(page, number="\0", password="\0\0")
    assert answer.status in {200, 400}
    assert "traceback" not in answer.text.lower()
