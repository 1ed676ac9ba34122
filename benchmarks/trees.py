"""Pinned public source trees to index, ask about and measure on.

usage: python -m benchmarks.trees NAME      fetches the tree if it is not there yet and prints its folder

Packages come through pip (hash-checked, unpacked, never installed: none of their code runs), Debian sources through
apt-get. They lie in the user's cache directory.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from indexer.location import cache_dir

PACKAGES = {
    "scrapy": ("scrapy==2.19.0", "44c1ad4b008f1976e946c75b2adce0e448cbfe470c584b1b59469abf270e8013"),
    "django": ("django==5.2.19", "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00"),
    "networkx": ("networkx==3.6.1", "d47fbf302e7d9cbbb9e2555a0d267983d2aa476bac30e90dfbe5669bd57f3762"),
}
LINUX = "linux-source-6.1"
LINUX_PARTS = {
    # The whole tree, and a part of about 10,000 files: the kernel proper without drivers and architectures.
    "linux": (),
    "linux-core": [
        "block",
        "crypto",
        "fs",
        "include",
        "init",
        "io_uring",
        "ipc",
        "kernel",
        "lib",
        "mm",
        "net",
        "security",
        "virt",
    ],
}


def tree(name: str) -> Path:
    """Folder of the tree ``name``, fetched if need be. Raises SystemExit with one sentence if it cannot be had."""
    target = cache_dir() / "trees" / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        try:
            made = _package(name, Path(work)) if name in PACKAGES else _linux(name, Path(work))
        except subprocess.CalledProcessError as exc:
            raise SystemExit(f"The tree {name} could not be fetched: {exc.stderr or exc}") from exc
        made.rename(target)
    return target


def _package(name: str, work: Path) -> Path:
    requirement, sha256 = PACKAGES[name]
    (work / "requirements.txt").write_text(f"{requirement} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "-d", str(work), "-r", str(work / "requirements.txt")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
        wheel.extractall(work / "tree")
    return work / "tree"


def _linux(name: str, work: Path) -> Path:
    parts = LINUX_PARTS[name]
    archive = next(Path("/usr/src").glob(f"{LINUX}.tar.xz"), None) or _download_linux(work)
    inside = [f"{LINUX}/{part}" for part in parts]
    subprocess.run(["tar", "-xJf", str(archive), "-C", str(work), *inside], check=True, capture_output=True, text=True)
    return work / LINUX


def _download_linux(work: Path) -> Path:
    if not shutil.which("apt-get"):
        raise SystemExit(
            f"{LINUX} comes from Debian's packages; on this system unpack it into {cache_dir() / 'trees'}."
        )
    subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True, text=True)
    subprocess.run(["apt-get", "-q", "download", LINUX], cwd=work, check=True, capture_output=True, text=True)
    package = next(work.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(package), str(work / "deb")], check=True, capture_output=True, text=True)
    return work / "deb" / "usr" / "src" / f"{LINUX}.tar.xz"


def main() -> None:
    """Print the folder of the tree named on the command line."""
    names = [*PACKAGES, *LINUX_PARTS]
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        raise SystemExit(f"usage: python -m benchmarks.trees {{{','.join(names)}}}")
    print(tree(sys.argv[1]))


if __name__ == "__main__":
    main()
