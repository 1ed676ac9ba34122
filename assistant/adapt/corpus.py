"""Openly licensed code to train the static embedding on: pinned packages → their source files.

``corpus.toml`` pins every package by registry, version and sha256, with licence and main language. Packages are fetched
by the registries' own clients and read out of their archives in memory: nothing of them is installed, run or unpacked.

What retrieval is measured on must not be trained on. ``excluded`` sees to that, file by file: a path that names one of
the projects of ``[exclude]`` (also as a part of a longer name, so that vendored copies and forks fall out too) and a
file whose text carries one of their marks (authors, single-header banners) are never read further.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from indexer.errors import BadInputError
from indexer.languages import detect

LIST = Path(__file__).with_name("corpus.toml")
MAX_FILE_BYTES = 400_000
_LONGEST_LINE = 2_000
"""Longer lines are minified or generated code."""
_HEAD_BYTES = 8_000
_SKIPPED = re.compile(
    r"(^|/)(tests?|testing|testdata|spec|specs|fixtures?|vendor(ed)?|_vendor|third[_-]?party|3rd[_-]?party|external"
    r"|deps|node_modules|dist|umd|bundles?|fesm\d*|generated|locales?|i18n|debian|esm\d*|cjs|es)/"
    r"|[._-](min|test|spec|bundle|umd|generated|pb)\.|_test\.|\.d\.[cm]?ts$|/(test_|conftest)[^/]*$",
    re.IGNORECASE,
)
"""Tests describe little, builds repeat the sources, and other people's code has an origin that we did not check."""


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned package. ``sha256`` is that of its wheel, npm archive or Debian ``.dsc`` (which holds the rest)."""

    name: str
    version: str
    registry: str
    """``pypi``, ``npm``, ``debian`` (a source package) or ``debian-binary``."""
    language: str
    licence: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a package: its path inside it, its language by ``indexer.languages``, its text (UTF-8)."""

    path: str
    language: str
    text: bytes


class Exclusion:
    """Which files belong to, or were copied from, the projects that retrieval is measured on."""

    def __init__(self, names: Iterable[str], marks: Iterable[str]) -> None:
        wanted = sorted(set(map(_squeezed, names)), key=len, reverse=True)
        # A short name (chi, gin) counts as a whole word of a path only: "machine" holds both.
        self._words = frozenset(wanted)
        self._anywhere = tuple(n for n in wanted if len(n) >= _LONG)
        self._marks = tuple(m.casefold().encode() for m in marks)

    def path(self, path: str) -> bool:
        """Whether any folder or file name in ``path`` is, begins with, or holds the name of an excluded project."""
        for component in path.split("/"):
            words = [w for w in re.split(r"[^a-z0-9]+", component.casefold()) if w]
            runs = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + 4, len(words)) + 1)}
            if not self._words.isdisjoint(runs) or any(n in "".join(words) for n in self._anywhere):
                return True
        return False

    def text(self, text: bytes) -> bool:
        """Whether the first 8,000 bytes carry a mark of an excluded project (an author's name, a banner)."""
        head = text[:_HEAD_BYTES].lower()
        return any(mark in head for mark in self._marks)


_LONG = 7
"""Names from this length on are looked for inside longer words too."""


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())


@lru_cache(maxsize=1)
def exclusion() -> Exclusion:
    """The exclusion that ``corpus.toml`` describes."""
    table = tomllib.loads(LIST.read_text("utf-8"))["exclude"]
    return Exclusion(table["names"], table["marks"])


def packages(path: Path = LIST) -> list[Package]:
    """The pinned packages. Raises BadInputError when one of them is itself excluded."""
    table = tomllib.loads(path.read_text("utf-8"))
    check = Exclusion(table["exclude"]["names"], table["exclude"]["marks"])
    found = []
    for group in table["group"]:
        for name, version, sha256 in (line.split() for line in group["packages"]):
            if check.path(name):
                raise BadInputError(f"The package {name} is excluded from training.", f"Take it out of {path.name}.")
            found.append(Package(name, version, group["registry"], group["language"], group["licence"], sha256))
    return found


def archives(package: Package, folder: Path) -> list[Path]:
    """The package's archives in ``folder``, fetched if they are not there, after their sha256 was checked.

    Needs ``pip``, ``npm`` or ``apt-get`` with source entries. Raises BadInputError when one cannot be had or differs.
    """
    place = folder / package.registry / re.sub(r"[^\w.-]+", "_", f"{package.name}-{package.version}")
    if not place.is_dir():
        place.mkdir(parents=True)
        try:
            subprocess.run(_command(package, place), cwd=place, check=True, capture_output=True, timeout=600)
        except (OSError, subprocess.SubprocessError) as exc:
            shutil.rmtree(place)
            raise BadInputError(
                f"{package.name} {package.version} cannot be fetched.", "Is its registry's client set up?"
            ) from exc
    files = sorted(p for p in place.iterdir() if p.is_file())
    pinned = [p for p in files if package.registry != "debian" or p.suffix == ".dsc"]
    if not any(hashlib.sha256(p.read_bytes()).hexdigest() == package.sha256 for p in pinned):
        raise BadInputError(f"{package.name} {package.version} is not what was pinned.", f"Look at {place}.")
    # Debian's own changes carry other licences; apt has checked all files against the .dsc.
    return [p for p in files if re.search(r"\.(whl|tgz|zip|deb)$|\.tar\.\w+$", p.name) and ".debian.tar" not in p.name]


def _command(package: Package, place: Path) -> Sequence[str]:
    if package.registry == "pypi":
        pip = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        return [*pip, "--platform", "any", "--dest", ".", f"{package.name}=={package.version}"]
    if package.registry == "npm":
        return ["npm", "pack", "--silent", "--ignore-scripts", f"{package.name}@{package.version}"]
    if package.registry == "debian-binary":
        return ["apt-get", "download", "-qq", f"{package.name}={package.version}"]
    return ["apt-get", "source", "-qq", "--download-only", f"{package.name}={package.version}"]


def source_files(archive: Path, limit: int, check: Exclusion | None = None) -> list[SourceFile]:
    """Source files in ``archive``, at most ``limit`` bytes, chosen by a hash of their paths, in order of path.

    Read in memory. Tests, builds, vendored and generated files are left out, and so is everything excluded.
    """
    check = check or exclusion()

    def wanted(path: str, size: int) -> bool:
        inner = path.split("/", 1)[-1]
        known = 0 < size <= MAX_FILE_BYTES and detect(inner, b"").query is not None
        return known and not _SKIPPED.search(inner) and not check.path(inner)

    kept: list[SourceFile] = []
    for path, text in _members(archive, wanted):
        language = detect(path, text[:_HEAD_BYTES])
        if language.query is None or language.name in _NO_CODE or check.text(text):
            continue
        if max(map(len, text.split(b"\n")), default=0) > _LONGEST_LINE:
            continue
        kept.append(SourceFile(path, language.name, text.decode("utf-8", "replace").encode()))
    kept.sort(key=lambda f: hashlib.sha256(f.path.encode()).digest())
    chosen, size = [], 0
    for file in kept:
        size += len(file.text)
        if size > limit:
            break
        chosen.append(file)
    return sorted(chosen, key=lambda f: f.path)


def change_logs(archive: Path, check: Exclusion | None = None) -> list[str]:
    """Texts of the files in ``archive`` that tell what changed (the first 400,000 bytes of each), in order of path."""
    check = check or exclusion()

    def wanted(path: str, size: int) -> bool:
        inner = path.split("/", 1)[-1]
        return (
            bool(CHANGE_LOG.search(inner))
            and "debian" not in inner.lower()
            and size > 0
            and not _SKIPPED.search(inner)
            and not check.path(inner)
        )

    found = sorted(_members(archive, wanted))[:_MOST_LOGS]
    return [_unzipped(path, text)[:MAX_FILE_BYTES].decode("utf-8", "replace") for path, text in found]


def _unzipped(path: str, data: bytes) -> bytes:
    """Debian packs a package's change log with gzip."""
    if not path.endswith(".gz"):
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(MAX_FILE_BYTES)


CHANGE_LOG = re.compile(
    r"(^|/)(changelog|changes|news|history|release[_-]?notes|whatsnew)[^/]*(?<!\.py|\.js|\.go|\.rb)$", re.IGNORECASE
)
_MOST_LOGS = 20
_NO_CODE = {"ini", "json", "yaml", "toml", "xml", "html", "css", "scss", "svg", "make", "cmake", "dockerfile"}


def _members(archive: Path, wanted: Callable[[str, int], bool]) -> Iterator[tuple[str, bytes]]:
    """Path without the archive's own top folder, and bytes, of each file that is ``wanted`` by path and size."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as opened:
            for info in sorted(opened.infolist(), key=lambda i: i.filename):
                if wanted("./" + info.filename, info.file_size):
                    yield info.filename, opened.read(info)
        return
    with _opened(archive) as raw, tarfile.open(fileobj=raw, mode="r|*") as stream:
        for member in stream:
            if member.isfile() and wanted(member.name, member.size):
                reader = stream.extractfile(member)
                yield member.name.split("/", 1)[-1], (reader or io.BytesIO()).read()


@contextmanager
def _opened(archive: Path) -> Iterator[IO[bytes]]:
    """The archive's tar stream; ``dpkg-deb`` takes it out of a Debian package without running what is in it."""
    if archive.suffix != ".deb":
        with archive.open("rb") as file:
            yield file
        return
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout
        process.stdout.read()
