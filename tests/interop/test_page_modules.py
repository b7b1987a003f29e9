"""The pages' pure modules, run in Chromium, beside what the daemon does with the same."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from mcu.conference.automatic import fill
from mcu.conference.codec import slot_to_json
from mcu.conference.state import Participant
from mixer.video.caption import Caption, Position, drawn, places
from mixer.video.layout import LAYOUTS
from tests.peers.chromium_page import ChromiumPage
from tests.peers.stub_daemon import StubDaemon

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of the server's origin, so that modules can be imported from it."""
    async with StubDaemon() as daemon, ChromiumPage(browser) as chromium:
        await chromium.page.goto(daemon.url)
        yield chromium.page
        assert chromium.faults == []


async def test_events_are_taken_apart_wherever_chunks_end(page: Page) -> None:
    text = (
        'retry: 2000\n: alive\n\nid: 7\nevent: x\ndata: {"a":\ndata: 1}\n\n'
        "data: no id\r\n\r\nid\ndata:tight\n\ndata: unfinished\n"
    )
    found = await page.evaluate(
        """async (text) => {
            const {EventParser} = await import("/static/js/shared/events.js");
            return Array.from({length: 12}, (_, size) => {
                const events = [];
                const parser = new EventParser((event) => events.push(event));
                for (let at = 0; at < text.length; at += size + 1) {
                    parser.push(text.slice(at, at + size + 1));
                }
                return events;
            });
        }""",
        text,
    )
    expected = [
        {"id": "7", "data": '{"a":\n1}'},
        {"id": None, "data": "no id"},
        {"id": "", "data": "tight"},
    ]
    assert found == [expected] * 12


async def test_callers_are_named_as_people_name_them(page: Page) -> None:
    callers = [
        ("Phòng họp", "sip:van-chan@10.0.0.7:5070;transport=udp", "10.0.0.7:5070"),
        ("0912345678@10.0.0.7:5070", "sip:0912345678@10.0.0.7:5070", "10.0.0.7:5070"),
        ("", "sip:+84912345678@10.0.0.7", "[2001:db8::7]:5060"),
        ("+84 24 3825 1234", "sip:%2B842438251234@x", "10.0.0.7:5070"),
        ("10.0.0.7", "sip:10.0.0.7", "10.0.0.7:5070"),
        ("van-chan", "sips:van-chan@10.0.0.7", "10.0.0.7:5070"),
        ("Trực", "sip:1001@10.0.0.7", "10.0.0.7:5070"),
        ("", "sip:%zz@10.0.0.7", "10.0.0.7:5070"),
    ]
    found = await page.evaluate(
        """async (callers) => {
            const {callerWords} = await import("/static/js/console/caller.js");
            return callers.map(([name, address, source]) =>
                Object.values(callerWords({name, address, source})));
        }""",
        callers,
    )
    assert found == [
        ["Phòng họp", "van-chan", "10.0.0.7"],
        ["0912 345 678", "", "10.0.0.7"],
        ["+84 912 345 678", "", "2001:db8::7"],
        ["+84 24 3825 1234", "+84 2438 251 234", "10.0.0.7"],
        ["10.0.0.7", "", "10.0.0.7"],
        ["van-chan", "", "10.0.0.7"],
        ["Trực", "1001", "10.0.0.7"],
        ["%zz", "", "10.0.0.7"],
    ]


async def test_waits_double_up_to_the_most_and_never_agree_exactly(page: Page) -> None:
    lowest, highest = await page.evaluate("""async () => {
        const {Backoff} = await import("/static/js/shared/backoff.js");
        return [0, 1].map((random) => {
            const backoff = new Backoff({first: 500, most: 6000, random: () => random});
            return Array.from({length: 7}, () => backoff.next());
        });
    }""")
    assert lowest == [250, 500, 1000, 2000, 3000, 3000, 3000]
    assert highest == [500, 1000, 2000, 4000, 6000, 6000, 6000]


async def test_a_leg_is_kept_while_packets_arrive_and_a_new_way_is_asked_for_again(
    page: Page,
) -> None:
    found = await page.evaluate("""async () => {
        const {Rescue} = await import("/static/js/join/rescue.js");
        const {Backoff} = await import("/static/js/shared/backoff.js");
        const lost = {status: 503};
        const run = (steps) => {
            const rescue = new Rescue(0, new Backoff({first: 500, most: 2000, random: () => 1}));
            const said = [];
            let packets = 0, asks = 0;
            for (let now = 0; now <= 30_000; now += 250) {
                const step = steps(now, asks);
                packets += step.packets ?? 0;
                if (step.begin) rescue.begin(now);
                said.push(rescue.look(now, packets, step.connected ?? true));
                if (["dead", "over"].includes(said.at(-1))) {
                    return {asks, now, seen: [...new Set(said)]};
                }
                if (rescue.due(now)) {
                    rescue.asked(now);
                    asks += 1;
                    rescue.answered(now, step.error === undefined ? lost : step.error);
                }
            }
            return {asks, now: null, seen: [...new Set(said)]};
        };
        return {
            flows: run(() => ({packets: 5})),
            answered: run((now, asks) => ({packets: 5, error: asks === 2 ? null : lost})),
            silent: run(() => ({})),
            falters: run((now) => ({packets: now % 3000 ? 0 : 5})),
            gone: run(() => ({packets: 5, error: {status: 404}})),
            refused: run(() => ({packets: 5, error: {status: 403}})),
            waits: run((now, asks) => ({packets: 5,
                error: asks ? null : {status: 429, retryAfter: 9}})),
            apart: run((now) => ({packets: 5, connected: now > 9000, error: null})),
            twice: run((now) => ({packets: 5, error: null, begin: now === 250})),
        };
    }""")
    assert found["flows"] == {"asks": 8, "now": 11_750, "seen": ["flowing", "over"]}
    assert found["answered"] == {"asks": 3, "now": 1_750, "seen": ["flowing", "over"]}
    assert found["silent"]["now"] == 7_000
    assert found["silent"]["seen"] == ["flowing", "stalled", "dead"]
    assert found["falters"]["seen"][-1] == "over"
    assert found["gone"] == {"asks": 1, "now": 250, "seen": ["flowing", "dead"]}
    assert found["refused"] == {"asks": 1, "now": 250, "seen": ["flowing", "over"]}
    assert found["waits"] == {"asks": 2, "now": 9_250, "seen": ["flowing", "over"]}
    assert found["apart"] == {"asks": 1, "now": 9_250, "seen": ["stalled", "over"]}
    assert found["twice"] == {"asks": 1, "now": 250, "seen": ["flowing", "over"]}


async def test_notices_begin_below_what_is_drawn_at_the_top_left(page: Page) -> None:
    """However the mixer breaks the texts: nothing of them is hidden, and little room is wasted."""
    texts = [
        "Giải lao",
        "HỘI NGHỊ TRỰC TUYẾN PHÒNG, CHỐNG THIÊN TAI",
        "Mời các điểm cầu chuẩn bị " * 7,
    ]
    width, height = 1280, 720
    positions: tuple[Position, ...] = ("top-left", "top")
    for text in texts:
        for position in positions:
            captions = [Caption("top-left", "DIỄN TẬP"), Caption(position, text)]
            sizes = []
            for each in captions:
                bitmap = drawn(each, round(height / 26), width // 2)
                assert bitmap is not None
                sizes.append((each.position, bitmap.width, bitmap.height))
            lowest = max(rect.bottom for rect in places(sizes, width, height))
            conference = {
                "drill": True,
                "overlays": [
                    {"kind": "text", "text": text, "position": position, "view": None},
                    {"kind": "text", "text": text, "position": position, "view": "chair"},
                    {"kind": "text", "text": text, "position": "bottom", "view": None},
                ],
            }
            begin: float = await page.evaluate(
                """async (conference) => {
                    const {freeFrom} = await import("/static/js/console/picture.js");
                    return freeFrom(conference, "main");
                }""",
                conference,
            )
            assert lowest <= begin * height + 1
            assert begin * height <= lowest + 70


async def test_an_ice_restart_changes_credentials_and_candidates_only(page: Page) -> None:
    answer = "\r\n".join([
        "v=0", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0",
        "a=ice-ufrag:old", "a=ice-pwd:oldpassword", "a=candidate:1 1 udp 1 10.0.0.1 1 typ host",
        "a=end-of-candidates", "a=sendrecv", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1",
        "a=ice-ufrag:old", "a=ice-pwd:oldpassword", "a=sendrecv", "",
    ])  # fmt: skip
    fragment = "a=ice-ufrag:new\r\na=ice-pwd:newpassword\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    fragment += "a=candidate:2 1 udp 1 10.0.0.2 2 typ host\r\na=end-of-candidates\r\n"
    changed, sent = await page.evaluate(
        """async ([answer, fragment]) => {
            const {withFragment, iceFragment} = await import("/static/js/shared/rtc.js");
            return [withFragment(answer, fragment), iceFragment(answer)];
        }""",
        [answer, fragment],
    )
    assert "old" not in changed
    assert changed.count("a=ice-ufrag:new\r\n") == changed.count("a=ice-pwd:newpassword\r\n") == 2
    assert "10.0.0.1" not in changed
    assert "10.0.0.2" in changed
    kept = [
        line for line in answer.split("\r\n") if not line.startswith(("a=ice-", "a=cand", "a=end"))
    ]
    assert [line for line in changed.split("\r\n") if line in kept] == kept
    assert sent.split("\r\n") == [
        "a=group:BUNDLE 0 1", "a=ice-ufrag:old", "a=ice-pwd:oldpassword",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "",
    ]  # fmt: skip


def person(number: int, **values: Any) -> Participant:
    return Participant(
        id=f"room-{number}", name=f"Room {number}", label=f"Room {number}", order=number,
        presence="connected", join_order=number, **values,
    )  # fmt: skip


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
async def test_places_stand_as_the_daemon_fills_them(page: Page, layout: str) -> None:
    people = [person(n) for n in range(5)]
    _, slots = fill(layout, people)
    shown = await page.evaluate(
        """async ([layout, ids]) => {
            const {filledSlots} = await import("/static/js/console/slots.js");
            return filledSlots(layout, ids.map((id) => ({id})));
        }""",
        [layout, [each.id for each in people]],
    )
    assert shown == [slot_to_json(slot) for slot in slots]


async def test_seats_are_given_as_the_daemon_gives_them(page: Page) -> None:
    order = await page.evaluate("""async () => {
        const {seated} = await import("/static/js/console/slots.js");
        const room = (id, values) => ({id, state: "connected", role: "participant", importance: 0,
            joined_at: "2026-11-21T08:00:00Z", ...values});
        const people = [
            room("left", {state: "left"}),
            room("expected", {state: "expected", importance: 90, joined_at: null}),
            room("late", {joined_at: "2026-11-21T08:05:00Z"}),
            room("early", {}),
            room("lost", {state: "lost", importance: 10}),
            room("chair", {role: "chair", joined_at: "2026-11-21T09:00:00Z"}),
        ];
        return ["main", "chair"].map((view) => seated(people, view).map((each) => each.id));
    }""")
    assert order[0] == ["chair", "lost", "early", "late", "expected"]
    assert order[1] == ["lost", "early", "late", "expected"]


async def test_auto_comes_to_the_smallest_grid(page: Page) -> None:
    chosen = await page.evaluate("""async () => {
        const {resolved} = await import("/static/js/shared/layouts.js");
        return [0, 1, 2, 4, 5, 9, 10, 16, 17, 25, 36, 37, 49, 145].map((n) => resolved("auto", n));
    }""")
    people = [person(n) for n in range(145)]
    counts = [0, 1, 2, 4, 5, 9, 10, 16, 17, 25, 36, 37, 49, 145]
    assert chosen == [fill("auto", people[:count])[0] for count in counts]


@pytest.mark.parametrize(
    ("change", "grade", "loss"),
    [
        ({}, "good", 0.0),
        ({"lost": 2}, "fair", 100 * 2 / 102),
        ({"lost": 10}, "poor", 100 * 10 / 110),
        ({"sentLoss": 0.03}, "fair", 3.0),
        ({"tripMs": 300}, "fair", 0.0),
        ({"tripMs": 700}, "poor", 0.0),
        ({"jitterMs": 90}, "poor", 0.0),
        ({"packets": 0}, "poor", 0.0),
    ],
)
async def test_a_line_is_judged_by_what_a_room_feels(
    page: Page, change: dict[str, float], grade: str, loss: float
) -> None:
    line = await page.evaluate(
        """async (change) => {
            const {between} = await import("/static/js/join/line.js");
            const before = {at: 0, lost: 0, packets: 0, bytesIn: 0, bytesOut: 0, jitterMs: 5,
                tripMs: 20, sentLoss: 0, fpsIn: 25, fpsOut: 25, widthOut: 640, heightOut: 360};
            return between(before, {...before, at: 2000, packets: 100, bytesIn: 250000, ...change});
        }""",
        change,
    )
    assert line["grade"] == grade
    assert line["lossPercent"] == pytest.approx(loss)
    assert line["kbitIn"] == pytest.approx(1000)
    assert line["silent"] is (change.get("packets") == 0)


async def test_names_are_found_without_diacritics(page: Page) -> None:
    folded = await page.evaluate("""async () => {
        const {fold} = await import("/static/js/shared/i18n.js");
        return ["Đại Lãnh", "VĨNH NGUYÊN", "Ba Cụm Bắc", "Ninh Ích"].map(fold);
    }""")
    assert folded == ["dai lanh", "vinh nguyen", "ba cum bac", "ninh ich"]


async def test_a_roster_has_alarms_where_trouble_is(page: Page) -> None:
    room = {"importance": 0, "quality": {"grade": "good"}, "role": "bridge", "state": "connected"}
    people: list[dict[str, Any]] = [
        {**room, "id": "well", "label": "A"},
        {**room, "id": "chair", "label": "B", "role": "chair"},
        {**room, "id": "left", "label": "C", "state": "left"},
        {**room, "id": "poor", "label": "D", "quality": {"grade": "poor"}},
        {**room, "id": "drifts", "label": "E"},
        {**room, "id": "black", "label": "G"},
        {**room, "id": "frozen", "label": "F"},
        {**room, "id": "echo", "label": "H"},
        {**room, "id": "lost", "label": "I", "state": "lost"},
        {**room, "id": "gone", "label": "K", "state": "left", "lost_at": "2026-11-02T07:30:00Z"},
        {**room, "id": "back", "label": "L"},
    ]
    alarms = {
        "drifts": [{"kind": "drift", "severity": "minor"}],
        "black": [{"kind": "black", "severity": "major"}, {"kind": "loss", "severity": "minor"}],
        "frozen": [{"kind": "frozen", "severity": "major"}],
        "echo": [{"kind": "echo", "severity": "critical"}],
        "lost": [{"kind": "lost", "severity": "major"}],
        "back": [{"kind": "lost", "severity": "major"}],
    }
    found, told = await page.evaluate(
        """async ([people, alarms]) => {
            const {tellingAlarms, troubleFirst} = await import(
                "/static/js/console/roster-order.js");
            const of = new Map(Object.entries(alarms));
            return [
                troubleFirst(people, of).map(({id}) => id),
                people.filter((one) => tellingAlarms(one, of.get(one.id)).length).map(({id}) => id),
            ];
        }""",
        [people, alarms],
    )
    assert found == [
        "lost", "echo", "frozen", "black", "back", "drifts", "poor", "gone", "chair", "well",
        "left",
    ]  # fmt: skip
    assert told == ["drifts", "black", "frozen", "echo", "back"], "a lost room says so itself"


async def test_a_key_means_one_thing(page: Page) -> None:
    shortcuts = await page.evaluate("""async () => {
        const {SHORTCUTS} = await import("/static/js/console/keys.js");
        return SHORTCUTS.map(([keys]) => keys);
    }""")
    said = [
        each
        for keys in shortcuts
        for each in ([f"Shift+{keys[1]}"] if keys[0] == "Shift" else keys)
    ]
    letters = [each for each in said if each[-1].isalpha() and len(each.split("+")[-1]) == 1]
    assert len(letters) == len(set(letters)) > 30


async def test_what_the_server_refuses_is_said_in_the_pages_language(page: Page) -> None:
    problem = {
        "type": "urn:mcu:problem:conflict",
        "status": 409,
        "detail": "The roster of 'hop' is full.",
        "code": "transfer.full",
        "params": {"conference": "hop"},
    }
    said = await page.evaluate(TOLD, [problem, "vi"])
    assert said == ["Danh sách dự họp của “hop” đã đầy. Bớt điểm cầu ở đó trước.", ""]
    said = await page.evaluate(TOLD, [problem, "en"])
    assert said == ["The roster of “hop” is full. Remove somebody there first.", ""]


async def test_only_what_has_no_code_is_left_in_the_servers_words(page: Page) -> None:
    entry = {"field": "$.items[1].duration_s", "message": "English", "code": "form.least"}
    problem = {
        "type": "urn:mcu:problem:invalid-input",
        "status": 422,
        "detail": "Correct and send again: $.items[1].duration_s English.",
        "errors": [entry | {"params": {"least": 600}}, {"field": "$.odd", "message": "Odd"}],
    }
    said = await page.evaluate(TOLD, [problem, "vi"])
    assert said == ["Mục 2 · Thời lượng: Phải từ 10 phút trở lên.", "$.odd: Odd"]
    unknown = {"type": "urn:mcu:problem:conflict", "detail": "Something new.", "code": "new.one"}
    advice, words = await page.evaluate(TOLD, [unknown, "vi"])
    assert advice.startswith("Trạng thái hiện tại")
    assert words == "Something new."


TOLD = """async ([problem, language]) => {
    const {setLanguage} = await import("/static/js/shared/i18n.js");
    const {ApiError} = await import("/static/js/shared/api.js");
    setLanguage(language);
    const error = new ApiError(problem.status ?? 409, problem);
    return [error.advice, error.detail];
}"""
"""What an error says, and what it leaves to the server's own words."""


async def test_rooms_are_listed_below_units_that_hold_several(page: Page) -> None:
    lines = await page.evaluate("""async () => {
        const {linesOf} = await import("/static/js/console/room-choice.js");
        const unit = (id, depth) => ({unit: {id, name: id}, depth});
        const room = (id, unit) => ({id, unit, name: id, importance: 1});
        const places = [["tinh", 0], ["huyen", 1], ["xa-1", 2], ["xa-2", 2], ["xa-3", 1]];
        const tree = places.map(([id, depth]) => unit(id, depth));
        const stand = [["a", "xa-1"], ["b", "xa-2"], ["c", "xa-3"], ["d", "tinh"]];
        const rooms = stand.map(([id, where]) => room(id, where));
        return linesOf(tree, rooms).map((line) =>
            "room" in line ? [line.room.id, line.depth] : [line.unit.id, line.depth, line.rooms]);
    }""")
    assert lines == [
        ["tinh", 0, ["d", "a", "b", "c"]],
        ["d", 1],
        ["huyen", 1, ["a", "b"]],
        ["a", 2],
        ["b", 2],
        ["c", 1],
    ]
