"""JSON-RPC as this server speaks it: pygls's protocol with its own gate, errors and documents.

What differs from pygls: every malformed request is answered with an error; requests before ``initialize`` and after
``shutdown`` are refused; an error of ours reaches the client as one sentence with a hint, any other without a
traceback; messages are never logged, for they hold file contents.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import attrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    LanguageServerProtocol,
    lsp_method,
)
from pygls.workspace import Workspace

from indexer.errors import BadInputError, CancelledError, CodemoatError
from indexer.reasons import visible
from lsp.framing import decode, sample_of
from lsp.hello import initialize_result
from lsp.jobs import DroppedError
from lsp.notifications import CHANGING, TooLongError, limit
from lsp.salvage import Salvage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cattrs import Converter
    from pygls.lsp.server import LanguageServer

OURS = "codemoat/"
"""Methods of our own begin so; their parameters stay plain JSON."""
PLAIN = frozenset(
    {
        types.TEXT_DOCUMENT_DID_CHANGE,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.WORKSPACE_DID_CREATE_FILES,
        types.WORKSPACE_DID_RENAME_FILES,
        types.WORKSPACE_DID_DELETE_FILES,
    }
)
"""Notifications with lists of any length: made into objects, a million entries would take half a minute."""
_MOST_LOGGED = 100
"""Characters of a method's name or an id."""
_HANDLED_HERE = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
    types.WORKSPACE_EXECUTE_COMMAND,
    types.EXIT,
)
"""What pygls would do by itself: its documents split lines at more than the protocol's line breaks."""

_SHOWN = (types.ShowMessageParams, types.LogMessageParams, types.ShowMessageRequestParams)
_WORK_DONE = (types.WorkDoneProgressBegin, types.WorkDoneProgressReport, types.WorkDoneProgressEnd)

logger = logging.getLogger("codemoat.lsp")
# pygls logs whole messages, and they hold file contents.
logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)


class Protocol(LanguageServerProtocol):
    """The protocol of a connection."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.initialized = False
        self.answered: int | str | None = None
        """Id of the ``initialize`` that was answered already."""
        self.heard: Callable[[], None] = lambda: None
        """Called when a message comes."""
        self.unread: Callable[[bytes], None] = lambda _: None
        """Called with some bytes of a message that could not be read: it may have changed a document."""
        self.misread: Callable[[dict[str, Any]], None] = lambda _: None
        """Called with a notification whose parameters are wrong."""
        self.left_out: Callable[[str, Sequence[str]], None] = lambda _method, _branches: None
        """Called with a method and the branches of its parameters that were not understood; the rest is read."""
        self._said: Any = {}
        """Parameters of ``initialize`` as they came."""

    def _register_builtin_features(self) -> None:
        super()._register_builtin_features()  # type: ignore[no-untyped-call]
        for method in _HANDLED_HERE:
            self.fm.builtin_features.pop(method, None)

    def receive(self, body: bytes) -> None:
        """Take in one message; never raises."""
        try:
            data = decode(body)
        except (ValueError, RecursionError):
            self.receive_fault("The message is no JSON.", sample_of(body))
            return
        self.receive_data(data)

    def receive_fault(self, problem: str, sample: bytes) -> None:
        """Answer a message that could not be read; never raises."""
        logger.warning("%s", problem)
        self._refuse(None, types.ErrorCodes.ParseError, problem)
        self.unread(sample)

    def receive_answered(self, body: bytes) -> None:
        """Take in an ``initialize`` that was answered before this object was there."""
        self.answered = decode(body)["id"]
        self.receive(body)
        if not self.initialized:
            # The client believes that all is well, so it must be: what it said wrong of itself is as if unsaid.
            params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
            self.receive_data({"jsonrpc": "2.0", "id": self.answered, "method": types.INITIALIZE, "params": params})

    def receive_data(self, data: Any) -> None:
        """Take in one message as JSON values; never raises."""
        if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
            self._refuse(None, types.ErrorCodes.InvalidRequest, "The message is no JSON-RPC 2.0 object.")
            return
        self.heard()
        number = data.get("id")
        asked = "method" in data and "id" in data
        if ("id" in data and type(number) not in (int, str)) or not isinstance(data.get("method", ""), str):
            if "method" in data:
                self._refuse(None, types.ErrorCodes.InvalidRequest, "The message's id or method has a wrong type.")
            return
        named, id_ = str(data.get("method", "response")), "" if number is None else str(number)
        logger.info("received %s %s", named[:_MOST_LOGGED], id_[:_MOST_LOGGED])
        try:
            message = self.structure_message(data)
        except (JsonRpcException, RecursionError):
            if asked:
                self._refuse(number, types.ErrorCodes.InvalidParams, f"{named[:_MOST_LOGGED]}: wrong parameters.")
            if "method" in data:
                self.misread(data)
            return
        try:
            self.handle_message(message)
        except Exception:
            # The edge of the protocol: nothing that a client sends may end the server.
            logger.exception("%s failed", named[:_MOST_LOGGED])
            if asked:
                self._refuse(number, types.ErrorCodes.InternalError, f"{named[:_MOST_LOGGED]} failed.")

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The message as a typed object; ours keep their parameters as JSON. Raises JsonRpcException."""
        method = data.get("method")
        try:
            limit(method or "", data.get("params"))
        except TooLongError as exc:
            raise JsonRpcException(str(exc)) from exc
        if method in PLAIN:
            if "id" in data:
                raise JsonRpcException("A notification has no id.")
            return JsonRPCNotification(method, "2.0", data.get("params"))
        if method is not None and self.get_message_type(method) is None:
            if "id" in data:
                return JsonRPCRequestMessage(data["id"], method, "2.0", data.get("params"))
            return JsonRPCNotification(method, "2.0", data.get("params"))
        if method is None:
            return self._response(data)
        if method == types.INITIALIZE:
            self._said = data.get("params")
        try:
            return super().structure_message(data)
        except JsonRpcException:
            return super().structure_message({**data, "params": self._salvaged(method, data.get("params"))})

    def _salvaged(self, method: str, params: Any) -> Any:
        """The parameters without what is not understood of them. Raises JsonRpcException if they make no sense then."""
        message = self.get_message_type(method)
        assert message is not None
        kind = attrs.fields_dict(message)["params"].type
        salvage = Salvage(self._converter, exact=method in CHANGING)
        try:
            found = salvage.of(params, kind)
        except ValueError as exc:
            raise JsonRpcException(str(exc)) from exc
        if salvage.left_out:
            self.left_out(method, salvage.left_out)
        return found

    def _response(self, data: dict[str, Any]) -> Any:
        """A response; one with a result or an error that is none counts as one without a result."""
        if data.get("id") not in self._result_types:
            raise JsonRpcException("A response to nothing.")
        if isinstance(data.get("result"), dict) and self._result_types[data["id"]] is types.ConfigurationResponse:
            # One answer a question; some clients answer with the settings themselves.
            data = {**data, "result": [data["result"]]}
        try:
            return super().structure_message(data)
        except JsonRpcException:
            self._result_types.pop(data["id"], None)
            return JsonRPCResponseMessage(data["id"], "2.0", None)

    def handle_message(self, message: Any) -> None:
        """Let through what fits the state of the connection."""
        method, number = getattr(message, "method", None), getattr(message, "id", None)
        if method is None or method == types.EXIT:
            super().handle_message(message)
        elif self._shutdown:
            if number is not None:
                self._refuse(number, types.ErrorCodes.InvalidRequest, "The server is shut down.")
        elif self.initialized == (method == types.INITIALIZE):
            if number is not None:
                why = "The server is initialized already." if self.initialized else "`initialize` comes first."
                code = types.ErrorCodes.InvalidRequest if self.initialized else types.ErrorCodes.ServerNotInitialized
                self._refuse(number, code, why)
        else:
            super().handle_message(message)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Any:
        """Note what the client is; the answer is the one of ``lsp.hello``."""
        self.initialized = True
        self._server.process_id = params.process_id
        self.client_capabilities = params.capabilities
        result = initialize_result(self._said)
        encoding = result["capabilities"]["positionEncoding"]
        self._workspace = Workspace(params.root_uri, types.TextDocumentSyncKind.Incremental, [], encoding)
        handler = self.fm.features.get(types.INITIALIZE)
        if handler is not None:
            handler(params, encoding)
        self.server_capabilities = self._converter.structure(result["capabilities"], types.ServerCapabilities)
        return self._converter.structure(result, types.InitializeResult)

    def _send_data(self, data: Any) -> None:
        """Send a message; what of it is shown to the user holds no control characters, whatever files are called."""
        super()._send_data(_readable(data))

    def _send_response(self, msg_id: Any, result: Any = None, error: types.ResponseError | None = None) -> None:
        if msg_id is not None and msg_id == self.answered:
            self.answered = None
            return
        super()._send_response(msg_id, result, error)

    def _send_handler_result(self, future: Future[Any], *, msg_id: Any) -> None:
        """Send what a handler returned or raised; on the event loop."""
        self._request_futures.pop(msg_id, None)
        if future.cancelled():
            self._refuse(msg_id, types.LSPErrorCodes.RequestCancelled, "The request was cancelled.")
            return
        exc = future.exception()
        if exc is None:
            self._send_response(msg_id, future.result())
        elif isinstance(exc, CodemoatError):
            self._send_response(msg_id, error=response_error(exc))
        elif isinstance(exc, DroppedError):
            self._refuse(msg_id, types.LSPErrorCodes.ServerCancelled, "The server is too busy, or leaves.")
        elif isinstance(exc, JsonRpcException):
            self._send_response(msg_id, error=exc.to_response_error())
        else:
            logger.error("A request failed", exc_info=exc)
            self._refuse(msg_id, types.ErrorCodes.InternalError, f"An error of codemoat: {type(exc).__name__}.")

    def _handle_cancel_notification(self, msg_id: Any) -> None:
        if type(msg_id) in (int, str):
            super()._handle_cancel_notification(msg_id)

    def _check_handler_result(self, future: Future[Any]) -> None:
        """Tell of a notification that failed: in the log, and in words if it is an error of ours."""
        exc = None if future.cancelled() else future.exception()
        if isinstance(exc, CodemoatError):
            logger.warning("%s", exc.message)
            self.notify(types.WINDOW_LOG_MESSAGE, types.LogMessageParams(types.MessageType.Warning, sentence(exc)))
        elif exc is not None and not isinstance(exc, DroppedError):
            logger.error("A notification failed", exc_info=exc)

    def _refuse(self, number: Any, code: int, message: str) -> None:
        if number is not None and number == self.answered:
            return
        self._send_data(
            {"jsonrpc": "2.0", "id": number, "error": {"code": int(code), "message": message}}
            if number is None
            else types.ResponseErrorMessage(id=number, error=types.ResponseError(int(code), message))
        )


def all_visible(value: Any) -> Any:
    """A JSON value whose texts are all safe to show: see ``indexer.reasons.visible``."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: all_visible(each) for key, each in value.items()}
    return [all_visible(each) for each in value] if isinstance(value, list | tuple) else value


def _readable(message: Any) -> Any:
    """A message to the client whose sentences and titles are safe to show; of other kinds as it is."""
    if isinstance(message, dict):
        return {**message, "error": all_visible(message["error"])} if "error" in message else message
    if isinstance(message, types.ResponseErrorMessage):
        if message.error is None:
            return message
        return _with(message, error=_with(_texts_visible(message.error), data=all_visible(message.error.data)))
    params = getattr(message, "params", None)
    if isinstance(params, _SHOWN):
        return _with(message, params=_texts_visible(params))
    if isinstance(params, types.ProgressParams) and isinstance(params.value, _WORK_DONE):
        return _with(message, params=_with(params, value=_texts_visible(params.value)))
    return message


def _texts_visible(value: Any) -> Any:
    texts = {name: getattr(value, name, None) for name in ("title", "message")}
    return _with(value, **{name: visible(text) for name, text in texts.items() if isinstance(text, str)})


def _with(original: Any, /, **changes: Any) -> Any:
    """A copy of an object with other attributes."""
    changed = copy.copy(original)
    for name, each in changes.items():
        setattr(changed, name, each)
    return changed


def sentence(error: CodemoatError) -> str:
    """What happened and what to do next."""
    return f"{error.message} {error.hint}".rstrip()


def response_error(error: CodemoatError) -> types.ResponseError:
    """An error of ours as a client gets it: ``data`` holds its ``code``, ``message`` and ``hint`` apart."""
    code: int = types.LSPErrorCodes.RequestFailed
    if isinstance(error, BadInputError):
        code = types.ErrorCodes.InvalidParams
    elif isinstance(error, CancelledError):
        code = types.LSPErrorCodes.RequestCancelled
    data = {"code": error.code, "message": error.message, "hint": error.hint}
    return types.ResponseError(int(code), sentence(error), data)
