"""The error of a setting; importable without the settings themselves."""


class SettingsError(ValueError):
    """A setting is unknown or invalid; the message names its variable and the problem."""
