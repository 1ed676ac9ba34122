"""Settings, merged once: defaults < the user's file < the repository's file < environment < options.

The user's file is ``config.toml`` in ``indexer.location.config_dir()``; a repository's is ``.codemoat.toml`` in its
root; the environment variable of ``index.workers`` is ``CODEMOAT_INDEX_WORKERS``. A repository's file comes with code
that may not be trusted, so it may only set ``REPOSITORY_KEYS``: nothing that names a path, a model or a download, or
that decides how much of the machine is used.

msgspec, not pydantic: ``codemoat search`` pays for this import.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import msgspec
from msgspec import Meta

from assistant.editor_section import EditorSection
from assistant.toml import check_repository_file, parse_toml, read_toml
from indexer.config import IndexConfig
from indexer.decoders import convert
from indexer.errors import UnknownSettingError
from indexer.location import config_dir

if TYPE_CHECKING:
    from assistant.remote.endpoint import Endpoint

REPOSITORY_FILE = ".codemoat.toml"
_PREFIX = "CODEMOAT_"


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the settings files."""


class IndexSection(_Section, frozen=True):
    """What is indexed, and how."""

    max_file_bytes: Annotated[
        int, Meta(ge=1_000, le=100_000_000, description="Bytes. Larger files are skipped and reported.")
    ] = 1_000_000
    chunk_bytes: Annotated[
        int,
        Meta(ge=200, le=20_000, description="Bytes. Target size of a chunk; definitions up to twice this stay whole."),
    ] = 1_500
    workers: Annotated[int, Meta(ge=0, le=64, description="Parse processes; 0 means one for each core, at most 8.")] = 0
    parse_deadline: Annotated[
        float, Meta(ge=0.1, le=600, description="Seconds. A file whose parse takes longer is taken by lines.")
    ] = 5.0
    embedder: Annotated[
        str,
        Meta(
            min_length=1,
            description='"static" (shipped), a sentence-transformers model by name or folder, or an ONNX folder.',
        ),
    ] = "static"
    in_repository: Annotated[
        bool, Meta(description="Keep the index in `.codemoat/` inside the indexed folder, not in the cache folder.")
    ] = False
    cache_dir: Annotated[
        str, Meta(description="Folder that holds the indexes; empty means the user's cache folder.")
    ] = ""
    exclude: Annotated[
        tuple[Annotated[str, Meta(max_length=1_000)], ...],
        Meta(
            max_length=1_000, description="Patterns in .gitignore syntax, relative to the root, of files to leave out."
        ),
    ] = ()
    include: Annotated[
        tuple[Annotated[str, Meta(max_length=1_000)], ...],
        Meta(
            max_length=1_000,
            description="Folders, relative to the root, that alone are indexed: parts of a monorepo. Empty means all.",
        ),
    ] = ()
    background: Annotated[
        bool, Meta(description="Index at the lowest priority, giving way to everything else that wants the processor.")
    ] = False


class ModelSection(_Section, frozen=True):
    """The language model and how it runs."""

    name: Annotated[
        str,
        Meta(min_length=1, description="Name of a model in the catalogue (`codemoat models list`), or a GGUF file."),
    ] = "qwen2.5-coder-0.5b"
    context_tokens: Annotated[
        int,
        Meta(ge=512, le=1_048_576, description="Tokens. Size of each of the two contexts, prompt and answer together."),
    ] = 8_192
    threads: Annotated[int, Meta(ge=0, le=256, description="Threads that compute; 0 leaves room for the editor.")] = 0
    gpu_layers: Annotated[
        int, Meta(ge=-1, le=1_000, description="Layers kept on a GPU, where llama.cpp was built for one; -1 means all.")
    ] = 0
    flash_attention: Annotated[bool, Meta(description="Flash attention where faster: GPUs, or as measured.")] = True
    tuned: Annotated[
        bool, Meta(description="Run the model the way that `codemoat models tune` found best, where it was run.")
    ] = True
    idle_seconds: Annotated[
        int, Meta(ge=1, le=604_800, description="Seconds without a request after which the model host leaves.")
    ] = 900
    url: Annotated[
        str,
        Meta(description="Address of a model server that runs already (docs/models.md), used in place of model.name."),
    ] = ""
    remote_name: Annotated[str, Meta(description="Which of that server's models; empty where it has only one.")] = ""
    api_key: Annotated[
        str, Meta(description="Key that the server wants; better set in the environment. Never shown.")
    ] = ""
    fill_by_chat: Annotated[
        bool,
        Meta(description="Let a model that can only chat complete code too: slower and worse than one made for it."),
    ] = True

    @property
    def endpoint(self) -> Endpoint | None:
        """The server at ``url``, None without one. Raises BadInputError if that is no address."""
        if not self.url:
            return None
        from assistant.remote.endpoint import Endpoint

        return Endpoint.parse(self.url, self.remote_name, self.api_key)


class AskSection(_Section, frozen=True):
    """How questions are answered; ``assistant.chat.AskSettings``."""

    hits: Annotated[int, Meta(ge=1, le=100, description="Chunks that are looked at for a question.")] = 12
    snippet_tokens: Annotated[
        int,
        Meta(
            ge=64,
            le=32_768,
            description="Tokens. Code that a question is sent with; on two cores 1,000 take 5 to 7 s to read.",
        ),
    ] = 1_000
    answer_tokens: Annotated[int, Meta(ge=16, le=8_192, description="Tokens. Longest answer.")] = 320
    temperature: Annotated[
        float, Meta(ge=0, le=2, description="Randomness of the answer; 0 gives the same answer each time.")
    ] = 0.0


class ChatSection(_Section, frozen=True):
    """Conversations."""

    save: Annotated[bool, Meta(description="Keep conversations in the data folder, to go on with them later.")] = True


class CompleteSection(_Section, frozen=True):
    """How code is completed; ``assistant.completion.request.CompletionSettings``."""

    prompt_tokens: Annotated[
        int, Meta(ge=64, le=32_768, description="Tokens. Whole prompt: text around the cursor and other files.")
    ] = 1_200
    prefix_share: Annotated[float, Meta(ge=0, le=1, description="Part of the prompt for text before the cursor.")] = 0.6
    suffix_share: Annotated[float, Meta(ge=0, le=1, description="Part of the prompt for text after the cursor.")] = 0.15
    context_share: Annotated[float, Meta(ge=0, le=1, description="Part of the prompt for other files.")] = 0.25
    max_tokens: Annotated[
        int, Meta(ge=1, le=1_024, description="Tokens. Longest completion; one line gets at most 64 of them.")
    ] = 160
    multiline: Annotated[bool, Meta(description="Whether an empty line that waits for a block gets several lines.")] = (
        True
    )


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, merged."""

    index: IndexSection = IndexSection()
    model: ModelSection = ModelSection()
    ask: AskSection = AskSection()
    chat: ChatSection = ChatSection()
    complete: CompleteSection = CompleteSection()
    editor: EditorSection = EditorSection()

    def index_config(self) -> IndexConfig:
        """The ``index`` section as the indexer takes it."""
        values = {name: getattr(self.index, name) for name in self.index.__struct_fields__}
        folder = values.pop("cache_dir")
        # Unlike pathlib's, this never raises.
        return IndexConfig(**values, cache_dir=Path(os.path.expanduser(folder)) if folder else None)  # noqa: PTH111


REPOSITORY_KEYS = frozenset(
    {
        "index.max_file_bytes",
        "index.chunk_bytes",
        "index.exclude",
        "index.include",
        *(f"ask.{name}" for name in AskSection.__struct_fields__),
        *(f"complete.{name}" for name in CompleteSection.__struct_fields__),
    }
)
"""What a repository's own file may set."""

SECRET_KEYS = frozenset({"model.api_key"})
"""What is never shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its msgspec type, default value and documentation."""

    key: str
    type: Any
    default: object
    description: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return _PREFIX + self.key.replace(".", "_").upper()

    @property
    def secret(self) -> bool:
        """Whether its value is never shown."""
        return self.key in SECRET_KEYS

    @property
    def expected(self) -> str:
        """What a value must be, as a phrase: ``a whole number from 0 to 64``."""
        base, meta = _unwrap(self.type)
        if base is bool:
            return "true or false"
        if base in (int, float):
            kind = "a whole number" if base is int else "a number"
            return f"{kind} from {meta.ge} to {meta.le}"
        if base is str:
            return "text in quotes" if not meta.min_length else "non-empty text in quotes"
        return "a list of texts"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The merged settings, and for each key where its value comes from: ``default``, a file, a variable, an option."""

    config: Config
    origins: Mapping[str, str]


@cache
def settings() -> Mapping[str, Setting]:
    """Every setting by its dotted key, in the order of the documentation."""
    found = {}
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            key = f"{section.name}.{field.name}"
            found[key] = Setting(key, field.type, field.default, _unwrap(field.type)[1].description or "")
    return found


def user_file() -> Path:
    """The user's settings file; it need not exist."""
    return config_dir() / "config.toml"


def load_config(root: Path | None, overrides: Mapping[str, object] | None = None) -> Config:
    """The settings that hold in ``root``. See ``resolve`` for the errors."""
    return resolve(root, overrides).config


def resolve(
    root: Path | None, overrides: Mapping[str, object] | None = None, environ: Mapping[str, str] | None = None
) -> Resolved:
    """Merge all sources. ``overrides`` has dotted keys or nested tables.

    Raises UnknownSettingError for a key that does not exist or may not stand where it stands, and for a value of the
    wrong type; BadInputError for a file that is not TOML; StorageError for one that cannot be read.
    """
    values: dict[str, object] = {}
    origins = dict.fromkeys(settings(), "default")
    for key, value, origin in _sources(root, overrides, os.environ if environ is None else environ):
        values[key] = value
        origins[key] = origin
    tables: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        tables.setdefault(section, {})[name] = value
    config = convert(tables, Config)
    _check_shares(config.complete)
    _ = config.model.endpoint
    return Resolved(config, origins)


def find_setting(key: str, where: str) -> Setting:
    """The setting of ``key``. Raises UnknownSettingError that names ``where`` it was met and the nearest right key."""
    known = settings()
    if key in known:
        return known[key]
    # A key with the right name in the wrong table is nearer than one that is merely spelled alike.
    name = key.rpartition(".")[2]
    near = [k for k in known if k.rpartition(".")[2] == name] or difflib.get_close_matches(key, known, 1, 0.5)
    hint = f'Did you mean "{near[0]}"?' if near else "`codemoat config` lists every setting."
    raise UnknownSettingError(f'There is no setting "{key}" ({where}).', hint)


def check(setting: Setting, value: object, where: str) -> object:
    """``value`` as the setting's type. Raises UnknownSettingError in one sentence if it is not of that type."""
    try:
        return convert(value, setting.type)
    except msgspec.ValidationError as exc:
        shown = "that" if setting.secret else msgspec.json.encode(value, enc_hook=str).decode()[:80]
        raise UnknownSettingError(
            f'"{setting.key}" must be {setting.expected}, not {shown} ({where}).', setting.description
        ) from exc


def from_text(setting: Setting, text: str, where: str) -> object:
    """A value as typed on a command line or in the environment; lists as TOML or separated by commas."""
    base, _ = _unwrap(setting.type)
    value: object = text
    try:
        if base is bool:
            value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        elif base in (int, float):
            value = base(text)
        elif base is not str:
            value = parse_toml(f"list = {text}")["list"] if text.startswith("[") else [p for p in text.split(",") if p]
    except (ValueError, KeyError):
        value = text
    return check(setting, value, where)


def _check_shares(complete: CompleteSection) -> None:
    """The one rule between settings: the parts of a prompt are at most the whole."""
    total = complete.prefix_share + complete.suffix_share + complete.context_share
    if total > 1.0001:
        raise UnknownSettingError(
            f"complete.prefix_share, suffix_share and context_share add up to {total:g}, which is more than 1.",
            "`codemoat config` shows where each comes from.",
        )


def _sources(
    root: Path | None, overrides: Mapping[str, object] | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, object, str]]:
    """Every value given, weakest source first: (key, checked value, origin)."""
    yield from _checked(read_toml(user_file()), str(user_file()))
    if root is not None:
        yield from _repository(root / REPOSITORY_FILE)
    yield from _environment(environ)
    yield from _checked(overrides or {}, "option")


def _checked(tables: Mapping[str, object], origin: str) -> Iterator[tuple[str, object, str]]:
    for key, value in _flatten(tables):
        setting = find_setting(key, origin)
        yield key, check(setting, value, origin), origin


def _repository(path: Path) -> Iterator[tuple[str, object, str]]:
    check_repository_file(path)
    for key, value, origin in _checked(read_toml(path), str(path)):
        if key not in REPOSITORY_KEYS:
            raise UnknownSettingError(
                f'A repository may not set "{key}" ({origin}).', f"Set it in your own file: {user_file()}"
            )
        yield key, value, origin


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    prefixes = {f"{_PREFIX}{s.name.upper()}_": s.name for s in msgspec.structs.fields(Config)}
    for variable in sorted(environ):
        section = next((name for prefix, name in prefixes.items() if variable.startswith(prefix)), None)
        if section is None or not environ[variable]:
            continue
        origin = f"environment variable {variable}"
        name = variable[len(_PREFIX) + len(section) + 1 :].lower()
        setting = find_setting(f"{section}.{name}", origin)
        yield setting.key, from_text(setting, environ[variable], origin), origin


def _flatten(tables: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Nested tables as dotted keys; only two levels exist, so anything deeper is a value of the wrong type."""
    for name, value in tables.items():
        if isinstance(value, Mapping) and "." not in name:
            yield from ((f"{name}.{inner}", v) for inner, v in value.items())
        else:
            yield name, value


def _unwrap(annotation: Any) -> tuple[Any, Meta]:
    """``Annotated[T, Meta]`` → (T, Meta)."""
    if get_origin(annotation) is Annotated:
        base, *extra = get_args(annotation)
        return base, next(m for m in extra if isinstance(m, Meta))
    raise TypeError(f"setting without documentation: {annotation}")
