"""Finding the best way to run a model, with speeds from a table; remembering and undoing it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.errors import HostError
from assistant.llama.measure import HOLES, Setup, Speed, measure
from assistant.llama.tuning import FILE_WORTH, lost, tune
from assistant.models import tuned
from assistant.models.tuned import Tuned, copy_path, forget, remember, tuned_for


class Machine:
    """Fast with two threads, without flash attention, with steps of 256; Q4_0 is ``gain`` times as fast, Q8_0 1.2."""

    def __init__(self, gain: float = 1.5, loss: float = 0.0) -> None:
        self.gain, self.loss = gain, loss
        self.measured: list[Setup] = []

    def measure(self, setup: Setup) -> Speed:
        self.measured.append(setup)
        speed = {1: 50.0, 2: 100.0, 3: 90.0}[setup.threads]
        speed *= 1.0 if setup.flash_attention else 1.2
        speed *= {64: 0.9, 128: 1.0, 256: 1.1, 512: 1.0}[setup.micro_batch]
        speed *= self.gain if "q4_0" in setup.path else 1.2 if "q8_0" in setup.path else 1.0
        return Speed(speed, speed / 5)

    def quality(self, setup: Setup) -> list[float]:
        return [-0.5 - n / 100 - (self.loss if "q4_0" in setup.path else 0.0) for n in range(24)]

    def requantise(self, path: Path, form: str) -> Path:
        return path.with_name(f"{path.stem}-{form.lower()}.gguf")


def test_the_best_way_is_found_one_thing_after_the_other() -> None:
    machine = Machine()
    shown = []
    found = tune(Path("m.gguf"), 3, machine.measure, machine.quality, machine.requantise, shown.append)
    assert found.best.setup == Setup("m-q4_0.gguf", 2, flash_attention=False, micro_batch=256)
    assert found.before.setup == Setup("m.gguf", 3, flash_attention=True, micro_batch=512)
    assert found.best.speed.against(found.before.speed) == pytest.approx(1.5 * 1.2 * 1.1 * 100 / 90)
    assert [t.setup for t in shown] == machine.measured
    assert len(set(machine.measured)) == len(machine.measured), "nothing is measured twice"


@pytest.mark.parametrize(("gain", "loss"), [(1.2 * FILE_WORTH - 0.05, 0.0), (2.0, 0.04)])
def test_a_copy_that_is_hardly_faster_or_fills_worse_is_not_kept(gain: float, loss: float) -> None:
    machine = Machine(gain, loss)
    found = tune(Path("m.gguf"), 3, machine.measure, machine.quality, machine.requantise)
    assert found.best.setup.path == "m-q8_0.gguf"
    assert [(q.format, q.kept) for q in found.quantised] == [("Q8_0", True), ("Q4_0", False)]
    looked = sum("q4_0" in setup.path for setup in machine.measured)
    assert (looked == 1) == (loss > 0), "the ways to run a copy that fills worse do not matter"


def test_loss_has_an_interval() -> None:
    assert lost([-1.0, -1.0], [-1.1, -1.1]) == (pytest.approx(0.1), pytest.approx(0.1))
    mean, most = lost([-1.0, -1.0, -1.0], [-1.0, -1.3, -0.7])
    assert mean == pytest.approx(0.0)
    assert most > 0.3


def test_holes_are_of_many_languages_and_each_middle_is_missing() -> None:
    holes = json.loads(HOLES.read_text("utf-8"))
    assert len(holes) == 24
    assert len({Path(hole["path"]).suffix for hole in holes}) >= 12
    for hole in holes:
        assert hole["middle"].strip()
        assert "¦" not in hole["prefix"] + hole["middle"] + hole["suffix"]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEMOAT_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + b"x" * 100)
    return path


def outcome(path: Path, file: str = "") -> Tuned:
    stat = path.stat()
    return Tuned(
        source=str(path), size=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=tuned.file_sha256(path), cpu=tuned.cpu(),
        file=file, threads=2, flash_attention=False, micro_batch=256, prompt_before=100.0, prompt=200.0,
        generation_before=20.0, generation=30.0, loss=0.01, date="2026-01-01",
    )  # fmt: skip


def test_an_outcome_holds_for_the_file_that_was_measured(source: Path) -> None:
    assert tuned_for(source) is None
    remember(outcome(source))
    found = tuned_for(source)
    assert found == outcome(source)
    assert found.path == source
    source.write_bytes(b"GGUF" + b"y" * 101)
    assert tuned_for(source) is None


def test_an_outcome_holds_for_the_cpu_that_it_was_measured_on(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(outcome(source))
    monkeypatch.setattr(tuned, "cpu", lambda: "another")
    assert tuned_for(source) is None


def test_undoing_deletes_the_copy(source: Path) -> None:
    copy = copy_path(source, "0" * 64, "Q4_0")
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"GGUF" + b"z" * 50)
    remember(outcome(source, copy.name))
    found = tuned_for(source)
    assert found is not None
    assert found.path == copy
    assert forget(source) == 54
    assert not copy.exists()
    assert (tuned_for(source), forget(source)) == (None, None)


def test_a_copy_that_is_gone_means_the_file_itself(source: Path) -> None:
    remember(outcome(source, "gone.gguf"))
    assert tuned_for(source) is None


def test_rubbish_beside_outcomes_is_no_outcome(source: Path) -> None:
    tuned.folder().mkdir(parents=True)
    (tuned.folder() / "broken.json").write_text("{")
    (tuned.folder() / "other.json").write_text('{"a": 1}')
    assert tuned_for(source) is None


def test_a_repository_that_looks_like_codemoat_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trap, sprung = tmp_path / "repository" / "assistant" / "llama", tmp_path / "sprung"
    trap.mkdir(parents=True)
    for place in (trap.parent / "__init__.py", trap / "__init__.py", trap / "measure.py"):
        place.write_text(f"open({str(sprung)!r}, 'w')\nprint('{{}}')\n")
    monkeypatch.chdir(tmp_path / "repository")
    with pytest.raises(HostError):
        measure(Setup(path=str(tmp_path / "none.gguf"), threads=1, flash_attention=True, micro_batch=64))
    assert not sprung.exists()
