"""SIP without I/O: messages, transactions, dialogs, registrar, and a user agent on top of them.

``UserAgent`` is what a server needs; the layers below it can be used alone. Values of messages are
those of the library ``sipmessage``. Time is monotonic seconds, handed in.

A transport drives an agent like this::

    agent = UserAgent(AgentSettings((Listener("udp", "192.0.2.1", 5060),)))

    agent.receive(data, Hop("udp", host, port), now)   # every datagram, or message of a stream
    agent.handle_timer(now)                            # at agent.next_timer()
    for effect in agent.effects():                     # after every call of any method
        if isinstance(effect, SendMessage):
            send(effect.hop, effect.data)              # or agent.transport_failed(effect, now)
        else:
            tell_the_media_engine(effect)

* ``Hop`` says where to: transport, host, port. A port of None means that the host is a name still
  to be looked up by RFC 3263 (SRV, then A or AAAA; a name alone with the transport that stands
  there). ``connection`` is the transport's own number of a stream: what came over a stream is
  handed in with it, and answers go out on it; where that stream is gone, report it by
  ``transport_failed``. New streams are opened for hops without one.
* What cannot be sent (name unknown, connection refused, certificate wrong) is reported by
  ``transport_failed``; a call then ends as ``unreachable``. Over UDP nothing has to be reported.
* Streams are cut into messages by ``MessageStream``. Limits of datagrams and messages are those of
  ``normalise``; limits of rates and connections are the transport's.
* One thread only. No method blocks; the longest, reading a message, takes a fraction of a
  millisecond for each kilobyte.

A media engine sees calls as events and gives commands; session descriptions are bytes that pass
through unread::

    CallReceived(call, sdp=offer)      -> ring, then accept(call, answer) or reject or redirect
    CallReceived(call, sdp=None)       -> accept(call, offer); CallConfirmed(call, sdp=answer)
    agent.call(target, offer)          -> CallProgressed ..., CallAnswered(call, answer)
    agent.call(target, None)           -> CallAnswered(call, offer, answer_needed) -> confirm
    agent.change_media(call, offer)    -> MediaAnswered(call, answer) or MediaRefused(call, code)
    MediaOffered(call, offer)          -> answer_media(call, answer) or refuse_media
    PictureRequested(call)             -> send a key frame; request_picture asks the peer for one
    DigitReceived(call, digit)         -> a PIN, for example
    CallEnded(call, cause)             -> free everything; the last event of every call

``MediaOffered`` must be answered, at once if possible: until then the call can change nothing else.
A session refreshed with the same description is answered without being told. ``hang_up`` may be
called at any time; what the standard wants in between (CANCEL, ACK, waiting) is done inside.

Registrations (``BindingsChanged``), who signs in (``SignedIn``, ``SignInRefused``), transfers
(``ReferReceived``), subscribers of a conference (``show_conference``) and ``statistics`` are
described where they stand. What of which standard is done is in ``docs/sip.md``.
"""

from signalling.sip.agent import UserAgent
from signalling.sip.causes import Cause, Reason
from signalling.sip.conference_info import ConferenceInfo, ConferenceUser, UserMedia
from signalling.sip.digest import Credentials, DigestVerifier, ha1
from signalling.sip.effects import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallId,
    CallProgressed,
    CallReceived,
    DigitReceived,
    Effect,
    Event,
    InfoReceived,
    MediaAnswered,
    MediaOffered,
    MediaRefused,
    OptionsAnswered,
    PictureRequested,
    ReferProgressed,
    ReferReceived,
)
from signalling.sip.errors import SipError
from signalling.sip.framing import MessageStream
from signalling.sip.hop import Hop, Transport
from signalling.sip.message import parse_message
from signalling.sip.registrar import Binding, BindingsChanged, Registrar, RegistrarLimits
from signalling.sip.session_timer import SessionPolicy
from signalling.sip.settings import AgentSettings, Listener
from signalling.sip.sign_in import SignedIn, SignInFault, SignInRefused
from signalling.sip.statistics import SipStatistics
from signalling.sip.subscriptions import Watchers
from signalling.sip.timers import TimerValues
from signalling.sip.transactions import SendMessage

__all__ = [
    "AgentSettings",
    "Binding",
    "BindingsChanged",
    "CallAnswered",
    "CallConfirmed",
    "CallEnded",
    "CallId",
    "CallProgressed",
    "CallReceived",
    "Cause",
    "ConferenceInfo",
    "ConferenceUser",
    "Credentials",
    "DigestVerifier",
    "DigitReceived",
    "Effect",
    "Event",
    "Hop",
    "InfoReceived",
    "Listener",
    "MediaAnswered",
    "MediaOffered",
    "MediaRefused",
    "MessageStream",
    "OptionsAnswered",
    "PictureRequested",
    "Reason",
    "ReferProgressed",
    "ReferReceived",
    "Registrar",
    "RegistrarLimits",
    "SendMessage",
    "SessionPolicy",
    "SignInFault",
    "SignInRefused",
    "SignedIn",
    "SipError",
    "SipStatistics",
    "TimerValues",
    "Transport",
    "UserAgent",
    "UserMedia",
    "Watchers",
    "ha1",
    "parse_message",
]
