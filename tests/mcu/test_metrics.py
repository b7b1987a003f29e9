"""What Prometheus reads."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from mcu.collector import Pause
from mcu.metrics import LoadReading, MediaReading, Metrics, PauseCollector, TickReading


class Readings:
    def __init__(self) -> None:
        self.reading = MediaReading()
        self.reads = 0

    def media_reading(self) -> MediaReading:
        self.reads += 1
        return self.reading


async def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families((await metrics.exposition()).decode())
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_the_media_plane_is_read_when_scraped_and_only_then() -> None:
    readings = Readings()
    metrics = Metrics(readings, process=False)
    assert readings.reads == 0
    await metrics.exposition()
    assert readings.reads == 1


async def test_pauses_of_the_collector_are_shown_by_generation() -> None:
    metrics = Metrics(Readings(), process=False)
    metrics.registry.register(PauseCollector(lambda: {0: Pause(), 1: Pause(3, 0.5, 0.25)}))
    shown = await samples(metrics)
    assert shown[key("mcu_collections_total", generation="1")] == 3
    assert shown[key("mcu_collection_seconds_total", generation="1")] == 0.5
    assert shown[key("mcu_collection_longest_seconds", generation="1")] == 0.25
    assert shown[key("mcu_collections_total", generation="0")] == 0


async def test_every_reading_is_shown() -> None:
    readings = Readings()
    readings.reading = MediaReading(
        conferences=2,
        legs={("connected", "join"): 145, ("lost", "view"): 1},
        participants={"connected": 144},
        ticks={"audio": TickReading(500, 3, 1, {"0.99": 0.004})},
        renditions={"video": 2},
        rungs={"1280x720@1500k": 1, "320x180@190k": 1},
        steps={"down": 4},
        encoders={"video": 1},
        decoders={"audio": 8},
        packets_received={"audio": 10},
        packets_sent={"video": 20},
        bytes_received={"audio": 30},
        bytes_sent={"video": 40},
        packets_lost={"audio": 5},
        dropped={"stun": 6},
        stage_seconds={("video", "encode"): 7.5},
        frames_skipped=8,
        frames_left_out=9,
        video_restarts=2,
        video_hangs=1,
        load=LoadReading(
            "strained", ("view-rate",), 15, 0.93, 0.5, 2.0, {"load": 3, "max_legs": 4}
        ),
    )
    found = await samples(Metrics(readings, process=False))
    expected = {
        key("mcu_conferences"): 2,
        key("mcu_legs", state="connected", kind="join"): 145,
        key("mcu_legs", state="lost", kind="view"): 1,
        key("mcu_participants", state="connected"): 144,
        key("mcu_ticks_total", clock="audio"): 500,
        key("mcu_ticks_late_total", clock="audio"): 3,
        key("mcu_ticks_missed_total", clock="audio"): 1,
        key("mcu_tick_lateness_seconds", clock="audio", quantile="0.99"): 0.004,
        key("mcu_renditions", kind="video"): 2,
        key("mcu_video_rungs", rung="320x180@190k"): 1,
        key("mcu_line_steps_total", direction="down"): 4,
        key("mcu_line_steps_total", direction="up"): 0,
        key("mcu_encoders", kind="video"): 1,
        key("mcu_decoders", kind="audio"): 8,
        key("mcu_packets_received_total", kind="audio"): 10,
        key("mcu_packets_sent_total", kind="video"): 20,
        key("mcu_bytes_received_total", kind="audio"): 30,
        key("mcu_bytes_sent_total", kind="video"): 40,
        key("mcu_packets_lost_total", kind="audio"): 5,
        key("mcu_dropped_total", reason="stun"): 6,
        key("mcu_stage_seconds_total", kind="video", stage="encode"): 7.5,
        key("mcu_frames_skipped_total"): 8,
        key("mcu_frames_left_out_total"): 9,
        key("mcu_video_process_restarts_total"): 2,
        key("mcu_video_process_hangs_total"): 1,
        key("mcu_load_level", level="none"): 0,
        key("mcu_load_level", level="strained"): 1,
        key("mcu_load_level", level="overloaded"): 0,
        key("mcu_given_up", what="view-rate"): 1,
        key("mcu_given_up", what="small-slots"): 0,
        key("mcu_view_fps"): 15,
        key("mcu_processors"): 2,
        key("mcu_processors_used", by="all"): 0.93,
        key("mcu_processors_used", by="loop"): 0.5,
        key("mcu_legs_refused_total", cause="load"): 3,
        key("mcu_legs_refused_total", cause="max_legs"): 4,
    }
    assert {name: found[name] for name in expected} == expected


async def test_requests_are_counted_by_route_and_status() -> None:
    metrics = Metrics(Readings(), process=False)
    metrics.request_done("GET", "/api/v1/units/{unit}", 200, 0.02)
    metrics.request_done("GET", "/api/v1/units/{unit}", 404, 0.02)
    metrics.request_done("GET", "/api/v1/events", 200, None)
    found = await samples(metrics)
    unit = {"method": "GET", "route": "/api/v1/units/{unit}"}
    assert found[key("mcu_http_requests_total", status="404", **unit)] == 1
    assert found[key("mcu_http_request_seconds_count", **unit)] == 2
    assert not any("events" in str(name) for name in found if name[0].endswith("seconds_count"))


async def test_two_apps_in_one_process_do_not_meet() -> None:
    first, second = Metrics(Readings(), process=False), Metrics(Readings(), process=False)
    first.request_done("GET", "/", 200, 0.1)
    assert not any(name.startswith("mcu_http_requests_total") for name, _ in await samples(second))


async def test_streams_are_a_gauge() -> None:
    metrics = Metrics(Readings(), process=False)
    metrics.stream_opened("sse")
    metrics.stream_opened("sse")
    metrics.stream_closed("sse")
    assert (await samples(metrics))[key("mcu_event_streams", transport="sse")] == 1


async def test_the_tasks_of_the_loop_are_counted_when_scraped() -> None:
    metrics = Metrics(Readings())
    before = (await samples(metrics))[key("mcu_tasks")]
    task = asyncio.create_task(asyncio.Event().wait())
    assert (await samples(metrics))[key("mcu_tasks")] == before + 1
    task.cancel()
