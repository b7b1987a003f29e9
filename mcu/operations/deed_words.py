"""What the audit's actions are called in print: Vietnamese and English, for each unsafe route."""

from collections.abc import Mapping
from typing import Final

from mcu.operations.terms import Language

DEEDS: Final[Mapping[str, tuple[str, str]]] = {
    # The conference
    "start_conference": ("mở hội nghị", "started the conference"),
    "change_conference": ("sửa thông tin hội nghị", "changed the conference"),
    "end_conference": ("kết thúc hội nghị", "ended the conference"),
    "lock": ("khóa hội nghị", "locked"),
    "unlock": ("mở khóa hội nghị", "unlocked"),
    # Rooms
    "add_participant": ("gọi điểm cầu", "called a room"),
    "change_participant": ("thay đổi điểm cầu", "changed a room"),
    "remove_participant": ("đưa điểm cầu ra", "removed a room"),
    "transfer_participant": ("chuyển điểm cầu", "moved a room"),
    "mute": ("tắt mic nhiều điểm cầu", "muted rooms"),
    "unmute": ("mở mic nhiều điểm cầu", "unmuted rooms"),
    "admit_waiting": ("mời vào từ phòng chờ", "let in"),
    "refuse_waiting": ("từ chối ở phòng chờ", "refused in the waiting room"),
    "join": ("vào họp", "joined"),
    "publish": ("vào họp (WHIP)", "joined (WHIP)"),
    "watch": ("xem hội nghị", "watched"),
    "change_leg": ("đổi kết nối", "changed a connection"),
    "leave": ("rời họp", "left"),
    # Pictures and texts
    "set_layout": ("đặt bố cục", "set the layout"),
    "start_broadcast": ("phát toàn hội", "broadcast a room"),
    "stop_broadcast": ("ngừng phát", "stopped the broadcast"),
    "start_chair_view": ("cho chủ tọa xem điểm cầu", "showed the chair a room"),
    "stop_chair_view": ("thôi cho chủ tọa xem riêng", "ended the chair's view"),
    "start_polling": ("xem lần lượt", "showed rooms in turn"),
    "change_polling": ("đổi cách xem lần lượt", "changed polling"),
    "skip_polling": ("sang điểm cầu kế tiếp", "skipped in polling"),
    "stop_polling": ("dừng xem lần lượt", "stopped polling"),
    "show_message": ("hiện thông báo", "showed a message"),
    "clear_message": ("xóa thông báo", "cleared the message"),
    "pin_overlay": ("ghim trên hình", "pinned to the picture"),
    "remove_overlay": ("gỡ khỏi hình", "removed from the picture"),
    "start_presentation": ("cho trình chiếu", "let present"),
    "stop_presentation": ("thu trình chiếu", "took the presentation back"),
    # Floor, agenda, roll call
    "grant_floor": ("cho phát biểu", "gave the floor"),
    "end_floor": ("thu quyền phát biểu", "took the floor back"),
    "interrupt_floor": ("chủ tọa xen lời", "let the chair speak"),
    "resume_floor": ("cho phát biểu tiếp", "let it go on"),
    "request_floor": ("xin phát biểu", "asked for the floor"),
    "withdraw_floor_request": ("thôi xin phát biểu", "withdrew a request for the floor"),
    "change_agenda": ("sửa chương trình", "edited the agenda"),
    "next_agenda_item": ("sang mục tiếp", "next item"),
    "previous_agenda_item": ("quay lại mục trước", "previous item"),
    "jump_to_agenda_item": ("chuyển tới mục khác", "went to an item"),
    "start_roll_call": ("bắt đầu điểm danh", "started a roll call"),
    "change_roll_call": ("điều khiển điểm danh", "steered the roll call"),
    "cancel_roll_call": ("hủy điểm danh", "cancelled the roll call"),
    "mark_room": ("điểm danh điểm cầu", "marked a room"),
    "sign_roll_call": ("ký điểm danh", "signed the roll call off"),
    # Convening, conflicts, invitations
    "convene": ("gọi tất cả điểm cầu", "convened"),
    "stop_convening": ("dừng gọi", "stopped calling"),
    "retry_convening": ("gọi lại", "called again"),
    "raise_conflict": ("hỏi điểm cầu đang bận", "asked for a busy room"),
    "decide_conflict": ("quyết định về điểm cầu", "decided about a room"),
    "invite_room": ("mời điểm cầu nơi khác", "invited a room"),
    "withdraw_invitation": ("rút lời mời", "withdrew an invitation"),
    "answer_invitation": ("trả lời lời mời", "answered an invitation"),
    # Faults
    "acknowledge_alarm": ("ghi nhận sự cố", "took note of an alarm"),
    "open_incident": ("lập hồ sơ sự cố", "opened an incident"),
    "change_incident": ("ghi vào hồ sơ sự cố", "changed an incident"),
    "inject_fault": ("tạo lỗi diễn tập", "injected a fault"),
    "clear_fault": ("gỡ lỗi diễn tập", "cleared a fault"),
    "clear_faults": ("gỡ mọi lỗi diễn tập", "cleared all faults"),
    "set_drill_script": ("soạn kịch bản lỗi", "set the script of faults"),
    "start_drill_script": ("chạy kịch bản lỗi", "started the script of faults"),
    "stop_drill_script": ("dừng kịch bản lỗi", "stopped the script of faults"),
    # Checks and recordings
    "begin_readiness_check": ("bắt đầu kiểm tra kỹ thuật", "began a readiness check"),
    "cancel_readiness_check": ("dừng kiểm tra kỹ thuật", "ended a readiness check"),
    "recheck_room": ("kiểm tra lại điểm cầu", "checked a room again"),
    "confirm_sound": ("xác nhận nghe tiếng thử", "confirmed the test tone"),
    "accept_configuration": ("chấp nhận cấu hình", "accepted a configuration"),
    "start_recording": ("bắt đầu ghi hình", "started recording"),
    "stop_recording": ("dừng bản ghi", "stopped a recording"),
    "stop_recordings": ("dừng ghi hình", "stopped recording"),
    "delete_recording": ("xóa bản ghi", "deleted a recording"),
    # What is kept beside conferences
    "create_scenario": ("soạn kịch bản", "wrote a scenario"),
    "import_scenarios": ("tải lên kịch bản", "imported scenarios"),
    "validate_scenario": ("kiểm tra kịch bản", "checked a scenario"),
    "replace_scenario": ("thay kịch bản", "replaced a scenario"),
    "change_scenario": ("sửa kịch bản", "changed a scenario"),
    "delete_scenario": ("xóa kịch bản", "deleted a scenario"),
    "create_bridge": ("thêm điểm cầu vào danh mục", "registered a room"),
    "import_bridges": ("nhập danh mục điểm cầu", "imported rooms"),
    "change_bridge": ("sửa danh mục điểm cầu", "changed a registered room"),
    "delete_bridge": ("xóa điểm cầu khỏi danh mục", "deleted a room"),
    "issue_bridge_token": ("cấp liên kết điểm cầu", "issued a room's link"),
    "issue_sip_secret": ("cấp mật khẩu SIP", "issued a SIP secret"),
    "revoke_sip_secret": ("thu hồi mật khẩu SIP", "revoked a SIP secret"),
    "set_sip_outbound": ("đặt tài khoản gọi SIP", "set a SIP calling account"),
    "clear_sip_outbound": ("xóa tài khoản gọi SIP", "cleared a SIP calling account"),
    "create_unit": ("lập đơn vị", "made a unit"),
    "change_unit": ("sửa đơn vị", "changed a unit"),
    "split_unit": ("chia tách đơn vị", "split a unit"),
    "delete_unit": ("xóa đơn vị", "deleted a unit"),
    "create_token": ("cấp mã truy cập", "issued a token"),
    "revoke_token": ("thu hồi mã truy cập", "revoked a token"),
    "open_session": ("đăng nhập", "signed in"),
    "close_session": ("đăng xuất", "signed out"),
}
"""By the route's name: Vietnamese, English."""

OUTCOMES: Final[Mapping[str, tuple[str, str]]] = {
    "done": ("đã làm", "done"),
    "refused": ("không được", "refused"),
    "denied": ("không có quyền", "no right"),
    "failed": ("lỗi máy chủ", "failed"),
}
"""By the first word of the audit's outcome."""

_NAMING: Final = ("participants", "conflicts", "invitations", "recordings")
"""What of a conference is named by an id in the step after it."""


def action_in_words(action: str, language: Language) -> str:
    """What was done; what no route is called (any more) stands as it was written down."""
    return _said(DEEDS, action, language)


def outcome_in_words(outcome: str, language: Language) -> str:
    """``done 201`` → done; of what was not done the number is told too."""
    kind, _, number = outcome.partition(" ")
    said = _said(OUTCOMES, kind, language)
    return said if kind == "done" or not number else f"{said} ({number})"


def target_in_words(target: str, conference: str, labels: Mapping[str, str]) -> str:
    """To whom it was done: a room's name, or the number of a roll call, an alarm, a fault.

    Args:
        target: an address, ``/api/v1/conferences/{id}/participants/{id}?reason=...``.
        labels: of the conference's participants, by id.
    """
    path, _, query = target.partition(f"/conferences/{conference}")[2].partition("?")
    steps = path.strip("/").split("/")
    if steps[0] in _NAMING and len(steps) > 1:
        named = labels.get(steps[1], steps[1])
    else:
        named = next((step for step in steps if step.isdigit()), "")
    reason = query.removeprefix("reason=")
    return " · ".join(each for each in (named, reason) if each)


def _said(table: Mapping[str, tuple[str, str]], key: str, language: Language) -> str:
    vietnamese, english = table.get(key, (key, key))
    return vietnamese if language == "vi" else english
