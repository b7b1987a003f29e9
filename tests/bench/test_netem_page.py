from bench.netem_page import Heard


def test_what_was_made_up_counts_over_connections_that_come_and_go() -> None:
    heard = Heard()
    heard.take([(1_000, 100_000)])
    heard.take([(3_000, 110_000)])
    heard.take([(0, 0)])  # closed: it says nothing any more
    heard.take([(0, 0), (500, 10_000)])
    assert heard.concealed_percent == 100 * 2_500 / 20_000


def test_nothing_heard_is_nothing_made_up() -> None:
    assert Heard().concealed_percent == 0.0
