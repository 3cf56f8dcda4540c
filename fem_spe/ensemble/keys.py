"""The keys of a sweep with their values, as `--sweep key=a,b,c` writes them."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fem_spe.case.load import toml_value
from fem_spe.errors import CaseError

_EXAMPLE = "write key=a,b,c, for example geometry.seed=1,2,3"
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_UNSAFE = re.compile(r"[^A-Za-z0-9._=,+-]")
_LONGEST = 120  # characters of a folder's name; file systems allow 255 bytes


@dataclass(frozen=True)
class Swept:
    """A dotted key of the case and its values as they were written."""

    key: str
    texts: tuple[str, ...]

    @property
    def values(self) -> tuple[Any, ...]:
        """The values: TOML where they are it, else plain strings."""
        return tuple(toml_value(text) for text in self.texts)


def read_sweeps(words: Sequence[str], also_set: Sequence[str] = ()) -> tuple[Swept, ...]:
    """The keys of a sweep from `key=a,b,c`, in their order.

    Args:
        words: What follows each --sweep.
        also_set: Keys that --set gives another value.

    Raises:
        CaseError: if one is not written so, has no values, or is given twice.
    """
    sweeps: list[Swept] = []
    for word in words:
        key, equals, rest = (part.strip() for part in word.partition("="))
        if not equals or not all(key.split(".")):
            raise CaseError(f"--sweep {word}: {_EXAMPLE}")
        texts = tuple(text.strip() for text in _split(rest, word))
        if not all(texts):
            what = "has an empty value" if rest else "has no values"
            raise CaseError(f"--sweep {word}: {what}; {_EXAMPLE}")
        twice = next((text for text in texts if texts.count(text) > 1), None)
        if twice is not None:
            raise CaseError(f"--sweep {word}: {twice} is given twice; remove one")
        if key in [other.key for other in sweeps]:
            raise CaseError(f"--sweep {word}: {key} is swept already; give all its values at once")
        if key in also_set:
            raise CaseError(f"--sweep {word}: {key} is given by --set too; remove one of the two")
        sweeps.append(Swept(key, texts))
    return tuple(sweeps)


def combinations(sweeps: Sequence[Swept]) -> Iterator[dict[str, str]]:
    """Every combination of the values, key -> value as written; the last key varies fastest."""
    for texts in itertools.product(*(swept.texts for swept in sweeps)):
        yield {swept.key: text for swept, text in zip(sweeps, texts, strict=True)}


def folder_name(texts: Mapping[str, str]) -> str:
    """A name for the folder of one combination: readable, safe and of bounded length.

    Where it cannot show everything, a digest of the whole tells members apart.
    """
    whole = ",".join(f"{key}={_plain(text)}" for key, text in texts.items())
    name = _UNSAFE.sub("", whole)
    if name == whole and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(repr(dict(texts)).encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - len(digest) - 1]}~{digest}"


def _plain(text: str) -> str:
    """`text` as a folder's name shows it: `"1 µm"` as 1_um."""
    value = toml_value(text)
    shown = value if isinstance(value, str) else text
    return re.sub(r"\s+", "_", shown.strip()).translate({ord("µ"): "u", ord("μ"): "u"})


def _split(text: str, word: str) -> list[str]:
    """The parts of `text` between commas that are in no bracket and no quotes."""
    parts, open_brackets, quote = [""], [], ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _CLOSING:
            open_brackets.append(_CLOSING[letter])
        elif letter in _CLOSING.values() and letter != (
            open_brackets.pop() if open_brackets else ""
        ):
            raise CaseError(f"--sweep {word}: {letter!r} closes nothing; {_EXAMPLE}")
        elif letter == "," and not open_brackets:
            parts.append("")
            continue
        parts[-1] += letter
    if quote or open_brackets:
        missing = quote or open_brackets[-1]
        raise CaseError(f"--sweep {word}: {missing!r} is missing at the end; {_EXAMPLE}")
    return parts
