"""`--render`: the user's own environment prints the SQL of their migrations, in a subprocess.

In: histories whose Python migrations were read from their syntax trees. Out: the same with the blocks that the framework
itself sends, where it does. This is the one place of dbguard that runs code of the project, and only when asked to.
"""

from __future__ import annotations

from dbguard.reading.render.apply import apply_rendered, failed
from dbguard.reading.render.process import Rendered, Request, Server, render

__all__ = ["Rendered", "Request", "Server", "apply_rendered", "failed", "render"]
