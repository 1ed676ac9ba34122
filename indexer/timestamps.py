"""Times of files and folders as the index keeps them: nanoseconds in 64 bits."""

from __future__ import annotations

_EARLIEST, _LATEST = -(2**63), 2**63 - 1


def storable(time_ns: int) -> int:
    """``time_ns`` (since 1970), or the nearest time that fits: from 1677-09-21 to 2262-04-11.

    File systems hold others too (ext4 to 2446, tmpfs any), and neither SQLite nor a message of a worker could. Every
    time that is compared with a kept one has to pass here first. Two times outside count as equal then; what else is
    compared (size, inode time, contents of files dated in the future) tells such files apart.
    """
    return min(max(time_ns, _EARLIEST), _LATEST)
