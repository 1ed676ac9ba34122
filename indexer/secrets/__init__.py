"""What must never be stored: files that hold secrets, by name or content, and secrets inside other files.

Masking looks for four kinds: tokens of known services (``tokens``), values after a telling name (``named``), secrets
by their place, as in a URL (``places``), and those of several lines (``blocks``). Each begins with a first look over
the bytes in time linear in the text, since most files hold nothing; what that finds is judged with bounded expressions.
Tables are in ``data/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.secrets.refused import refuse_secret_content, refuse_secret_name

if TYPE_CHECKING:
    from indexer.secrets.paths import Rules

__all__ = ["mask_secrets", "masking_rules", "refuse_secret_content", "refuse_secret_name"]


def mask_secrets(text: bytes, path: str = "") -> tuple[bytes, int]:
    """UTF-8 text with every secret overwritten by ``*``, and how many there were.

    Length and line ends are kept, and the text stays valid UTF-8. ``path`` helps to judge: in code, values that are
    neither quoted nor in a comment hardly count, and in tests and documentation a value must look more random.
    """
    from indexer.secrets.masking import masked  # its expressions take a process some 20 ms

    return masked(text, path)


def masking_rules(path: str) -> Rules:
    """What masking reads from a path: two files of equal contents and rules are masked alike."""
    from indexer.secrets.paths import rules_of

    return rules_of(path)
