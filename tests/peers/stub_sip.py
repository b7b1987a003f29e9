"""Hardware rooms and a call of theirs as the interface's JSON."""

from tests.peers.stub_roster import Json, moment


def no_account() -> Json:
    return {
        "registered": False, "reachable": "nowhere", "since": None, "contacts": [],
        "has_secret": False, "has_outbound": False, "last_refused": None,
    }  # fmt: skip


def contact(number: int, transport: str = "udp") -> Json:
    return {
        "address": f"sip:phong-{number}@10.20.{number}.7:5060",
        "transport": transport,
        "source": f"10.20.{number}.7:5060",
        "expires_at": moment(-1800),
        "user_agent": "RoomCodec X30 4.2.1" if number % 2 else "",
    }


def sip_rooms(people: list[Json]) -> dict[str, Json]:
    """Every seventh room has a codec: signed in, not signed in, without a secret."""
    rooms: dict[str, Json] = {}
    for number, person in enumerate(people[4::7]):
        account = no_account() | {"has_secret": number % 5 != 4}
        if number % 5 < 3:
            contacts = [contact(number, "tls" if number % 2 else "udp")]
            account |= {"registered": True, "since": moment(3600 * number), "contacts": contacts}
            account |= {"reachable": "registered"}
        rooms[person["id"]] = account
    return rooms


_SAID = (
    ("received", "INVITE", "INVITE sip:giao-ban@mcu.khanhhoa.gov.vn SIP/2.0"),
    ("sent", "100 Trying (INVITE)", "SIP/2.0 100 Trying"),
    ("sent", "401 Unauthorized (INVITE)", "SIP/2.0 401 Unauthorized"),
    ("received", "ACK", "ACK sip:giao-ban@mcu.khanhhoa.gov.vn SIP/2.0"),
    ("received", "INVITE", "INVITE sip:giao-ban@mcu.khanhhoa.gov.vn SIP/2.0"),
    ("sent", "180 Ringing (INVITE)", "SIP/2.0 180 Ringing"),
    ("sent", "200 OK (INVITE)", "SIP/2.0 200 OK"),
    ("received", "ACK", "ACK sip:giao-ban@10.20.0.1 SIP/2.0"),
    ("sent", "INFO", "INFO sip:phong-1@10.20.1.7:5060 SIP/2.0"),
    ("received", "200 OK (INFO)", "SIP/2.0 200 OK"),
)


def sip_trace() -> list[Json]:
    return [
        {
            "time": moment(60 - number * 0.13),
            "direction": direction,
            "transport": "udp",
            "remote": "10.20.1.7:5060",
            "summary": summary,
            "text": f"{first}\r\nVia: SIP/2.0/UDP 10.20.1.7:5060;branch=z9hG4bK776as{number};rport"
            f"\r\nFrom: <sip:phong-1@mcu.khanhhoa.gov.vn>;tag=49{number}\r\nTo: <sip:giao-ban@mcu."
            f"khanhhoa.gov.vn>\r\nCall-ID: 843817637684230\r\nCSeq: {number} INVITE\r\n"
            "Content-Length: 0\r\n\r\n",
            "failure": None,
            "failure_cause": None,
            "failure_detail": None,
        }
        for number, (direction, summary, first) in enumerate(_SAID)
    ]
