import pytest

from bench.figures import VoidRunError
from bench.floor import Costs, figures
from bench.floor_native import Floor, run
from bench.media import coded_pictures, coded_silence, coded_speech


def floor(cores: float) -> Floor:
    return Floor(cores, {"receive": cores / 2, "send": cores / 2}, 170.0)


def test_costs_by_leg_are_the_differences_in_percent_of_a_core() -> None:
    costs = Costs(few=0.5, many=0.7, with_viewers=0.6)
    assert costs.per_room(100) == pytest.approx(0.2)
    assert costs.per_viewer(100) == pytest.approx(0.1)


def test_figures_hold_the_daemon_against_the_floor() -> None:
    daemon = Costs(few=0.9, many=1.2, with_viewers=1.1)
    floors = [floor(0.5), floor(0.6), floor(0.55)]
    viewer, ratio, room, total = figures(daemon, floors, 50, 150)
    assert viewer.value == pytest.approx(0.2)
    assert ratio.value == pytest.approx(4.0)
    assert room.value == pytest.approx(0.3)
    assert total.value == pytest.approx(2.0)
    assert total.holds is False
    assert "receive 0.300" in total.against


def test_the_loop_decodes_encodes_and_delivers_everything() -> None:
    speech, silence = coded_speech("speaker 0"), coded_silence()
    try:
        done = run(
            [speech, silence, None], [coded_pictures()], speakers=1, seconds=0.4, warm_up_s=0.1
        )
    except VoidRunError as error:
        if "compile" in str(error):
            pytest.skip(str(error))
        raise
    assert set(done.stages) == {"receive", "audio", "video_decode", "video_encode", "send"}
    assert all(cores > 0 for cores in done.stages.values())
    assert done.cores == pytest.approx(sum(done.stages.values()))
    assert done.packets_per_leg >= 25


def test_the_loop_tells_what_it_cannot_do() -> None:
    try:
        with pytest.raises(VoidRunError, match="more speakers"):
            run([coded_silence()], [], speakers=17, seconds=0.1)
    except VoidRunError as error:
        pytest.skip(str(error))
