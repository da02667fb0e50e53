"""The WSGI entry for any server; settings must be chosen by DJANGO_SETTINGS_MODULE."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
