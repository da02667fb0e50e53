"""Every address of the product."""

from django.urls import include, path

urlpatterns = [
    path("", include("xiaodun.kit.urls")),
    path("", include("xiaodun.accounts.urls")),
    path("", include("xiaodun.desks.urls")),
    path("api/", include("xiaodun.api.urls")),
]
