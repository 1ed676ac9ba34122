"""What can be said about llama.cpp without a model; the rest is in tests/e2e."""

from __future__ import annotations

import struct

import pytest

from assistant.errors import DamagedModelError, HostError, NoModelError, UnsupportedModelError
from assistant.llama.native import Model, check_file, load_error


def test_no_file(tmp_path):
    with pytest.raises(NoModelError, match="is not there"):
        check_file(tmp_path / "m.gguf")
    with pytest.raises(NoModelError, match="cannot be read"):
        check_file(tmp_path)


def test_another_file(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_text("Not found")
    with pytest.raises(DamagedModelError, match="is not a GGUF model file"):
        check_file(path)


@pytest.mark.parametrize(
    ("complaints", "kind"),
    [
        ("error loading model architecture: unknown model architecture: 'novel'", UnsupportedModelError),
        ("alloc_tensor_range: failed to allocate CPU buffer of size 40000000000", HostError),
        ("tensor 'blk.3.ffn_up.weight' data is not within the file bounds", DamagedModelError),
        ("", DamagedModelError),
    ],
)
def test_what_the_library_complains_about(tmp_path, complaints, kind):
    error = load_error(tmp_path / "m.gguf", complaints)
    assert type(error) is kind
    assert error.hint


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def header(tensors: int, pairs: dict[str, str]) -> bytes:
    """The beginning of a GGUF file, version 3."""
    body = b"".join(text(k) + struct.pack("<I", 8) + text(v) for k, v in pairs.items())
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs)) + body


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (header(0, {})[:11], DamagedModelError),
        (header(5, {"general.architecture": "qwen2"}), DamagedModelError),
        (b"GGUF" + b"\xff" * 64, DamagedModelError),
        (header(0, {"general.architecture": "novel"}), UnsupportedModelError),
    ],
)
def test_the_library_refuses_a_damaged_file_instead_of_crashing(tmp_path, content, kind):
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with pytest.raises(kind):
        Model(path)
