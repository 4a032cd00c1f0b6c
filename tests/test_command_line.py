"""`python -m deep_chemometrics`: what it prints and writes, what it refuses, and its exit status."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.__main__ import main
from deep_chemometrics.data import SpectralDataset

ROOT = Path(__file__).resolve().parent.parent
NM = ["--axis-unit", "nm"]


def write(path, axis=(1100, 1102, 1104), values=(0.1, 0.2, 0.4), fat=12.5):
    """One spectrum as a table."""
    frame = pd.DataFrame([[fat, *values]], columns=["fat", *map(str, axis)])
    frame.to_csv(path, index=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the folder `march` of two spectra."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "march").mkdir()
    write("march/one.csv")
    write("march/two.csv", values=(0.2, 0.3, 0.5), fat=13.0)
    return tmp_path


def run(*arguments: str, prepared: str = "") -> subprocess.CompletedProcess:
    """In a new process, where needed with some code before."""
    command = ["-m", "deep_chemometrics"]
    if prepared:
        command = ["-c", prepared + "\nimport sys; from deep_chemometrics.__main__ import main; sys.exit(main())"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, *command, *arguments], capture_output=True, encoding="utf-8", env=env)


@pytest.mark.parametrize("command", ["", "info", "groups", "convert"])
def test_help_names_arguments_and_exit_status(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"usage: python -m deep_chemometrics {command}" in shown and "exit status: 0 all files" in shown
    expected = {"": ["info", "groups", "convert"], "groups": ["FILE", "--csv", "--picture", "--words"]}
    expected |= {"info": ["FILE", "--axis-unit"], "convert": ["folder", "--resample START:STOP:STEP"]}
    assert [word for word in expected[command] if word not in shown] == []


def test_it_is_run_as_a_module(folder):
    done = run("info", "march/one.csv", "march/none.csv", *NM)
    assert done.returncode == 1
    assert done.stdout.startswith("march/one.csv\n  spectra") and "1 x 3 channels" in done.stdout
    assert done.stderr.splitlines() == ["march/none.csv: No such file or directory", "1 of 2 files failed."]
    assert run("inform").returncode == 2


# info


def test_info_says_what_is_in_a_file(folder, capsys):
    assert main(["info", "march/one.csv", *NM, "--value-unit", "absorbance"]) == 0
    lines = dict(line.strip().split("  ", 1) for line in capsys.readouterr().out.splitlines()[1:])
    lines = {name: text.strip() for name, text in lines.items()}
    assert lines["axis"] == "wavelength, 1100 to 1104 nm, every 2"
    assert lines["values"] == "absorbance, 0.1 to 0.4"
    assert lines["sample fat"] == "12.5"


def test_an_axis_without_unit_is_not_guessed(folder, capsys):
    assert main(["info", "march/one.csv"]) == 1
    assert "give --axis-unit 'nm'" in capsys.readouterr().err


def test_a_file_that_says_another_unit_fails(folder, capsys):
    Path("acetone.jdx").write_text(
        "##TITLE=a\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ABSORBANCE\n"
        "##XFACTOR=1\n##YFACTOR=1\n##FIRSTX=500\n##LASTX=508\n##NPOINTS=3\n##FIRSTY=1\n"
        "##XYDATA=(X++(Y..Y))\n500 1 2 3\n##END=\n"
    )
    assert main(["info", "acetone.jdx"]) == 0
    assert main(["info", "acetone.jdx", *NM]) == 1
    assert "acetone.jdx: it says axis unit 'cm-1', not 'nm'." in capsys.readouterr().err


def test_patterns_and_folders(folder, capsys):
    assert main(["info", "march/*.csv", *NM]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line[0] != " "] == [
        str(Path("march", name)) for name in ("one.csv", "two.csv")
    ]
    assert main(["info", "march"]) == 1
    assert "this is a folder" in capsys.readouterr().err


# convert


@pytest.mark.parametrize("name", ["march.parquet", "march.csv", "march.csv.gz"])
def test_convert_writes_all_spectra(folder, capsys, name):
    assert main(["convert", "march", name, *NM, "--targets", "fat"]) == 0
    assert capsys.readouterr().out == f"{name}: 2 spectra x 3 channels\n"
    if name.endswith(".parquet"):  # which keeps units and targets
        ds = SpectralDataset.from_frame(pd.read_parquet(name))
    else:
        ds = SpectralDataset.from_frame(pd.read_csv(name), targets=["fat"], axis_unit="nm")
    assert ds.axis.tolist() == [1100, 1102, 1104] and ds.axis_unit == "nm"
    assert ds.X.tolist() == [[0.1, 0.2, 0.4], [0.2, 0.3, 0.5]]
    assert ds.y["fat"].tolist() == [12.5, 13.0] and ds.samples["file"].tolist() == ["one.csv", "two.csv"]


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_written(folder, capsys):
    Path("march/letter.doc").write_text("Dear colleague")
    for number in range(4):  # also where a warning would stop counting
        Path(f"march/scan{number}.csv").write_text("a,b\nc,d\n")
    assert main(["convert", "march", "out.parquet", *NM]) == 1
    told = capsys.readouterr().err.splitlines()
    assert sorted(line.split(":")[0] for line in told) == ["letter.doc", *(f"scan{n}.csv" for n in range(4))]
    assert len(pd.read_parquet("out.parquet")) == 2


def test_different_axes_are_refused_unless_resampled(folder, capsys):
    write("march/three.csv", axis=(1098, 1102, 1106))
    Path("out.csv").write_text("older")
    assert main(["convert", "march", "out.csv", *NM]) == 2
    assert "different axes" in (told := capsys.readouterr().err) and "Give --resample START:STOP:STEP." in told
    assert Path("out.csv").read_text() == "older"
    assert main(["convert", "march", "out.csv", *NM, "--resample", "1100:1104:1"]) == 0
    frame = pd.read_csv("out.csv")
    assert [column for column in frame if column[0].isdigit()] == [f"{x}.0" for x in range(1100, 1105)]
    assert np.allclose(frame["1101.0"], [0.15, 0.175, 0.25])


def test_a_file_that_does_not_reach_fails(folder, capsys):
    write("march/short.csv", axis=(1102, 1103, 1104))
    assert main(["convert", "march", "out.csv", *NM, "--resample", "1100:1104:2"]) == 1
    assert capsys.readouterr().err.startswith("short.csv: ")
    assert len(pd.read_csv("out.csv")) == 2


@pytest.mark.parametrize("axis", ["1100", "1100:1104", "1104:1100:2", "1100:1104:0", "0:1:1e-9", "a:b:c", "1:inf:1"])
def test_wrong_axes_are_wrong_usage(folder, capsys, axis):
    with pytest.raises(SystemExit) as ended:
        main(["convert", "march", "out.csv", "--resample", axis])
    assert ended.value.code == 2 and "is not START:STOP:STEP" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["march", "march/out.csv"], "lies in the folder"),
        (["march", "out.docx"], "does not end with .parquet, .csv or .csv.gz"),
        (["april", "out.csv"], "april is not a folder"),
        (["march", "out.csv", "--targets", "no_such"], "no_such"),
    ],
)
def test_convert_refuses(folder, capsys, arguments, message):
    assert main(["convert", *arguments, *NM]) == 2
    assert message in capsys.readouterr().err and not Path("out.csv").exists()


def test_parquet_without_pyarrow_names_the_extra(folder, capsys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["convert", "march", "out.parquet", *NM]) == 2
    assert 'pip install "deep_chemometrics[readers]"' in capsys.readouterr().err


def test_columns_of_several_kinds_become_words(folder):
    frame = pd.read_csv("march/one.csv").assign(batch="B7")
    frame.to_csv("march/one.csv", index=False)
    pd.read_csv("march/two.csv").assign(batch=7).to_csv("march/two.csv", index=False)
    assert main(["convert", "march", "out.parquet", *NM]) == 0
    assert pd.read_parquet("out.parquet")["batch"].tolist() == ["B7", "7"]


# groups


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["a.csv", "b.csv", "--picture", "out.png"], "--picture draws one file, and 2 were given"),
        (["a.csv", "--picture", "out.xyz"], "--picture ends with one of"),
    ],
)
def test_pictures_that_cannot_be_drawn(capsys, arguments, message):
    assert main(["groups", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_groups_without_keras_says_what_to_install():
    blocked = (
        "import sys\nclass Finder:\n    def find_spec(self, name, *rest):\n"
        "        if name.partition('.')[0] == 'keras':\n"
        "            raise ModuleNotFoundError(name, name=name)\nsys.meta_path.insert(0, Finder())"
    )
    done = run("groups", "a.csv", prepared=blocked)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].endswith('pip install "deep_chemometrics[deep]"')


@pytest.mark.slow
def test_groups_of_spectra(folder, capsys):
    from deep_chemometrics.data import load_computed_ir
    from deep_chemometrics.infrared import predict_groups

    ds = load_computed_ir()[[10, 3000]]
    ds.to_frame().drop(columns=list(ds.y)).to_csv("molecules.csv", index=False)
    units = ["--axis-unit", "cm-1", "--value-unit", "absorbance"]
    status = main(["groups", "molecules.csv", "none.csv", *units, "--csv", "scores.csv"])
    shown = capsys.readouterr()
    assert status == 1 and "none.csv: No such file" in shown.err
    lines = shown.out.splitlines()
    assert len(lines) == 3 and lines[2].startswith("molecules.csv\t1\t") and "aromatic" in lines[2]
    scores = pd.read_csv("scores.csv")
    assert lines[0].endswith("\tphase") and lines[2].split("\t")[-1] in ("gas", "unclear")
    assert scores["phase"].tolist() == [line.split("\t")[-1] for line in lines[1:]]
    assert scores["file"].tolist() == ["molecules.csv"] * 2 and scores["spectrum"].tolist() == [0, 1]
    expected = predict_groups("molecules.csv", unit="absorbance", axis_unit="cm-1")
    np.testing.assert_allclose(scores[list(expected)], expected, rtol=1e-5)
    assert main(["groups", "molecules.csv", *units, "--picture", "groups.png", "--words"]) == 0
    assert "  aromatic: present, score " in capsys.readouterr().out
    assert Path("groups.png").read_bytes()[:4] == b"\x89PNG"
