"""An endpoint of another's making: the BFCP of libre (Debian's ``libre0``), over real UDP.

Run as a program of its own, since it is C: commands come on stdin, what happens goes to stdout,
one JSON object a line. ``{"port": n}`` comes first. Commands are JSON too::

    {"to": port, "ask": "FLOOR_REQUEST", "version": 2, "conference": 1, "user": 3,
     "attributes": [["FLOOR_ID", 1]]}

With ``--serve`` it answers like a floor control server that grants everything.
"""

import ctypes
import json
import sys
from ctypes import CFUNCTYPE, POINTER, c_bool, c_int, c_uint16, c_void_p
from typing import Any

from signalling.bfcp.registry import AttributeType, Primitive, RequestStatus

LIBRARY = "libre.so.0"
LISTEN_READ = 1
GROUPS = (
    AttributeType.BENEFICIARY_INFORMATION,
    AttributeType.FLOOR_REQUEST_INFORMATION,
    AttributeType.FLOOR_REQUEST_STATUS,
    AttributeType.OVERALL_REQUEST_STATUS,
)
TEXTS = (
    AttributeType.ERROR_INFO,
    AttributeType.PARTICIPANT_PROVIDED_INFO,
    AttributeType.STATUS_INFO,
    AttributeType.USER_DISPLAY_NAME,
)
NUMBERS = (
    AttributeType.BENEFICIARY_ID,
    AttributeType.FLOOR_ID,
    AttributeType.FLOOR_REQUEST_ID,
)


class Status(ctypes.Structure):
    """``struct bfcp_reqstatus``."""

    _fields_ = [("status", c_int), ("position", ctypes.c_uint8)]


class Code(ctypes.Structure):
    """``struct bfcp_errcode``."""

    _fields_ = [("code", c_int), ("details", c_void_p), ("length", ctypes.c_size_t)]


class List(ctypes.Structure):
    """``struct bfcp_supprim`` and ``bfcp_supattr``."""

    _fields_ = [("values", POINTER(c_int)), ("count", ctypes.c_size_t)]


class Value(ctypes.Union):
    """``union bfcp_union``."""

    _fields_ = [
        ("text", ctypes.c_char_p),
        ("number", c_uint16),
        ("priority", c_int),
        ("status", Status),
        ("code", Code),
        ("list", List),
    ]


class Attribute(ctypes.Structure):
    """``struct bfcp_attr``: links of a list, the list of what is inside, type, M bit, value."""

    _fields_ = [
        ("links", c_void_p * 4),
        ("inside", c_void_p * 2),
        ("type", c_int),
        ("mandatory", c_bool),
        ("value", Value),
    ]


class Message(ctypes.Structure):
    """``struct bfcp_msg``: unknown types, where it came from, version, flags, primitive."""

    _fields_ = [
        ("unknown", ctypes.c_uint8 * 16),
        ("unknown_count", ctypes.c_size_t),
        ("source", ctypes.c_uint8 * 32),
        ("version", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("primitive", c_int),
    ]


ReceiveHandler = CFUNCTYPE(None, c_void_p, c_void_p)
ResponseHandler = CFUNCTYPE(None, c_int, c_void_p, c_void_p)
ReadHandler = CFUNCTYPE(None, c_int, c_void_p)
AttributeHandler = CFUNCTYPE(c_bool, POINTER(Attribute), c_void_p)


def say(**what: Any) -> None:
    """One line for whoever started this."""
    print(json.dumps(what), flush=True)


class Endpoint:
    """One socket with libre's transactions on it."""

    def __init__(self, serve: bool) -> None:
        self.re = ctypes.CDLL(LIBRARY)
        self.re.bfcp_msg_attr_apply.restype = c_void_p
        self.re.bfcp_attr_subattr_apply.restype = c_void_p
        self.re.bfcp_sock.restype = c_void_p
        self.serve = serve
        self.granted: set[int] = set()
        self.keep: list[Any] = []
        self._check(self.re.libre_init())
        address = self._address(0)
        self.connection = c_void_p()
        self._check(
            self.re.bfcp_listen(
                ctypes.byref(self.connection), 0, address, None, self._kept(
                    ReceiveHandler(self._received)
                ), None,
            )
        )  # fmt: skip
        bound = ctypes.create_string_buffer(256)
        self._check(self.re.udp_local_get(c_void_p(self.re.bfcp_sock(self.connection)), bound))
        self.re.sa_port.restype = c_uint16
        say(port=self.re.sa_port(bound))
        reader = self._kept(ReadHandler(self._command))
        self._check(self.re.fd_listen(0, LISTEN_READ, reader, None))

    def run(self) -> None:
        """Until stdin ends."""
        self._check(self.re.re_main(None))

    def _command(self, _flags: int, _arg: Any) -> None:
        line = sys.stdin.readline()
        if not line:
            self.re.re_cancel()
            return
        command = json.loads(line)
        attributes: list[Any] = []
        for name, value in command["attributes"]:
            # The mandatory bit, none inside, and a pointer to the value.
            type_ = AttributeType[name]
            content = c_int(value) if type_ is AttributeType.PRIORITY else c_uint16(value)
            attributes += [c_int(type_ | 0x80), c_int(0), self._pointer(content)]
        self._check(
            self.re.bfcp_request(
                self.connection,
                self._address(command["to"]),
                ctypes.c_uint8(command["version"]),
                c_int(Primitive[command["ask"]]),
                ctypes.c_uint32(command["conference"]),
                c_uint16(command["user"]),
                self._kept(ResponseHandler(self._answered)),
                None,
                ctypes.c_uint(len(command["attributes"])),
                *attributes,
            )
        )

    def _answered(self, error: int, message: int | None, _arg: Any) -> None:
        if error or message is None:
            say(answer=None, error=error)
        else:
            say(answer=self._primitive(message), **self._read(message))

    def _received(self, message: int, _arg: Any) -> None:
        primitive = self._primitive(message)
        say(asked=primitive, **self._read(message))
        if primitive in ("FLOOR_STATUS", "FLOOR_REQUEST_STATUS", "GOODBYE"):
            self._reply(message, Primitive[f"{primitive}_ACK"])
        elif self.serve:
            self._serve(message, primitive)

    def _serve(self, message: int, primitive: str) -> None:
        floor, request = self._pointer(c_uint16(1)), self._pointer(c_uint16(21))
        overall = AttributeType.OVERALL_REQUEST_STATUS | 0x80
        information = AttributeType.FLOOR_REQUEST_INFORMATION | 0x80
        floors = AttributeType.FLOOR_REQUEST_STATUS | 0x80
        status = AttributeType.REQUEST_STATUS | 0x80
        match primitive:
            case "HELLO":
                values = (c_int * 3)(1, 2, 18)
                list_ = self._pointer(List(values, 3))
                self.keep.append(values)
                self._reply(message, Primitive.HELLO_ACK, 2,
                            c_int(AttributeType.SUPPORTED_PRIMITIVES | 0x80), c_int(0), list_,
                            c_int(AttributeType.SUPPORTED_ATTRIBUTES | 0x80), c_int(0), list_,
                            )  # fmt: skip
            case "FLOOR_QUERY":
                self._reply(message, Primitive.FLOOR_STATUS, 1,
                            c_int(AttributeType.FLOOR_ID | 0x80), c_int(0), floor)  # fmt: skip
            case "FLOOR_REQUEST" | "FLOOR_RELEASE":
                asked = primitive == "FLOOR_REQUEST"
                how = RequestStatus.GRANTED if asked else RequestStatus.RELEASED
                value = self._pointer(Status(how, 0))
                self._reply(message, Primitive.FLOOR_REQUEST_STATUS, 1,
                            c_int(information), c_int(2), request,
                            c_int(overall), c_int(1), request, c_int(status), c_int(0), value,
                            c_int(floors), c_int(1), floor, c_int(status), c_int(0), value,
                            )  # fmt: skip
            case _:
                self._check(self.re.bfcp_ereply(self.connection, c_void_p(message), 3))

    def _reply(self, message: int, primitive: Primitive, count: int = 0, *rest: Any) -> None:
        self._check(
            self.re.bfcp_reply(
                self.connection, c_void_p(message), c_int(primitive), ctypes.c_uint(count), *rest
            )
        )

    @staticmethod
    def _primitive(message: int) -> str:
        return Primitive(Message.from_address(message).primitive).name

    def _read(self, message: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._collect(self.re.bfcp_msg_attr_apply, c_void_p(message), found)
        return {"attributes": found}

    def _collect(self, apply: Any, of: Any, found: dict[str, Any]) -> None:
        def take(pointer: Any, _arg: Any) -> bool:
            attribute = pointer.contents
            type_ = AttributeType(attribute.type)
            value: Any = None
            if type_ in GROUPS:
                value = {"": attribute.value.number}
                self._collect(self.re.bfcp_attr_subattr_apply, pointer, value)
            elif type_ in TEXTS:
                value = attribute.value.text.decode()
            elif type_ in NUMBERS:
                value = attribute.value.number
            elif type_ is AttributeType.REQUEST_STATUS:
                value = [attribute.value.status.status, attribute.value.status.position]
            elif type_ is AttributeType.ERROR_CODE:
                value = attribute.value.code.code
            elif type_ is AttributeType.PRIORITY:
                value = attribute.value.priority
            elif type_ in (AttributeType.SUPPORTED_ATTRIBUTES, AttributeType.SUPPORTED_PRIMITIVES):
                value = attribute.value.list.values[: attribute.value.list.count]
            found[type_.name] = value
            return False

        apply(of, AttributeHandler(take), None)

    def _address(self, port: int) -> Any:
        address = ctypes.create_string_buffer(256)
        self._check(self.re.sa_set_str(address, b"127.0.0.1", c_uint16(port)))
        return address

    def _pointer(self, value: Any) -> Any:
        self.keep.append(value)
        return ctypes.byref(value)

    def _kept(self, handler: Any) -> Any:
        self.keep.append(handler)
        return handler

    @staticmethod
    def _check(error: int) -> None:
        if error:
            raise OSError(error, "libre")


if __name__ == "__main__":
    Endpoint("--serve" in sys.argv[1:]).run()
