"""One spectrum from a server that fails in every way a server can."""

import contextlib
import http.server
import threading
import time
from urllib.parse import parse_qs, urlparse

import numpy as np
import pooch
import pytest

from deep_chemometrics.data import fetch_nist_ir, nist

BAND = np.round(500 * np.exp(-((np.arange(61) - 30) ** 2) / 50)).astype(int) - 20


def spectrum(y, **labels):
    """A JCAMP-DX file of one spectrum, plain numbers, seven a line."""
    x = 400 + 2 * np.arange(len(y))
    header = {
        "TITLE": "made up", "JCAMP-DX": "4.24", "DATA TYPE": "INFRARED SPECTRUM", "XUNITS": "1/CM",
        "YUNITS": "ABSORBANCE", "XFACTOR": 1, "YFACTOR": 0.001, "FIRSTX": x[0], "LASTX": x[-1], "NPOINTS": len(y),
    }  # fmt: skip
    header |= {label.replace("_", " "): value for label, value in labels.items()}
    head = [f"##{label}={value}" for label, value in header.items()]
    table = [" ".join(map(str, [x[i], *y[i : i + 7]])) for i in range(0, len(y), 7)]
    return "\n".join([*head, "##XYDATA=(X++(Y..Y))", *table, "##END="]) + "\n"


class Server:
    """A WebBook on this machine. `answers` are used up one after the other; then every request gets the spectrum."""

    def __init__(self, answers=()):
        self.answers, self.requests, self.agents = list(answers), [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(self.path)
                outer.agents.append(self.headers["User-Agent"])
                answer = outer.answers.pop(0) if outer.answers else {}
                body = answer.get("body", GAS).encode()
                self.send_response(answer.get("status", 200))
                for name, value in answer.get("headers", {}).items():
                    self.send_header(name, value)
                if answer.get("length", True):
                    self.send_header("Content-Length", str(len(body) + answer.get("missing", 0)))
                self.send_header("Connection", "close")
                self.end_headers()
                time.sleep(answer.get("delay", 0))
                with contextlib.suppress(OSError):  # a client that has had enough
                    for i in range(len(body) if "drip" in answer else 0):
                        self.wfile.write(body[i : i + 1])
                        time.sleep(answer["drip"])
                    self.wfile.write(b"" if "drip" in answer else body)
                self.close_connection = True

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/cbook.cgi"

    def close(self):
        self.http.shutdown()
        self.http.server_close()


GAS = spectrum(BAND, TITLE="Ethanol", CAS_REGISTRY_NO="64-17-5", STATE="gas", OWNER="tests")
NOT_FOUND = "##TITLE=Spectrum not found.\n##END=\n"


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only in `_sleep`; the list of what was slept."""
    now, slept = [1000.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(nist, "_clock", lambda: now[0])
    monkeypatch.setattr(nist, "_sleep", sleep)
    monkeypatch.setattr(nist, "_last", [float("-inf")])
    return slept


@pytest.fixture
def serve(monkeypatch, clock):
    """Starts a server with the given answers in the WebBook's place."""
    servers = []

    def serve(*answers):
        servers.append(Server(answers))
        monkeypatch.setattr(nist, "_URL", servers[-1].url)
        return servers[-1]

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield serve
    for server in servers:
        server.close()


def test_a_spectrum_by_cas_number(serve, tmp_path):
    server = serve()
    ds = fetch_nist_ir("64-17-5", tmp_path)
    assert np.array_equal(ds.X[0], BAND * 0.001) and ds.name == "Ethanol" and ds.samples["state"][0] == "gas"
    assert server.requests == ["/cbook.cgi?JCAMP=C64175&Index=0&Type=IR"] and "deep_chemometrics" in server.agents[0]
    assert ds.notes["source"].endswith("JCAMP=C64175&Index=0&Type=IR") and "redistribute" in ds.notes["terms"]


def test_the_address_is_the_public_one():
    assert nist._URL == "https://webbook.nist.gov/cgi/cbook.cgi" and nist._PAUSE >= 3


def test_never_twice(serve, clock, tmp_path):
    server = serve()
    first = fetch_nist_ir("64-17-5", tmp_path / "new" / "folder")
    again = fetch_nist_ir(" 64-17-5", str(tmp_path / "new" / "folder"))
    assert len(server.requests) == 1 and np.array_equal(first.X, again.X)
    assert [p.name for p in (tmp_path / "new" / "folder").iterdir()] == ["64-17-5-ir-0.jdx"], "no leftovers"
    fetch_nist_ir("64-17-5", tmp_path / "new" / "folder", index=1)
    assert parse_qs(urlparse(server.requests[1]).query)["Index"] == ["1"]


def test_the_default_folder(serve, tmp_path, monkeypatch):
    pooch = pytest.importorskip("pooch")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    serve()
    fetch_nist_ir("64-17-5")
    assert (tmp_path / "deep_chemometrics" / "nist" / "64-17-5-ir-0.jdx").exists()


def test_a_file_put_there_by_hand(serve, tmp_path):
    server = serve()
    (tmp_path / "64-17-5-ir-0.jdx").write_text(spectrum(BAND, TITLE="by hand"))
    assert fetch_nist_ir("64-17-5", tmp_path).name == "by hand" and server.requests == []


def test_requests_keep_their_distance(serve, clock, tmp_path):
    """Across calls, whatever came of them, and only between requests that were made."""
    serve({}, {"status": 404}, {"body": NOT_FOUND}, {})
    fetch_nist_ir("64-17-5", tmp_path)
    for _ in range(2):
        with pytest.raises((OSError, ValueError)):
            fetch_nist_ir("71-43-2", tmp_path)
        fetch_nist_ir("64-17-5", tmp_path)  # from the folder
    fetch_nist_ir("71-43-2", tmp_path)
    assert clock == [0, nist._PAUSE, nist._PAUSE, nist._PAUSE]


def test_requests_of_several_threads_keep_their_distance(serve, clock, tmp_path):
    server = serve()
    threads = [threading.Thread(target=fetch_nist_ir, args=("64-17-5", tmp_path, i)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 4 and clock == [0] + [nist._PAUSE] * 3


@pytest.mark.parametrize(
    "trouble",
    [{"status": 500}, {"status": 503}, {"status": 429}, {"missing": 7}, {"body": GAS[:-80], "length": False}],
    ids=["500", "503", "429", "cut off", "cut off unnoticed"],
)
def test_trouble_that_passes(serve, clock, tmp_path, trouble):
    server = serve(trouble, trouble)
    assert np.array_equal(fetch_nist_ir("64-17-5", tmp_path).X[0], BAND * 0.001)
    assert len(server.requests) == 3 and [s for s in clock if s] == [5, 10], "pauses grow"


def test_a_server_that_hangs(serve, tmp_path):
    server = serve({"delay": 1.5}, {})
    assert len(fetch_nist_ir("64-17-5", tmp_path, timeout=0.3)) == 1 and len(server.requests) == 2


def test_a_server_that_asks_for_patience(serve, clock, tmp_path):
    serve({"status": 429, "headers": {"Retry-After": "33"}})
    fetch_nist_ir("64-17-5", tmp_path)
    assert [s for s in clock if s] == [33]
    serve({"status": 429, "headers": {"Retry-After": "86400"}})
    with pytest.raises(OSError, match="status 429"):
        fetch_nist_ir("71-43-2", tmp_path)
    assert sum(clock) < 120, "a day is not waited for"


@pytest.mark.parametrize("headers", [{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, {"Retry-After": "-5"}])
def test_odd_retry_after(serve, clock, tmp_path, headers):
    serve({"status": 503, "headers": headers})
    fetch_nist_ir("64-17-5", tmp_path)
    assert [s for s in clock if s] == [5]


def test_trouble_that_stays(serve, tmp_path):
    server = serve(*[{"status": 503}] * 9)
    with pytest.raises(
        OSError, match=r"HTTP status 503.*save what a browser shows there as .*64-17-5-ir-0\.jdx"
    ) as error:
        fetch_nist_ir("64-17-5", tmp_path, retries=2)
    assert len(server.requests) == 3 and server.url in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [403, 404, 204])
def test_other_answers_are_not_repeated(serve, tmp_path, status):
    server = serve({"status": status, "body": ""})
    with pytest.raises(OSError, match=f"HTTP status {status}"):
        fetch_nist_ir("64-17-5", tmp_path)
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [NOT_FOUND, "<!DOCTYPE html><html>\n<body>CAS unknown</body></html>", ""])
def test_no_such_spectrum(serve, tmp_path, body):
    server = serve({"body": body})
    with pytest.raises(ValueError, match="No infrared spectrum number 2 of CAS 64-17-5: the NIST WebBook has no such"):
        fetch_nist_ir("64-17-5", tmp_path, index=2)
    assert len(server.requests) == 1 and not list(tmp_path.iterdir())
    assert len(fetch_nist_ir("64-17-5", tmp_path, index=2)) == 1, "and nothing was remembered"


def test_a_page_without_end(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(nist, "_MAX_BYTES", 100_000)
    serve({"body": "##TITLE=" + "x" * 10**6})
    with pytest.raises(OSError, match="does not end"):
        fetch_nist_ir("64-17-5", tmp_path)


def test_a_page_that_drips(serve, tmp_path, monkeypatch):
    """A byte now and then is no time-out; but a request has an end, and the next one its turn."""
    monkeypatch.setattr(nist, "_MAX_TIMEOUTS", 1.5)
    server = serve({"drip": 0.03, "length": False}, {})
    threads = threading.active_count()
    start = time.perf_counter()
    with pytest.raises(OSError, match="does not end"):
        fetch_nist_ir("64-17-5", tmp_path, timeout=0.4)
    assert time.perf_counter() - start < 3 and not list(tmp_path.iterdir()) and not nist._lock.locked()
    while threading.active_count() > threads and time.perf_counter() - start < 20:
        time.sleep(0.05)  # until the connection has ended, too
    assert threading.active_count() <= threads
    assert len(fetch_nist_ir("64-17-5", tmp_path)) == 1 and len(server.requests) == 2


def test_checksum(serve, tmp_path):
    server = serve()
    known = fetch_nist_ir("64-17-5", tmp_path).notes["sha256"]
    assert fetch_nist_ir("64-17-5", tmp_path, sha256=known).notes["sha256"] == known and len(server.requests) == 1
    with pytest.raises(ValueError, match="does not match the known hash"):
        fetch_nist_ir("71-43-2", tmp_path, sha256="0" * 64)
    assert [p.name for p in tmp_path.iterdir()] == ["64-17-5-ir-0.jdx"], "another file is not kept"


def test_offline(serve, clock, tmp_path):
    server = serve()
    server.close()
    with pytest.raises(OSError, match=r"Could not get http://127\.0\.0\.1") as error:
        fetch_nist_ir("64-17-5", tmp_path)
    assert str(tmp_path / "64-17-5-ir-0.jdx") in str(error.value) and not any(clock), "nothing to wait for"


def test_an_interruption_leaves_no_file(serve, tmp_path, monkeypatch):
    """What cannot be put in place whole is not put there at all."""
    serve()
    monkeypatch.setattr(pooch.core.shutil, "move", lambda *paths: (_ for _ in ()).throw(PermissionError("no")))
    with pytest.raises(OSError):
        fetch_nist_ir("64-17-5", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_says_what_to_do(serve, tmp_path):
    (tmp_path / "64-17-5-ir-0.jdx").write_text(GAS.replace("NPOINTS=61", "NPOINTS=62"))
    with pytest.raises(ValueError, match=r"NPOINTS=62.*delete .*64-17-5-ir-0\.jdx"):
        fetch_nist_ir("64-17-5", tmp_path)


@pytest.mark.parametrize("cas", ["64-17-5", "7732-18-5", "50-00-0", "1000000-00-0", "9999999-99-5", "71-43-2"])
def test_cas_numbers(cas):
    digits = cas.replace("-", "")
    total = sum(int(d) * i for i, d in enumerate(reversed(digits[:-1]), start=1))
    if total % 10 == int(digits[-1]):
        assert nist._check_cas(cas) == digits
    else:
        with pytest.raises(ValueError, match=f"its last digit would be {total % 10}"):
            nist._check_cas(cas)


@pytest.mark.parametrize(
    "cas",
    ["64-17-6", "64175", 64175, None, "", "ethanol", "6-17-5", "64-17-5&Type=Mass", "64-17-5\n64-17-5", "٦٤-١٧-٥"],
)
def test_no_cas_number(serve, tmp_path, cas):
    server = serve()
    with pytest.raises(ValueError, match="is no CAS registry number"):
        fetch_nist_ir(cas, tmp_path)
    assert server.requests == []


@pytest.mark.parametrize("options", [dict(index=-1), dict(index="0"), dict(retries=-1), dict(timeout=0)])
def test_odd_options(serve, tmp_path, options):
    server = serve()
    with pytest.raises(ValueError, match=next(iter(options))):
        fetch_nist_ir("64-17-5", tmp_path, **options)
    assert server.requests == []
