"""Which numbers and dates belong to persons, by the name of their column. Words are masked whatever they are called."""

from __future__ import annotations

import re

from dbguard.postgres.masking_types import NUMBERS, TIMES

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NUMBERS = frozenset(
    """
    email mail phone telephone tel mobile cell fax ssn sin nin nino tin iban bic bban pan card cvv cvc pin passport licence license
    salary wage wages income pay earnings bonus credit debt balance address street house zip zipcode postcode postal plz ip ipv4 ipv6
    lat latitude lon lng long longitude geo geom location coordinate coordinates token secret password passwd otp age gender sex
    ethnicity race religion weight height bmi diagnosis health blood tax vat name surname
    """.split()  # noqa: SIM905
)
_TIMES = frozenset(["birth", "birthday", "birthdate", "dob", "born", "bday", "death", "died", "deceased"])
_PERSONAL_IDS = frozenset(["tax", "passport", "ssn", "national", "personal", "social", "license", "licence", "nin", "vat"])
_NOT_A_VALUE = frozenset(
    ["count", "counter", "version", "size", "attempts", "retries", "limit", "kind", "type", "status", "position", "rank", "order"]
)


def looks_personal(column: str, family: str) -> bool:
    """Whether numbers or times under this name are personal. A key such as `address_id` is not; `tax_id` is."""
    words = [word.lower() for word in _WORDS.findall(column)]
    if family in TIMES:
        return not _TIMES.isdisjoint(words) or "dateofbirth" in words
    if family not in NUMBERS or not words or words[-1] in _NOT_A_VALUE:
        return False
    if words[-1] in {"id", "ids", "key"}:
        return not _PERSONAL_IDS.isdisjoint(words)
    return not _NUMBERS.isdisjoint(words) or not _TIMES.isdisjoint(words)
