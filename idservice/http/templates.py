"""Templates of the pages (页面模板), compiled once for each language: constant texts are translated then, and no more.

A page holds some thirty texts and addresses that are the same for every visitor of one language. Jinja would look each
of them up for every visitor; here they stand in the compiled template as they will be read.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from babel.support import NullTranslations, Translations
from flask import has_request_context
from flask.templating import Environment
from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer

from idservice.http.problems import language

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule
    from jinja2.runtime import Context

TRANSLATIONS: Final = Path(__file__).parents[1] / "translations"
SOURCE: Final = "zh"  # the language the templates are written in


class _Constants(NodeTransformer):
    """Puts words in place of `_("...")` and an address in place of `url_for("static", filename="...")`."""

    def __init__(self, words: Callable[[str], str], static: str) -> None:
        self._words, self._static = words, static

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the name that Jinja calls
        """Return the call, or what it would give every visitor; words with gaps are left to be filled."""
        self.generic_visit(node)
        if node.dyn_args is not None or node.dyn_kwargs is not None or not isinstance(node.node, nodes.Name):
            return node
        match node.node.name, node.args, node.kwargs:
            case "_", [nodes.Const(value=str(text))], gaps:
                shown = nodes.MarkSafeIfAutoescape(nodes.Const(self._words(text)))
                filled = nodes.Dict([nodes.Pair(nodes.Const(gap.key), gap.value) for gap in gaps])
                return nodes.Mod(shown, filled).set_lineno(node.lineno)
            case "url_for", [nodes.Const(value="static")], [nodes.Keyword(key="filename", value=nodes.Const() as name)]:
                return nodes.Const(f"{self._static}/{name.value}").set_lineno(node.lineno)
        return node


class _PageTemplate(Template):
    """A template whose macros are made once: no template here has globals of its own."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:  # noqa: ARG002 - Jinja's
        return super()._get_default_module()


class PageTemplates(Environment):
    """The templates of an application: for whoever asks, those of his language."""

    template_class = _PageTemplate
    tongue: str | None = None  # of an environment of one language, with its constants
    constants: _Constants | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._languages: dict[str, PageTemplates] = {}

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:  # noqa: A002
        if self.tongue is not None:
            return super()._load_template(name, globals)
        wanted = language() if has_request_context() else SOURCE
        found: Template = self._of(wanted if wanted == "en" else SOURCE).get_template(name, None, globals)
        return found

    def _of(self, tongue: str) -> PageTemplates:
        """Return the environment of one language; it shares filters and globals with this one."""
        found = self._languages.get(tongue)
        if found is None:
            known: NullTranslations = NullTranslations()
            if tongue != SOURCE:
                known = Translations.load(str(TRANSLATIONS), [tongue])
            found = self.overlay()
            found.tongue = tongue
            found.constants = _Constants(known.ugettext, self.app.static_url_path or "")
            self._languages[tongue] = found
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        if self.constants is not None:
            self.constants.visit(parsed)
        return parsed
