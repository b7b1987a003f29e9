"""Speaks the daemon's JSON and events to the pages, with 145 rooms and without its media core.

For tests of the pages alone: what an operator does changes the roster here and comes back as an
event, exactly as the pages rely on. Where a test needs media, ``answer`` is a real WebRTC peer.
"""

import asyncio
import io
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from PIL import Image, ImageDraw

from mcu.api.problem import Problem
from mcu.console.pages import add_pages
from tests.peers.stub_roster import (
    CONFERENCE,
    Json,
    conference,
    guest,
    khanh_hoa,
    moment,
    roster,
)
from tests.peers.stub_sip import no_account, sip_rooms, sip_trace
from tests.peers.stub_wall import StubWall

OPERATOR = "operator-token"
ROOM = "room-token"
OBSERVER = "observer-token"

Answer = Callable[[str, Json], Awaitable[str]]


def problem(status: int, kind: str, detail: str) -> web.Response:
    document = {
        "type": f"urn:mcu:problem:{kind}",
        "title": kind,
        "status": status,
        "detail": detail,
    }
    return web.json_response(document, status=status, content_type="application/problem+json")


class StubDaemon:
    """An HTTP server on loopback; an async context manager.

    Args:
        answer: makes the SDP answer of a leg; None refuses every leg with 503.
        people: the roster; Khánh Hòa's when left out.
        running: whether the conference is there from the start.
    """

    def __init__(
        self, answer: Answer | None = None, people: list[Json] | None = None, running: bool = True
    ) -> None:
        self.answer = answer
        self.people = {person["id"]: person for person in people or roster()}
        self.wall = StubWall(self.people)
        self.conference = conference(list(self.people.values()))
        self.removed: dict[str, Json] = {}
        self.running = running
        self.load: Json = {
            "level": "none", "signs": [], "given_up": [], "view_fps": 25, "processors": 0.5,
            "loop": 0.3, "cores": 2, "lateness_ms": 3.1, "ticks_missed": 0, "frames_skipped": 0,
            "legs": 10, "max_legs": 500, "refused": {"load": 0, "joins": 0, "max_legs": 0},
        }  # fmt: skip
        self.load_read = asyncio.Event()  # a reading of the load has come
        self.load_answered = asyncio.Event()  # unset: readings of the load wait for their answer
        self.load_answered.set()
        self.sip = sip_rooms(list(self.people.values()))
        self.trace = sip_trace()
        self.callers: list[Json] = []
        self.session: Json | None = None
        self.room_session: Json | None = None
        self.calls: list[tuple[str, str, Any]] = []
        self.offers: list[str] = []
        self.legs: set[str] = set()
        self.refuse: dict[str, web.Response | Problem] = {}
        self.log: list[Json] = []
        self.resumed_from: list[str | None] = []
        self.url = ""
        self._streams: set[asyncio.Queue[Json | None]] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the port of the time before if there was one."""
        app = web.Application(middlewares=[self._guard])
        add_pages(app)
        api = "/api/v1"
        item = f"{api}/conferences/{{conference}}"
        app.router.add_routes(
            [
                web.post(f"{api}/session", self._open_session),
                web.get(f"{api}/session", self._read_session),
                web.delete(f"{api}/session", self._close_session),
                web.get(f"{api}/units", self._units),
                web.get(f"{api}/units/{{unit}}", self._unit),
                web.get(f"{api}/bridges", self._bridges),
                web.get(f"{api}/bridges/{{bridge}}", self._bridge),
                web.route("*", f"{api}/bridges/{{bridge}}/sip-secret", self._sip_secret),
                web.get(f"{api}/load", self._load),
                web.get(f"{api}/conferences", self._conferences),
                web.post(f"{api}/conferences", self._start_conference),
                web.get(item, self._read_conference),
                web.patch(item, self._change_conference),
                web.delete(item, self._end_conference),
                web.get(f"{item}/participants", self._participants),
                web.post(f"{item}/participants", self._add_participant),
                web.get(f"{item}/participants/{{id}}", self._participant),
                web.patch(f"{item}/participants/{{id}}", self._change_participant),
                web.delete(f"{item}/participants/{{id}}", self._remove_participant),
                web.get(f"{item}/participants/{{id}}/picture.jpg", self._picture),
                web.get(f"{item}/participants/{{id}}/sip-trace", self._sip_trace),
                web.get(f"{item}/callers/{{id}}/sip-trace", self._sip_trace),
                web.get(f"{item}/callers", self._sip_callers),
                web.get(f"{api}/invitations", self._nobody),
                web.get(f"{item}/invitations", self._nobody),
                web.get(f"{item}/invitable", self._nobody),
                web.get(f"{item}/views/{{view}}.jpg", self._picture),
                web.post(f"{item}/mute", self._mute),
                web.post(f"{item}/unmute", self._mute),
                web.put(f"{item}/layout", self._layout),
                web.route(
                    "*",
                    f"{item}/{{what:broadcast|presentation|message|lock|chair-view}}",
                    self._setting,
                ),
                web.get(f"{item}/wall/pictures", self.wall.pictures),
                web.post(f"{item}/overlays", self._pin_overlay),
                web.delete(f"{item}/overlays/{{number}}", self._remove_overlay),
                web.post(f"{item}/legs", self._leg),
                web.post("/whep/{conference}", self._leg),
                web.route("*", f"{api}/legs/{{leg}}", self._one_leg),
                web.get(f"{api}/events", self._events),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        self.wall.stop()
        for stream in self._streams:
            stream.put_nowait(None)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def emit(self, type_: str, **data: Any) -> None:
        """Publish one event to every open stream; measured ones are not kept."""
        event: Json = {"time": moment(), "type": type_, "conference": CONFERENCE, "data": data}
        if type_.startswith("bridge."):
            event |= {"conference": None, "seq": None}
        elif not type_.endswith((".measured", ".requested")):
            event["seq"] = len(self.log) + 1
            self.log.append(event)
        for stream in self._streams:
            stream.put_nowait(event)

    def change(self, id_: str, event: str = "participant.changed", **values: Any) -> None:
        """Change a participant and say so."""
        extra = {"reason": values.pop("reason")} if "reason" in values else {}
        person = self.people[id_]
        person.update(values, version=person["version"] + 1)
        self.emit(event, participant=dict(person), **extra)

    def measure(self, seed: int) -> None:
        """One reading of levels: three speak, the others are almost silent."""
        dice = random.Random(seed)
        here = [p for p in self.people.values() if p["state"] == "connected"]
        speakers = [p["id"] for p in here if not p["audio_muted"]][:3]
        levels = {
            p["id"]: -127.0 if p["audio_muted"] else -58.0 + dice.random() * 16 for p in here
        } | {s: -12.0 - dice.random() * 14 for s in speakers}
        self.emit("levels.measured", levels=levels, speakers=speakers)

    def last(self, path: str) -> tuple[str, str, Any]:
        """The newest call of a path, whatever else the page has asked for of its own accord."""
        return next(call for call in reversed(self.calls) if call[1] == path)

    async def drop_streams(self) -> None:
        """Close every event stream, as a restart does."""
        for stream in list(self._streams):
            stream.put_nowait(None)

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not request.path.startswith(("/api", "/whep")):
            return await handler(request)
        if (
            request.method != "GET"
            and request.content_type == "application/json"
            and request.can_read_body
        ):
            self.calls.append((request.method, request.path, await request.json()))
        elif request.method != "GET":
            self.calls.append((request.method, request.path, None))
        refusal = self.refuse.get(f"{request.method} {request.path}")
        if isinstance(refusal, Problem):
            return refusal.response()
        if refusal is not None:
            return problem(refusal.status, str(refusal.headers["kind"]), str(refusal.text))
        if request.path == "/api/v1/session" and request.method == "POST":
            return await handler(request)
        if self._who(request) is None:
            refusal = problem(401, "unauthenticated", "The session is over; sign in again.")
            if request.cookies:
                refusal.headers["WWW-Authenticate"] = 'Bearer realm="mcu", error="invalid_token"'
            return refusal
        if request.method != "GET" and request.headers.get("X-CSRF-Token") != "csrf":
            return problem(403, "csrf", "The CSRF token is missing.")
        if request.match_info.get("conference", CONFERENCE) != CONFERENCE:
            return problem(404, "not-found", "There is no such conference.")
        return await handler(request)

    async def _open_session(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        roles = {OPERATOR: "operator", ROOM: "bridge", OBSERVER: "observer"}
        if token not in roles:
            return problem(401, "unauthenticated", "The token is wrong, expired or revoked.")
        bridge = next(iter(self.people)) if token == ROOM else None
        who = {
            "csrf_token": "csrf", "role": roles[token], "unit": "khanh-hoa", "bridge": bridge,
            "conference": None, "name": "Trực ban", "expires_at": moment(-3600),
        }  # fmt: skip
        if bridge is None:
            self.session = who
        else:
            self.room_session = who
        name = "mcu_session" if bridge is None else f"mcu_session_{bridge}"
        response = web.json_response(who, status=201)
        response.set_cookie(name, "secret", httponly=True, samesite="Strict")
        return response

    def _who(self, request: web.Request) -> Json | None:
        """The session that a request goes by: the room's if it asks for that."""
        room = request.headers.get("X-MCU-Room")
        name = "mcu_session" if room is None else f"mcu_session_{room}"
        who = self.session if room is None else self.room_session
        known = who is not None and who["bridge"] == room
        return who if known and request.cookies.get(name) == "secret" else None

    async def _read_session(self, request: web.Request) -> web.Response:
        return web.json_response(self._who(request))

    async def _close_session(self, request: web.Request) -> web.Response:
        if "X-MCU-Room" in request.headers:
            self.room_session = None
        else:
            self.session = None
        return web.Response(status=204)

    async def _units(self, request: web.Request) -> web.Response:
        units = khanh_hoa().units
        items = [
            {"id": u.id, "name": u.name, "level": u.level, "parent": u.parent, "version": 1}
            for u in units
        ]
        return _page(request, items)

    async def _unit(self, request: web.Request) -> web.Response:
        for unit in khanh_hoa().units:
            if unit.id == request.match_info["unit"]:
                return web.json_response({"id": unit.id, "name": unit.name})
        return problem(404, "not-found", "There is no such unit.")

    async def _bridges(self, request: web.Request) -> web.Response:
        items = [
            {"id": p["id"], "name": p["name"], "unit": p["unit"], "importance": p["importance"],
             "address": "", "contact": {}, **self._kind(p["id"])}
            for p in [*self.people.values(), *self.removed.values()]
        ]  # fmt: skip
        return _page(request, items)

    async def _bridge(self, request: web.Request) -> web.Response:
        bridge = request.match_info["bridge"]
        contact = {"name": "Nguyễn Thị Hạnh", "phone": "0258 3822 000"}
        return web.json_response({"id": bridge, "contact": contact, **self._kind(bridge)})

    def _kind(self, bridge: str) -> Json:
        sip = self.sip.get(bridge)
        return {"kind": "webrtc" if sip is None else "sip", "sip": sip}

    def sign_in(self, bridge: str, *contacts: Json) -> None:
        """A hardware room signs in from these places; from none: it has signed out."""
        self.sip[bridge] |= {
            "registered": bool(contacts),
            "reachable": "registered" if contacts else "nowhere",
            "since": moment(5400) if contacts else None,
            "contacts": list(contacts),
        }
        verb = "registered" if contacts else "unregistered"
        self.emit(f"bridge.{verb}", bridge=bridge, unit="", sip=self.sip[bridge])

    def refuse_sign_in(self, bridge: str, reason: str) -> None:
        """A hardware room is not let."""
        self.sip[bridge]["last_refused"] = {
            "time": moment(300), "reason": reason, "source": "10.1.2.3", "method": "REGISTER",
            "count": 4,
        }  # fmt: skip
        self.emit("bridge.refused", bridge=bridge, unit="", sip=self.sip[bridge])

    async def _sip_secret(self, request: web.Request) -> web.Response:
        bridge = request.match_info["bridge"]
        if request.method == "DELETE":
            self.sip[bridge] = no_account()
            return web.Response(status=204)
        self.sip[bridge]["has_secret"] = True
        secret = (await request.json()).get("secret") or "w3xkq7m2tz9h5cfnp8ra"
        account = {
            "user_name": bridge, "secret": secret, "server": "mcu.khanhhoa.gov.vn", "realm": "mcu",
            "ports": {"udp": 5060, "tcp": 5060, "tls": 5061},
            "address": f"sip:{bridge}@mcu.khanhhoa.gov.vn",
        }  # fmt: skip
        return web.json_response(account, status=201)

    def call_in(self, *callers: Json) -> None:
        """These stand at the PIN prompt from now on."""
        self.callers = list(callers)
        self.emit("callers.changed", callers=self.callers)

    async def _nobody(self, _request: web.Request) -> web.Response:
        """Of agencies elsewhere none is asked, and none asks."""
        return web.json_response({"items": []})

    async def _sip_callers(self, _request: web.Request) -> web.Response:
        return web.json_response({"items": self.callers})

    async def _sip_trace(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.trace})

    async def _load(self, request: web.Request) -> web.Response:
        answer = web.json_response(self.load)
        self.load_read.set()
        await self.load_answered.wait()
        return answer

    async def watched(self) -> None:
        """Until a page listens; what is measured is told to nobody later."""
        async with asyncio.timeout(60):
            while not self._streams:  # noqa: ASYNC110 the handler of the stream sets no event
                await asyncio.sleep(0.01)

    def strain(self, **values: Any) -> None:
        """The load changes, and the consoles are told."""
        self.load = {**self.load, **values}
        self.emit("load.measured", **self.load)

    async def _conferences(self, request: web.Request) -> web.Response:
        return _page(request, [self._now()] if self.running else [])

    def _now(self) -> Json:
        for state in self.conference["counts"]:
            self.conference["counts"][state] = sum(
                p["state"] == state for p in self.people.values()
            )
        return self.conference

    async def _start_conference(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.conference["name"] = wanted["name"]
        self.begin()
        return web.json_response(self._now(), status=201)

    def begin(self) -> None:
        """The conference starts."""
        self.running = True
        self.emit("conference.started", conference=self._now(), participants=[])

    def finish(self) -> None:
        """The conference ends for all."""
        self.running = False
        self.conference.update(state="ended", ended_at=moment())
        self.legs.clear()
        self.emit("conference.ended", reason="ended", ended_at=moment())

    async def _read_conference(self, request: web.Request) -> web.Response:
        return web.json_response(self._now())

    async def _change_conference(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        if "pin" in wanted:
            self.conference.update(pin=wanted["pin"], has_pin=wanted["pin"] is not None)
        chair = wanted.get("chair", self.conference["chair"])
        for person in self.people.values():
            role = "chair" if person["id"] == chair else "participant"
            if person["role"] != role:
                self.change(person["id"], role=role)
        self.conference["chair"] = chair
        self.emit(
            "conference.changed",
            **{name: self.conference[name] for name in ("name", "chair", "number", "has_pin")},
        )
        return web.json_response(self._now())

    async def _end_conference(self, request: web.Request) -> web.Response:
        self.finish()
        return web.Response(status=204)

    async def _participants(self, request: web.Request) -> web.Response:
        return _page(request, list(self.people.values()))

    async def _add_participant(self, request: web.Request) -> web.Response:
        who = await request.json()
        person = self.removed.pop(who.get("bridge"), None)
        if person is None:
            if "name" not in who:
                return problem(404, "not-found", "There is no such bridge.")
            person = guest(who["name"])
        self.people[person["id"]] = person
        self.emit("participant.added", participant=person)
        return web.json_response(person, status=201)

    async def _participant(self, request: web.Request) -> web.Response:
        return web.json_response(self.people[request.match_info["id"]])

    async def _change_participant(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        self.change(id_, **await request.json())
        return web.json_response(self.people[id_])

    async def _remove_participant(self, request: web.Request) -> web.Response:
        person = self.people.pop(request.match_info["id"])
        self.removed[person["id"]] = person
        reason = request.query.get("reason", "")
        self.emit("participant.removed", participant=person, reason=reason)
        return web.Response(status=204)

    async def _mute(self, request: web.Request) -> web.Response:
        muted = request.path.endswith("/mute")
        body = await request.json()
        spared = {self.conference["chair"] if e == "chair" else e for e in body.get("except", [])}
        ids = list(self.people) if body["scope"] == "all" else body["scope"]
        ids = [i for i in ids if i not in spared and self.people[i]["audio_muted"] != muted]
        for id_ in ids:
            self.people[id_].update(audio_muted=muted, version=self.people[id_]["version"] + 1)
        self.emit(
            "participants.changed", participants=ids, changes={"audio_muted": muted}, entry_muted=[]
        )
        return web.json_response(self._now())

    async def _layout(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        view = self.conference["views"][wanted["view"]]
        wanted = {"fit": view["fit"], **wanted}
        view.update({name: wanted[name] for name in ("layout", "slots", "fit")})
        self.emit("layout.changed", **wanted)
        return web.json_response(wanted)

    async def _setting(self, request: web.Request) -> web.Response:
        what, on = request.match_info["what"], request.method == "PUT"
        if what == "lock":
            self.conference["locked"] = on
            self.emit("conference.locked" if on else "conference.unlocked")
        elif what in ("broadcast", "presentation", "chair-view"):
            field = what.replace("-", "_")
            before = self.conference[field]
            self.conference[field] = (await request.json())["participant"] if on else None
            self.emit(f"{what}.started" if on else f"{what}.stopped",
                      participant=self.conference[field] or before)  # fmt: skip
        else:
            text = (await request.json())["text"] if on else None
            self.conference["message"] = {"text": text, "until": None} if on else None
            self.emit(
                "message.shown" if on else "message.cleared",
                **({"text": text, "until": None} if on else {}),
            )
        return web.json_response(self._now()) if on else web.Response(status=204)

    async def _pin_overlay(self, request: web.Request) -> web.Response:
        number = 1 + len([call for call in self.log if call["type"] == "overlay.pinned"])
        overlay = {"kind": "text", "text": "", "view": None, "until": None} | await request.json()
        overlay |= {"number": number, "pinned_at": moment()}
        self.conference["overlays"].append(overlay)
        self.emit("overlay.pinned", overlay=overlay)
        return web.json_response({"items": self.conference["overlays"]}, status=201)

    async def _remove_overlay(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        kept = [one for one in self.conference["overlays"] if one["number"] != number]
        self.conference["overlays"] = kept
        self.emit("overlay.removed", number=number, reason="removed")
        return web.Response(status=204)

    async def _picture(self, request: web.Request) -> web.Response:
        picture = Image.new("RGB", (640, 360), (24, 48, 72))
        text = request.match_info.get("view") or request.match_info["id"]
        ImageDraw.Draw(picture).text((24, 24), text, fill=(230, 240, 250))
        data = io.BytesIO()
        picture.save(data, "JPEG")
        return web.Response(body=data.getvalue(), content_type="image/jpeg")

    async def _leg(self, request: web.Request) -> web.Response:
        if self.answer is None:
            return problem(503, "unavailable", "The media core is not running here.")
        offer = await request.text()
        self.offers.append(offer)
        leg = f"leg-new-{len(self.offers)}"
        answer = await self.answer(offer, {"leg": leg, "path": request.path})
        self.legs.add(leg)
        bridge = (self._who(request) or {}).get("bridge")
        if bridge in self.people:
            replaced = self.people[bridge]["legs"]
            self.people[bridge].update(state="connected", legs=[leg])
            self.emit("participant.joined", participant=dict(self.people[bridge]), leg=leg,
                      replaced=replaced)  # fmt: skip
        return web.Response(
            status=201, text=answer, content_type="application/sdp",
            headers={"Location": f"/api/v1/legs/{leg}"},
        )  # fmt: skip

    async def _one_leg(self, request: web.Request) -> web.Response:
        leg = request.match_info["leg"]
        for person in self.people.values():
            if leg in person["legs"] and request.method == "DELETE":
                self.change(
                    person["id"], "participant.left", state="left", legs=[], reason="disconnected"
                )
                return web.Response(status=204)
        if leg not in self.legs:
            return problem(404, "not-found", "There is no such leg.")
        if request.method == "DELETE":
            self.legs.discard(leg)
            return web.Response(status=204)
        return web.json_response({"id": leg})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        last = request.headers.get("Last-Event-ID")
        self.resumed_from.append(last)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        stream: asyncio.Queue[Json | None] = asyncio.Queue()
        self._streams.add(stream)
        for event in self.log[int(last) :] if last else []:
            stream.put_nowait(event)
        with suppress(ConnectionError):
            await response.write(b": here\n\n")
            while (event := await stream.get()) is not None:
                id_ = f"id: {event['seq']}\n" if event.get("seq") else ""
                data = json.dumps(event, ensure_ascii=False)
                await response.write(f"{id_}event: {event['type']}\ndata: {data}\n\n".encode())
        self._streams.discard(stream)
        return response


def _page(request: web.Request, items: list[Json]) -> web.Response:
    """A page of 100 at most, so that the pages must follow cursors."""
    start = int(request.query.get("cursor", 0))
    end = start + min(100, int(request.query.get("limit", 100)))
    return web.json_response(
        {"items": items[start:end], "next_cursor": str(end) if end < len(items) else None}
    )
