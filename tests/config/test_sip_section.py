"""The section ``sip``: what it takes, and how faults in it are named."""

from pathlib import Path

import pytest

from config.document import parse_document
from config.reference import markdown
from config.settings import SettingsError, load


def faults(**environ: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(None, {f"MCU_SIP__{key}": value for key, value in environ.items()})
    return {problem.key: problem.reason for problem in caught.value.problems}


def test_example_of_the_page_is_valid(tmp_path: Path) -> None:
    section = markdown().partition("### sip")[2]
    example = section.split("```yaml\n")[1].split("```")[0]
    parse_document(example, "example")
    path = tmp_path / "mcu.yaml"
    path.write_text(example, encoding="utf-8")
    sip = load(path, {}).sip
    assert [rule.pattern for rule in sip.dial_plan] == ["0", "9{number}*{pin}", "giao-ban"]
    assert sip.guests == "with_pin"


def test_defaults_let_nobody_in_who_has_no_account() -> None:
    sip = load(None, {}).sip
    assert (sip.host, sip.guests, sip.plain_rtp, sip.latching) == (
        None,
        "refused",
        "internal",
        "signalling",
    )
    assert sip.digest_algorithms == ("SHA-256", "MD5")


def test_rules_in_the_environment() -> None:
    rules = '[{pattern: "0", own: true}, {pattern: "{any}", refuse: true}]'
    sip = load(None, {"MCU_SIP__DIAL_PLAN": rules}).sip
    assert [rule.refuse for rule in sip.dial_plan] == [None, True]


def test_a_fault_in_a_rule_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mcu.yaml"
    path.write_text(
        "sip:\n  dial_plan:\n    - {pattern: '1', own: true}\n    - pattern: '{room}'\n"
        "      own: true\n",
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    (problem,) = caught.value.problems
    assert problem.key == "sip.dial_plan[1].pattern"
    assert problem.origin.endswith("line 4")


@pytest.mark.parametrize(
    ("name", "text", "key", "reason"),
    [
        ("HOST", "mcu.example.org", "sip.host", "IPv4 or IPv6"),
        ("UDP_PORT", "70000", "sip.udp_port", "less than or equal"),
        ("DOMAINS", "a b", "sip.domains[0]", "without scheme"),
        ("REALM", 'a"b', "sip.realm", "quotation marks"),
        ("REALM", "", "sip.realm", "printable ASCII"),
        ("DIGEST_ALGORITHMS", "", "sip.digest_algorithms", "at least 1"),
        ("DIGEST_ALGORITHMS", "MD5,MD5", "sip.digest_algorithms", "twice"),
        ("DIGEST_ALGORITHMS", "SHA1", "sip.digest_algorithms[0]", "SHA-256"),
        ("REGISTRATION_MIN_S", "5", "sip.registration_min_s", "greater than or equal"),
        ("REGISTRATION_MAX_S", "59", "sip.registration_max_s", "greater than or equal"),
        ("REGISTRATION_MIN_S", "7200", "sip", "must not be below registration_min_s"),
        ("REDIAL_MAX_S", "1", "sip", "must not be below redial_min_s"),
        ("OUTBOUND_PROXY", "proxy.example.org", "sip.outbound_proxy", "sip:proxy"),
        ("OUTBOUND_PROXY", "sip:", "sip.outbound_proxy", "sip:proxy"),
        ("GUESTS", "some", "sip.guests", "with_pin"),
        ("PLAIN_RTP", "yes", "sip.plain_rtp", "internal"),
        ("INTERNAL_NETWORKS", "10.0.0.1/8", "sip.internal_networks[0]", "network"),
        ("TLS_KEY", "key.pem", "sip", "belong together"),
        ("TLS_CLIENT_CERTIFICATES", "required", "sip", "tls_ca must be given"),
        ("MESSAGES_PER_SECOND", "0", "sip.messages_per_second", "greater than 0"),
    ],
)
def test_faults(name: str, text: str, key: str, reason: str) -> None:
    found = faults(**{name: text})
    assert key in found, found
    assert reason in found[key]


def test_some_way_in_must_be_left() -> None:
    found = faults(HOST="::", UDP_PORT="0", TCP_PORT="0", TLS_PORT="0")
    assert "at least one" in found["sip"]


@pytest.mark.parametrize(
    "domain",
    ["sip:mcu.vn:5060", "mcu.vn:5060", "10.0.0.256", "203.0.113.7:5060", "https://mcu.vn", "a b"],
)
def test_a_domain_is_a_host_alone(domain: str) -> None:
    (reason,) = faults(DOMAINS=domain).values()
    assert "without scheme, port or brackets" in reason


@pytest.mark.parametrize("domain", ["mcu.vn", "203.0.113.7", "2001:db8::1", "phong-hop"])
def test_names_and_addresses_are_domains(domain: str) -> None:
    assert load(None, {"MCU_SIP__DOMAINS": domain}).sip.domains == (domain,)
