"""The self-service terminal (自助终端): a screen without a clerk, under an account of its own with a counter's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template

from idservice.http.page import Who, page
from licences import asker, verify
from licences.pages import shown, words
from licences.pages.public import NOTHING, scanned_in_form

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.verify import Report

blueprint = Blueprint("terminal_pages", __name__, template_folder="../templates")

PURPOSE = ("自助终端核验", "Check at a self-service terminal")
#: Seconds until what somebody left on the screen is cleared.
SECONDS = 60


@page(blueprint, "/terminal", who=Who.CLERK)
def wait(_call: Call) -> str:
    """Wait for a show code."""
    return _page()


def _judge(call: Call) -> Report | Response:
    scanned = scanned_in_form()
    if scanned is None:
        return Response(_page(error=words.word(NOTHING)), 422)
    return verify.verify(call, scanned, asker.of_call(call, {"purpose": words.word(PURPOSE)}))


@page(blueprint, "/terminal", who=Who.CLERK, methods=("POST",), prepare=_judge)
def answer(call: Call, prepared: Report) -> str:
    """Say what holds, for a minute, to be printed."""
    return _page(result=shown.result(call, prepared))


def _page(*, result: dict[str, Any] | None = None, error: str | None = None) -> str:
    return render_template("terminal/index.html", result=result, error=error, seconds=SECONDS)
