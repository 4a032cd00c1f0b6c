"""The random layers: each against its function on arrays, complete in files and copies, the identity in prediction.

JAX compiles every operation anew for every shape, which takes most of the time here: few shapes, few compiled models.
"""

import pickle
import warnings

import numpy as np
import pytest
from conftest import gradient_of, numbers
from scipy.stats import ks_2samp

from deep_chemometrics.augmentation import (
    RandomAxis,
    RandomBands,
    RandomEMSC,
    RandomInstrument,
    RandomMixup,
    RandomNoise,
    augment_axis,
    augment_dropout,
    augment_emsc,
    augment_mixup,
    augment_noise,
)
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.networks import ScatterCorrection
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import EMSC

AXIS = 600 + 2 * np.arange(597.0)
SINGLE = 2e-6  # a few roundings of absorbances near 6 in float32, 2.4e-7 each

# name: makes a layer that disturbs visibly, and what makes it do nothing
FAMILY = {
    "emsc": (RandomEMSC, {}, {"strength": 0}),
    "emsc order 0": (RandomEMSC, {"order": 0}, {"strength": 0}),
    "shift": (RandomAxis, {"axis": AXIS, "shift": 3, "stretch": 0}, {"shift": 0}),
    "stretch": (RandomAxis, {"axis": AXIS, "shift": 0, "stretch": 0.01}, {"stretch": 0}),
    "uneven axis": (RandomAxis, {"axis": np.sqrt(AXIS), "shift": 0.1, "outside": "extend"}, {"shift": 0, "stretch": 0}),
    "channels": (RandomAxis, {}, {"shift": 0, "stretch": 0}),
    "noise": (RandomNoise, {}, {"noise": 0}),
    "noise proportional": (RandomNoise, {"proportional": 0.01}, {"noise": 0, "proportional": 0}),
    "bands": (RandomBands, {"axis": AXIS}, {"width": 0}),
    "bands zero": (RandomBands, {"fill": "zero", "windows": 3}, {"windows": 0}),
    "bands interpolate": (RandomBands, {"fill": "interpolate"}, {"width": 0.0}),
    "instrument": (RandomInstrument, {"mean": 0.1 + AXIS / 1e4, "directions": [np.sin(AXIS)]}, {"strength": 0}),
}


def every_but(quick):
    """All members of the family: those named for a quick check, the others for a complete one."""
    slow = [pytest.param(name, marks=pytest.mark.slow) for name in FAMILY if name not in quick]
    return pytest.mark.parametrize("name", [*quick, *slow])


every = pytest.mark.parametrize("name", FAMILY)  # where nothing is compiled
compiled = every_but(["uneven axis", "noise", "bands interpolate"])
compiled_often = every_but(["noise proportional"])
forms = pytest.mark.parametrize("form", [(), (1,)], ids=["rows", "sequences"])


def make(name, X=None, seed=0, **more):
    kind, strength, _ = FAMILY[name]
    layer = kind(**strength | more, seed=seed)
    return layer if X is None else layer.adapt(X)


def copies_of(layer, spectrum, n):
    """Float64 copies (n, channels) of one spectrum, as the layer makes them in training."""
    return numbers(layer(np.repeat(spectrum[None].astype("float32"), n, axis=0), training=True)).astype(np.float64)


def model_of(*layers, n_channels=597, form=()):
    x = inputs = keras.Input((n_channels, *form))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.fixture(scope="module")
def x(train):
    return train[40:52].astype("float32")


# -- What all share --------------------------------------------------------------------------------------------------


@compiled
@forms
def test_nothing_happens_in_prediction_something_in_training(name, form, train, x):
    x = x.reshape(12, 597, *form)
    layer = make(name, train)
    assert np.array_equal(numbers(layer(x)), x) and np.array_equal(numbers(layer(x, training=False)), x)
    disturbed = numbers(layer(x, training=True))
    assert disturbed.shape == x.shape and disturbed.dtype == np.float32
    assert (np.abs(disturbed - x).reshape(12, -1).max(axis=1) > 1e-4).all()


def test_nothing_happens_in_the_prediction_of_a_model(train, x):
    model = model_of(*(make(name, train) for name in FAMILY))
    assert np.array_equal(model.predict(x, verbose=0), x)


@compiled
def test_sequences_are_disturbed_as_rows_are(name, train, x):
    rows, sequences = (numbers(make(name, train)(X, training=True)) for X in (x, x[..., None]))
    np.testing.assert_allclose(sequences[..., 0], rows, rtol=0, atol=SINGLE)  # compiled anew: other roundings


@compiled
def test_zero_strength_is_the_identity(name, train, x):
    assert np.array_equal(numbers(make(name, train, **FAMILY[name][2])(x, training=True)), x)


@compiled
def test_seed(name, train, x):
    one, same, other = (make(name, train, seed=seed) for seed in (3, 3, 4))
    series = [numbers(one(x, training=True)) for _ in range(3)]
    assert all(np.array_equal(drawn, numbers(same(x, training=True))) for drawn in series)
    assert not np.array_equal(series[0], series[1])
    assert not np.array_equal(series[0], numbers(other(x, training=True)))
    unseeded = [numbers(make(name, train, seed=None)(x, training=True)) for _ in "12"]
    assert not np.array_equal(*unseeded)


@compiled
def test_spectra_do_not_influence_each_other(name, train, x):
    # the same draws with another last spectrum: nothing is taken from the batch at hand
    one, other = (make(name, train), make(name, train))
    changed = np.concatenate([x[:-1], 10 * x[-1:]])
    a, b = numbers(one(x, training=True)), numbers(other(changed, training=True))
    np.testing.assert_allclose(a[:-1], b[:-1], rtol=0, atol=SINGLE)


@compiled_often
def test_batches_of_any_size(name, train, x):
    layer = make(name, train)
    for n in (12, 1, 0):
        assert numbers(layer(x[:n], training=True)).shape == (n, 597)


@compiled_often
def test_copies_are_complete(name, train, x, tmp_path):
    form = (1,) if name in ("emsc order 0", "uneven axis", "noise", "bands") else ()
    x = x.reshape(12, 597, *form)
    layer = make(name, train, seed=7)
    model = model_of(layer, keras.layers.Rescaling(2.0), form=form)
    model.save(tmp_path / "model.keras")
    copies = [
        keras.saving.load_model(tmp_path / "model.keras"),  # safe mode, no custom_objects
        keras.models.clone_model(model),
        pickle.loads(pickle.dumps(model)),
        keras.Model.from_config(model.get_config()),
    ]
    first = numbers(model(x, training=True))
    for copy in copies:
        twin = copy.layers[1]
        assert twin.get_config() == layer.get_config() and type(twin) is type(layer)
        assert np.array_equal(numbers(copy(x)), 2 * x)
        # with the seed's first draws for both, the same disturbance: what was learned is in the copy
        np.testing.assert_allclose(numbers(copy(x, training=True)), first, rtol=0, atol=2 * SINGLE)
        assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]


@compiled_often
def test_weights_go_into_a_layer_that_learned_other_things(name, train, x, tmp_path):
    model, other = model_of(make(name, train)), model_of(make(name, 2 * train[:50] + 1))
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(numbers(other(x, training=True)), numbers(model(x, training=True)), rtol=0, atol=SINGLE)


@every
def test_nothing_to_train(name, train):
    assert make(name, train).trainable_weights == []


@compiled_often
def test_inside_fit(name, train, x):
    """A network that hands the disturbed sequences on: its loss is the size of the disturbance, another every epoch."""
    x = x[:7, :, None]
    model = model_of(make(name, train), form=(1,))
    model.compile("sgd", "mse")
    before = numbers(model(x, training=True))
    losses = model.fit(x, x, batch_size=4, epochs=3, verbose=0).history["loss"]  # 4 and 3
    assert np.isfinite(losses).all() and len(set(losses)) == 3 and min(losses) > 0
    assert not np.array_equal(before, numbers(model(x, training=True)))


@compiled_often
def test_half_precision_loses_no_more_than_the_spectrum_does(name, train, x):
    half = make(name, train, dtype="mixed_float16")
    found, exact = numbers(half(x, training=True)), numbers(make(name, train)(x, training=True))
    assert found.dtype == np.float16
    # at the ends of a dropped window nothing moves; a spectrum near 4 has a rounding of 2e-3 before and after, and an
    # "extended" end multiplies it by its distance in channels
    assert np.abs(found[:, 20:-20] - exact[:, 20:-20]).max() < 2e-2


@compiled_often
def test_gradient_is_that_of_the_function(name, train, x):
    """The gradient of a weighted sum, against central differences with the same draws."""
    form = (1,) if name in ("emsc order 0", "uneven axis", "noise", "bands") else ()
    weight = np.random.default_rng(0).normal(size=(2, 597, *form)).astype("float32")
    x = x[:2].reshape(2, 597, *form)

    def value(inputs):
        return keras.ops.sum(keras.ops.multiply(make(name, train)(inputs, training=True), weight))

    gradient = gradient_of(value, x)
    assert np.isfinite(gradient).all()
    step = 0.25  # all layers are linear in the spectrum, or nearly so (EMSC divides): large steps have few roundings
    for channel in (0, 300, 596):
        up, down = x.copy(), x.copy()
        up[0, channel] += step
        down[0, channel] -= step
        high, low = (numbers(value(keras.ops.convert_to_tensor(moved))) for moved in (up, down))
        slope = float(high - low) / (2 * step)
        # the sum of 1,194 numbers near 4 with random signs is near 140, its rounding 1e-5 to 1e-4
        assert np.isclose(gradient[0, channel].item(), slope, rtol=1e-2, atol=2e-3)


@every
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="on JAX fit compiles anyway, see test_inside_fit; torch.compile needs a C++ compiler",
)
def test_jit(name, train, x):
    model = model_of(make(name, train))
    model.compile("sgd", "mse", jit_compile=True)
    assert np.isfinite(model.fit(x, x, batch_size=5, verbose=0).history["loss"]).all()


@compiled_often
@pytest.mark.parametrize("p", [1, 2])
def test_two_spectra_few_channels_and_constants(name, p):
    more = {"axis": np.arange(float(p))} if "axis" in FAMILY[name][1] else {}
    if name == "instrument":
        more = {"mean": np.ones(p), "directions": np.ones((1, p))}
    rising = np.arange(1.0, 2 * p + 1).reshape(2, p)
    for X in (rising, np.full((2, p), 3.0), np.zeros((2, p))):
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # a division by zero
            warnings.simplefilter("ignore", SpectrumWarning)
            found = numbers(make(name, X, **more)(X, training=True))
        assert found.shape == (2, p) and np.isfinite(found).all()


@compiled
def test_constant_spectra_and_training_spectra(name, train):
    flat = np.full((12, 597), 2.0, dtype="float32")
    assert np.isfinite(numbers(make(name, train)(flat, training=True))).all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        layer = make(name, flat)
    assert np.isfinite(numbers(layer(flat, training=True))).all()


# -- Against the functions -------------------------------------------------------------------------------------------


def assert_same_moments(ours, theirs):
    """Means and (co)variances of copies by layer and function, within five standard errors of both together.

    A mean of n draws has the standard error sd / sqrt(n), a variance sqrt((m4 - var²) / n), with m4 the fourth moment,
    taken from the draws. The differences of two such have sqrt(2) times as much. Where nothing varies rounding remains.
    """
    n = len(ours)
    mean, sd = theirs.mean(axis=0), theirs.std(axis=0)
    assert (np.abs(ours.mean(axis=0) - mean) <= 5 * sd * np.sqrt(2 / n) + 1e-5).all()
    fourth = np.maximum(((theirs - mean) ** 4).mean(axis=0), ((ours - ours.mean(axis=0)) ** 4).mean(axis=0))
    error = np.sqrt(2 * np.maximum(fourth - sd**4, sd**4) / n)
    assert (np.abs(ours.var(axis=0) - sd**2) <= 5 * error + 1e-8).all()


def instrument_in_numpy(x):
    """4,000 copies on the way to the other instrument."""
    rng = np.random.default_rng(0)
    share = rng.uniform(size=(4000, 1))
    return x + share * (0.1 + AXIS / 1e4 + rng.normal(size=(4000, 1)) * np.sin(AXIS))


FUNCTIONS = {
    "emsc": lambda x, train: augment_emsc(x, copies=4000, random_state=0, train=train),
    "emsc order 0": lambda x, train: augment_emsc(x, 0, copies=4000, random_state=0, train=train),
    "shift": lambda x, train: augment_axis(x, AXIS, 3, 0, copies=4000, random_state=0),
    "stretch": lambda x, train: augment_axis(x, AXIS, 0, 0.01, copies=4000, random_state=0),
    "uneven axis": lambda x, train: augment_axis(x, np.sqrt(AXIS), 0.1, copies=4000, random_state=0, outside="extend"),
    "channels": lambda x, train: augment_axis(x, copies=4000, random_state=0),
    "noise": lambda x, train: augment_noise(x, copies=4000, random_state=0, scale=train.std()),
    "noise proportional": lambda x, train: augment_noise(
        x, proportional=0.01, copies=4000, random_state=0, scale=train.std()
    ),
    "bands": lambda x, train: augment_dropout(x, AXIS, copies=4000, random_state=0, train=train),
    "bands zero": lambda x, train: augment_dropout(x, windows=3, copies=4000, random_state=0, fill="zero"),
    "bands interpolate": lambda x, train: augment_dropout(x, copies=4000, random_state=0, fill="interpolate"),
    "instrument": lambda x, train: instrument_in_numpy(x),
}


@compiled_often
def test_distribution_is_that_of_the_function(name, train):
    x = train[[70]]
    assert_same_moments(copies_of(make(name, train), x[0], 4000), FUNCTIONS[name](x, train))


@pytest.mark.parametrize("order", [0, 1, 3])
def test_emsc_covariance(order, train):
    """What the mean and variance of channels do not tell: the coefficients vary together, and nothing else varies."""
    reference, t = train.mean(axis=0), np.linspace(-1, 1, 597)
    A = np.column_stack([reference, np.vander(t, order + 1, increasing=True)])
    own = np.linalg.lstsq(A, train[70].astype("float32").astype(float), rcond=None)[0]
    found = copies_of(RandomEMSC(order, seed=0).adapt(train), train[70], 4000)
    coefficients = np.linalg.lstsq(A, found.T, rcond=None)[0]
    residual = found - (A @ coefficients).T
    own_residual = train[70] - A @ own
    np.testing.assert_allclose(residual, coefficients[0][:, None] / own[0] * own_residual, rtol=0, atol=1e-4)
    wanted = np.cov(np.linalg.lstsq(A, train.T, rcond=None)[0])
    size = np.sqrt(np.diag(wanted))
    # a covariance of n normal draws has a standard error of at most size² sqrt(2 / n)
    off = np.abs(np.cov(coefficients - own[:, None]) - wanted) / np.outer(size, size)
    assert off.max() < 5 * np.sqrt(2 / 4000)


def test_emsc_of_ones_own(train, x):
    learned = RandomEMSC(1, seed=0).adapt(train)
    given = RandomEMSC(1, seed=0, reference=train.mean(axis=0), covariance=learned.covariance)
    np.testing.assert_allclose(
        numbers(given(x, training=True)), numbers(learned(x, training=True)), rtol=0, atol=SINGLE
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        still = RandomEMSC(1, reference=train[0], covariance=np.zeros((3, 3)))
    assert np.array_equal(numbers(still(x, training=True)), x)
    given.adapt(train[:20])  # replaces what was given
    assert np.allclose(given.covariance, RandomEMSC(1).adapt(train[:20]).covariance)


def test_emsc_is_undone(train, x):
    for order in (1, 2):
        correction = ScatterCorrection(order).adapt(train)
        disturbed = RandomEMSC(order, seed=0).adapt(train)(x, training=True)
        # the gain divides roundings of the disturbed spectrum, which may be three times as large as the original
        assert np.abs(numbers(correction(disturbed)) - numbers(correction(x))).max() < 1e-4


def drawn(seed, n, shift, stretch):
    draw = keras.random.uniform((n, 2), -1, 1, seed=keras.random.SeedGenerator(seed))
    d, e = numbers(draw).astype(np.float64).T
    return d * shift, e * stretch


@pytest.mark.parametrize(("shift", "stretch"), [(3, 0), (0, 0.02), (20, 0.3), (5000, 0), (1, 0.99)])
@pytest.mark.parametrize("power", [1, 0.5], ids=["even", "uneven"])
def test_axis_is_numpys_interp(shift, stretch, power, train):
    """With the numbers that a generator of this seed draws; beyond the ends numpy holds, too."""
    axis, x = AXIS**power, train[70].astype("float32").astype(float)
    shift = shift * np.ptp(axis) / np.ptp(AXIS)
    found = copies_of(RandomAxis(axis, shift, stretch, seed=5), x, 40)
    middle = (axis[0] + axis[-1]) / 2
    for copy, d, e in zip(found, *drawn(5, 40, shift, stretch)):
        moved = middle + (1 + e) * (axis - middle) + d  # where the channels went
        # places within a channel are good to 1e-4 of it in float32, and neighbours differ by up to 0.13; dividing by
        # 1 + e, at least 1 - stretch, multiplies the rounding of e
        np.testing.assert_allclose(copy, np.interp(axis, moved, x), rtol=0, atol=2e-5 + 2e-6 / (1 - stretch))


@pytest.mark.parametrize("axis", [AXIS, np.sqrt(AXIS)], ids=["even", "uneven"])
def test_straight_lines_go_on_when_extended(axis):
    shift = np.ptp(axis) / 5
    line = 2 * (axis - axis.mean()) / np.ptp(axis)
    found = copies_of(RandomAxis(axis, shift, 0.2, seed=5, outside="extend"), line, 30)
    middle = (axis[0] + axis[-1]) / 2
    for copy, d, e in zip(found, *drawn(5, 30, shift, 0.2)):
        wanted = middle + (axis - middle - d) / (1 + e)
        # the line through two channels, whose values near 1 are rounded by 6e-8, is prolonged by up to 300 of them
        np.testing.assert_allclose(copy, 2 * (wanted - axis.mean()) / np.ptp(axis), rtol=0, atol=1e-4)


def test_axis_that_float32_rounds_counts_as_equal_steps():
    layer = RandomAxis(np.linspace(400, 4000, 1701).astype("float32"))
    layer.build((None, 1701))
    assert layer._equal_steps
    uneven = RandomAxis(np.linspace(400, 4000, 1701) ** 1.01)
    uneven.build((None, 1701))
    assert not uneven._equal_steps


def test_noise_is_normal_and_independent(train):
    x = train[70].astype("float32").astype(float)
    layer = RandomNoise(0.1, 0.05, seed=0, scale=2.0)
    z = (copies_of(layer, x, 4000) - x) / np.hypot(0.2, 0.05 * x)
    n = z.size
    # moments of n standard normal numbers, five standard errors: 1, sqrt(2), sqrt(96) over sqrt(n)
    assert abs(z.mean()) < 5 / np.sqrt(n) and abs((z**2).mean() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n)
    assert abs((z[:, 1:] * z[:, :-1]).mean()) < 5 / np.sqrt(n) and abs((z[1:] * z[:-1]).mean()) < 5 / np.sqrt(n)


def test_noise_scale_is_learned_and_not_the_batchs(train):
    layer = RandomNoise(seed=0).adapt(train)
    assert np.isclose(float(numbers(layer.scale.value)), train.std(), rtol=1e-6)
    small = numbers(layer(1e-9 * train[:50], training=True))
    assert abs(small.std() / (0.01 * train.std()) - 1) < 5 / np.sqrt(2 * small.size)


@pytest.mark.parametrize("windows", [1, 2, 5])
def test_bridge_is_numpys_interp(windows, train):
    x = train[70].astype("float32")
    for axis in (AXIS, np.sqrt(AXIS)):
        width = np.ptp(axis) / 8
        zero, line, mean = (
            copies_of(RandomBands(axis, width, windows, seed=1, fill=fill).adapt(train), x, 60)
            for fill in ("zero", "interpolate", "mean")
        )
        hole = zero == 0
        assert hole.any(axis=1).all() and not hole.all(axis=1).any()
        for copy, h in zip(line, hole):
            np.testing.assert_allclose(copy, np.interp(axis, axis[~h], x[~h]), rtol=0, atol=SINGLE)
        np.testing.assert_allclose(mean, np.where(hole, train.mean(axis=0), x), rtol=0, atol=SINGLE)


def test_bands_are_windows_of_the_width_asked_for(train):
    hole = copies_of(RandomBands(AXIS, 100, seed=0, fill="zero"), train[70], 500) == 0
    inside = ~hole[:, 0] & ~hole[:, -1]
    assert set(hole[inside].sum(axis=1)) == {50} and (np.diff(hole.astype(int), axis=1) == 1).sum(axis=1).max() == 1


@pytest.mark.parametrize("fill", ["mean", "zero", "interpolate"])
def test_a_spectrum_is_never_dropped_completely(fill, train):
    X = train[:20, :3]
    layer = RandomBands(width=1.9, windows=60, seed=0, fill=fill).adapt(X)  # 60 windows over 3 channels
    assert np.array_equal(numbers(layer(X.astype("float32"), training=True)), X.astype("float32"))


# -- Mixup -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow  # quick: test_mixup.py
@pytest.mark.parametrize("alpha", [1e-6, 0.01, 0.2, 1, 5, 1e4])
def test_mixup_shares_are_those_of_the_function(alpha):
    n, steps = (30, 200) if alpha == 1 else (300, 20)  # many steps where partners are counted
    function = augment_mixup(np.eye(n), np.eye(n), alpha=alpha, copies=steps, random_state=0)[0]
    theirs = function[np.arange(steps * n), np.repeat(np.arange(n), steps)]
    layer, ours, partners = RandomMixup(alpha, seed=0), [], np.zeros((n, n))
    for _ in range(steps):
        spectra, targets = (numbers(v) for v in layer([np.eye(n), np.eye(n)], training=True))
        np.testing.assert_allclose(spectra, targets, rtol=0, atol=1e-7)
        np.testing.assert_allclose(spectra.sum(axis=1), 1, rtol=0, atol=1e-6)
        assert ((spectra > 0).sum(axis=1) <= 2).all()
        ours.append(np.diag(spectra))
        partners += (spectra > 0) & ~np.eye(n, dtype=bool)
    ours = np.concatenate(ours)
    assert ours.min() >= 0.5 and ks_2samp(ours, theirs.astype("float32")).pvalue > 1e-3
    if alpha == 1:  # each of the 29 others is as likely, also the last: 870 counts, within five standard errors
        assert np.abs(partners[~np.eye(n, dtype=bool)] / 200 - 1 / 29).max() < 5 * np.sqrt(1 / 29 / 200)


@forms
def test_mixup_targets_follow(form, train, x):
    linear = np.random.default_rng(0).normal(size=(597, 2)) / 597
    y = (x @ linear).astype("float32")
    spectra, targets = (numbers(v) for v in RandomMixup(1, seed=0)([x.reshape(12, 597, *form), y], training=True))
    assert spectra.shape == (12, 597, *form) and targets.shape == (12, 2)
    np.testing.assert_allclose(spectra.reshape(12, 597) @ linear, targets, rtol=0, atol=SINGLE)
    one = numbers(RandomMixup(1, seed=0)([x.reshape(12, 597, *form), y[:, 0]], training=True)[1])
    assert one.shape == (12,) and np.array_equal(one, targets[:, 0])


def test_mixup_of_classes_gives_shares():
    classes = np.eye(3, dtype=int)[[0, 1, 2, 0]]
    targets = numbers(RandomMixup(1, seed=0)([np.ones((4, 5)), classes], training=True)[1])
    assert np.allclose(targets.sum(axis=1), 1) and not np.array_equal(targets, classes)


def test_mixup_does_nothing_in_prediction_at_alpha_zero_and_alone(x):
    y = np.arange(12.0, dtype="float32")
    for layer, n, training in ((RandomMixup(1), 12, False), (RandomMixup(0), 12, True), (RandomMixup(1), 1, True)):
        same = layer([x[:n], y[:n]], training=training)
        assert np.array_equal(numbers(same[0]), x[:n]) and np.array_equal(numbers(same[1]), y[:n])


def test_mixup_seed_sizes_and_configuration(x):
    y = np.arange(12.0, dtype="float32")
    layer = RandomMixup(0.5, seed=3)
    same = RandomMixup.from_config(layer.get_config())
    for n in (12, 2):
        a, b = (layer([x[:n], y[:n]], training=True) for layer in (layer, same))
        assert all(np.array_equal(numbers(u), numbers(v)) for u, v in zip(a, b))
    assert layer.adapt(x) is layer


def test_mixup_in_a_model_with_two_inputs_is_saved(x, tmp_path):
    inputs = [keras.Input((597,)), keras.Input((1,))]
    model = keras.Model(inputs, RandomMixup(0.5, seed=3)(inputs))
    model.save(tmp_path / "mixup.keras")
    loaded = keras.saving.load_model(tmp_path / "mixup.keras")
    y = np.arange(12.0, dtype="float32")[:, None]
    for a, b in zip(model([x, y], training=True), loaded([x, y], training=True)):
        assert np.array_equal(numbers(a), numbers(b))


@pytest.mark.slow
def test_mixup_in_front_of_fit(train):
    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.mixup = RandomMixup(0.4, seed=0)

        def __len__(self):
            return 3

        def __getitem__(self, i):
            rows = slice(5 * i, 5 * i + 5) if i < 2 else slice(10, 11)  # the last batch is a single spectrum
            X = train[rows].astype("float32")
            return tuple(self.mixup([X, X[:, :1]], training=True))

    model = keras.Sequential([keras.Input((597,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    assert np.isfinite(model.fit(Batches(), epochs=2, shuffle=False, verbose=0).history["loss"]).all()


# -- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "strength"),
    [
        (RandomEMSC, "strength"),
        (RandomAxis, "shift"),
        (RandomAxis, "stretch"),
        (RandomNoise, "noise"),
        (RandomNoise, "proportional"),
        (RandomNoise, "scale"),
        (RandomBands, "width"),
        (RandomInstrument, "strength"),
        (RandomMixup, "alpha"),
    ],
)
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "much"])
def test_strengths_must_be_finite_and_not_negative(kind, strength, value):
    with pytest.raises(ValueError, match=f"{strength}="):
        kind(**{strength: value})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomEMSC(-1), "order=-1"),
        (lambda: RandomEMSC(2, reference=np.ones(5)), "belong together"),
        (lambda: RandomEMSC(2, covariance=np.eye(4)), "belong together"),
        (lambda: RandomEMSC(2, reference=np.ones(5), covariance=np.eye(3)), r"\(3, 3\), but \(4, 4\)"),
        (lambda: RandomEMSC(0, reference=np.ones(5), covariance=-np.eye(2)), "symmetric and without negative"),
        (lambda: RandomEMSC(0, reference=np.ones(5), covariance=[[1, 0.5], [0, 1]]), "symmetric and without negative"),
        (lambda: RandomEMSC(0, reference=np.ones(5), covariance=np.full((2, 2), np.nan)), "covariance contains NaN"),
        (lambda: RandomAxis(stretch=1), "stretch=1 must be less than 1"),
        (lambda: RandomAxis(outside="wrap"), "outside='wrap' is unknown"),
        (lambda: RandomAxis(AXIS[::-1]), "axis must ascend"),
        (lambda: RandomAxis(3.0), "axis has shape"),
        (lambda: RandomBands(AXIS, fill="noise"), "fill='noise' is unknown"),
        (lambda: RandomBands(windows=-1), "windows=-1"),
        (lambda: RandomInstrument(n_directions=-1), "n_directions=-1"),
        (lambda: RandomInstrument(directions=[[1.0]]), "directions belong to a mean"),
        (lambda: RandomInstrument(0, mean=[1.0], directions=[[1.0]]), "1 directions are more than n_directions=0"),
        (lambda: RandomInstrument(mean=[1.0, np.nan]), "mean contains NaN"),
        (lambda: RandomBands(windows=0.5), r"windows=0\.5"),
        (lambda: RandomBands(mean=[1.0, np.nan]), "mean contains NaN"),
    ],
)
def test_wrong_parameters(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_axis_and_width_must_fit_the_spectra(train):
    for layer, words in (
        (RandomAxis(AXIS[1:]), "axis has shape"),
        (RandomBands(AXIS[1:], fill="zero"), "axis has shape"),
        (RandomBands(AXIS, 1192), "width=1192 must be less than the axis is long, 1192"),
        (RandomBands(width=597), "width=597 must be less than the axis is long, 596"),
        (RandomBands(mean=np.ones(596)), "mean has 596 channels, but 597 are expected"),
        (RandomInstrument(mean=np.ones(596)), "596 channels, but 597 are expected"),
        (RandomEMSC(0, reference=np.ones(596), covariance=np.eye(2)), "reference has 596 channels"),
    ):
        with pytest.raises(ValueError, match=words):
            layer(train, training=True)


@every
def test_other_numbers_of_channels_are_refused(name, train, x):
    layer = make(name, train)
    if name.startswith("noise"):
        assert numbers(layer(x[:, 1:], training=True)).shape == (12, 596)
        return
    with pytest.raises(ValueError, match="596 channels came to a layer for 597"):
        layer(x[:, 1:], training=True)
    with pytest.raises(ValueError, match="596 channels came to a layer for 597"):
        layer.adapt(train[:, 1:])
    with pytest.raises(ValueError, match="600 channels came to a layer for 597"):
        model_of(layer, n_channels=600)


@every
def test_wrong_batches(name, train):
    for wrong in (train[0], train[:, :, None].repeat(2, axis=2), train[:, :, None, None]):
        with pytest.raises(ValueError, match="a batch of spectra"):
            make(name)(wrong, training=True)


@every
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones(5), "Reshape your data"),
        (np.ones((0, 5)), "0 sample"),
        (np.ones((2, 0)), "0 feature"),
        (np.ones((2, 5, 2)), "a batch of spectra has shape"),
        ([["a", "b"]], "could not convert"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), "NaN: first at row 0, channel 1"),
        (np.array([[1.0, 2.0], [np.inf, 3.0]])[:, :, None], "infinity: first at row 1, channel 0"),
    ],
    ids=str,
)
def test_wrong_spectra_to_learn_from(name, X, words):
    with pytest.raises(ValueError, match=words):
        make(name).adapt(X)


def test_emsc_needs_two_spectra(train):
    with pytest.raises(ValueError, match="minimum of 2"):
        RandomEMSC().adapt(train[:1])


@pytest.mark.parametrize("layer", [RandomEMSC, RandomBands])
def test_training_before_adapt(layer, x):
    layer = layer()
    assert np.array_equal(numbers(layer(x)), x)
    with pytest.raises(ValueError, match=r"call adapt\(X\) with the training spectra first"):
        layer(x, training=True)


def test_pairs_of_instruments(train, x):
    """The mean difference and the deviations of the others are learned from pairs; without them nothing is."""
    drawn = np.random.default_rng(0).normal(size=(12, 1))
    layer = RandomInstrument(1, seed=0)
    with pytest.raises(ValueError, match="call adapt"):
        layer.adapt(train)(x, training=True)
    layer.adapt(x + AXIS / 1e3 + drawn * np.sin(AXIS), X_source=x)
    np.testing.assert_allclose(layer.mean, AXIS / 1e3 + drawn.mean() * np.sin(AXIS), atol=1e-5)
    np.testing.assert_allclose(np.abs(layer.directions[0]), drawn.std(ddof=1) * np.abs(np.sin(AXIS)), atol=1e-5)
    one = RandomInstrument().adapt(x[:1] + 1, X_source=x[:1])  # a single pair has no deviations
    assert np.ptp(numbers(one(x, training=True)) - x, axis=1).max() < 1e-5
    for source, words in ((x[:5], "give pairs"), (x[:, 1:], "common axis"), (x * np.nan, "X_source contains NaN")):
        with pytest.raises(ValueError, match=words):
            RandomInstrument().adapt(x, X_source=source)


def test_mixup_refuses(x):
    y = np.arange(12.0)
    for wrong, words in (
        (x, r"call it on a list \[x, y\]"),
        ([x], r"call it on a list \[x, y\]"),
        ([x, y[:5]], "give one target for each spectrum"),
        ([x[0], y], "a batch of spectra"),
        ([np.stack([x, x], axis=2), y], "a batch of spectra"),
    ):
        with pytest.raises(ValueError, match=words):
            RandomMixup()(wrong, training=True)
    with pytest.raises(ValueError, match="NaN"):
        RandomMixup().adapt(x * np.nan)


def test_emsc_coefficients_are_those_of_the_transformer(train):
    coefficients = EMSC(2).fit(train).coefficients(train)
    assert np.allclose(RandomEMSC(2).adapt(train).covariance, np.cov(coefficients, rowvar=False))
