"""Execute the quick start and leave notebook, HTML page, figures and the table of errors in run/.

`python scripts/run_tour.py` is `make run`. Another notebook may be named instead of the quick start; like it, that
notebook writes rmsep.csv into the folder that the environment variable DC_RUN_FOLDER names. Ctrl-C stops it, and
leaves what is there so far.
"""

import base64
import os
import shutil
import sys
import time
from pathlib import Path

import nbformat
from cells import for_readers, options, pngs
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "run"


def execute(notebook: nbformat.NotebookNode, where: Path) -> None:
    """Run every cell, with a line of progress for each."""
    # No registered kernel is looked for: what remains is ipykernel in the Python that runs this script.
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=None,
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
        resources={"metadata": {"path": str(where)}},
    )
    start = time.perf_counter()
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown" and cell.source.startswith("#"):
                print(f"\n{cell.source.splitlines()[0].lstrip('# ')}", flush=True)
            elif cell.cell_type == "code":
                client.execute_cell(cell, number)
                label = options(cell.source).get("label", "")
                print(
                    f"  {time.perf_counter() - start:5.0f} s  cell {number + 1}/{len(notebook.cells)}  {label}",
                    flush=True,
                )


def leave(notebook: nbformat.NotebookNode, name: str) -> None:
    """Write the notebook as it stands, the same as an HTML page, and its figures."""
    nbformat.write(notebook, FOLDER / f"{name}.ipynb")
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(
        for_readers(notebook), resources={"metadata": {"name": name, "path": str(ROOT / "nbs")}}
    )
    (FOLDER / f"{name}.html").write_text(page, encoding="utf-8")
    for number, cell in enumerate(notebook.cells, 1):
        label = options(cell.source).get("label", f"cell-{number}").removeprefix("fig-")
        for count, output in enumerate(pngs(cell), 1):
            figure = FOLDER / "figures" / f"{label}{'' if count == 1 else f'-{count}'}.png"
            figure.write_bytes(base64.b64decode(output.data["image/png"]))


def main() -> int:
    page = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "nbs" / "course" / "00_quickstart.ipynb").resolve()
    notebook = nbformat.read(page, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    shutil.rmtree(FOLDER, ignore_errors=True)  # nothing of an earlier run may pass for this one's
    (FOLDER / "figures").mkdir(parents=True)
    os.environ["DC_RUN_FOLDER"] = str(FOLDER)
    status = 0
    try:
        execute(notebook, page.parent)
    except (KeyboardInterrupt, DeadKernelError):
        print("\nInterrupted.", file=sys.stderr)
        status = 130
    except CellExecutionError as error:
        print(f"\n{error}", file=sys.stderr)
        status = 1
    leave(notebook, page.stem)
    table = FOLDER / "rmsep.csv"
    if table.exists():
        print("", *table.read_text(encoding="utf-8").splitlines(), sep="\n")
    elif status == 0:
        print(f"\nThe notebook wrote no {table.name}.", file=sys.stderr)
        status = 1
    print(f"\n{'Left' if status == 0 else 'Left, unfinished,'} in {FOLDER}:")
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        print(f"  {path.relative_to(FOLDER).as_posix()}")
    return status


if __name__ == "__main__":
    sys.exit(main())
