"""What the core counts; plain numbers, to be read at any time."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class SipStatistics:
    """Counters since the start.

    Args:
        transactions: begun, by kind (``INVITE client``, ``client``, ...).
        messages: by ``sent`` or ``received`` and method or class of status, ``received 2xx``.
        repetitions: ``sent`` (ours, because no answer came) and ``received`` (absorbed).
        failures: transactions that ended by ``timeout`` or ``transport error``.
        refused: messages and requests not taken, by reason: a header field's name, a status.
        dropped: messages that belong to nothing, by reason.
        calls: begun, by ``in`` or ``out``.
        results: calls that ended, by cause (``signalling.sip.causes``).
        registrations: REGISTER requests by outcome.
        sign_ins_refused: by ``SignInFault``.
    """

    transactions: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    repetitions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    registrations: Counter[str] = field(default_factory=Counter)
    sign_ins_refused: Counter[str] = field(default_factory=Counter)
