"""The one exception people are meant to read: a sentence that says what to do."""


class UserError(Exception):
    """Something asked for cannot be done; its text is shown as it stands, without a traceback."""
