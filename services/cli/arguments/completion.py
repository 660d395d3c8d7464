"""Arguments of ``aegis completion``."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter

_HOW = """
Add to ~/.bashrc or ~/.zshrc:
  eval "$(aegis completion bash)"
or zsh instead of bash; for fish, in ~/.config/fish/config.fish:
  aegis completion fish | source
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the shell."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = _HOW
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
