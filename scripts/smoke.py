"""Use the installed package as you would after `pip install deep_chemometrics`: loaders, a fit, the command line.

Run it with the Python of the environment that you want to try, from an empty folder. Where Keras is installed it
trains a network as well; where it is not, the error has to say what to install.
"""

import importlib.util
from pathlib import Path

import pandas as pd
from sklearn.pipeline import make_pipeline

import deep_chemometrics as dc
from deep_chemometrics.__main__ import main


def fit() -> float:
    """RMSEP / mg of PLS after EMSC on the other instrument."""
    tablets = dc.data.load_tablets()
    train = tablets.where(instrument=1, role="train")
    other = tablets.where(instrument=2, role="test")
    model = make_pipeline(dc.preprocessing.EMSC(order=2), dc.calibration.PLSRegressionCV(random_state=0))
    model.fit(train.X, train.y["assay"])
    return dc.calibration.error_report(other.y["assay"], model.predict(other.X))["RMSE"]


def network() -> str:
    """What happens when a network is trained."""
    if importlib.util.find_spec("keras") is None:
        try:
            return str(dc.networks.CNNRegressor)
        except ImportError as error:
            assert 'pip install "deep_chemometrics[deep]"' in str(error), error
            return f"no networks: {error}"
    meat = dc.data.load_meat()[:20]
    predicted = dc.networks.CNNRegressor("bjerrum", epochs=1, verbose=0).fit(meat.X, meat.y["fat"]).predict(meat.X)
    groups = dc.infrared.predict_groups(dc.data.load_computed_ir()[:1])
    return f"a network predicts {len(predicted)} contents, the model of the package {groups.shape[1]} groups"


def command_line() -> None:
    """`info` and `convert` on files that are written here."""
    folder = Path("spectra")
    folder.mkdir()
    for row in range(2):
        dc.data.load_meat()[[row]].to_frame().to_csv(folder / f"meat_{row}.csv", index=False)
    assert main(["info", "spectra/meat_0.csv", "--axis-unit", "nm"]) == 0
    assert main(["convert", "spectra", "meat.csv", "--axis-unit", "nm"]) == 0
    assert len(pd.read_csv("meat.csv")) == 2


if __name__ == "__main__":
    print(f"deep_chemometrics {dc.__version__} in {Path(dc.__file__).parent}")
    loaders = sorted(name for name in dc.data.__all__ if name.startswith("load_"))
    sizes = {name: len(getattr(dc.data, name)()) for name in loaders}
    known = {"load_tablets": 1284, "load_soil": 500, "load_meat": 215}
    assert sizes | known == sizes and sizes["load_computed_ir"] > 4_000, sizes
    error = fit()
    assert 3 < error < 4, error
    print(f"embedded spectra: {sizes}; PLS after EMSC on the other instrument: {error:.2f} mg")
    command_line()
    print(network())
