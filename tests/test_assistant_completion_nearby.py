"""Definitions and similar code for a cursor: which, in what order, and that typing changes nothing."""

from __future__ import annotations

from assistant.completion.nearby import for_completion
from assistant.completion.window import window
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex

COUNT = FakeLLM().count
FILES = {
    "shop/models.py": (
        "class Basket:\n"
        '    """What a customer wants to buy."""\n\n'
        "    def add_item(self, item, amount=1):\n        self.items[item] = amount\n"
    ),
    "shop/prices.py": "def net_price(item, country):\n    return item.price / (1 + VAT[country])\n",
    "old/prices.py": "def net_price(item):\n    return item.price\n",
    "shop/checkout.py": (
        "from shop.models import Basket\nfrom .prices import net_price\n\n\n"
        "def check_out(basket: Basket, country):\n"
        "    total = 0\n"
        "    for item in basket.items:\n"
        "        total += net_price(item, country)\n"
        "    return total\n"
    ),
}
PATH = "shop/checkout.py"
CUT = FILES[PATH].index("net_price(item, c")


def snippets(prefix: str, suffix: str, budget: int = 500, files: dict[str, str] = FILES, path: str = PATH):
    view = window(prefix, suffix, 500, 200, COUNT)
    return for_completion(SmallIndex(files), path, prefix, suffix, view, budget, COUNT)


def test_definitions_of_the_names_near_the_cursor_are_found():
    found = snippets(FILES[PATH][:CUT], FILES[PATH][CUT:])
    assert {near.snippet.path for near in found} >= {"shop/models.py", "shop/prices.py"}
    (basket,) = [near for near in found if near.snippet.path == "shop/models.py"]
    assert basket.snippet.text == FILES["shop/models.py"].rstrip()
    assert str(basket) == "shop/models.py:1-5"


def test_an_import_decides_between_definitions_of_one_name():
    assert "old/prices.py" not in {near.snippet.path for near in snippets(FILES[PATH][:CUT], FILES[PATH][CUT:])[-2:]}
    head = "from old.prices import net_price\n\n\ndef f(item):\n    value = net_price(item)\n    "
    found = snippets(head, "\n", path="shop/new.py")
    assert found[-1].snippet.path == "old/prices.py"


def test_typing_on_the_line_changes_nothing():
    before = FILES[PATH][:CUT]
    first = snippets(before, FILES[PATH][CUT:])
    for typed in ("n", "ne", "net_price(it", "Basket.add_item("):
        assert snippets(before + typed, FILES[PATH][CUT:]) == first


def test_the_budget_holds():
    whole = snippets(FILES[PATH][:CUT], FILES[PATH][CUT:])
    for budget in (0, 20, 45, 80):
        found = snippets(FILES[PATH][:CUT], FILES[PATH][CUT:], budget)
        assert sum(COUNT([f"{n.snippet.path}\n{n.snippet.text}\n" for n in found])) <= budget
        assert {n.snippet.path for n in found} <= {n.snippet.path for n in whole}
    assert snippets(FILES[PATH][:CUT], FILES[PATH][CUT:], 0) == ()


def test_what_the_window_shows_already_is_left_out():
    text = FILES["shop/prices.py"] + "\n\ndef gross(item):\n    value = net_price(item, 'de')\n    "
    found = snippets(text, "\n", path="shop/prices.py")
    assert all("VAT[country]" not in near.snippet.text for near in found)


def test_a_name_that_everything_defines_says_nothing():
    many = {f"m{n}.py": "def run(self):\n    return start_everything_now()\n" for n in range(9)}
    found = snippets("def f(job):\n    run(job)\n    ", "\n", files=many | {"x.py": ""}, path="x.py")
    assert [near for near in found if "start_everything_now" in near.snippet.text][:-1] == []


def test_similar_code_of_other_files_comes_first_and_own_code_never():
    files = {
        "a.py": "def first(rows):\n    total = sum(rows)\n    mean = total / len(rows)\n    return mean\n",
        "b.py": "",
    }
    prefix = "def second(rows):\n    total = sum(rows)\n    mean = "
    (near,) = snippets(prefix, "\n", files=files, path="b.py")
    assert near.snippet.path == "a.py"
    assert snippets(prefix, "\n", files=files, path="a.py") == ()


def test_relative_and_quoted_imports_point_at_files():
    files = {
        "web/util/dates.js": "function parseDate(text) {}\n",
        "lib/dates.js": "",
        "web/page.js": "",
    }
    index = SmallIndex(files)
    span = index.file_symbols("web/util/dates.js")
    assert span == []  # the fake knows Python only; the import parser is what is tested below
    from assistant.completion.nearby import _imports, _module_parts, _points_at

    lines = [
        'import { parseDate } from "./util/dates";',
        "const x = require('../lib/dates')",
        '#include "core/engine.h"',
        "use crate::core::engine;",
        "from ..pkg import name",
    ]
    assert _imports(lines) == {"./util/dates", "../lib/dates", "core/engine.h", "crate::core::engine", "..pkg"}
    assert _points_at(_module_parts("./util/dates", "web/page.js"), "web/util/dates.js")
    assert not _points_at(_module_parts("./util/dates", "web/page.js"), "lib/dates.js")
    assert _points_at(_module_parts("../lib/dates", "web/page.js"), "lib/dates.js")
    assert _points_at(_module_parts("core/engine.h", "a.c"), "src/core/engine.c")
    assert _points_at(_module_parts("..pkg", "a/b/c.py"), "a/pkg/__init__.py")
    assert _points_at(_module_parts("scrapy.http", "x.py"), "scrapy/http/request/__init__.py")
