"""The public names of the subpackage, and what its import must not bring along."""

import inspect
import subprocess
import sys

import pytest

from deep_chemometrics import data

NAMES = {
    "SpectralDataset", "read_spectra", "read_table", "read_jcamp", "read_mat", "read_numpy", "read_opus", "read_spc",
    "fetch_dataset", "list_datasets", "fetch_nist_ir", "load_tablets", "load_soil",
    "load_meat", "load_computed_ir", "simulate_spectra", "Simulation",
}  # fmt: skip


def test_public_names():
    assert set(data.__all__) == NAMES and set(data.__all__) <= set(dir(data))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_is_documented(name):
    doc = inspect.getdoc(getattr(data, name))
    assert "Parameters\n---" in doc or "Returns\n---" in doc or "Attributes\n---" in doc


def test_no_keras_no_rdkit_and_nothing_from_above():
    code = (
        "import sys, deep_chemometrics.data as d; [getattr(d, name) for name in d.__all__];"
        "d.load_computed_ir([500, 600.0]);"
        "print([m for m in sys.modules if m.split('.')[0] in ('keras', 'jax', 'rdkit', 'tblite')"
        " or m.startswith(tuple('deep_chemometrics.' + w for w in ('preprocessing', 'augmentation', 'calibration',"
        " 'networks', 'explanation', 'infrared')))])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout
