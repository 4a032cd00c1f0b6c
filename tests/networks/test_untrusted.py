"""Model files of strangers: refused before Keras reads them, whatever they try, and never more than a ValueError."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deep_chemometrics.augmentation import RandomNoise
from deep_chemometrics.networks import ARCHITECTURES, CNNRegressor, ScatterCorrection, load_model
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.saving import open_network, read_text, to_json, write_model
from deep_chemometrics.networks.untrusted import check_model_file

layers = keras.layers


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts of a file with a layer of this package and some of Keras."""
    inputs = keras.Input((12,), name="spectrum")
    x = ScatterCorrection(1).adapt(np.random.default_rng(0).random((5, 12)))(inputs)
    model = keras.Model(inputs, layers.Dense(2, activation="relu", name="last")(layers.Dropout(0.1)(x)))
    path = write_model(tmp_path_factory.mktemp("file") / "model.keras", model, {"a": np.arange(3)})
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_config(path, parts, change):
    config = json.loads(parts["config.json"])
    change(config)
    return written(path, parts | {"config.json": json.dumps(config)})


def last(config):
    return next(layer for layer in config["config"]["layers"] if layer["name"] == "last")


def test_the_file_itself_is_accepted(tmp_path, parts):
    path = written(tmp_path / "a.keras", parts)
    assert open_network(path).output_shape == (None, 2) and read_text(path)["a"].tolist() == [0, 1, 2]


# -- Code -----------------------------------------------------------------------------------------------------------


def replaced(**by):
    return lambda config: last(config).update(by)


def setting(**by):
    return lambda config: last(config)["config"].update(by)


def part(module, name, config, **more):
    return {"module": module, "class_name": name, "config": config, "registered_name": None} | more


HOSTILE = {
    "a Lambda layer": replaced(class_name="Lambda"),
    "a function of another module": setting(activation=part("os", "function", "system", registered_name="system")),
    "a class of another module": setting(kernel_initializer=part("subprocess", "Popen", {"args": ["true"]})),
    "a function of Keras that downloads": setting(
        activation=part("keras.utils", "get_file", {"fname": "x", "origin": "http://0.0.0.0/x"})
    ),
    "the switch of safe mode": setting(
        activation=part("keras.config", "function", "enable_unsafe_deserialization", registered_name="function")
    ),
    "a module inside Keras": setting(activation=part("keras.src.utils.python_utils", "func_load", {})),
    "byte code": setting(activation={"class_name": "__lambda__", "config": {"value": ["4wEAAA==", None, None]}}),
    "a type of TensorFlow": setting(activation={"class_name": "__typespec__", "module": "os", "config": []}),
    "a program of TensorFlow": replaced(class_name="TFSMLayer", config={"filepath": "folder"}),
    "a layer of JAX": replaced(class_name="JaxLayer"),
    "a layer that reads a file": replaced(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
    "a hidden name": replaced(registered_name="somebody>Dense"),
    "a registered name in a text": setting(activation="strangers>Doubling"),
    "a layer inside a layer": replaced(
        class_name="TimeDistributed", config={"layer": part("keras.layers", "Lambda", {"function": "x"})}
    ),
    "a layer in the arguments of a call": lambda config: last(config)["inbound_nodes"].append(
        {"args": [], "kwargs": {"mask": part("keras.layers", "Lambda", {})}}
    ),
    "a name of this package": replaced(module="deep_chemometrics.storage", class_name="embedded_file"),
    "a foreign class under a name of this package": replaced(
        module="deep_chemometrics.x", registered_name="deep_chemometrics>Dense"
    ),
    "an array of objects": setting(
        bias_initializer={"class_name": "__numpy__", "config": {"value": [1], "dtype": "O"}}
    ),
    "compiling of a model inside": lambda config: last(config).update(
        compile_config={"loss": part("os", "function", "system")}
    ),
    "a path as a name": setting(name="../../outside"),
    "more weights than the file": setting(units=900_000),
    "a number beyond reason": setting(units=10**12),
    "no class": lambda config: config.pop("class_name"),
}


@keras.saving.register_keras_serializable(package="strangers")
class Doubling(layers.Layer):
    """Registered by whatever was imported: nothing that a file may call."""

    def call(self, x):
        return 2 * x


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_code_and_foreign_objects_are_refused(tmp_path, parts, change, monkeypatch):
    monkeypatch.setattr(keras.saving, "load_model", lambda *args, **kwargs: pytest.fail("Keras read the file"))
    path = with_config(tmp_path / "a.keras", parts, change)
    with pytest.raises(ValueError, match=r"'a\.keras': this model file is refused"):
        load_model(path)


def test_your_own_layers_come_in_by_custom_objects_only(tmp_path):
    keras.Sequential([keras.Input((4,)), Doubling()]).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match=r"pass it: custom_objects=\{'Doubling'"):
        load_model(tmp_path / "own.keras")
    model = load_model(tmp_path / "own.keras", custom_objects={"Doubling": Doubling})
    assert np.array_equal(model(np.ones((1, 4))), np.full((1, 4), 2.0))


# -- Sizes, other files ---------------------------------------------------------------------------------------------


def with_weights(path, parts, change):
    content = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(content, "a") as file:
        change(file)
    return written(path, parts | {"model.weights.h5": content.getvalue()})


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", (3,))
    file.create_virtual_dataset("more", layout)


WEIGHTS = {
    "an external link": lambda f: f.update({"more": h5py.ExternalLink("other.h5", "/data")}),
    "a soft link": lambda f: f.update({"more": h5py.SoftLink("/layers")}),
    "external storage": lambda f: f.create_dataset("more", (4,), "u1", external=[("/etc/hostname", 0, 4)]),
    "a virtual array": virtual,
    "an array that is not there": lambda f: f.create_dataset("more", (10**9,), "f4"),
    "compressed zeros": lambda f: f.create_dataset("more", data=np.zeros(10**6), compression="gzip"),
    "text": lambda f: f.create_dataset("more", data=["text"]),
    "a group inside itself": lambda f: f["layers"].update({"again": f["layers"]}),
}


@pytest.mark.parametrize("change", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_are_not_all_in_the_file_are_refused(tmp_path, parts, change):
    with pytest.raises(ValueError, match=r"'a\.keras': this model file is refused: (the|its) weights"):
        load_model(with_weights(tmp_path / "a.keras", parts, change))


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "assets/x.txt", "model.weights.npz", "a.py"])
def test_other_parts_are_refused(tmp_path, parts, name):
    with pytest.raises(ValueError, match="which is none of a model"):
        load_model(written(tmp_path / "a.keras", parts | {name: b"x"}))


def test_a_small_archive_of_a_large_text_is_refused(tmp_path, parts):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | {"metadata.json": b" " * 2 * 10**8}).items():
            archive.writestr(name, content)
    assert path.stat().st_size < 10**6
    with pytest.raises(ValueError, match="more than 20 times as large as the file"):
        load_model(path)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"a": {"array": ["x"], "dtype": "<U100000000"}}',
        '{"a": {"array": [1], "dtype": "V1000000"}}',
        '{"a": {"name": "os:system"}}',
        '{"a": {"name": "keras.utils:get_file"}}',
        '{"a": {"name": "keras.src.optimizers.adam:__init__"}}',
        '{"a": {"partial": [{"name": "os:system"}, {"tuple": ["true"]}, {}]}}',
        '{"a": {"layer": {"module": "keras.layers", "class_name": "Lambda", "config": {}}}}',
        '{"a": ' * 5000 + "1" + "}" * 5000,
    ],
)
def test_texts_that_build_something_else_are_refused(tmp_path, parts, text):
    with pytest.raises(ValueError, match=r"'a\.keras'"):
        read_text(written(tmp_path / "a.keras", parts | {"estimator.json": text}))


@pytest.mark.parametrize(
    "change",
    [
        {"class": ["CNNRegressor"]},
        {"parameters": {"epochs": 1, "unknown": 2}},
        {"attributes": {}},
        {"attributes": {"n_features_in_": 7, "mean_spectrum_": to_json(np.ones(7))}},
        {"history": 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_estimators_with_other_contents_are_refused(tmp_path, parts, change):
    text = {
        "class": "CNNRegressor",
        "parameters": {"epochs": 1},
        "attributes": {"n_features_in_": 12, "mean_spectrum_": to_json(np.ones(12)), "_y_is_flat": False},
        "history": {"epoch": [1], "loss": [0.1]},
    }
    good = written(tmp_path / "good.keras", parts | {"estimator.json": json.dumps(text)})
    assert load_model(good).predict(np.random.default_rng(0).random((3, 12))).shape == (3, 2)
    path = written(tmp_path / "a.keras", parts | {"estimator.json": json.dumps(text | change)})
    with pytest.raises(ValueError, match=r"a\.keras"):
        CNNRegressor.load(path)


# -- What the package writes ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_accepted(tmp_path, name):
    ARCHITECTURES[name](60, 2, seed=0).save(tmp_path / "a.keras")
    check_model_file(tmp_path / "a.keras")


def test_layers_of_both_packages_and_compiled_models_are_accepted(tmp_path):
    inner = keras.Sequential(
        [
            keras.Input((12,)),
            RandomNoise(0.1),
            layers.Reshape((12, 1)),
            layers.Bidirectional(layers.GRU(2, return_sequences=True)),
            layers.SpectralNormalization(layers.Conv1D(2, 3, kernel_constraint="max_norm")),
            layers.Flatten(),
        ]
    )
    inner.compile("adam", "mse", metrics=["mae"])
    inputs = keras.Input((12,))
    keras.Model(inputs, layers.Dense(1, kernel_regularizer="l2")(inner(keras.ops.relu(inputs) * 2 + 1))).save(
        tmp_path / "a.keras"
    )
    assert load_model(tmp_path / "a.keras").output_shape == (None, 1)


# -- Anything -------------------------------------------------------------------------------------------------------


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_raise_nothing_but_a_valueerror(tmp_path, parts, data):
    """Bytes of the whole file, of a part and of the JSON are changed."""
    whole = written(tmp_path / "whole.keras", parts).read_bytes()
    name = data.draw(st.sampled_from(["whole", *parts]))
    content = bytearray(whole if name == "whole" else parts[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(1, len(content))) :]
    path = tmp_path / "a.keras"
    if name == "whole":
        path.write_bytes(content)
    else:
        written(path, parts | {name: bytes(content)})
    for read in (open_network, read_text):
        try:
            read(path)
        except ValueError as error:
            assert "a.keras" in str(error)
