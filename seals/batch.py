"""Seal many files one after another (批量盖章): each is announced, then sealed, in transactions of its own.

What a file's name ends with says how it is sealed: an OFD or PDF gets the seal inside, any other a signature beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from idservice.errors import Problem
from seals import use_document
from seals.use import Made, intend
from seals.use_document import Form, Wish

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.use_document import Ready

_FORMS = {".ofd": Form.OFD, ".pdf": Form.PDF}


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be sealed, what for and for whom."""

    name: str
    data: bytes
    purpose: str
    on_behalf: str | None = None

    @property
    def form(self) -> Form:
        """Return how the file is sealed."""
        return _FORMS.get(PurePath(self.name).suffix.lower(), Form.DETACHED)


@dataclass(frozen=True, slots=True)
class Announced:
    """A use that is on record, and the document made ready for it."""

    use_id: str
    ready: Ready | Made | Problem


@dataclass(frozen=True, slots=True)
class Sealed:
    """What came back for one file: the file sealed, or the signature to keep beside it."""

    use_id: str
    name: str
    data: bytes


def announce(call: Call, seal_id: str, document: Document) -> Announced:
    """Make a document ready and record that a seal is about to be used on it.

    Raises:
        Problem: what `use_document.draft` and `use.intend` raise.
    """
    ready = use_document.draft(call, seal_id=seal_id, document=document.data, wish=Wish(document.form))
    facts = {"purpose": document.purpose, "on_behalf": document.on_behalf}
    return Announced(intend(call, seal_id=seal_id, document=document.data, **facts), ready)  # type: ignore[arg-type]


def make(call: Call, seal_id: str, document: Document, announced: Announced) -> Announced:
    """Seal what was announced and write nothing; a refusal is kept for `seal` to raise."""
    if isinstance(announced.ready, (Made, Problem)):
        return announced
    facts = {"seal_id": seal_id, "use_id": announced.use_id, "document": document.data, "purpose": document.purpose}
    try:
        return Announced(announced.use_id, use_document.make(call, **facts, ready=announced.ready))  # type: ignore[arg-type]
    except Problem as problem:
        return Announced(announced.use_id, problem)


def seal(call: Call, seal_id: str, document: Document, announced: Announced) -> Sealed:
    """Seal what was announced, unless `make` has done so, and record it.

    Raises:
        Problem: what `use_document.seal` raises; nothing was written then.
    """
    if isinstance(announced.ready, Problem):
        raise announced.ready
    used = use_document.seal(
        call,
        seal_id=seal_id,
        use_id=announced.use_id,
        document=document.data,
        purpose=document.purpose,
        ready=announced.ready,
    )
    return Sealed(used.use_id, result_name(document.name, document.form), used.result)


def plain_name(name: str | None) -> str:
    """Return a file's name as a browser gave it, without folders and characters that cannot be seen."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(character for character in last if character.isprintable())[-200:]
    return shown if shown.strip(". ") else "file"


def result_name(name: str, form: Form) -> str:
    """Return what the result is called: a sealed document keeps its name, a signature is named after its file."""
    return f"{name}.ses" if form is Form.DETACHED else f"{PurePath(name).stem}.sealed{PurePath(name).suffix}"
