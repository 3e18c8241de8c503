from flask import Flask

from idservice.login.browser import browser


def test_a_browser_keeps_its_name_and_no_two_share_one() -> None:
    app = Flask("names")
    app.secret_key = "of this test"
    app.add_url_rule("/", view_func=browser)
    one, other = app.test_client(), app.test_client()
    name = one.get("/").text
    assert len(name) == 32
    assert one.get("/").text == name
    assert other.get("/").text != name
