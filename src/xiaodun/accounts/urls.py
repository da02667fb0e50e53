"""Sign-in, confirmation, sign-out and language."""

from django.urls import path

from xiaodun.accounts.views import activation, confirm, sign_in, staff

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/demo/", sign_in.sign_in_to_demo, name="sign_in_to_demo"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("language/", sign_in.choose_language, name="language"),
    path("activate/", activation.activation, name="activate"),
    path("staff/", staff.schools, name="schools"),
    path("staff/<int:unit_id>/", staff.staff, name="staff"),
    path("staff/<int:unit_id>/slips/", staff.print_slips, name="print_slips"),
]
