"""The keys of the file that are about NATS."""

from __future__ import annotations

from ennio.config.number_fields import BoolField
from ennio.config.text_fields import InstanceField, PathField, UrlField

URL = UrlField(
    "The NATS server (docs/nats.md); left out, `NATS_URL` counts, and without either there is"
    " no NATS",
    "nats",
    "tls",
    none=True,
)
INSTANCE = InstanceField(
    "A name that stands in every subject, to tell several supervisors on one NATS server apart",
    longest=32,
)
STREAM = BoolField(
    "Whether a stream of JetStream that keeps what is published is made where there is none"
)
CREDENTIALS = PathField(
    "A file of NATS credentials (.creds): who Ennio is to the server", none=True
)
NKEY = PathField("A file with the seed of an nkey: another way to say it", none=True)
CA = PathField(
    "Certificates that are believed beside the system's when the NATS server shows its own",
    none=True,
)
CERT = PathField("The certificate shown to the NATS server", none=True)
KEY = PathField("The key of that certificate", none=True)
