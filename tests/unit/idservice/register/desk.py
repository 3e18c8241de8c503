"""What tests of the registers' imports have in common: a desk at which files are brought in."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from idservice.call import Call, House
from idservice.models import Mandate
from idservice.register import importing, people, representatives
from idservice.register.importing import Progress
from idservice.register.importing_rejects import Rejects
from idservice.register.importing_rows import Form
from tests.builders import act

HEADER = "number,name,phone,level,status\n"


class Desk:
    """A house, the file of rejects beside it, and the way to bring a text in."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.rejects = house, Rejects(folder / "rejects.jsonl")

    def bring(self, text: str, kind: str = "people", form: Form = Form.CSV, **more: Any) -> dict[str, int]:
        return self.run(text.encode(), kind, form, **more).counts

    def run(self, data: bytes, kind: str = "people", form: Form = Form.CSV, **more: Any) -> Progress:
        register = importing.REGISTERS[kind]
        return importing.bring_in(self.house, register, io.BytesIO(data), self.rejects, form=form, **more)

    def refused(self) -> list[dict[str, Any]]:
        path = self.rejects.path
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        assert len({reject.pop("import") for reject in found}) <= 1
        return found

    def do(self, deed: Callable[[Call], Any]) -> Any:
        return act(self.house, deed)

    def count(self, table: type) -> int:
        return int(self.do(lambda call: call.session.scalar(select(func.count()).select_from(table))))

    def person(self, number: str) -> people.PersonFacts:
        return self.do(lambda call: people.facts(call, people.find(call, number) or ""))  # type: ignore[no-any-return]

    def leaders(self, code: str) -> list[str]:
        live = select(Mandate.subject).where(Mandate.role == representatives.ROLE, Mandate.withdrawn_at.is_(None))
        whose = self.do(lambda call: people.find(call, code))
        return list(self.do(lambda call: call.session.scalars(live.where(Mandate.principal == whose)).all()))


def told(added: int = 0, changed: int = 0, unchanged: int = 0, rejected: int = 0) -> dict[str, int]:
    return {"added": added, "changed": changed, "unchanged": unchanged, "rejected": rejected}
