"""What a run of a page has said is heard before a part of the page runs again.

Where a run has ended and Streamlit's loop has still to pass on what it said, as on a busy server, the request of a fragment would
begin a runner of its own, and all that the one before had said would be dropped: the page would stay as it was before a dial moved.
"""

from functools import wraps

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType


def hear_first() -> None:
    """Has sessions put off such a request until the loop has come to what was said before it."""
    ask = AppSession.request_rerun

    @wraps(ask)
    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        if client_state and client_state.fragment_id and has_ended(session):
            session._event_loop.call_soon(ask, session, client_state)
        else:
            ask(session, client_state)

    AppSession.request_rerun = request_rerun  # type: ignore[method-assign]


def has_ended(session: AppSession) -> bool:
    """Whether the last run has, and the session does not know it yet."""
    runner = session._scriptrunner
    return runner is not None and runner._requests._state is ScriptRequestType.STOP
