"""Errors of the model floor. The whole tree is in ``indexer.errors``."""

from __future__ import annotations

from indexer.errors import CodemoatError


class ModelError(CodemoatError):
    """Something about a language model."""

    code = "model"
    exit_code = 4


class NoModelError(ModelError):
    """The model's file is not on this machine."""

    code = "no_model"


class DamagedModelError(ModelError):
    """The model's file is truncated, has the wrong hash or is no GGUF file."""

    code = "damaged_model"


class UnsupportedModelError(ModelError):
    """The model lacks what was asked of it, e.g. fill-in-the-middle or chat."""

    code = "unsupported_model"


class PromptTooLongError(ModelError):
    """The prompt does not fit the model's context."""

    code = "prompt_too_long"


class HostError(ModelError):
    """The model host could not start, or died."""

    code = "model_host"


class RemoteError(ModelError):
    """The server that ``model.url`` names is not reachable, refuses, dies or answers nonsense."""

    code = "model_server"


class NetworkError(CodemoatError):
    """A source that the user asked for could not be reached."""

    code = "network"
    exit_code = 6
