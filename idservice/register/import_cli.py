"""`flask register`: bring the population and legal-entity registers in from files, for operators.

Exit status: 0 every row is in, 1 some were rejected, 2 it could not be done. `--json` for machines; the progress bar
goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.register import importing
from idservice.register.importing import ImportRefused, Progress
from idservice.register.importing_index import NumberTakenMeanwhile
from idservice.register.importing_rejects import Rejects
from idservice.register.importing_rows import Form
from keys.ring import RingError

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from idservice.call import House
    from idservice.register.importing_work import Register

YES, SOME_REJECTED, CANNOT = 0, 1, 2
STDIN = Path("-")

register = AppGroup("register", help="人口库与法人库 The registers of people and organisations.")


_Command = TypeVar("_Command", bound=Callable[..., object])


def import_options(command: _Command) -> _Command:
    """Give a command the argument FILE and the options that every import has; `bring_in` takes them."""
    for given in reversed(
        [
            click.argument("file", type=click.Path(path_type=Path, allow_dash=True)),
            click.option(
                "--format", "form", type=click.Choice([str(form) for form in Form]), help="默认看扩展名 By extension."
            ),
            click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]), default="utf-8", show_default=True),
            click.option(
                "--rejects", type=click.Path(path_type=Path), help="默认 FILE.rejects.jsonl Where refused rows go."
            ),
            click.option("--dry-run", is_flag=True, help="只检查不写入 Check everything, enter nothing."),
            click.option("--restart", is_flag=True, help="从头开始 Do not go on where an interrupted run stopped."),
            click.option(
                "--processes", type=click.IntRange(0, 64), help="核验与加密的进程数 Processes that check and encrypt."
            ),
            click.option("--json", "as_json", is_flag=True, help="机器可读 For machines."),
        ]
    ):
        command = given(command)
    return command


@register.command("import")
@click.argument("kind", type=click.Choice(["people", "organisations"]))
@import_options
def import_file(kind: str, **options: Any) -> None:
    """导入 Bring FILE ("-": standard input) into a register; run again, it goes on where it stopped.

    CSV 需有表头 needs a header; both forms know: number name phone level status (people), number name status
    representative (organisations), or the Chinese names of these.
    """
    bring_in(house_here(), importing.REGISTERS[kind], **options)


def house_here() -> House:
    """Return the house the command runs in, or end the program."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        give_up("there are no usable settings or no key ring: flask keys new")
    return house


def bring_in(
    house: House,
    into: Register,
    file: Path,
    form: str | None,
    encoding: str,
    rejects: Path | None,
    dry_run: bool,
    restart: bool,
    processes: int | None,
    as_json: bool,
) -> NoReturn:
    """Bring a file into a register as the options say, tell what became of its rows, and end the program."""
    chosen = form or {".csv": Form.CSV, ".jsonl": Form.JSONL, ".ndjson": Form.JSONL}.get(file.suffix.lower())
    if chosen is None:
        raise click.UsageError("--format csv|jsonl 未指定 The extension does not say the form.")
    if file == STDIN and rejects is None:
        raise click.UsageError("标准输入需要 --rejects For standard input name a file for the rejects.")
    kept = Rejects(rejects or Path(f"{file}.rejects.jsonl"))
    started = time.monotonic()
    try:
        with sys.stdin.buffer if file == STDIN else file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size if file != STDIN else None
            with _progress(into.kind, size) as tell:
                progress = importing.bring_in(
                    house,
                    into,
                    stream,
                    kept,
                    form=Form(chosen),
                    encoding=encoding,
                    dry_run=dry_run,
                    restart=restart,
                    processes=_processes(size) if processes is None else processes,
                    tell=tell,
                )
    except OSError as error:
        give_up(f"{error.filename or file}: {error.strerror}")
    except (ImportRefused, RingError) as error:
        give_up(str(error))
    except NumberTakenMeanwhile:
        give_up("the same numbers are being entered elsewhere: run it again")
    except SQLAlchemyError as error:
        give_up(str(error).splitlines()[0])
    except KeyboardInterrupt:
        give_up("paused; run the same command again and it goes on where it stopped")
    _tell(into.kind, progress, kept, dry_run=dry_run, seconds=time.monotonic() - started, as_json=as_json)
    sys.exit(SOME_REJECTED if progress.counts["rejected"] else YES)


@contextmanager
def _progress(kind: str, size: int | None) -> Iterator[Callable[[int], object]]:
    """Show on standard error how far it is: a bar where the end is known, else the bytes done."""
    bar: ProgressBar[int]
    if size:
        with click.progressbar(length=size, label=f"导入 {kind}", file=sys.stderr) as bar:
            yield bar.update
        return
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if sys.stderr.isatty():
            click.echo(f"\r导入 {kind}: {done >> 10} KiB", nl=False, err=True)

    yield tell


def _processes(size: int | None) -> int:
    """Return how many processes are worth their start: none for a small file, else all cores but the writer's."""
    return 0 if size is not None and size < 4 * 1024 * 1024 else max(1, (os.cpu_count() or 1) - 1)


def _tell(kind: str, progress: Progress, rejects: Rejects, *, dry_run: bool, seconds: float, as_json: bool) -> None:
    counts = progress.counts
    rows = sum(counts.values())
    found = {
        "register": kind,
        "rows": rows,
        **counts,
        "resumed_after_line": progress.resumed_after,
        "dry_run": dry_run,
        "rejects": str(rejects.path) if counts["rejected"] else None,
        "seconds": round(seconds, 1),
    }
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    click.echo(
        f"{'试运行 dry run: ' if dry_run else ''}{rows} 行 rows: 新增 {counts['added']} added, "
        f"更新 {counts['changed']} changed, 无变化 {counts['unchanged']} unchanged, 退回 {counts['rejected']} rejected"
    )
    if counts["rejected"]:
        click.echo(f"退回的行和原因 The rejected rows with their reasons: {rejects.path}", err=True)


def give_up(reason: str) -> NoReturn:
    """Say why it cannot be done, and end the program."""
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(CANNOT)
