"""scripts/make_lite.py: pages that run in the browser. Its last tests need a browser, and a Pyodide in DC_PYODIDE."""

import base64
import contextlib
import functools
import hashlib
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "nbs" / "course"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_lite", ROOT / "scripts" / "make_lite.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(ROOT / "scripts"))


# -- Links and pages -------------------------------------------------------------------------------------------------


def test_link_is_relative_to_the_page(script):
    start = "lite/lab/index.html?path="
    assert script.lite_link("index") == f"{start}01_spectra.ipynb"
    assert script.lite_link("course/02_preprocessing") == f"../{start}02_preprocessing.ipynb"
    assert (
        script.lite_link("course/exercises/06_comparing_models") == f"../../{start}exercises/06_comparing_models.ipynb"
    )


@pytest.mark.parametrize(
    "page", ["course/07_first_network", "course/glossary", "library/data/01_datasets", "01_spectra"]
)
def test_other_pages_have_no_link(script, page):
    assert script.lite_link(page) is None


@pytest.mark.parametrize("page", ["01_spectra", "exercises/02_preprocessing", "05_diagnostics", "glossary"])
def test_copies_have_no_outputs_and_links_that_lead_somewhere(script, page):
    notebook = json.loads((COURSE / f"{page}.ipynb").read_text("utf-8"))
    copy = script.browser_copy(notebook, page)
    assert copy["metadata"]["kernelspec"]["name"] == "python"
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy["cells"])
    text = "\n".join(cell["source"] for cell in copy["cells"])
    assert "google.colab" not in text
    links = re.findall(r"\]\(([^)\s#]+)", text)
    assert links
    inside = [link for link in links if not re.match(r"\w+:", link)]
    there = {Path(os.path.relpath(f"{name}.ipynb", Path(page).parent)).as_posix() for name in script.PAGES}
    assert set(inside) <= there
    places = {"repository": "", "website": "nbs/"}
    outside = [link for link in links if link not in inside]
    for key, folder in places.items():
        start = script.settings()[key]
        named = [link.removeprefix(start).removeprefix("/blob/main/") for link in outside if link.startswith(start)]
        files = [re.sub(r"\.html$", ".ipynb", folder + name) for name in named]
        assert [file for file in files if not (ROOT / file).exists()] == []


# -- Wheels ----------------------------------------------------------------------------------------------------------


def test_repacked_package_is_a_wheel(script, tmp_path):
    path = script.repack("lazy_loader", tmp_path)
    version = metadata.version("lazy_loader")
    assert path.name == f"lazy_loader-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        record = next(name for name in names if name.endswith(".dist-info/RECORD"))
        rows = [line.rsplit(",", 2) for line in wheel.read(record).decode().splitlines()]
        assert {row[0] for row in rows} == names and "lazy_loader/__init__.py" in names
        for name, digest, size in rows:
            content = wheel.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert name == record or (digest, int(size)) == (f"sha256={expected}", len(content))
    before = path.read_bytes()
    assert script.repack("lazy_loader", tmp_path).read_bytes() == before


def test_compiled_package_is_refused(script, tmp_path):
    with pytest.raises(ValueError, match="numpy is not pure Python"):
        script.repack("numpy", tmp_path)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# Packages that are not on the site cannot be imported; then follows what chapters 1 to 6 and the readers of files do.
WITHOUT = """
import json, sys, threading
missing = {*json.loads(sys.argv[1]), "lzma", "_lzma"}
class Without:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without)
def start(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start

import numpy as np
from deep_chemometrics import augmentation, calibration, data, plotting, preprocessing
for part in (calibration, data, plotting, preprocessing):
    for name in part.__all__:
        getattr(part, name)
augmentation.augment_scatter
tablets = data.load_tablets().where(instrument=1, role="train")
table = tablets.samples[[]].assign(assay=tablets.y["assay"])
table = table.join(type(table)(tablets.X, columns=tablets.axis, index=table.index))
table.to_csv("mine.csv", index=False)
mine = data.read_spectra("mine.csv", axis_unit="nm")
y = mine.samples["assay"]
assert np.allclose(mine.X, tablets.X) and np.allclose(y, tablets.y["assay"]), mine
data.load_meat(), data.load_soil()
preprocessing.Baseline("asls").fit_transform(mine.X[:2])
models = {f"{n} components": calibration.PLSRegressionCV(max_components=n) for n in (3, 5)}
calibration.compare(models, (mine.X[:60], y[:60]), splits=3, seeds=1)
plotting.plot_spectra(mine.X[:3], mine.axis)
"""


@pytest.mark.slow
def test_library_works_with_the_packages_of_the_site(script, tmp_path):
    """Files that are uploaded are read, too. There are no threads, and parts of Python's own library are missing."""
    modules = metadata.packages_distributions()
    installed = {normal(name) for names in modules.values() for name in names}
    site = {normal(name) for name in ["deep_chemometrics", *script.WHEELS]}
    waiting = [normal(name) for name in script.PYODIDE_PACKAGES]
    while waiting:  # what Pyodide's packages need, it has
        name = waiting.pop()
        if name not in site:
            site.add(name)
            needs = metadata.requires(name) or [] if name in installed else []
            waiting += [normal(re.match(r"[\w.-]+", need)[0]) for need in needs if "extra ==" not in need]
    missing = [module for module, names in modules.items() if not {normal(name) for name in names} & site]
    command = [sys.executable, "-c", WITHOUT, json.dumps(missing)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    # the test would notice: without tqdm, the library cannot be imported
    command[-1] = json.dumps([*missing, "tqdm"])
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode != 0 and "No module named 'tqdm'" in done.stderr


# -- Pyodide ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def pyodide(script, tmp_path, monkeypatch):
    """A folder as Pyodide's, with files of a few bytes."""
    folder = tmp_path / "pyodide"
    folder.mkdir()
    core = {}
    for name in script.CORE:
        (folder / name).write_bytes(name.encode())
        core[name] = script.sha256(folder / name)
    monkeypatch.setattr(script, "CORE", core)
    packages = {}
    for name in [*script.PYODIDE_PACKAGES, "numpy", "h5py", "altair"]:
        file = f"{name}-1.0-py3-none-any.whl"
        (folder / file).write_bytes(name.encode())
        depends = ["numpy"] if name in ("scipy", "h5py") else []
        packages[name] = {"name": name, "file_name": file, "sha256": script.sha256(folder / file), "depends": depends}
    lock = {"info": {"version": script.VERSION}, "packages": packages}
    (folder / script.LOCK).write_text(json.dumps(lock))
    return folder


def test_hosted_pyodide_has_what_the_pages_need(script, pyodide, tmp_path):
    target = tmp_path / "site" / "pyodide"
    script.host_pyodide(pyodide, target)
    packages = json.loads((target / script.LOCK).read_text())["packages"]
    assert set(packages) == {*script.PYODIDE_PACKAGES, "numpy", "h5py"}
    files = {*script.CORE, script.LOCK, *(package["file_name"] for package in packages.values())}
    assert {path.name for path in target.iterdir()} == files


@pytest.mark.parametrize("name", ["pyodide.asm.wasm", "numpy-1.0-py3-none-any.whl"])
def test_changed_and_missing_files_are_named(script, pyodide, name):
    (pyodide / name).write_bytes(b"something else")
    with pytest.raises(ValueError, match=f"{name} is damaged or was changed"):
        script.check_pyodide(pyodide)
    (pyodide / name).unlink()
    with pytest.raises(ValueError, match=f"{name} is missing"):
        script.check_pyodide(pyodide)


def test_other_folders_are_refused(script, pyodide, tmp_path):
    with pytest.raises(ValueError, match=r"is no folder of Pyodide: there is no pyodide-lock\.json"):
        script.check_pyodide(tmp_path)
    lock = json.loads((pyodide / script.LOCK).read_text())
    fewer = {name: package for name, package in lock["packages"].items() if name != "scipy"}
    (pyodide / script.LOCK).write_text(json.dumps(lock | {"packages": fewer}))
    with pytest.raises(ValueError, match="does not list scipy"):
        script.check_pyodide(pyodide)
    (pyodide / script.LOCK).write_text(json.dumps(lock | {"info": {"version": "0.1.0"}}))
    with pytest.raises(ValueError, match=r"is of Pyodide 0\.1\.0; the pages are made for"):
        script.check_pyodide(pyodide)


def test_command_says_what_is_wrong(tmp_path):
    command = [sys.executable, str(ROOT / "scripts" / "make_lite.py"), "--pyodide", str(tmp_path)]
    done = subprocess.run([*command, "--output", str(tmp_path / "lite")], capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and "is no folder of Pyodide" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "lite").exists()


# -- The site --------------------------------------------------------------------------------------------------------

PYODIDE = os.environ.get("DC_PYODIDE")


@pytest.fixture(scope="module")
def site(script, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    script.build(folder / "lite", Path(PYODIDE) if PYODIDE else None)
    return folder


@pytest.mark.slow
def test_site_is_complete_and_small(script, site):
    lite = site / "lite"
    config = json.loads((lite / "jupyter-lite.json").read_text("utf-8"))["jupyter-config-data"]
    assert [extension["name"] for extension in config["federated_extensions"]] == [script.KERNEL]
    kernel = config["litePluginSettings"][f"{script.KERNEL}:kernel"]
    assert kernel["pyodideUrl"] == ("./static/pyodide/pyodide.js" if PYODIDE else script.ADDRESS)
    program = lite / "extensions" / script.KERNEL / "static"
    wheels = [name for name in kernel["loadPyodideOptions"]["packages"] if name.endswith(".whl")]
    assert len(wheels) == len(script.WHEELS) + 1 and all((program / name).is_file() for name in wheels)
    for page in script.PAGES:
        text = (lite / "files" / f"{page}.ipynb").read_text("utf-8")
        assert "### BEGIN SOLUTION" not in text and '"output_type"' not in text
    assert "NotImplementedError" in (lite / "files" / "exercises" / "01_spectra.ipynb").read_text("utf-8")
    assert list(lite.rglob("*.map")) == []
    size = sum(path.stat().st_size for path in lite.rglob("*") if path.is_file() and "pyodide" not in path.parts)
    assert size < 40e6


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def copyfile(self, source, outputfile):
        with contextlib.suppress(ConnectionError):  # the browser may go before it has everything
            super().copyfile(source, outputfile)


@pytest.fixture(scope="module")
def browser(site, tmp_path_factory):
    """Chromium on a page of the site, and the addresses that it has asked for."""
    if not PYODIDE:
        pytest.skip("DC_PYODIDE names no folder with a Pyodide")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    server = http.server.ThreadingHTTPServer(("localhost", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    flags = ["headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"]
    flags += ["disable-component-update", "disable-sync", "window-size=1400,1000"]
    flags += [f"user-data-dir={tmp_path_factory.mktemp('chromium')}"]
    for flag in flags:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    window.address = f"http://localhost:{server.server_port}/"
    yield window
    window.quit()
    server.shutdown()


def until(condition, seconds: float, what: str):
    """What `condition` returns as soon as it is true; errors of a page that is still being built are ignored."""
    from selenium.common.exceptions import WebDriverException

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except WebDriverException:
            pass
        time.sleep(0.3)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


def find(browser, selector: str, seconds: float = 60):
    return until(lambda: browser.find_elements("css selector", selector), seconds, selector)[0]


STATE = """
const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")];
const texts = cells.map(cell => cell.querySelector(".jp-OutputArea").innerText);
return {
  texts,
  prompts: cells.map(cell => cell.querySelector(".jp-InputPrompt").textContent.trim()),
  pictures: document.querySelectorAll(".jp-Notebook .jp-OutputArea img").length,
  errors: texts.filter(text => text.includes("Traceback (most recent call last)")),
}
"""


def finished(browser) -> dict | None:
    """What stands in the notebook when no cell is waiting, or an error has ended the run."""
    state = browser.execute_script(STATE)
    if state["errors"] or all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in state["prompts"]):
        return state
    return None


def choose(browser, menu: str, command: str) -> None:
    def labels():
        return [e for e in browser.find_elements("css selector", ".lm-MenuBar-itemLabel") if e.text == menu]

    until(labels, 30, f"the menu {menu}")[0].click()
    find(browser, f'.lm-Menu-item[data-command="{command}"]', 10).click()


@pytest.fixture(scope="module")
def chapter(browser):
    """Chapter 2, opened as from the website and run to its end."""
    browser.get(f"{browser.address}lite/lab/index.html?path=02_preprocessing.ipynb")
    find(browser, ".jp-Notebook .jp-CodeCell")
    choose(browser, "Run", "runmenu:run-all")
    return until(lambda: finished(browser), 420, "the end of chapter 2")


@pytest.mark.slow
def test_chapter_runs_to_its_end(chapter):
    assert chapter["errors"] == []
    notebook = json.loads((COURSE / "02_preprocessing.ipynb").read_text("utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert chapter["pictures"] == sum("image/png" in output.get("data", {}) for output in outputs) > 0


# The window in which one chooses a file belongs to the system: the file is chosen for it.
CHOOSE = """
const transfer = new DataTransfer();
transfer.items.add(new File([arguments[1]], arguments[0], {type: "text/csv"}));
const click = HTMLInputElement.prototype.click;
HTMLInputElement.prototype.click = function () {
  if (this.type !== "file") return click.call(this);
  this.files = transfer.files;
  this.dispatchEvent(new Event("change"));
};
"""


def run_below(browser, code: str) -> str:
    """The output of a new cell, below the last one."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    prompts = browser.find_elements("css selector", ".jp-Notebook .jp-CodeCell .jp-InputPrompt")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", prompts[-1])
    prompts[-1].click()
    keys = ActionChains(browser).send_keys("b").send_keys(Keys.ENTER).send_keys(code)
    keys.key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()

    def last_text():
        state = browser.execute_script(STATE)
        done = len(state["prompts"]) > len(prompts) and re.fullmatch(r"\[\d+\]:", state["prompts"][-1])
        return state["texts"][-1] if done else None

    return until(last_text, 60, code)


@pytest.mark.slow
def test_uploaded_file_is_read(browser, chapter):
    """A table is uploaded by the button above the list of files, and new cells read it."""
    header = ",".join(["sample", "protein", *map(str, range(1000, 1100, 10))])
    rows = [",".join([f"s{i}", str(10 + i), *(str(0.1 * i + 0.01 * j) for j in range(10))]) for i in range(6)]
    browser.execute_script(CHOOSE, "mine.csv", "\n".join([header, *rows]) + "\n")
    find(browser, '.jp-FileBrowser [data-jp-item-name="uploader"] jp-button').click()
    find(browser, '.jp-DirListing-item[title*="mine.csv"]', 20)
    text = run_below(browser, 'from deep_chemometrics.data import read_spectra; read_spectra("mine.csv")')
    assert "give axis_unit" in text
    assert len(browser.execute_script(STATE)["errors"]) == 1
    text = run_below(browser, 'read_spectra("mine.csv", axis_unit="nm")')
    assert "6 spectra x 10 channels" in text and "wavelength 1000 to 1090 nm" in text


@pytest.mark.slow
def test_nothing_is_asked_of_others(browser, chapter):
    """Everything comes from the site. (Addresses of the browser itself, such as chrome://, do not count.)"""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    asked = [address for address in sent if address.startswith("http")]
    assert any(address.endswith(".ipynb") or "api/contents" in address for address in asked)
    assert [address for address in asked if not address.startswith(browser.address)] == []
