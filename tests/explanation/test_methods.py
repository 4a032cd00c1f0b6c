"""One record describes a method; one default baseline; the model of the user is left alone, in threads, too."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from deep_chemometrics.calibration import PLSRegressionCV
from deep_chemometrics.explanation import (
    METHODS,
    Attribution,
    agreement,
    attribute,
    bands,
    completeness_error,
    evaluate_explanations,
    faithfulness,
    inspect_bands,
    noise_check,
    target_check,
    weight_check,
)
from deep_chemometrics.explanation.activations import intercepted, primitive_steps
from deep_chemometrics.explanation.deletion import _relative
from deep_chemometrics.explanation.methods import Method, register_method, used_options
from deep_chemometrics.networks import CNNRegressor
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import SavitzkyGolay

layers = keras.layers
N = 24
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, N)).cumsum(axis=1)
Y = X @ RNG.normal(size=N)
LINEAR = LinearRegression().fit(X, Y)


# The record


def test_every_method_has_a_record_and_a_file_of_its_kind():
    assert list(METHODS)[:3] == ["gradient", "gradient_x_input", "integrated_gradients"]
    assert {"gradient_x_input", "smooth_grad", "occlusion", "shapley", "grad_cam"} <= set(METHODS)
    for name, method in METHODS.items():
        assert method.name == name
        assert method.compute.__module__.startswith("deep_chemometrics.explanation.method_")
        assert method.unit == ("band" if "bands" in method.options else "channel")
    contributions = {name for name, method in METHODS.items() if method.contributions}
    assert contributions >= {"gradient_x_input", "integrated_gradients", "occlusion", "shapley"}
    assert not contributions & {"gradient", "smooth_grad", "grad_cam"}


@pytest.mark.slow
def test_the_names_are_known_wherever_the_face_is_imported_first():
    code = "from deep_chemometrics.explanation import METHODS; print(len(METHODS))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7"]


def test_only_options_that_a_method_uses_are_passed_on():
    offered = dict(bands=5, baseline=0, random_state=0, fill="mean", layer=None)
    assert used_options("gradient", **offered) == {} == used_options("gradient_x_input", **offered)
    assert used_options("integrated_gradients", **offered) == {"baseline": 0}
    assert used_options("smooth_grad", **offered) == {"random_state": 0}
    assert used_options("occlusion", **offered) == {"bands": 5, "baseline": 0, "fill": "mean"}
    assert used_options("shapley", **offered) == {"bands": 5, "baseline": 0, "fill": "mean", "random_state": 0}
    with pytest.raises(ValueError, match="unknown"):
        used_options("saliency", **offered)


def test_relative_error():
    assert _relative(np.array([0.3, 0.4]), np.array([3.0, 4.0])) == pytest.approx(0.1)
    assert np.isnan(_relative(np.ones(2), np.zeros(2)))


@pytest.mark.parametrize("wrong", [dict(needs="luck"), dict(unit="peak"), dict(options=("baseline", "colour"))])
def test_records_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="unknown"):
        Method("new", lambda request: None, **wrong)


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match="'occlusion' exists"):
        register_method(Method("occlusion", lambda request: None))
    assert METHODS["occlusion"].unit == "band"
    assert register_method(METHODS["occlusion"]) is METHODS["occlusion"], "the same again is no harm"


@pytest.fixture(params=["channel", "band"])
def toy(request):
    """A method of one definition: exact contributions of a linear model, of channels or of bands."""

    def compute(request):
        slopes = request.score.gradient(request.X)
        values = slopes * (request.X - request.baseline)
        if request.bands is not None:
            values = request.bands.spread(request.bands.sums(values))
        return Attribution(values, request.explained(request.baseline[None]), baseline=request.baseline)

    options = ("baseline", "bands") if request.param == "band" else ("baseline",)
    yield register_method(Method("toy", compute, unit=request.param, contributions=True, options=options, n_bands=6))
    del METHODS["toy"]


def test_a_method_defined_in_one_place_is_accepted_everywhere(toy):
    exact = LINEAR.coef_ * (X - X.mean(axis=0))
    six = bands(N, n=6)
    if toy.unit == "band":
        exact = six.spread(six.sums(exact))
        assert np.allclose(attribute(LINEAR, X, "toy", bands=six), exact)
    else:
        with pytest.raises(ValueError, match="bands is used by 'occlusion', 'shapley' only, not by 'toy'"):
            attribute(LINEAR, X, "toy", bands=six)
    assert np.allclose(attribute(LINEAR, X, "toy"), exact)
    assert np.abs(attribute(LINEAR, X, "toy", details=True).completeness_error).max() < 1e-9
    with pytest.raises(ValueError, match="samples is used by"):
        attribute(LINEAR, X, "toy", samples=5)

    table = evaluate_explanations(LINEAR, X, ["toy", "integrated_gradients"], bands=6, n_draws=1, n_random=3)
    assert table.loc["toy", "completeness error"] < 1e-9
    assert np.isclose(table.loc["toy", "deletion"], table.loc["integrated_gradients", "deletion"])
    for check in (weight_check, noise_check):
        assert np.isfinite(check(LINEAR, X, "toy", bands=6, n_draws=1)["correlation"])
    assert np.isfinite(target_check(LINEAR, X, Y, X, "toy", bands=6, n_draws=1)["correlation"])

    inspector = inspect_bands(LINEAR, X, methods=["toy"], bands=6)
    before, after = inspector.effect(3, 2)
    assert inspector.bands.sums(inspector.attribution(3))[2] == pytest.approx(before - after)
    assert "attribution" in inspector.text(3, "toy", 2)


def test_a_method_that_needs_a_gradient_is_refused_for_trees(toy):
    from sklearn.tree import DecisionTreeRegressor

    with pytest.raises(ValueError, match="use a method of bands"):
        attribute(DecisionTreeRegressor().fit(X, Y), X, "toy")


def test_magnitudes_are_ordered_by_magnitude():
    def compute(request):
        return Attribution(np.abs(request.score.gradient(request.X) * (request.X - request.X.mean(axis=0))))

    register_method(Method("size", compute, signed=False, contributions=True))
    try:
        table = evaluate_explanations(LINEAR, X, ["size"], bands=6, n_draws=0, n_random=3)
        values = attribute(LINEAR, X, "size")
    finally:
        del METHODS["size"]
    expected = faithfulness(LINEAR, X, values, signed=False, bands=6, n_random=3).summary.loc["deletion"]
    assert np.isclose(table.loc["size", "deletion"], expected["gain"] / expected["to explain"])


def test_a_check_of_the_record_comes_before_the_computation():
    def refuse(request):
        raise ValueError("not today")

    register_method(Method("never", lambda request: 1 / 0, check=refuse))
    try:
        with pytest.raises(ValueError, match="not today"):
            attribute(LINEAR, X, "never")
    finally:
        del METHODS["never"]


# One default baseline


def pls():
    return PLSRegressionCV(max_components=4, cv=3, random_state=0)


NETWORK = dict(architecture="cui_fearn", random_state=0, verbose=0)
ENSEMBLE = [(str(i), CNNRegressor(**NETWORK | dict(epochs=1, random_state=i))) for i in range(2)]


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(pls(), id="pls"),
        pytest.param(GridSearchCV(pls(), {"max_components": [1]}, cv=2), id="search"),
        pytest.param(make_pipeline(SavitzkyGolay(5), Ridge()), id="pipeline"),
        pytest.param(CNNRegressor(epochs=2, **NETWORK), id="network", marks=pytest.mark.slow),
        pytest.param(VotingRegressor(ENSEMBLE), id="ensemble", marks=pytest.mark.slow),
    ],
)
def test_all_functions_compare_with_the_same_spectrum(model):
    """Spectra to explain that are not the training spectra: their mean is another one."""
    model.fit(X[:8], Y[:8])
    others = X[8:] + 3.0
    result = attribute(model, others, details=True, steps=128)
    error = completeness_error(model, others, result.values)
    scale = np.abs(result.values).sum(axis=1).max()
    assert np.allclose(error, result.completeness_error, atol=1e-6 * scale)
    assert np.abs(error).max() < 2e-2 * scale
    inspector = inspect_bands(model, others, bands=4)
    assert np.array_equal(inspector.baseline, result.baseline)
    explained = np.abs(result.explained).mean()
    found = faithfulness(model, others, result.values, bands=4, n_random=2).summary
    assert np.allclose(found["to explain"], explained, rtol=1e-5, atol=1e-6 * scale)


def test_completeness_of_pls_is_exact():
    model = pls().fit(X[:8], Y[:8])
    error = completeness_error(model, X[8:], attribute(model, X[8:]))
    assert np.abs(error).max() < 1e-9


def test_a_baseline_that_scatter_correction_cannot_correct_is_refused_by_all():
    from deep_chemometrics.preprocessing import SNV

    model = make_pipeline(SNV(), LinearRegression()).fit(X, Y)
    values = np.zeros_like(X)
    for function in (completeness_error, faithfulness):
        with pytest.raises(ValueError, match="scatter correction"):
            function(model, X, values, baseline=0)
    with pytest.raises(ValueError, match="scatter correction"):
        inspect_bands(model, X, baseline=0)


# The model of the user


def classifier():
    model = keras.Sequential(
        [layers.Input((N,)), layers.Dense(8, activation="tanh"), layers.Dense(3, activation="softmax")]
    )
    model.build((None, N))
    return model


@pytest.mark.slow
def test_a_thread_that_predicts_meanwhile_gets_probabilities():
    """The other thread runs while the last step is bypassed, and is compiled for the first time then."""
    model = classifier()
    expected = keras.ops.convert_to_numpy(model(X.astype("float32")))
    seen = {}

    class Waits(layers.Layer):
        """Lets another thread predict in the middle of the explanation's own forward pass."""

        def call(self, x):
            if "armed" in seen and "done" not in seen:
                seen["done"] = True
                other = threading.Thread(target=lambda: seen.update(p=outer.predict(X.astype("float32"), verbose=0)))
                other.start()
                other.join(60)
            return x

    outer = keras.Sequential([layers.Input((N,)), Waits(), model])
    seen["armed"] = True
    attribute(outer, X, "gradient", target=1)
    assert seen["done"] and np.allclose(seen["p"], expected, atol=1e-5)
    assert np.allclose(outer.predict(X.astype("float32"), verbose=0), expected, atol=1e-5), "also afterwards"


def test_explanations_in_several_threads_are_those_of_one():
    model = classifier()
    expected = [attribute(classifier_of(model), X, "gradient", target) for target in range(3)]
    fresh = classifier_of(model)
    found = {}

    def explain(target):
        found[target] = attribute(fresh, X, "gradient", target)

    threads = [threading.Thread(target=explain, args=(target,)) for target in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for target in range(3):
        assert np.allclose(found[target], expected[target], atol=1e-6)
    assert not any("call" in step.__dict__ for step in primitive_steps(fresh))


def classifier_of(model):
    copied = classifier()
    copied.set_weights(model.get_weights())
    return copied


def test_interception_nests_and_ends_with_an_error():
    model = classifier()
    last = model.layers[-1]
    x = X.astype("float32")
    before = keras.ops.convert_to_numpy(model(x))

    def doubled(step, call):
        return lambda *args, **kwargs: 2 * call(*args, **kwargs)

    with pytest.raises(RuntimeError), intercepted([last], doubled), intercepted([last], doubled):
        assert np.allclose(keras.ops.convert_to_numpy(model(x)), 4 * before)
        raise RuntimeError
    assert np.array_equal(keras.ops.convert_to_numpy(model(x)), before)


def test_agreement_of_names_that_need_no_string():
    table = agreement({0: X, 1: -X}, bands=4)
    assert table.loc[0, 1] == pytest.approx(1)
