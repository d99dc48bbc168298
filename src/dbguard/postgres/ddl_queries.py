"""What the catalog holds of each kind of object, as rows that `ddl` makes statements of. Objects of extensions are left out."""

from __future__ import annotations

from dbguard.postgres.snapshot_relations import USER


def _own(catalog: str, oid: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.{catalog}'::regclass AND e.objid = {oid} AND e.deptype = 'e')"
    )


SCHEMAS = f"""
SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_namespace n
WHERE {USER} AND n.nspname <> 'public' AND {_own("pg_namespace", "n.oid")} ORDER BY n.oid"""

EXTENSIONS = """
SELECT pg_catalog.quote_ident(e.extname), pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY e.oid"""

COLLATIONS = f"""
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.collname), c.collprovider::text, {{locale}}, c.collcollate, c.collctype, c.collisdeterministic
FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE {USER} AND {_own("pg_collation", "c.oid")}"""

ENUMS = f"""
SELECT t.oid, pg_catalog.format('%I.%I', n.nspname, t.typname),
       (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
        FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND {USER} AND {_own("pg_type", "t.oid")}"""

DOMAINS = f"""
SELECT t.oid, pg_catalog.format('%I.%I', n.nspname, t.typname), pg_catalog.format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
       CASE WHEN t.typcollation <> b.typcollation THEN (SELECT pg_catalog.format('%I.%I', m.nspname, l.collname)
            FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = t.typcollation) END,
       (SELECT pg_catalog.array_agg(pg_catalog.format('CONSTRAINT %I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND {USER} AND {_own("pg_type", "t.oid")}"""

COMPOSITES = f"""
SELECT t.oid, pg_catalog.format('%I.%I', n.nspname, t.typname),
       (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'c' AND c.relkind = 'c' AND {USER} AND {_own("pg_type", "t.oid")}"""

RANGES = f"""
SELECT t.oid, pg_catalog.format('%I.%I', n.nspname, t.typname), pg_catalog.format_type(r.rngsubtype, NULL),
       CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END, {{multirange}}
FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE {USER} AND {_own("pg_type", "t.oid")}"""

FUNCTIONS = f"""
SELECT p.oid, pg_catalog.pg_get_functiondef(p.oid) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind <> 'a' AND {USER} AND {_own("pg_proc", "p.oid")}"""

SEQUENCES = f"""
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax,
       s.seqstart, s.seqcache, s.seqcycle, d.deptype::text,
       pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.relname), pg_catalog.quote_ident(a.attname),
       d.refobjid, d.refobjsubid
FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
     AND d.refclassid = 'pg_catalog.pg_class'::regclass
LEFT JOIN pg_catalog.pg_class t ON t.oid = d.refobjid LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE {USER} AND c.relpersistence <> 't' AND {_own("pg_class", "c.oid")}"""

TABLES = f"""
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text, c.relpersistence::text, c.relispartition,
       pg_catalog.pg_get_partkeydef(c.oid), pg_catalog.pg_get_expr(c.relpartbound, c.oid), pg_catalog.array_to_string(c.reloptions, ', '),
       c.relrowsecurity, c.relforcerowsecurity,
       (SELECT pg_catalog.array_agg(pg_catalog.format('%I.%I', pn.nspname, p.relname) ORDER BY h.inhseqno) FROM pg_catalog.pg_inherits h
        JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND {USER} AND {_own("pg_class", "c.oid")}"""

COLUMNS = f"""
SELECT a.attrelid, pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
       a.attidentity::text, a.attislocal, pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attnum,
       CASE WHEN a.attcollation <> t.typcollation THEN (SELECT pg_catalog.format('%I.%I', m.nspname, l.collname)
            FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation) END
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND {USER} ORDER BY a.attrelid, a.attnum"""

VIEWS = f"""
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text, pg_catalog.pg_get_viewdef(c.oid),
       pg_catalog.array_to_string(c.reloptions, ', ')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND {USER} AND {_own("pg_class", "c.oid")}"""

CONSTRAINTS = f"""
SELECT k.oid, k.conrelid, pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.quote_ident(k.conname), k.contype::text,
       pg_catalog.pg_get_constraintdef(k.oid), k.conkey[1], k.conindid, k.convalidated
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint above ON above.oid = k.conparentid
WHERE k.contype IN ('c', 'u', 'p', 'x', 'f', 'n') AND c.relkind IN ('r', 'p', 'f') AND {USER} AND {_own("pg_class", "c.oid")}
  AND (k.contype NOT IN ('c', 'f', 'n') OR k.coninhcount = 0 AND k.conislocal) AND (k.contype <> 'f' OR above.oid IS NULL)
ORDER BY k.oid"""

INDEXES = f"""
SELECT i.indexrelid, pg_catalog.format('%I.%I', n.nspname, x.relname), pg_catalog.pg_get_indexdef(i.indexrelid),
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
       (SELECT pg_catalog.format('%I.%I', pn.nspname, p.relname) FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE h.inhrelid = i.indexrelid), i.indisvalid OR x.relkind = 'I'
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
WHERE {USER} AND x.relpersistence <> 't' AND {_own("pg_class", "i.indrelid")} ORDER BY i.indexrelid"""

STATISTICS = f"""
SELECT pg_catalog.pg_get_statisticsobjdef(s.oid) FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE {USER} AND {_own("pg_statistic_ext", "s.oid")} ORDER BY s.oid"""

TRIGGERS = f"""
SELECT pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal {{own}} AND {USER} AND {_own("pg_class", "c.oid")} ORDER BY t.oid"""

POLICIES = f"""
SELECT pg_catalog.quote_ident(p.polname), pg_catalog.format('%I.%I', n.nspname, c.relname), p.polpermissive, p.polcmd::text,
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' ORDER BY r.rolname)
        FROM pg_catalog.pg_roles r WHERE r.oid = ANY(p.polroles)),
       pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {USER} ORDER BY p.oid"""

# What needs what, with OIDs of relations, types and functions: a rule stands for its view, a default or generated column for its table.
DEPENDENCIES = """
SELECT DISTINCT coalesce(w.ev_class, f.adrelid, k.contypid, d.objid),
       coalesce(NULLIF(t.typrelid, 0), NULLIF(t.typelem, 0), d.refobjid)
FROM pg_catalog.pg_depend d
LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND f.oid = d.objid
     AND EXISTS (SELECT FROM pg_catalog.pg_attribute g WHERE g.attrelid = f.adrelid AND g.attnum = f.adnum AND g.attgenerated <> '')
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid AND k.contypid <> 0
LEFT JOIN pg_catalog.pg_type t ON d.refclassid = 'pg_catalog.pg_type'::regclass AND t.oid = d.refobjid
WHERE d.deptype IN ('n', 'a', 'i') AND d.objid >= 16384 AND d.refobjid >= 16384
  AND (w.oid IS NOT NULL OR f.oid IS NOT NULL OR k.oid IS NOT NULL
       OR d.classid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_proc'::regclass))
  AND d.refclassid IN ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_type'::regclass, 'pg_catalog.pg_proc'::regclass,
                       'pg_catalog.pg_collation'::regclass)"""

# Objects that `ddl` does not write.
OTHERS = f"""
SELECT 'aggregate', pg_catalog.format('%I.%I', n.nspname, p.proname) FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'a' AND {USER} AND {_own("pg_proc", "p.oid")}
UNION ALL SELECT 'operator', pg_catalog.format('%I.%s', n.nspname, o.oprname) FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE {USER} AND {_own("pg_operator", "o.oid")}
UNION ALL SELECT 'operator class', pg_catalog.format('%I.%I', n.nspname, o.opcname) FROM pg_catalog.pg_opclass o
JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace WHERE {USER} AND {_own("pg_opclass", "o.oid")}
UNION ALL SELECT 'text search configuration', pg_catalog.format('%I.%I', n.nspname, o.cfgname) FROM pg_catalog.pg_ts_config o
JOIN pg_catalog.pg_namespace n ON n.oid = o.cfgnamespace WHERE {USER} AND {_own("pg_ts_config", "o.oid")}
UNION ALL SELECT 'base type', pg_catalog.format('%I.%I', n.nspname, t.typname) FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'b' AND t.typelem = 0 AND {USER} AND {_own("pg_type", "t.oid")}
UNION ALL SELECT 'rule', pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_rewrite w
JOIN pg_catalog.pg_class c ON c.oid = w.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE w.rulename <> '_RETURN' AND {USER} AND {_own("pg_class", "c.oid")}
UNION ALL SELECT 'foreign table', pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND {USER} AND {_own("pg_class", "c.oid")}
ORDER BY 1, 2"""
