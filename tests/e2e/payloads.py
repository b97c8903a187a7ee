"""payloads: reads tests/payloads.json; what its fields mean stands in tests/unit/payloads.h."""
import json
import os
from typing import NamedTuple, Optional

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "payloads.json")


class Payload(NamedTuple):
    name: str
    form: bool                  # else the member `data` of a JSON body
    published: Optional[bytes]  # None: not given
    object: bool
    delivered: Optional[bytes]  # None: refused
    refused: Optional[int]


def as_bytes(form):
    if isinstance(form, str):
        return form.encode()
    if isinstance(form, list):
        return b"".join(as_bytes(part) for part in form)
    if "hex" in form:
        return bytes.fromhex(form["hex"])
    return as_bytes(form["repeat"]) * form["times"]


def load():
    with open(PATH, encoding="utf-8") as file:
        rows = json.load(file)
    return [Payload(row["name"], row["as"] == "form",
                    None if row["published"] is None else as_bytes(row["published"]), row.get("object", False),
                    as_bytes(row["delivered"]) if "delivered" in row else None, row.get("refused"))
            for row in rows]
