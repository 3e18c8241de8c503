"""What the pages of the register say of a mistake."""

import pytest
from flask import Flask

from idservice.errors import FieldProblem
from seals.register_pages import problem_text
from tests.builders import build_app, migrate
from tests.databases import SqliteDatabases

CODES = ("required", "wording", "unknown", "too_early", "too_late", "out_of_range")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("register-pages")
    return build_app(folder, SqliteDatabases(folder).fresh(migrate))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_fault_has_words_of_its_own(app: Flask, language: str) -> None:
    with app.test_request_context(f"/seals/apply?lang={language}"):
        told = [problem_text(FieldProblem("/x", code, "")) for code in (*CODES, "of another kind")]
    assert len(set(told)) == len(told)
    assert all(text.isascii() or "专用章" in text or "’" in text for text in told) is (language == "en")
