"""The public names of the subpackage, and what its import must not bring along."""

import inspect
import subprocess
import sys

import pytest

from deep_chemometrics import data


def test_public_names_are_shown():
    assert {"SpectralDataset", "read_spectra", "load_tablets"} <= set(data.__all__) <= set(dir(data))


@pytest.mark.parametrize("name", sorted(data.__all__))
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
