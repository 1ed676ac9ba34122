"""Language models on this machine: which there are, where they lie, how they get here.

``catalogue`` knows the models, ``store`` the folder they lie in, ``pulling`` brings them; ``sources``, ``wheels`` and
``transfer`` are the ways in. Nothing here touches the network unless ``pull`` was called.
"""

from __future__ import annotations

from assistant.models.catalogue import DEFAULT_MODEL, ModelEntry, find_model, load_catalogue
from assistant.models.pulling import pull
from assistant.models.store import (
    InstalledModel,
    VerifiedModel,
    installed,
    is_installed,
    models_dir,
    remove,
    resolve,
    verify,
)
from assistant.models.transfer import PullProgress

__all__ = [
    "DEFAULT_MODEL",
    "InstalledModel",
    "ModelEntry",
    "PullProgress",
    "VerifiedModel",
    "find_model",
    "installed",
    "is_installed",
    "load_catalogue",
    "models_dir",
    "pull",
    "remove",
    "resolve",
    "verify",
]
