"""The contract for odd input, line by line of the table in notebook 01b, and scikit-learn's, for every transformer.

What each of them computes is tested in test_preprocessing.py and test_conditioning.py.
"""

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.preprocessing import (
    EMSC,
    MSC,
    SNV,
    Absorbance,
    Baseline,
    Crop,
    GlobalScaler,
    LowNoiseChannels,
    Resample,
    SavitzkyGolay,
)

P = 40


def axis_of(p):
    """Wavelengths that no channel number could be taken for."""
    return 900 + 20.0 * np.arange(p)


def bands(n=6, p=P, seed=0):
    """Smooth spectra with bands of their own, so that no two have the same shape."""
    rng, t = np.random.default_rng(seed), np.linspace(0, 1, p)
    centres, widths = rng.uniform(0.1, 0.9, (n, 3, 1)), rng.uniform(0.03, 0.2, (n, 3, 1))
    return (rng.uniform(0.2, 1, (n, 3, 1)) * np.exp(-(((t - centres) / widths) ** 2))).sum(axis=1) + 1


def interferents(p):
    return bands(2, p, seed=99) - 1


def weights(p):
    """The last quarter of the channels is left out, the others count differently."""
    return np.where(np.arange(p) < p - p // 4, np.linspace(1, 2, p), 0)


def places(p, n):
    """`n` places along the axis of `p` channels, from end to end."""
    return np.linspace(axis_of(p)[0], axis_of(p)[-1], n if p > 1 else 1)


MAKE = {
    "SNV": lambda p: SNV(),
    "MSC": lambda p: MSC(),
    "EMSC -1": lambda p: EMSC(-1),
    "EMSC 0": lambda p: EMSC(0),
    "EMSC 2": lambda p: EMSC(2),
    "EMSC 5": lambda p: EMSC(5),
    "EMSC axis": lambda p: EMSC(2, axis=axis_of(p) ** 1.5),
    "EMSC interferent": lambda p: EMSC(2, interferents=interferents(p)[0]),
    "EMSC weights": lambda p: EMSC(1, weights=weights(p)),
    "EMSC both": lambda p: EMSC(0, interferents=interferents(p), weights=weights(p)),
    "SavitzkyGolay": lambda p: SavitzkyGolay(),
    "SavitzkyGolay slope": lambda p: SavitzkyGolay(deriv=1, delta=20.0),
    "GlobalScaler": lambda p: GlobalScaler(),
    "Absorbance": lambda p: Absorbance(),
    "Absorbance %": lambda p: Absorbance("reflectance (%)"),
    "Crop": lambda p: Crop(axis_of(p)[p // 4], axis_of(p)[3 * p // 4], axis=axis_of(p)),
    "Crop nothing": lambda p: Crop(),
    "LowNoiseChannels": lambda p: LowNoiseChannels(),
    "Resample": lambda p: Resample(places(p, 17), axis=axis_of(p)),
    "Resample cubic": lambda p: Resample(places(p, 55) + 3, axis=axis_of(p), outside="hold", method="cubic"),
    "Resample nothing": lambda p: Resample(),
    "Baseline": lambda p: Baseline(),
    "Baseline modpoly": lambda p: Baseline("modpoly", {"poly_order": 2}, axis=axis_of(p) ** 1.1),
    "Baseline snip": lambda p: Baseline("snip", {"max_half_window": 1}),
}
every = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
SCATTER = {name: make for name, make in MAKE.items() if isinstance(make(P), EMSC)}
every_emsc = pytest.mark.parametrize("make", SCATTER.values(), ids=SCATTER)


def answer(call, *args):
    """What comes back, and what a `SpectrumWarning` said; nothing else may warn, numpy not even of 0 / 0."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(divide="warn", over="warn", invalid="warn"):
        warnings.simplefilter("always")
        result = call(*args)
    foreign = [f"{w.category.__name__}: {w.message}" for w in caught if w.category is not SpectrumWarning]
    assert not foreign, foreign
    return result, [str(w.message) for w in caught]


def quiet(call, *args):
    """What comes back of a call that has no reason to warn."""
    result, said = answer(call, *args)
    assert said == []
    return result


def removes_offset(transformer):
    return isinstance(transformer, (SNV, EMSC)) and getattr(transformer, "order", 0) >= 0


def full_fit(fitted, X):
    """Coefficients of `X` by weighted least squares, without the library: the gain first, and then the terms."""
    root = np.ones(X.shape[1]) if fitted.weights is None else np.sqrt(fitted.weights)
    A = np.column_stack([fitted.reference_, fitted.terms_])
    return np.linalg.lstsq(A * root[:, None], (X * root).T, rcond=None)[0].T


# -- Odd but finite: a finite answer, and a warning that names the rows ----------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("value", [0.0, 0.3, -2.0, 1e6, 1e-12])
@every
def test_constant_spectra(make, value, dtype):
    X = bands().astype(dtype)
    fitted, odd = quiet(make(P).fit, X), X.copy()
    odd[[1, 4]] = value
    found, said = answer(fitted.transform, odd)
    assert np.isfinite(found).all()
    named = removes_offset(fitted)
    if isinstance(fitted, Absorbance):
        named = value < 1e-6 * 100 ** (fitted.unit == "reflectance (%)")
    elif getattr(fitted, "order", 0) == -1:
        named = value == 0
    assert len(said) == named and all(f"{type(fitted).__name__}: rows 1, 4 " in message for message in said)
    if removes_offset(fitted):  # zero but for the rounding of the fit
        assert np.abs(found[[1, 4]]).max() <= 100 * np.finfo(dtype).eps * abs(value)
    np.testing.assert_allclose(np.delete(found, [1, 4], 0), np.delete(fitted.transform(X), [1, 4], 0), atol=1e-12)


@every_emsc
def test_zero_slope_against_the_reference(make):
    fitted = quiet(make(P).fit, bands())
    odd = bands(6, seed=5)
    odd[3] -= full_fit(fitted, odd)[3, 0] * fitted.reference_  # whatever it had of the reference
    found, said = answer(fitted.transform, odd)
    assert len(said) == 1 and ": row 3 without any of the reference's shape: baseline removed, not scaled" in said[0]
    expected = odd - full_fit(fitted, odd)[:, 1:] @ fitted.terms_.T
    np.testing.assert_allclose(found[3], expected[3], rtol=0, atol=1e-12)  # values of the order of 1
    np.testing.assert_allclose(found[0], expected[0] / full_fit(fitted, odd)[0, 0], rtol=1e-9)


@every_emsc
def test_reference_without_variation(make):
    X = bands()
    flat = make(P).fit(X).terms_.sum(axis=1)  # nothing but baseline and interferents
    fitted, said = answer(make(P).set_params(reference=flat).fit, X)
    assert len(said) == 1 and "the reference has no variation beyond the baseline" in said[0]
    found = quiet(fitted.transform, X)  # once is enough
    fitted.reference_ = np.zeros(P)  # for the fit of the terms alone
    np.testing.assert_allclose(found, X - full_fit(fitted, X)[:, 1:] @ fitted.terms_.T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e6])
@every
def test_training_spectra_all_the_same_number(make, value):
    X = np.full((5, 12), value)
    fitted, in_fit = answer(make(12).fit, X)
    found, in_transform = answer(fitted.transform, X)
    assert np.isfinite(found).all() and len(in_fit) <= 1 and len(in_transform) <= 1
    if removes_offset(fitted) or isinstance(fitted, GlobalScaler):
        assert in_fit or "rows 0, 1, 2, 3, 4 " in in_transform[0]
        np.testing.assert_allclose(found, 0, rtol=0, atol=1e-13 * abs(value))
    elif getattr(fitted, "order", 0) != -1 and not isinstance(fitted, Absorbance):
        assert in_fit == in_transform == []


@every
def test_first_training_spectrum_constant(make):
    X = bands()
    X[0] = 0.7
    fitted = quiet(make(P).fit, X)
    assert np.isfinite(answer(fitted.transform, X)[0]).all()


@pytest.mark.parametrize("bad", [0.0, -0.01, -1e6, 1e-9])
@pytest.mark.parametrize("unit", ["transmittance", "reflectance (%)"])
def test_transmittance_of_zero_and_below(unit, bad):
    X = np.full((6, 9), 0.5)
    X[2, 3] = X[5, 0] = bad
    found, said = answer(Absorbance(unit, floor=1e-4).fit(X).transform, X)
    assert found[2, 3] == found[5, 0] == found.max() == 4  # -log10 of the floor
    assert said == [
        "Absorbance: rows 2, 5 below the smallest transmittance or reflectance that was set, 0.0001: raised to it."
    ]


@every
def test_two_channels_with_the_same_values(make):
    X = bands()
    X[:, 11] = X[:, 10]
    X[:, 30] = X[:, 10]
    found = quiet(quiet(make(P).fit, X).transform, X)
    assert np.isfinite(found).all()
    if isinstance(
        make(P), (SNV, MSC, GlobalScaler, Absorbance)
    ):  # what happens to a value does not depend on its place
        assert np.array_equal(found[:, 10], found[:, 11]) and np.array_equal(found[:, 10], found[:, 30])


@pytest.mark.parametrize("p", [1, 2, 3])
@every
def test_one_channel_or_two(make, p):
    X = bands(6, 40)[:, ::15][:, :p]
    transformer = make(p)
    fitted, in_fit = answer(transformer.fit, X)
    found, in_transform = answer(fitted.transform, X)
    assert np.isfinite(found).all() and len(found) == 6 and len(in_fit) <= 1 and len(in_transform) <= 1
    n_terms = np.linalg.matrix_rank(fitted.terms_) if hasattr(fitted, "terms_") and fitted.terms_.size else 0
    if n_terms == p and fitted.weights is None:
        assert np.abs(found).max() < 1e-9, "the baseline explains everything, so nothing is left"
        assert in_fit


@every
def test_one_spectrum(make):
    X = bands(1)
    found = quiet(quiet(make(P).fit, X).transform, X)
    assert len(found) == 1 and np.isfinite(found).all()
    if isinstance(make(P), EMSC):
        np.testing.assert_allclose(found, X, rtol=0, atol=1e-12)  # it is its own reference


@every
def test_integers_count_as_float64(make):
    X = np.random.default_rng(0).integers(1, 1000, (6, 20))
    found = quiet(quiet(make(20).fit, X).transform, X)
    assert found.dtype == np.float64
    assert np.array_equal(found, make(20).fit(X.astype(float)).transform(X.astype(float)))


@every
def test_float32_comes_back_as_float32(make):
    X = bands(20, seed=3)
    expected = make(P).fit(X).transform(X)
    found = quiet(quiet(make(P).fit, X.astype("float32")).transform, X.astype("float32"))
    assert found.dtype == np.float32 and expected.dtype == np.float64
    # float32 rounds values near 2 by 1.2e-7; a subtraction and a division by a small gain or spread enlarge that,
    # measured here up to 4e-7, and by a gain near zero 2e-6
    size = np.maximum(1, np.abs(expected).max(axis=1, keepdims=True))
    assert (np.abs(found - expected) / size).max() < (2e-5 if isinstance(make(P), EMSC) else 2e-6)


# -- No right answer: a ValueError that says where and what ----------------------------------------------------------


def calls(make, X):
    """All methods that take spectra, with a name: of a fresh transformer, and of one fitted on `X`."""
    fitted = make(X.shape[1]).fit(X)
    names = [name for name in ("transform", "inverse_transform", "coefficients") if hasattr(fitted, name)]
    return {"fit": make(X.shape[1]).fit, "fit_transform": make(X.shape[1]).fit_transform} | {
        name: getattr(fitted, name) for name in names
    }


@pytest.mark.parametrize(("bad", "kind"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@every
def test_not_finite(make, bad, kind, dtype):
    X = bands().astype(dtype)
    holed = X.copy()
    holed[4, 30] = holed[5, 2] = bad
    for call in calls(make, X).values():
        with pytest.raises(ValueError, match=f"X contains {kind}: first at row 4, channel 30; 2 of 6 rows affected"):
            quiet(call, holed)


@every
def test_the_row_is_counted_across_portions(make):
    X = np.tile(bands(), (200, 1))
    X[1111, 7] = np.nan
    with pytest.raises(ValueError, match="first at row 1111, channel 7; 1 of 1200 rows"):
        quiet(make(P).fit(X[:9]).transform, X)


@every
def test_infinities_of_both_signs_cancel_nothing(make):
    X = bands()
    X[1, 1], X[1, 2] = np.inf, -np.inf
    for call in calls(make, bands()).values():
        with pytest.raises(ValueError, match="X contains infinity: first at row 1, channel 1"):
            quiet(call, X)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.ones(P), "Reshape your data"),
        (np.ones((2, P, 1)), "dim 3"),
        (np.ones((0, P)), "0 sample"),
        (np.ones((3, 0)), "0 feature"),
        ([["a"] * P], "could not convert"),
        (np.ones((3, P)) * 1j, "Complex data"),
        (5.0, "scalar"),
        ([[1, 2], [3]], "inhomogeneous"),
    ],
    ids=str,
)
@every
def test_wrong_shapes_and_kinds(make, wrong, words):
    for call in calls(make, bands()).values():
        with pytest.raises(ValueError, match=words):
            call(wrong)


@every
def test_other_number_of_channels(make):
    fitted = make(P).fit(bands())
    with pytest.raises(ValueError, match=r"39 features.*40 features"):
        fitted.transform(bands(3, 39))


@every
def test_before_fit(make):
    for name in ("transform", "inverse_transform", "coefficients", "get_feature_names_out"):
        if hasattr(make(P), name):
            with pytest.raises(NotFittedError):
                getattr(make(P), name)(*[bands()] * (name != "get_feature_names_out"))


ALONG_AN_AXIS = {
    "EMSC": lambda axis: EMSC(axis=axis),
    "Crop": lambda axis: Crop(1000, 1500, axis=axis),
    "Resample": lambda axis: Resample([1000, 1500], axis=axis),
    "Baseline": lambda axis: Baseline(axis=axis),
}


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (axis_of(P)[::-1], r"must ascend, but goes from 1680 to 1660 at channel 1.*X\[:, ::-1\] and axis\[::-1\]"),
        (np.where(axis_of(P) == 1100, 1080, axis_of(P)), "must ascend, but goes from 1080 to 1080 at channel 10"),
        (axis_of(39), r"axis has shape \(39,\), but the spectra have 40 channels"),
        (axis_of(P)[None], r"axis has shape \(1, 40\)"),
        (np.where(axis_of(P) == 1100, np.nan, axis_of(P)), "axis contains NaN: first at value 10"),
        (np.where(axis_of(P) == 1100, np.inf, axis_of(P)), "axis contains infinity: first at value 10"),
        (["a"] * P, "could not convert"),
    ],
    ids=["descending", "twice the same", "short", "two-dimensional", "NaN", "infinity", "words"],
)
@pytest.mark.parametrize("make", ALONG_AN_AXIS.values(), ids=ALONG_AN_AXIS)
def test_wrong_axis(make, axis, words):
    with pytest.raises(ValueError, match=words):
        make(axis).fit(bands())


@pytest.mark.parametrize("make", [lambda: Crop(1000, 1500), lambda: Resample([1000, 1500])], ids=["Crop", "Resample"])
def test_wrong_axis_in_the_names_of_the_columns(make):
    for axis, words in ((axis_of(P)[::-1], "must ascend"), (["nan", *axis_of(P)[1:]], "contains NaN")):
        with pytest.raises(ValueError, match=f"the axis in the columns' names {words}"):
            make().fit(pd.DataFrame(bands(), columns=[str(place) for place in axis]))
    for columns in ([f"{place:g} nm" for place in axis_of(P)], None):  # None: numbers are no names to scikit-learn
        with pytest.raises(ValueError, match=f"{type(make()).__name__} does not know where the channels lie"):
            make().fit(pd.DataFrame(bands(), columns=columns))


@pytest.mark.parametrize("name", ["reference", "interferents", "weights", "axis"])
def test_parts_from_another_axis_of_another_length(name):
    with pytest.raises(ValueError, match=rf"{name} has .*39.* 40"):
        EMSC(**{name: bands(1, 39)[0]}).fit(bands())


def test_a_reference_from_another_axis_of_the_same_length_cannot_be_known():
    """Numbers do not say where they were measured: no error, no warning, and another result. Data sets do know."""
    X = bands()
    elsewhere = np.interp(axis_of(P) + 60, axis_of(P), X[0])  # the same spectrum, three channels further
    here = quiet(quiet(MSC(reference=X[0]).fit, X).transform, X)
    there = quiet(quiet(MSC(reference=elsewhere).fit, X).transform, X)
    assert np.abs(here - there).max() > 0.01
    one = SpectralDataset(X[:1], axis=axis_of(P) + 60)
    with pytest.raises(ValueError, match=r"call part.resample\(first.axis\)"):
        SpectralDataset.concat([SpectralDataset(X, axis=axis_of(P)), one])


# -- The contract of scikit-learn -------------------------------------------------------------------------------------

# Its checks bring tables of many widths, so that a parameter with one value a channel must come in the right length.


class EMSCWithEverything(EMSC):
    order, reference = 1, None
    axis = property(lambda self: axis_of(self.n_features_in_))
    interferents = property(lambda self: interferents(self.n_features_in_))
    weights = property(lambda self: weights(self.n_features_in_))

    def __init__(self):
        pass


class CropToHalf(Crop):
    low = 900
    high = property(lambda self: axis_of(self.n_features_in_)[self.n_features_in_ // 2])
    axis = property(lambda self: axis_of(self.n_features_in_))

    def __init__(self):
        pass


class ResampleToThree(Resample):
    outside, method = "hold", "cubic"
    new_axis = property(lambda self: axis_of(3) + 1)
    axis = property(lambda self: axis_of(self.n_features_in_))

    def __init__(self):
        pass


class BaselineAlongAnAxis(Baseline):
    method, options = "modpoly", {"poly_order": 1}
    axis = property(lambda self: axis_of(self.n_features_in_) ** 1.5)

    def __init__(self):
        pass


ANY_WIDTH = [
    *(SNV(), MSC(), EMSC(order=-1), EMSC(order=0), EMSC(order=2), EMSC(order=5), EMSCWithEverything()),
    *(SavitzkyGolay(), SavitzkyGolay(deriv=1, delta=2.0), GlobalScaler()),
    *(Absorbance(), Absorbance("reflectance (%)", floor=0.01), Crop(), CropToHalf(), Resample(), ResampleToThree()),
    *(Baseline(), Baseline("snip", {"max_half_window": 1}), BaselineAlongAnAxis()),
    *(LowNoiseChannels(), LowNoiseChannels(factor=3.0)),
]


@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # among its data are constants
@parametrize_with_checks(ANY_WIDTH)  # all of its checks: none is excused
def test_scikit_learn_contract(estimator, check):
    check(estimator)


NAMES = [f"{place:g}" for place in axis_of(P)]


def names_out(transformer):
    """Names of the channels that come out for the names `NAMES`, from what is known of the transformers in `MAKE`."""
    if isinstance(transformer, Crop) and transformer.low is not None:
        return [name for name, place in zip(NAMES, axis_of(P)) if transformer.low <= place <= transformer.high]
    if isinstance(transformer, Resample) and transformer.new_axis is not None:
        return [f"{place:.10g}" for place in transformer.new_axis]
    if isinstance(transformer, LowNoiseChannels):
        return NAMES[transformer.fit(bands()).range_]
    return NAMES


@every
def test_pandas_in_and_out(make):
    frame = pd.DataFrame(bands(), columns=NAMES, index=list("fedcba"))
    fitted = make(P).set_output(transform="pandas").fit(frame)
    out = fitted.transform(frame)
    assert isinstance(out, pd.DataFrame) and list(out.index) == list("fedcba")
    assert list(out.columns) == list(fitted.get_feature_names_out()) == names_out(make(P))
    assert list(fitted.get_feature_names_out(NAMES)) == names_out(make(P))
    expected = make(P).fit(bands()).transform(bands())
    np.testing.assert_allclose(
        out, expected, rtol=0, atol=1e-12
    )  # pandas keeps columns together: another order of sums
    with pytest.raises(ValueError, match="feature names"):
        fitted.transform(frame[NAMES[::-1]])
    with pytest.raises(ValueError, match="input_features is not equal"):
        fitted.get_feature_names_out(NAMES[::-1])


@every
def test_names_without_names(make):
    fitted = make(P).fit(bands())
    found, p_out = list(fitted.get_feature_names_out()), fitted.transform(bands()).shape[1]
    if isinstance(fitted, Crop):
        assert found == [f"x{channel}" for channel in fitted.channels_]
    elif isinstance(fitted, LowNoiseChannels):
        assert found == [f"x{channel}" for channel in range(P)][fitted.range_]
    elif names_out(fitted) is NAMES:
        assert found == [f"x{channel}" for channel in range(P)]
    else:
        assert found == names_out(fitted)
    assert len(found) == p_out


def test_crop_and_resample_read_the_names():
    frame = pd.DataFrame(bands(), columns=NAMES)
    steps = make_pipeline(Crop(1000, 1500), SNV(), Resample([1010.5, 1200, 1490]), GlobalScaler())
    out = steps.set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == ["1010.5", "1200", "1490"]
    inside = slice(5, 31)
    assert np.array_equal(steps[:1].transform(frame), bands()[:, inside])
    by_hand = Resample([1010.5, 1200, 1490], axis=axis_of(P)[inside]).fit_transform(
        SNV().fit_transform(bands()[:, inside])
    )
    np.testing.assert_allclose(out, GlobalScaler().fit_transform(by_hand), rtol=0, atol=1e-12)


@every
def test_clone_and_pickle(make):
    X = bands()
    fitted = make(P).fit(X)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.transform(X), fitted.transform(X))
    with pytest.raises(NotFittedError):
        clone(fitted).transform(X)
    for name, value in clone(fitted).get_params().items():
        assert np.array_equal(value, make(P).get_params()[name])
    assert np.array_equal(clone(fitted).fit(X).transform(X), fitted.transform(X))


@every
def test_fitted_again_forgets(make):
    transformer = make(P).fit(10 * bands(9, seed=8) - 5).fit(bands())
    assert np.array_equal(transformer.transform(bands()), make(P).fit(bands()).transform(bands()))


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "every second row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "other byte order": lambda X: X.astype(">f8"),
    "list": np.ndarray.tolist,
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@every
def test_layout_in_memory_does_not_matter(make, layout):
    X = bands()
    found = make(P).fit(layout(X)).transform(layout(X))
    np.testing.assert_allclose(found, make(P).fit(X).transform(X), rtol=0, atol=1e-12)  # sums in another order


@every
def test_input_is_left_alone(make):
    X, before = SpectralDataset(bands(), axis=axis_of(P)).X, bands()
    assert not X.flags.writeable
    fitted = make(P).fit(X)
    out = fitted.transform(X)
    assert np.array_equal(X, before) and not np.shares_memory(out, X) and out.flags.writeable
    parameters = [value for value in fitted.get_params().values() if isinstance(value, np.ndarray)]
    fresh = [value for value in make(P).get_params().values() if isinstance(value, np.ndarray)]
    assert all(map(np.array_equal, parameters, fresh))
    out[:] = np.nan
    assert np.isfinite(fitted.transform(X)).all(), "the result is the caller's own"


@every
def test_a_spectrum_does_not_depend_on_its_company(make):
    """Portions are of 256 rows at present; around that, around 1,024, and one by one the answer is the same."""
    n = 600 if isinstance(make(8), Baseline) else 2050
    X = np.random.default_rng(0).normal(5, 1, (n, 8))
    X[:, 0] += np.arange(n) % 100
    fitted = answer(make(8).fit, X[:9])[0]
    together = answer(fitted.transform, X)[0]
    assert np.isfinite(together).all()
    scale = np.abs(together).max(axis=1, keepdims=True)
    for part in (1, 2, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049):
        if part < n:
            difference = np.abs(answer(fitted.transform, X[:part])[0] - together[:part])
            assert (difference <= 1e-9 * scale[:part]).all()  # a row and a block are summed in different order
    for row in (0, 255, 256, n - 1):
        assert (np.abs(answer(fitted.transform, X[[row]])[0] - together[row]) <= 1e-9 * scale[row]).all()


@pytest.mark.parametrize("transformer", [SNV(), MSC(), EMSC(2), Absorbance()], ids=str)
def test_odd_rows_are_numbered_across_portions(transformer):
    X = np.random.default_rng(0).uniform(5, 6, (2050, 12))
    odd = [3, 255, 256, 2049]
    X[odd] = -4.2
    fitted = clone(transformer).fit(X[:3])
    found, said = answer(fitted.transform, X)
    assert len(said) == 1 and "rows 3, 255, 256, 2049 " in said[0] and np.ptp(found[odd]) < 1e-12


def test_the_warning_points_at_the_line_that_called():
    X = bands()
    X[3] = 1
    for transformer in (SNV(), MSC(), Absorbance()):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            transformer.fit(bands()).transform(np.minimum(X, 0) if isinstance(transformer, Absorbance) else X)
        assert [w.filename for w in caught] == [__file__]


# -- In a pipeline, and searched over ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "grid"),
    [
        (lambda: [EMSC()], {"emsc__order": [-1, 0, 1, 2]}),
        (lambda: [EMSC()], {"emsc__interferents": [None, interferents(P)], "emsc__weights": [None, weights(P)]}),
        (lambda: [Crop(axis=axis_of(P)), SNV()], {"crop__low": [None, 1000], "crop__high": [1500.0, None]}),
        (lambda: [Baseline()], {"baseline__options": [None, {"lam": 1e3}, {"lam": 1e3, "p": 0.1}]}),
        (
            lambda: [Baseline()],
            [
                {"baseline__method": ["snip"]},
                {"baseline__method": ["modpoly"], "baseline__options": [{"poly_order": 1}]},
            ],
        ),
        (lambda: [Absorbance(), GlobalScaler()], {"absorbance__floor": [1e-6, 1.5]}),
        (lambda: [Resample(axis=axis_of(P)), SavitzkyGolay(5)], {"resample__new_axis": [None, places(P, 17)]}),
    ],
    ids=["order", "interferents and weights", "limits", "options", "method", "floor", "new axis"],
)
@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # a floor of 1.5 is above some values
def test_grid_search_equals_the_loop_by_hand(steps, grid):
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 1, 30)
    X = bands(30) * rng.uniform(0.8, 1.2, (30, 1)) + y[:, None] * interferents(P)[0]
    folds = KFold(3)
    search = GridSearchCV(
        make_pipeline(*steps(), Ridge(1e-3)), grid, cv=folds, scoring="neg_mean_squared_error", error_score="raise"
    ).fit(X, y)
    by_hand = []
    for parameters in ParameterGrid(grid):
        errors = []
        for train, test in folds.split(X):
            known, new = X[train], X[test]
            for step in steps():
                name = type(step).__name__.lower()
                own = {key.split("__")[1]: value for key, value in parameters.items() if key.startswith(name)}
                step.set_params(**own).fit(known)
                known, new = step.transform(known), step.transform(new)
            errors.append(-mean_squared_error(y[test], Ridge(1e-3).fit(known, y[train]).predict(new)))
        by_hand.append(np.mean(errors))
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_hand, rtol=1e-9)
    assert len(set(np.round(by_hand, 12))) > 1, "the parameters must make a difference"


# -- Memory -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["float64", "float32"])
def many(request):
    """20,000 x 600: 96 MB in double precision."""
    return np.tile(bands(100, 600), (200, 1)).astype(request.param)


def highest(call, X):
    """The most memory that `call` held at once beyond `X`, in bytes, and its result."""
    tracemalloc.start()
    result = call(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


@every
def test_memory(make, many):
    """Beyond the input: the result and at most ten portions of 256 rows in double precision, 12 MB; in `fit` no more
    than these. For 20,000 x 600 that is at most 1.25 times the input."""
    X = many[:500] if isinstance(make(600), Baseline) else many  # a millisecond a spectrum
    portions = 10 * 256 * 600 * 8
    peak, fitted = highest(make(600).fit, X)
    assert peak < portions
    peak, result = highest(fitted.transform, X)
    assert peak < result.nbytes + portions
    if X is many:
        assert peak < 1.25 * X.nbytes
