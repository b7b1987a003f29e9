"""``docs/configuration.md``, made from the models so that it cannot lag behind them.

``python -m config.reference > docs/configuration.md`` writes it anew; a test compares.
"""

import inspect
import json
import sys
import types
import typing
from typing import Any, Literal

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.dial_rule import DialRule
from config.sections import MIN_TOKEN_CHARACTERS, PortRange
from config.settings import ENVIRONMENT_PREFIX, NOT_SETTINGS, Settings, known_keys
from config.sites import preset_names

_INTRODUCTION = f"""# Configuration

<!-- Made from the models of config by: python -m config.reference > docs/configuration.md -->

One YAML file, given with `--config` (or `{ENVIRONMENT_PREFIX}CONFIG`). Every key can also be
set in the environment as `{ENVIRONMENT_PREFIX}SECTION__KEY`, which wins over the file; lists are
written with commas. Unknown keys are errors, and every fault is named with its key, its reason and
its place. `mcu check` says what would run.

```yaml
# mcu.yaml: a province's MCU that rooms reach from elsewhere
data_dir: /var/lib/mcu
site: khanh-hoa
http:
  host: "::"
  port: 443
  public_url: https://mcu.example.gov.vn
  tls_certificate: /etc/mcu/certificate.pem
  tls_key: /etc/mcu/key.pem
media:
  public_addresses: [203.0.113.7, "2001:db8::7"]
logging:
  format: json
```

The same port from the environment: `{ENVIRONMENT_PREFIX}HTTP__PORT=443`.
"""

_TLS = f"""## Certificates

Browsers give camera and microphone to HTTPS or to the machine itself only. So:

- a loopback `http.host` is served over plain HTTP;
- with `http.tls_certificate` and `http.tls_key`, any address is served with the organisation's
  certificate (PEM; the file begins with the server's own certificate and goes on with its chain;
  the key has no password);
- any other address without them is served with a self-signed certificate, made in `data_dir`,
  valid for a year and renewed a month before it ends. Browsers warn of it.

## First token

`auth.bootstrap_token` (at least {MIN_TOKEN_CHARACTERS} characters) is an administrator's token.
Give it in the environment rather than in the file. Where it is empty, the first start makes one and
prints it once. Further tokens: `mcu token create --role operator --unit UNIT`.

## Sites

`site` names a preset ({", ".join(preset_names())})
or the path of a YAML file of the same form (`config/sites/` holds the presets). A site's units and
bridges are put into the registry at the first start; from then on the registry is what counts.
Another site is refused for the same `data_dir`, unless `mcu serve --add-site` says that both are
wanted.

## One daemon for one `data_dir`

A running daemon holds the lock `mcu.lock` in `data_dir`; a second one says which process that is
and ends. `mcu token` and `mcu check` work beside it. Several daemons on one machine need a
`data_dir`, an `http.port` and a `media.port` each.

## Figures

`/metrics` answers Prometheus: from this machine without a token, from elsewhere (or through a
proxy) with one of role observer, technician, operator or admin. It holds counts and times, no
names.
`/healthz` and `/readyz` need no token.

## Not settings

{", ".join(f"`{name}`" for name in sorted(NOT_SETTINGS))} stand for arguments of the command line.
"""


def markdown() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, "## Keys", ""]
    section = None
    for key, field in known_keys().items():
        name = key.rpartition(".")[0]
        if name != section or section is None:
            parts += _heading(name)
            section = name
        parts.append(
            f"| `{key}` | {_kind(field)} | {_default(field)} | {_cell(field.description or '')} |"
        )
    return "\n".join([*parts, "", _TLS])


def _heading(section: str) -> list[str]:
    model = Settings.model_fields[section].annotation if section else None
    title = f"### {section}" if section else "### At the top"
    text = [inspect.cleandoc(model.__doc__ or ""), ""] if model is not None else []
    return ["", title, "", *text, "| key | type | default | meaning |", "|---|---|---|---|"]


def _kind(field: FieldInfo) -> str:
    text = _type_name(field.annotation)
    bounds = [
        f"{sign} {_number(getattr(item, name))}"
        for item in field.metadata
        for kind, name, sign in (
            (Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"),
        )
        if isinstance(item, kind)
    ]  # fmt: skip
    return f"{text}, {', '.join(bounds)}" if bounds else text


def _type_name(annotation: Any) -> str:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _type_name(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        kinds = [part for part in typing.get_args(annotation) if part is not type(None)]
        return " or ".join(_type_name(part) for part in kinds)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin is tuple:
        return f"list of {_type_name(typing.get_args(annotation)[0])}"
    names = {int: "whole number", float: "number", str: "text", SecretStr: "secret text"}
    names |= {bool: "true or false", PortRange: "range of ports", DialRule: "rules"}
    return names.get(annotation, "path")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value in ("", ()):
        return "empty"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    if isinstance(value, int | float):
        return f"`{_number(value)}`"
    return f"`{value if isinstance(value, str) else json.dumps(str(value))[1:-1]}`"


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(markdown())
