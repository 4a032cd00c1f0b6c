"""Files of models: texts, files of this package and of others, models that come with the package."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import answers, spectra

from deep_chemometrics.networks import load_model
from deep_chemometrics.networks.architectures import _Seeded
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.saving import LeftOut, from_json, read_model, read_text, to_json, write_model
from deep_chemometrics.storage import embedded_file

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    *(embedded_file(f"group_model/member_{i}.keras") for i in range(3)),
    *sorted((ROOT / "studies").rglob("*.keras")),
]


def linear():
    return keras.Sequential([keras.Input((40,)), _Seeded(0).dense(2)])


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "x", [1, [2]], {"a": {"b": [None]}}, float("inf")], ids=repr)
def test_plain_values_survive(value):
    assert from_json(json.loads(json.dumps(to_json(value), allow_nan=False))) == value


@pytest.mark.parametrize(
    "array", [np.arange(3), np.array([["a"], ["bb"]]), np.array([1.5, np.nan]), np.array([1, "x"], dtype=object)]
)
def test_arrays_survive(array):
    again = from_json(json.loads(json.dumps(to_json(array), allow_nan=False)))
    assert again.dtype == array.dtype and again.shape == array.shape
    assert [repr(a) for a in again.ravel()] == [repr(a) for a in array.ravel()]


def test_functions_are_refused_by_name():
    with pytest.raises(ValueError, match="'linear' is code or an object of your own"):
        to_json({"f": linear})
    with pytest.raises(ValueError, match="lambda"):
        to_json([lambda rate: rate])
    assert from_json(to_json({"f": LeftOut(linear)})) == {"f": "linear, not stored"}


def test_model_and_text_survive(tmp_path):
    model = linear()
    path = write_model(tmp_path / "deep" / "a.keras", model, {"unit": "mg"})
    loaded, text = read_model(path)
    assert text == read_text(path) == {"unit": "mg"}
    for other in (loaded, load_model(path), keras.saving.load_model(path)):
        assert np.array_equal(answers(other, spectra()), answers(model, spectra()))
    assert [p.name for p in path.parent.iterdir()] == ["a.keras"]


def test_plain_keras_models_have_no_text(tmp_path):
    linear().save(tmp_path / "plain.keras")
    assert read_text(tmp_path / "plain.keras") is None
    assert load_model(tmp_path / "plain.keras").count_params() == 82
    with pytest.raises(ValueError, match="no estimator: open it with load_model"):
        read_model(tmp_path / "plain.keras")
    with pytest.raises(ValueError, match=r"has no parameters \['epochs'\]"):
        load_model(tmp_path / "plain.keras", epochs=3)


def test_files_of_something_else(tmp_path):
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(ValueError, match=r"is not a \.keras file"):
        load_model(tmp_path / "text.keras")
    with pytest.raises(FileNotFoundError, match=r"'none\.keras'"):
        load_model(tmp_path / "none.keras")
    with pytest.raises(ValueError, match=r"has to end in \.keras"):
        write_model(tmp_path / "model.h5", linear(), {})


@pytest.mark.parametrize(
    "path", [SHIPPED[0], *(pytest.param(path, marks=pytest.mark.slow) for path in SHIPPED[1:])], ids=lambda p: p.name
)
def test_models_that_come_with_the_package_open(path):
    """Under every backend: no seed is above 2**31, and nothing repairs them."""
    with zipfile.ZipFile(path) as archive:
        seeds = re.findall(r'"seed": (\d+)', archive.read("config.json").decode())
    assert all(int(seed) < 2**31 for seed in seeds)
    model = load_model(path)
    assert isinstance(model, keras.Model) and model.input_shape == (None, 850)
    assert np.isfinite(answers(model, np.abs(spectra(2, 850)))).all()
