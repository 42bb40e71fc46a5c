"""XML of manifests as elements that know their line; no DTD, so no entity can grow or lead to another file.

The parser is expat. It would expand entities that a document type declares, so a document with one is refused at that line;
Maven's own reader takes none either (plexus-utils, MXParser: `DOCTYPE` is skipped and entities are unknown).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: far more than any manifest has, and little enough to be read in an instant
_LARGEST = 4_000_000
_DEEPEST = 100


class XmlError(Exception):
    """A text is no XML that is read here."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(slots=True)
class Element:
    """An element without its namespace; `text` is what stands directly in it, stripped."""

    name: str
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)
    attributes: Mapping[str, str] = field(default_factory=dict)

    def child(self, *names: str) -> Element | None:
        """Return the first element at a path of names below this one."""
        found: Element | None = self
        for name in names:
            found = next((child for child in found.children if child.name == name), None) if found else None
        return found

    def value(self, *names: str) -> str:
        """Return the text at a path of names, "" where there is none."""
        found = self.child(*names)
        return "" if found is None else found.text

    def all(self, *names: str) -> list[Element]:
        """Return every element at a path of names; `*` stands for any name."""
        found = [self]
        for name in names:
            found = [child for element in found for child in element.children if name in ("*", child.name)]
        return found

    def every(self, name: str) -> Iterator[Element]:
        """Return all elements of that name anywhere below this one, in the order of the text."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.every(name)


def parse_xml(data: bytes) -> Element:
    """Return the root element. Raises XmlError."""
    from xml.parsers import expat

    if len(data) > _LARGEST:
        raise XmlError(f"it is larger than {_LARGEST // 1_000_000} MB")
    parser = expat.ParserCreate(namespace_separator=" ")
    top = Element("", 0)
    open_elements, texts = [top], [""]

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if len(open_elements) > _DEEPEST:
            raise XmlError(f"elements are nested more than {_DEEPEST} deep", parser.CurrentLineNumber)
        named = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition(" ")[2], parser.CurrentLineNumber, attributes=named)
        open_elements[-1].children.append(element)
        open_elements.append(element)
        texts.append("")

    def end(_name: str) -> None:
        open_elements.pop().text = texts.pop().strip()

    def characters(text: str) -> None:
        texts[-1] += text

    def doctype(*_arguments: object) -> None:
        raise XmlError("a document type declaration is not followed", parser.CurrentLineNumber)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise XmlError(f"it is no XML: {expat.ErrorString(error.code)}", error.lineno) from None
    except (LookupError, ValueError) as error:
        raise XmlError(f"it cannot be decoded: {error}") from None
    return top.children[0]
