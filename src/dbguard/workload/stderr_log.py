"""PostgreSQL's plain log, as it goes to stderr: text in, messages to `Sessions`.

`log_line_prefix` is given or guessed from the first lines. Continuation lines begin with a tab. Search runs over whole chunks, with
one pattern for prefix, level and message.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from dbguard.model.record import Record
from dbguard.workload.clock import seconds_of
from dbguard.workload.debug_logs import DebugReader
from dbguard.workload.sessions import LEVELS, UNCOUNTED, About, Sessions

MOST_ENTRY = 16 << 20
_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[A-Za-z][\w/+-]*| ?[+-]\d[\d:]*)?"
_ESCAPES = {
    "a": ("application", r"[^\n]*?"),
    "u": ("user", r"[^\n]*?"),
    "d": ("database", r"[^\n]*?"),
    "r": ("", r"[^\n]*?"),
    "h": ("", r"[^\n]*?"),
    "L": ("", r"[^\n]*?"),
    "b": ("", r"[a-z][a-z ]*?"),
    "p": ("pid", r"\d+"),
    "P": ("", r"\d*"),
    "t": ("stamp", _STAMP),
    "m": ("stamp", _STAMP),
    "n": ("stamp", r"\d+(?:\.\d+)?"),
    "Q": ("", r"-?\d*"),
    "i": ("", r"[^\n]*?"),
    "e": ("state", r"[0-9A-Z]{5}"),
    "c": ("session", r"[0-9a-f]+\.[0-9a-f]+"),
    "l": ("", r"\d+"),
    "s": ("", _STAMP),
    "v": ("virtual", r"(?:-?\d+/-?\d+)?"),
    "x": ("", r"\d*"),
}
_MESSAGE = (
    rf"(?P<level>{LEVELS}):  (?:duration: (?P<milliseconds>\d++(?:\.\d++)?) ms"
    r"(?:  (?P<step>statement|execute(?! fetch from )|parse|bind)(?: [^:\n]*+)?: )?)?"
    r"(?P<body>[^\n]*+(?:\n\t[^\n]*+)*+)"
)
FIELDS = ("stamp", "session", "pid", "user", "database", "application", "virtual")
_ESCAPE = re.compile(r"%(-?\d*)([a-zA-Z%])")
_LEVEL = re.compile(rf"^(?P<prefix>[^\n]{{0,400}}?)(?P<level>{LEVELS}):  ", re.MULTILINE)

# What Debian, managed services, pgBadger's manual and the default use.
KNOWN = (
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t [%p]: [%l-1] user=%u,db=%d ",
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t-%c-",
    "%t [%p] ",
    "%t ",
    "%m ",
    "%t %u@%d ",
    "%m [%p] %u@%d ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "[%p] ",
    "",
)
_PARTS = (
    ("stamp", re.compile(_STAMP)),
    ("session", re.compile(r"(?<![\w.])[0-9a-f]{8}\.[0-9a-f]+(?![\w.])")),
    ("virtual", re.compile(r"(?<![\w/])\d+/\d+(?![\w/])")),
    ("pid", re.compile(r"\[\d+\](?![-\d])|\bpid[=: ]\d+")),
    ("stamp", re.compile(r"(?<![\w.])1\d{9}\.\d{3}(?![\w.])")),
    ("user", re.compile(r"(?<=user=)[^,\s\]]*|(?<=usr=)[^,\s\]]*")),
    ("database", re.compile(r"(?<=db=)[^,\s\]]*|(?<=database=)[^,\s\]]*|(?<=dbname=)[^,\s\]]*")),
    ("application", re.compile(r"(?<=app=)[^,\]]*|(?<=application=)[^,\]]*|(?<=application_name=)[^,\]]*")),
    ("at", re.compile(r"[\w.\-\[\]]+@[\w.\-\[\]]+")),
    ("state", re.compile(r"(?<![\w.])(?=[0-9A-Z]*\d)[0-9A-Z]{5}(?![\w.])")),
    ("other", re.compile(r"\d+")),
)


_WORD = re.compile(r"[A-Za-z_]+(?: [A-Za-z_]+)*")


class Prefix(Record):
    """A pattern for `log_line_prefix`. `text` is what was recognised, for the note."""

    pattern: str
    text: str


def of_setting(setting: str) -> Prefix:
    """The pattern of a `log_line_prefix` as postgresql.conf has it."""
    parts, position, seen, optional = [], 0, set(), 0
    for match in _ESCAPE.finditer(setting):
        parts.append(re.escape(setting[position : match.start()]))
        position = match.end()
        padding, letter = match[1], match[2]
        if letter == "%":
            parts.append("%")
        elif letter == "q":
            parts.append("(?:")
            optional += 1
        elif letter in _ESCAPES:
            name, pattern = _ESCAPES[letter]
            group = f"(?P<{name}>{pattern})" if name and name not in seen else f"(?:{pattern})"
            seen.add(name)
            parts.append(f" *{group} *" if padding else group)
    parts.append(re.escape(setting[position:]))
    return Prefix("".join(parts) + ")?" * optional, setting)


def guess(sample: str) -> Prefix | None:
    """The prefix of the lines of a sample; None if they are no lines of a PostgreSQL log."""
    prefixes = [match["prefix"] for match in _LEVEL.finditer(sample)][:400]
    if not prefixes:
        return None
    best: tuple[int, int, Prefix] | None = None
    for candidate in [*(of_setting(setting) for setting in KNOWN), *_templates(prefixes)]:
        pattern = re.compile(candidate.pattern)
        matches = [match for match in map(pattern.fullmatch, prefixes) if match is not None]
        groups = sum(value is not None for match in matches[:50] for value in match.groupdict().values())
        if matches and (best is None or (len(matches), groups) > best[:2]):
            best = len(matches), groups, candidate
    if best is None or best[0] * 2 < len(prefixes):
        return Prefix(rf"(?:[^\n]*?(?P<stamp>{_STAMP}))?(?:[^\n]*?\[(?P<pid>\d+)\])?[^\n]{{0,400}}?", "any")
    return best[2]


def _templates(prefixes: list[str]) -> Iterator[Prefix]:
    """Patterns made from some of the lines themselves, their variable parts recognised one by one."""
    seen = set()
    counts = Counter(word for prefix in prefixes for word in set(_WORD.findall(prefix)))
    constant = {word for word, count in counts.items() if count >= 0.9 * len(prefixes)}
    for prefix in [*prefixes[:6], *prefixes[len(prefixes) // 2 :][:4]]:
        spans: list[tuple[int, int, str]] = []
        for name, pattern in _PARTS:
            for match in pattern.finditer(prefix):
                if all(match.end() <= start or end <= match.start() for start, end, _ in spans):
                    spans.append((match.start(), match.end(), name))
        found = _template(prefix, sorted(spans), constant)
        if found.pattern not in seen:
            seen.add(found.pattern)
            yield found


def _template(prefix: str, spans: list[tuple[int, int, str]], constant: set[str]) -> Prefix:
    patterns = {
        "stamp": rf"(?P<stamp>{_STAMP}|1\d{{9}}\.\d{{3}})",
        "session": r"(?P<session>[0-9a-f]+\.[0-9a-f]+)",
        "virtual": r"(?P<virtual>(?:-?\d+/-?\d+)?)",
        "user": r"(?P<user>[^,\s\]]*)",
        "database": r"(?P<database>[^,\s\]]*)",
        "application": r"(?P<application>[^,\]\n]*)",
        "at": r"(?P<user>[^\s@]*)@(?P<database>[^\s:@]*)",
        "state": r"(?P<state>[0-9A-Z]{5})",
        "other": r"\d*",
    }
    parts, position = [], 0
    used: set[str] = set()
    for start, end, name in spans:
        parts.append(_literal(prefix[position:start], constant))
        if name == "pid":
            text = prefix[start:end]
            lead = "[" if text[0] == "[" else text.rstrip("0123456789")
            group = r"(?P<pid>\d+)" if "pid" not in used else r"\d+"
            parts.append(re.escape(lead) + group + (r"\]" if text[-1] == "]" else ""))
        else:
            pattern = patterns[name]
            names = set(re.findall(r"\?P<(\w+)>", pattern))
            parts.append(re.sub(r"\?P<\w+>", "?:", pattern) if names & used else pattern)
            used |= names
        used.add(name)
        position = end
    return Prefix("".join(parts) + _literal(prefix[position:], constant), "guessed")


def _literal(text: str, constant: set[str]) -> str:
    """What stands between the parts; words that are not in every line are variable."""
    parts, position = [], 0
    for match in _WORD.finditer(text):
        if match[0] not in constant:
            parts += [re.escape(text[position : match.start()]), r"[^\n|,;@]*?"]
            position = match.end()
    return "".join([*parts, re.escape(text[position:])])


class StderrReader:
    """Takes text in any portions, hands messages to `sessions`."""

    def __init__(self, prefix: Prefix, source: str, sessions: Sessions, skipped: Counter[str], others: DebugReader | None = None) -> None:
        fields = "".join(f"(?P<{name}>)" for name in (*FIELDS, "state") if f"(?P<{name}>" not in prefix.pattern)
        self._entry = re.compile(f"^{prefix.pattern}{fields}{_MESSAGE}", re.MULTILINE)
        index = self._entry.groupindex
        self._order = tuple(index[name] for name in (*FIELDS, "milliseconds", "body"))
        self._what = index["level"], index["step"]
        self._who = index["session"], index["pid"], index["user"], index["database"]
        self._sessions = sessions
        self._skipped = skipped
        self._others = others  # takes the lines that are not the server's
        self._about = About(source)
        self._rest = ""
        self._line = 1
        self._quiet: tuple[str | None, ...] | None = None  # the session whose last message does not count

    def feed(self, text: str) -> None:
        text = self._rest + text
        end = self._whole(text)
        self._rest = text[end:]
        if end:
            self._take(text[:end])
        if len(self._rest) > MOST_ENTRY:
            self._skipped["entries longer than 16 MB"] += 1
            self._rest = ""

    def close(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            self._take(rest)
        if self._others is not None:
            self._others.close()

    @staticmethod
    def _whole(text: str) -> int:
        """Where the last entry begins, which may go on in the next portion."""
        at = len(text)
        while True:
            at = text.rfind("\n", 0, at)
            if at < 0:
                return 0
            if not text.startswith("\t", at + 1) and at + 1 < len(text):
                return at + 1

    def _take(self, text: str) -> None:
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        about, sessions, source = self._about, self._sessions, self._about.source
        previous = done = 0
        line, order, what, who, quiet = self._line, self._order, self._what, self._who, self._quiet
        for match in self._entry.finditer(text):
            start = match.start()
            if start > done + 1:
                self._lost(text[done:start], line)
            done = match.end()
            level, step = match.group(*what)
            if step in UNCOUNTED:
                quiet = match.group(*who)
                continue
            if level == "DETAIL" and quiet is not None and quiet == match.group(*who):
                continue
            quiet = None
            stamp, session, pid, user, database, application, virtual, milliseconds, body = match.group(*order)
            session = session or pid or f"{user}@{database}"
            line += text.count("\n", previous, start)
            previous = start
            if "\n" in body:
                body = body.replace("\n\t", "\n")
            if step:
                told = session, source, line, seconds_of(stamp), database or "", application or "", virtual or ""
                sessions.executed(body, float(milliseconds) / 1000, told, extended=step == "execute")
                continue
            about.line = line
            about.session = session
            about.stamp = None if level == "DETAIL" else seconds_of(stamp)
            about.database = database or ""
            about.application = application or ""
            about.virtual = virtual or ""
            about.state = match["state"] or ""
            sessions.message(level, f"duration: {milliseconds} ms{body}" if milliseconds else body, about)
        if done < len(text):
            self._lost(text[done:], line)
        self._line, self._quiet = line + text.count("\n", previous), quiet

    def _lost(self, text: str, line: int) -> None:
        if self._others is not None:
            self._others.take_lines(text.lstrip("\n"), line)
            return
        lines = sum(1 for line in text.split("\n") if line.strip())
        if lines:
            self._skipped["lines that are no entry of the log"] += lines


def texts(chunks: Iterable[bytes]) -> Iterator[str]:
    """Chunks as text; what is not UTF-8 becomes replacement characters, and NUL bytes go."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        text = decoder.decode(chunk)
        yield text.replace("\0", "") if "\0" in text else text
