"""No public call changes what belongs to the whole process: random states, warning filters, threads, flags, folders.

The calls run twice: one after the other, and all together in threads.
"""

import os
import random
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_info

import deep_chemometrics.augmentation as augmentation
import deep_chemometrics.calibration as calibration
import deep_chemometrics.data as spectra
import deep_chemometrics.explanation as explanation
import deep_chemometrics.infrared as infrared
import deep_chemometrics.networks as networks
import deep_chemometrics.plotting as plotting
import deep_chemometrics.preprocessing as preprocessing
from deep_chemometrics.networks.backend import keras

matplotlib.use("agg")
WINGS = [augmentation, calibration, spectra, explanation, infrared, networks, plotting, preprocessing]

rng = np.random.default_rng(0)
AXIS = np.linspace(1000, 1800, 60)
content = rng.uniform(1, 10, 30)
X = content[:, None] * np.exp(-0.5 * ((AXIS - 1300) / 60) ** 2) + rng.normal(1, 0.05, (30, 60)) + AXIS / 2000
y, labels = content, content > 5


def state() -> dict:
    """What belongs to the whole process."""
    return {
        "numpy's random state": str(np.random.get_state(legacy=False)),  # noqa: NPY002
        "Python's random state": random.getstate(),
        "Keras' settings": (keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()),
        "warning filters": list(warnings.filters),
        "threads of linear algebra": sorted((p["filepath"], p["num_threads"]) for p in threadpool_info()),
        "JAX's flags": dict(jax.config.values),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "numpy's errors": np.geterr(),
        "numpy's printing": str(np.get_printoptions()),
        "pandas' options": [pd.get_option(name) for name in ("mode.copy_on_write", "display.max_rows")],
        "matplotlib's settings": dict(matplotlib.rcParams),
        "output": (id(sys.stdout), id(sys.stderr), id(warnings.showwarning)),
        "hooks": (sys.excepthook, threading.excepthook, sys.getrecursionlimit()),
    }


def changed(before: dict) -> list[str]:
    after = state()
    return [name for name in before if before[name] != after[name]]


def found_in(name):
    return next(getattr(wing, name) for wing in WINGS if name in wing.__all__)


def transformed(kind):
    return kind().fit(X).transform(X)


def called(kind):
    layer = kind(seed=0)  # without a seed, Keras draws one from Python's random state
    if hasattr(layer, "adapt"):
        layer.adapt(X)
    return layer(X.astype("float32"), training=True)


def augmented(change):
    return change(X, random_state=0)


def built(build):
    return build(60, 1, seed=0)


def calibrated(kind):
    return kind().fit(X, y).predict(X)


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """A call of each public name, on small data; names in `_` are methods of the same object."""
    folder = tmp_path_factory.mktemp("files")
    pls = calibration.PLSRegressionCV(3, cv=3).fit(X, y)
    cnn = networks.CNNRegressor("savgol_net", epochs=1, verbose=0, random_state=0).fit(X, y)
    saved = cnn.save(folder / "cnn.keras")
    dataset = spectra.SpectralDataset(X, {"content": y}, AXIS)
    values = explanation.attribute(pls, X)
    cv = calibration.rmsecv(X, y, 3, 3)
    np.savez(folder / "a.npz", X=X, axis=AXIS)
    table = pd.DataFrame(X, columns=AXIS.round(3).astype(str))
    table.to_csv(folder / "a.csv", index_label="sample")
    several = {
        transformed: "MSC SNV EMSC SavitzkyGolay GlobalScaler LowNoiseChannels Baseline Absorbance",
        called: "RandomScatter RandomAxis RandomNoise RandomBands",
        augmented: "augment_scatter augment_emsc augment_axis augment_noise augment_dropout",
        built: "bjerrum cui_fearn deep_spectra fganet group_net resnet1d savgol_net",
        calibrated: "LocallyWeightedPLS AutoPLS AutoRidge ApplicabilityDomain PLSRegressionCV",
    }
    found = {name: partial(how, found_in(name)) for how, names in several.items() for name in names.split()}
    return found | {
        "PLSDA": lambda: calibration.PLSDA(2, cv=3).fit(X, labels).predict(X),
        "Crop": lambda: preprocessing.Crop(1100, 1500, AXIS).fit_transform(X),
        "Resample": lambda: preprocessing.Resample(AXIS[::2], AXIS).fit_transform(X),
        "estimate_scatter": lambda: augmentation.estimate_scatter(X),
        "augment_mixup": lambda: augmentation.augment_mixup(X, y, random_state=0),
        "rmsecv": lambda: calibration.rmsecv(X, y, 3, 3),
        "nested_rmse": lambda: calibration.nested_rmse(Ridge(), X, y),
        "choose_components": lambda: calibration.choose_components(cv),
        "compare": lambda: calibration.compare({"a": Ridge(), "b": Ridge(2)}, (X, y), 3, 1, progress=False),
        "error_report": lambda: calibration.error_report(y, y + 1),
        "calibration_report": lambda: calibration.calibration_report(pls, dataset, {"test": dataset}),
        "hotelling_t2": lambda: calibration.hotelling_t2(pls, X),
        "q_residuals": lambda: calibration.q_residuals(pls, X),
        "vip": lambda: calibration.vip(pls),
        "selectivity_ratio": lambda: calibration.selectivity_ratio(pls, X),
        "reference_models": lambda: calibration.reference_models(),
        "select_samples": lambda: calibration.select_samples(X, 5),
        "SpectralDataset": lambda: dataset.where(),
        "read_numpy": lambda: spectra.read_numpy(folder / "a.npz", axis_unit="nm"),
        "read_table": lambda: spectra.read_table(folder / "a.csv", axis_unit="nm"),
        "read_spectra": lambda: spectra.read_spectra(folder / "a.csv", axis_unit="nm"),
        "list_datasets": lambda: spectra.list_datasets(),
        "load_tablets": lambda: spectra.load_tablets(),
        "simulate_spectra": lambda: spectra.simulate_spectra(20, random_state=0),
        "CNNRegressor": lambda: networks.CNNRegressor("savgol_net", epochs=1, verbose=0, random_state=0).fit(X, y),
        "CNNClassifier": lambda: networks.CNNClassifier("savgol_net", epochs=1, verbose=0, random_state=0).fit(
            X, labels
        ),
        "CNNRegressor.predict": lambda: cnn.predict(X),
        "CNNRegressor.save": lambda: cnn.save(folder / f"{threading.get_ident()}.keras"),
        "load_model": lambda: networks.load_model(saved).predict(X),
        "ScatterCorrection": lambda: networks.ScatterCorrection(1).adapt(X)(X.astype("float32")),
        "attribute": lambda: [
            explanation.attribute(cnn, X[:2], method, progress=False)
            for method in ("gradient", "integrated_gradients", "occlusion")
        ],
        "attribute, at random": lambda: [
            explanation.attribute(cnn, X[:2], method, progress=False, random_state=0, samples=4)
            for method in ("smooth_grad", "shapley")
        ],
        "score_function": lambda: explanation.score_function(pls, X)(X),
        "kernel_activations": lambda: explanation.kernel_activations(cnn, X[:2]),
        "most_active_kernels": lambda: explanation.most_active_kernels(np.ones((2, 5, 3))),
        "receptive_field": lambda: explanation.receptive_field(cnn),
        "frequency_response": lambda: explanation.frequency_response(np.ones((5, 2))),
        "agreement": lambda: explanation.agreement({"a": values, "b": values}),
        "weight_check": lambda: explanation.weight_check(cnn, X[:2], "gradient", n_draws=1),
        "target_check": lambda: explanation.target_check(pls, X, y, X[:2], "gradient", n_draws=1),
        "noise_check": lambda: explanation.noise_check(pls, X[:2], "gradient", n_draws=1),
        "faithfulness": lambda: explanation.faithfulness(pls, X[:2], values[:2]),
        "completeness_error": lambda: explanation.completeness_error(pls, X, values),
        "bands": lambda: explanation.bands(AXIS, n=5),
        "localization": lambda: explanation.localization(values, AXIS > 1400),
        "load_group_model": lambda: infrared.load_group_model().predict(np.zeros((1, 850))),
    }


@pytest.mark.slow
def test_every_call_leaves_the_process_as_it_was(calls):
    found = {}
    for name, call in calls.items():
        before = state()
        call()
        if what := changed(before):
            found[name] = what
    assert not found and len(calls) > 60


@pytest.mark.slow
def test_calls_in_threads_leave_the_process_as_it_was(calls):
    before = state()
    with ThreadPoolExecutor(4) as pool:
        for running in [pool.submit(call) for call in calls.values()]:
            running.result()
    assert not changed(before)
