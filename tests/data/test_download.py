"""Downloads: once, verified, resumed after an interruption, and a clear error without a network."""

import re
from pathlib import Path

import pytest

from deep_chemometrics.data import download
from deep_chemometrics.data.download import fetch_files


def test_download_once(server, tmp_path):
    sha256 = server.serve(a=b"one" * 1000, b=b"two")
    paths = fetch_files(server.url, sha256, tmp_path / "new" / "cache")
    assert [p.read_bytes() for p in paths] == [b"one" * 1000, b"two"] and [p.name for p in paths] == ["a", "b"]
    assert server.requests == ["a", "b"]
    assert fetch_files(server.url, sha256, tmp_path / "new" / "cache") == paths
    assert server.requests == ["a", "b"], "the second call makes no request"


def test_address_without_a_slash_at_its_end(server, tmp_path):
    sha256 = server.serve(a=b"one")
    (path,) = fetch_files(server.url + "data", sha256, tmp_path)
    assert path.read_bytes() == b"one"
    with pytest.raises(OSError, match=f"Could not download {server.url}data/b:"):
        fetch_files(server.url + "data", {"b": sha256["a"]}, tmp_path, retries=0)


def test_interrupted_and_resumed(server, tmp_path):
    sha256 = server.serve(a=b"one", b=b"two", c=b"three")
    missing = server.files.pop("b")
    with pytest.raises(OSError, match=f"{server.url}b.*404.*kept: call again"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert (tmp_path / "a").read_bytes() == b"one" and not (tmp_path / "b").exists()
    server.files["b"] = missing
    server.requests.clear()
    assert [p.read_bytes() for p in fetch_files(server.url, sha256, tmp_path)] == [b"one", b"two", b"three"]
    assert server.requests == ["b", "c"], "what had arrived is not requested again"


def test_broken_off_in_the_middle(server, tmp_path):
    sha256 = server.serve(a=b"one" * 100_000)
    server.cut.add("a")
    with pytest.raises(OSError, match=f"{server.url}a"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == [], "half a file is no file"
    server.cut.clear()
    assert fetch_files(server.url, sha256, tmp_path)[0].stat().st_size == 300_000


def test_wrong_checksum(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.files["a"] = b"another"
    with pytest.raises(ValueError, match=f"{server.url}a is not the expected file .*{sha256['a']}"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == [], "the wrong file is not kept"


def test_cached_file_that_was_changed_is_replaced(server, tmp_path):
    sha256 = server.serve(a=b"one")
    (tmp_path / "a").write_bytes(b"spoilt")
    assert fetch_files(server.url, sha256, tmp_path)[0].read_bytes() == b"one"


@pytest.mark.parametrize("status", [500, 503, 403])
def test_server_in_trouble(server, tmp_path, status):
    sha256 = server.serve(a=b"one")
    server.status["a"] = [status]
    with pytest.raises(OSError, match=f"{server.url}a: .*{status}"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == []


def test_trouble_that_passes_is_waited_for(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.status["a"] = [500]
    assert fetch_files(server.url, sha256, tmp_path, retries=1)[0].read_bytes() == b"one"
    assert server.requests == ["a", "a"]


def test_offline_and_then_by_hand(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.stop()
    with pytest.raises(OSError, match="Without a network, put the file") as caught:
        fetch_files(server.url, sha256, tmp_path, retries=0)
    message = str(caught.value)
    assert f"{server.url}a" in message and sha256["a"] in message
    place = Path(re.search(r"put the file at (.+) by hand", message)[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"one")
    assert fetch_files(server.url, sha256, tmp_path) == [place]


def test_a_server_that_drips(server, tmp_path, monkeypatch):
    """Bytes come now and then, so that no time-out strikes; a download that is only long goes on."""
    sha256 = server.serve(a=b"one" * 100_000)
    monkeypatch.setattr(download, "_PATIENCE", 0.0)
    assert fetch_files(server.url, sha256, tmp_path / "fast")[0].stat().st_size == 300_000
    monkeypatch.setattr(download, "_SLOWEST", 10**12)
    with pytest.raises(OSError, match=rf"{server.url}a: only \d+ bytes came in 0 s"):
        fetch_files(server.url, sha256, tmp_path / "slow", retries=0)
    assert list((tmp_path / "slow").iterdir()) == []
