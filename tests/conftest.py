"""What every test may ask for: a real database, a real Redis, a real browser, and foreign evidence.

Settings, all optional:

- `ONA_TEST_DATABASE_URL`: a PostgreSQL whose account may CREATE DATABASE; otherwise one is started from a wheel.
- `ONA_TEST_REDIS_URL`: a Redis database that the tests may flush; otherwise one is started, or an empty one used.
- `ONA_TEST_VECTORS`: the folder of foreign test vectors (with `seals/` in it).
- `ONA_TEST_CHROMIUM`: the browser's program, where it is not on the PATH under a usual name.
- `ONA_TEST_REQUIRE`: comma-separated markers (`browser,openssl,postgres,redis,softhsm,pdfsig,vectors`) that must run.
"""

import contextlib
import functools
import gc
import os
import shutil
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import redis

from seals import making, picture
from tests import scratch
from tests.databases import Databases, PostgresDatabases, SqliteDatabases, running_postgres
from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REQUIRED = frozenset(os.environ.get("ONA_TEST_REQUIRE", "").replace(",", " ").split())
# A test that asks for one of these fixtures carries the marker, so that none can forget it.
MARKER_OF_FIXTURE = {
    "chromium": "browser",
    "openssl": "openssl",
    "pdfsig": "pdfsig",
    "redis_url": "redis",
    "vectors": "vectors",
}
# The same examples every time, however slow the machine is: what is found by chance is for `make soak`.
hypothesis.settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")
# What a page comes to by itself may take this long, on two busy cores too; nobody waits longer than it takes.
PATIENCE_MILLISECONDS = 60_000
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    """Keep what tests write in memory, where there is room; each worker has its part of the first process's folder."""
    if config.option.basetemp is None and scratch.in_memory() is not None:
        folder = scratch.new("ona-tests-")
        config.option.basetemp = folder / "base"  # pytest makes it, and leaves it
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_finish() -> None:
    """Keep what stands until the end out of the garbage collector's way, and have it look less often.

    It would go through all modules and applications for every few objects that a test leaves.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in MARKER_OF_FIXTURE.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(MARKER_OF_FIXTURE[fixture])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a required test into a failure: in CI, "not tried" must not look like "fine"."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        needs = {marker.name for marker in item.iter_markers()}
        if "ONA_TEST_VECTORS" in str(report.longrepr):
            needs.add("vectors")
        if missing := REQUIRED & needs:
            report.outcome = "failed"
            report.longrepr = f"ONA_TEST_REQUIRE names {', '.join(sorted(missing))}, but: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def pictures_drawn_once() -> Iterator[None]:
    """Draw the picture of a seal once for all seals that look the same: it takes longer than the rest of making one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "to_png", functools.lru_cache(maxsize=256)(picture.to_png))
        yield


@pytest.fixture(scope="session")
def openssl() -> str:
    """Return the `openssl` command: another implementation to agree with."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no openssl: install it")
    return program


@pytest.fixture(scope="session")
def pdfsig() -> str:
    """Return Poppler's program that verifies the signatures of a PDF."""
    program = shutil.which("pdfsig")
    if program is None:
        pytest.skip("no pdfsig: install poppler-utils")
    return program


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Hand out databases of each kind in turn; a test that asks for this runs once on each."""
    if request.param == "sqlite":
        yield SqliteDatabases(tmp_path_factory.mktemp("databases"))
        return
    yield request.getfixturevalue("postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """Hand out PostgreSQL databases (mark the test `postgres` when it asks for this directly)."""
    with contextlib.ExitStack() as stack:
        url = os.environ.get("ONA_TEST_DATABASE_URL")
        if not url:
            try:
                url = stack.enter_context(running_postgres())
            except ImportError as error:
                pytest.skip(f"no PostgreSQL: set ONA_TEST_DATABASE_URL ({error})")
        place = PostgresDatabases(url, copies_files=url != os.environ.get("ONA_TEST_DATABASE_URL"))
        stack.callback(place.close)
        yield place


@pytest.fixture(scope="module")
def database_url(databases: Databases) -> Iterator[str]:
    """Give a test module an empty database of its own, once on each kind."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a Redis database that nobody else uses: the one named, one started here, or an empty one."""
    if url := os.environ.get("ONA_TEST_REDIS_URL"):
        yield url
        return
    if program := shutil.which("redis-server"):
        with _running_redis(program, tmp_path_factory.mktemp("redis")) as url:
            yield url
        return
    # Each worker tries a number of its own, from the top, where nobody keeps anything by habit.
    number = 15 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = f"redis://127.0.0.1:6379/{number}"
    try:
        with redis.Redis.from_url(url, socket_timeout=1) as client:
            is_free = client.dbsize() == 0
    except redis.RedisError as error:
        pytest.skip(f"no Redis: install redis-server or set ONA_TEST_REDIS_URL ({error})")
    if not is_free:
        pytest.skip(f"Redis database {number} on 127.0.0.1:6379 is in use; set ONA_TEST_REDIS_URL")
    yield url


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """Give one test an empty Redis database, and leave it empty."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
        yield redis_server
        client.flushdb()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """Start one headless Chromium for this test process."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    named = os.environ.get("ONA_TEST_CHROMIUM")
    program = named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if not program:
        pytest.skip("no Chromium: install it or set ONA_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """Open one page in a browser context of its own (no cookies of other tests), asking for Chinese first."""
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Give the folder of foreign test vectors, which are not this project's to commit."""
    folder = os.environ.get("ONA_TEST_VECTORS")
    if not folder:
        pytest.skip("foreign vectors: set ONA_TEST_VECTORS to the folder that holds seals/")
    return Path(folder)


@contextlib.contextmanager
def _running_redis(program: str, directory: Path) -> Iterator[str]:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(directory)]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen([program, *options], stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for_redis(url, server, directory / "log")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for_redis(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
        except redis.RedisError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Redis did not start: {log.read_text(errors='replace')[-2000:]}") from error
            time.sleep(0.02)
        else:
            return
