"""The settings of one installation: a YAML file, overridden by the environment.

``MCU_HTTP__PORT=8443`` in the environment sets ``http.port``; lists are written with commas or as
YAML. All faults are reported at once, each with its key, its reason and where the value stands.
"""

import difflib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.alarms_section import AlarmSettings
from config.document import Document, DocumentError, read_document
from config.problems import Problem, SettingsError
from config.sections import (
    AuthSettings,
    ClusterSettings,
    ConferenceSettings,
    FilePath,
    HttpSettings,
    LimitSettings,
    LoggingSettings,
    MediaSettings,
    PortRange,
    ReadinessSettings,
    RecordingSettings,
    Section,
    StoreSettings,
)
from config.sip_section import SipSettings
from config.wording import wording

__all__ = ["ENVIRONMENT_PREFIX", "Settings", "SettingsError", "known_keys", "load"]

ENVIRONMENT_PREFIX = "MCU_"

NOT_SETTINGS = frozenset({"MCU_CONFIG", "MCU_SERVER", "MCU_TOKEN"})
"""Environment variables that stand for arguments of the command line, not for settings."""


_SECTION = "is a section and holds keys, not a value"


class Settings(Section):
    """Everything that ``mcu serve`` can be told."""

    http: HttpSettings = Field(default_factory=HttpSettings)
    media: MediaSettings = Field(default_factory=MediaSettings)
    sip: SipSettings = Field(default_factory=SipSettings)
    conference: ConferenceSettings = Field(default_factory=ConferenceSettings)
    data_dir: FilePath = Field(
        Path("data"),
        description="Directory of the database, the generated certificate and recordings; "
        "relative to the working directory.",
    )
    site: str | None = Field(
        None,
        description="Installation to begin with: the name of a preset or the path of a YAML file.",
    )
    readiness: ReadinessSettings = Field(default_factory=ReadinessSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    recording: RecordingSettings = Field(default_factory=RecordingSettings)
    auth: AuthSettings = Field(default_factory=AuthSettings)
    cluster: ClusterSettings = Field(default_factory=ClusterSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    alarms: AlarmSettings = Field(default_factory=AlarmSettings)
    logging: LoggingSettings = Field(default_factory=LoggingSettings)


def load(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings; what a later source says replaces what an earlier one said.

    Args:
        path: the YAML file, or None for defaults and environment only.
        environ: usually ``os.environ``; only names that begin with ``MCU_`` are looked at.
        overrides: dotted keys from the command line, such as ``{"site": "yen-bai"}``.
    Raises:
        SettingsError: unreadable or broken file, unknown key, wrong type, value out of range; all
            of them that can be found in one reading.
    """
    document = Document("", {}, {})
    if path is not None:
        try:
            document = read_document(path)
        except DocumentError as error:
            raise SettingsError([error.problem]) from error

    values = _without_empty_sections(document.values)
    problems: list[Problem] = []
    origins: dict[str, str] = {}
    for key, text, origin in _texts(environ, overrides or {}):
        field = known_keys().get(key)
        if field is None:
            reason = _SECTION if key in Settings.model_fields else f"unknown key{_nearest(key)}"
            problems.append(Problem(key, reason, origin))
        else:
            _set(values, key.split("."), _value_from_text(field, text))
            origins[key] = origin

    try:
        settings = Settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems += [_problem(details, document, origins) for details in error.errors()]
        raise SettingsError(problems) from error
    if problems:
        raise SettingsError(problems)
    return settings


def known_keys() -> Mapping[str, FieldInfo]:
    """Every key by its dotted path, in the order of the models."""
    return dict(_leaves(Settings, ""))


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if _is_section(field):
            assert isinstance(field.annotation, type)  # noqa: S101  # what _is_section has checked
            yield from _leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _is_section(field: FieldInfo) -> bool:
    kind = field.annotation
    return isinstance(kind, type) and issubclass(kind, Section) and kind is not PortRange


def _texts(
    environ: Mapping[str, str], overrides: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Key, text and origin of everything that is not in the file, weakest first."""
    for name in sorted(environ):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS:
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            yield key, environ[name], f"environment {name}"
    for key, text in overrides.items():
        yield key, text, f"--{key.replace('.', '-').replace('_', '-')}"


def _without_empty_sections(values: Mapping[str, Any]) -> dict[str, Any]:
    """A mutable copy; ``http:`` with nothing below it is the section's defaults, not an error."""
    sections = {name for name, field in Settings.model_fields.items() if _is_section(field)}
    return {
        key: dict(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if not (value is None and key in sections)
    }


def _value_from_text(field: FieldInfo, text: str) -> Any:
    """Turn the environment's text into what the key's type wants."""
    kinds = _plain_types(field.annotation)
    if types.NoneType in kinds and not text:
        return None
    if tuple in kinds:
        if text.lstrip().startswith("["):
            return _yaml_scalar(text)
        return [part.strip() for part in text.split(",") if part.strip()]
    if kinds & {int, float, bool}:
        return _yaml_scalar(text)
    return text


def _yaml_scalar(text: str) -> Any:
    try:
        value = yaml.safe_load(text)
        json.dumps(value)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return text  # the model's type check then says what is expected instead
    return value


def _plain_types(annotation: Any) -> set[Any]:
    """``tuple[str, ...] | None`` is ``{tuple, NoneType}``."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _plain_types(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return set().union(*(_plain_types(part) for part in typing.get_args(annotation)))
    return {origin or annotation}


def _set(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Put a value in its place, unless the file has a plain value where a section belongs."""
    for step in path[:-1]:
        values = values.setdefault(step, {})
        if not isinstance(values, dict):
            return  # the model reports the file's fault
    values[path[-1]] = value


def _problem(details: ErrorDetails, document: Document, origins: Mapping[str, str]) -> Problem:
    location = details["loc"]
    keys = known_keys()
    key = ""
    for step in location:
        key = f"{key}[{step}]" if isinstance(step, int) else f"{key}.{step}".lstrip(".")
        if key in keys and not any(isinstance(after, int) for after in location):
            break  # what follows is inside a value, such as media.sip_ports.first
    whole = ".".join(str(step) for step in location if isinstance(step, str))
    origin = origins.get(key) or origins.get(whole) or document.origin(location)
    if details["type"] == "extra_forbidden":
        return Problem(key, f"unknown key{_nearest(key)}", origin)
    if key in Settings.model_fields and details["type"] in ("model_type", "model_attributes_type"):
        return Problem(key, _SECTION, origin)
    return Problem(key, wording(details), origin)


def _nearest(key: str) -> str:
    """Name the known key that was probably meant."""
    known = [*known_keys(), *(name for name in Settings.model_fields)]
    found = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
    if not found:
        last = key.rpartition(".")[2]
        found = [name for name in known if name.rpartition(".")[2] == last]
    if not found:
        section = key.rpartition(".")[0]
        names = [name.rpartition(".")[2] for name in known if name.rpartition(".")[0] == section]
        return f"; known here: {', '.join(names)}" if section and names else ""
    return f"; the nearest known key is {found[0]}"
