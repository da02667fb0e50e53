"""Model fields of the shared ground."""

from typing import Any

from django.db import models
from django.db.models.lookups import Lookup, Transform

from xiaodun.kit import crypto


class EncryptedText(models.Field):  # type: ignore[type-arg]  # Django's class takes none at run time
    """Text that stands encrypted in the database (phones, addresses, free text).

    The ciphertext is bound to its model and column: copied into another column it does not open. It is not
    bound to its row. Only ``isnull`` can be looked up; whoever must search keeps a blind index beside it.
    """

    def get_internal_type(self) -> str:
        return "BinaryField"

    @property
    def context(self) -> str:
        """To which column a ciphertext is bound."""
        return f"{self.model._meta.label_lower}.{self.name}"

    def get_prep_value(self, value: Any) -> bytes | None:
        value = super().get_prep_value(value)
        return None if value is None else crypto.encrypt(str(value).encode(), context=self.context)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return None if value is None else connection.Database.Binary(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else crypto.decrypt(bytes(value), context=self.context).decode()

    def get_lookup(self, lookup_name: str) -> type[Lookup] | None:
        if lookup_name != "isnull":
            # A ciphertext never matches anything: an empty result would be taken for a true answer.
            raise TypeError(f"{self.context} is encrypted; look it up by its blind index.")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> type[Transform] | None:
        return None
