"""constraints.txt: the versions of all packages that the project needs, as they are installed here: `make constraints`.

`pip install -e ".[dev]" --constraint constraints.txt` reproduces them, and with them the outputs of the pages.
"""

import re
import sys
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "constraints.txt"
NOTE = "# Versions that made the pages, with Python {}.{}: written by `make constraints`.\n"


def direct() -> list[Requirement]:
    """What settings.ini names, extras included."""
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    keys = [key for key in config["DEFAULT"] if re.fullmatch(r"(\w+_)?requirements", key)]
    return [Requirement(line) for key in keys for line in config["DEFAULT"][key].splitlines() if line.strip()]


def installed(wanted: list[Requirement]) -> dict[str, str]:
    """Name and version of these packages, and of all that they require."""
    found, done = {}, set()
    todo = [(one, "") for one in wanted]
    while todo:
        requirement, extra = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for part in ("", *sorted(requirement.extras)):
            if (name, part) in done:
                continue
            done.add((name, part))
            try:
                package = distribution(name)
            except PackageNotFoundError:
                raise SystemExit(f"{name} is not installed: run `make setup` first.") from None
            found[name] = package.version
            todo += [(Requirement(text), part) for text in package.requires or []]
    return found


def main() -> None:
    versions = sorted(installed(direct()).items())
    lines = [f"{name}=={version}\n" for name, version in versions]
    FILE.write_text(NOTE.format(*sys.version_info[:2]) + "".join(lines), encoding="utf-8", newline="\n")
    print(f"wrote {FILE.name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
