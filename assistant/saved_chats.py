"""Conversations on disk: one file each, for its owner alone, in a folder of the repository they are about."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.context import Source
from assistant.conversation import ID, Conversation, Turn, decode, encode, shortened, title_of
from indexer.errors import BadInputError, StorageError
from indexer.location import chats_folder
from indexer.private import make_folder, tighten

MOST_BYTES = 32_000_000
"""Larger files are no conversation: a turn has a few kilobytes."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The conversations of a repository, last used first, and one sentence for each file that cannot be read."""

    conversations: tuple[Conversation, ...]
    problems: tuple[str, ...] = ()


class SavedChats:
    """The saved conversations about ``root``. Nothing is created before the first is saved; threads may share it."""

    def __init__(self, root: Path) -> None:
        self.root = str(root.resolve())
        self.folder = chats_folder(root)

    def save(self, conversation: Conversation) -> None:
        """Write the whole conversation or nothing, its secrets masked. Raises StorageError.

        Of two programs that go on with the same conversation, the one that saves last wins.
        """
        path = self.folder / f"{conversation.id}.json"
        data = encode(replace(_masked(conversation), root=self.root))
        try:
            make_folder(self.folder)
            tighten(self.folder)
            # mkstemp makes files for their owner alone.
            descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as exc:
            raise StorageError.from_os_error(exc, "saving the conversation", path) from exc

    def list(self) -> Listing:
        """All of them. A damaged file is a problem of its own and hides no other."""
        found: list[Conversation] = []
        problems: list[str] = []
        for path in self._paths():
            try:
                found.append(self._read(path))
            except (BadInputError, StorageError) as error:
                problems.append(error.message)
        return Listing(tuple(sorted(found, key=lambda c: (-c.updated, c.id))), tuple(problems))

    def load(self, wanted: str = "") -> Conversation:
        """The conversation whose id is or begins with ``wanted``; without one, the last used.

        Raises BadInputError if there is none, or several, or its file is damaged; StorageError if it cannot be read.
        """
        if not wanted:
            conversations = self.list().conversations
            if not conversations:
                raise BadInputError("There is no saved conversation about this folder.", "Start one: `codemoat chat`.")
            return conversations[0]
        return self._read(self._find(wanted))

    def rename(self, wanted: str, title: str) -> Conversation:
        """Give a conversation another title. Raises BadInputError for an empty one, and as ``load`` and ``save`` do."""
        if not title.strip():
            raise BadInputError("The title is empty.", "Give some words.")
        conversation = replace(self.load(wanted), title=title_of(title))
        self.save(conversation)
        return conversation

    def delete(self, wanted: str) -> str:
        """Remove a conversation, damaged or not; returns its id. Raises as ``load`` does."""
        path = self._find(wanted)
        try:
            path.unlink()
        except OSError as exc:
            raise StorageError.from_os_error(exc, "deleting the conversation", path) from exc
        return path.stem

    def _paths(self) -> Iterator[Path]:
        try:
            names = sorted(os.listdir(self.folder))  # noqa: PTH208
        except FileNotFoundError:
            return
        except OSError as exc:
            raise StorageError.from_os_error(exc, "listing the conversations", self.folder) from exc
        for name in names:
            if name.endswith(".json") and ID.fullmatch(name.removesuffix(".json")):
                yield self.folder / name

    def _find(self, wanted: str) -> Path:
        matching = [path for path in self._paths() if wanted and path.stem.startswith(wanted)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise BadInputError(f"{len(matching)} conversations begin with {wanted}.", "Give more of the id.")
        raise BadInputError(
            f"There is no conversation {wanted} about this folder.",
            "`codemoat chat --list` shows those that there are.",
        )

    def _read(self, path: Path) -> Conversation:
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as exc:
            raise StorageError.from_os_error(exc, "reading the conversation", path) from exc
        hint = f"Delete it: `codemoat chat --delete {path.stem}`."
        if len(data) > MOST_BYTES:
            raise BadInputError(f"The conversation {path.stem} is damaged: it is too large.", hint)
        try:
            found = decode(data)
        except ValueError as exc:
            raise BadInputError(f"The conversation {path.stem} is damaged: {exc}.", hint) from exc
        if found.id != path.stem or found.root != self.root:
            raise BadInputError(f"The conversation {path.stem} is about another folder.", hint)
        return found


def _masked(conversation: Conversation) -> Conversation:
    """The conversation as it is stored: a secret that shows as one in any of its texts is masked in all of them.

    An answer repeats a key without the name that told it. Snippets were masked before the model saw them; they are
    masked again, for a file may have been edited in the middle of a value.
    """
    from assistant.masking import mask_file, mask_typed, without

    turns, recap = conversation.turns, conversation.recap
    typed = (
        recap.text,
        conversation.title,
        *(t for turn in turns for t in (turn.question, turn.answer, turn.generated)),
    )
    given = [*recap.sources, *(source for turn in turns for source in turn.given)]
    found = [*map(mask_typed, typed), *(mask_file(source.text, source.path) for source in given)]
    secrets = frozenset().union(*(each.secrets for each in found))

    def clean(text: str) -> str:
        return without(mask_typed(text).text, secrets)

    def sources(of: tuple[Source, ...]) -> tuple[Source, ...]:
        return tuple(replace(each, text=without(mask_file(each.text, each.path).text, secrets)) for each in of)

    def masked_turn(turn: Turn) -> Turn:
        question, answer, generated = map(clean, (turn.question, turn.answer, turn.generated))
        said = replace(turn, question=question, answer=answer, generated=generated, given=sources(turn.given))
        return replace(said, opening=clean(turn.opening), facts=clean(turn.facts))

    return replace(
        conversation,
        title=_title(conversation, clean),
        turns=tuple(map(masked_turn, turns)),
        recap=replace(recap, text=clean(recap.text), sources=sources(recap.sources)),
    )


def _title(conversation: Conversation, clean: Callable[[str], str]) -> str:
    """The title without secrets. One that an earlier version cut off within a secret is made again."""
    if conversation.turns and conversation.title == shortened(conversation.turns[0].question):
        return title_of(conversation.turns[0].question)
    return clean(conversation.title)
