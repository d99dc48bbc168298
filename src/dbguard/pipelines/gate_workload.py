"""What an application sends, for the gate: captures, logs, exports and query files in; shapes, findings and counts for budgets out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dbguard.config import Config
from dbguard.model.record import Record
from dbguard.model.source import Lines
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.part import Part
from dbguard.pipelines.told import Told
from dbguard.planning.risk_traffic import Sent
from dbguard.reading import Reading, read_all
from dbguard.reading.queries import read_queries
from dbguard.rulebook.select import Selection


class Captured(Record):
    part: Part = Part()
    sent: tuple[Sent, ...] = ()
    units: Mapping[str, int] = {}  # queries of each named unit of work
    shapes: Mapping[str, int] = {}  # calls of each shape


def captured(config: Config, sources: Sequence[str], migrations: Reading, selection: Selection) -> Captured:
    """All that the sources tell. Queries are judged on the schema that the pending migrations leave."""
    if not sources:
        return Captured()
    from dbguard.pipelines.baseline import Budgets
    from dbguard.pipelines.query_files import check_query_files
    from dbguard.pipelines.workload import look

    reading = read_all(config, sources)
    histories = tuple([one._replace(asked=frozenset()) for one in migrations.histories])
    reading = reading._replace(histories=histories, schema=migrations.schema, large_tables=migrations.large_tables)
    budgets = Budgets()
    parts = [Part(unread=reading.unreadable)]
    sent: dict[str, Sent] = {}
    if reading.workload:
        looked = look(reading, config, selection, budgets.passing)
        parts.append(looked.part)
        sent |= {told.shape: _sent(told) for told in looked.shapes.values()}
    if reading.queries:
        parts.append(check_query_files(reading, config, selection))
        for source in reading.queries:
            lines = Lines(source.text)
            for written in read_queries(source):
                if not written.unread:
                    key = shape_of(written.sql).key
                    known = sent.get(key) or Sent(key, written.sql)
                    place = (source.path, lines.at(written.start)[0], written.name)
                    sent[key] = known._replace(name=known.name or written.name, places=(*known.places, place))
    return Captured(_together(parts), tuple(sent.values()), budgets.units, budgets.shapes)


def _sent(told: Told) -> Sent:
    places = tuple([(place.path, place.line, place.function) for place in told.places])
    if not places and told.seen[1]:
        places = ((*told.seen, ""),)
    mean = told.seconds / told.calls if told.seconds is not None and told.calls else None
    return Sent(told.shape, told.sql, told.calls, mean=mean, places=places)


def _together(parts: Sequence[Part]) -> Part:
    return Part(
        findings=tuple(finding for part in parts for finding in part.findings),
        unread=tuple(unread for part in parts for unread in part.unread),
        allows=tuple(allow for part in parts for allow in part.allows),
        crashed=tuple(crash for part in parts for crash in part.crashed),
        statements=sum(part.statements for part in parts),
        files=sum(part.files for part in parts),
        notes=tuple(note for part in parts for note in part.notes),
        subjects=frozenset[str]().union(*(part.subjects for part in parts)),
        query_files=tuple(file for part in parts for file in part.query_files),
    )
