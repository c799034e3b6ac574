"""Binding of the model's classes to elements: tables of data that both write and read.

A :class:`Table` lists the elements of one part of a document in the schema's order, each with the
attribute that holds it. Writing walks the table and joins text; reading takes children by name. A child
that no entry takes, or whose text would not be written back letter for letter, is kept as an
:class:`~core.invoices.model.Extra` and written back in its place, so that nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from lxml import etree

from core.invoices.model import Extra

Children = dict[str, list[etree._Element]]

_SPACE = re.compile(r"[ \t\r\n]+")


class UnreadableDocument(ValueError):
    """A document that lacks what its schema asks for, so that the model cannot hold it."""


def escape(text: str) -> str:
    """Escape what XML asks to escape in text; the check keeps the common case cheap."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    return text


def collapse(text: str) -> str:
    """White space as ``xsd:token`` sees it."""
    return _SPACE.sub(" ", text).strip(" ")


def serialize(element: etree._Element, *, tidy: bool) -> str:
    """An element as text without namespace declarations, comments and space between elements.

    Args:
        element: any element of a document.
        tidy: collapse white space in its texts too, for comparing.
    """
    name = etree.QName(element).localname
    attributes = "".join(
        f' {key}="{escape(value).replace(chr(34), "&quot;")}"'
        for key, value in sorted(_attributes(element).items())
        if not key.startswith("{")
    )
    children = list(element.iterchildren(tag=etree.Element))
    if children:
        inner = "".join(serialize(child, tidy=tidy) for child in children)
    else:
        text = text_of(element)
        inner = escape(collapse(text) if tidy else text)
    return f"<{name}{attributes}>{inner}</{name}>"


def _attributes(element: etree._Element) -> dict[str, str]:
    return {str(key): str(value) for key, value in element.attrib.items()}


def text_of(element: etree._Element) -> str:
    """The text of a leaf, comments left out."""
    if not len(element):
        return element.text or ""
    return (element.text or "") + "".join(child.tail or "" for child in element)


@dataclass(frozen=True, slots=True)
class Codec:
    """How a value becomes text and text a value.

    Attributes:
        encode: value to escaped text. decode: text to value; raises ValueError.
        token: white space in the text means nothing.
    """

    encode: Callable[[Any], str]
    decode: Callable[[str], Any]
    token: bool = True


class Entry:
    """One entry of a table.

    Attributes:
        names: elements it takes. attr: attribute of the model's class; empty for elements that are only
            kept. required: reading fails without it.
    """

    names: tuple[str, ...] = ()
    attr: str = ""
    required = False

    def write(self, value: Any) -> str:
        """A present value as elements."""
        raise NotImplementedError

    def read(self, children: Children, path: str) -> Any:
        """The value from the elements of :attr:`names`, ``None`` when there are none; takes them."""
        raise NotImplementedError

    def writer(self) -> Callable[[Any], str]:
        """What :meth:`write` does, as cheap to call as it can be."""
        return self.write

    def is_exact(self) -> bool:
        """Whether reading keeps every letter by itself, so that comparing is needless."""
        return False


class Leaf(Entry):
    """An element with text."""

    def __init__(self, name: str, attr: str, codec: Codec, *, required: bool = False) -> None:
        self.names, self.attr, self.required = (name,), attr, required
        self.codec = codec
        head, tail, encode = f"<{name}>", f"</{name}>", codec.encode
        # a closure over locals: this runs for each field of each line
        self._write: Callable[[Any], str] = lambda value: f"{head}{encode(value)}{tail}"

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return self._write(value)

    def writer(self) -> Callable[[Any], str]:
        """See :meth:`Entry.writer`."""
        return self._write

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        found = children.pop(self.names[0], None)
        if not found:
            return None
        text = text_of(found[0])
        try:
            return self.codec.decode(collapse(text) if self.codec.token else text)
        except (ValueError, ArithmeticError):
            raise UnreadableDocument(f"{path}/{self.names[0]}: {text[:60]!r} cannot be read") from None


class Flag(Entry):
    """An element that is there with the value 1, or not there (TWybor1)."""

    def __init__(self, name: str, attr: str) -> None:
        self.names, self.attr = (name,), attr
        self._text = f"<{name}>1</{name}>"

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return self._text if value else ""

    def read(self, children: Children, path: str) -> Any:  # noqa: ARG002
        """See :meth:`Entry.read`."""
        return bool(children.pop(self.names[0], None)) or None


class YesNo(Entry):
    """An element that always stands with 1 for yes and 2 for no (TWybor1_2)."""

    def __init__(self, name: str, attr: str) -> None:
        self.names, self.attr = (name,), attr
        self._yes, self._no = f"<{name}>1</{name}>", f"<{name}>2</{name}>"

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return self._yes if value else self._no

    def read(self, children: Children, path: str) -> Any:  # noqa: ARG002
        """See :meth:`Entry.read`."""
        found = children.pop(self.names[0], None)
        return collapse(text_of(found[0])) == "1" if found else None


class Leaves(Entry):
    """A repeated element with text, as a tuple."""

    def __init__(self, name: str, attr: str, codec: Codec) -> None:
        self.names, self.attr = (name,), attr
        self._leaf = Leaf(name, attr, codec)

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return "".join(map(self._leaf.write, value))

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        name = self.names[0]
        found = children.pop(name, [])
        return tuple(self._leaf.read({name: [element]}, path) for element in found) or None


class Nested(Entry):
    """An element with children of its own."""

    def __init__(self, name: str, attr: str, table: Table, *, required: bool = False) -> None:
        self.names, self.attr, self.required = (name,), attr, required
        self._table = table
        self._open, self._close = f"<{name}>", f"</{name}>"

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return f"{self._open}{self._table.write(value)}{self._close}"

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        found = children.pop(self.names[0], None)
        return self._table.read(found[0], f"{path}/{self.names[0]}") if found else None

    def is_exact(self) -> bool:
        """A table keeps what it does not know."""
        return True


class NestedMany(Entry):
    """A repeated element with children of its own, as a tuple."""

    def __init__(self, name: str, attr: str, table: Table) -> None:
        self.names, self.attr = (name,), attr
        self._table = table
        self._open, self._close = f"<{name}>", f"</{name}>"

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        write, head, tail = self._table.write, self._open, self._close
        return "".join([f"{head}{write(one)}{tail}" for one in value])

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        name = self.names[0]
        return (
            tuple(
                self._table.read(element, f"{path}/{name}[{number}]")
                for number, element in enumerate(children.pop(name, []), 1)
            )
            or None
        )

    def is_exact(self) -> bool:
        """A table keeps what it does not know."""
        return True


class Inline(Entry):
    """Several elements that make one object without an element around them."""

    def __init__(self, attr: str, table: Table) -> None:
        self.names, self.attr = table.names, attr
        self._table = table

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return self._table.write(value)

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        own = {name: children.pop(name) for name in self.names if name in children}
        return self._table.make(own, path) if own else None


class Custom(Entry):
    """Elements that follow a rule of their own."""

    def __init__(
        self,
        names: Sequence[str],
        attr: str,
        write: Callable[[Any], str],
        read: Callable[[Children, str], Any],
        *,
        required: bool = False,
    ) -> None:
        self.names, self.attr, self.required = tuple(names), attr, required
        self._write, self._read = write, read

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`."""
        return self._write(value)

    def read(self, children: Children, path: str) -> Any:
        """See :meth:`Entry.read`."""
        own = {name: children.pop(name) for name in self.names if name in children}
        return self._read(own, path) if own else None


class Spread(Entry):
    """Elements that hold several attributes of the object itself, or stand for a choice.

    Args:
        names: the elements. attrs: the attributes.
        write: the object as elements; called always.
        read: the attributes from the elements.
    """

    def __init__(
        self,
        names: Sequence[str],
        attrs: Sequence[str],
        write: Callable[[Any], str],
        read: Callable[[Children, str], Mapping[str, Any]],
        *,
        required: bool = False,
    ) -> None:
        self.names, self.required = tuple(names), required
        self.attrs = tuple(attrs)
        self._write, self._read = write, read

    def write(self, value: Any) -> str:
        """See :meth:`Entry.write`; the value is the whole object."""
        return self._write(value)

    def read(self, children: Children, path: str) -> Mapping[str, Any]:
        """See :meth:`Entry.read`; gives attributes."""
        return self._read({name: children.pop(name) for name in self.names if name in children}, path)

    def write_values(self, values: Mapping[str, Any]) -> str:
        """What reading gave, as elements."""
        return self._write(SimpleNamespace(**{**dict.fromkeys(self.attrs), **values}))


class Kept(Entry):
    """Elements that the model has no field for: they are kept as they stand, in this place."""

    def __init__(self, *names: str) -> None:
        self.names = names


@dataclass(slots=True)
class Table:
    """The elements of one part of a document, in the schema's order.

    Attributes:
        kind: makes the object from keyword arguments.
        entries: in the schema's order. extra: attribute that keeps what no entry takes; empty for none.
    """

    kind: Callable[..., Any]
    entries: tuple[Entry, ...]
    extra: str = "extra"
    _write_plain: Callable[[Any], str] = field(init=False)
    _extra_of: Callable[[Any], tuple[Extra, ...]] = field(init=False)

    def __post_init__(self) -> None:
        written = [entry for entry in self.entries if not isinstance(entry, Kept)]
        self._write_plain = _compiled(written)
        self._extra_of = attrgetter(self.extra) if self.extra else lambda _value: ()

    @property
    def names(self) -> tuple[str, ...]:
        """All elements that the table knows."""
        return tuple(name for entry in self.entries for name in entry.names)

    def write(self, value: Any) -> str:
        """The elements of an object, without an element around them."""
        extra = self._extra_of(value)
        if extra:
            return self._write_with_extra(value, extra)
        return self._write_plain(value)

    def _write_with_extra(self, value: Any, extra: tuple[Extra, ...]) -> str:
        by_name: dict[str, list[str]] = {}
        for one in extra:
            by_name.setdefault(one.name, []).append(one.xml)
        parts = []
        for entry in self.entries:
            kept = [xml for name in entry.names for xml in by_name.pop(name, ())]
            if isinstance(entry, Spread):
                parts += [] if kept else [entry.write(value)]
            elif entry.attr and (not kept or entry.is_exact()):
                found = attrgetter(entry.attr)(value)
                if isinstance(entry, YesNo) or not _is_absent(found):
                    parts.append(entry.write(found))
            parts += kept
        parts += [xml for rest in by_name.values() for xml in rest]
        return "".join(parts)

    def read(self, element: etree._Element, path: str) -> Any:
        """The object that an element holds.

        Raises:
            UnreadableDocument: a required child is missing, or a text cannot be read.
        """
        return self.make(children_of(element), path)

    def make(self, children: Children, path: str, **more: Any) -> Any:
        """The object that some children make.

        Args:
            children: by name; taken.
            path: for messages.
            more: further arguments of the object.
        """
        values, extra = self.take(children, path)
        if self.extra and extra:
            values[self.extra] = extra
        return self.kind(**values, **more)

    def take(self, children: Children, path: str) -> tuple[dict[str, Any], tuple[Extra, ...]]:
        """Values by attribute and what is kept, from some children."""
        values: dict[str, Any] = {}
        extra: list[Extra] = []
        for entry in self.entries:
            present = [element for name in entry.names for element in children.get(name, ())]
            if not present:
                if entry.required:
                    raise UnreadableDocument(f"{path}/{entry.names[0]} is missing")
                continue
            if isinstance(entry, Kept):
                extra += [_kept(element) for name in entry.names for element in children.pop(name, ())]
                continue
            value = entry.read(children, path)
            if isinstance(entry, Spread):
                values.update(value)
                written = entry.write_values(value)
            elif value is None:
                written = ""
            else:
                values[entry.attr] = value
                written = "" if entry.is_exact() else entry.write(value)
            if entry.is_exact():
                continue
            if written != "".join(serialize(element, tidy=True) for element in present):
                extra += [_kept(element) for element in present]
        extra += [_kept(element) for rest in children.values() for element in rest]
        return values, tuple(extra)


def _compiled(entries: Sequence[Entry]) -> Callable[[Any], str]:
    """One function that writes an object's elements: the walk over the table spelt out, as dataclasses do.

    None, "", False and () stand for no element; a Decimal zero is a value. The source is made of the names
    in the tables only.
    """
    names: dict[str, Any] = {"Decimal": Decimal, "escape": escape}
    source = ["def write(value):", "    parts = []"]
    for number, entry in enumerate(entries):
        found = f"value.{entry.attr}" if entry.attr else "value"
        names[f"write_{number}"] = entry.writer()
        if isinstance(entry, YesNo):
            source.append(f"    parts.append(write_{number}({found}))")
            continue
        source += [f"    found = {found}", "    if found or found.__class__ is Decimal:"]
        if isinstance(entry, Leaf):
            name, encode = entry.names[0], entry.codec.encode
            if encode is escape:
                source += [
                    '        if "&" in found or "<" in found or ">" in found or "\\r" in found:',
                    "            found = escape(found)",
                    f'        parts.append(f"<{name}>{{found}}</{name}>")',
                ]
            else:
                names[f"encode_{number}"] = encode
                source.append(f'        parts.append(f"<{name}>{{encode_{number}(found)}}</{name}>")')
        else:
            source.append(f"        parts.append(write_{number}(found))")
    source.append('    return "".join(parts)')
    exec("\n".join(source), names)  # noqa: S102 - made of our own tables
    written: Callable[[Any], str] = names["write"]
    return written


def _is_absent(value: Any) -> bool:
    """Whether a value stands for no element; a zero is a value."""
    return not value and not isinstance(value, Decimal)


def _kept(element: etree._Element) -> Extra:
    return Extra(etree.QName(element).localname, serialize(element, tidy=False))


def children_of(element: etree._Element) -> Children:
    """The child elements by local name, in order."""
    children: Children = {}
    for child in element.iterchildren(tag=etree.Element):
        children.setdefault(etree.QName(child).localname, []).append(child)
    return children


def one_text(children: Mapping[str, Sequence[etree._Element]], name: str) -> str:
    """The collapsed text of the first child of a name, empty when there is none."""
    found = children.get(name)
    return collapse(text_of(found[0])) if found else ""


def elements(pairs: Iterable[tuple[str, str]]) -> str:
    """Elements from names and plain texts; those without text are left out."""
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in pairs if text)
