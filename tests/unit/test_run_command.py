"""``aegis run`` alone is everything; with a word it is one role of it."""

from argparse import ArgumentParser

import pytest

from services.cli.arguments.run import add_arguments


def role_of(*words):
    parser = ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words).role


def test_without_a_role_it_is_everything():
    assert not role_of("--mllp-port=0")


def test_a_role_is_one_that_there_is():
    assert role_of("rules", "--mllp-port=0") == "rules"
    with pytest.raises(SystemExit):
        role_of("kitchen")
