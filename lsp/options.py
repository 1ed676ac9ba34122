"""What the client set, and what was switched off for a while.

A client gives settings twice: as ``initializationOptions``, and as the section ``codemoat`` of its configuration, which
may change at any time. Both have the keys of ``docs/configuration.md``, nested or dotted. A wrong key or value costs
that key only; the problem names the nearest right key and is told once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.editor_section import NOT_CODE
from indexer.errors import CodemoatError, UnknownSettingError

if TYPE_CHECKING:
    from assistant.config import Config

SECTION = "codemoat"
_MOST_KEYS = 500
"""Settings that are looked at; there are some fifty."""
_LONGEST_KEY = 100
_MOST_TOLD = 20
"""Problems that are told in a session."""


class Options:
    """The client's settings, and the merged ones of each folder. Changed on the event loop, read from any thread."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """``tell`` gets each problem as a sentence, once."""
        self._tell = tell
        self._told: set[str] = set()
        self._initial: dict[str, object] = {}
        self._section: dict[str, object] = {}
        self._configs: dict[Path | None, Config] = {}
        self.previous: Config | None = None
        """What held outside of all folders before the last change."""

    def initialize(self, raw: object) -> None:
        """Take ``initializationOptions``: the settings, or an object that has them under ``codemoat``."""
        self._initial = self._checked(_section(raw), "initializationOptions")
        self._configs = {}

    def change(self, raw: object) -> bool:
        """Take the section of the client's configuration; whether a setting changed, so that ``forget`` is due."""
        before, self._section = self._section, self._checked(_section(raw), "the editor's settings")
        return before != self._section

    @property
    def overrides(self) -> dict[str, object]:
        """What the client set, by dotted key."""
        return {**self._initial, **self._section}

    def config(self, root: Path | None = None) -> Config:
        """The settings that hold in a folder, or outside of all. Files are read once, until the client's change."""
        found = self._configs.get(root)
        if found is None:
            found = self._configs[root] = self._merged(root)
        return found

    def forget(self) -> None:
        """Let changed settings hold from now on, the files' too."""
        self.previous = self._configs.get(None)
        self._configs = {}

    def _merged(self, root: Path | None) -> Config:
        from assistant.config import Config, load_config

        for folder, given in ((root, self.overrides), (None, self.overrides), (root, {}), (None, {})):
            try:
                return load_config(folder, given)
            except CodemoatError as exc:
                self._complain(exc)
        return Config()

    def _checked(self, raw: object, where: str) -> dict[str, object]:
        """The sound ones of the values, by dotted key."""
        from assistant.config import check, find_setting

        values: dict[str, object] = {}
        if raw is None:
            return values
        if not isinstance(raw, Mapping):
            self._complain(UnknownSettingError(f"The settings of codemoat must be an object ({where})."))
            return values
        flat = _flatten(raw)
        for key, value in islice(flat, _MOST_KEYS):
            try:
                if len(key) > _LONGEST_KEY:
                    raise UnknownSettingError(f'There is no setting "{key[:_LONGEST_KEY]}…" ({where}).')
                setting = find_setting(key, where)
                if value is not None:
                    values[key] = check(setting, value, where)
            except CodemoatError as exc:
                self._complain(exc)
        if next(flat, None) is not None:
            self._complain(UnknownSettingError(f"Of the settings of codemoat only {_MOST_KEYS} are read ({where})."))
        return values

    def _complain(self, error: CodemoatError) -> None:
        text = f"{error.message} {error.hint}".rstrip()
        if text in self._told or len(self._told) > _MOST_TOLD:
            return
        if len(self._told) == _MOST_TOLD:
            text = "Further wrong settings are not shown."
        self._told.add(text)
        self._tell(text)


class Switches:
    """What the user switched off by a command; settings are not touched."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self.languages: dict[str, bool] = {}
        """Languages that were switched on (True) or off by hand, whatever the settings say."""

    def snooze(self, minutes: float) -> None:
        """No suggestions for so long; 0 ends it."""
        self._until = self._clock() + 60 * minutes if minutes > 0 else 0.0

    @property
    def snoozed_seconds(self) -> float:
        """What is left of it; 0 when there are suggestions."""
        return max(0.0, self._until - self._clock())

    def refuse(self, config: Config, language: str, language_id: str, *, automatic: bool) -> str | None:
        """Why there is no suggestion for a document of this language, as a sentence; None if there is."""
        editor = config.editor
        if not editor.enabled:
            return "Suggestions are off: editor.enabled."
        if self.snoozed_seconds and automatic:
            return f"Suggestions are snoozed for another {-int(-self.snoozed_seconds // 60)} min."
        if automatic and not editor.automatic:
            return "Suggestions come only when asked for: editor.automatic is off."
        if self.is_off(config, language, language_id):
            if self._by_hand(language, language_id) is None and is_not_code(config, language_id):
                return f"Suggestions are off for {language_id}, which is not code: editor.languages_on turns them on."
            return f"Suggestions are off for {language}: editor.languages_off, or the command codemoat.toggle."
        return None

    def is_off(self, config: Config, language: str, language_id: str = "") -> bool:
        """Whether a language is switched off, by hand or by the settings."""
        by_hand = self._by_hand(language, language_id)
        if by_hand is not None:
            return not by_hand
        return bool({language, language_id} & {*config.editor.languages_off}) or is_not_code(config, language_id)

    def _by_hand(self, language: str, language_id: str) -> bool | None:
        """What the command says of a language; one that we do not know goes by the editor's name."""
        return self.languages.get(language_id, self.languages.get(language))


def is_not_code(config: Config, language_id: str) -> bool:
    """Whether a document is a commit message, mail or help, as the editor says, and is to get no suggestions."""
    return language_id in NOT_CODE and language_id not in config.editor.languages_on


def _section(raw: object) -> object:
    """The settings, which may be an object's member ``codemoat``; null there says nothing."""
    if isinstance(raw, Mapping) and SECTION in raw and (len(raw) == 1 or isinstance(raw[SECTION], Mapping)):
        return raw[SECTION]
    return raw


def _flatten(tables: Mapping[Any, Any]) -> Iterator[tuple[str, object]]:
    for name, value in tables.items():
        if isinstance(value, Mapping) and "." not in str(name):
            yield from ((f"{name}.{inner}", v) for inner, v in value.items())
        else:
            yield str(name), value
