"""One word for one thing, in Vietnamese and English: what is printed and what the console says.

The printed report takes its words from here (``report_words``), and the console's texts are
compared with them, as is the table in ``docs/terms.md``. So who reads both need not guess whether
two words mean two things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Term:
    """What one thing is called.

    Args:
        console: keys of the console's texts that say exactly this, capital letters aside.
        report: keys of the report's words in running text. headings: those that begin with a
            capital letter there.
    """

    vi: str
    en: str
    console: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


TERMS: Final[tuple[Term, ...]] = (
    # Who and where
    Term("điểm cầu", "room", ("column.room", "panel.room", "readiness.room"), headings=("room",)),
    Term("điểm cầu", "rooms", ("roster", "report.table.rooms"), headings=("rooms",)),
    Term("đơn vị tổ chức", "unit that holds it", ("start.unit",), headings=("unit",)),
    Term("đơn vị", "unit", ("incident.unit",), headings=("room_unit",)),
    Term("người điều hành", "operator", ("role.operator",)),
    # How a room stands
    Term(
        "mất tín hiệu", "signal lost", ("state.lost", "wall.trouble.lost", "alarm.lost"),
        ("fault_lost",), ("lost",),
    ),
    Term("đã rời", "left", ("state.left", "filter.left"), ("fault_left",)),
    Term(
        "gọi không được", "call failed", ("call.failed", "wall.trouble.call-failed"),
        ("fault_call_failed",),
    ),
    # Alarms
    Term("hình đen", "black picture", ("alarm.black",), ("fault_black",)),
    Term(
        "hình đứng", "frozen picture", ("alarm.frozen", "drill.kind.frozen"),
        ("fault_frozen", "drill_frozen"),
    ),
    Term("im lặng", "silent", ("alarm.silent",), ("fault_silent",)),
    Term("tiếng bị vỡ", "clipping", ("alarm.clipping",), ("fault_clipping",)),
    Term("vọng tiếng", "echo", ("alarm.echo",), ("fault_echo",)),
    Term("hú rít", "howl", ("alarm.howl",), ("fault_howl",)),
    Term("đường truyền mất gói", "line loses packets", ("alarm.loss",), ("fault_loss",)),
    Term("lệch thông số", "drift", ("alarm.drift",), ("fault_drift",)),
    Term("nghiêm trọng", "critical", ("severity.critical",), ("severity_critical",)),
    Term("nặng", "major", ("severity.major",), ("severity_major",)),
    Term("nhẹ", "minor", ("severity.minor",), ("severity_minor",)),
    # Incidents
    Term("sự cố", "faults", ("report.table.faults",), headings=("faults",)),
    Term(
        "hồ sơ sự cố", "incidents", ("incidents.title", "report.table.incidents"),
        headings=("incidents",),
    ),
    Term("chuyện gì đã xảy ra", "what has happened", ("incident.title",), headings=("incident",)),
    Term("mức độ", "severity", ("incident.severity",), headings=("severity",)),
    Term("người xử lý", "assigned to", ("incident.assignee",), headings=("assignee",)),
    Term("đang mở", "open", ("incidents.open",), ("not_closed",)),
    # Readiness
    Term("đạt", "go", ("readiness.verdict.go",), ("readiness_go",)),
    Term("không đạt", "no-go", ("readiness.verdict.no-go",), ("readiness_no_go",)),
    # Agenda
    Term("dự kiến", "planned", ("agenda.planned",), headings=("planned",)),
    Term("thực tế", "actual", ("agenda.actual",), headings=("actual",)),
    # Roll call
    Term("điểm danh", "roll call", ("panel.roll-call", "keys.roll-call"), headings=("mark",)),
    Term("điểm danh", "roll calls", ("report.table.roll-calls",), headings=("roll_calls",)),
    Term(
        "có mặt", "present",
        ("roll.status.present", "roll.present", "state.connected", "filter.connected"),
        ("status_present",), ("present",),
    ),
    Term("muộn", "late", ("roll.status.late", "convene.late"), ("status_late",)),
    Term("vắng", "absent", ("roll.status.absent", "roll.absent"), ("status_absent",)),
    Term(
        "mất tín hiệu khi được gọi", "signal lost when called", ("roll.status.lost",),
        ("status_lost",),
    ),
    Term("chưa điểm", "not marked", ("roll.status.unmarked",), ("unmarked",)),
    Term("đang tiến hành", "under way", ("roll.state.open",), ("open",)),
    Term("đã ký", "signed off", ("roll.state.signed",), ("signed",)),
    Term("chưa ký", "not signed off", ("roll.state.unsigned",), ("unsigned",)),
    Term("đã hủy", "cancelled", ("roll.state.cancelled",), ("cancelled",)),
    # Drill
    Term("mất đường truyền", "lost leg", ("drill.kind.lost",), ("drill_lost",)),
    Term("mất gói, độ rung", "loss and jitter", ("drill.kind.loss",), ("drill_loss",)),
    Term("đường truyền quá tải", "overloaded line", ("drill.kind.overload",), ("drill_overload",)),
    Term("mic bị tắt", "muted microphone", ("drill.kind.muted",), ("drill_muted",)),
    Term("camera đen hình", "black camera", ("drill.kind.black",), ("drill_black",)),
    Term("sai bộ mã hóa", "wrong codec", ("drill.kind.codec",), ("drill_codec",)),
    Term("MCU khởi động lại", "MCU restart", ("drill.kind.restart",), ("drill_restart",)),
    Term("toàn hội nghị", "whole conference", ("drill.whole",), ("drill_all",)),
    Term("máy đã cảnh báo", "the machine raised an alarm", ("drill.explain.detected",)),
    # Recording
    Term("ghi hình", "recordings", ("report.table.recordings",), headings=("recordings",)),
    Term("đang ghi", "is being recorded", ("rec.state.recording",), ("recording_running",)),
    Term("đã dừng", "stopped", ("rec.reason.stopped",), ("recording_stopped",)),
    Term(
        "kết thúc cùng hội nghị", "ended with the conference", ("rec.reason.ended",),
        ("recording_ended",),
    ),
    Term(
        "đã dừng: đĩa gần đầy", "ended: the disk is nearly full", ("rec.reason.disk_full",),
        ("recording_disk_full",),
    ),
    Term(
        "đã dừng: không ghi được", "ended: it could not be written", ("rec.reason.failed",),
        ("recording_failed",),
    ),
    Term(
        "gián đoạn: máy chủ đã dừng", "interrupted: the server stopped",
        ("rec.reason.interrupted",), ("recording_interrupted",),
    ),
    Term("hình các điểm cầu thấy", "what the rooms see", ("rec.view.main",), ("view_main",)),
    Term("hình chủ tọa thấy", "what the chair sees", ("rec.view.chair",), ("view_chair",)),
    # Lines and deeds
    Term("độ rung ms", "jitter ms", ("drill.jitter",), headings=("jitter",)),
    Term("trễ khứ hồi", "round trip", ("month.round-trip", "readiness.trip")),
    Term("tắt mic", "mute", ("mute", "alarm.mute")),
    Term("mở mic", "unmute", ("unmute",)),
    Term("tắt mic tất cả", "mute all", ("mute-all",)),
    Term("mất gói %", "loss %", ("drill.loss",), headings=("loss",)),
    Term("nhật ký thao tác", "who did what", ("report.table.actions",), headings=("deeds",)),
)  # fmt: skip

AVOIDED: Final[Mapping[str, str]] = {
    "cuộc họp": "hội nghị",
    "phiên họp": "hội nghị",
    "sự vụ": "hồ sơ sự cố",
    "tắt tiếng": "tắt mic",
    "micro": "mic",
    "trễ không đều": "độ rung",
    "trễ lệch": "độ rung",
    "báo động": "cảnh báo",
    "người điều khiển": "người điều hành",
}
"""Other Vietnamese words for the same, which neither says → what is said instead."""


def report_terms(language: Language) -> dict[str, str]:
    """The report's words that are terms, by their keys there."""
    said: dict[str, str] = {}
    for term in TERMS:
        word = term.vi if language == "vi" else term.en
        said |= dict.fromkeys(term.report, word)
        said |= dict.fromkeys(term.headings, word[0].upper() + word[1:])
    return said
