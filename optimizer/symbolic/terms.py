"""Values of the symbolic image: interned by digest, with a text that says what they stand for."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple


class Term(NamedTuple):
    """A symbolic value. Two terms with one digest stand for the same value in every context that a proof speaks of."""

    digest: str
    text: str

    def __str__(self) -> str:
        return self.text


def term(kind: str, *parts: str | Term, text: str = "") -> Term:
    """Build the term `kind(parts)`. Equal kinds and equal parts give equal digests; the text takes no part in that."""
    # a type mark and a length keep strings, terms and neighbours apart
    pieces = [kind]
    for part in parts:
        pieces.append(f"\0T{part.digest}" if isinstance(part, Term) else f"\0S{len(part)}:{part}")
    digest = hashlib.blake2b("".join(pieces).encode("utf-8", "surrogateescape"), digest_size=16)
    return Term(digest.hexdigest(), text or f"{kind}({', '.join(map(str, parts))})")


@lru_cache(maxsize=1 << 12)
def literal(value: str) -> Term:
    """Return the term of a string that is known before the build."""
    return term("literal", value, text=repr(value))
