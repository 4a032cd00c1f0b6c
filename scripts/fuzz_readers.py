"""Damaged files of all formats, with memory and time watched: the part of `make test-nightly` that takes hours.

python scripts/fuzz_readers.py --minutes 120 --folder FOLDER   go on where the last call stopped
python scripts/fuzz_readers.py --case 1234                     one case again, with its traceback

Every case has a number, which decides all of it. A reader may read the file or raise `ValueError` or `OSError`;
nothing else. It may take 20 times the file and 200 MB, and 10 s of the processor (20 s from 1 MB on). What breaks these
rules is kept in FOLDER. Memory is measured on Linux only.
"""

import argparse
import importlib.util
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 900  # seconds beyond one a case before a process is ended; a busy machine may take minutes to start it
ADDRESS_SPACE = 6_000_000_000  # bytes; a process with more is out of bounds in any case


# Whole files to begin with


def seeds() -> dict[str, tuple]:
    """Reader, content and options for each kind of file: those of tests/data/test_readers.py, and more."""
    spec = importlib.util.spec_from_file_location("test_readers", ROOT / "tests" / "data" / "test_readers.py")
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    from deep_chemometrics.data import read_jcamp

    found = dict(tests.SEEDS)
    named = dict(axis_unit="nm", axis="wv")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.mat"
        tests.hdf5_mat(path)
        with tests.h5py.File(path, "r+") as file:
            del file["sparse"]
        found["mat73"] = (tests.read_mat, path.read_bytes(), named | dict(samples="box.who.id", X="box.data"))
    packed = tests.saved(tests.savemat, {"X": tests.X, "wv": tests.AXIS, "b": tests.BOX}, do_compression=True)
    found["mat7"] = (tests.read_mat, packed, named)
    found["mat4"] = (tests.read_mat, tests.saved(tests.savemat, {"X": tests.X, "wv": tests.AXIS}, format="4"), named)
    series = tests.opus_file([(tests.SERIES, tests.X), (tests.SAMPLE, tests.X[1])])
    found["opus_series"] = (tests.read_opus, series, {})
    for flags, dtype in ((1, "<i2"), (0, "<i4")):
        numbers = [[0, 2**14, -(2**14), 5, 7]] * 3
        whole = tests.spc_file(numbers, None, 600, 610, exponent=3, dtype=dtype, flags=flags)
        found[f"spc_{dtype[1:]}"] = (tests.read_spc, whole, {})
    own_axes = tests.spc_file(tests.X, [tests.AXIS] * 3)
    found["spc_axes"] = (tests.read_spc, own_axes, {})
    long = tests.WIDE.melt(["id", "protein"], var_name="wl", value_name="a").to_csv(index=False).encode()
    columns = dict(sample_column="id", axis_column="wl", value_column="a")
    found["long"] = (tests.read_table, long, columns | dict(axis_unit="nm"))
    found["settings"] = (
        tests.read_table,
        b"Instrument;17\nDate;2024-01-02\n\n" + found["csv"][1],
        dict(axis_unit="nm"),
    )
    for form, table in {
        "plain": "400 1 2 3 4\n404 5 6 7 8\n",
        "packed": "400A%J%\n403BKK%\n406FJ\n",
        "pairs": "400,1; 402,2.5; 404,-3E-2\n406,7\n",
    }.items():
        found[f"jdx_{form}"] = (read_jcamp, jcamp(table, form), {})
    return found


def jcamp(table: str, form: str) -> bytes:
    kind = "(XY..XY)" if form == "pairs" else "(X++(Y..Y))"
    n = 4 if form == "pairs" else 8
    head = "##TITLE=a\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ABSORBANCE\n"
    head += f"##FIRSTX=400\n##LASTX={399 + n if n != 4 else 406}\n##XFACTOR=1\n##YFACTOR=0.1\n##NPOINTS={n}\n"
    return (head + f"##XYDATA={kind}\n{table}##END=\n").encode()


# Damage

NUMBERS = [0, 1, -1, 2, 4, 7, 8, 127, 255, 256, 32767, 65535, 2**16, 2**20, 2**24, 2**27, 2**30, 2**31 - 1, -(2**31)]
WORDS = [
    b"nan",
    b"inf",
    b"1e308",
    b"-1e-308",
    b"1" * 400,
    b"99999999999",
    b"0x10",
    b"\0",
    b"\x1b[31m",
    b'"',
    b"'",
    b"\\",
]
WORDS += [
    b";",
    b",",
    b"\t",
    b"|",
    b" ",
    b"\n",
    b"\r",
    b"#",
    b"##",
    b"$$",
    b"<script>",
    "é".encode(),
    "−".encode(),
    b"\xff\xfe",
]
WORDS += [
    b"A1048576",
    b"XFD1048576",
    b"##END=",
    b"##TITLE=",
    b"##NPOINTS=",
    b"s99999",
    b"%",
    b"?",
    b"1.234.567",
    b"600",
]


def damaged(content: bytes, rng: random.Random) -> bytes:
    """One to six changes, of which some make the file larger, up to a megabyte."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4, 6])):
        at = rng.randrange(len(content) + 1)
        change = rng.choice(["byte", "number", "number", "cut", "word", "remove", "repeat", "many", "swap"])
        if change == "byte" and content:
            content[min(at, len(content) - 1)] = rng.randrange(256)
        elif change == "number":
            form = rng.choice(["<i", ">i", "<h", "<q", "<d"])
            number = rng.choice(NUMBERS) if rng.random() < 0.8 else rng.randrange(-(2**31), 2**31)
            if form == "<h":
                number = (number + 2**15) % 2**16 - 2**15
            piece = struct.pack(form, number)
            content[at : at + len(piece)] = piece
        elif change == "cut":
            del content[at:]
        elif change == "word":
            content[at : at + rng.choice([0, 0, 3])] = rng.choice(WORDS)
        elif change == "remove":
            del content[at : at + rng.randrange(1, 60)]
        elif change == "swap":
            n = rng.randrange(1, 40)
            other = rng.randrange(len(content) + 1)
            content[at : at + n] = content[other : other + n]
        else:
            piece = bytes(content[at : at + rng.randrange(1, 300)])
            most = 1_000_000 // max(len(piece), 1) if change == "many" else 5
            content[at:at] = piece * (int(most ** rng.random()) if change == "many" else rng.randrange(1, most))
        if len(content) > 2_000_000:
            del content[2_000_000:]
    return bytes(content)


def damaged_inside(kind: str, content: bytes, rng: random.Random) -> bytes:
    """Damage to what is packed in the file, packed again with right checksums."""
    if kind in ("xlsx", "npz"):
        source = zipfile.ZipFile(io.BytesIO(content))
        changed = rng.choice([n for n in source.namelist() if "heet" in n or "tring" in n or n.endswith(".npy")])
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in source.namelist():
                part = source.read(name)
                archive.writestr(name, damaged(part, rng) if name == changed else part)
        return buffer.getvalue()
    if kind == "mat7":
        at, parts = 128, []
        while at < len(content):
            (size,) = struct.unpack_from("<I", content, at + 4)
            parts.append(zlib.decompress(content[at + 8 : at + 8 + size]))
            at += 8 + size
        changed = rng.randrange(len(parts))
        parts[changed] = damaged(parts[changed], rng)
        packed = [zlib.compress(part) for part in parts]
        return content[:128] + b"".join(struct.pack("<2I", 15, len(part)) + part for part in packed)
    return damaged(content, rng)


def case(number: int, kinds: dict[str, tuple]) -> tuple:
    """Kind, reader, content and options of a case."""
    rng = random.Random(number)
    kind = rng.choice(sorted(kinds))
    reader, seed, options = kinds[kind]
    inside = rng.random() < 0.6
    content = damaged_inside(kind, seed, rng) if inside else damaged(seed, rng)
    if reader.__name__ == "read_table" and rng.random() < 0.5:
        options = options | {"layout": rng.choice(["auto", "wide", "columns"])}
    return kind, reader, content, options


# One process


class Memory:
    """The largest memory that this process has taken since `start`, in bytes; 0 where it cannot be known."""

    def __init__(self):
        self.works = os.access("/proc/self/clear_refs", os.W_OK)

    def read(self, name: str) -> int:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split(f"{name}:")[1].split()[0])

    def start(self) -> None:
        if self.works:
            Path("/proc/self/clear_refs").write_text("5")
            self.before = self.read("VmRSS")

    def peak(self) -> int:
        return max(0, self.read("VmHWM") - self.before) if self.works else 0


def attempt(number: int, kinds: dict[str, tuple], folder: Path, memory: Memory) -> dict:
    """Read one file; what came of it."""
    kind, reader, content, options = case(number, kinds)
    suffix = {"settings": "csv", "long": "csv", "opus_series": "0"}.get(kind, kind.split("_")[0].rstrip("0123456789"))
    path = folder / f"case.{suffix or '0'}"
    path.write_bytes(content)
    result = dict(number=number, kind=kind, size=len(content), outcome="read", problem="")
    memory.start()
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = reader(path, **options)
            repr(found)
            found._repr_html_()
        if not (np.isfinite(found.X).all() and (np.diff(found.axis) > 0).all()):
            result["problem"] = "values that are not finite, or an axis that does not ascend"
    except (ValueError, OSError) as error:
        result["outcome"] = type(error).__name__
        if "MemoryError" in str(error):
            result["problem"] = f"memory: {error}"
    except BaseException as error:
        result["outcome"] = type(error).__name__
        result["problem"] = "".join(traceback.format_exception(error))[-1500:]
    result["seconds"] = time.process_time() - began
    result["bytes"] = memory.peak()
    if result["bytes"] > 20 * len(content) + 200_000_000:
        result["problem"] = result["problem"] or f"{result['bytes']:,} bytes of memory"
    if result["seconds"] > (10 if len(content) < 1_000_000 else 20):
        result["problem"] = result["problem"] or f"{result['seconds']:.0f} s"
    return result


def work(first: int, last: int) -> None:
    """All cases of a batch, a line of JSON for each."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    except (ImportError, ValueError, OSError):
        pass
    kinds = seeds()
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            print(json.dumps({"begins": number}), flush=True)
            print(json.dumps(attempt(number, kinds, Path(folder), memory)), flush=True)


# All of them


def batch(first: int, last: int) -> list[dict]:
    """The results of a batch; a process that crashes or hangs is one, and the rest of the batch is left out."""
    command = [sys.executable, __file__, "--work", str(first), str(last)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines, errors = process.communicate(timeout=PATIENCE + last - first)
    except subprocess.TimeoutExpired:
        process.kill()
        lines, errors = process.communicate()
    rows = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    results = [row for row in rows if "kind" in row]
    begun = [row["begins"] for row in rows if "begins" in row]
    if not begun:
        raise SystemExit(f"no case could be tried: {errors[-2000:]}")
    if len(results) < last - first:
        problem = f"the process ended with status {process.returncode}, or took longer than {PATIENCE + last - first} s"
        results.append(dict(number=begun[-1], kind="?", size=0, outcome="ended", problem=problem, seconds=0, bytes=0))
    return results


def run(minutes: float, folder: Path, size: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    state_file = folder / "state.json"
    fresh = dict(next=0, tried=0, outcomes={}, problems=[], most_bytes=0, most_seconds=0.0, seconds=0.0)
    state = json.loads(state_file.read_text()) if state_file.exists() else fresh
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        began = time.monotonic()
        results = batch(state["next"], state["next"] + size)
        outcomes = Counter(state["outcomes"]) + Counter(result["outcome"] for result in results)
        state["outcomes"] = dict(outcomes)
        state["problems"] += [result for result in results if result["problem"]]
        state["most_bytes"] = max([state["most_bytes"], *(result["bytes"] for result in results)])
        state["most_seconds"] = max([state["most_seconds"], *(result["seconds"] for result in results)])
        state["tried"] += len(results)
        state["next"] = max(result["number"] for result in results) + 1
        state["seconds"] += time.monotonic() - began
        state_file.write_text(json.dumps(state, indent=1))
    for result in state["problems"]:
        print(f"case {result['number']} ({result['kind']}, {result['size']:,} bytes): {result['problem']}\n")
    counted = f"{state['outcomes']}; {len(state['problems'])} problems"
    print(
        f"{state['tried']:,} files in {state['seconds'] / 60:.0f} minutes: {counted}; "
        f"at most {state['most_bytes'] / 1e6:.0f} MB and {state['most_seconds']:.1f} s for one file"
    )
    return int(bool(state["problems"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path, help="where to go on, and to keep what was found")
    parser.add_argument("--batch", type=int, default=1_000, help="cases of one process")
    parser.add_argument("--case", type=int, help="try one case again")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(*given.work)
        return 0
    if given.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            result = attempt(given.case, seeds(), Path(folder), Memory())
        print(json.dumps(result, indent=1).replace("\\n", "\n"))
        return int(bool(result["problem"]))
    if given.folder:
        return run(given.minutes, given.folder, given.batch)
    with tempfile.TemporaryDirectory() as folder:
        return run(given.minutes, Path(folder), given.batch)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
