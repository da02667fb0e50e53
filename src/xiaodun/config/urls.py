"""Every address of the product."""

from django.urls import include, path

urlpatterns = [
    path("", include("xiaodun.kit.urls")),
    path("", include("xiaodun.accounts.urls")),
    path("", include("xiaodun.families.urls")),
    path("", include("xiaodun.desks.urls")),
    path("", include("xiaodun.operations.urls")),
    path("api/", include("xiaodun.api.urls")),
]

handler400 = "xiaodun.kit.views.bad_request"
handler403 = "xiaodun.kit.views.forbidden"
handler404 = "xiaodun.kit.views.not_found"
handler500 = "xiaodun.kit.views.server_error"
