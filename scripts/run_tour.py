"""Execute the tour and leave notebook, HTML, figures and the table of errors in run/.

`python scripts/run_tour.py [notebook]`: another notebook may be named; like the tour it has to write
rmsep.csv into the folder that the environment variable DC_RUN_FOLDER names.
"""

import base64
import os
import re
import shutil
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
from cells import for_readers, options, pngs
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "run"
TERMINAL = sys.stderr.isatty()
COLOURS = re.compile(r"\x1b\[[\d;]*m")


class Client(NotebookClient):
    """Runs in the Python that runs this script, and shows progress bars while they move."""

    def create_kernel_manager(self):
        # no registered kernel is looked for: what remains is ipykernel in this Python
        nowhere = KernelSpecManager(kernel_dirs=[])
        self.km = self.kernel_manager_class(kernel_name="python3", kernel_spec_manager=nowhere)
        return self.km

    def output(self, outs, msg, display_id, cell_index):
        content = msg["content"]
        if TERMINAL and msg["msg_type"] == "stream" and content["name"] == "stderr":
            print(content["text"], end="", file=sys.stderr, flush=True)
        return super().output(outs, msg, display_id, cell_index)


def execute(notebook: nbformat.NotebookNode, where: Path) -> None:
    """Run every cell, with a line for each heading and each cell."""
    os.environ["DC_RUN_FOLDER"] = str(FOLDER)
    client = Client(
        notebook,
        timeout=None,
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
        coalesce_streams=True,
        resources={"metadata": {"path": str(where)}},
    )
    start = time.perf_counter()
    codes = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for cell in codes:
        cell.outputs, cell.execution_count = [], None
    done = 0
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown" and cell.source.startswith("#"):
                print(f"\n{cell.source.splitlines()[0].lstrip('# ')}", flush=True)
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            begin = time.perf_counter()
            client.execute_cell(cell, index)
            done += 1
            now = time.perf_counter()
            name = options(cell.source).get("label", "")
            print(
                f"  {now - start:5.0f} s  cell {done}/{len(codes)}  {now - begin:6.1f} s  {name}".rstrip(), flush=True
            )


def leave(notebook: nbformat.NotebookNode, name: str) -> list[Path]:
    """Write the notebook as it stands, the same as HTML, and its figures."""
    files = [FOLDER / f"{name}.ipynb", FOLDER / f"{name}.html"]
    nbformat.write(notebook, files[0])
    html, _ = HTMLExporter(embed_images=True).from_notebook_node(
        for_readers(notebook), resources={"metadata": {"name": name, "path": str(ROOT / "nbs")}}
    )
    files[1].write_text(html, encoding="utf-8")
    for number, cell in enumerate(notebook.cells, 1):
        images = list(pngs(cell))
        label = options(cell.source).get("label", f"cell-{number}").removeprefix("fig-")
        for count, output in enumerate(images, 1):
            path = FOLDER / "figures" / (label + (f"-{count}" if len(images) > 1 else "") + ".png")
            path.write_bytes(base64.b64decode(output.data["image/png"]))
            files.append(path)
    return files


def main() -> int:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "nbs" / "00_tour.ipynb"
    notebook = nbformat.read(source, as_version=4)
    table = FOLDER / "rmsep.csv"
    shutil.rmtree(FOLDER / "figures", ignore_errors=True)  # nothing of an earlier run may pass for this one's
    (FOLDER / "figures").mkdir(parents=True)
    for stale in [table, *FOLDER.glob("*.ipynb"), *FOLDER.glob("*.html")]:
        stale.unlink(missing_ok=True)

    status = 0
    try:
        execute(notebook, source.resolve().parent)
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    except (CellExecutionError, DeadKernelError) as error:
        text = str(error)
        print(f"\n{text if TERMINAL else COLOURS.sub('', text)}", file=sys.stderr)
        status = 1
    files = leave(notebook, source.stem)
    if table.exists():
        files.append(table)
        print(f"\n{pd.read_csv(table).to_string(index=False)}")
    elif status == 0:
        print(f"\nThe notebook left no {table.name}: its cell `#| label: tbl-rmsep` has to write it.", file=sys.stderr)
        status = 1
    print(f"\n{'Left' if status == 0 else 'Left, unfinished,'} in {FOLDER}:")
    for path in files:
        print(f"  {path.relative_to(FOLDER).as_posix()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
