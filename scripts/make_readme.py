"""README.md from nbs/index.ipynb, its figures in nbs/images/. With --check nothing is written: differences fail.

Links and pictures become absolute, since PyPI shows the same text: pages are on the website, other files in the
repository. Cells may say {website} and {repository} for the addresses in settings.ini. Cells with the tag `readme-only`
are left out of the website.
"""

import base64
import posixpath
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import nbformat
from cells import for_readers, pngs
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "nbs" / "index.ipynb"
NOTE = "<!-- Made from nbs/index.ipynb by `make readme`: edit the notebook. -->\n\n"


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def absolute(target: str, picture: bool) -> str:
    """A link of the notebook, relative to nbs/, as an address on the web."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path, _, anchor = target.partition("#")
    page, notebook = re.subn(r"\.ipynb$", ".html", path)
    anchor = f"#{anchor}" if anchor else ""
    if notebook:
        return settings()["website"] + page + anchor
    place = posixpath.normpath(posixpath.join("nbs", path))
    if picture:
        return settings()["repository"].replace("//github.com/", "//raw.githubusercontent.com/") + f"/main/{place}"
    return f"{settings()['repository']}/blob/main/{place}{anchor}"


def build() -> dict[str, bytes]:
    """Every file that index.ipynb gives: path relative to the root -> content."""
    notebook = for_readers(nbformat.read(INDEX, as_version=4))
    files = {}
    for number, cell in enumerate(notebook.cells, 1):
        label = cell.metadata.get("label", "").removeprefix("fig-") or str(number)
        images = list(pngs(cell))
        for count, output in enumerate(images, 1):
            name = f"index-{label}" + (f"-{count}" if len(images) > 1 else "") + ".png"
            files[f"nbs/images/{name}"] = base64.b64decode(output.data["image/png"])
            output.data = {"text/markdown": f"![{label.replace('-', ' ')}](images/{name})"}
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):  # GitHub shows a style sheet as text
                output.data["text/html"] = re.sub(r"<style.*?</style>\n?", "", output.data["text/html"], flags=re.S)
    text, _ = MarkdownExporter().from_notebook_node(notebook)
    for name in ("website", "repository"):
        text = text.replace(f"{{{name}}}", settings()[name])
    text = re.sub(r"(!\[[^\]]*)?\]\(([^)\s]+)\)", lambda m: f"{m[1] or ''}]({absolute(m[2], m[1] is not None)})", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.M)
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    files["README.md"] = (NOTE + text).encode()
    return files


def main() -> int:
    files = build()
    old = {path.relative_to(ROOT).as_posix() for path in (ROOT / "nbs" / "images").glob("index-*.png")}
    if "--check" in sys.argv[1:]:
        wrong = [
            name for name, data in files.items() if not (ROOT / name).exists() or (ROOT / name).read_bytes() != data
        ]
        wrong += sorted(old - files.keys())
        if wrong:
            print(f"Not what nbs/index.ipynb gives: {', '.join(wrong)}. Say `make readme`.", file=sys.stderr)
        return bool(wrong)
    for name in old - files.keys():
        (ROOT / name).unlink()
    for name, data in files.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_bytes(data)
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
