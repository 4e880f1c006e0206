"""Requests of ours that leave this machine: through the proxy that is set, with the certificates
that are set, within limits.
"""

from ennio.plugins.web.address import base_address, is_loopback
from ennio.plugins.web.published import as_published, sound
from ennio.plugins.web.transport import HttpResponse, Transport

__all__ = ["HttpResponse", "Transport", "as_published", "base_address", "is_loopback", "sound"]
