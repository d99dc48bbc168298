"""One hallway per verb. Read check.py first."""
