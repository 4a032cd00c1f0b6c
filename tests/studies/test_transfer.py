"""The study of calibration transfer: its problems keep test samples out, and its stored errors are reproduced."""

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from deep_chemometrics.data import SpectralDataset
from studies import transfer as study


def test_every_plan_is_unique_and_complete():
    plan = study.settings()
    assert len({tuple(setting.items()) for setting in plan}) == len(plan)
    assert {setting["problem_name"] for setting in plan} == set(study.problem_names())
    assert all(name.split()[0] in {"tablets", "sugarcane", "wheat", "soil", "corn"} for name in study.problem_names())


def test_transfer_samples_of_the_tablets_are_no_test_tablets():
    found = study.problem("tablets 1 to 2", 0)
    assert [len(part[1]) for part in (found.source, found.own, found.test)] == [451, 451, 151]
    pool, target, _ = found.pool
    assert len(pool) == len(target) == 40
    test = {row.tobytes() for row in found.test[0]}
    assert not test & {row.tobytes() for row in target}


@pytest.mark.parametrize(("size", "draw"), [(0, 0), (10, 3)])
def test_stored_errors_are_reproduced(size, draw):
    stored = study.load_errors().query("problem_name == 'tablets 1 to 2' and size == @size and draw == @draw")
    again = study.transfer_errors("tablets 1 to 2", size, draw)
    assert stored["method"].tolist() == again["method"].tolist()
    # components could differ by rounding between machines; PDS amplifies rounding
    same = again["method"] != "PDS"
    np.testing.assert_allclose(stored["rmsep"].to_numpy()[same], again["rmsep"][same], rtol=0.01)


def test_same_samples_on_one_axis():
    """Two instruments with axes of their own, three samples of two scans each in another order."""
    axes = np.arange(900.0, 1000, 2), np.arange(950.0, 1100, 5)
    parts = []
    for axis, order in zip(axes, ([0, 0, 1, 1, 2, 2], [2, 1, 0, 2, 1, 0]), strict=True):
        X = np.array([level + 0.001 * axis for level in order])
        parts.append(
            SpectralDataset(X, pd.DataFrame({"z": order}, dtype=float), axis, samples=pd.DataFrame({"group": order}))
        )
    X, X_other = study._on_one_axis(*parts)
    assert X.shape == (6, 10) and X_other.shape == (6, 10)
    averaged = [study._averaged(x, p.y["z"], p.samples["group"]) for x, p in zip((X, X_other), parts, strict=True)]
    one, other, y = study._paired(*averaged)
    np.testing.assert_allclose(one, other)
    assert y.tolist() == [0, 1, 2]


def test_leave_one_out_of_the_gaussian_process():
    """The closed form is what refits with this kernel give, up to the mean of the training contents."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6))
    y = X[:, 0] + 0.3 * X[:, 1] ** 2 + 0.1 * rng.normal(size=40)
    model = study.GaussianProcess().fit(X, y)
    scores, scaled = model._scores(X), (y - model.mean_) / model.scale_
    errors = []
    for i in range(40):
        rows = np.delete(np.arange(40), i)
        again = GaussianProcessRegressor(model.process_.kernel_, optimizer=None).fit(scores[rows], scaled[rows])
        errors.append((again.predict(scores[[i]])[0] - scaled[i]) * model.scale_)
    assert model.left_out_error() == pytest.approx(np.mean(np.square(errors)), rel=1e-6)
    same = model.with_this_kernel().fit(X, y)
    np.testing.assert_allclose(same.predict(X), model.predict(X))


def test_expected_error_tells_of_instruments_that_disagree():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    y = X[:, 0]
    model = study._PLS().fit(X, y)
    shape = np.eye(8)[0] + 0.1  # the difference lies along the content
    one = X[:10]
    alike, different = one + 0.01 * rng.normal(size=(10, 8)), one + rng.normal(size=(10, 1)) * shape + 2 * np.eye(8)[1]
    errors = [study._expected_error(model, 1, X, y, (one, other)) for other in (alike, different)]
    assert errors[0] < errors[1]


def test_stored_errors_beyond_linear_models_are_complete():
    nonlinear, networks = study.load_nonlinear(), study.load_networks()
    assert set(nonlinear["problem_name"]) == set(study.problem_names())
    assert nonlinear.groupby("method").size().min() > 0 and (nonlinear["rmsep"] > 0).all()
    assert set(networks["size"]) == {0, *study.NETWORK_SIZES}
    assert networks.groupby(["problem_name", "network"])["draw"].nunique().eq(study.NETWORK_DRAWS).all()


@pytest.mark.slow
def test_stored_error_of_the_gaussian_process_is_reproduced():
    name = "wheat 2 to 3"
    stored = study.load_nonlinear().query("problem_name == @name and size == 10 and draw == 0")
    again = study.nonlinear_errors(name, 10, 0)
    np.testing.assert_allclose(stored["rmsep"], again["rmsep"], rtol=0.02)
