"""Facts about one query against a schema: columns resolved, bounded or not, which index serves it, which is missing. Pure."""
