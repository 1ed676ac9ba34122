"""How to open a model: standard library only, because the client needs it too."""

from __future__ import annotations

from dataclasses import dataclass

MICRO_BATCH = 128
"""Tokens a step of prompt evaluation: an aborted step is lost, so it must be short; larger ones are hardly faster."""

DRAFT_TOKENS = 2
"""Tokens that prompt lookup guesses at most: two make code a sixth faster on two cores, more do not pay there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """``threads`` 0 chooses by the machine, ``gpu_layers`` -1 offloads all, ``draft_tokens`` 0 guesses nothing."""

    context_tokens: int = 8192
    threads: int = 0
    gpu_layers: int = 0
    flash_attention: bool = False
    micro_batch: int = MICRO_BATCH
    draft_tokens: int = DRAFT_TOKENS
