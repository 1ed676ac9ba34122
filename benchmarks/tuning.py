"""What `codemoat models tune` gains on this machine, and what it costs the holes.

usage: python -m benchmarks.tuning [--runs N] [--fresh]

Each run tunes the default model anew in a data folder of its own that links to the model, so the user's choice stays.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from assistant.models import DEFAULT_MODEL, resolve
from benchmarks.common import CODEMOAT, Results


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description="Measure tuning.")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    results = Results("tuning", fresh=options.fresh)
    model = resolve(DEFAULT_MODEL)
    for run in range(options.runs):
        if results.done(run=run):
            continue
        with tempfile.TemporaryDirectory(prefix="cm") as folder:
            models = Path(folder) / "models"
            models.mkdir()
            (models / model.name).symlink_to(model)
            env = {**os.environ, "CODEMOAT_DATA_DIR": folder}
            command = [str(CODEMOAT), "models", "tune", DEFAULT_MODEL, "--json"]
            done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
        results.add({"run": run, **json.loads(done.stdout)})
        print(json.dumps(results.rows[-1]["tuned"]))


if __name__ == "__main__":
    main()
