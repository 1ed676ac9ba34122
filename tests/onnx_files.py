"""Tiny ONNX models written by hand, in protobuf's wire format: a table of vectors that token ids pick rows of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FLOAT, INT64 = 1, 7
"""Element types of onnx.proto."""
WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "open", "file", "matrix", "product", "query:")


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def named_tensor(name: str, element: int, dimensions: Sequence[str]) -> bytes:
    """A ValueInfoProto."""
    shape = b"".join(block(1, block(2, d)) for d in dimensions)
    return block(1, name) + block(2, block(1, number(1, element) + block(2, shape)))


def model(table: np.ndarray, inputs: Sequence[str] = ("input_ids", "attention_mask"), output: str = "states") -> bytes:
    """``output`` is row ``input_ids`` of ``table``: shape (texts, tokens, dimension)."""
    node = block(1, "table") + block(1, inputs[0]) + block(2, output) + block(4, "Gather")
    rows = b"".join(number(1, size) for size in table.shape) + number(2, FLOAT) + block(8, "table")
    graph = block(1, node) + block(2, "picks") + block(5, rows + block(9, table.astype("<f4").tobytes()))
    graph += b"".join(block(11, named_tensor(name, INT64, ("texts", "tokens"))) for name in inputs)
    graph += block(12, named_tensor(output, FLOAT, ("texts", "tokens", "dimension")))
    return number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 13))


def tokenizer() -> dict[str, Any]:
    """Words of ``WORDS`` at white space, between [CLS] and [SEP]; padded to 16 as exports often are."""
    special = {
        name: {"id": name, "ids": [WORDS.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")
    }  # fmt: skip
    return {
        "version": "1.0",
        "truncation": None,
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": special,
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(WORDS)}, "unk_token": "[UNK]"},
    }  # fmt: skip


def write(folder: Path, table: np.ndarray, files: dict[str, Any] | None = None, **how: Any) -> Path:
    """A model folder with ``files`` (JSON by path); its ``model.onnx``."""
    for name, content in {"tokenizer.json": tokenizer(), **(files or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), "utf-8")
    (folder / "model.onnx").write_bytes(model(table, **how))
    return folder / "model.onnx"
