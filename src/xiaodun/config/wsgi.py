"""The WSGI entry for any server; settings must be chosen by DJANGO_SETTINGS_MODULE."""

from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

# A foreign server runs no checks of its own, and a demonstration's database must not go into production by
# it.
if faults := [
    fault for fault in run_checks(tags=[Tags.database], databases=["default"]) if fault.is_serious()
]:
    raise ImproperlyConfigured("\n".join(str(fault) for fault in faults))
