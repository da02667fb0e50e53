from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "xiaodun.people"
    label = "people"

    def ready(self) -> None:
        from xiaodun.kit import audit, rotation
        from xiaodun.people.models import Person

        rotation.register(rotation.Column(Person, "audit_key", audit.rewrapped))
