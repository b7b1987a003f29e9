"""Offer and answer (RFC 3264) with SIP peers: pure functions from description to agreement.

An offer comes: ``answer_offer`` gives an ``Agreed``, whose ``local`` is the answer to send. An
offer is wanted (a call of ours, an INVITE without one, hold, a presentation): ``make_offer`` gives
an ``Offered``, whose ``local`` is sent, and ``complete_offer`` an ``Agreed`` once the answer is
there.
Nothing else changes: a value is kept or dropped, so glare, a refused offer and one sent again need
no undoing. Both raise ``OfferRefused`` with a reason for people; nothing a peer writes makes them
raise anything else. Each later call is handed the ``Agreed`` before: ports, keys, SSRCs and streams
stay with their section.

Browsers' offers, one bundled transport and a WHIP answer, are ``signalling.webrtc``'s; both stand
on ``signalling.media`` (decision 18).
"""

from signalling.media.negotiated import OfferRefused
from signalling.offer_answer.agreement import (
    SUITES,
    Address,
    Agreed,
    Dtls,
    Floor,
    Flow,
    Ice,
    LocalFloor,
    LocalMedia,
    Plain,
    Sdes,
    Security,
)
from signalling.offer_answer.answering import answer_offer
from signalling.offer_answer.offering import Offered, complete_offer, hold, make_offer, resume

__all__ = [
    "SUITES",
    "Address",
    "Agreed",
    "Dtls",
    "Floor",
    "Flow",
    "Ice",
    "LocalFloor",
    "LocalMedia",
    "OfferRefused",
    "Offered",
    "Plain",
    "Sdes",
    "Security",
    "answer_offer",
    "complete_offer",
    "hold",
    "make_offer",
    "resume",
]
