from __future__ import annotations

import mmap
import re
import sys
from pathlib import Path

import pytest

from assistant.llama.system import give_back

SIZE = 4 << 20


def resident(path: Path) -> int:
    """Resident bytes of all mappings of a file."""
    found = re.findall(rf"^[0-9a-f]+-[0-9a-f]+ .* {re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", smaps(), re.M)
    return 1024 * sum(map(int, found))


def smaps() -> str:
    return Path("/proc/self/smaps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, as what it tests does")
def test_a_mapped_file_gives_its_pages_back_and_reads_as_before(tmp_path):
    path, other = tmp_path / "a model.gguf", tmp_path / "other.gguf"
    link = tmp_path / "link.gguf"
    link.symlink_to(path)
    maps = []
    for one in (path, other):
        one.write_bytes(bytes(range(256)) * (SIZE // 256))
        with one.open("rb") as file:
            maps.append(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE))
    assert (resident(path), resident(other)) == (SIZE, SIZE)
    give_back(link)
    assert (resident(path), resident(other)) == (0, SIZE)
    assert maps[0][SIZE - 256 :] == bytes(range(256))
    assert 0 < resident(path) < SIZE


def test_a_file_that_is_not_mapped_is_no_error(tmp_path):
    give_back(tmp_path / "nothing.gguf")
