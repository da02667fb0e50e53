"""Families of a class for the school, and the page behind a family's link."""

from django.urls import path

from xiaodun.families.views import child, classes

app_name = "families"

urlpatterns = [
    path("families/", classes.classes, name="classes"),
    path("families/<int:group_id>/", classes.group, name="group"),
    path("families/<int:group_id>/slips/", classes.print_links, name="print_links"),
    path("families/schools/<int:unit_id>/phone/", classes.keep_phone, name="keep_phone"),
    path("child/<str:secret>/", child.child, name="child"),
    path("child/<str:secret>/phone/", child.bind, name="bind"),
]
