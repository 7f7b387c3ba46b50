"""The one RPC that is ever called on a node: `search_log` of the diagnostics service, which only reads.

Its messages are described here as far as they are used (the service: kvproto's diagnosticspb; TiKV serves it on its main port,
PD on its client port). There is no way to call another method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from opsai_subjects.endpoint import Access
from opsai_subjects.errors import (
    SettingsInvalid,
    SourceDisconnected,
    SourceError,
    SourceTimedOut,
    SourceUnreachable,
)
from opsai_subjects.foreign import quoted

METHOD = "/diagnosticspb.Diagnostics/search_log"
_MAX_MESSAGE_BYTES = 32 * 1024 * 1024
"""Of one batch: 256 lines, of which each may be long."""
_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
)
_INT64, _ENUM = FieldDescriptorProto.TYPE_INT64, FieldDescriptorProto.TYPE_INT32
"""An enum is sent as an int32 is: the numbers are all that is needed."""
_TEXT, _MESSAGE = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.TYPE_MESSAGE
"""Texts are taken as bytes: a log may hold what is not UTF-8."""


@dataclass(frozen=True)
class Search:
    """What to look for: `patterns` are regular expressions that must all match what follows time and level."""

    start_ms: int
    end_ms: int
    levels: tuple[int, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """One line: milliseconds since 1970, the level's number, and what follows time and level."""

    at_ms: int
    level: int
    text: str


class Diagnostics:
    """Calls `search_log` of a node, and nothing else."""

    def __init__(self, access: Access, *, tls: bool) -> None:
        self._access = access
        self._tls = tls

    async def search_log(
        self, target: str, search: Search, into: Callable[[Said], bool], *, of: str, seconds: float
    ) -> bool:
        """Stream the lines into `into` until it returns False; return whether the stream came to its end.

        What `into` was given before a failure is good. Raises SourceError, or SettingsInvalid for unusable keys.
        """
        asked, answer = _messages()
        request = asked(
            start_time=search.start_ms,
            end_time=search.end_ms,
            levels=search.levels,
            patterns=[pattern.encode(errors="replace") for pattern in search.patterns],
        )
        try:
            async with self._channel(target) as channel:
                method = channel.unary_stream(
                    METHOD, request_serializer=asked.SerializeToString, response_deserializer=answer.FromString
                )
                call = method(request, timeout=seconds)
                try:
                    async for batch in call:
                        for one in batch.messages:
                            said = Said(one.time, one.level, one.message.decode("utf-8", errors="replace"))
                            if not into(said):
                                return False
                finally:
                    call.cancel()
        except grpc.aio.AioRpcError as error:
            raise _named(error, of, seconds) from error
        return True

    def _channel(self, target: str) -> grpc.aio.Channel:
        if not self._tls:
            return grpc.aio.insecure_channel(target, options=_OPTIONS)
        access = self._access
        if not access.verify:
            raise SettingsInvalid(
                "diagnostics cannot trust any certificate (verify = false): set cluster_access.ca_file"
            )
        credentials = grpc.ssl_channel_credentials(
            _content(access.ca_file, "ca_file"),
            _content(access.key_file or access.cert_file, "key_file"),
            _content(access.cert_file, "cert_file"),
        )
        return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


def _content(file: Path | None, name: str) -> bytes | None:
    try:
        return file.read_bytes() if file is not None else None
    except OSError as error:
        raise SettingsInvalid(f"{name} {str(file)!r} cannot be used: {error.strerror}") from error


@cache
def _messages() -> tuple[Any, Any]:
    """Return the classes of the request and of an answer's part. Their fields are made at run time: nobody types them."""
    request = _message(
        "SearchLogRequest",
        ("start_time", 1, _INT64, False),
        ("end_time", 2, _INT64, False),
        ("levels", 3, _ENUM, True),
        ("patterns", 4, _TEXT, True),
    )
    line = _message("LogMessage", ("time", 1, _INT64, False), ("level", 2, _ENUM, False), ("message", 3, _TEXT, False))
    response = _message("SearchLogResponse", ("messages", 1, _MESSAGE, True))
    response.field[0].type_name = ".diagnosticspb.LogMessage"
    pool = DescriptorPool()
    pool.Add(
        FileDescriptorProto(
            name="diagnosticspb.proto", package="diagnosticspb", syntax="proto3", message_type=[request, line, response]
        )
    )
    names = ("SearchLogRequest", "SearchLogResponse")
    asked, answer = (GetMessageClass(pool.FindMessageTypeByName(f"diagnosticspb.{name}")) for name in names)
    return asked, answer


def _message(name: str, *fields: tuple[str, int, Any, bool]) -> DescriptorProto:
    single, many = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    return DescriptorProto(
        name=name,
        field=[
            FieldDescriptorProto(name=field, number=number, type=kind, label=many if repeated else single)
            for field, number, kind, repeated in fields
        ],
    )


def _named(error: grpc.aio.AioRpcError, of: str, seconds: float) -> SourceError:
    """Return what the failure means, in the words that every source uses."""
    code, told = error.code(), error.details()
    details = quoted(told) if told else "no reason given"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        advice = "a shorter window; or see whether the node hangs"
        return SourceTimedOut("search_log", of, f"no whole answer within {seconds:g} s", advice)
    if code is grpc.StatusCode.UNAVAILABLE:
        advice = "check that it runs, and its address and certificates (`addresses`, cluster_access)"
        broken = "closed" in details.lower() or "reset" in details.lower()
        return (SourceDisconnected if broken else SourceUnreachable)(
            "search_log", of, f"no connection ({details})", advice
        )
    advice = {
        grpc.StatusCode.UNIMPLEMENTED: "it does not offer its log: read it from files or Loki",
        grpc.StatusCode.UNAUTHENTICATED: "set cert_file and key_file under cluster_access",
        grpc.StatusCode.PERMISSION_DENIED: "use a certificate whose name the cluster allows (cert-allowed-cn)",
        grpc.StatusCode.RESOURCE_EXHAUSTED: "a shorter window, or conditions that fewer lines meet",
    }.get(code, "")
    return SourceError("search_log", of, f"gRPC {code.name}: {details}", advice)
