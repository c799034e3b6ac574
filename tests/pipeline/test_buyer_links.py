"""Messages lead to the buyer's page where the installation has a public address, and only there."""

from __future__ import annotations

from typing import Any

from connector_app import buyer_links
from tests.pipeline.refunds import ORDER
from tests.pipeline.world import World

HERE = "https://faktury.sklep.example"


def _notes(made: World, *, for_buyer: bool) -> list[str]:
    notes = made.in_shop(ORDER)["notes"]
    return [one["note"] for one in notes if one["customer_note"] is for_buyer and "KSeF" in one["note"]]


def _metadata(made: World) -> dict[str, Any]:
    return {field["key"]: field["value"] for field in made.in_shop(ORDER)["meta_data"]}


def test_the_buyers_note_and_the_metadata_lead_to_the_page(ready_world: World) -> None:
    ready_world.public_url = HERE
    ready_world.run()
    page = buyer_links.link(ready_world.services(), ready_world.by_order()["15"])
    assert page.startswith(f"{HERE}/f/")
    (note,) = _notes(ready_world, for_buyer=True)
    assert note.count(page) == 2
    assert f"{page}/pdf" in note
    assert _metadata(ready_world)["_ksef_pdf_url"] == f"{page}/pdf"
    # each document has a key of its own
    issued = [one for one in ready_world.documents() if one.number]
    assert len({buyer_links.link(ready_world.services(), one) for one in issued}) == len(issued) > 1


def test_without_a_public_address_messages_stay_as_they_were(ready_world: World) -> None:
    ready_world.run()
    (note,) = _notes(ready_world, for_buyer=True)
    assert "/f/" not in note
    assert "PDF" not in note
    assert "_ksef_pdf_url" not in _metadata(ready_world)
    # an address that comes later writes nothing anew
    ready_world.public_url = HERE
    ready_world.clock.sleep(60)
    ready_world.shop.state.touch(ORDER)
    ready_world.run()
    assert _notes(ready_world, for_buyer=True) == [note]
