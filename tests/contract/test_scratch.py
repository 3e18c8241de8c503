"""What a killed test run left behind is removed by the next one; nothing of anybody else's is."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import scratch

PREFIX = "ona-made-up-"
# A run that says where it keeps its files, and goes on until its end is told to come, or comes.
RUN = """
import pathlib, sys
from tests import scratch
folder = scratch.own(pathlib.Path(sys.argv[1]), sys.argv[2])
(folder / "base" / "deep").mkdir(parents=True)
(folder / "base" / "deep" / "a.db").write_bytes(b"x")
(folder / "log").write_bytes(b"x")
print(folder, flush=True)
sys.stdin.read()
"""


class Run:
    """A test run of somebody's."""

    def __init__(self, place: Path) -> None:
        command = [sys.executable, "-c", RUN, place, PREFIX]
        root = Path(scratch.__file__).parents[1]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.folder = Path(self._process.stdout.readline().strip())

    def kill(self) -> Path:
        self._process.kill()
        self._process.communicate()
        return self.folder


def test_the_folder_of_a_killed_run_is_removed_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    dead, living = Run(tmp_path), Run(tmp_path)
    try:
        dead.kill()
        scratch.sweep(tmp_path, PREFIX)
        assert [*tmp_path.iterdir()] == [living.folder]
        assert (living.folder / "base" / "deep" / "a.db").exists()
    finally:
        living.kill()
    scratch.sweep(tmp_path, PREFIX)
    assert [*tmp_path.iterdir()] == []


def test_ones_own_folder_is_left_alone(tmp_path: Path) -> None:
    mine = scratch.own(tmp_path, PREFIX)
    scratch.sweep(tmp_path, PREFIX)
    assert [path.name for path in mine.iterdir()] == [scratch.OWNER]


def without_owner(place: Path) -> Path:
    folder = place / f"{PREFIX}old"
    folder.mkdir()
    return folder / "base"


def half_made(place: Path) -> Path:
    return without_owner(place).with_name("locking")


def of_another_name(place: Path) -> Path:
    return Run(place).kill().rename(place / "ona-other") / "base"


def by_a_link(place: Path) -> Path:
    folder = of_another_name(place)
    (place / f"{PREFIX}link").symlink_to(folder.parent)
    return folder


def of_a_linked_owner(place: Path) -> Path:
    base = without_owner(place)
    (place / "owned").touch()
    base.with_name(scratch.OWNER).symlink_to(place / "owned")
    return base


@pytest.mark.parametrize("left", [without_owner, half_made, of_another_name, by_a_link, of_a_linked_owner])
def test_what_cannot_be_attributed_is_left_alone(tmp_path: Path, left: Callable[[Path], Path]) -> None:
    kept = left(tmp_path)
    kept.mkdir(exist_ok=True)
    scratch.sweep(tmp_path, PREFIX)
    assert kept.exists()


def test_the_folder_of_another_account_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Run(tmp_path).kill()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    scratch.sweep(tmp_path, PREFIX)
    assert (folder / "base").exists()


def test_what_resists_is_removed_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Run(tmp_path).kill()

    def refuse(path: Path) -> None:
        raise OSError(path)

    with monkeypatch.context() as patch:
        patch.setattr(scratch.shutil, "rmtree", refuse)
        scratch.sweep(tmp_path, PREFIX)
    assert (folder / scratch.OWNER).exists()
    scratch.sweep(tmp_path, PREFIX)
    assert not folder.exists()


def test_what_a_link_in_it_leads_to_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = Run(tmp_path).kill()
    (folder / "link").symlink_to(outside)
    (folder / "base" / "link").symlink_to(outside)
    scratch.sweep(tmp_path, PREFIX)
    assert not folder.exists()
    assert (outside / "kept").exists()


def test_a_new_run_removes_what_another_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "in_memory", lambda: tmp_path)
    dead = Run(tmp_path).kill()
    made = scratch.new(PREFIX)
    assert not dead.exists()
    assert [*tmp_path.iterdir()] == [made]
