"""Pages whose skeleton is drawn once (页面骨架): what is the same for many visitors is kept, the rest is filled in.

A login or consent page differs between two visitors of one app by a token, a query and some values. So the template is
drawn once with a hole in place of each such value; from then on the holes are filled, with every value escaped. What is
of one visitor must be a `Gap`: a gap is kept nowhere. Everything else tells skeletons apart. A template may print a gap
and nothing else: asking it anything, as `if` does, is an error, for all visitors would get the answer of the first.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, NoReturn

from flask import current_app, render_template
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from idservice import language, type_size
from idservice.http.current import kept
from idservice.http.problems import language as tongue

if TYPE_CHECKING:
    from idservice.http.forms import FormProtection

_MOST: Final = 256  # skeletons of some six KB each; the oldest gives way
_KEPT: Final = "skeletons"


class _Unasked:
    """Something that can be printed, at most."""

    __slots__ = ()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError("a template may print a gap and ask it nothing")

    __bool__ = __str__ = __eq__ = __len__ = __iter__ = __getitem__ = _refuse
    __hash__ = None  # type: ignore[assignment]


class Gap(_Unasked):
    """A text of one visitor."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Hole(_Unasked):
    __slots__ = ("_mark",)

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __html__(self) -> str:
        return self._mark


class _Skeleton:
    """What stands between the holes of a page, and which hole comes after each piece."""

    def __init__(self, page: str, mark: str) -> None:
        pieces = re.split(f"{mark}([0-9]+);", page)
        self._first, self._order = pieces[0], [int(place) for place in pieces[1::2]]
        self._after = pieces[2::2]

    def filled(self, texts: list[str]) -> str:
        """Return the page with these texts in its holes, escaped."""
        safe = [str(escape(text)) for text in texts]
        page = [self._first]
        for place, piece in zip(self._order, self._after, strict=True):
            page += (safe[place], piece)
        return "".join(page)


def render(template: str, **context: Any) -> str:
    """Return the page that `render_template` would return, with the text of every `Gap` in its place.

    The context consists of gaps, hashable values, and dicts and lists of these.
    """
    protection: FormProtection = current_app.extensions["csrf"]
    lang, user = tongue(), kept().get("current_user")
    texts = [
        generate_csrf(),
        language.address_in("zh" if lang == "en" else "en"),
        user["name_masked"] if user is not None else "",
    ]
    key = (template, lang, type_size.is_large(), user is None, language.has_address(), _told_apart(context, texts))
    known: OrderedDict[Any, _Skeleton] = current_app.extensions.setdefault(_KEPT, OrderedDict())
    found = known.get(key)
    if found is None:
        found = known[key] = _draw(protection, template, context, is_nobody=user is None)
        if len(known) > _MOST:
            known.popitem(last=False)
    return found.filled(texts)


def plain(template: str, **context: Any) -> str:
    """Return the same page, drawn for this visitor alone: for one that has little in common with others."""
    return render_template(template, **_without_gaps(context))


def _without_gaps(value: Any) -> Any:
    if isinstance(value, Gap):
        return value.text
    if isinstance(value, dict):
        return {name: _without_gaps(member) for name, member in value.items()}
    return [_without_gaps(member) for member in value] if isinstance(value, list) else value


def _draw(protection: FormProtection, template: str, context: dict[str, Any], *, is_nobody: bool) -> _Skeleton:
    mark = f"gap-{secrets.token_hex(16)}-"
    holes = _Holes(mark)
    token, address, name = holes.next(), holes.next(), holes.next()
    frame = {
        "address_in": lambda _tongue: address,
        "current_user": None if is_nobody else {"name_masked": name},
    }
    with protection.replaced(token):
        return _Skeleton(render_template(template, **frame, **holes.put(context)), mark)


class _Holes:
    """Makes holes, numbered in the order in which `_told_apart` finds the gaps."""

    def __init__(self, mark: str) -> None:
        self._mark, self._count = mark, 0

    def next(self) -> _Hole:
        self._count += 1
        return _Hole(f"{self._mark}{self._count - 1};")

    def put(self, value: Any) -> Any:
        """Return `value` with a hole in place of each gap."""
        if isinstance(value, Gap):
            return self.next()
        if isinstance(value, dict):
            return {name: self.put(member) for name, member in value.items()}
        return [self.put(member) for member in value] if isinstance(value, list) else value


def _told_apart(value: Any, texts: list[str]) -> Any:
    """Return something hashable that is the same for contexts that differ in gaps alone; adds the texts of these."""
    if isinstance(value, Gap):
        texts.append(value.text)
        return Gap
    if isinstance(value, dict):
        return tuple((name, _told_apart(member, texts)) for name, member in value.items())
    return (list, *(_told_apart(member, texts) for member in value)) if isinstance(value, list) else value
