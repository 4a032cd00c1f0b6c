"""The cheat sheet of the course on one page: nbs/course/cheat_sheet.ipynb as release/cheat_sheet.pdf, by matplotlib."""

import json
import re
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("pdf")
import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "nbs" / "course" / "cheat_sheet.ipynb"
TARGET = ROOT / "release" / "cheat_sheet.pdf"
INCHES = (11.69, 8.27)  # A4, landscape
COLUMNS = 3
FONT = 6.2  # points
LINE = 1.22 * FONT / 72 / INCHES[1]  # height of a line, as a fraction of the page
TOP = 0.92


def sections(page: Path = PAGE) -> dict[str, list[tuple[str, list[str]]]]:
    """Rows of the tables, by heading: a task, and the calls for it."""
    cells = json.loads(page.read_text(encoding="utf-8"))["cells"]
    found = {}
    for cell in cells:
        text = "".join(cell["source"])
        heading = re.match(r"## (.+)", text)
        if heading:
            rows = re.findall(r"^\| (.+?) \| (`.+`) \|$", text, flags=re.M)
            found[heading[1]] = [(task, re.findall(r"`([^`]+)`", calls)) for task, calls in rows]
    return found


def lines(tables: dict[str, list[tuple[str, list[str]]]]) -> list[list[tuple[str, str]]]:
    """Blocks that stay together: lines of style heading, task or call."""
    blocks = []
    for heading, rows in tables.items():
        block = [("heading", heading)]
        for task, calls in rows:
            block.append(("task", task))
            for call in calls:
                wrapped = textwrap.wrap(call, 66, subsequent_indent="    ", break_long_words=False)
                block += [("call", part) for part in wrapped]
            blocks.append(block)
            block = []
    return blocks


def draw(blocks: list[list[tuple[str, str]]]) -> plt.Figure:
    """One page; blocks are spread evenly over the columns."""
    styles = {
        "heading": {"fontsize": FONT + 2.5, "fontweight": "bold", "color": "#0072B2"},
        "task": {"fontsize": FONT, "color": "0.25"},
        "call": {"fontsize": FONT, "family": "monospace"},
    }
    heights = {"heading": 2.2, "task": 1.15, "call": 1.0}
    total = sum(heights[style] for block in blocks for style, _ in block)
    figure = plt.figure(figsize=INCHES)
    figure.text(0.03, 0.955, "Deep Chemometrics: one call for each task", fontsize=13, fontweight="bold")
    column, used = 0, 0.0
    for block in blocks:
        if used >= total / COLUMNS:
            column, used = column + 1, 0.0
        for style, text in block:
            used += heights[style]
            indent = 0.008 if style == "call" else 0
            figure.text(0.03 + column * 0.32 + indent, TOP - used * LINE, text, **styles[style])
    if TOP - (total / COLUMNS + 6) * LINE < 0.01:
        raise ValueError("the cheat sheet has become too long for one page: shorten it, or choose a smaller FONT")
    return figure


def main(target: Path = TARGET) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    figure = draw(lines(sections()))
    figure.savefig(target)
    plt.close(figure)
    print(f"release/{target.name}: {sum(len(rows) for rows in sections().values())} tasks on one page")


if __name__ == "__main__":
    main()
