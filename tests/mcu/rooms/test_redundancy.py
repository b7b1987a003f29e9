import pytest

from mcu.legs.leg import LegStatistics, StreamStatistics
from mcu.rooms.redundancy import MAX_EXPECTED_LOSS, listeners_loss
from mixer.codecs.opus import DEFAULT_EXPECTED_LOSS


def listener(loss: float) -> LegStatistics:
    return LegStatistics(sent={"audio": StreamStatistics(fraction_lost=loss)})


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([], DEFAULT_EXPECTED_LOSS),
        ([0.0] * 10, DEFAULT_EXPECTED_LOSS),
        ([0.0] * 9 + [0.2], 0.2),
        ([0.0] * 19 + [0.2], DEFAULT_EXPECTED_LOSS),
        ([0.1, 0.2], 0.2),
        ([0.9], MAX_EXPECTED_LOSS),
    ],
)
def test_the_worst_tenth_of_the_listeners_decides(losses: list[float], expected: float) -> None:
    assert listeners_loss(listener(loss) for loss in losses) == expected


def test_what_is_lost_on_the_way_to_us_is_of_no_account() -> None:
    lossy = LegStatistics(
        received={"audio": StreamStatistics(fraction_lost=0.2)},
        sent={"video": StreamStatistics(fraction_lost=0.2)},
    )
    assert listeners_loss([lossy]) == DEFAULT_EXPECTED_LOSS
