"""A stand-in for a node's diagnostics service (made by hand after kvproto and TiKV's source; no real TiKV).

It speaks gRPC over loopback with messages described anew, typed as in kvproto, and sifts as TiKV does.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

LEVELS = ("UNKNOWN", "Debug", "Info", "Warn", "Trace", "Critical", "Error")
SEARCH = "/diagnosticspb.Diagnostics/search_log"


def _field(name: str, number: int, kind: int, *, many: bool = False, of: str = "") -> FieldDescriptorProto:
    label = FieldDescriptorProto.LABEL_REPEATED if many else FieldDescriptorProto.LABEL_OPTIONAL
    return FieldDescriptorProto(name=name, number=number, type=kind, label=label, type_name=of or None)


def _messages() -> tuple[Any, Any]:
    proto = FieldDescriptorProto
    levels = EnumDescriptorProto(
        name="LogLevel", value=[EnumValueDescriptorProto(name=name, number=n) for n, name in enumerate(LEVELS)]
    )
    asked = [
        _field("start_time", 1, proto.TYPE_INT64),
        _field("end_time", 2, proto.TYPE_INT64),
        _field("levels", 3, proto.TYPE_ENUM, many=True, of=".diagnosticspb.LogLevel"),
        _field("patterns", 4, proto.TYPE_STRING, many=True),
        _field("target", 5, proto.TYPE_INT32),
    ]
    line = [
        _field("time", 1, proto.TYPE_INT64),
        _field("level", 2, proto.TYPE_ENUM, of=".diagnosticspb.LogLevel"),
        _field("message", 3, proto.TYPE_STRING),
    ]
    told = [_field("messages", 1, proto.TYPE_MESSAGE, many=True, of=".diagnosticspb.LogMessage")]
    types = {"SearchLogRequest": asked, "LogMessage": line, "SearchLogResponse": told}
    pool = DescriptorPool()
    pool.Add(
        FileDescriptorProto(
            name="whole.proto",
            package="diagnosticspb",
            syntax="proto3",
            enum_type=[levels],
            message_type=[DescriptorProto(name=name, field=fields) for name, fields in types.items()],
        )
    )
    request, response = (
        GetMessageClass(pool.FindMessageTypeByName(f"diagnosticspb.{name}"))
        for name in ("SearchLogRequest", "SearchLogResponse")
    )
    return request, response


REQUEST, RESPONSE = _messages()
Line = tuple[int, str, str]
"""Milliseconds, level and what follows it."""


@dataclass
class FakeNode(grpc.GenericRpcHandler):
    """A node with these lines in its log file; `fails` is how the call ends after them, `hangs` lets it never end."""

    lines: list[Line] = field(default_factory=list)
    batch: int = 256
    fails: tuple[grpc.StatusCode, str] | None = None
    hangs: bool = False
    methods: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    left: anyio.Event = field(default_factory=anyio.Event)
    """Set when a caller left before the end."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        self.methods.append(handler_call_details.method)
        if handler_call_details.method != SEARCH:
            return None
        return grpc.unary_stream_rpc_method_handler(
            self._search, request_deserializer=REQUEST.FromString, response_serializer=RESPONSE.SerializeToString
        )

    async def _search(self, request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        self.requests.append(request)
        found = [line for line in self.lines if self._meant(line, request)]
        ended = False
        try:
            for begin in range(0, len(found), self.batch):
                messages = [
                    {"time": at, "level": LEVELS.index(level), "message": text}
                    for at, level, text in found[begin : begin + self.batch]
                ]
                yield RESPONSE(messages=messages)
            if self.hangs:
                await anyio.sleep_forever()
            if self.fails is not None:
                await context.abort(*self.fails)
            ended = True
        finally:
            if not ended:
                self.left.set()

    def _meant(self, line: Line, request: Any) -> bool:
        at, level, text = line
        return (
            request.start_time <= at <= request.end_time
            and (not request.levels or LEVELS.index(level) in request.levels)
            and all(re.search(pattern, text) for pattern in request.patterns)
        )


@asynccontextmanager
async def served(node: FakeNode, credentials: grpc.ServerCredentials | None = None) -> AsyncGenerator[str]:
    """Serve a node; yield its host:port."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((node,))
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
