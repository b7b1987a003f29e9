from mcu.rooms.user_agents import KEPT, MAX_CHARACTERS, UserAgents


def test_the_newest_are_kept_and_long_ones_cut() -> None:
    agents = UserAgents()
    agents.opened("leg-0", "Firefox")
    agents.opened("leg-1", "")
    assert (agents.of("leg-0"), agents.of("leg-1"), agents.of("leg-2")) == ("Firefox", None, None)
    for number in range(2, KEPT + 2):
        agents.opened(f"leg-{number}", "x" * 1_000)
    assert agents.of("leg-0") is None
    assert len(agents.of(f"leg-{KEPT}") or "") == MAX_CHARACTERS
