"""The frame of the contents of facts: frozen values whose kind is a tag in their JSON."""

from msgspec import Struct


class FactBody(Struct, frozen=True, gc=False, omit_defaults=True, tag_field="kind"):
    """The content of a fact. No value of it can refer back to it: no search for cycles is needed.

    >>> from services.vocabulary.clinical_fact import Relapse
    >>> Relapse("in the marrow"), Relapse().kind
    (Relapse(detail='in the marrow'), 'relapse')
    """

    @property
    def kind(self) -> str:
        """The name of the kind in JSON and in the journal, e.g. ``observation``."""
        return str(self.__struct_config__.tag)
