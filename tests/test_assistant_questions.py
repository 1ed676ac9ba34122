"""Questions that name files, folders, definitions, the repository; with pastes, in other languages, about nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.chat import AskSettings, ChatSession, Delta
from assistant.conversation import new_conversation
from assistant.planning import Plan, Planner
from benchmarks.questions import is_right, read_set, root_of
from indexer.config import IndexConfig
from indexer.index import Index
from indexer.reports import Skipped
from tests.fakes import FakeLLM
from tests.small_index import SmallIndex

STORE = (
    "class SessionStore:\n"
    "    def purge_expired(self):\n"
    '        """Remove sessions that are too old."""\n'
    "        self.graph_ql_view = None\n"
)
FILES = {
    "README.md": "# Shop\nSells things.\n",
    "package.json": '{"name": "shop"}\n',
    "docs/README.md": "How to write documents.\n",
    "shop/__init__.py": "",
    "shop/session_store.py": STORE,
    "shop/utils.py": "def slug(title):\n    return title.lower()\n",
    "billing/utils.py": "def round_cents(amount):\n    return amount\n",
    "web/response.js": "export function send() {}\n",
    "web/adapters/http.py": "def fetch(url):\n    return url\n",
}
TRACEBACK = "Traceback (most recent call last):\n" + "".join(
    f'  File "/srv/site{n}.py", line {n}, in call_{n}\n    return call_{n + 1}()\n' for n in range(60)
)


def plan(question: str, files: dict[str, str] = FILES, **changes) -> Plan:
    index = SmallIndex(files)
    index.unread = changes.pop("unread", [])
    return Planner(index, FakeLLM(), 12, 1000, 320).plan(new_conversation(), question, None, None)


def paths(question: str, files: dict[str, str] = FILES) -> list[str]:
    return [source.path for source in plan(question, files).sources]


@pytest.mark.parametrize("question, path", [
    ("What is in the README?", "README.md"),
    ("Explain shop/utils.py", "shop/utils.py"),
    ("What does .\\shop\\utils.py do?", "shop/utils.py"),
    ("What does Session_Store.py do?", "shop/session_store.py"),
    ("What does http do?", "web/adapters/http.py"),
    ("Explain response.ts", "web/response.js"),
    ("What does the file slug/../session_store do?", "shop/session_store.py"),
    ("Was steht in der Datei http.py?", "web/adapters/http.py"),
    ("解释一下http.py文件", "web/adapters/http.py"),
    ("What does sesion_store.py do?", "shop/session_store.py"),
])  # fmt: skip
def test_a_named_file_is_the_first_source(question, path):
    assert paths(question)[:1] == [path]


def test_of_files_with_one_name_the_one_that_fits_comes_first_and_the_others_are_said():
    found = plan("What does utils.py do with the slug?")
    assert [source.path for source in found.sources][:2] == ["shop/utils.py", "billing/utils.py"]
    assert "2 places are named `utils.py`" in found.turn.opening
    assert "`billing/utils.py`" in found.turn.opening
    assert plan("What is in the README?").sources[0].path == "README.md", "nearest to the root"


def test_a_path_with_its_folder_is_not_ambiguous():
    found = plan("What does billing/utils.py do?")
    assert (found.sources[0].path, found.turn.opening) == ("billing/utils.py", "")


@pytest.mark.parametrize("question", [
    "What does this project do?", "What is this repository about?", "Give me an overview of the codebase",
    "Was macht dieses Projekt?", "Que fait ce projet ?", "这个项目是做什么的？", "このプロジェクトは何ですか",
    "Что делает этот проект?",
])  # fmt: skip
def test_the_project_rests_on_readme_and_manifest(question):
    assert paths(question)[:2] == ["README.md", "package.json"]


@pytest.mark.parametrize("question", [
    "What is in the folder shop?", "What is in shop/?", "What does the shop package contain?",
    "Was ist im Ordner shop?",
])  # fmt: skip
def test_a_named_folder_gives_its_main_files_and_their_list(question):
    found = plan(question)
    assert {"shop/session_store.py", "shop/utils.py"} <= {source.path for source in found.sources}
    assert "The folder shop/ has 3 files: __init__.py, session_store.py, utils.py" in found.turn.facts


@pytest.mark.parametrize("question", [
    "What does SessionStore do?", "What does SessionStore.purge_expired do?", "Explain purge_expired()",
    "What does `purge_expired` do?", "purge_expired 是做什么的？", "SessionStore类如何删除过期会话？",
    "SessionStore はどこで定義されていますか", "Wo werden abgelaufene Sessions entfernt?",
    "Où sont supprimées les sessions expirées ?", "Где удаляются старые sessions?",
    "过期的会话在哪里被删除？", "¿Dónde se eliminan las sesiones caducadas?",
    "期限切れのセッションはどこで削除されますか",
])  # fmt: skip
def test_a_named_symbol_is_a_source_in_any_language(question):
    assert "shop/session_store.py" in paths(question)
    assert plan(question).turn.opening == ""


@pytest.mark.parametrize("text", [
    TRACEBACK + "Which function removes expired sessions?",
    "Which function removes expired sessions?\n" + TRACEBACK + "RuntimeError: gone",
    "KeyError: 42\nWhich function removes expired sessions?",
    TRACEBACK + '  File "/srv/app/shop/session_store.py", line 4, in purge_expired\nKeyError: 7\nWhy?',
    'Why?\n  File "C:\\work\\shop\\session_store.py", line 4, in purge_expired\nKeyError: 7',
])  # fmt: skip
def test_a_paste_hides_neither_the_question_nor_its_own_frames(text):
    found = plan(text)
    assert "shop/session_store.py" in {source.path for source in found.sources}


def test_a_frame_of_a_library_is_not_a_file_of_the_same_name():
    text = (
        'Traceback:\n  File "/opt/venv/lib/python3.12/site-packages/aio/utils.py", line 2, in run\nValueError: 3\nWhy?'
    )
    assert not any(source.path.endswith("utils.py") for source in plan(text).sources)


def test_the_prompt_has_the_end_of_a_long_paste_and_the_question():
    from assistant.prompts import messages

    question = "Which function removes sessions?\n" + TRACEBACK * 20 + "RuntimeError: gone"
    found = plan(question)
    prompt = messages(found.before, found.turn)[-1].content
    assert prompt.rstrip().endswith("Question: Which function removes sessions?")
    assert "RuntimeError: gone" in prompt
    assert "call_59" in prompt
    assert len(prompt) < 6_000
    assert found.turn.question == question, "what was typed is kept as it is"


@pytest.mark.parametrize("question, name", [
    ("How does the GraphQL endpoint work?", "GraphQL"), ("Where is RedisCache used?", "RedisCache"),
    ("What does parse_toml do?", "parse_toml"), ("How is `kafka` configured?", "kafka"),
    ("Where is Kubernetes used?", "Kubernetes"), ("Was macht die Klasse RedisCache?", "RedisCache"),
    ("RedisCache 是做什么的？", "RedisCache"), ("What does SessionStore.frobnicate do?", "frobnicate"),
    ('What does "frobnicate" do?', "frobnicate"), ("Explain frobnicate()", "frobnicate"),
])  # fmt: skip
def test_a_name_that_is_nowhere_is_said_first(question, name):
    files = {path: text.replace("graph_ql_view", "view") for path, text in FILES.items()}
    found = plan(question, files)
    assert found.turn.opening == f"`{name}` occurs nowhere in this repository (9 files)."
    assert not found.relevant, "a model could only invent"


def test_another_spelling_of_a_name_is_said():
    assert plan("How does GraphQL work?").turn.opening == (
        "`GraphQL` occurs nowhere in this repository (9 files), but `graph_ql_view` does."
    )
    found = plan("What does PurgeExpired do?")
    assert "but `purge_expired` does" in found.turn.opening
    assert "shop/session_store.py" in {source.path for source in found.sources}


@pytest.mark.parametrize("question", [
    "Is this written in Python or Java?", "Please explain how Sessions are removed.", "Why? Because Null is written.",
    "Wie liest das Programm eine Datei und welche Funktionen gibt es?", "Does it work on Windows and Linux in English?",
    "Which API does the CLI have, and what is its URL?", "Can I use it on Monday?", "How does Slug work?",
    "Quelle est la Fonction de ce Fichier ?", "What is HTTP here?", "Hello! What can you do, please?",
])  # fmt: skip
def test_ordinary_words_are_no_missing_names(question):
    assert "nowhere" not in plan(question).turn.opening


def test_a_missing_file_is_said_and_what_was_not_looked_at():
    unread = [Skipped("logo.png", "Binary file."), Skipped("big.sql", "Larger than 1 MB.")]
    found = plan("What does payments.py do?")
    assert found.turn.opening == "There is no file `payments.py` in this repository (9 files)."
    found = plan("What is in logo.png?", unread=unread)
    assert "`logo.png` is not in the index: Binary file." in found.turn.opening
    assert "2 files were not looked at" in plan("What does RedisCache do?", unread=unread).turn.opening


def test_the_answer_begins_with_what_is_nowhere_before_the_model_speaks():
    llm = FakeLLM(["The endpoint is here [1]."])
    chat = ChatSession(SmallIndex(FILES), llm, AskSettings())
    _, first, *_, done = chat.ask("How does the RedisCache slug its titles in utils.py?")
    assert isinstance(first, Delta)
    assert first.text.startswith("`RedisCache` occurs nowhere in this repository (9 files).")
    assert done.answer.startswith(first.text)
    assert done.answer.endswith("].")
    assert chat.turns[-1].generated == "The endpoint is here [1]."
    assert "`RedisCache` does not exist" in llm.calls[0][0][-1].content


def test_the_model_is_not_asked_about_nothing_but_a_name_that_is_nowhere():
    llm = FakeLLM([])
    chat = ChatSession(SmallIndex(FILES), llm, AskSettings())
    *_, done = chat.ask("Explain the class PaymentGateway")
    assert (done.answer, done.model) == ("`PaymentGateway` occurs nowhere in this repository (9 files).", "")
    assert llm.calls == []


def test_the_model_is_not_asked_how_a_missing_name_does_something_that_is_there():
    llm = FakeLLM([])
    chat = ChatSession(SmallIndex(FILES), llm, AskSettings())
    *_, done = chat.ask("How does RedisCache remove old sessions?")
    said = "`RedisCache` occurs nowhere in this repository (9 files)."
    assert done.answer == f"{said}\n\nThe sources are what is nearest to the rest of the question."
    assert [source.path for source in done.sources] == ["shop/session_store.py"]
    assert llm.calls == []


@pytest.mark.slow
@pytest.mark.parametrize("tree", ["garden", "shop"])
def test_the_questions_about_the_small_repositories(tree, tmp_path: Path):
    root = root_of(tree, None)
    assert root is not None
    questions = [question for question in read_set() if question.tree == tree]
    assert len(questions) > 10
    with Index.open(root, IndexConfig(cache_dir=tmp_path), create=True) as index:
        index.update()
        planner = Planner(index, FakeLLM(), 12, 1000, 320)
        plans = [(q, planner.plan(new_conversation(), q.ask, None, None)) for q in questions]
    assert [q.ask for q, found in plans if not is_right(q, found)] == []


@pytest.mark.parametrize("question, path", [
    ("What does res.json do?", "lib/response.py"), ("What does request.text return?", "lib/response.py"),
])  # fmt: skip
def test_a_member_whose_name_looks_like_an_extension_is_no_file(question, path):
    files = {
        "lib/response.py": "class res:\n    def json(self):\n        pass\n\n\n"
        "class request:\n    def text(self):\n        pass\n",
        "test/res.send.js": "res.send()\n",
        "test/res.js": "run()\n",
    }
    found = plan(question, files)
    assert found.sources[0].path == path
    assert found.turn.opening == ""
