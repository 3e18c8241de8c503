"""What the key ring cannot do; the message tells the operator what to do."""


class RingError(Exception):
    """The key ring cannot do what was asked; the message tells the operator what to do."""
