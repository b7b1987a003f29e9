"""A console that somebody works at: its page, whose hands, its words, what can be seen of it."""

import json
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from mcu.console.pages import STATIC
from tests.peers.chromium_page import picture
from tests.peers.hands import WAITS_MS, Hands, faults


def texts(language: str) -> dict[str, str]:
    """The page's strings."""
    text = (STATIC / f"js/strings/{language}.js").read_text(encoding="utf-8")
    strings: dict[str, str] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return strings


@dataclass
class Session:
    """One telling of a story.

    Args:
        hands: who works. language: of the page. name: of its pictures.
    """

    page: Page
    hands: Hands
    language: str
    name: str

    def __post_init__(self) -> None:
        self.strings = texts(self.language)
        (other,) = {"vi", "en"} - {self.language}
        self._foreign = frozenset(texts(other).values()) - frozenset(self.strings.values())
        self._seen = 0

    def text(self, key: str, **values: str) -> str:
        """A string of the page."""
        return self.strings[key].format(**values)

    def button(self, key: str, **values: str) -> Locator:
        return self.page.get_by_role("button", name=self.text(key, **values), exact=True)

    def link(self, key: str, **values: str) -> Locator:
        return self.page.get_by_role("link", name=self.text(key, **values), exact=True)

    def box(self, name: str) -> Locator:
        """A checkbox, by what it is called."""
        return self.page.get_by_role("checkbox", name=name, exact=True)

    async def look(self, stage: str) -> None:
        """What an operator sees now: nothing cut off, unreadable or in the other language."""
        self._seen += 1
        await picture(self.page, f"{self.name}-{self._seen:02}-{stage}")
        found = await faults(self.page, self._foreign)
        assert not found, f"{stage}: {found}"


async def shown(target: Locator, text: str) -> None:
    """It contains the text, or will soon."""
    await expect(target).to_contain_text(text, timeout=WAITS_MS)
