"""Values in about the order in which PostgreSQL sorts them: texts of one type in, the same texts sorted out.

Of the collation only this is imitated: letters first without case and accents, signs before digits before letters. It need not
be exact: what has to be sorted, a histogram, gets its tokens sorted afterwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from ipaddress import ip_interface
from typing import Any

from dbguard.postgres.masking_types import NUMBERS


def in_order(values: Iterable[str], family: str) -> list[str]:
    """Sorted values of a family of `masking_types`."""
    values = list(values)
    if family == "word" and "".join(values).isascii():
        return sorted(sorted(values, key=str.swapcase), key=str.lower)  # as by `_word`, at half its price
    return sorted(values, key=_key(family))


def _key(family: str) -> Callable[[str], Any]:
    if family in NUMBERS:
        return _number
    return {"word": _word, "inet": _address, "cidr": _address}.get(family, str)


def _word(text: str) -> tuple[str, str]:
    if text.isascii():
        return text.lower(), text.swapcase()
    bare = "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return bare.casefold(), text.swapcase()


def _number(text: str) -> tuple[bool, Decimal, str]:
    """NaN is greater than every number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return True, Decimal(0), text
    return number.is_nan(), Decimal(0) if number.is_nan() else number, text


def _address(text: str) -> tuple[int, int, str]:
    try:
        address = ip_interface(text)
    except ValueError:
        return 0, 0, text
    return address.version, int(address.ip), text
