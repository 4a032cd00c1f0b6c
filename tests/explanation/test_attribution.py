"""Attribution against independent implementations in float64, completeness, units, baselines, and bad requests."""

import gc
import warnings
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from deep_chemometrics.augmentation import RandomScatter
from deep_chemometrics.calibration import PLSDA, PLSRegressionCV
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_tablets
from deep_chemometrics.explanation import (
    METHODS,
    Attribution,
    attribute,
    bands,
    kernel_activations,
    receptive_field,
    score_function,
)
from deep_chemometrics.explanation.scores import _compiled
from deep_chemometrics.networks import CNNClassifier, CNNRegressor, ScatterCorrection, bjerrum
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import EMSC, MSC, SNV, SavitzkyGolay

layers = keras.layers
N = 40
RNG = np.random.default_rng(0)
X = np.sin(np.linspace(0, 7, N)) + 0.2 * RNG.normal(size=(9, N))
WEIGHTS = RNG.normal(size=(N, 3))
GRADIENTS = ("gradient", "gradient_x_input", "integrated_gradients")
OPTIONS = {"smooth_grad": dict(samples=5), "shapley": dict(bands=4), "occlusion": dict(bands=7)}


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
    return load_tablets().where(instrument=1, role="test")[:60]


@pytest.fixture(scope="module", params=[None, pytest.param("emsc", marks=pytest.mark.slow)])
def cnn(request, tablets):
    estimator = CNNRegressor("bjerrum", scatter_correction=request.param, epochs=4, random_state=0, verbose=0)
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


@pytest.mark.parametrize("target", [1, pytest.param(0, marks=pytest.mark.slow)])
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


@pytest.mark.slow
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


# The same result by any way


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch_size", [5, pytest.param(64, marks=pytest.mark.slow)])
def test_batches_make_no_difference(network, method, batch_size):
    options = dict(steps=8, random_state=0) | OPTIONS.get(method, {})
    whole = attribute(network, X, method, **options)
    again = attribute(network, X, method, batch_size=batch_size, **options)
    assert np.allclose(again, whole, atol=1e-5 * max(1, np.abs(whole).max()))


def test_a_spectrum_alone_and_in_company(network):
    baseline = X.mean(axis=0)
    together = attribute(network, X, baseline=baseline)
    assert np.allclose(attribute(network, X[4:5], baseline=baseline), together[4:5], atol=1e-6)


@pytest.mark.slow
def test_estimator_and_its_model_agree(cnn, tablets):
    mean = cnn.mean_spectrum_
    assert np.array_equal(attribute(cnn, tablets.X), attribute(cnn.model_, tablets.X, baseline=mean))
    bare = attribute(cnn.model_, tablets.X)
    assert np.allclose(bare, attribute(cnn, tablets.X, baseline=tablets.X.mean(axis=0)))


@pytest.mark.slow
def test_units_are_those_of_y_per_raw_absorbance(tablets):
    """The same data in grams: gradients and attributions are a thousandth."""
    fit = dict(architecture="bjerrum", epochs=2, random_state=0, verbose=0)
    in_mg = CNNRegressor(**fit).fit(tablets.X, tablets.y["assay"])
    in_g = CNNRegressor(**fit).fit(tablets.X, tablets.y["assay"] / 1000)
    for method in METHODS:
        options = dict(random_state=0) | OPTIONS.get(method, {})
        mg, g = (attribute(model, tablets.X[:5], method, **options) for model in (in_mg, in_g))
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
            for method in GRADIENTS:
                attribute(model, X[:n], method, target, steps=5, batch_size=4, baseline=None)
    assert traced.count((4, N)) == 2, "once the scores, once their gradient"
    assert set(traced) == {(4, N)}, "nothing runs outside of the batches: no step of it could be a last sigmoid"


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
    assert model in _compiled
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


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


@pytest.mark.parametrize("nested", [False, pytest.param(True, marks=pytest.mark.slow)])
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


# Bad requests


def test_bad_requests(network):
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
    for wrong in (None, "model", lambda X: X[:, 0]):
        with pytest.raises(ValueError, match="give a Keras model"):
            attribute(wrong, X)
    for unfitted in (CNNRegressor(), PLSRegressionCV(), make_pipeline(SNV(), LinearRegression())):
        with pytest.raises(NotFittedError):
            attribute(unfitted, X)
    with pytest.raises(ValueError, match="cannot predict"):
        attribute(StandardScaler().fit(X), X)
    with pytest.raises(ValueError, match="must give"):
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


# Scikit-learn: exact where it is linear

Y = X @ RNG.normal(size=(N, 2)) + 0.1 * RNG.normal(size=(9, 2))
LABELS = np.arange(9) % 3


@pytest.mark.parametrize(
    "model",
    [
        LinearRegression(),
        Lasso(alpha=0.01),
        PLSRegressionCV(max_components=3, cv=3, random_state=0),
        make_pipeline(StandardScaler(), LinearRegression()),
        make_pipeline(SavitzkyGolay(), StandardScaler(), PLSRegressionCV(max_components=3, cv=3, random_state=0)),
        GridSearchCV(Lasso(), {"alpha": [0.01, 0.1]}, cv=3),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_linear_estimators_are_exact(model, method):
    """Against coefficients found by predicting unit vectors; a float64 sum of 40 rounds at 1e-14 of its terms."""
    model.fit(X, Y[:, 0])
    w = np.ravel(model.predict(np.eye(N)) - model.predict(np.zeros((1, N))))
    start = RNG.normal(size=N)
    if method == "grad_cam":
        with pytest.raises(ValueError, match="one network"):
            attribute(model, X, method)
        return
    b = bands(N, n=5)
    expected = {"gradient": np.tile(w, (9, 1)), "gradient_x_input": w * X, "integrated_gradients": w * (X - start)}
    expected |= {"smooth_grad": expected["gradient"], "occlusion": b.spread(b.sums(w * (X - start)))}
    expected["shapley"] = expected["occlusion"]
    options = dict(baseline=start) if method in ("integrated_gradients", "occlusion", "shapley") else {}
    options |= dict(bands=b) if method in ("occlusion", "shapley") else {}
    assert np.allclose(attribute(model, X, method, **options), expected[method], rtol=1e-8, atol=1e-9)


def test_the_baseline_of_pls_is_its_training_mean():
    pls = PLSRegressionCV(max_components=3, cv=3, random_state=0).fit(X, Y)
    for target in (0, 1):
        expected = pls.coef_[target] * (X[:2] - X.mean(axis=0))
        assert np.allclose(attribute(pls, X[:2], target=target), expected)
    with pytest.raises(ValueError, match="2 output"):
        attribute(pls, X, target=2)


@pytest.mark.parametrize(
    "corrector, order",
    [(EMSC(order=2), 2), *(pytest.param(corrector, 0, marks=pytest.mark.slow) for corrector in (SNV(), MSC()))],
)
def test_pipelines_with_scatter_correction(corrector, order):
    """Refused as in networks; blind to the spectrum and to the polynomials; complete from a spectrum as baseline."""
    model = make_pipeline(corrector, LinearRegression()).fit(X, Y[:, 0])
    for wrong in (dict(method="gradient_x_input"), dict(baseline=0), dict(method="shapley", fill="zero")):
        with pytest.raises(ValueError, match="scatter correction"):
            attribute(model, X, **wrong)
    gradients, t = attribute(model, X, "gradient"), np.linspace(-1, 1, N)
    for blind in [X, np.ones(N), t, t**2][: order + 2]:
        products = gradients * blind
        assert (np.abs(products.sum(axis=1)) < 1e-5 * np.abs(products).sum(axis=1)).all()
    result = attribute(model, X, baseline=X[0], steps=200, details=True)
    assert np.abs(result.completeness_error).max() < 1e-3 * np.abs(result.explained).max()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_smooth_models_that_are_not_linear():
    model = MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", max_iter=20, random_state=0).fit(X, Y[:, 0])
    result = attribute(model, X, steps=200, details=True)
    assert np.abs(result.completeness_error).max() < 1e-3 * np.abs(result.explained).max()
    w1, w2 = model.coefs_
    by_hand = ((1 - np.tanh(X @ w1 + model.intercepts_[0]) ** 2) * w2[:, 0]) @ w1.T
    assert np.allclose(attribute(model, X, "gradient"), by_hand, rtol=1e-5, atol=1e-6)


def test_trees_have_no_gradient_but_bands():
    forest = RandomForestRegressor(5, random_state=0).fit(X, Y[:, 0])
    for method in ("gradient", "gradient_x_input", "integrated_gradients", "smooth_grad"):
        with pytest.raises(ValueError, match="use a method of bands"):
            attribute(forest, X, method)
    result = attribute(forest, X, "shapley", bands=4, details=True)
    assert np.abs(result.completeness_error).max() < 1e-9


def test_classifiers_of_scikit_learn():
    binary = LogisticRegression().fit(X, LABELS == 1)
    assert np.allclose(attribute(binary, X, "gradient", 1), binary.coef_[0], atol=1e-7)
    assert np.allclose(attribute(binary, X, "gradient", 0), -binary.coef_[0], atol=1e-7)
    p = binary.predict_proba(X)[:, [1]]
    assert np.allclose(attribute(binary, X, "gradient", 1, output="value"), p * (1 - p) * binary.coef_[0], atol=1e-6)
    several = LogisticRegression().fit(X, LABELS)
    p, w = several.predict_proba(X), several.coef_
    others = np.delete(p, 2, axis=1)
    by_hand = w[2] - others @ np.delete(w, 2, axis=0) / others.sum(axis=1, keepdims=True)
    assert np.allclose(attribute(several, X, "gradient", 2), by_hand, atol=1e-6)
    svc = LinearSVC().fit(X, LABELS)
    assert np.allclose(attribute(svc, X, "gradient", 2), svc.coef_[2])
    with pytest.raises(ValueError, match="knows no probabilities"):
        attribute(svc, X, output="log_odds")
    with pytest.raises(ValueError, match="is for classifiers"):
        attribute(LinearRegression().fit(X, Y), X, output="log_odds")
    plsda = PLSDA(max_components=2, cv=3, random_state=0).fit(X, LABELS)
    assert np.isfinite(attribute(plsda, X, target=2)).all()


# Networks that classify


@pytest.mark.parametrize("end", ["sigmoid", "softmax"])
@pytest.mark.parametrize("separate", [False, True])
def test_log_odds_of_networks(end, separate):
    """Weights that make probabilities of 1 in float32: the log-odds are not saturated."""
    weights = 30 * WEIGHTS
    parts = [layers.Dense(3), layers.Activation(end)] if separate else [layers.Dense(3, activation=end)]
    model = chain(*parts)
    model.layers[0].set_weights([weights, np.zeros(3)])
    z = X @ weights
    for target in range(3):
        odds = z[:, target]
        gradient = np.tile(weights[:, target], (9, 1))
        if end == "softmax":
            others = np.delete(z, target, axis=1)
            odds = odds - np.logaddexp(*others.T)
            share = np.exp(others - others.max(axis=1, keepdims=True))
            gradient = gradient - share / share.sum(axis=1, keepdims=True) @ np.delete(weights, target, axis=1).T
        assert np.allclose(score_function(model, X, target)(X), odds, rtol=1e-4, atol=1e-2)
        assert np.allclose(attribute(model, X, "gradient", target), gradient, rtol=1e-3, atol=1e-2)
    value = score_function(model, X, 1, output="value")(X)
    assert np.allclose(value, keras.ops.convert_to_numpy(model(X.astype("float32")))[:, 1])
    assert ((value < 1e-7) | (value > 1 - 1e-7)).all(), "else nothing was saturated"


def test_two_labels_or_one_column():
    one = chain(layers.Dense(1, activation="sigmoid"))
    one.layers[0].set_weights([WEIGHTS[:, :1], np.zeros(1)])
    assert np.allclose(attribute(one, X, "gradient"), WEIGHTS[:, 0], atol=1e-5)
    softmax = chain(layers.Dense(1), layers.Softmax())  # always 1: no log-odds
    with pytest.warns(UserWarning, match="softmax over axis -1"):
        assert (attribute(softmax, X, "gradient") == 0).all()


def test_classifier_estimators_by_their_attributes(network):
    """Whatever holds a Keras model as `model_` and remembers its mean."""

    class Holder:
        model_, mean_spectrum_ = chain(network, layers.Activation("softmax")), X[3]

    logits = keras.ops.convert_to_numpy(network((X).astype("float32")))
    result = attribute(Holder(), X, target=1, details=True)
    assert np.array_equal(result.baseline, X[3])
    assert np.allclose(result.explained, np.subtract(*logits.T[::-1]) - np.subtract(*logits[3, ::-1]), atol=1e-5)


@pytest.mark.slow
def test_our_classifier(tablets):
    """Classes and labels: the values sum to the difference of log-odds, as `predict_proba` gives them in float32."""
    few, level = tablets.X[:, ::20], tablets.y["assay"].to_numpy() // 15
    fit = dict(architecture="bjerrum", epochs=2, random_state=0, verbose=0)
    for y in (level.astype(int), np.stack([level > 12, level > 13], axis=1).astype(int)):
        model = CNNClassifier(**fit).fit(few, y)
        result = attribute(model, few[:5], target=1, details=True)
        p, start = (model.predict_proba(x)[:, 1] for x in (few[:5], model.mean_spectrum_[None]))
        expected = np.log(p / (1 - p)) - np.log(start / (1 - start))
        assert np.allclose(result.explained, expected, atol=1e-4)
        assert np.abs(result.completeness_error).max() < 0.05 * np.abs(expected).max() + 1e-4


@pytest.mark.slow
def test_ensembles_inside_one_model(tablets):
    """The gradient is the mean of the members'; Grad-CAM looks at the last convolution of each."""
    few = tablets.X[:, ::20]
    model = CNNRegressor("bjerrum", n_members=2, epochs=2, random_state=0, verbose=0).fit(few, tablets.y["assay"])
    cam = attribute(model, few[:3], "grad_cam")
    last = score_function(model, few).layers(None)
    assert len(last) == 2 and last[0] is not last[1]
    assert np.allclose(cam, sum(attribute(model, few[:3], "grad_cam", layer=layer) for layer in last), atol=1e-5)
    result = attribute(model, few[:3], details=True)
    assert np.abs(result.completeness_error).max() < 0.05 * np.abs(result.explained).max() + 1e-3


@pytest.mark.slow
def test_ensembles_are_averages(tablets):
    few = tablets.X[:, ::20]
    fit = dict(architecture="bjerrum", epochs=2, verbose=0)
    members = [(str(i), CNNRegressor(random_state=i, **fit)) for i in range(2)]
    vote = VotingRegressor(members).fit(few, tablets.y["assay"])
    for method in ("gradient", "integrated_gradients", "shapley"):
        options = dict(baseline=few.mean(axis=0)) if method != "gradient" else {}
        each = [attribute(member, few[:4], method, **options) for member in vote.estimators_]
        assert np.allclose(attribute(vote, few[:4], method, **options), np.mean(each, axis=0), atol=1e-5)
    mean = np.mean([member.mean_spectrum_ for member in vote.estimators_], axis=0)
    assert np.allclose(attribute(vote, few[:4], details=True).baseline, mean)


# SmoothGrad, occlusion, Shapley values, Grad-CAM


def test_smooth_grad_against_a_loop(network):
    noise, rng = 0.05, np.random.default_rng(7)
    result = attribute(network, X, "smooth_grad", samples=6, noise=noise, random_state=7, details=True)
    for i, x in enumerate(X):
        copies = x + noise * np.ptp(x) * rng.standard_normal((6, N))
        gradients = attribute(network, copies, "gradient")
        assert np.allclose(result.values[i], gradients.mean(axis=0), atol=1e-6)
        assert np.allclose(result.standard_error[i], gradients.std(axis=0, ddof=1) / np.sqrt(6), atol=1e-6)
    assert np.allclose(attribute(network, X, "smooth_grad", noise=0.0), attribute(network, X, "gradient"), atol=1e-6)


@pytest.mark.parametrize("method", ["smooth_grad", "shapley"])
def test_random_state(network, method):
    def run(state):
        return attribute(network, X, method, samples=4, random_state=state)

    assert np.array_equal(run(3), run(3)) and not np.array_equal(run(3), run(4))


@pytest.mark.parametrize("fill", ["mean", "interpolate", "zero"])
def test_occlusion_against_predictions(network, fill):
    b, start = bands(N, n=8), X[0]
    score = score_function(network, X, 1)
    values = attribute(network, X, "occlusion", 1, bands=b, fill=fill, baseline=start)
    for k, (first, last) in enumerate(zip(b.first, b.last)):
        without = X.copy()
        inside = np.arange(first, last + 1)
        rest = np.setdiff1d(np.arange(N), inside)
        for row in without:
            row[inside] = {"mean": start[inside], "zero": 0, "interpolate": np.interp(inside, rest, row[rest])}[fill]
        assert np.allclose(b.sums(values)[:, k], score(X) - score(without), atol=1e-5)


@pytest.mark.slow
def test_shapley_of_a_network_is_complete(cnn, tablets):
    result = attribute(cnn, tablets.X[:3], "shapley", bands=5, details=True)
    assert isinstance(result, Attribution) and len(result.bands) == 5 and result.band_values.shape == (3, 5)
    assert np.allclose(result.completeness_error, 0, atol=1e-3)
    expected = cnn.predict(tablets.X[:3]) - cnn.predict(cnn.mean_spectrum_[None])
    assert np.allclose(result.explained, expected, atol=1e-3)
    sampled = attribute(cnn, tablets.X[:3], "shapley", bands=12, samples=8, random_state=0, details=True)
    assert np.allclose(sampled.completeness_error, 0, atol=1e-3) and sampled.standard_error.max() > 0


def test_grad_cam_by_hand():
    """Convolution, mean over positions, dense: the gradient at every position is the dense weight over their number."""
    for placement in ({"padding": "same"}, {"strides": 2}, {"padding": "same", "strides": 3}):
        conv = layers.Conv1D(3, 5, **placement)
        model = chain(layers.Reshape((N, 1)), conv, layers.GlobalAveragePooling1D(), layers.Dense(2))
        activations, dense = kernel_activations(model, X), model.layers[-1].get_weights()[0]
        at_units = activations @ dense[:, 1] / activations.shape[1]
        centre = receptive_field(model).centre
        expected = [np.interp(np.arange(N), centre, row) for row in at_units]
        assert np.allclose(attribute(model, X, "grad_cam", 1, layer=conv), expected, atol=1e-6)
        assert np.array_equal(attribute(model, X, "grad_cam", 1), attribute(model, X, "grad_cam", 1, layer=0))


def test_grad_cam_takes_the_last_convolution_unless_told(network):
    last = attribute(network, X, "grad_cam")
    assert np.array_equal(last, attribute(network, X, "grad_cam", layer=1))
    assert not np.allclose(last, attribute(network, X, "grad_cam", layer=0))
    with pytest.raises(ValueError, match="is not in the model"):
        attribute(network, X, "grad_cam", layer=5)
    with pytest.raises(ValueError, match="no one-dimensional convolution"):
        attribute(linear(), X, "grad_cam")


def test_options_that_a_method_does_not_use(network):
    cases = [
        (dict(method="gradient", bands=4), "bands is used by 'occlusion', 'shapley' only"),
        (dict(method="occlusion", samples=4), "samples is used by"),
        (dict(method="shapley", layer=0), "layer is used by 'grad_cam' only"),
        (dict(method="shapley", samples=3), "samples=3"),
        (dict(method="smooth_grad", samples=0), "samples=0"),
        (dict(method="smooth_grad", noise=-1), "noise"),
        (dict(method="occlusion", bands=N + 1), "more than the 40"),
        (dict(method="occlusion", bands=bands(N - 1, n=3)), "for 39 channels"),
        (dict(method="occlusion", fill="white"), "fill"),
        (dict(output="logit"), "output"),
    ]
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            attribute(network, X, **wrong)


def test_too_few_steps_are_reported():
    model = chain(layers.Rescaling(1.0), layers.Activation("tanh"), layers.Dense(1))
    far = 50 * X
    with pytest.warns(SpectrumWarning, match="take more steps"):
        attribute(model, far, baseline=0, steps=2)


def test_baseline_a_spectrum_of_the_sample_itself(network):
    result = attribute(network, X, baseline=X[2], details=True)
    assert (result.values[2] == 0).all() and result.explained[2] == 0
