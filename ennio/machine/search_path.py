"""What a person is told of a ``PATH``."""

from __future__ import annotations

import os

_TOLD = 4


def folders_of(path: str) -> str:
    """The first folders of a ``PATH``, and how many more there are: enough to know whose it is. The
    whole of it stands in no event.

    >>> folders_of("/usr/local/bin:/usr/bin:/bin:/opt/a:/opt/b:/opt/c")
    '/usr/local/bin:/usr/bin:/bin:/opt/a, and 2 more'
    >>> folders_of("")
    'empty'
    """
    folders = path.split(os.pathsep) if path else []
    more = f", and {len(folders) - _TOLD} more" if len(folders) > _TOLD else ""
    return f"{os.pathsep.join(folders[:_TOLD])}{more}" or "empty"
