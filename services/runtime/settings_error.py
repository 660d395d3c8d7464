"""The error of a setting, apart from the settings: who only reports it need not load them."""


class SettingsError(ValueError):
    """A setting cannot be: the message names its variable and says what is wrong."""
