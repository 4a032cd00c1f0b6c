"""The study of force constants: stored correlations without any name, from the right molecules."""

import pandas as pd

from studies import force_constants as study
from studies.run import results_folder


def test_stored_correlations_name_no_molecule_and_keep_the_halves_apart():
    found = pd.read_csv(results_folder("force_constants") / "coordinates.csv.gz")
    numbers = [f"{stage}, {w:g}" for stage in ("as computed", "bonds", "coordinates") for w in study.WIDTHS]
    assert set(found) == {"half", "part", *numbers}
    fitted = found["half"] == "fit"
    assert fitted.sum() == 2 * study.N and (~fitted).sum() == study.N + study.N // 2
    assert set(found["part"][fitted]) == {"train"} and (found["part"][~fitted] == "test").sum() == study.N
    assert found[numbers].abs().max().max() <= 1


def test_nothing_is_computed_anew(monkeypatch):
    def compute(*args, **kwargs):
        raise AssertionError("a fit was missing")

    monkeypatch.setattr(study, "fit", compute)
    monkeypatch.setattr(study, "chosen", compute)
    study.main()
