from dataclasses import asdict

from mcu.api.documents import quality_document
from mcu.api.services import LineQuality, Receives


def test_the_document_of_a_line_is_what_its_fields_are() -> None:
    receives = Receives("360p", 640, 360, 320_000, False, "loss", "8% lost", 8.0, 400_000)
    for quality in (LineQuality(), LineQuality("fair", 8.0, 12.5, 40.0, receives)):
        assert quality_document(quality) == asdict(quality)
