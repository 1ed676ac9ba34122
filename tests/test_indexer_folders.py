from __future__ import annotations

import pytest

from indexer.folders import folders_near

KNOWN = {".", "a", "a/b", "c"}


@pytest.mark.parametrize(
    ("paths", "near"),
    [
        (["a/x.py"], {"a/x.py", "a"}),
        (["x.py"], {"x.py", "."}),
        (["a/b/x.py", "c/y.py"], {"a/b/x.py", "a/b", "c/y.py", "c"}),
        (["a/new/deep/x.py"], {"a/new/deep/x.py", "a/new/deep", "a/new", "a"}),
        (["new/deep/x.py"], {"new/deep/x.py", "new/deep", "new", "."}),
        (["a/b"], {"a/b", "a"}),
        (["c"], {"c", "."}),
    ],
)
def test_a_change_moves_the_times_of_the_folders_around_it(paths, near):
    assert folders_near(paths, KNOWN) == near
