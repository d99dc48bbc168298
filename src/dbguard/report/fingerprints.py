"""Names by which other programs know a finding again: the same in the next run, different for different findings."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

from dbguard.model.finding import Finding


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """One for each, in their order; the second of two that are alike ends in `:2`."""
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        text = "\0".join((finding.rule, finding.path, *_subject(finding)))
        fingerprint = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
        seen[fingerprint] += 1
        result.append(f"{fingerprint}:{seen[fingerprint]}")
    return result


def _subject(finding: Finding) -> tuple[str, ...]:
    """What stays the same when lines move: the statement without its white space, or a query's shape and the function that sends it.

    Numbers in a message are estimates, counts and lines, which differ from run to run.
    """
    if finding.shape:
        return finding.shape, finding.places[0][2] if finding.places else ""
    return re.sub(r"\s+", " ", finding.excerpt), re.sub(r"\d[\d,.]*", "0", finding.message)
