"""Random choices, the same for the same seed."""


class Choose:
    """What everything that generates statements has in common."""

    def __init__(self, rng):
        self.rng = rng

    def chance(self, share):
        """True in this share of the calls."""
        return self.rng.random() < share

    def weighted(self, choices):
        """One of (weight, value)."""
        return self.rng.choices([c[1] for c in choices], [c[0] for c in choices])[0]
