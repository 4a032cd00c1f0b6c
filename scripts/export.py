"""Notebooks to modules: nbs/library to deep_chemometrics/, and the code of nbs/studies to studies/, outside the wheel.

Cells of a study's page that begin with `#| exportd` make `studies/<name of the page>.py`; nbdev itself, which writes
into one package only, leaves them alone.
"""

from pathlib import Path

from nbdev.clean import nbdev_clean
from nbdev.doclinks import nbdev_export
from nbdev.export import ExportModuleProc
from nbdev.maker import ModuleMaker
from nbdev.process import NBProcessor

ROOT = Path(__file__).resolve().parent.parent


class StudyCells(ExportModuleProc):
    """Takes the cells that nbdev documents but does not export."""

    def _exportd_(self, cell, exp_to=None):
        self._export_(cell, exp_to)


def export_study(page: Path) -> None:
    cells = StudyCells()
    NBProcessor(page, [cells]).process()
    if cells.in_all["#"]:
        for cell in cells.modules["#"]:
            cell.directives_.pop("exportd", None)  # else it would become part of the docstring
        maker = ModuleMaker(dest=ROOT / "studies", name=page.stem, nb_path=page, is_new=True)
        maker.make(cells.modules["#"], cells.in_all["#"], lib_path=ROOT / "studies")


def main() -> None:
    nbdev_export(path=ROOT / "nbs")
    for page in sorted((ROOT / "nbs" / "studies").glob("[!_.]*.ipynb")):
        export_study(page)
    nbdev_clean(fname=ROOT / "nbs")


if __name__ == "__main__":
    main()
