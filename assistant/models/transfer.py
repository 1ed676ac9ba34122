"""Bytes from an http(s) address into a partial file: resumable, cancellable, within a deadline where one is due."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from assistant.errors import NetworkError
from indexer.errors import CancelledError, StorageError

if TYPE_CHECKING:
    import httpx

    from assistant.llm import Cancel

T = TypeVar("T")

Stage = Literal["wait", "contact", "download", "failed", "verify", "done"]

CONTACT_SECONDS = 4.0
"""How long a source may take to show a first sign when another source follows."""
PATIENT_SECONDS = 30.0
"""The same for the last source."""
READ_SECONDS = 5.0
"""A silence of this length in mid-transfer breaks the connection off; the next attempt goes on where it stopped."""
ATTEMPTS = 6
"""Attempts in a row that bring no byte before a source counts as failed."""
SPARE_BYTES = 64 * 1024 * 1024
"""Free space that must remain after a download."""
_REPORT_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is.

    ``stage``: ``wait`` (another process is fetching the same model), ``contact`` (asking ``source``), ``download``,
    ``failed`` (``source`` did not work, ``message`` says why), ``verify`` (hashing), ``done``. ``message`` is for
    people: what is being fetched, or what happened. Bytes; ``bytes_total`` is 0 while unknown.
    """

    model: str
    stage: Stage
    source: str = ""
    bytes_done: int = 0
    bytes_total: int = 0
    message: str = ""


@dataclass(slots=True)
class Transfer:
    """One source being fetched into ``partial``. ``size`` is the exact size of the file, or 0 where it is not known."""

    model: str
    source: str
    partial: Path
    file: str = ""
    """Name of the file, for people."""
    size: int = 0
    patient: bool = True
    """No other source follows: take the time that slow networks need."""
    progress: Callable[[PullProgress], None] | None = None
    cancel: Cancel | None = None
    _reported: float = field(default=0.0, init=False)

    @property
    def contact_seconds(self) -> float:
        """How long to wait for the source's first sign."""
        return PATIENT_SECONDS if self.patient else CONTACT_SECONDS

    @property
    def journal(self) -> Path:
        """What is known about the bytes in ``partial``, so that a later run can go on."""
        return self.partial.with_name(self.partial.name + ".json")

    def report(self, stage: Stage, done: int = 0, total: int = 0, message: str = "", *, always: bool = True) -> None:
        """Tell the caller; ``always=False`` leaves out reports that come too fast."""
        now = time.monotonic()
        if self.progress is None or (not always and now - self._reported < _REPORT_SECONDS):
            return
        self._reported = now
        self.progress(PullProgress(self.model, stage, self.source, done, total, message))

    def check_cancelled(self) -> None:
        """Raise CancelledError if the caller asked to stop."""
        if self.cancel is not None and self.cancel.cancelled:
            raise cancelled(self.model)

    def have(self) -> int:
        """Bytes already in ``partial``."""
        try:
            return self.partial.stat().st_size
        except FileNotFoundError:
            return 0

    def remember(self, note: dict[str, object]) -> None:
        """Write the journal."""
        self.journal.write_text(json.dumps(note), encoding="utf-8")

    def recall(self) -> dict[str, object]:
        """Read the journal; empty where there is none."""
        try:
            note = json.loads(self.journal.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return note if isinstance(note, dict) else {}

    def discard(self) -> None:
        """Remove the partial file and its journal."""
        self.partial.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)


def cancelled(model: str) -> CancelledError:
    """The error of a pull that was stopped."""
    return CancelledError(f"Fetching {model} was stopped.", "The same command goes on where this one stopped.")


def check_space(folder: Path, needed: int, model: str) -> None:
    """Raise StorageError unless ``needed`` bytes (and some to spare) are free at ``folder``."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise StorageError(
            f"Not enough free disk for {model}: it needs {_megabytes(needed + SPARE_BYTES)}, "
            f"and {_megabytes(free)} are free at {folder}.",
            "Free some space, or set CODEMOAT_DATA_DIR to a folder on a larger disk.",
        )


def with_deadline(call: Callable[[], T], seconds: float, transfer: Transfer, what: str) -> T:
    """Run ``call`` in a thread of its own and wait ``seconds`` for it: name look-ups know no timeout.

    Raises NetworkError when the time is over, CancelledError on cancel, and whatever ``call`` raises.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as exc:  # noqa: BLE001 -- carried over to the waiting thread, which raises it
            errors.append(exc)
        finally:
            ended.set()

    threading.Thread(target=run, name="codemoat-contact", daemon=True).start()
    until = time.monotonic() + seconds
    while not ended.wait(min(0.1, max(0.0, until - time.monotonic()))):
        transfer.check_cancelled()
        if time.monotonic() >= until:
            raise NetworkError(f"{what} did not answer within {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]


def download(url: str, transfer: Transfer, *, etag: str = "", headers: dict[str, str] | None = None) -> None:
    """Fetch ``url`` into ``transfer.partial``, going on where an earlier run stopped if the file is still the same.

    ``etag`` is what a source already said about the file. Raises NetworkError, StorageError, CancelledError.
    """
    import httpx

    if transfer.recall().get("url") != url:
        transfer.discard()
    failures = 0
    timeout = httpx.Timeout(READ_SECONDS, connect=min(READ_SECONDS, transfer.contact_seconds))
    with httpx.Client(timeout=timeout, follow_redirects=True) as client:
        while True:
            before = transfer.have()
            transfer.check_cancelled()
            try:
                return _stream(client, url, transfer, etag, headers or {})
            except httpx.TransportError as exc:
                failures = 1 if transfer.have() > before else failures + 1
                if failures >= (ATTEMPTS if transfer.patient or transfer.have() else 1):
                    raise NetworkError(f"the connection failed ({_reason(exc)})") from exc
            except (httpx.InvalidURL, httpx.TooManyRedirects) as exc:
                raise NetworkError(f"{url} cannot be fetched ({exc})") from exc
            _pause(0.25 * failures, transfer)


def touch_url(url: str, transfer: Transfer) -> None:
    """See that ``url``'s server answers at all, within the contact time. Raises NetworkError."""
    import httpx

    def ask() -> None:
        httpx.head(url, timeout=transfer.contact_seconds, follow_redirects=False)

    try:
        with_deadline(ask, transfer.contact_seconds, transfer, url)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise NetworkError(f"{url} cannot be reached ({_reason(exc)})") from exc


def write_all(file: int, data: bytes | memoryview) -> None:
    """Write every byte to the file descriptor (a write to a filling disk may be short before it fails)."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _stream(client: httpx.Client, url: str, transfer: Transfer, etag: str, headers: dict[str, str]) -> None:
    have = transfer.have()
    known = str(transfer.recall().get("etag", ""))
    ask = {**headers, "Accept-Encoding": "identity"}
    if have:
        ask["Range"] = f"bytes={have}-"
    with client.stream("GET", url, headers=ask) as response:
        if response.status_code not in (200, 206, 416):
            raise NetworkError(f"{response.url.host} answered {response.status_code} {response.reason_phrase}".strip())
        tag = etag or response.headers.get("ETag", "")
        same = not known or not tag or known == tag
        start, total = _range(response)
        if response.status_code == 416 and have and have == total and same:
            return None
        if response.status_code != 200 and (start != have or not same):
            if not have:
                raise NetworkError(f"{response.url.host} sent a part of the file that was not asked for")
            # The file changed or the server counts differently: from the beginning, on a new connection.
            transfer.discard()
            return _stream(client, url, transfer, etag, headers)
        if transfer.size and total and total != transfer.size:
            raise NetworkError(f"it offers another file ({total:,} bytes, expected {transfer.size:,})")
        check_space(transfer.partial.parent, max(0, total - start), transfer.model)
        transfer.remember({"url": url, "etag": tag})
        return _receive(response, transfer, start, total or transfer.size)


def _receive(response: httpx.Response, transfer: Transfer, start: int, total: int) -> None:
    file = os.open(transfer.partial, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.ftruncate(file, start)
        os.lseek(file, start, os.SEEK_SET)
        done = start
        for data in response.iter_raw():
            write_all(file, data)
            done += len(data)
            transfer.report("download", done, total, transfer.file, always=False)
            transfer.check_cancelled()
    finally:
        os.close(file)
    transfer.report("download", done, total, transfer.file)


def _range(response: httpx.Response) -> tuple[int, int]:
    """Where the body starts in the file, and the file's size (0 when the server does not say)."""
    if response.status_code in (206, 416):
        span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes").strip().partition("/")
        first = span.partition("-")[0]
        return int(first) if first.isdigit() else -1, int(total) if total.isdigit() else 0
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() and response.status_code == 200 else 0


def _pause(seconds: float, transfer: Transfer) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        transfer.check_cancelled()
        time.sleep(min(0.05, seconds))


def _reason(exc: Exception) -> str:
    with contextlib.suppress(IndexError):
        return str(exc).splitlines()[0]
    return type(exc).__name__


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
