"""What refusals say: every sentence that an operator may meet, by its code.

The English is for people, scripts and logs, in the words of the interface; ``{name!r}`` shows a
value as it was given. The console has its own words for each code, in every language, as
``refusal.<code>`` in its strings. A code stays when its sentence is worded anew.
"""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "add.one-of": "takes either bridge, or name and address of a guest or one of them",
    "address.without-sip": (
        "is only for a bridge of kind sip: set its kind to sip, or leave the address out"
    ),
    "agenda.finished": "The agenda is finished: go back, or jump to an item.",
    "agenda.first-item": "This is the first item of the agenda: there is nothing before it.",
    "agenda.item-held": (
        "The item {title!r} ({item}) is held now: keep it, or go to another first."
    ),
    "agenda.no-item": "No item {item!r} is on the agenda: read it again.",
    "agenda.none": "This conference has no agenda: give it one first.",
    "agenda.none-of": "The conference {conference!r} has no agenda: give it one first.",
    "agenda.not-begun": "The agenda has not begun: there is nothing to go back to.",
    "agenda.roll-call": (
        "A roll call is not over: sign it off, or cancel it, before the agenda goes on."
    ),
    "alarm.unknown": "No alarm {number} is known here: list the alarms.",
    "blank": "must not be empty or only spaces",
    "call.address": "{reason}",
    "call.host": "sip.call_hosts does not allow calls to {host}",
    "call.own-address": (
        "is of this server: give the device's own address; a bridge is called by its id, and "
        "who is here is moved by a transfer"
    ),
    "chair-view.itself": "{label} presides and would see itself: choose another room.",
    "chair-view.no-chair": ("Nobody presides: choose a chair first, or broadcast the room to all."),
    "chair-view.not-connected": "{label} is not connected: look at it when it has joined.",
    "chair.not-listed": "The chair {room!r} is not in the roster: add it to the bridges.",
    "changed-meanwhile": "It has been changed in between; read it again and repeat the change.",
    "check.elsewhere": (
        "{name} ({room}) is being checked in {check!r} ({id}): wait for its result."
    ),
    "check.heard-or-loopback": "takes heard, loopback, or both",
    "check.no-room": "{room!r} is not among the rooms of this check.",
    "check.no-rooms": "names no bridge that could be checked",
    "check.not-measured": "{name} has not been measured: there is nothing to accept.",
    "check.one-of": "takes exactly one of bridges, conference, scenario",
    "check.over": "The check of this room is over: ask for a re-check.",
    "check.running": "{name} is being checked: wait for its result.",
    "check.too-many": "So many checks run already: wait until one of them has ended.",
    "check.too-many-rooms": "names {count} bridges; {most} can be checked at once",
    "conference.has-room": "{name} is in this conference already.",
    "conference.id-used": "The id {id!r} was used before: choose another.",
    "conference.out-of-reach": (
        "This token may not {what} {where} conference {conference!r} of unit {unit!r}; it "
        "reaches {extent} with the role {role}.{hint}"
    ),
    "conference.over": "The conference {conference!r} has ended: start a new one.",
    "conference.restoring": "The conference is restored in a moment: come again.",
    "conference.unknown": "No conference {id!r} is known: list /conferences.",
    "conflict.free": "{name} is in no conference: call it.",
    "conflict.moving": "{name} is being moved already{by}.",
    "conflict.name-one": "Several conferences ask for it: name one as `conference`.",
    "conflict.over": "{room!r} is not asked for any more: look at it again.",
    "convening.at-once": "1 to {most} rooms are called at once.",
    "convening.no-room": "{room!r} is no room of this convening.",
    "convening.none": "The rooms were not convened yet: convene them first.",
    "convening.running": (
        "The rooms are being convened{by} since {since:%H:%M:%S} UTC: stop that first, or "
        "call single rooms again."
    ),
    "convening.target": "The rooms have {shortest_s:g} to {longest_s:g} seconds to come.",
    "copy.one-of": "takes exactly one of scenario and conference",
    "drill.duration": "This fault lasts 1 to {longest_s:.0f} seconds: choose another duration.",
    "drill.in-effect": ("Fault {number} of this kind is in effect there already: clear it first."),
    "drill.jitter": "Jitter is 0 to 1000 ms.",
    "drill.left": "Its participants are on the roster no more.",
    "drill.loss": "Loss is 0 to 100 percent.",
    "drill.loss-or-jitter": "Neither loss nor jitter is given: give one.",
    "drill.no-fault": "No fault {number} is known here: list them.",
    "drill.no-room": (
        "{room!r} is not on the roster of this drill: choose one of its participants."
    ),
    "drill.no-script": "There is no script yet: set one first.",
    "drill.not-for-kind": "{name} means nothing for {kind!r}: leave it out.",
    "drill.rate": "An overloaded line carries {least:.0f} to {most:.0f} kbit/s: give its rate.",
    "drill.recording": "A recording is running, which a restart would cut: stop it first.",
    "drill.restart-all": "A restart is of the whole conference: leave the participants out.",
    "drill.script-running": "The script is running: stop it before you change it.",
    "drill.script-runs": "The script is running already: stop it first.",
    "drill.step-time": "A step comes within a day of the start.",
    "drill.steps": "A script has at most {most} steps: shorten it.",
    "drill.too-many": "A drill has at most {most} faults: start another one.",
    "drill.twice": "Somebody is named twice: name each once.",
    "empty": "must not be null",
    "events.too-many": (
        "Too many event streams are open; close some, or raise limits.max_event_streams."
    ),
    "floor.asker-gone": "{label} is not connected: let it ask when it has joined.",
    "floor.asker-missing": "says who asks; only a room asks for itself",
    "floor.chair-gone": "{label} is not connected: take the floor back instead.",
    "floor.chair-has-it": "{label} has the floor itself: there is nobody to interrupt.",
    "floor.chair-interrupts": (
        "Only the room that presides may interrupt; ask for the floor instead."
    ),
    "floor.no-chair": "Nobody presides: choose a chair, or take the floor back.",
    "floor.nobody": "Nobody has the floor: unmute the chair to let it speak.",
    "floor.not-connected": "{label} is not connected: give it the floor when it has joined.",
    "floor.not-yours": "This token may not ask for the floor for {participant!r}.",
    "floor.roll-call": ("A roll call is on: pause it, or sign it off, before you give the floor."),
    "floor.time": (
        "The floor is given for {shortest_s:.0f} to {longest_s:.0f} seconds, or without a limit: "
        "choose another time."
    ),
    "floor.withdrawer-missing": "says whose request is withdrawn; only a room has one",
    "form.fixed": "cannot be changed here; leave it out",
    "form.id": (
        "must be 1 to 64 letters (without marks), digits, dots, hyphens or underscores, and "
        "begin and end with a letter or digit"
    ),
    "form.missing": "is required",
    "form.month": "must be a year and a month, as in 2026-11",
    "form.number-of-conference": "must be 1 to 16 digits, of which the first is not 0",
    "form.participant": (
        "must be an id: letters (without marks), digits, dots, hyphens, underscores"
    ),
    "form.pattern": "has not the form that is described for it in /api/v1/openapi.json",
    "form.phone": "must be a telephone number: digits, +, brackets, spaces, dots, hyphens",
    "form.pin": "must be 4 to 10 digits",
    "form.scope": (
        'must be "all", the id of a unit, or ids of participants in a list that is not empty'
    ),
    "form.secret": "must be ASCII characters without control characters",
    "form.standard-name": (
        "must be a name of 1 to 64 small letters, digits, underscores, a letter first"
    ),
    "form.user-name": (
        "must be 1 to 128 visible ASCII characters without spaces and quotation marks"
    ),
    "form.visible": "must be visible ASCII characters: no spaces, no letters with marks",
    "given-twice": "is given more than once",
    "id.form": (
        "An id has 1 to 64 letters, digits, dots, hyphens or underscores, and begins and "
        "ends with a letter or digit."
    ),
    "id.reserved": "{id!r} has a meaning of its own: choose another id.",
    "import.cells": "has {count} cells where the header has {most}",
    "import.line": "Nothing was imported: line {line} {reason}.",
    "import.nothing": (
        "Nothing was imported: correct the lines that are named and send all again."
    ),
    "import.refused": (
        "Nothing was imported: {count} error(s). Correct the lines and send all again."
    ),
    "import.twice": "{room!r} stands on line {line} already.",
    "incident.alarm-conference": "an alarm needs its conference",
    "incident.closed": "The incident is closed: reopen it first.",
    "incident.full": "An incident has at most {most} entries: close it and open another.",
    "incident.of-alarm": "This alarm has an incident already: {incident}.",
    "incident.taken": "An incident {id!r} exists already.",
    "incident.title-or-alarm": "needs a title, or an alarm",
    "incident.unit-missing": "is needed: neither a bridge nor a conference is given",
    "incident.where": "needs a bridge, a conference or a unit",
    "invitation.conference-over": (
        "{conference!r} has ended, and the invitation of {name} with it: there is nothing to "
        "answer any more. Whoever wants the room in another conference invites it to that "
        "one."
    ),
    "invitation.not-needed": "is within reach of this token: call it, no invitation is needed",
    "invitation.not-yours": (
        "No invitation of {room!r} to this conference is yours to answer: the room's own "
        "unit does that. Those of your rooms are in {base}/invitations."
    ),
    "invitation.over": "{name} is not invited any more to {conference!r}: {what_next}.",
    "invitation.role": (
        "The role {role} may not answer for {name}: an operator or technician of its unit does."
    ),
    "invitation.too-many": "{most} rooms are invited already: withdraw some first.",
    "invitation.unknown-room": (
        "no room has the id {room!r} (a unit's id is none): look for rooms of agencies in "
        "{value}invitable, or ask the other unit for its room's id"
    ),
    "join.as-room": "This token joins as {room!r} only.",
    "join.not-called": (
        "Bridge {room!r} is not called to this conference; ask its operator to add it."
    ),
    "layout.auto-slots": (
        "The layout auto fills its slots by itself: leave slots out, or name a layout."
    ),
    "layout.rank": "The speaker's rank is 1 to {count}.",
    "layout.slots": (
        "The layout {layout} has {count} slots, not {given}: give one entry for each ({{}} "
        "for an empty one)."
    ),
    "layout.twice": (
        "{participant!r} stands in slot {slot} already: give each participant one slot."
    ),
    "layout.unknown": "No layout {layout!r} is known: choose one of {known}.",
    "leg.out-of-reach": "This token may not {what} leg {leg!r}.",
    "locked.of-others": "The conference is locked: ask its operator to unlock it.",
    "locked.to-add": "The conference is locked: unlock it to add somebody.",
    "locked.to-ask": "The conference is locked: unlock it to ask for somebody.",
    "locked.to-invite": "The conference is locked: unlock it to invite somebody.",
    "message.empty": "The message is empty: write a text, or clear the message.",
    "message.time": (
        "A message is shown for up to {longest_s:.0f} seconds: choose a duration above 0, or "
        "none to show it until it is cleared."
    ),
    "metrics.observer": "Metrics need a token of role observer or above.",
    "mute.nobody": (
        "Nobody on the roster belongs to the unit {unit!r}: name another unit, participants, "
        "or all."
    ),
    "name-or-room": "cannot be given together with bridge",
    "name.empty": "The name is empty: give one.",
    "name.needed": "A name is needed.",
    "nobody-expected": "Nobody is expected: add rooms to the conference first.",
    "not-a-drill": (
        "The conference {conference!r} is not a drill, so nothing can be broken in it: start "
        "one that is marked as a drill."
    ),
    "not-here": "There is no {noun} {id!r} here; check the id.",
    "not-known": "No {noun} {id!r} is known.",
    "number.form": "A number is 1 to 16 digits and does not begin with 0.",
    "number.taken": (
        "The number {number} belongs to the conference {conference!r} ({id}): choose another."
    ),
    "one-or-all": 'takes either `participant`, whom it concerns, or `"all": true`',
    "out-of-range": "{field} is {lowest:g} to {highest:g}, not {given:g}.",
    "overlay.empty": "The overlay has no text: write one.",
    "overlay.floor-text": "The time of the floor has no text of its own: leave it out.",
    "overlay.floor-there": "The time of the floor is shown there already: remove that first.",
    "overlay.time": (
        "An overlay stays up to {longest_s:.0f} seconds: choose a duration above 0, or none to "
        "keep it until it is removed."
    ),
    "overlay.too-many": "{most} overlays are shown already: remove one first.",
    "overlay.unknown": "No overlay {number} is known here: list them.",
    "page.cursor": "Not a cursor of this list: begin without one.",
    "page.size": "A page has 1 to {most} items.",
    "participant.out-of-reach": (
        "This token may not {what} {participant!r} in conference {conference!r}; it reaches "
        "{extent} with the role {role}."
    ),
    "picture.none": "{what} shows nothing now; ask again when it does.",
    "picture.not-sent": "{name} ({id}) has sent no picture; ask again.",
    "pin": "A PIN is 4 to 10 digits: choose another.",
    "polling.none": "No polling runs: start it first.",
    "polling.time": ("Polling stays {shortest_s:.0f} to {longest_s:.0f} seconds with each room."),
    "presentation.not-connected": ("{label} is not connected: let it present when it has joined."),
    "presentation.not-yours": "This token may not present for {participant!r}.",
    "presentation.other": (
        "{other} presents: wait until it stops, or let an operator take it back."
    ),
    "record.changed": (
        "The {noun} {id!r} has changed meanwhile (version {version}): read it again and "
        "repeat the change."
    ),
    "record.damaged": "The {noun} {id!r} is damaged in the store: restore a backup.",
    "recording.disk-full": (
        "The disk of the recordings has {left_mib} MiB left, and {reserve_mib} must stay "
        "free: delete what is not needed any more."
    ),
    "recording.none-here": "This server records nothing.",
    "recording.not-deleted": "A file cannot be deleted: {reason}.",
    "recording.running": "{name!r} is being recorded: stop it first.",
    "recording.view-running": ("The view {view!r} is being recorded as {name!r}: stop that first."),
    "report.another": "Another report is being made; ask again in a moment.",
    "report.failed": "The report cannot be made; the server's log says why.",
    "report.too-long": (
        "The report took longer than {longest_s:.0f} s; ask when less is going on."
    ),
    "request.being-done": (
        "The first request with this key is still being done; ask again in a moment."
    ),
    "requests.too-many": (
        "{who} asks too often; go on in {wait_s} s, and use events instead of polling."
    ),
    "role.may-not": "The role {role} may not do this at all.",
    "roll-call.calls-nobody": "Roll call {number} calls nobody: mark rooms instead.",
    "roll-call.cancelled": "Roll call {number} was cancelled: begin another one.",
    "roll-call.correct-singly": (
        "Roll call {number} is over: correct single rooms by a further mark."
    ),
    "roll-call.floor": "{label} has the floor: take it back, then call the rooms.",
    "roll-call.full": "Roll call {number} has {most} entries: begin another one.",
    "roll-call.grace": "The time of grace is 0 to {longest_s:.0f} seconds.",
    "roll-call.nobody-connected": (
        "None of the expected rooms is connected: wait until they have joined."
    ),
    "roll-call.not-called-now": "This room is not called now: wait until its name is shown.",
    "roll-call.not-connected": "{label} is not connected: mark it, or call another room.",
    "roll-call.not-listed": (
        "{room!r} is not on the list of roll call {number}: choose one who is."
    ),
    "roll-call.note-needed": "It is signed off: say in the note why it is corrected.",
    "roll-call.one-of": "takes exactly one of paused, calling, skip",
    "roll-call.open": "Roll call {number} is not over: sign it off, or cancel it, first.",
    "roll-call.over": "Roll call {number} is over: begin another one.",
    "roll-call.room-present-only": (
        "A room says only that it is present; the rest is for an operator."
    ),
    "roll-call.starts": "The meeting begins within a day of now: correct the time.",
    "roll-call.too-many": "A conference has at most {most} roll calls: use one of them.",
    "roll-call.twice": "{room!r} is named twice: name each room once.",
    "roll-call.unknown": "No roll call {number} is known in this conference: list them.",
    "roll-call.unmarked": (
        "{count} rooms have no mark ({some}{more}): mark them, or sign off with the rest absent."
    ),
    "room-or-guest": "is required: name the bridge, or a guest with `name`",
    "room.importance": "The importance is 0 to 100.",
    "room.in-check": (
        "{room} ({id}) is in the readiness check {check}: wait for its result, or end the check, "
        "first."
    ),
    "room.in-conference": (
        "{room} ({id}) is in the running conference {name!r} ({conference}): remove it "
        "there, or end that conference, first."
    ),
    "room.in-other-conference": (
        "{room} ({id}) is in the conference {name!r} ({conference}): remove it there, or end "
        "that conference, first."
    ),
    "room.invite-instead": ("This token may not call bridge {room!r} of unit {unit!r}: invite it."),
    "room.kind": "The kind is one of {kinds}.",
    "room.not-callable": "This token may not call bridge {room!r} of {unit!r}.",
    "room.not-of-unit": "{room!r} is not of {unit!r}.",
    "room.out-of-reach": "This token may not {what} bridge {room!r} of unit {unit!r}.",
    "room.self-only": ("A room may change {self_service} of itself; {beyond} is for an operator."),
    "room.sip-address": "The address of a sip bridge begins with sip: or sips:.",
    "room.standard-object": "The standard is a JSON object.",
    "room.standard-size": "The standard has at most {most} bytes.",
    "room.taken": "A bridge {id!r} exists already.",
    "room.twice": "{room!r} is named twice: name each bridge once.",
    "roster.full": "The roster is full ({most}): remove participants who have left.",
    "roster.nobody": (
        "No participant {participant!r} is on the roster: add it first, or choose one who is."
    ),
    "roster.not-here": "{participant!r} is not on the roster of this conference: add it first.",
    "roster.too-many": (
        "A conference has at most {most} participants, not {given}: start one for each unit."
    ),
    "scenario.broadcast-speaker": "needs a speaker who is shown to everybody",
    "scenario.duration": "is {shortest_s} to {longest_s} seconds",
    "scenario.duty-twice": "{role!r} at {room!r} is filled already",
    "scenario.duty-twice-at-centre": "{role!r} at the centre is filled already",
    "scenario.id-ending": "A scenario's id does not end in {endings}.",
    "scenario.item-id-twice": "{id!r} is the id of item {item} already",
    "scenario.item-twice": "is the same as item {item}, same speaker",
    "scenario.not-expected": "{room!r} is not among the expected bridges",
    "scenario.overlaps": "begins {early_s} seconds before item {item} is over",
    "scenario.phone": "{phone!r} cannot be dialled: 3 to 15 digits, perhaps with + before them",
    "scenario.taken": "A scenario {id!r} exists already.",
    "scenario.too-long": "takes {hours:.1f} hours in all; a session takes a day at most",
    "scenario.too-many-items": "has {count} items; an agenda has at most {most}",
    "scenario.unknown-room": "no bridge {room!r} is known, or it is out of this token's reach",
    "scenario.unreadable": "The scenario {id!r} cannot be read ({detail}) Write it anew.",
    "scenarios.list": "must be a list of 1 to {most} scenarios",
    "scenarios.no-template": "is not known in files",
    "secret.not-kept": (
        "It was done, but its answer held a secret that is not kept over a restart; revoke "
        "that token and issue another."
    ),
    "server.conferences": (
        "Not ready: as many conferences run as limits.max_conferences allows; end one first."
    ),
    "server.connections": (
        "All {most} connections are taken (limits.max_legs): close some, or raise the limit."
    ),
    "server.full": (
        "The server is full ({why}), and those inside come first: ask again in {wait_s} s, or "
        "join at another server."
    ),
    "server.joins": "Many rooms join just now: ask again in {wait_s} s.",
    "server.stopping": "The daemon is stopping: try again in a moment.",
    "server.store-unwritten": (
        "Not ready: the store cannot be written; look at the disk that holds data_dir."
    ),
    "session.none": "There is no session to end: this request came with a bearer token.",
    "session.token-needed": "Send the token itself as Authorization: Bearer TOKEN to sign in.",
    "sign-in.too-many": "Too many failed sign-ins from this address; try again in {wait_s} s.",
    "sip.not-sip": "is not of kind sip; change its kind first",
    "sip.not-sip-room": "The bridge {room!r} is not of kind sip: change its kind first.",
    "sip.off": "cannot be called: SIP is off here (sip.host)",
    "sip.secret-form": "A secret is printable ASCII without spaces.",
    "sip.secret-length": (
        "A secret has {shortest} to {longest} characters; leave it out to have one made."
    ),
    "slot.one-of": "takes at most one of participant, speaker, polling, presentation",
    "start.invite-instead": (
        "This token may not call bridge {room!r} of unit {unit!r}: start without it and invite it."
    ),
    "start.needed": "is required, unless a scenario is given",
    "store.closed": "The store is closed: the daemon is stopping.",
    "store.key": "The key file {path} cannot be used ({reason}).",
    "store.newer": (
        "The store has schema {version}, this program knows up to {known}: run the version "
        "that wrote it, or put back a backup made before."
    ),
    "store.unavailable": "The store is not available ({said}); {advice}.",
    "tables.not-for-rooms": "Tables are for those who see the whole conference.",
    "text.characters": "must not contain control or unassigned characters; take them out",
    "text.control": "The text holds control characters: take them out.",
    "text.disguise": "{disguise}; take it out",
    "text.disguised": "The {field} {disguise}: take it out.",
    "text.half-character": (
        "The text holds half a character (a lone surrogate): send valid Unicode."
    ),
    "text.longest": "At most {longest} characters.",
    "text.too-long": "The text is longer than {longest} characters: shorten it.",
    "time-zone": "needs a time zone, for example 2026-11-21T08:00:00Z",
    "token.expired": "The expiry has passed already.",
    "token.needs-room": "A token of role bridge needs its bridge.",
    "token.no-room": "Only a token of role bridge has a bridge.",
    "token.role": "The role is one of {roles}.",
    "token.room-missing": "is required for the role bridge",
    "token.room-out-of-reach": "This token may not manage tokens of bridge {room!r}.",
    "token.unit-of-room": "must be left out for the role bridge, whose bridge says it",
    "too-large": "At most {limit_bytes} bytes are accepted here; send less at once.",
    "transfer.came-by-itself": (
        "{label} came by itself and cannot be called: ask it to dial the other conference."
    ),
    "transfer.full": "The roster of {conference} is full.",
    "transfer.guest": "{label} is invited to this conference only: invite it to the other.",
    "transfer.locked": "The conference {conference} is locked: unlock it first.",
    "transfer.there-already": "{label} is in this conference already.",
    "unexpected": (
        "Something unexpected happened; the log has it under {id}. Try again, and tell the "
        "administrator this id if it stays."
    ),
    "unit.dissolved": "The unit {unit!r} was dissolved and nobody succeeded it: name another.",
    "unit.dissolved-id": (
        "{unit!r} is the id of a unit that was dissolved, whose records name it: choose another."
    ),
    "unit.in-use": "{unit} still holds {holds}: move or delete them first.",
    "unit.into-itself": "{unit!r} cannot go up in itself: name another unit.",
    "unit.level": "The level is one of {levels}.",
    "unit.merge-alone": "stands alone, or with keep_tokens: rename and move before",
    "unit.merge-target": "names the unit that this one goes up in",
    "unit.not-in": "{id!r} does not stand in {unit!r} itself (any more).",
    "unit.out-of-reach": (
        "This token may not {what} in {where}; it reaches {extent} with the role {role}.{hint}"
    ),
    "unit.own": "A token may not delete the unit it is scoped to; ask the level above.",
    "unit.succeeded": "The unit {unit!r} was dissolved: name what succeeded it: {after}.",
    "unit.taken": "A unit {id!r} exists already.",
    "unit.under": "{unit!r} stands under {above!r}: move it out first.",
    "unit.unknown": "No unit {unit!r} is known: create it first, or name another one.",
    "unit.unknown-within": "No unit {unit!r} is known under {within!r}.",
    "unknown-field": "is not known here",
    "unknown-parent": "No {field} {id!r} is known: create it first.",
    "unknown-room": "No bridge {room!r} is known: register it first.",
    "view.one-of": "must be one of {views}",
    "view.unknown": "No view {view!r} is known: choose one of {known}.",
    "waiting.gone": (
        "No participant {participant!r} is on the roster: check the id. If it waited, it has left "
        "since or was sent away."
    ),
    "waiting.let-in": (
        "It was let in already: remove it from the conference if it is not to stay."
    ),
    "yaml.line": "Nothing was read: line {line} {reason}.",
    "yaml.twice": "gives {key!r} twice",
}
