"""Addresses of the pages that join the facts of several apps."""

from django.urls import path

from xiaodun.desks.views import boards, checks, files, inbox, signals, today

app_name = "desks"
urlpatterns = [
    path("", today.home, name="home"),
    path("today/", today.today, name="today"),
    path("groups/<int:group_id>/check/", checks.class_check, name="class_check"),
    path("groups/<int:group_id>/check/roster.json", checks.class_roster, name="class_roster"),
    path("groups/<int:group_id>/check/submit/", checks.submit, name="class_submit"),
    path("checks/<int:session_id>/", checks.check_done, name="check_done"),
    path("checks/<int:session_id>/correct/", checks.correct, name="check_correct"),
    path("signals/", signals.signal_list, name="signals"),
    path("signals/<int:signal_id>/", signals.signal_page, name="signal"),
    path("signals/<int:signal_id>/acknowledge/", signals.acknowledge, name="signal_acknowledge"),
    path("signals/<int:signal_id>/decide/", signals.decide, name="signal_decide"),
    path("signals/<int:signal_id>/report/", signals.report, name="signal_report"),
    path("files/", files.file_list, name="files"),
    path("files/<int:episode_id>/", files.file_page, name="file"),
    path("board/", boards.district_board, name="board"),
    path("institutions/<int:unit_id>/", boards.institution_page, name="institution"),
    path("figures/<str:code>/<int:unit_id>/", boards.figure_page, name="figure"),
    path("messages/", inbox.inbox, name="inbox"),
    path("messages/read/", inbox.read_all, name="messages_read"),
    path("messages/<int:message_id>/open/", inbox.open_message, name="message_open"),
]
