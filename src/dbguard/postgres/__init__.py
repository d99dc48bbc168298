"""Everything that talks to a server: a throw-away one, and those of the user."""
