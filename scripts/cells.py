"""What the scripts share: the option lines at the top of a cell, and a notebook as its readers see it."""

import re
from collections.abc import Iterator
from copy import deepcopy

from nbformat import NotebookNode

OPTION = re.compile(r"#\|\s*([\w-]+)\s*:?\s*(.*)")
DROPPED = {"hide", "default_exp"}


def options(source: str) -> dict[str, str]:
    """`#| label: fig-a` gives {"label": "fig-a"}; `#| hide` gives {"hide": ""}."""
    found = {}
    for line in source.splitlines():
        match = OPTION.fullmatch(line.strip())
        if not match:
            break
        found[match[1]] = match[2].strip()
    return found


def for_readers(notebook: NotebookNode) -> NotebookNode:
    """A copy as nbdev and Quarto show it: hidden cells, hidden code and the option lines are gone."""
    shown = deepcopy(notebook)
    shown.cells = []
    shown.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}  # nbdev-clean removes it
    for cell in deepcopy(notebook.cells):
        found = options(cell.source)
        if cell.cell_type == "raw" or found.keys() & DROPPED or found.get("include") == "false":
            continue
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if not re.search(r"#\|\s*hide_line\s*$", line)]
            cell.source = "\n".join(lines[len(found) :]).strip("\n")
            cell.metadata["label"] = found.get("label", "")
            if found.get("echo") == "false":
                cell.metadata["transient"] = {"remove_source": True}
            if found.get("output") == "false":
                cell.outputs = []
            if not cell.outputs and (not cell.source or found.get("echo") == "false"):
                continue
        shown.cells.append(cell)
    return shown


def pngs(cell: NotebookNode) -> Iterator[NotebookNode]:
    """The outputs of a cell that are PNG images."""
    for output in cell.get("outputs", []):
        if "image/png" in output.get("data", {}):
            yield output
