"""BFCP without I/O: who may present. Floor control server and participant, RFC 8855.

``FloorServer`` is what a conference needs, one for each; ``BfcpClient`` is for endpoints that want
to be the server themselves (``a=floorctrl``, RFC 8856 section 5.1). Time is monotonic seconds,
handed in. Version 1 is spoken over TCP and TLS (``reliable=True``), version 2 over UDP and DTLS.

A transport drives a server like this; ``user`` is the number of a participant's ``a=userid``::

    server = FloorServer(conference=confid, floors=(1,), policy=queue_policy)

    server.open(user, reliable=False, name="Cam Lam", first_transaction=random)  # media agreed
    server.receive(user, data, now)               # a datagram, or bytes read of its stream
    server.handle_timer(now)                      # at server.next_timer()
    for user, data in server.data_to_send():      # after every call of any method
        send(user, data)
    for event in server.events():
        tell_the_conference(event)
    server.close(user, now)                       # its call, or its connection, has ended

* Which association a datagram belongs to is the transport's to know: by the port, as every call
  has its own ``m=application`` line. A header that names another user or conference is refused.
* A participant speaks first: it opens the way through its address translator with its first
  message. What there is to be told before that is repeated, so tell the transport's address late
  or not at all: answers go where the last good message came from.
* ``ParticipantGone`` over a stream for ``protocol`` or ``no answer``: close the connection.
  ``open`` again when a participant connects anew; its requests are kept from ``open`` to ``open``.
* Whoever is not heard for ``PROBE_S`` while it has a floor or waits for one is asked; who gives no
  sign of life after 15 * T1 (7.5 s at first) is gone, and the floor is free. Over a stream, use
  the keep-alive of TCP.

The driver decides by handing in a policy, or later:

* ``queue_policy`` grants a free floor and lets others wait; ``steal_policy`` gives it to whoever
  asks; ``ask_policy`` leaves every request pending, as ``FloorAsked``, until ``grant``, ``accept``
  (into the queue) or ``deny`` is called. Any pure function of the request and of those who hold
  its floors will do.
* ``take(floor, now, name)`` when somebody without BFCP presents (a browser's room): whoever has
  the floor loses it and everybody is told the name. ``free(floor, now)`` takes it from whoever has
  it: an operator's taking back; the next of the queue gets it.
* ``FloorGranted`` and ``FloorEnded`` say which participant may send ``content:slides`` now. All of
  this is idempotent: to grant twice, or free what is free, does nothing.

A conference that is the authority itself (``StartPresentation`` ...) uses ``ask_policy``::

    FloorAsked(request)       -> ask the conference for the token; refused: server.deny(...)
    presentation started by p -> p has a pending request: server.grant(request.id)
                                 else: server.take(floor, now, name of p)
    presentation stopped      -> server.free(floor, now)
    FloorEnded(request, held) -> the conference's token is given back, if p still has it

``requests(floor)`` finds p's request. A client is driven the same way::

    client = BfcpClient(confid, userid, floorid, reliable=True)
    client.start(now)                             # the connection is open: who has the floor?
    client.request_floor(now); client.release_floor(now)
    client.receive(data, now); client.handle_timer(now); client.data_to_send()
    client.events()          -> RequestChanged, RequestRefused, HolderChanged, ServerGone

Limits: messages of ``MAX_PAYLOAD_BYTES``, ``MAX_ATTRIBUTES`` in each, groups only where the
standard has them, four requests of a participant, 64 in all, 64 things that wait to be told to one,
64 answers kept for it, four messages that wait for fragments. Rates and connections are the
transport's. Nothing raises but ``BfcpError``, which names the field.

Not here: TLS and DTLS (the transport's), their error codes (``USE_TLS``), ICE, one floor held by
several. Against the standard, ``lenient`` takes version 1 over UDP too, and answers in it: that is
what endpoints speak that are older than version 2.
"""

from signalling.bfcp.association import Association
from signalling.bfcp.board import (
    SERVER_USER,
    ChairPolicy,
    Request,
    Verdict,
    ask_policy,
    queue_policy,
    steal_policy,
)
from signalling.bfcp.client import BfcpClient
from signalling.bfcp.errors import BfcpError
from signalling.bfcp.events import (
    ClientEvent,
    FloorAsked,
    FloorEnded,
    FloorGranted,
    HolderChanged,
    ParticipantGone,
    RequestChanged,
    RequestRefused,
    ServerEvent,
    ServerGone,
)
from signalling.bfcp.message import Message, parse_message
from signalling.bfcp.registry import ErrorCode, Primitive, Priority, RequestStatus
from signalling.bfcp.server import PROBE_S, FloorServer

__all__ = [
    "PROBE_S",
    "SERVER_USER",
    "Association",
    "BfcpClient",
    "BfcpError",
    "ChairPolicy",
    "ClientEvent",
    "ErrorCode",
    "FloorAsked",
    "FloorEnded",
    "FloorGranted",
    "FloorServer",
    "HolderChanged",
    "Message",
    "ParticipantGone",
    "Primitive",
    "Priority",
    "Request",
    "RequestChanged",
    "RequestRefused",
    "RequestStatus",
    "ServerEvent",
    "ServerGone",
    "Verdict",
    "ask_policy",
    "parse_message",
    "queue_policy",
    "steal_policy",
]
