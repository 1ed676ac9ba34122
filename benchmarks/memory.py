"""Memory of the model host, its file as it is and as `codemoat models tune` may have it, with both contexts used.

usage: python -m benchmarks.memory

Resident memory is asked when the model is loaded, and again after four completions in different files and a chat, all
with long prompts. "Its own" leaves out pages of the mapped model file, which the system can take back at any time.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

from assistant.llama.client import HostedLLM, HostSettings
from assistant.llama.hosts import host_status, stop_host
from assistant.llama.native import requantise
from assistant.llm import FillRequest, Message, Sampling
from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import Results
from benchmarks.trees import tree

CHARACTERS = 12_000
"""Text of a prompt, about 3,000 tokens."""
FORMATS = ("", "Q8_0", "Q4_0")


def main() -> None:
    """Add a row for the default model's file and each format that it may be kept in."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    results = Results("memory", fresh=True)
    model = resolve(DEFAULT_MODEL)
    for form in FORMATS:
        with tempfile.TemporaryDirectory(prefix="cm") as folder:
            path = Path(folder) / f"{model.stem}-{form.lower()}.gguf" if form else model
            if form:
                requantise(model, path, form)
            results.add({"format": form, "file_mb": path.stat().st_size >> 20, **measure(path, Path(folder))})
            print(results.rows[-1])


def measure(model: Path, folder: Path) -> dict[str, float]:
    """MiB after loading and after use, and the seconds from the start of a host to its first token."""
    texts = [path.read_text("utf-8") for path in sorted(tree("django").rglob("*.py"))]
    texts = [text[:CHARACTERS] for text in texts if len(text) > CHARACTERS][:5]
    llm = HostedLLM(model, HostSettings(runtime_dir=folder))
    try:
        started = time.perf_counter()
        list(llm.fill(FillRequest("a.py", "x = ", "\n"), Sampling(max_tokens=1)))
        seconds = time.perf_counter() - started
        loaded = resident(folder)
        for number, text in enumerate(texts[1:]):
            list(llm.fill(FillRequest(f"{number}.py", "# ", text), Sampling(max_tokens=8)))
        list(llm.chat([Message("user", f"What is this?\n\n{texts[0]}")], Sampling(max_tokens=8)))
        used = resident(folder)
    finally:
        llm.close()
        stop_host(folder)
    return {"start_s": round(seconds, 2), "loaded_mb": loaded[0], "used_mb": used[0], "own_mb": used[1]}


def resident(folder: Path) -> tuple[int, int]:
    """Resident memory of the host and the part that belongs to no file, in MiB (Linux)."""
    status = Path(f"/proc/{host_status(folder)[0].pid}/status").read_text("ascii")
    anonymous = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert anonymous is not None
    return host_status(folder)[0].memory_bytes >> 20, int(anonymous[1]) >> 10


if __name__ == "__main__":
    main()
