"""Documents of RFC 4575 are XML that says what is meant."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from signalling.sip.conference_info import (
    ConferenceInfo,
    ConferenceUser,
    UserMedia,
    full_document,
    partial_document,
)

NAMES = {"c": "urn:ietf:params:xml:ns:conference-info"}
ROOM = ConferenceUser(
    "sip:khanh-hoa@example.vn",
    'Điểm cầu "Khánh Hòa" <1>',
    media=(UserMedia("1", "audio"), UserMedia("2", "video", "recvonly", "main")),
    roles=("participant",),
)
OTHER = ConferenceUser("sip:nha-trang@example.vn", status="dialing-out")
INFO = ConferenceInfo("sip:hn01@example.vn", "Họp giao ban & tuần", (ROOM, OTHER))


def test_full() -> None:
    root = ElementTree.fromstring(full_document(INFO, 0))
    assert root.attrib == {"entity": "sip:hn01@example.vn", "state": "full", "version": "0"}
    assert root.findtext("c:conference-description/c:subject", None, NAMES) == INFO.subject
    assert root.findtext("c:conference-state/c:user-count", None, NAMES) == "2"
    assert root.findtext("c:conference-state/c:active", None, NAMES) == "true"
    first, second = root.findall("c:users/c:user", NAMES)
    assert first.findtext("c:display-text", None, NAMES) == ROOM.name
    assert first.findtext("c:roles/c:entry", None, NAMES) == "participant"
    media = first.findall("c:endpoint/c:media", NAMES)
    assert [one.findtext("c:type", None, NAMES) for one in media] == ["audio", "video"]
    assert media[1].findtext("c:status", None, NAMES) == "recvonly"
    assert media[1].findtext("c:label", None, NAMES) == "main"
    assert second.findtext("c:endpoint/c:status", None, NAMES) == "dialing-out"


def test_partial() -> None:
    third = ConferenceUser("sip:third@example.vn")
    after = replace(INFO, users=(replace(OTHER, status="connected"), third), is_locked=True)
    root = ElementTree.fromstring(partial_document(INFO, after, 5))
    assert root.attrib["state"] == "partial"
    users = {
        user.attrib["entity"]: user.attrib["state"] for user in root.iter(f"{{{NAMES['c']}}}user")
    }
    assert users == {OTHER.entity: "full", third.entity: "full", ROOM.entity: "deleted"}
    assert root.findtext("c:conference-state/c:locked", None, NAMES) == "true"


def test_characters_xml_has_no_place_for() -> None:
    odd = replace(INFO, subject="a\0b\x1bc\ud800d\uffffe")
    subject = ElementTree.fromstring(full_document(odd, 0)).findtext(
        "c:conference-description/c:subject", None, NAMES
    )
    assert subject == "abc?de"
