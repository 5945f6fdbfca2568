"""A client that keeps to what the document says of Idempotency-Key in words: one key, one wish."""

import itertools

import schemathesis

count = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    key = "Idempotency-Key"
    good = case.meta is not None and case.meta.generation.mode.is_positive
    if good and case.headers and case.headers.get(key):
        case.headers[key] = f"{case.headers[key][:200]}-{next(count)}"
