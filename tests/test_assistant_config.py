from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from assistant import config
from assistant.config import REPOSITORY_KEYS, find_setting, from_text, load_config, resolve, settings
from assistant.config_file import set_value, unset
from indexer.config import IndexConfig
from indexer.errors import BadInputError, StorageError, UnknownSettingError

DOCUMENT = Path(__file__).parent.parent / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def user_file(tmp_path, monkeypatch):
    monkeypatch.setenv("CODEMOAT_CONFIG_DIR", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    return tmp_path / "user" / "config.toml"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def test_later_sources_win_and_are_named(root, user_file):
    user_file.write_text("[ask]\nhits = 2\nanswer_tokens = 100\n[index]\nchunk_bytes = 900\nworkers = 2\n")
    (root / ".codemoat.toml").write_text("ask.hits = 3\nask.answer_tokens = 200\nindex.chunk_bytes = 1000\n")
    environ = {"CODEMOAT_ASK_HITS": "4", "CODEMOAT_ASK_ANSWER_TOKENS": "300", "CODEMOAT_INDEX_EXCLUDE": "a/,*.min.js"}
    found = resolve(root, {"ask": {"hits": 5}}, environ)
    assert (found.config.ask.hits, found.origins["ask.hits"]) == (5, "option")
    assert found.config.ask.answer_tokens == 300
    assert found.origins["ask.answer_tokens"] == "environment variable CODEMOAT_ASK_ANSWER_TOKENS"
    assert (found.config.index.chunk_bytes, found.origins["index.chunk_bytes"]) == (1000, str(root / ".codemoat.toml"))
    assert (found.config.index.workers, found.origins["index.workers"]) == (2, str(user_file))
    assert found.config.index.exclude == ("a/", "*.min.js")
    assert (found.config.model.threads, found.origins["model.threads"]) == (0, "default")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[index]\nworkrs = 1\n", "index.workers"),
        ("[model]\nexclude = []\n", "index.exclude"),
        ("worker = 1\n", "index.workers"),
        ("[ask]\nanswer-tokens = 1\n", "ask.answer_tokens"),
    ],
)
def test_unknown_key_names_file_key_and_nearest(user_file, text, near):
    user_file.write_text(text)
    with pytest.raises(UnknownSettingError) as caught:
        load_config(None)
    assert str(user_file) in caught.value.message
    assert near in caught.value.hint


def test_unknown_variable_is_an_error_but_others_are_not_ours():
    with pytest.raises(UnknownSettingError, match="CODEMOAT_MODEL_NAMES") as caught:
        resolve(None, environ={"CODEMOAT_MODEL_NAMES": "x"})
    assert '"model.name"' in caught.value.hint
    assert resolve(None, environ={"CODEMOAT_CACHE_DIR": "/x", "CODEMOAT_ASK_HITS": ""}).config == config.Config()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[index]\nworkers = "many"\n', '"index.workers" must be a whole number from 0 to 64, not "many"'),
        ("[index]\nworkers = 65\n", "from 0 to 64, not 65"),
        ("[index]\nworkers = true\n", "not true"),
        ("[index]\nexclude = [1]\n", '"index.exclude" must be a list of texts, not [1]'),
        ("[index]\nparse_deadline = nan\n", '"index.parse_deadline" must be a number'),
        ("[index]\nin_repository = 1\n", '"index.in_repository" must be true or false, not 1'),
        ("[ask]\nhits = 1979-05-27\n", '"ask.hits" must be a whole number'),
        ("[ask.hits]\na = 1\n", '"ask.hits" must be a whole number'),
        ("index = 1\n", 'There is no setting "index"'),
    ],
)
def test_wrong_value_is_one_clear_sentence(user_file, text, sentence):
    user_file.write_text(text)
    with pytest.raises(UnknownSettingError) as caught:
        load_config(None)
    assert sentence in caught.value.message
    assert str(user_file) in caught.value.message
    assert "\n" not in caught.value.message


def test_broken_files(user_file):
    for content, sentence in (
        (b"[index\n", "not valid TOML"),
        (b"a = '\xff'", "not UTF-8"),
        (b"a=" + b"[" * 9999, "TOML"),
    ):
        user_file.write_bytes(content)
        with pytest.raises(BadInputError, match=sentence):
            load_config(None)
    user_file.unlink()
    os.mkfifo(user_file)
    with pytest.raises(BadInputError, match="not a regular file"):
        load_config(None)


def test_unreadable_file(user_file, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(user_file))

    user_file.write_text("")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(StorageError, match="No permission"):
        load_config(None)


@pytest.mark.parametrize("key", sorted(set(settings()) - REPOSITORY_KEYS))
def test_repository_may_not_set(root, key):
    value = config.Config()
    for part in key.split("."):
        value = getattr(value, part)
    shown = f'"{value}x"' if isinstance(value, str) else config.msgspec.json.encode(value).decode()
    (root / ".codemoat.toml").write_text(f"{key} = {shown}\n")
    with pytest.raises(UnknownSettingError, match=f'A repository may not set "{key}"'):
        load_config(root)


def test_repository_keys_name_nothing_that_runs_or_points():
    forbidden = {"index.embedder", "index.cache_dir", "index.in_repository", "index.workers"}
    assert not REPOSITORY_KEYS & forbidden
    assert not any(key.startswith("model.") for key in REPOSITORY_KEYS)
    assert set(settings()) >= REPOSITORY_KEYS


def test_repository_file_may_be_no_link_and_not_large(root, tmp_path):
    target = tmp_path / "secret.toml"
    target.write_text("ask.hits = 3\n")
    (root / ".codemoat.toml").symlink_to(target)
    with pytest.raises(BadInputError, match="no link"):
        load_config(root)
    (root / ".codemoat.toml").unlink()
    (root / ".codemoat.toml").write_text("#" * 70_000)
    with pytest.raises(BadInputError, match="64 KiB"):
        load_config(root)


def test_shares_are_at_most_the_whole():
    with pytest.raises(UnknownSettingError, match="more than 1"):
        load_config(None, {"complete.prefix_share": 0.9})


def test_text_values():
    exclude = find_setting("index.exclude", "here")
    assert from_text(exclude, '["a,b", "c"]', "here") == ("a,b", "c")
    assert from_text(exclude, "a,c", "here") == ("a", "c")
    assert from_text(find_setting("index.in_repository", "here"), "Yes", "here") is True
    with pytest.raises(UnknownSettingError, match="list of texts"):
        from_text(exclude, "[1", "here")


def test_index_config_carries_every_setting():
    found = load_config(None, {"index.cache_dir": "~/x", "index.workers": 3}).index_config()
    assert found == IndexConfig(cache_dir=Path.home() / "x", workers=3)
    assert {f.name for f in fields(IndexConfig)} == set(config.IndexSection.__struct_fields__)
    assert load_config(None).index_config() == IndexConfig()


def test_sections_match_the_rooms_they_configure():
    from assistant.chat import AskSettings
    from assistant.completion.request import CompletionSettings

    for section, target in ((config.AskSection(), AskSettings()), (config.CompleteSection(), CompletionSettings())):
        ours = {name: getattr(section, name) for name in section.__struct_fields__}
        assert ours == {f.name: getattr(target, f.name) for f in fields(target)}


def test_every_setting_is_documented_as_it_is():
    lines = DOCUMENT.read_text().splitlines()
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `") and "." in line.split("`")[1]}
    assert set(rows) == set(settings())
    for key, setting in settings().items():
        assert setting.description
        assert setting.description in rows[key]
        assert setting.expected in rows[key]
        default = list(setting.default) if isinstance(setting.default, tuple) else setting.default
        assert f"`{config.msgspec.json.encode(default).decode()}`" in rows[key]
        assert ("**R**" in rows[key]) == (key in REPOSITORY_KEYS)


def test_writing_keeps_comments_order_and_mode(user_file):
    user_file.write_text("# mine\n[model]\nthreads = 2 # two\n\n[index]\nworkers = 1\n")
    user_file.chmod(0o600)
    set_value(user_file, settings()["model.threads"], 4)
    set_value(user_file, settings()["index.exclude"], ("a", "b"))
    assert user_file.read_text() == (
        '# mine\n[model]\nthreads = 4 # two\n\n[index]\nworkers = 1\nexclude = ["a", "b"]\n'
    )
    assert user_file.stat().st_mode & 0o777 == 0o600
    unset(user_file, settings()["index.workers"])
    found = load_config(None)
    assert (found.model.threads, found.index.workers, found.index.exclude) == (4, 0, ("a", "b"))
    assert [p.name for p in user_file.parent.iterdir()] == ["config.toml"]


def test_writing_makes_the_folder_and_follows_a_link(tmp_path):
    real, link = tmp_path / "dotfiles" / "real.toml", tmp_path / "link.toml"
    link.symlink_to(real)
    set_value(link, settings()["ask.hits"], 7)
    assert link.is_symlink()
    assert real.read_text() == "[ask]\nhits = 7\n"


def test_writing_refuses_what_it_would_break(user_file, root):
    user_file.write_text("ask = 1\n")
    with pytest.raises(BadInputError, match='no table "ask"'):
        set_value(user_file, settings()["ask.hits"], 7)
    user_file.write_text("[ask\n")
    with pytest.raises(BadInputError, match="not valid TOML"):
        set_value(user_file, settings()["ask.hits"], 7)
    assert user_file.read_text() == "[ask\n"
    with pytest.raises(UnknownSettingError, match="may not set"):
        set_value(root / ".codemoat.toml", settings()["model.name"], "x")


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_repositorys_settings_are_not_written_through_a_link(root, tmp_path, there):
    outside, link, setting = tmp_path / "outside.toml", root / ".codemoat.toml", settings()["index.exclude"]
    if there:
        outside.write_text('[index]\nexclude = ["kept"]\n')
    link.symlink_to(outside)
    for write in (lambda: set_value(link, setting, ("x",)), lambda: unset(link, setting)):
        with pytest.raises(BadInputError, match="no link"):
            write()
    assert link.is_symlink()
    assert outside.exists() == there
    assert not there or outside.read_text() == '[index]\nexclude = ["kept"]\n'


def test_failed_write_leaves_the_file_and_nothing_else(user_file, monkeypatch):
    user_file.write_text("[ask]\nhits = 1\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        set_value(user_file, settings()["ask.hits"], 7)
    assert user_file.read_text() == "[ask]\nhits = 1\n"
    assert [p.name for p in user_file.parent.iterdir()] == ["config.toml"]


def test_an_address_that_is_none_is_found_early(user_file):
    user_file.write_text('[model]\nurl = "localhost:8080"\n')
    with pytest.raises(BadInputError, match="no address of a model server"):
        load_config(None)


def test_a_key_comes_from_the_environment_and_is_never_shown(user_file):
    found = resolve(None, environ={"CODEMOAT_MODEL_URL": "http://127.0.0.1:1", "CODEMOAT_MODEL_API_KEY": "s3cret"})
    assert found.config.model.endpoint.key == "s3cret"
    assert "s3cret" not in str(found.origins)
    user_file.write_text("[model]\napi_key = 424242\n")
    with pytest.raises(UnknownSettingError) as caught:
        load_config(None)
    assert "424242" not in caught.value.message
    user_file.write_text("")
    set_value(user_file, settings()["model.api_key"], "s3cret")
    assert user_file.stat().st_mode & 0o777 == 0o600
    assert load_config(None).model.endpoint is None
