"""A web server on this machine that plays the internet."""

import hashlib
import http.server
import threading

import pytest


class Server:
    """A web server on this machine: its files, its requests, and how it fails."""

    def __init__(self):
        self.files, self.requests, self.status, self.cut = {}, [], {}, set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                server.requests.append(name)
                failures = server.status.get(name, [])
                status = failures.pop(0) if failures else 200 if name in server.files else 404
                self.send_response(status)
                body = server.files.get(name, b"") if status == 200 else b"sorry"
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in server.cut else body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, **files: bytes) -> dict[str, str]:
        """Serve these files; their names and checksums come back."""
        self.files |= dict(files.items())
        return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.stop()
