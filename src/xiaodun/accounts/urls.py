"""Sign-in, one's own account and phones, the accounts of staff, and the tablets of gates."""

from django.urls import path

from xiaodun.accounts.views import (
    activation,
    confirm,
    devices,
    equipment,
    factors,
    gate,
    providers,
    security,
    sign_in,
    staff,
    staff_sign_in,
)

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.challenge, name="challenge"),
    path("sign-in/demo/", sign_in.sign_in_to_demo, name="sign_in_to_demo"),
    path("sign-in/via/<slug:provider>/", providers.leave, name="leave_for"),
    path("sign-in/via/<slug:provider>/back/", providers.come_back, name="come_back"),
    path("account/via/<slug:provider>/", providers.connect, name="connect"),
    path("account/via/<slug:provider>/end/", providers.disconnect, name="disconnect"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("language/", sign_in.choose_language, name="language"),
    path("account/", security.security, name="security"),
    path("account/password/", security.change_password, name="password"),
    path("account/sessions/<int:session>/end/", security.end_session, name="end_session"),
    path("account/sessions/end-others/", security.end_other_sessions, name="end_other_sessions"),
    path("account/factor/", factors.enrol, name="enrol"),
    path("account/factor/app/", factors.enrol_app, name="enrol_app"),
    path("account/factor/passkey/", factors.enrol_passkey, name="enrol_passkey"),
    path("account/factor/recovery/", factors.recovery_codes, name="recovery_codes"),
    path("account/factor/<int:factor>/remove/", factors.remove, name="remove_factor"),
    path("activate/", activation.activation, name="activate"),
    path("staff/", staff.schools, name="schools"),
    path("staff/<int:unit_id>/", staff.staff, name="staff"),
    path("staff/<int:unit_id>/slips/", staff.print_slips, name="print_slips"),
    path("staff/sign-in/", staff_sign_in.staff, name="staff_sign_in"),
    path("staff/sign-in/<int:user>/reissue/", staff_sign_in.reissue, name="reissue_factor"),
    path("staff/sign-in/<int:user>/unpause/", staff_sign_in.unpause, name="unpause"),
    path("staff/<int:unit_id>/equipment/", equipment.equipment, name="equipment"),
    path(
        "staff/<int:unit_id>/devices/<int:device_id>/revoke/",
        equipment.revoke_device,
        name="revoke_staff_device",
    ),
    path("staff/<int:unit_id>/tablets/", equipment.announce, name="announce_tablet"),
    path("staff/<int:unit_id>/tablets/<int:tablet_id>/revoke/", equipment.revoke_gate, name="revoke_tablet"),
    path("devices/", devices.devices, name="devices"),
    path("devices/<int:device_id>/revoke/", devices.revoke, name="revoke_device"),
    path("pin/", devices.unlock, name="unlock"),
    path("gate/", gate.gate, name="gate"),
    path("gate/end/", gate.end, name="end_shift"),
    path("gate/pin/", gate.guard_pin, name="guard_pin"),
]
