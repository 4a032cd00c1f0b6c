"""The public names: where they are, what they are, how they are documented."""

import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from dataclasses import is_dataclass
from functools import cache

import numpy as np
import pytest
from numpydoc.validate import validate

PUBLIC = {
    "data": """SpectralDataset read_spectra read_table read_jcamp read_mat read_numpy read_opus read_spc fetch_nist_ir
        load_tablets load_soil load_meat load_computed_ir list_datasets fetch_dataset simulate_spectra Simulation""",
    "preprocessing": "SNV MSC EMSC SavitzkyGolay GlobalScaler Baseline Absorbance Crop Resample LowNoiseChannels",
    "augmentation": """augment_scatter augment_emsc augment_axis augment_noise augment_dropout augment_mixup
        estimate_scatter RandomScatter RandomEMSC RandomAxis RandomNoise RandomBands RandomInstrument
        RandomMixup""",
    "calibration": """PLSRegressionCV PLSDA AutoPLS AutoRidge LocallyWeightedPLS reference_models rmsecv nested_rmse
        choose_components vip selectivity_ratio hotelling_t2 q_residuals error_report calibration_report
        ApplicabilityDomain compare Comparison DirectStandardization PiecewiseDirectStandardization EPO SlopeBias
        select_samples ConformalRegressor ConformalClassifier""",
    "networks": """CNNRegressor CNNClassifier ARCHITECTURES bjerrum cui_fearn deep_spectra fganet resnet1d savgol_net
        group_net ScatterCorrection load_model""",
    "explanation": """attribute Attribution METHODS bands score_function kernel_activations most_active_kernels
        receptive_field frequency_response top_windows dense_weight_map completeness_error faithfulness
        evaluate_explanations localization agreement weight_check target_check noise_check inspect_bands""",
    "infrared": """functional_groups GROUP_SMARTS GROUP_FREQUENCIES compute_ir group_map augment_infrared
        prepare_infrared collect_infrared predict_groups show_groups describe_groups train_group_model
        load_group_model score_group_explanations""",
    "plotting": """use_style plot_spectra plot_predictions plot_rmsecv plot_coefficients plot_loadings plot_scores
        plot_explained_variance plot_influence plot_activations plot_attribution plot_attribution_map
        plot_attribution_methods annotate_bands""",
}
PUBLIC = {wing: names.split() for wing, names in PUBLIC.items()}
NAMES = [(wing, name) for wing, names in PUBLIC.items() for name in names]
WITHOUT_KERAS = [(wing, name) for wing, name in NAMES if wing in {"data", "preprocessing", "calibration", "plotting"}]
WITHOUT_KERAS += [("augmentation", name) for name in PUBLIC["augmentation"] if not name.startswith("Random")]
DOCUMENTED = [(wing, name) for wing, name in NAMES if not name.isupper()]  # a dictionary has no docstring

# The docstring is there, documents all parameters of the signature in their order and no others, and what is returned.
CODES = {"GL08", "PR01", "PR02", "PR03", "RT01"}
# Names whose docstrings are not complete yet. The list may only become shorter.
NOT_YET_COMPLETE = set()
# Main objects, whose docstring has examples
WITH_EXAMPLES = 30


def kind(name: str) -> str:
    if name.isupper() and name not in {"MSC", "EMSC", "SNV", "PLSDA", "EPO"}:
        return "mapping"
    return "class" if name[0].isupper() else "function"


def public(wing: str, name: str):
    return getattr(importlib.import_module(f"deep_chemometrics.{wing}"), name)


def fresh(code: str) -> str:
    """What a new process prints."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


KINDS = """
import importlib, inspect, json, pkgutil
from collections.abc import Mapping
wing = importlib.import_module("deep_chemometrics.{wing}")
kinds = {{"class": inspect.isclass, "function": inspect.isfunction, "module": inspect.ismodule}}
kinds["mapping"] = lambda thing: isinstance(thing, Mapping)
def kind(thing):
    return next((kind for kind, is_one in kinds.items() if is_one(thing)), repr(type(thing)))
before = {{name: kind(getattr(wing, name)) for name in wing.__all__}}
for module in pkgutil.iter_modules(wing.__path__):
    importlib.import_module(f"{{wing.__name__}}.{{module.name}}")
after = {{name: kind(getattr(wing, name)) for name in wing.__all__}}
assert wing.__doc__ and set(wing.__all__) <= set(dir(wing))
print(json.dumps([before, after]))
"""


@pytest.mark.parametrize("wing", PUBLIC)
def test_wing_gives_objects_of_the_right_kind(wing):
    """Also after all modules of the wing were imported, each of which becomes an attribute of the wing."""
    before, after = json.loads(fresh(KINDS.format(wing=wing)))
    assert before == after == {name: kind(name) for name in PUBLIC[wing]}


def test_package_shows_its_wings():
    code = "import sys, deep_chemometrics as dc; print(dc.__version__); print(*dir(dc)); print(*sys.modules); "
    version, names, modules = fresh(code + "dc.preprocessing.EMSC").splitlines()
    assert version[0].isdigit() and set(PUBLIC) <= set(names.split())
    assert not {"numpy", "pandas", "keras"} & set(modules.split())
    doc = importlib.import_module("deep_chemometrics").__doc__
    assert [wing for wing in PUBLIC if wing not in doc] == []


def test_a_wrong_address_is_an_import_error():
    with pytest.raises(ImportError):
        importlib.import_module("deep_chemometrics.pls")
    with pytest.raises(AttributeError):
        importlib.import_module("deep_chemometrics.calibration").no_such_name  # noqa: B018


def test_names_without_networks_import_no_keras():
    code = "import sys, importlib\nimport deep_chemometrics.checks, deep_chemometrics.storage\n"
    code += (
        f"for wing, name in {WITHOUT_KERAS}: getattr(importlib.import_module(f'deep_chemometrics.{{wing}}'), name)\n"
    )
    code += "print(sorted({name.split('.')[0] for name in sys.modules} & {'keras', 'jax', 'tensorflow', 'torch'}))"
    assert fresh(code) == "[]"


def test_no_module_bears_the_name_of_a_public_object():
    taken = {name for _, name in NAMES}
    modules = {
        f"{wing}.{module.name}": module.name
        for wing in PUBLIC
        for module in pkgutil.iter_modules(importlib.import_module(f"deep_chemometrics.{wing}").__path__)
    }
    assert [address for address, name in modules.items() if name in taken or name.startswith("_")] == []


# Docstrings


@cache
def names(wing: str) -> dict:
    """As by `from deep_chemometrics.<wing> import *`."""
    return {name: public(wing, name) for name in importlib.import_module(f"deep_chemometrics.{wing}").__all__}


@cache
def examples(wing: str, name: str) -> tuple[doctest.DocTest, ...]:
    known = {"np": np, **names(wing)}  # examples import everything else
    found = doctest.DocTestFinder(exclude_empty=True).find(known[name], name, globs=known)
    return tuple(test for test in found if test.examples)


@pytest.mark.parametrize("wing, name", [pytest.param(*pair, id=".".join(pair)) for pair in DOCUMENTED])
def test_examples_of_docstrings(wing, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said = []
    for test in examples(wing, name):
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_main_objects_have_examples():
    having = [pair for pair in DOCUMENTED if examples(*pair)]
    assert len(having) >= WITH_EXAMPLES


def incomplete(address: str, codes: set[str] = CODES) -> list[str]:
    return [f"{address}: {code} {text}" for code, text in validate(address)["errors"] if code in codes]


@pytest.mark.parametrize("wing, name", [pytest.param(*pair, id=".".join(pair)) for pair in DOCUMENTED])
def test_docstring_is_complete(wing, name):
    # what only functions of this package make is described by its attributes
    codes = CODES - {"PR01"} if is_dataclass(public(wing, name)) else CODES
    wrong = incomplete(f"deep_chemometrics.{wing}.{name}", codes)
    if name in NOT_YET_COMPLETE:
        assert wrong, f"{name} is complete: take it from the list"
        pytest.skip("not complete yet")
    assert wrong == []
