"""What a readiness check found, in the reader's language, as the console says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from mcu.conference.alarm_model import AlarmKind
from mcu.operations.report_words import WORDS
from mcu.operations.terms import Language

FINDINGS: Final[Mapping[str, str]] = {
    "busy": "đang ở hội nghị {name} ({conference}): không bị kéo ra",
    "unreached": "không liên lạc được ({cause})",
    "dropped": "mất kết nối trong lúc kiểm tra",
    "late": "hết giờ kiểm tra trước khi tới lượt",
    "cancelled": "đợt kiểm tra đã bị hủy",
    "gone": "không còn trong danh mục",
    "busy-here": "máy chủ quá tải nên không đo được (chỉ {value} % thời gian)",
    "loss-up": "mất {value} % gói gửi đi (tối đa {limit} %)",
    "loss-down": "mất {value} % gói nhận về (tối đa {limit} %)",
    "jitter-up": "độ rung chiều gửi {value} ms (tối đa {limit} ms)",
    "jitter-down": "độ rung chiều nhận {value} ms (tối đa {limit} ms)",
    "round-trip": "trễ khứ hồi {value} ms (tối đa {limit} ms)",
    "loss-up-unknown": "không có gói nào để đếm mất gói chiều gửi",
    "loss-down-unknown": "không báo mất gói chiều nhận",
    "jitter-up-unknown": "không có gói nào để đo độ rung chiều gửi",
    "jitter-down-unknown": "không báo độ rung chiều nhận",
    "round-trip-unknown": "không đo được trễ khứ hồi: không có báo cáo",
    "line-good": "mất gói, độ rung và trễ khứ hồi đạt tiêu chuẩn",
    "capacity-up": "gửi nhiều nhất {value} kbit/s (tiêu chuẩn {limit})",
    "capacity-up-unknown": "không có gì để đo đường truyền chiều gửi",
    "capacity-down": "đường truyền chiều nhận chỉ tải {value} kbit/s (tiêu chuẩn {limit})",
    "capacity-down-carried": "chiều nhận đã tải {value} kbit/s; chưa thử cao hơn (tiêu chuẩn "
    "{limit})",
    "capacity-down-unknown": "không có gì để đo đường truyền chiều nhận",
    "no-reports": "không có báo cáo nhận: không có gì chứng tỏ tiếng tới nơi",
    "not-heard": "báo không nghe thấy tiếng thử",
    "heard": "xác nhận nghe thấy tiếng thử",
    "unconfirmed": "chưa ai xác nhận nghe thấy tiếng thử",
    "only-reported": "tiếng đã tới nơi; chưa ai xác nhận nghe thấy",
    "no-sound": "không có tiếng gửi về",
    "silent": "không nghe thấy ai nói",
    "quiet": "tiếng nói quá nhỏ: {value} dBov (ít nhất {limit})",
    "clipping": "mic bị quá tải, méo tiếng",
    "speech": "tiếng nói {value} dBov",
    "loopback-speech": "trả lại tín hiệu nhận được nên không tìm tiếng nói",
    "loopback-returned": "tiếng thử đã quay về như đã khai báo",
    "loopback-silent": "khai báo thử vòng nhưng tiếng thử không quay về",
    "echo": "tiếng thử vọng về sau {delay} ms, mức {level} dB: có tiếng vọng",
    "echo-unknown": "quá ít âm thanh để biết có tiếng vọng hay không",
    "no-echo": "không có tiếng vọng",
    "no-camera": "không gửi hình",
    "no-picture": "không có hình nào tới",
    "black": "hình đen hoặc chỉ một màu",
    "frozen": "hình bị đứng",
    "still": "trong hình không có gì chuyển động",
    "small": "hình {value} (tiêu chuẩn {limit})",
    "slow": "{value} hình mỗi giây (tiêu chuẩn {limit})",
    "sound-early": "tiếng tới trước hình {value} ms, theo đồng hồ của phía gửi (nhiều "
    "nhất {limit} ms)",
    "sound-late": "tiếng tới sau hình {value} ms, theo đồng hồ của phía gửi (nhiều nhất "
    "{limit} ms)",
    "lip-sync": "tiếng và hình lệch nhau {value} ms, theo đồng hồ của phía gửi",
    "picture": "{size}, {fps} hình mỗi giây, {rate} kbit/s",
    "nothing-recorded": "chưa ghi nhận cấu hình nào: hãy chấp nhận cấu hình này",
    "changed": "{what} trước là {before}, nay là {after}",
    "unchanged": "cấu hình đúng như đã ghi nhận",
    "incident": "hồ sơ sự cố đang mở: {text}",
}
"""Vietnamese; the check's own sentence is the English one."""
WHAT: Final[Mapping[str, str]] = {
    "audio_codec": "Mã hóa tiếng",
    "video_codec": "Mã hóa hình",
    "resolution": "Độ phân giải",
    "address": "Địa chỉ",
    "user_agent": "Thiết bị",
    "certificate": "Chứng thư",
}
CAUSES: Final[Mapping[str, str]] = {
    "busy": "máy bận",
    "no_answer": "không trả lời",
    "unreachable": "không liên lạc được",
    "refused": "từ chối",
    "not_found": "không có số này",
    "name_unknown": "không tìm thấy tên máy",
    "dns_silent": "máy chủ tên miền (DNS) không trả lời",
    "not_acceptable": "không cùng định dạng",
    "server_full": "máy chủ đã đầy",
    "no_address": "chưa đăng ký và không có địa chỉ: cho thiết bị đăng ký hoặc đặt địa chỉ",
    "failed": "gọi không được",
}
"""Why a room could not be reached."""
NO_ANSWER: Final = "không trả lời"


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as the check wrote it down: its code, what stands in it, and its English."""

    code: str
    values: Mapping[str, Any]
    text: str


def read_refusing(findings: Any) -> tuple[Found, ...]:
    """Those of a result's ``findings`` for which the room is not ready; what is damaged is none."""
    return tuple(
        Found(str(each.get("code", "")), each["values"], str(each.get("text", "")))
        for each in (findings if isinstance(findings, list) else ())
        if isinstance(each, Mapping)
        and each.get("weight") in ("fault", "missing")
        and isinstance(each.get("values"), Mapping)
    )


def finding_in_words(found: Found, language: Language) -> str:
    """What was found; in English where an older check wrote down what is not known any more."""
    sentence = FINDINGS.get(found.code)
    if language == "en" or sentence is None:
        return found.text
    values = {name: _vietnamese(value) for name, value in found.values.items()}
    match found.code:
        case "changed":
            values["what"] = WHAT.get(values.get("what", ""), values.get("what", ""))
        case "unreached":
            values["cause"] = CAUSES.get(values.get("cause", ""), NO_ANSWER)
        case "incident":
            values["text"] = incident_in_words(values.get("text", ""), language)
    try:
        return sentence.format(**values)
    except (KeyError, IndexError):
        return found.text


def incident_in_words(title: str, language: Language) -> str:
    """An incident's title: what people wrote, as they wrote it; of an alarm, in words."""
    kind, _, room = title.partition(": ")
    said = WORDS[language].get(f"fault_{kind}") if kind in get_args(AlarmKind) else None
    return f"{said}: {room}" if said else title


def _vietnamese(value: object) -> str:
    return f"{value:.1f}".replace(".", ",") if isinstance(value, float) else str(value)
