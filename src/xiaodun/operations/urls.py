"""Addresses of the system's own pages."""

from django.urls import path

from xiaodun.operations import views
from xiaodun.operations.retention import views as retention

app_name = "operations"
urlpatterns = [
    path("system/", views.health, name="health"),
    path("system/backup/", views.back_up, name="back_up"),
    path("system/keys-seen/", views.keys_seen, name="keys_seen"),
    path("retention/", retention.retention, name="retention"),
    path("retention/holds/<int:hold_id>/confirm/", retention.hold_confirm, name="hold_confirm"),
    path("retention/holds/<int:hold_id>/lift/", retention.hold_lift, name="hold_lift"),
    path("retention/reports/<int:run_id>/", retention.report, name="retention_report"),
]
