"""How schemathesis writes a bulk file of JSON lines: the schema says that it is text."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def json_lines(_context, value):
    return {"data": value if isinstance(value, bytes) else str(value).encode()}
