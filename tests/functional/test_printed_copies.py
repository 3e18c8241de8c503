"""A sealed copy printed at a terminal: by the holder's own code, the whole of one licence, once, and on his record."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest

from licences.showing import printing
from tests.town import ALICE, BOB, CLERK, NAMES, SECURITY, WINDOW, Town, order_for, type_of

PURPOSE = "申请居住证"


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    return town.issue().identifier


@pytest.fixture(scope="module")
def whole(town: Town) -> list[str]:
    kind = type_of("real_estate_title").code
    return town.act(lambda call: printing.whole(call, [kind]))


def printed(town: Town, code: str, **more: Any) -> Any:
    body = {"text": code, "purpose": PURPOSE, "operator": {"id_number": CLERK, "counter": WINDOW}, **more}
    return town.post("/v1/printed-copies", body, town.machine("counter"))


def test_what_is_printed_is_sealed_and_says_what_it_is_for(town: Town, title: str, whole: list[str]) -> None:
    answer = printed(town, town.show(title, fields=whole))
    assert answer.status_code == 201, answer.text
    document = base64.b64decode(answer.json["data"])
    checked = town.web.post("/v1/seal-verifications", data={"file": (io.BytesIO(document), "copy.pdf")})
    assert checked.json["ok"] is True, checked.text
    assert answer.json["name"] == f"{answer.json['number']}.pdf"
    look = town.looks()[0]
    assert (look["act"], look["purpose"], look["basis"]) == ("licences:printed_copy:create", PURPOSE, "show_code")
    assert set(look["fields"]) >= {"holder_name", "holder_number", "location"}
    assert look["unit"] == f"{NAMES[SECURITY]} {WINDOW}"


def test_a_copy_is_on_the_record_of_everybody_it_names(town: Town, whole: list[str]) -> None:
    body = order_for(number=ALICE) | {"holders": [{"number": ALICE}, {"number": BOB}]}
    del body["holder"]
    held = town.post("/v1/licences", body).json["identifier"]
    assert printed(town, town.show(held, fields=whole)).status_code == 201
    for number, basis in ((ALICE, "show_code"), (BOB, "co_holder")):
        look = town.looks(number)[0]
        assert (look["act"], look["basis"]) == ("licences:printed_copy:create", basis)
        assert "holder_number" in look["fields"]


def test_a_code_is_good_for_one_copy(town: Town, title: str, whole: list[str]) -> None:
    code = town.show(title, fields=whole)
    assert printed(town, code).status_code == 201
    again = printed(town, code)
    assert (again.status_code, again.json["code"]) == (403, "print_code_void")


@pytest.mark.parametrize("less", [None, ["location"], ["holder_name", "holder_number"]])
def test_a_code_that_shows_less_prints_nothing_and_stays_good(town: Town, title: str, less: list[str] | None) -> None:
    code = town.show(title, **({"fields": less} if less else {}))
    answer = printed(town, code)
    assert (answer.status_code, answer.json["code"]) == (403, "print_not_whole")
    assert town.verify(code)["ok"] is True, "the refusal did not use it up"


def test_one_licence_at_a_time(town: Town, title: str, whole: list[str]) -> None:
    other = town.issue().identifier
    assert printed(town, town.show(title, other, fields=whole)).json["code"] == "print_not_whole"


@pytest.mark.parametrize("text", ["0" * 26, "x", "1.2.156.3005.2"])
def test_what_is_no_live_code_prints_nothing(town: Town, title: str, text: str) -> None:
    assert title not in text
    assert printed(town, text).json["code"] == "print_code_void"


def test_a_suspended_licence_is_not_printed(town: Town, whole: list[str]) -> None:
    held = town.issue().identifier
    code = town.show(held, fields=whole)
    assert town.change(held, "suspend", reason="核查").status_code == 201
    answer = printed(town, code)
    assert (answer.status_code, answer.json["code"]) == (409, "licence_not_in_force")


def test_nobody_prints_without_a_purpose_or_a_post(town: Town, title: str, whole: list[str]) -> None:
    code = town.show(title, fields=whole)
    assert printed(town, code, purpose=" ").status_code == 422
    assert printed(town, code, operator={"id_number": BOB, "counter": WINDOW}).json["code"] == "operator_unknown"
    body = {"text": code, "purpose": PURPOSE}
    assert town.post("/v1/printed-copies", body, town.person(ALICE)).status_code == 403
    assert town.web.post("/v1/printed-copies", json=body).status_code == 401
    assert printed(town, code).status_code == 201, "no refusal used the code up"


def test_the_terminal_s_own_page_opens_the_copy_and_goes_back(town: Town, title: str) -> None:
    phone, terminal = town.browser(ALICE), town.browser(CLERK)
    chosen = phone.submit(phone.open("/me/show"), licences=title, part="whole")
    code = "".join(re.findall(r"<span>([0-9A-Z]{2,4})</span>", chosen.text))
    waiting = terminal.open("/terminal/copies")
    assert waiting.form["action"] == "/terminal/copies"
    nothing = terminal.submit(waiting, text=" ")
    assert (nothing.status, nothing.form["action"]) == (422, "/terminal/copies")
    token = waiting.form["values"]["csrf_token"]
    answer = terminal.client.post("/terminal/copies", data={"csrf_token": token, "text": code, "purpose": ""})
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Refresh"] == "60; url=/terminal"
    assert "no-store" in answer.headers["Cache-Control"]
    assert town.looks()[0]["purpose"] == "本人在自助终端打印"
    again = terminal.client.post("/terminal/copies", data={"csrf_token": token, "text": code, "purpose": ""})
    assert "亮证码无效" in again.text
    assert 'action="/terminal/copies"' in again.text
    assert town.browser(ALICE).open("/terminal/copies").status == 403
    assert town.browser(ALICE).client.post("/terminal/copies").status_code in {400, 403}
