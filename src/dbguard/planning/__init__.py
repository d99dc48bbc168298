"""Facts about plans: read, measured, grown, swept over parameters, and which indexes would help. Pure: no server is talked to."""
