"""Browsers in which somebody has logged in before: whoever shares one is known there beside the others."""

from collections.abc import Iterator

import pytest

from idservice.login import device, session
from tests.factors import forget_factors
from tests.identity import AGENT, City


@pytest.fixture(autouse=True)
def clean(city: City) -> Iterator[None]:
    yield
    forget_factors(city)


def test_a_browser_that_two_people_share_is_known_for_both(city: City) -> None:
    home = city.browser()
    home.log_in()
    before = home.client.get_cookie(device.COOKIE).value
    home.client.delete_cookie(session.COOKIE)
    home.log_in(number=AGENT)
    for _ in range(6):
        city.browser().log_in(password="wrong password")
    assert city.browser().log_in().status == 400
    home.client.delete_cookie(session.COOKIE)
    assert home.log_in().status != 400
    assert before.split(".")[0] in home.client.get_cookie(device.COOKIE).value, "a device keeps its name"
