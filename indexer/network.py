"""Whether a folder lies on a file system of another machine.

SQLite's write-ahead log needs memory that all its users share, and the writer's lock needs locks that hold: neither is
given where the file system's server is another machine (https://www.sqlite.org/wal.html, "All processes using a
database must be on the same host computer").
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from indexer.kinds import words

_MOUNTS = Path("/proc/self/mountinfo")

_NETWORK = words(
    "afs beegfs ceph cifs coda drvfs gfs2 glusterfs gpfs lustre nfs nfs4 ocfs2 orangefs pvfs2 smb2 smb3 smbfs vboxsf"
)
"""Types of file systems whose server is another machine, or the other system of this one. Not 9p and virtiofs as such:
sandboxes and small virtual machines have their whole disk on those, with memory maps and locks that work."""

_NETWORK_FUSE = words(
    """
    beegfs ceph ceph-fuse curlftpfs davfs davfs2 gcsfuse glusterfs goofys google-drive-ocamlfuse grpcfuse gvfsd-fuse
    juicefs kio-fuse moosefs mount.davfs mountpoint-s3 osxfs portal rclone rclonefs s3fs seaweedfs smbnetfs sshfs
    vmhgfs-fuse webdavfs
    """
)
"""The same for file systems in user space: what follows ``fuse.``."""

_SHARED = words("9p virtiofs prl_fs vmhgfs")
"""Folders of the host, where locks and memory maps work and events of the host's side do not come."""

_WINDOWS_DRIVE = b"aname=drvfs"
"""An option of the 9p mounts by which Linux on Windows sees the drives; there the log does not work."""

_ESCAPED = re.compile(rb"\\([0-7]{3})")


def network_file_system(path: Path) -> str | None:
    """The type of the network file system that ``path`` lies on, e.g. ``nfs4``; None on a local one.

    ``path`` need not exist: the nearest folder above it that does counts. None too where the system does not tell
    (anywhere but on Linux): this is for a clear message in place of strange failures, never for safety.
    """
    kind = _type_at(path)
    return kind if _is_network(kind) else None


def eventless_file_system(path: Path) -> str | None:
    """The type of the file system that ``path`` lies on if others' changes there come without events, else None.

    Besides network file systems those whose server is the host of a virtual machine or sandbox.
    """
    kind = _type_at(path)
    return kind if kind in _SHARED or _is_network(kind) else None


def _type_at(path: Path) -> str:
    try:
        return _type_of(os.fsencode(path.resolve()), _MOUNTS.read_bytes())
    except (OSError, RuntimeError):  # a path in circles is somebody else's error
        return ""


def _type_of(place: bytes, mounts: bytes) -> str:
    """Type of the file system at an absolute path: the longest mount point above it, and of equals the last."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields, dash, rest = line.partition(b" - ")
        parts = fields.split(b" ")
        if not dash or len(parts) < 5:
            continue
        point = _ESCAPED.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), parts[4]).rstrip(b"/")
        # Mounts lie on top of earlier ones of the same place.
        if len(point) >= best and (place == point or place.startswith(point + b"/")):
            best, kind = len(point), rest.split(b" ")[0].decode("utf-8", "replace")
            if kind == "9p" and _WINDOWS_DRIVE in rest:
                kind = "drvfs"
    return kind


def _is_network(kind: str) -> bool:
    family, dot, program = kind.partition(".")
    return program in _NETWORK_FUSE if dot and family in ("fuse", "fuseblk") else kind in _NETWORK
