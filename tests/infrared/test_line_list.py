"""Line lists of computed molecules: through a file and back, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.data.line_list import LineList, line_spectra, load_lines, save_lines
from deep_chemometrics.infrared import compute_ir
from deep_chemometrics.infrared.line_list import collect_lines

AXIS = np.arange(500.0, 3900, 4)


@pytest.fixture(scope="module")
def computed():
    return {smiles: compute_ir(smiles) for smiles in ("O", "O=C=O", "C=O", "CC#N", "C=CCl", "CC(=O)Cl")}


def test_line_lists_go_through_a_file(tmp_path, computed):
    library = collect_lines(list(computed), [ir.modes for ir in computed.values()], cas=["7732-18-5"] + [""] * 5)
    save_lines(library, tmp_path / "a.npz")
    save_lines(library, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = load_lines(tmp_path / "a.npz")
    assert again.samples["cas"][0] == "7732-18-5" and again.groups.equals(library.groups)
    expected = [ir.spectrum(AXIS) for ir in computed.values()]
    assert np.allclose(line_spectra(library, AXIS), expected)
    assert np.abs(line_spectra(again, AXIS) - expected).max() < 0.01 * np.max(expected)


def test_a_damaged_library_and_other_groups_are_refused(tmp_path, computed):
    library = collect_lines(["O"], [computed["O"].modes])
    with pytest.raises(ValueError, match="damaged"):
        LineList(library.samples, library.groups, np.array([4]), *(getattr(library, n) for n in (
            "frequency", "intensity", "motion", "absorption")))  # fmt: skip
    with pytest.raises(ValueError, match="give one of each"):
        collect_lines(["O", "C"], [computed["O"].modes])
    save_lines(library, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        stored = dict(file)
    np.savez(tmp_path / "b.npz", **(stored | {"group_names": np.array(["thiol"] * 17)}))
    with pytest.raises(ValueError, match="other groups"):
        load_lines(tmp_path / "b.npz")
