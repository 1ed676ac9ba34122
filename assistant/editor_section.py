"""The settings of the language server: when it suggests and what it does by itself."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

NOT_CODE = frozenset(
    {
        *("gitcommit", "git-commit", "NeogitCommitMessage", "scminput", "hgcommit", "svn", "cvs", "bzr"),
        *("jjdescription", "jj-commit", "jj-describe", "gitrebase", "git-rebase", "gitsendemail", "mail", "help"),
    }
)
"""What Vim, VS Code, Emacs and Helix call commit messages, mail and help: no suggestions unless ``languages_on``."""


class EditorSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the language server does in an editor."""

    enabled: Annotated[bool, Meta(description="Whether there are suggestions at all.")] = True
    automatic: Annotated[
        bool, Meta(description="Suggest while typing; otherwise only when the editor asks for it.")
    ] = True
    languages_off: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...],
        Meta(max_length=200, description="Languages without suggestions: `markdown`, or what the editor calls them."),
    ] = ()
    languages_on: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...],
        Meta(
            max_length=200,
            description="Languages that get suggestions although they are not code: `gitcommit`, `mail` and the like.",
        ),
    ] = ()
    popup: Annotated[
        bool, Meta(description="Offer the suggestion in the list of completions too, for editors without inline ones.")
    ] = False
    learning_log: Annotated[
        bool, Meta(description="Note on this disk which suggestions were shown, accepted and kept (`codemoat log`).")
    ] = False
    index: Annotated[bool, Meta(description="Make an index of each workspace folder and keep it up to date.")] = True
