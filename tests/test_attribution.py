"""Attribution against independent implementations in float64, completeness, units, baselines, and bad questions."""

import gc
import warnings
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from deep_chemometrics import attribution
from deep_chemometrics.attribution import METHODS, attribute
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.cnn import bjerrum
from deep_chemometrics.datasets import load_tablets
from deep_chemometrics.estimators import CNNRegressor
from deep_chemometrics.layers import RandomScatter, ScatterCorrection, keras

layers = keras.layers
N = 40
RNG = np.random.default_rng(0)
X = np.sin(np.linspace(0, 7, N)) + 0.2 * RNG.normal(size=(9, N))
WEIGHTS = RNG.normal(size=(N, 3))


def chain(*parts, shape=(N,)):
    return keras.Sequential([layers.Input(shape), *parts])


def linear(weights=WEIGHTS, intercept=(1.0, 2.0, 3.0)):
    model = chain(layers.Dense(len(intercept)))
    model.layers[0].set_weights([weights, np.array(intercept)])
    return model


@pytest.fixture(scope="module")
def network():
    return bjerrum(N, n_targets=2, seed=0)


@pytest.fixture(scope="module")
def corrected(network):
    return chain(ScatterCorrection(2).adapt(X), network)


@pytest.fixture(scope="module")
def tablets():
    return load_tablets().where(instrument=1, split="calibrate")[:60]


@pytest.fixture(scope="module", params=[None, "emsc"])
def cnn(request, tablets):
    estimator = CNNRegressor(scatter_correction=request.param, epochs=4, random_state=0, verbose=0)
    return estimator.fit(tablets.X, tablets.y["assay"])


def forward(model, x):
    """The `bjerrum` network in numpy and float64: spectra (n, N) -> (n, n_targets)."""
    w1, b1, w2, b2, w3, b3, w4, b4 = (np.asarray(w, dtype=np.float64) for w in model.get_weights()[:8])

    def convolve(h, w, b):
        left = (len(w) - 1) // 2
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(h, ((0, 0), (left, len(w) - 1 - left), (0, 0))), len(w), axis=1
        )
        return np.maximum(np.einsum("npcw,wck->npk", windows, w) + b, 0)

    h = convolve(convolve(x[:, :, None], w1, b1), w2, b2)
    return np.maximum(h.reshape(len(x), -1) @ w3 + b3, 0) @ w4 + b4


# Linear models: exact


@pytest.mark.parametrize("target", [0, 1, 2])
@pytest.mark.parametrize("steps", [1, 7, 64])
def test_linear_network_is_exact(target, steps):
    """Float32 has 24 bits: a product rounds by 6e-8 of itself, and the float32 spectrum and weight by as much each."""
    w, baseline = WEIGHTS[:, target], RNG.normal(size=N)
    close = dict(rtol=5e-7, atol=1e-12)
    assert np.allclose(attribute(linear(), X, "gradient", target), np.tile(w, (9, 1)), **close)
    assert np.allclose(attribute(linear(), X, "gradient_x_input", target), w * X, **close)
    integrated = attribute(linear(), X, target=target, baseline=baseline, steps=steps)
    assert np.allclose(integrated, w * (X - baseline), **close)
    assert np.allclose(attribute(linear(), X, target=target), w * (X - X.mean(axis=0)), **close)


# Against independent implementations


def test_the_numpy_network_is_the_network(network):
    assert np.allclose(forward(network, X), keras.ops.convert_to_numpy(network(X.astype("float32"))), atol=1e-5)


@pytest.mark.parametrize("target", [0, 1])
def test_gradient_against_finite_differences_in_float64(network, target):
    """Central differences of an independent float64 network; a step of 1e-6 crosses a kink of relu almost never."""
    step = 1e-6
    needles = step * np.eye(N)
    differences = np.array(
        [(forward(network, x + needles) - forward(network, x - needles))[:, target] / (2 * step) for x in X]
    )
    gradients = attribute(network, X, "gradient", target)
    assert np.abs(gradients - differences).max() < 2e-5 * np.abs(differences).max()
    assert np.allclose(attribute(network, X, "gradient_x_input", target), gradients * X)


def test_gradient_through_scatter_correction_against_finite_differences(corrected):
    """EMSC by its definition, least squares on reference and polynomials, in front of the numpy network."""
    t = np.linspace(-1, 1, N)
    design = np.column_stack([X.mean(axis=0), np.ones(N), t, t**2])

    def through_emsc(x):
        gain, *lines = np.linalg.lstsq(design, x.T, rcond=None)[0]
        return forward(corrected.layers[-1], (x - (design[:, 1:] @ np.array(lines)).T) / gain[:, None])

    step = 1e-6
    needles = step * np.eye(N)
    differences = [(through_emsc(x + needles) - through_emsc(x - needles))[:, 0] / (2 * step) for x in X]
    gradients = attribute(corrected, X, "gradient")
    assert np.abs(gradients - differences).max() < 1e-3 * np.abs(differences).max()


def test_integrated_gradients_against_a_naive_loop(network):
    baseline = X.mean(axis=0)
    naive = np.zeros_like(X)
    for i, x in enumerate(X):
        for k in range(16):
            point = baseline + (k + 0.5) / 16 * (x - baseline)
            naive[i] += (x - baseline) * attribute(network, point[None], "gradient", 1)[0] / 16
    assert np.allclose(attribute(network, X, target=1, baseline=baseline, steps=16), naive, atol=1e-7)


# Completeness


def test_completeness_of_a_trained_network(cnn, tablets):
    other = tablets.X[7]
    for baseline, start in ((None, cnn.mean_spectrum_), (other, other)):
        explained = cnn.predict(tablets.X) - cnn.predict(start[None])
        left = attribute(cnn, tablets.X, baseline=baseline).sum(axis=1) - explained
        assert np.abs(left).max() < 0.02 * np.abs(explained).max()
    assert np.abs(attribute(cnn, other[None], baseline=other)).max() == 0


def test_more_steps_are_more_complete(network):
    explained = (forward(network, X) - forward(network, X.mean(axis=0)[None]))[:, 0]
    error = [np.abs(attribute(network, X, steps=s).sum(axis=1) - explained).max() for s in (2, 16, 256)]
    assert error[0] > error[1] > error[2] and error[2] < 1e-2 * np.abs(explained).max()


def test_gradient_is_blind_to_what_scatter_correction_removes(corrected):
    """f(a x + polynomial) = f(x), so the gradient is orthogonal to x and to the polynomials."""
    gradients, t = attribute(corrected, X, "gradient"), np.linspace(-1, 1, N)
    for blind in (X, np.ones(N), t, t**2):
        products = gradients * blind
        assert (np.abs(products.sum(axis=1)) < 1e-4 * np.abs(products).sum(axis=1)).all()


# The same answer by any way


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch_size", [1, 5, 9, 64, 1000])
def test_batches_make_no_difference(network, method, batch_size):
    whole = attribute(network, X, method, steps=8)
    assert np.allclose(attribute(network, X, method, steps=8, batch_size=batch_size), whole, atol=1e-6)


def test_a_spectrum_alone_and_in_company(network):
    baseline = X.mean(axis=0)
    together = attribute(network, X, baseline=baseline)
    assert np.allclose(attribute(network, X[4:5], baseline=baseline), together[4:5], atol=1e-6)


def test_estimator_and_its_model_agree(cnn, tablets):
    mean = cnn.mean_spectrum_
    assert np.array_equal(attribute(cnn, tablets.X), attribute(cnn.model_, tablets.X, baseline=mean))
    bare = attribute(cnn.model_, tablets.X)
    assert np.allclose(bare, attribute(cnn, tablets.X, baseline=tablets.X.mean(axis=0)))


def test_units_are_those_of_y_per_raw_absorbance(tablets):
    """The same data in grams: gradients and attributions are a thousandth."""
    fit = dict(epochs=2, random_state=0, verbose=0)
    in_mg = CNNRegressor(**fit).fit(tablets.X, tablets.y["assay"])
    in_g = CNNRegressor(**fit).fit(tablets.X, tablets.y["assay"] / 1000)
    for method in METHODS:
        mg, g = (attribute(model, tablets.X[:5], method) for model in (in_mg, in_g))
        assert np.allclose(mg, 1000 * g, rtol=1e-3, atol=1e-4 * np.abs(mg).max())
    x, channel, step = tablets.X[:1], 300, 1e-2
    needle = step * np.eye(1, x.shape[1], channel)
    difference = (in_mg.predict(x + needle) - in_mg.predict(x - needle))[0] / (2 * step)
    assert attribute(in_mg, x, "gradient")[0, channel] == pytest.approx(difference, rel=0.05, abs=0.02)


def test_spectra_as_sequences_give_the_same(network):
    as_sequence = chain(layers.Reshape((N,)), network, shape=(N, 1))
    assert np.allclose(attribute(as_sequence, X), attribute(network, X), atol=1e-6)


def test_noise_dropout_and_augmentation_take_no_part(network):
    noisy = chain(RandomScatter(), layers.GaussianNoise(1.0), layers.Dropout(0.9), network)
    assert np.allclose(attribute(noisy, X), attribute(network, X), atol=1e-6)


def test_an_output_without_a_dimension_of_its_own():
    model = chain(layers.Dense(1), layers.Flatten())
    inputs = keras.Input((N,))
    squeezed = keras.Model(inputs, keras.ops.squeeze(model(inputs), axis=1))
    assert squeezed.output_shape == (None,)
    assert np.array_equal(attribute(squeezed, X), attribute(model, X))


@pytest.mark.parametrize("kind", [np.float32, pd.DataFrame, lambda a: a.tolist(), lambda a: (10 * a).astype(int)])
def test_kinds_of_input(network, kind):
    given = kind(X)
    result = attribute(network, given, steps=4)
    assert result.dtype == np.float64 and np.allclose(result, attribute(network, np.array(given, dtype=float), steps=4))


# Compiled once, with the weights as they are


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="counts what JAX traces")
def test_nothing_is_compiled_twice():
    traced = []

    class Counting(layers.Layer):
        def call(self, x):
            traced.append(x.shape)
            return x

    model = chain(Counting(), layers.Dense(2))
    traced.clear()
    for n in (1, 5, 9):
        for target in (0, 1):
            for method in METHODS:
                attribute(model, X[:n], method, target, steps=5, batch_size=4)
    assert traced == [(4, N)]


def test_weights_set_later_count():
    model = linear()
    before = attribute(model, X, "gradient")
    model.set_weights([-WEIGHTS, np.zeros(3)])
    assert np.allclose(attribute(model, X, "gradient"), -before)


def test_freezing_layers_changes_nothing():
    """Two layers of the same shapes, frozen in turn: their weights must not be taken for each other."""
    model = chain(layers.Dense(N), layers.Dense(N), layers.Dense(1))
    expected = attribute(model, X, "gradient")
    for frozen in (0, 1):
        for i, layer in enumerate(model.layers):
            layer.trainable = i != frozen
        assert np.array_equal(attribute(model, X, "gradient"), expected)


def test_a_model_is_not_kept_alive():
    model = linear()
    attribute(model, X, "gradient")
    assert model in attribution._made
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


# Baselines


def test_baseline_of_a_bare_model_is_the_mean_of_the_spectra(network):
    assert np.array_equal(attribute(network, X), attribute(network, X, baseline=X.mean(axis=0)))
    with pytest.warns(SpectrumWarning, match="row 0: the baseline is the mean of X"):
        assert (attribute(network, X[:1]) == 0).all()
    assert np.array_equal(attribute(network, X, baseline=0.5), attribute(network, X, baseline=np.full(N, 0.5)))


@pytest.mark.parametrize(
    "baseline, message",
    [
        (np.ones(N - 1), "shape"),
        (np.ones((1, N)), "shape"),
        (np.full(N, np.nan), "baseline contains NaN"),
        (np.where(np.arange(N) == 3, np.inf, 1.0), "baseline contains infinity"),
    ],
)
def test_baselines_that_do_not_fit(network, baseline, message):
    with pytest.raises(ValueError, match=message):
        attribute(network, X, baseline=baseline)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("order", [0, 2])
def test_baselines_that_scatter_correction_cannot_correct(network, order, nested):
    model = chain(ScatterCorrection(order).adapt(X), network)
    model = chain(layers.Rescaling(1.0), chain(model)) if nested else model
    t = np.linspace(0, 1, N)
    wrong = [0, np.zeros(N), 3.7, np.full(N, -1e-8)] + [1 + t - 3 * t**2] * (order == 2)
    for baseline in wrong:
        with pytest.raises(ValueError, match="scatter correction, which divides"):
            attribute(model, X, baseline=baseline)
    with pytest.raises(ValueError, match="gradient x input compares with a spectrum of zeros"):
        attribute(model, X, "gradient_x_input")
    assert np.isfinite(attribute(model, X, baseline=X[0])).all()
    assert np.isfinite(attribute(network, X, baseline=0)).all(), "without correction a baseline of zero is a choice"


def test_constant_spectra_get_nothing_and_are_named(corrected):
    odd = X.copy()
    odd[[2, 5]] = [[0.0], [4.0]]
    with pytest.warns(SpectrumWarning, match="rows 2, 5"):
        result = attribute(corrected, odd, baseline=X.mean(axis=0))
    assert (result[[2, 5]] == 0).all()
    good = [0, 1, 3, 4, 6, 7, 8]
    assert np.allclose(result[good], attribute(corrected, X[good], baseline=X.mean(axis=0)), atol=1e-5)
    assert np.isfinite(attribute(corrected, odd, "gradient")).all()


# Bad questions


def test_bad_questions(network):
    cases = [
        (dict(method="saliency"), "'gradient', 'gradient_x_input', 'integrated_gradients'"),
        (dict(target=2), "2 output"),
        (dict(target=-1), "target"),
        (dict(target=0.0), "target"),
        (dict(steps=0), "steps"),
        (dict(batch_size=0), "batch_size"),
        (dict(method="gradient", baseline=0), "baseline is used by"),
    ]
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            attribute(network, X, **wrong)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "wrong, message",
    [
        (X[:, 1:], "39 channels, but 40"),
        (X[0], "Reshape your data"),
        (X[:0], "0 sample"),
        (np.where(np.arange(N) == 5, np.nan, X), "NaN: first at row 0, channel 5"),
        (np.where(np.arange(N) == 5, -np.inf, X), "infinity"),
        (X * 1e300, "infinite in float32"),
    ],
)
def test_spectra_that_do_not_fit(network, method, wrong, message):
    with pytest.raises(ValueError, match=message):
        attribute(network, wrong, method)


def test_models_that_are_none():
    for wrong in (LinearRegression().fit(X, X[:, 0]), None):
        with pytest.raises(ValueError, match="give a Keras model"):
            attribute(wrong, X)
    with pytest.raises(NotFittedError):
        attribute(CNNRegressor(), X)
    with pytest.raises(ValueError, match="must answer"):
        attribute(chain(layers.Reshape((N, 1)), layers.Conv1D(2, 3)), X)


def test_a_model_with_broken_weights_is_reported():
    with pytest.raises(ValueError, match="not finite, first at row 0"):
        attribute(linear(np.full((N, 3), np.nan)), X)


# Progress


def test_progress_is_shown_on_demand_only(network, capsys):
    for progress, shown in ((None, False), (False, False), (True, True)):
        attribute(network, X, steps=4, progress=progress)
        assert ("gradient" in capsys.readouterr().err) == shown


def test_no_warnings(network, corrected):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning)
        warnings.filterwarnings("error", category=RuntimeWarning)
        attribute(network, X)
        attribute(corrected, X)
