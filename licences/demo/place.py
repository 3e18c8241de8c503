"""Where a demonstration city lies (演示数据目录): a folder, its lock, and the settings that lead there."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from sqlalchemy import URL

from idservice.settings import PREFIX, TEST_PREFIX
from licences.demo.departments import SEAL_OFFICE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE_FORM = "_FILE"


class PlaceTakenError(Exception):
    """A demonstration runs in the folder already."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one city."""

    folder: Path

    @property
    def charter(self) -> Path:
        """Return where the city's charter is."""
        return self.folder / "city.json"

    def lock(self) -> IO[bytes]:
        """Make the folder and take it for this process, until the file is closed.

        Raises:
            PlaceTakenError: another process has it.
            OSError: it cannot be made or written.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (self.folder / "lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise PlaceTakenError from None
        return file

    def environment(
        self, given: Mapping[str, str], *, issuer: str, credential_issuer: str, ready_file: Path
    ) -> dict[str, str]:
        """Return all `ONA_` settings of the city.

        Args:
            given: the environment: its database, Redis, rate limits, logging and the like are honoured.
            issuer: the URL of this start.
            credential_issuer: the URL of the first one.
            ready_file: FILE.
        """
        fixed = {
            "ONA_ISSUER": issuer,
            "ONA_CREDENTIAL_ISSUER": credential_issuer,
            "ONA_TIMESTAMP_URL": f"{issuer}/tsa",
            "ONA_KEYS_DIR": str(self.folder / "keys"),
            "ONA_CHECKPOINT_FILE": str(self.folder / "checkpoint"),
            "ONA_READY_FILE": str(ready_file),
            "ONA_SMS_SENDER": f"file:{self.folder / 'sms.jsonl'}",
            "ONA_INSECURE_LOOPBACK": "1",
            "ONA_DEMO": "1",
            "ONA_SEAL_OFFICE": SEAL_OFFICE,
        }
        usual = {
            "ONA_DATABASE_URL": URL.create("sqlite", database=str(self.folder / "ona.db")).render_as_string(),
            "ONA_LOG_LEVEL": "WARNING",
            "ONA_LOG_JSON": "0",
        }
        kept = {
            name: value
            for name, value in given.items()
            if name.startswith(PREFIX)
            and not name.startswith(TEST_PREFIX)
            and name.removesuffix(_FILE_FORM) not in fixed
        }
        unsaid = {name: value for name, value in usual.items() if name + _FILE_FORM not in kept}
        return {**unsaid, **kept, **fixed}
