"""An update that is stopped midway: nothing of it shows, and nothing of it is done twice."""

from __future__ import annotations

import threading

import pytest
from fakes import HashEmbedder
from store_tools import InlinePool, Tree, dump, progress_log, without_flushing

from indexer import Index
from indexer.control import Control
from indexer.errors import CancelledError, StorageError

FILES = {f"src/m{n:02}.py": f"def f{n}():\n    return g{n % 7}()\n" for n in range(40)}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    without_flushing(monkeypatch)
    monkeypatch.setattr("indexer.workers.WorkerPool", InlinePool)
    InlinePool.analysed = []
    tree = Tree(tmp_path / "repo", tmp_path)
    tree.root.mkdir()
    tree.write(FILES)
    yield tree
    tree.close()


class StopAt(Control):
    """Cancels itself when ``files`` files are done."""

    def __init__(self, files):
        super().__init__()
        self.files = files

    def log(self, progress):
        if progress.stage == "parse" and progress.files_done >= self.files:
            self.cancel()


def stop(index, files, error=CancelledError):
    control = StopAt(files)
    with pytest.raises(error):
        index.update(control.log, control)


def update(index):
    InlinePool.analysed = []
    report = index.update()
    return report, set(InlinePool.analysed)


def assert_like_fresh(tree, index):
    fresh = tree.open("fresh")
    fresh.rebuild()
    assert dump(index) == dump(fresh)
    listed = {entry.name for entry in (index.folder / "segments").iterdir()}
    assert len(listed) == index.status().segments, "nothing is left lying about"


def test_a_cancelled_first_update_shows_nothing_and_goes_on_where_it_was(tree):
    index = tree.open()
    stop(index, 25)
    with pytest.raises(Exception, match="no index"):
        index.paths()
    report, analysed = update(index)
    assert (report.files, report.files_resumed, report.files_parsed) == (40, 26, 14)
    assert analysed == {f"src/m{n:02}.py" for n in range(26, 40)}
    assert report.generation == 1
    assert_like_fresh(tree, index)


def test_a_cancelled_update_keeps_the_last_generation_visible(tree):
    index = tree.open()
    index.update()
    before = dump(index)
    tree.write({path: text.replace("return", "yield") for path, text in FILES.items()})
    stop(index, 30)
    assert dump(index) == before
    assert dump(tree.open(create=False)) == before
    report, _ = update(index)
    assert (report.files_resumed, report.files_parsed, report.generation) == (31, 9, 2)
    assert_like_fresh(tree, index)


def test_what_changed_after_the_interruption_is_read_again(tree):
    index = tree.open()
    stop(index, 20)
    tree.write({"src/m03.py": "changed = 1\n"})
    (tree.root / "src/m04.py").unlink()
    (tree.root / "src/m05.py").rename(tree.root / "src/n05.py")
    report, analysed = update(index)
    assert {"src/m03.py", "src/n05.py"} <= analysed
    assert "src/m06.py" not in analysed
    assert (report.files, report.files_resumed) == (39, 18)
    assert_like_fresh(tree, index)


def test_a_second_interruption_adds_up(tree):
    index = tree.open()
    stop(index, 10)
    stop(index, 10)
    report, _ = update(index)
    assert (report.files_resumed, report.files_parsed) == (22, 18)
    assert_like_fresh(tree, index)


@pytest.mark.parametrize("change", ["chunks", "embedder", "rebuild"])
def test_nothing_is_taken_over_where_it_would_be_wrong(tree, change):
    index = tree.open()
    stop(index, 30)
    if change == "chunks":
        index = Index.open(tree.root, tree.config(chunk_bytes=200), create=True, embedder=HashEmbedder())
    elif change == "embedder":
        index = tree.open(embedder=HashEmbedder(64))
    report = index.rebuild() if change == "rebuild" else index.update()
    assert (report.files_resumed, report.files_parsed) == (0, 40)
    assert index.status().dimension == (64 if change == "embedder" else 32)
    index.verify()
    index.close()


def test_a_damaged_staged_segment_is_read_again(tree):
    index = tree.open()
    stop(index, 30)
    (segment,) = (index.folder / "segments").iterdir()
    (segment / "columns.bin").write_bytes(b"")
    report, _ = update(index)
    assert (report.files_resumed, report.files_parsed) == (0, 40)
    assert report.repaired
    assert_like_fresh(tree, index)


def test_an_error_keeps_what_the_last_checkpoint_had(tree, monkeypatch):
    """Checkpoints come with a full memory or with time; here after every tenth file."""
    seen = []
    real = InlinePool.analyse

    def analyse(self, paths, cancel=None):
        for number, result in enumerate(sorted(real(self, paths, cancel), key=lambda r: r.path)):
            if number == 35 and not seen:
                seen.append(number)
                raise OSError(28, "No space left on device")
            yield result

    monkeypatch.setattr(InlinePool, "analyse", analyse)
    monkeypatch.setattr("indexer.staging._MOST_HELD", 60)
    index = tree.open()
    with pytest.raises(StorageError, match="disk is full"):
        index.update()
    report = index.update()
    assert 10 <= report.files_resumed < 36
    assert report.files_resumed + report.files_parsed == 40
    assert_like_fresh(tree, index)


def test_paused_work_is_on_the_disk_and_goes_on(tree):
    index = tree.open()
    control = Control()
    paused = threading.Event()
    seen, log = progress_log()

    def watch(progress):
        log(progress)
        if progress.stage == "parse" and progress.files_done == 12:
            control.pause()
        if progress.stage == "paused":
            paused.set()

    reports = []
    thread = threading.Thread(target=lambda: reports.append(index.update(watch, control)))
    thread.start()
    assert paused.wait(30)
    assert control.paused
    assert len(list((index.folder / "segments").iterdir())) == 1
    control.resume()
    thread.join(30)
    assert reports[0].files_parsed == 40
    assert [p.files_done for p in seen if p.stage == "paused"] == [13]
    assert_like_fresh(tree, index)


def test_a_paused_update_can_be_cancelled(tree):
    index = tree.open()
    control = Control()

    def watch(progress):
        if progress.stage == "parse" and progress.files_done == 12:
            control.pause()
        if progress.stage == "paused":
            control.cancel()

    with pytest.raises(CancelledError, match="cancelled"):
        index.update(watch, control)
    assert update(index)[0].files_resumed == 13
