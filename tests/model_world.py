"""A small world for the tests of model downloads: a loopback file server, wheels in a folder, catalogue entries."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import assistant.models.catalogue as catalogue
import assistant.models.store as store
import assistant.models.transfer as transfer
from assistant.models.catalogue import ModelEntry, Source

BODY = b"GGUF" + bytes(range(256)) * 2_000
"""A model file of half a megabyte."""
WRONG_BODY = b"GGUF" + bytes(reversed(range(256))) * 2_000
"""Another one of the same size."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def furnish(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    """A data folder of its own, no spare space asked for, every step of progress told."""
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(data))
    monkeypatch.setattr(transfer, "SPARE_BYTES", 0)
    monkeypatch.setattr(transfer, "_REPORT_SECONDS", 0.0)


def use_catalogue(monkeypatch: pytest.MonkeyPatch, *entries: ModelEntry) -> None:
    """Let the catalogue be ``entries``."""
    for module in (catalogue, store):
        monkeypatch.setattr(module, "load_catalogue", lambda: entries)


def entry(*sources: Source, name: str = "tiny", pinned: bool = True, body: bytes = BODY) -> ModelEntry:
    """A catalogue entry for ``body``."""
    return ModelEntry(
        name=name,
        title="Tiny",
        family="tiny",
        licence="Apache-2.0",
        licence_note="",
        commercial=True,
        verified=pinned,
        size=len(body),
        sha256=sha256(body) if pinned else "",
        quantisation="Q4_0",
        context=512,
        fim=True,
        chat=True,
        fim_layout="spm",
        file=f"{name}.gguf",
        sources=sources,
    )


class Server:
    """Serves ``body`` at every path, with ranges, entity tags, and the faults that a test asks for."""

    def __init__(self) -> None:
        self.body = BODY
        self.etag = '"one"'
        self.status = 200
        self.ranges = True
        self.cut_after: list[int] = []
        """How many bytes each of the next answers gives before the connection breaks."""
        self.requests: list[tuple[str, str, str]] = []
        """(method, path, Range header) of each request."""
        self.headers: dict[str, str] = {}
        """Further headers of every answer."""
        self.gate: threading.Event | None = None
        """When set, bodies stop after their first half until the event is set."""
        self.url = ""

    def gets(self) -> list[str]:
        """The Range headers of the GET requests so far."""
        return [span for method, _, span in self.requests if method == "GET"]


@contextmanager
def serving() -> Iterator[Server]:
    """A ``Server`` on a loopback port, for as long as the block runs."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            span = self.headers.get("Range", "")
            server.requests.append((self.command, self.path, span))
            start, body, status = 0, server.body, server.status
            if status == 200 and span and server.ranges:
                start, status = int(span.removeprefix("bytes=").rstrip("-")), 206
                if start >= len(body):
                    status = 416
            rest = body[start:] if status in (200, 206) else b""
            self.send_response(status)
            if status in (206, 416):
                shown = f"{start}-{len(body) - 1}" if status == 206 else "*"
                self.send_header("Content-Range", f"bytes {shown}/{len(body)}")
            self.send_header("Content-Length", str(len(rest)))
            self.send_header("ETag", server.etag)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if not with_body:
                return
            if server.cut_after:
                self.wfile.write(rest[: server.cut_after.pop(0)])
                self.close_connection = True
            elif server.gate is not None:
                self.wfile.write(rest[: len(rest) // 2])
                self.wfile.flush()
                server.gate.wait(30)
                self.wfile.write(rest[len(rest) // 2 :])
            else:
                self.wfile.write(rest)

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    httpd.handle_error = lambda *args: None  # type: ignore[method-assign]  # clients that hang up are part of the tests
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def write_wheels(folder: Path, body: bytes = BODY, parts: int = 3, package: str = "tiny-model-part") -> None:
    """Wheels ``tiny-model-part1 …`` 1.0 with ``body`` cut into ``parts``; each fails loudly if it is ever imported."""
    folder.mkdir(parents=True, exist_ok=True)
    step = -(-len(body) // parts)
    for part in range(1, parts + 1):
        data = body[(part - 1) * step : part * step]
        name = f"{package}{part}".replace("-", "_")
        info = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')\n")
            wheel.writestr(f"{name}/data/part{part:02d}.bin", data)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}{part}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
