"""Files of models: texts, files of this package and of others, models that come with the package."""

import json
import re
import threading
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import answers, spectra
from hypothesis import given
from hypothesis import strategies as st

from deep_chemometrics.augmentation import RandomNoise, RandomScatter
from deep_chemometrics.networks import CNNClassifier, CNNRegressor, bjerrum, fganet, load_model, resnet1d
from deep_chemometrics.networks.architectures import _Seeded
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.saving import LeftOut, from_json, read_model, read_text, to_json, write_model
from deep_chemometrics.storage import embedded_file

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    *sorted(embedded_file("group_model").glob("member_*.keras")),
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


# -- Parameters of estimators come back as they were -----------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(1, 9),
    st.floats(0.1, 0.9),
    st.builds(np.int64, st.integers(1, 9)),
    st.builds(np.float32, st.floats(0, 1)),
)
FUNCTIONS = st.sampled_from(
    [bjerrum, partial(resnet1d, filters=(4, 8)), keras.optimizers.Nadam, partial(fganet, seed=3)]
)
LAYERS = st.sampled_from([RandomNoise(0.1), keras.layers.GaussianNoise(0.2), RandomScatter(slope=0.3, seed=4)])
KEYS = st.one_of(st.integers(), st.booleans(), st.text(), st.builds(np.int64, st.integers(0, 9)), st.floats(0, 1))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(), st.binary(), NUMBERS, FUNCTIONS, LAYERS)
    | st.builds(Path, st.sampled_from(["a", "a/b", "/a"]))
    | st.builds(np.random.RandomState, st.integers(0, 9))
    | st.builds(np.array, st.lists(st.floats(allow_nan=False))),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=5,
)


def same(one, other):
    """Equal in value and kind, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, np.random.RandomState):
        return str(one.get_state()) == str(other.get_state())
    if isinstance(one, keras.layers.Layer):
        return one.get_config() == other.get_config()
    if isinstance(one, partial):
        return same([one.func, one.args, one.keywords], [other.func, other.args, other.keywords])
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@given(st.data())
def test_every_parameter_of_an_estimator_comes_back_as_it_was(data):
    """Any value in any parameter: what `fit` makes of it is another matter."""
    kind = data.draw(st.sampled_from([CNNRegressor, CNNClassifier]))
    names = data.draw(st.lists(st.sampled_from(kind._get_param_names()), min_size=1, max_size=4, unique=True))
    estimator = kind(**{name: data.draw(VALUES, label=name) for name in names})
    text = json.loads(json.dumps(to_json(estimator._storable(())), allow_nan=False))
    assert same(kind(**from_json(text)).get_params(deep=False), estimator.get_params(deep=False))


@pytest.mark.parametrize(
    "value",
    [lambda rate: rate, np.sin, json.dumps, open, threading.Lock(), object(), type("Own", (keras.layers.Layer,), {})()],
    ids=lambda value: type(value).__name__,
)
def test_what_a_file_cannot_hold_is_refused_by_name(value):
    for parameters in (dict(schedule=value), dict(augmentation=[None, {"gain": value}])):
        name = next(iter(parameters))
        with pytest.raises(ValueError, match=rf"^{name}: .*leave_out=\['{name}'\]"):
            CNNRegressor(**parameters)._storable(())
        assert from_json(to_json(CNNRegressor(**parameters)._storable([name])))[name].endswith(", not stored")


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
