"""Why one media section is not taken."""


class SectionRefused(Exception):  # noqa: N818 a fact, like OfferRefused
    """A section that is answered with port 0; the others of its offer may still be taken."""
