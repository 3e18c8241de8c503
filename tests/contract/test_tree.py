"""The house rules that linters cannot keep: names, sizes, and what may lie in the tree."""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("keys", "idservice", "seals", "licences")
LONGEST_SOURCE = 400
VECTORS = "tests/vectors/"  # published examples: keys and addresses in them are facts, not ours

TOP_LEVEL = {
    "pyproject.toml", "README.md", "wsgi.py", *ROOMS, "tests",  # the rooms, fixed
    "Makefile", "docs", "examples", "benchmarks", "migrations", "deploy", "requirements",  # what developers expect
    "CHANGELOG.md", "SECURITY.md", "LICENSE", "package.json", "package-lock.json",
    ".ci", ".editorconfig", ".gitignore", ".npmrc",
}  # fmt: skip
NAMES_THAT_SAY_NOTHING = {"util", "utils", "common", "helper", "helpers", "manager", "managers", "service", "services"}

# Who tests the files that no test names: by file name (the edges) or folder. A line that is no longer needed fails.
TESTED_ELSEWHERE = {
    "licences/collection": "files and batches are brought in by tests/functional/test_collection.py",
    "licences/counter": "look-ups are walked in tests/functional/test_lookup_*.py, department checks beside them",
    "licences/life": "the life of licences is walked in tests/functional/test_licence_life.py",
    "licences/sharing": "sharing is walked in tests/functional/test_sharing.py",
    "licences/wallets/presentation": "wallets are asked and answer in tests/functional/test_wallet_presentation*.py",
    "cli": "commands are run as a person runs them in tests/functional",
    "pages": "pages are walked in tests/functional and tests/browser",
    "routes": "endpoints are walked in tests/functional",
    "schemas": "schemas are tested through their endpoints",
}


@cache
def files() -> tuple[str, ...]:
    """Every file that is or would be committed, as paths relative to the root."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a git checkout: {error}")
    # A file that was deleted but is not yet recorded as such is still listed.
    return tuple(name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file())


@cache
def texts() -> dict[str, str]:
    """The text files among them with their content, this file apart: it has to name what it forbids."""
    found = {}
    for name in files():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content and (ROOT / name) != Path(__file__):
            found[name] = content.decode("utf-8")
    return found


def sources(*endings: str) -> list[str]:
    return [name for name in files() if name.endswith(endings or (".py",))]


def hits(pattern: str, flags: re.RegexFlag = re.NOFLAG, *, leave_out: tuple[str, ...] = ()) -> list[str]:
    """Return `file:line: match` for every place where a text file holds the pattern."""
    found = []
    for name, text in texts().items():
        if not name.startswith(leave_out or ("\0",)):
            for match in re.finditer(pattern, text, flags):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name}:{line}: {match.group(0)[:60]}")
    return found


def test_top_level_names_are_the_fixed_ones() -> None:
    assert {name.split("/")[0] for name in files()} - TOP_LEVEL == set()


def test_no_name_that_says_nothing() -> None:
    parts = {(part.removesuffix(".py").lower(), name) for name in sources() for part in name.split("/")}
    assert [name for part, name in sorted(parts) if part in NAMES_THAT_SAY_NOTHING] == []


def test_no_source_file_is_long() -> None:
    lengths = {name: (ROOT / name).read_text("utf-8").count("\n") for name in sources(".py", ".js", ".sh")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_SOURCE} == {}


def test_nothing_is_left_to_do() -> None:
    words = "TODO|FIXME|XXX|HACK"
    assert hits(rf"(#|//|/\*|<!--|--)\s*({words})\b|\b({words})\s*[:(]", leave_out=(VECTORS, "package-lock.json")) == []


def test_no_path_of_somebodys_machine() -> None:
    assert hits(r"(?<![\w./}])/(root|work|home/[a-z]\w*|Users/\w+|opt/pypi[\w-]*)(?=[/\s'\"`]|$)", re.MULTILINE) == []


def test_no_property_has_a_clock_of_its_own() -> None:
    # What tests/conftest.py says of deadlines and of slow examples holds wherever other settings are stated.
    within = r"\bsettings\((?:[^()]|\([^()]*\))*?"
    assert hits(rf"{within}(?:deadline=(?!None\b)|suppress_health_check=(?!list\(HealthCheck\)))") == []


def test_no_registry_address() -> None:
    hosts = r"registry\.(npmjs|yarnpkg|npmmirror)\.\w+|pythonhosted\.org|pypi\.(org|tuna)"
    assert hits(rf"{hosts}|--(extra-)?index-url") == []


def test_no_private_key_in_a_pem() -> None:
    assert hits(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(\\n)?\s*[A-Za-z0-9+/]{16}", leave_out=(VECTORS,)) == []


def test_no_private_key_in_a_jwk() -> None:
    assert hits(r"[\"']d[\"']\s*:\s*[\"'][A-Za-z0-9_-]{40,}[\"']", leave_out=(VECTORS,)) == []


def test_no_key_store_or_database() -> None:
    forbidden = (
        ".key",
        ".p12",
        ".pfx",
        ".jks",
        ".db",
        ".sqlite",
        ".sqlite3",
        ".ttf",
        ".otf",
        ".woff",
        ".woff2",
        ".pyc",
    )
    assert sources(*forbidden) == []


def test_every_source_has_a_test() -> None:
    """A test of its name (or of its sub-room's), a test that imports it, or a line in TESTED_ELSEWHERE."""
    tested = set(sources())
    imported = _imported_by_tests()
    without, excused = [], set()
    for name in sources():
        room, _, rest = name.partition("/")
        path = Path(rest)
        if room not in ROOMS or path.name.startswith("__"):
            continue
        stems = {path.stem} | ({path.parent.name, f"{path.parent.name}_{path.stem}"} if len(path.parts) > 1 else set())
        places = {f"tests/unit/{room}", f"tests/unit/{room}/{path.parent.as_posix()}"}
        if {f"{place}/test_{stem}.py" for place in places for stem in stems} & tested:
            continue
        if name.removesuffix(".py").replace("/", ".") in imported:
            continue
        reasons = [key for key in TESTED_ELSEWHERE if key == path.stem or name.startswith(f"{key}/")]
        excused.update(reasons)
        if not reasons:
            without.append(name)
    assert without == []
    assert set(TESTED_ELSEWHERE) - excused == set(), "no longer needed in TESTED_ELSEWHERE"


def _imported_by_tests() -> set[str]:
    found: set[str] = set()
    for name, text in texts().items():
        if name.startswith("tests/") and name.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
    return found


def test_locks_are_hashed_and_name_no_address() -> None:
    for lock in ("package-lock.json", "tests/peers/package-lock.json"):
        for name, package in json.loads((ROOT / lock).read_text("utf-8"))["packages"].items():
            assert "resolved" not in package, name
            assert name == "" or package["integrity"].startswith("sha512-"), name
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text("utf-8")
        assert "://" not in text, lock.name
        pinned = re.findall(r"^[a-z0-9][^\s=]*==\S+.*(?:\\\n    --hash=sha256:[0-9a-f]{64}.*)+", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)) > 0, lock.name


@pytest.mark.parametrize("needed", ["base", "dev", "node"])
def test_each_requirement_is_locked(needed: str) -> None:
    wanted = re.findall(r"^[A-Za-z0-9][\w.-]*", texts()[f"requirements/{needed}.in"], re.MULTILINE)
    locked = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[^]]*\])?==", texts()[f"requirements/{needed}.txt"], re.MULTILINE)
    assert wanted
    assert {name.lower().replace("_", "-") for name in wanted} - set(locked) == set()
