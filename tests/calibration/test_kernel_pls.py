"""Kernel PLS: every size in every fold equal to scikit-learn refitted, whatever the shape, the folds and the units."""

import contextlib
import sys
import time
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from deep_chemometrics.calibration import PLSRegressionCV
from deep_chemometrics.calibration.kernel_pls import KernelPLSRegression, fold_predictions, one_thread, rank


def fit_pls(X, y, n_components, scale=False):
    return KernelPLSRegression(n_components, scale=scale).fit(X, y)


FEW, MANY = (40, 30), (150, 12)  # (samples, channels) for the two ways: fewer or more samples than twice the channels
EXACT = (
    1e-8  # both in float64, y between 0 and 20, condition below 1e3: found are some 1e-12, and 1e-10 for many targets
)


def simulated(shape, n_targets=1, rank=4, noise=0.1, seed=0):
    """Spectra of `rank` constituents, all of which the targets need, and a little noise in both."""
    rng = np.random.default_rng(seed)
    amounts, pure = rng.normal(size=(shape[0], rank)), rng.normal(size=(rank, shape[1]))
    X = amounts @ pure + noise * rng.normal(size=shape) + 3
    y = amounts @ rng.normal(size=(rank, n_targets)) + noise * rng.normal(size=(shape[0], n_targets)) + 10
    return X, y


def converged(n_components, scale):
    """scikit-learn, iterated until nothing changes: with several targets it finds each component by a power iteration,
    which stops by default as soon as a step is below 1e-6, and kernel PLS solves the same problem directly."""
    return PLSRegression(n_components, scale=scale, tol=1e-20, max_iter=20_000)


def refitted(X, y, folds, n_components, scale):
    """Predictions (n_components, n_left_out, n_targets) of every fold, by a fit from scratch for every size."""
    sizes = range(1, n_components + 1)
    return [
        np.array([converged(a, scale).fit(X[fit], y[fit]).predict(X[left]).reshape(len(left), -1) for a in sizes])
        for fit, left in folds
    ]


def largest_difference(found, expected):
    found, expected = list(found), list(expected)
    assert [f.shape for f in found] == [e.shape for e in expected]
    return max(np.abs(f - e).max() for f, e in zip(found, expected))


def shuffled(n, seed=0):
    """Five folds of unequal size whose rows are in no order."""
    rng = np.random.default_rng(seed)
    parts = np.split(rng.permutation(n), np.cumsum([n // 3, n // 4, n // 5, n // 10]))
    return [(rng.permutation(np.setdiff1d(np.arange(n), part)), part) for part in parts]


def drawn_twice(n):
    """Folds that leave out every sample once, and train on rows drawn from the others with replacement."""
    rng = np.random.default_rng(0)
    return [(rng.choice(fit, len(fit)), left) for fit, left in KFold(4).split(np.empty(n))]


def overlapping(n):
    """Folds that leave out every sample once, and train on one of what they leave out instead of one of the others."""
    return [(np.append(fit[1:], left[0]), left) for fit, left in KFold(4).split(np.empty(n))]


FOLDS = {
    "unsorted and unequal": shuffled,
    "leave one out": lambda n: list(LeaveOneOut().split(np.empty(n))),
    "repeated": lambda n: list(RepeatedKFold(n_splits=3, n_repeats=2, random_state=0).split(np.empty(n))),
    "some never left out": lambda n: list(ShuffleSplit(n_splits=3, test_size=0.2, random_state=0).split(np.empty(n))),
    "some never used": lambda n: [(fit[: n // 2], left) for fit, left in KFold(4).split(np.empty(n))],
    "drawn with replacement": drawn_twice,
    "trained on one that is left out": overlapping,
    "the same samples": lambda n: [(np.arange(n), np.arange(n))] * 2,
}


# -- Equal to refitting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_every_size_in_every_fold_equals_refitting(shape, n_targets, scale):
    X, y = simulated(shape, n_targets)
    folds = shuffled(len(X))
    found = fold_predictions(X, y, folds, 6, scale)
    assert largest_difference(found, refitted(X, y, folds, 6, scale)) < EXACT


@pytest.mark.parametrize("kind", [kind for kind in FOLDS if kind != "leave one out"])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_any_folds(shape, kind):
    X, y = simulated(shape)
    folds = FOLDS[kind](len(X))
    assert largest_difference(fold_predictions(X, y, folds, 5), refitted(X, y, folds, 5, False)) < EXACT


@pytest.mark.parametrize("shape", [(25, 20), (60, 6)])  # smaller: it refits n_samples times
def test_leave_one_out(shape):
    X, y = simulated(shape)
    folds = list(LeaveOneOut().split(X))
    assert largest_difference(fold_predictions(X, y, folds, 4), refitted(X, y, folds, 4, False)) < EXACT


def test_both_ways_are_one_model():
    """The same samples and folds by the way for few and, with channels of zeros added, by that for many channels."""
    X, y = simulated(MANY, n_targets=2)
    padded, folds = np.hstack([X, np.zeros((len(X), 100))]), shuffled(len(X))
    assert largest_difference(fold_predictions(X, y, folds, 8), fold_predictions(padded, y, folds, 8)) < EXACT


@pytest.mark.parametrize("offset", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_an_offset_costs_no_more_than_its_own_digits(shape, scale, offset):
    # counts of a detector: 1,000,000 with a spread of 2, so that the spectra themselves are known to 1e-10
    X, y = simulated(shape)
    X, folds = X + offset, shuffled(len(X))
    assert largest_difference(fold_predictions(X, y, folds, 4, scale), refitted(X, y, folds, 4, scale)) < EXACT


@pytest.mark.parametrize("shape", [FEW, MANY])
def test_an_offset_of_the_target(shape):
    X, y = simulated(shape)
    folds = shuffled(len(X))
    shifted = [predicted - 1e5 for predicted in fold_predictions(X, y + 1e5, folds, 4)]
    assert largest_difference(shifted, fold_predictions(X, y, folds, 4)) < EXACT  # 1e5 itself is known to 1e-11


# -- Units ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shape", [FEW, MANY])
@pytest.mark.parametrize("unit_x", [1e-20, 1e-9, 1e20])
@pytest.mark.parametrize("unit_y", [1e-20, 1e9, 1e20])
def test_units_do_not_matter(shape, scale, unit_x, unit_y):
    X, y = simulated(shape)
    folds = shuffled(len(X))
    in_units = [predicted / unit_y for predicted in fold_predictions(X * unit_x, y * unit_y, folds, 5, scale)]
    assert largest_difference(in_units, fold_predictions(X, y, folds, 5, scale)) < EXACT
    sizes = fit_pls(X * unit_x, y * unit_y, 5, scale).predict_all(X * unit_x) / unit_y
    np.testing.assert_allclose(sizes, fit_pls(X, y, 5, scale).predict_all(X), rtol=0, atol=EXACT)
    model = fit_pls(X * unit_x, y * unit_y, 5, scale).predict(X * unit_x) / unit_y
    np.testing.assert_allclose(model, fit_pls(X, y, 5, scale).predict(X), rtol=0, atol=EXACT)


@pytest.mark.parametrize("unit_x", [1e-20, 1e20])
@pytest.mark.parametrize("unit_y", [1e-20, 1e20])
def test_units_do_not_matter_to_the_parts_of_the_model(unit_x, unit_y):
    X, y = simulated(FEW)
    plain, other = fit_pls(X, y, 4), fit_pls(X * unit_x, y * unit_y, 4)
    assert np.allclose(np.linalg.norm(other.x_weights_, axis=0), 1, rtol=1e-12)  # VIP relies on it
    for name, unit in {
        "x_weights_": 1,
        "x_rotations_": 1,
        "x_loadings_": 1,
        "x_scores_": unit_x,
        "y_loadings_": unit_y / unit_x,
        "coef_": unit_y / unit_x,
        "intercept_": unit_y,
    }.items():
        found, expected = getattr(other, name) / unit, getattr(plain, name)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=EXACT, err_msg=name)
    np.testing.assert_allclose(other.transform(X * unit_x) / unit_x, plain.transform(X), rtol=0, atol=EXACT)
    back = other.inverse_transform(other.transform(X * unit_x)) / unit_x
    np.testing.assert_allclose(back, plain.inverse_transform(plain.transform(X)), rtol=0, atol=EXACT)


@pytest.mark.parametrize("shape", [FEW, MANY])
def test_scaling_takes_channels_and_targets_of_very_unlike_units(shape):
    # what `scale` is for: pressures in pascal beside concentrations in mol/l; and targets alike
    X, y = simulated(shape, n_targets=2)
    units, targets = 10.0 ** np.linspace(-12, 12, shape[1]), np.array([1e-18, 1e6])
    folds = shuffled(len(X))
    found = [predicted / targets for predicted in fold_predictions(X * units, y * targets, folds, 4, scale=True)]
    assert largest_difference(found, fold_predictions(X, y, folds, 4, scale=True)) < EXACT


# -- A channel that does not vary ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [FEW, MANY])
@pytest.mark.parametrize("value", [0.0, 0.1, 12.3, 37.7, 1e5])  # most means of these are off by the last digit
def test_scaled_model_does_not_stumble_over_a_dead_channel(shape, value):
    X, y = simulated(shape)
    folds = shuffled(len(X))
    dead = np.insert(X, 3, value, axis=1)
    found, without = fold_predictions(dead, y, folds, 4, True), fold_predictions(X, y, folds, 4, True)
    assert largest_difference(found, without) < EXACT


@pytest.mark.parametrize("shape", [FEW, MANY])
@pytest.mark.parametrize("value", [0.0, 0.1, 12.3, 37.7])
def test_scaled_model_ignores_a_channel_that_is_dead_where_it_trains(shape, value):
    """One that varies only in what is left out: its standard deviation is rounding, and nothing is divided by it."""
    X, y = simulated(shape)
    folds = shuffled(len(X))
    alive_once = np.insert(X, 3, value, axis=1)
    alive_once[folds[0][1], 3] += 1000
    found = next(iter(fold_predictions(alive_once, y, folds, 4, True)))
    expected = next(iter(fold_predictions(X, y, folds, 4, True)))
    assert np.abs(found - expected).max() < EXACT


# -- Nothing to learn ---------------------------------------------------------------------------------------------


def test_larger_models_equal_the_last_that_exists():
    X = np.random.default_rng(0).normal(size=(30, 8))
    X = np.linalg.qr(X - X.mean(axis=0))[0]  # equal variance in all directions: one component says all
    y = (X @ np.arange(8.0))[:, None]
    sizes = fit_pls(X, y, 4).predict_all(X)
    assert np.abs(sizes - y).max() < EXACT
    assert np.abs(sizes[1:] - sizes[0]).max() < EXACT


@pytest.mark.parametrize("shape", [FEW, MANY])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_spectra_all_alike_predict_the_mean(shape, scale, value):
    _, y = simulated(shape)
    X, folds = np.full(shape, value), shuffled(shape[0])
    means = [np.broadcast_to(y[fit].mean(axis=0), (3, len(left), 1)) for fit, left in folds]
    assert largest_difference(fold_predictions(X, y, folds, 3, scale), means) < EXACT
    np.testing.assert_allclose(fit_pls(X, y, 3, scale).predict(X + np.eye(*shape)), y.mean(), rtol=1e-12)
    assert (fit_pls(X, y, 3, scale).coefs_ == 0).all()


def test_one_fold_of_spectra_all_alike_leaves_the_others_as_they_are():
    X, y = simulated(MANY)
    folds = [(np.arange(50, 150), np.arange(50)), (np.arange(50), np.arange(50, 150))]
    X[:50] = X[0]
    found = list(fold_predictions(X, y, folds, 3))
    assert largest_difference(found[:1], refitted(X, y, folds[:1], 3, False)) < EXACT
    np.testing.assert_allclose(found[1], y[:50].mean(), rtol=1e-12)


@pytest.mark.parametrize("shape", [FEW, MANY])
@pytest.mark.parametrize("scale", [False, True])
def test_constant_target_is_predicted_as_it_is(shape, scale):
    X, y = simulated(shape, n_targets=2)
    y[:, 1] = 7.3
    folds = shuffled(len(X))
    both = list(fold_predictions(X, y, folds, 4, scale))
    np.testing.assert_allclose(np.concatenate([part[..., 1] for part in both], axis=1), 7.3, rtol=1e-12)
    alone = fold_predictions(X, y[:, :1], folds, 4, scale)
    assert largest_difference([part[..., :1] for part in both], alone) < EXACT


def test_target_unrelated_to_the_spectra_is_predicted_by_its_mean():
    X = np.tile([[-1.0], [0.0], [1.0], [0.0]], (3, 1))
    y = np.tile([1.0, -2.0, 1.0, 0.0], 3)  # covariance exactly zero: scikit-learn alone divides zero by zero
    for model in (fit_pls(X, y, 1), fit_pls(X, y, 1, scale=True)):
        # some processors add up to zero exactly, others to 1e-18; values are of the order of 1
        assert model.coef_.shape == (1, 1) and np.allclose(model.predict(X), y.mean(), rtol=0, atol=1e-14)
    assert np.allclose(fit_pls(X, y[:, None], 2).predict_all(X), y.mean(), rtol=0, atol=1e-14)


# -- The fitted model ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_fit_pls_equals_scikit_learn(shape, n_targets, scale):
    X, y = simulated(shape, n_targets)
    y = y[:, 0] if n_targets == 1 else y
    ours, theirs = fit_pls(X, y, 5, scale), converged(5, scale).fit(X, y)
    assert ours.predict(X).shape == y.shape
    for name in ("coef_", "intercept_", "x_scores_", "x_loadings_", "y_loadings_", "x_weights_", "x_rotations_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=0, atol=EXACT, err_msg=name)


@pytest.mark.parametrize("scale", [False, True])
def test_all_sizes_equal_scikit_learn_on_new_spectra(scale):
    (X, y), (new, _) = simulated(FEW, 2), simulated(FEW, 2, seed=1)
    sizes = fit_pls(X, y, 6, scale)
    assert sizes.coefs_.shape == (6, 30, 2) and sizes.x_mean_.shape == (30,) and sizes.intercept_.shape == (2,)
    for a, predicted in enumerate(sizes.predict_all(new), start=1):
        np.testing.assert_allclose(predicted, converged(a, scale).fit(X, y).predict(new), rtol=0, atol=EXACT)
    np.testing.assert_allclose(sizes.intercept_, y.mean(axis=0), rtol=1e-14)


# -- How many components there can be -----------------------------------------------------------------------------


def centred_rank(X):
    return np.linalg.matrix_rank(X - X.mean(axis=0))


@pytest.mark.parametrize("shape", [(12, 300), (300, 12), (40, 40), (500, 30), (7, 1), (2, 50)])
@pytest.mark.parametrize("true", [1, 2, 5, 11])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_rank_is_that_of_a_full_decomposition(shape, true, offset):
    rng = np.random.default_rng(true)
    X = rng.normal(size=(shape[0], true)) @ rng.normal(size=(true, shape[1])) + offset
    for most in (1, 3, 20):
        assert rank(X, most) == min(most, centred_rank(X))


@pytest.mark.parametrize("late", range(4))
def test_rank_sees_directions_that_arrive_late(late):
    """Rows that are all multiples of one spectrum, and a few of another kind anywhere among them."""
    rng = np.random.default_rng(late)
    X = np.outer(rng.normal(size=2000), rng.normal(size=60))
    where = {0: [1999], 1: [0, 1], 2: [1234], 3: [5, 6, 7, 1998, 1999]}[late]
    X[where] += rng.normal(size=(len(where), 60))
    assert rank(X, 20) == 1 + len(where) == centred_rank(X)


def test_rank_of_some_rows():
    X, _ = simulated((60, 20), rank=3, noise=0)
    X[30:] = np.random.default_rng(0).normal(size=(30, 20))
    assert rank(X, 10, slice(0, 30)) == 3 and rank(X, 10, np.arange(30)) == 3 and rank(X, 10, np.arange(60) < 30) == 3
    assert rank(X, 10) == 10 and rank(X, 10, np.array([0, 1])) == 1 and rank(X, 10, np.array([4])) == 0
    assert rank(X, 10, np.repeat([3, 35], 40)) == 1  # two different spectra, many times


@pytest.mark.parametrize("shape", [(50, 8), (50, 300), (2000, 40)])
@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-9])
def test_rank_counts_weak_directions_and_no_rounding(shape, size):
    """Trace constituents count, down to rounding errors, which are some 1e-14 of the spectra after all the sums."""
    rng = np.random.default_rng(0)
    strong, weak = (np.outer(rng.normal(size=shape[0]), rng.normal(size=shape[1])) for _ in range(2))
    assert rank(strong + size * weak, 6) == 2 and rank(strong + 1e-17 * weak, 6) == 1
    assert rank(100 + strong + size * weak, 6) == 2  # on a background


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9, -3e-7])
def test_spectra_all_alike_have_rank_zero(value):
    assert rank(np.full((90, 25), value), 5) == 0


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_rank_knows_no_unit(unit):
    X, _ = simulated((60, 40), rank=4, noise=0)
    assert rank(unit * X, 20) == rank(X, 20) == 4


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 60),
    p=st.integers(1, 60),
    true=st.integers(0, 8),
    most=st.integers(1, 12),
    copies=st.integers(1, 4),
    seed=st.integers(0, 10_000),
)
def test_rank_of_anything(n, p, true, most, copies, seed):
    rng = np.random.default_rng(seed)  # small integers: their rank is no matter of rounding
    X = rng.integers(-4, 5, size=(n, true)) @ rng.integers(-4, 5, size=(true, p)) + 7.0
    X = rng.permutation(np.repeat(X, copies, axis=0))
    assert rank(X, most) == min(most, centred_rank(X))


# -- The estimator ------------------------------------------------------------------------------------------------


# as PLSRegression, whose name scikit-learn's checks know: fit_transform gives scores of X and y, n_iter_ is a list
TRANSFORMER_CHECKS = ["check_transformer_general", "check_transformer_data_not_an_array", "check_transformer_n_iter"]
AS_IN_SCIKIT_LEARN = dict.fromkeys(TRANSFORMER_CHECKS, "as PLSRegression")


@parametrize_with_checks([KernelPLSRegression()], expected_failed_checks=lambda estimator: AS_IN_SCIKIT_LEARN)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("n_targets", [1, 2])
def test_methods_are_those_of_scikit_learn(n_targets, scale):
    X, y = simulated(FEW, n_targets)
    y = y[:, 0] if n_targets == 1 else y
    ours, theirs = fit_pls(X, y, 4, scale), converged(4, scale).fit(X, y)
    targets = y.reshape(len(X), -1)
    pairs = {
        "transform": (ours.transform(X), theirs.transform(X)),
        "scores of the targets": (ours.transform(X, targets)[1], theirs.transform(X, targets)[1]),
        "inverse": (ours.inverse_transform(ours.x_scores_), theirs.inverse_transform(theirs.x_scores_)),
        "both back": (ours.inverse_transform(ours.x_scores_, ours.y_scores_)[1],
                      theirs.inverse_transform(theirs.x_scores_, theirs.y_scores_)[1]),
        "y_scores_": (ours.y_scores_, theirs.y_scores_),
        "y_weights_": (ours.y_weights_, theirs.y_weights_),
        "y_rotations_": (ours.y_rotations_, theirs.y_rotations_),
    }  # fmt: skip
    for name, (found, expected) in pairs.items():
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, err_msg=name)
    assert list(ours.get_feature_names_out()) == [f"kernelplsregression{i}" for i in range(4)]
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-9)
    assert clone(ours).get_params() == {"n_components": 4, "scale": scale}


def test_reduced_model_is_the_smaller_model():
    X, y = simulated(FEW, 2)
    reduced, small = fit_pls(X, y, 8).reduce_to(3), fit_pls(X, y, 3)
    for name in ("coef_", "x_scores_", "y_scores_", "x_rotations_", "y_loadings_", "y_rotations_"):
        np.testing.assert_allclose(getattr(reduced, name), getattr(small, name), rtol=0, atol=EXACT, err_msg=name)
    assert reduced.predict_all(X).shape == (8, 40, 2)
    np.testing.assert_allclose(reduced.predict_all(X)[2], small.predict(X), rtol=0, atol=EXACT)


# -- Threads --------------------------------------------------------------------------------------------------------


def threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def set_threads(number):
    """For the process, from a thread that ends: threadpoolctl lets no other change what a living thread has set."""
    setter = Thread(target=lambda: threadpool_limits(number, user_api="blas"))
    setter.start()
    setter.join()


@pytest.fixture
def two_threads():
    before = threads()
    set_threads(2)
    yield threads()
    set_threads(before[0])


def test_small_data_take_one_thread_and_the_limit_is_taken_back(two_threads):
    with one_thread(1000):
        assert set(threads()) == {1}
        with one_thread(1000):
            assert set(threads()) == {1}
        assert set(threads()) == {1}, "the inner one ends, the outer one still needs it"
    assert threads() == two_threads
    with one_thread(10**7):
        assert threads() == two_threads, "large data"
    with pytest.raises(KeyError), one_thread(1000):
        raise KeyError
    assert threads() == two_threads


def test_limit_of_callers_in_threads_is_always_taken_back(two_threads):
    """Callers that enter and leave in any order, some of them with an error."""
    inside = []

    def caller(i):
        with contextlib.suppress(KeyError), one_thread(1000):
            inside.append(tuple(threads()))
            time.sleep(0.001 * (i % 3))
            if i % 4 == 0:
                raise KeyError

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(caller, range(60)))
    assert threads() == two_threads and len(inside) == 60 and {1} in [set(found) for found in inside]


def test_limit_of_another_library_is_left_to_it(two_threads):
    """The other one sets a limit before, and takes it back while we are inside: nothing stays at one thread."""
    other = threadpool_limits(1, user_api="blas")
    with other, one_thread(1000):
        assert set(threads()) == {1}
        other.restore_original_limits()
    assert threads() == two_threads


@pytest.mark.parametrize("bad", [False, True])
def test_fit_leaves_the_number_of_threads_as_it_was(two_threads, bad):
    X, y = simulated(FEW)
    X[3, 3] = np.nan if bad else X[3, 3]
    with pytest.raises(ValueError) if bad else contextlib.nullcontext():
        PLSRegressionCV(3).fit(X, y[:, 0])
    assert threads() == two_threads


# -- Manners --------------------------------------------------------------------------------------------------------


@pytest.mark.slow  # starts processes
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_jobs_change_nothing(shape):
    X, y = simulated(shape, n_targets=2)
    folds = shuffled(len(X))
    one, two = list(fold_predictions(X, y, folds, 5)), list(fold_predictions(X, y, folds, 5, n_jobs=2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two))


@pytest.mark.parametrize("n_jobs", [None, 1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_nothing_is_printed_and_no_warning_given(shape, n_jobs, capfd):
    X, y = simulated(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(fold_predictions(X, y, shuffled(len(X)), 5, n_jobs=n_jobs))
        list(fold_predictions(X, np.ones_like(y), shuffled(len(X)), 5, n_jobs=n_jobs))  # nothing to learn
        fit_pls(X, y, 10)
        fit_pls(X, y[:, 0], 10)
    assert capfd.readouterr() == ("", "")


def test_threads_leave_standard_output_as_it_was():
    X, y = simulated(FEW)
    folds = list(KFold(20).split(X))
    output = sys.stdout
    with parallel_config("threading"):
        for _ in range(5):
            list(fold_predictions(X, y, folds, 5, n_jobs=4))
    assert sys.stdout is output


def test_callers_in_threads_leave_standard_output_as_it_was(capfd):
    X, y = simulated(MANY)
    folds, output = shuffled(len(X)), sys.stdout
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: list(fold_predictions(X, y, folds, 5)), range(40)))
    assert sys.stdout is output and capfd.readouterr().out == ""
    assert all(np.array_equal(a, b) for one in found for a, b in zip(one, found[0]))


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("shape", [FEW, MANY])
def test_input_is_left_alone(shape, scale):
    X, y = simulated(shape)
    X, y = X / np.sqrt(np.mean(X**2)), y / np.sqrt(np.mean(y**2))  # of size one already: nothing needs a copy
    X0, y0, folds = X.copy(), y.copy(), shuffled(len(X))
    list(fold_predictions(X, y, folds, 4, scale))
    fit_pls(X, y, 4, scale)
    fit_pls(X, y, 4, scale)
    assert np.array_equal(X, X0) and np.array_equal(y, y0)


@pytest.mark.parametrize("shape", [FEW, MANY])
def test_any_memory_layout(shape):
    X, y = simulated(shape)
    folds, expected = shuffled(len(X)), list(fold_predictions(X, y, shuffled(len(X)), 5, True))
    locked, locked_y = X.copy(), y.copy()
    locked.flags.writeable = locked_y.flags.writeable = False
    assert largest_difference(fold_predictions(locked, locked_y, folds, 5, True), expected) == 0
    columns, every_other = np.asfortranarray(X), np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    backwards = X[::-1].copy()[::-1]
    for same in (columns, every_other, backwards):  # sums may run in another order
        assert largest_difference(fold_predictions(same, y, folds, 5, True), expected) < EXACT
    single = X.astype(np.float32)
    of_single = fold_predictions(single.astype(np.float64), y, folds, 5)
    assert largest_difference(fold_predictions(single, y, folds, 5), of_single) < EXACT  # computed in double precision


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("unit", [1.0, 1e6])
def test_memory_of_many_samples_is_that_of_a_copy_or_two(scale, unit):
    X, y = simulated((20_000, 40))  # 6.4 MB
    X, folds = unit * X, list(KFold(5).split(X))
    tracemalloc.start()
    for _ in fold_predictions(X, y, folds, 3, scale):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (3 if scale else 2) * X.nbytes  # centred spectra; for standard deviations ikpls squares them, too
