"""What each platform says about connecting its shops is whole: one form serves them all."""

from __future__ import annotations

import pytest

from adapters import registry
from adapters.connecting import FieldKind

_SECRET_WORDS = ("secret", "token", "key")


@pytest.mark.parametrize("platform", registry.PLATFORMS)
def test_every_entry_of_the_configuration_can_be_entered(platform: str) -> None:
    """By a way, as an option, or the shop or the connector writes it; nothing else is asked for."""
    about = registry.connecting(platform)
    asked = {one.name for way in about.ways for one in way.fields} | {one.name for one in about.options}
    assert asked | about.given | {"url"} == set(registry.config_keys(platform))


@pytest.mark.parametrize("platform", registry.PLATFORMS)
def test_ways_are_explained_and_secrets_are_secrets(platform: str) -> None:
    """In both languages; a choice begins with its default; a secret is never an open field."""
    about = registry.connecting(platform)
    assert len({way.code for way in about.ways}) == len(about.ways)
    for way in about.ways:
        assert way.steps
        assert all(step.pl and step.en and step.pl != step.en for step in way.steps)
        assert way.by_consent <= (registry.consent(platform) is not None)
    for one in (*about.options, *(one for way in about.ways for one in way.fields)):
        assert one.label.pl
        assert one.label.en
        assert (one.kind is FieldKind.CHOICE) == bool(one.choices)
        if any(word in one.name for word in _SECRET_WORDS):
            assert one.kind is FieldKind.SECRET


@pytest.mark.parametrize("platform", registry.PLATFORMS)
def test_a_configuration_shows_its_way(platform: str) -> None:
    """What a way asks for is recognised as that way, so that a form of a stored store is the right one."""
    about = registry.connecting(platform)
    for way in about.ways:
        config = {one.name: "x" for one in way.fields if one.needed}
        if way.by_consent:
            config |= dict.fromkeys(about.given, "x")
        if config:
            assert about.way_of(config) is way
    assert about.way_of({}) is about.ways[0]
