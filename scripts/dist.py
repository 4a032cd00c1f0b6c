"""Source distribution and wheel in dist/, checked and tried in an empty environment: `make dist`.

The environment is made in a temporary folder and removed again. pip needs a package index for what the wheel requires,
about 530 MB; with --deep it installs the extra `deep`, too, 960 MB. With --tag v0.2.0 nothing is built unless the
tag, settings.ini and CHANGELOG.md name the same version.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"


def call(*command: str | Path, cwd: Path = ROOT) -> None:
    shown = " ".join(str(part) for part in command[1:])
    print(f"\n== {shown}", flush=True)
    own = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    subprocess.run([str(part) for part in command], cwd=cwd, env=own, check=True)


def check_version(tag: str) -> None:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    version = config["DEFAULT"]["version"]
    newest = re.search(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.M)[1]
    if not tag == f"v{version}" == f"v{newest}":
        raise SystemExit(f"The tag is {tag}, settings.ini says {version}, CHANGELOG.md {newest}: make them agree.")


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def try_wheel(wheel: Path, extra: str) -> None:
    """Install the wheel into an empty environment and run smoke.py there, away from the repository."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "environment")
        venv.create(place, with_pip=True)
        python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        call(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}{extra}")
        print(f"{megabytes(place):.0f} MB")
        work = Path(folder, "work")
        work.mkdir()
        shutil.copy(ROOT / "scripts" / "smoke.py", work)
        call(python, "smoke.py", cwd=work)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deep", action="store_true", help="try the extra `deep`, too")
    parser.add_argument("--tag", help="the version that is released, such as v0.2.0")
    given = parser.parse_args()
    if given.tag:
        check_version(given.tag)
    for folder in (ROOT / "build", DIST):  # else modules since removed would come along
        shutil.rmtree(folder, ignore_errors=True)
    try:
        call(sys.executable, "-m", "build", "--no-isolation")
        call(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
        (wheel,) = DIST.glob("*.whl")
        try_wheel(wheel, "[deep]" if given.deep else "")
    except subprocess.CalledProcessError as error:
        print(f"\nFailed with status {error.returncode}.", file=sys.stderr)
        return 1
    print("\nReady:", *(f"dist/{path.name}" for path in sorted(DIST.iterdir())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
