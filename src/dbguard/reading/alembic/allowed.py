"""What of SQLAlchemy a revision may call here: functions that only make objects, and methods that only change them."""

from __future__ import annotations

_FUNCTIONS = (
    "text func literal literal_column column table select update insert delete and_ or_ not_ null true false case cast try_cast exists desc asc "
    "distinct bindparam tuple_ type_coerce extract between nullsfirst nulls_first nullslast nulls_last any_ all_ union union_all intersect except_ "
    "values within_group over outerjoin join alias lateral collate quoted_name conv array aggregate_order_by to_tsvector to_tsquery "
    "plainto_tsquery phraseto_tsquery websearch_to_tsquery array_agg hstore"
)
_METHODS = (
    "values where filter filter_by join outerjoin select_from order_by limit offset group_by having distinct returning on_conflict_do_nothing "
    "on_conflict_do_update is_ is_not isnot in_ not_in notin_ like ilike not_like notlike not_ilike notilike startswith endswith contains "
    "contained_by between desc asc label op bool_op cast bindparams columns alias subquery cte scalar_subquery as_scalar correlate insert update "
    "delete select exists union union_all any_ all_ any all concat with_variant execution_options prefix_with nullsfirst nulls_first nullslast "
    "nulls_last over filter self_group with_for_update params collate has_key has_any has_all is_distinct_from is_not_distinct_from match "
    "regexp_match regexp_replace from_select inline with_only_columns add_columns within_group lateral"
)
FUNCTIONS = frozenset(_FUNCTIONS.split())
METHODS = frozenset(_METHODS.split())
