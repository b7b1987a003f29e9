"""Sentences of refusals: English for people and logs, a code and values for every other language.

What refuses something says why in one sentence that ends with what to do next. The sentence goes
through all layers as the text it is; the API puts its code and its values beside it, from which
the console makes the same sentence in the operator's language.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from mcu.sentence_table import SENTENCES

Value = str | int | float | None


class Sentence(str):
    """An English sentence that others can be made of.

    Args:
        text: the sentence itself. code: its name, which stays when it is worded anew.
        params: what is filled in, by name; JSON can hold it.
    """

    __slots__ = ("code", "params")
    code: str
    params: Mapping[str, Value]

    def __new__(cls, text: str, code: str, params: Mapping[str, Value]) -> Self:
        """The text is the string."""
        made = super().__new__(cls, text)
        made.code = code
        made.params = params
        return made


def sentence(code: str, /, **params: object) -> Sentence:
    """The sentence of a code.

    Args:
        code: one of ``SENTENCES``. params: what is filled in; others than texts and numbers go to
            clients as texts.
    """
    values = {name: _value(each) for name, each in params.items()}
    return Sentence(SENTENCES[code].format(**params), code, values)


def of(text: str) -> dict[str, object]:
    """``code`` and ``params`` of a text that is a sentence; nothing of any other."""
    if not isinstance(text, Sentence):
        return {}
    return {"code": text.code, "params": dict(text.params)}


def _value(given: object) -> Value:
    if given is None or isinstance(given, str | int | float):
        return given
    return given.isoformat() if isinstance(given, datetime) else str(given)
