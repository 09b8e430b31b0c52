"""Cuts a disagreeing statement down to the smallest that still disagrees in the same way."""

import time

from sqltree import SUBJECT, variants


def shrink(tree, disagrees, seconds, attempts=1500):
    """
    The smallest statement found for which `disagrees(tree)` is true, within a time limit.

    A variant is taken as soon as it disagrees and is shorter, and its own variants come next.
    """
    deadline = time.monotonic() + seconds
    tried = {tree.render(SUBJECT)}
    progress = True
    while progress:
        progress = False
        for smaller in variants(tree):
            if time.monotonic() > deadline or len(tried) > attempts:
                return tree
            text = smaller.render(SUBJECT)
            if text in tried or len(text) >= len(tree.render(SUBJECT)):
                continue
            tried.add(text)
            if disagrees(smaller):
                tree, progress = smaller, True
                break
    return tree
