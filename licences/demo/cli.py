"""`flask demo`: build the demonstration city where there is none yet, serve it, and look after it until told to end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from idservice import schema, settings
from idservice.call import House
from idservice.db import Database
from idservice.errors import Problem
from idservice.events import courier
from idservice.http import logs
from idservice.http.limits import Limiter
from idservice.key_ring import open_ring
from idservice.log import sequencer
from idservice.log.tree import LogDamagedError
from keys.fields import FieldCipher
from keys.ring import RingError
from licences.demo import cases, charter, documents, file, greeting, seed
from licences.demo.city import city
from licences.demo.place import Place, PlaceTakenError
from licences.demo.supervisor import PortTakenError, Supervisor, WorkersFailedError, refuse_taken
from licences.demo.worker import HOST
from licences.status import publisher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from licences.demo.charter import Charter
    from licences.demo.city import DemoCity

CANNOT = 2
_EXPECTED = (charter.CharterError, settings.SettingsError, RingError, SQLAlchemyError, CommandError, OSError)
_OUR_CALLERS = ("FLASK_", "WERKZEUG_")  # variables of the command line that brought us here
_THREADS = 4  # of a worker: while one waits for the disk the others go on


class _StoppedError(Exception):
    """Somebody asked to end before the city was built."""


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="端口 On 127.0.0.1.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="数据目录 Where the city's database and keys lie.",
)
@click.option(
    "--json",
    "ready_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="说明文件 Where to write its accounts and clients when it answers. [default: demo.json in DATA]",
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="工作进程数 Processes.")
def demo(port: int, folder: Path, ready_file: Path | None, workers: int) -> None:
    """启动演示市 Start the demonstration city on this machine, and build it first where DATA holds none."""
    os.umask(0o077)  # what the city writes is for this account
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    place = Place(folder.resolve())
    ready_file = (ready_file or place.folder / "demo.json").resolve()
    try:
        refuse_taken(port)
        with place.lock():
            _run(place, port=port, ready_file=ready_file, workers=workers, stop=stop)
    except _StoppedError:
        _give_up("中断，再次启动会继续 Stopped before the city was built; the next start goes on.")
    except PlaceTakenError:
        _give_up(f"{place.folder} 中的演示已在运行 A demonstration runs in this folder already.")
    except PortTakenError as error:
        _give_up(f"端口 {port} 不可用 The port cannot be used ({error}): --port takes another.")
    except WorkersFailedError:
        _give_up("工作进程无法启动 The workers do not start; see above why.")
    except seed.ForeignDatabaseError:
        _give_up(
            "数据库中有他人数据或密钥已丢失 The database holds other people than this city's, or its keys are lost."
        )
    except Problem as problem:
        _give_up(f"{problem.code}: {problem.detail} {' '.join(f'{e.pointer} {e.message}' for e in problem.errors)}")
    except _EXPECTED as error:
        first_line, *_ = str(error).split("\n")
        _give_up(f"{type(error).__name__}: {first_line}")


def _run(place: Place, *, port: int, ready_file: Path, workers: int, stop: threading.Event) -> None:
    issuer = f"http://{HOST}:{port}"
    founded = charter.read(place.charter)
    if founded is None:
        founded = charter.draw_up(datetime.now(UTC), issuer)
        charter.write(place.charter, founded)
    environment = place.environment(
        os.environ, issuer=issuer, credential_issuer=founded.credential_issuer, ready_file=ready_file
    )
    house = _open(environment)
    ready_file.parent.mkdir(parents=True, exist_ok=True)
    ready_file.unlink(missing_ok=True)  # that of the last start, whose issuer may have been another one
    town = city(founded.seed, today=founded.day)
    finished = seed.is_inhabited(house, town) and founded.built
    with contextlib.ExitStack() as beside:
        for work in (_sequencing, courier.running, publisher.running):
            beside.enter_context(work(house))
        metrics = beside.enter_context(tempfile.TemporaryDirectory(prefix="ona-metrics-"))
        if not finished:
            _build(house, founded, town, stop)
            charter.write(place.charter, replace(founded, built=True))
        else:
            seed.keep_up(house, founded, town)
        cases.make(house, town)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OUR_CALLERS)}
        with Supervisor(
            port=port,
            environment=inherited | {"PROMETHEUS_MULTIPROC_DIR": metrics},
            workers=workers,
            threads=_THREADS,
        ) as supervisor:
            if not supervisor.start(stop):
                return
            sealed = documents.make(house, town, place.folder / "documents")
            members = seed.act(house, file.content, founded, town, environment, sealed)
            file.write(ready_file, members)
            click.echo(greeting.text(members))
            supervisor.watch(stop)


def _open(environment: dict[str, str]) -> House:
    """Make these the settings of this process and of those it starts, and open what they name, made where missing."""
    for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        if not name.startswith(settings.TEST_PREFIX):
            del os.environ[name]
    os.environ.update(environment)
    config = settings.from_environment()
    logs.configure(config)
    ring = open_ring(config, create=True)
    ring.ensure_all(datetime.now(UTC))
    database = Database(config.database_url)
    schema.upgrade(database)
    return House(config, database, ring, FieldCipher(ring), Limiter(config))


@contextlib.contextmanager
def _sequencing(house: House) -> Iterator[None]:
    """Keep the audit log in order meanwhile, and leave none of its rows behind in the end."""
    done = threading.Event()
    thread = threading.Thread(target=sequencer.run_forever, args=(house, done), name="sequencer")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        with contextlib.suppress(LogDamagedError):  # it was logged when it was found
            sequencer.sequence(house, datetime.now(UTC))


def _build(house: House, founded: Charter, town: DemoCity, stop: threading.Event) -> None:
    with click.progressbar(length=seed.effort(town), label="建立演示市 Building the city", file=sys.stderr) as bar:

        def tick(steps: int) -> None:
            if stop.is_set():
                raise _StoppedError
            bar.update(steps)

        seed.build(house, founded, town, tick=tick)


def _give_up(reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(CANNOT)
