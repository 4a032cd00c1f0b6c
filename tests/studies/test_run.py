"""Studies: what is in the file is kept and not computed again, however a run ends; types; processes."""

import json
import os
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pandas as pd
import pytest

from studies import run as studies
from studies.run import _decode, _encode, run_study

SUFFIXES = (".parquet", ".csv.gz")
SETTINGS = [{"n": n, "kind": kind} for n in range(4) for kind in ("a", "b")]


def rows(n, kind):
    values = np.random.default_rng([n, ord(kind)]).normal(size=3)
    return pd.DataFrame({"i": range(3), "value": values, "word": [kind * 2, "NA", "1"], "ok": n > 1})


class Counted:
    """Counts its calls, and can be told to raise an error on one of them."""

    def __init__(self, at=None, error=KeyboardInterrupt):
        self.calls, self.at, self.error = 0, at, error

    def __call__(self, **setting):
        self.calls += 1
        if self.calls == self.at:
            raise self.error("call", self.at)
        return rows(**setting)


def no_progress(compute, settings, path, **kwargs):
    return run_study(compute, settings, path, progress=False, **kwargs)


def expected(settings=SETTINGS):
    return pd.concat([rows(**s).assign(**s)[["n", "kind", "i", "value", "word", "ok"]] for s in settings])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_table_and_nothing_twice(tmp_path, suffix):
    path, count = tmp_path / "new" / f"study{suffix}", Counted()
    table = no_progress(count, SETTINGS, path)
    assert count.calls == 8
    pd.testing.assert_frame_equal(table[["n", "kind", "i", "value"]], expected().reset_index(drop=True).iloc[:, :4])
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in path.parent.iterdir()}
    again = no_progress(count, SETTINGS, path)
    assert count.calls == 8 and np.array_equal(again["value"], table["value"]), "bit by bit, through the file"
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in path.parent.iterdir()} == before
    assert set(before) == {f"study{suffix}", "study.json"}
    some = no_progress(count, SETTINGS[5:2:-1], path)
    assert some[["n", "kind"]].drop_duplicates().values.tolist() == [[2, "b"], [2, "a"], [1, "b"]]
    no_progress(count, [*SETTINGS[:2], {"n": 9, "kind": "a"}], path)
    assert count.calls == 9, "the names of a setting in another order are the same setting"
    assert no_progress(count, [dict(reversed(SETTINGS[0].items()))], path)["i"].size == 3 and count.calls == 9
    assert len(no_progress(count, SETTINGS, path)) == 24 and count.calls == 9, "other settings are kept"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_interrupted(tmp_path, suffix):
    path = tmp_path / f"study{suffix}"
    with pytest.raises(KeyboardInterrupt):
        no_progress(Counted(at=4), SETTINGS, path)
    rest = Counted()
    table = no_progress(rest, SETTINGS, path)
    assert rest.calls == 5
    whole = no_progress(rows, SETTINGS, tmp_path / f"whole{suffix}")
    pd.testing.assert_frame_equal(table[whole.columns], whole, check_dtype=False)
    assert np.array_equal(table["value"], whole["value"])


SCRIPT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell would ignore it
sys.path.insert(0, {tests!r})
sys.path.insert(0, {root!r})
from test_run import rows, SETTINGS, run_study

def slow(**setting):
    time.sleep(1.1)
    return rows(**setting)

run_study(slow, SETTINGS, {path!r}, workers={workers}, progress=False)
"""


@pytest.mark.parametrize(
    "workers, how",
    [
        (1, signal.SIGKILL),
        pytest.param(2, signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(2, signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_killed_in_the_middle(tmp_path, workers, how):
    path = tmp_path / "study.parquet"
    script = SCRIPT.format(tests=os.path.dirname(__file__), root=os.getcwd(), path=str(path), workers=workers)
    output = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True, **output)
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, how)
    assert process.wait(30) != 0
    rest = Counted()
    table = no_progress(rest, SETTINGS, path)
    assert 0 < rest.calls < 8, "some were in the file, some were not"
    pd.testing.assert_frame_equal(table, no_progress(rows, SETTINGS, tmp_path / "whole.parquet"))


def test_file_survives_a_failed_write(tmp_path, monkeypatch):
    path = tmp_path / "study.csv.gz"
    no_progress(rows, SETTINGS[:3], path)
    before = path.read_bytes()

    def full(table, part):
        part.write_text("half a")
        raise OSError("disk full")

    monkeypatch.setattr(studies, "_write_table", full)
    with pytest.raises(OSError, match="disk full"):
        no_progress(rows, SETTINGS, path)
    monkeypatch.undo()
    assert path.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == ["study.csv.gz", "study.json"]
    count = Counted()
    assert len(no_progress(count, SETTINGS, path)) == 24 and count.calls == 5


@pytest.mark.slow
def test_processes_find_the_same(tmp_path):
    one = no_progress(rows, SETTINGS, tmp_path / "one.parquet")
    pd.testing.assert_frame_equal(no_progress(rows, SETTINGS, tmp_path / "two.parquet", workers=2), one)


def fails_for_two(n, kind):
    if n == 2:
        raise LookupError(n, kind)
    return rows(n, kind)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    one = no_progress(rows, SETTINGS, tmp_path / "one.parquet")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        together = no_progress(rows, SETTINGS, tmp_path / "dask.parquet", workers=None)
    pd.testing.assert_frame_equal(together, one)
    with pytest.raises(RuntimeError, match="failed"):
        no_progress(fails_for_two, SETTINGS, tmp_path / "none.parquet", workers=None)


@pytest.mark.parametrize("workers", (1, pytest.param(2, marks=pytest.mark.slow)))
def test_a_failure_stops_no_other(tmp_path, capsys, workers):
    path = tmp_path / "study.csv.gz"
    with pytest.raises(RuntimeError, match=r"'n': 2.* and 1 more failed: .*LookupError.*are kept"):
        no_progress(fails_for_two, SETTINGS, path, workers=workers)
    assert capsys.readouterr().out.count("failed") == 2, "each is reported at once"
    count = Counted()
    assert len(no_progress(count, SETTINGS, path)) == 24 and count.calls == 2


def test_failure_has_its_cause(tmp_path):
    with pytest.raises(RuntimeError) as caught:
        no_progress(Counted(at=1, error=ZeroDivisionError), SETTINGS[:1], tmp_path / "study.csv.gz")
    assert isinstance(caught.value.__cause__, ZeroDivisionError) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "values",
    [
        [None, True, False, 0, 1, 1.0, 0.1, -1e-300, "1", "0.1", "true", "null", "NaN", "NA", "", '"', "a,b\n", "µ"],
        ["", "a"],
        [True, False],
        [3, 2**60],
        [0.1, 1 / 3, 1e22],
        [None, 20],
        ["1", "2"],
    ],
)
def test_settings_come_back_as_they_went(tmp_path, suffix, values):
    path = tmp_path / f"study{suffix}"
    settings, seen = [{"v": v, "w": 0} for v in values], []

    def compute(v, w):
        seen.append(v)
        return pd.DataFrame({"kind": [type(v).__name__]})

    for _ in range(2):
        table = no_progress(compute, settings, path)
        back = [None if v is None else v for v in table["v"].tolist()]
        assert [(type(v), v) for v in back] == [(type(v), v) for v in values]
    assert seen == values, "each was computed once"
    for typed in (True, False):
        assert [(type(_decode(c)), _decode(c)) for c in _encode(values, typed)] == [(type(v), v) for v in values]


def test_parquet_holds_numbers(tmp_path):
    no_progress(rows, SETTINGS, tmp_path / "study.parquet")
    plain = pd.read_parquet(tmp_path / "study.parquet")
    assert plain["n"].dtype == np.int64 and plain["value"].dtype == np.float64 and plain["kind"][0] == "a"


def test_record_beside(tmp_path):
    no_progress(rows, SETTINGS[:2], tmp_path / "study.csv.gz")
    text = (tmp_path / "study.json").read_text()
    record = json.loads(text)
    assert record["names"] == ["n", "kind"] and [task["setting"] for task in record["tasks"]] == SETTINGS[:2]
    assert {"deep_chemometrics", "python", "numpy", "sklearn"} <= set(record["versions"][0])
    assert all(task["seconds"] >= 0 and task["versions"] == 0 for task in record["tasks"])
    assert str(tmp_path) not in text and os.uname().nodename not in text


def test_names_must_be_those_of_the_file(tmp_path):
    path = tmp_path / "study.csv.gz"
    no_progress(rows, SETTINGS[:1], path)
    with pytest.raises(ValueError, match=r"holds results for the settings n, kind, not for n.*take another file"):
        no_progress(rows, [{"n": 0}], path)
    (tmp_path / "study.json").unlink()
    with pytest.raises(ValueError, match=r"study\.json is missing"):
        no_progress(rows, SETTINGS, path)


def damaged(content):
    """Ways in which a file may be spoilt."""
    yield b""
    yield content[: len(content) // 2]
    yield content[:-20]
    yield content[: len(content) // 2] + bytes(30) + content[len(content) // 2 + 30 :]
    yield b"PK\x03\x04" + content[4:]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_results_are_named_and_kept(tmp_path, suffix):
    path, beside = tmp_path / f"study{suffix}", tmp_path / "study.json"
    whole_table, refused = no_progress(rows, SETTINGS, path), 0
    for file in (path, beside):
        whole = file.read_bytes()
        for content in damaged(whole):
            file.write_bytes(content)
            try:  # a few bytes of a file mean nothing
                assert no_progress(Counted(at=1), SETTINGS, path).equals(whole_table)
            except (ValueError, OSError) as error:
                assert str(error).startswith(file.name)
                refused += 1
            assert file.read_bytes() == content, "nothing was overwritten"
        file.write_bytes(whole)
    assert no_progress(Counted(at=1), SETTINGS, path).equals(whole_table) and refused >= 8


@pytest.mark.parametrize(
    "change",
    [
        {"names": None},
        {"tasks": None},
        {"tasks": [{}]},
        {"tasks": [{"setting": {"m": 1}}]},
        {"versions": 3},
        {"tasks": []},
    ],
)
def test_record_that_does_not_fit_its_table(tmp_path, change):
    path, beside = tmp_path / "study.csv.gz", tmp_path / "study.json"
    no_progress(rows, SETTINGS[:2], path)
    record = json.loads(beside.read_text()) | change
    beside.write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"study\.(json|csv\.gz)"):
        no_progress(rows, SETTINGS[:2], path)


@pytest.mark.parametrize(
    "settings, match",
    [
        ([], "empty"),
        ([{}], "no setting"),
        ([3], "no setting"),
        ([{1: 2}], "no setting"),
        ([{"n": [1]}], r"n=\[1\] \(list\)"),
        ([{"n": np.int64(1)}], "int64"),
        ([{"n": float("nan")}], "finite"),
        ([{"n": 1}, {"m": 1}], "same names"),
        ([{"n": 1}, {"n": 1}], "twice"),
    ],
)
def test_bad_settings(tmp_path, settings, match):
    with pytest.raises(ValueError, match=match):
        no_progress(rows, settings, tmp_path / "study.csv.gz")


@pytest.mark.parametrize(
    "returned, match",
    [
        (None, "returned a NoneType"),
        ({"a": 1}, "returned a dict"),
        (pd.DataFrame({"a": []}), "empty DataFrame"),
        (pd.DataFrame({"n": [1]}), "none of them a name in the setting"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "different texts"),
        (pd.DataFrame([[1, 2]]), "different texts"),
    ],
)
def test_bad_rows(tmp_path, returned, match):
    path = tmp_path / "study.csv.gz"
    with pytest.raises(ValueError, match=match):
        no_progress(lambda n, kind: rows(n, kind) if n == 0 else returned, SETTINGS, path)
    count = Counted()
    assert len(no_progress(count, SETTINGS[:2], path)) == 6 and count.calls == 0, "what was finished before is kept"


def test_bad_path_and_workers(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"must end with .parquet or .csv.gz"):
        no_progress(rows, SETTINGS, tmp_path / "study.csv")
    with pytest.raises(ValueError, match="workers"):
        no_progress(rows, SETTINGS, tmp_path / "study.csv.gz", workers=0)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        no_progress(rows, SETTINGS, tmp_path / "study.parquet")
    assert not list(tmp_path.iterdir())
