"""The self-service terminal (自助终端): a screen without a clerk, under an account of its own with a counter's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from idservice.errors import Problem
from idservice.http.page import Who, page
from licences import asker, verify
from licences.pages import shown, words
from licences.pages.public import NOTHING, foresee_file, scanned_in_form
from licences.showing import printing

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.sharing.annotated import Annotated
    from licences.verify import Report

blueprint = Blueprint("terminal_pages", __name__, template_folder="../templates")

PURPOSE = ("自助终端核验", "Check at a self-service terminal")
PRINTED_FOR = ("本人在自助终端打印", "Printed by the holder at a self-service terminal")
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


@page(blueprint, "/terminal", who=Who.CLERK, methods=("POST",), prepare=_judge, foresee=foresee_file)
def answer(call: Call, prepared: Report) -> str:
    """Say what holds, for a minute, to be printed."""
    return _page(result=shown.result(call, prepared))


@page(blueprint, "/terminal/copies", who=Who.CLERK)
def wait_to_print(_call: Call) -> str:
    """Wait for a show code that prints a copy."""
    return _page(is_copy=True)


def _print(call: Call) -> Annotated | Response:
    text = request.form.get("text", "").strip()
    if not text:
        return Response(_page(error=words.word(NOTHING), is_copy=True), 422)
    purpose = request.form.get("purpose", "").strip() or words.word(PRINTED_FOR)
    return printing.print_copy(call, text, asker.of_call(call, {"purpose": purpose}))


def _print_again(_call: Call, problem: Problem) -> str:
    return _page(error=words.problem_text(problem), is_copy=True)


@page(blueprint, "/terminal/copies", who=Who.CLERK, methods=("POST",), prepare=_print, again=_print_again)
def print_copy(_call: Call, prepared: Annotated) -> Response:
    """Open the sealed copy in the browser's own viewer, which prints it; the screen then goes back to waiting."""
    answer = Response(prepared.content, mimetype=prepared.media_type)
    answer.headers["Content-Disposition"] = f"inline; filename={prepared.file_name}"
    answer.headers["Refresh"] = f"{SECONDS}; url=/terminal"  # the viewer runs none of our scripts
    return answer


def _page(*, result: dict[str, Any] | None = None, error: str | None = None, is_copy: bool = False) -> str:
    return render_template("terminal/index.html", result=result, error=error, is_copy=is_copy, seconds=SECONDS)
