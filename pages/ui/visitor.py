"""Who looks at the page: what they may change, and where they say that they are the teacher."""

import secrets
import time
from importlib.util import find_spec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from metacore.runs.classroom import KEEPER, Classroom, Limits, Visitor, classroom, digest
from metacore.runs.job import Job
from pages.ui import browser_key, words

WRONG_SECONDS = 1.0  # a wrong key costs time, so that keys are not tried out


def current() -> Visitor:
    """Whoever the page is shown to."""
    room = classroom()
    if room is None:
        return KEEPER
    if get_script_run_ctx() is None:  # a thread of the server's own
        return Visitor("", room.limits)
    browser = room.visitor(_of_browser())
    if not sign_in_is_set_up():
        return browser
    person = signed_in()
    owner = digest("person", person) if person else ""
    teaches = bool(person) and room.teaches(person, _listed_teachers())
    return Visitor(owner, None if teaches else browser.limits)


def may_change(thing: Job) -> bool:
    return current().may_change(thing)


def badge(thing: Job) -> None:
    """Says of what the visitor may not change whose it is."""
    if not may_change(thing):
        st.badge(
            "somebody else's",
            icon=":material/person:",
            color="gray",
            help="Only they or a teacher can cancel, continue, change or delete it.",
        )


def _of_browser() -> str:
    """By the browser's cookie; one that keeps none is known until it leaves the page."""
    key = browser_key.valid(_cookie())
    if not key:
        key = st.session_state.setdefault("visitor key", secrets.token_urlsafe(32))
    return browser_key.owner(key)


def _cookie() -> str | None:
    return st.context.cookies.get(browser_key.COOKIE)


# --- signing in --------------------------------------------------------------------------------


def sign_in_is_set_up() -> bool:
    """Whether the server's secrets name a provider of identities."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def signed_in() -> str:
    """The address of whoever has signed in, or their provider's name for them; "" for nobody."""
    found = st.user.to_dict()
    if not found.get("is_logged_in"):
        return ""
    trusted = found.get("email") and found.get("email_verified") is not False
    return str(found["email"] if trusted else found.get("sub") or "")


def _listed_teachers() -> tuple[str, ...]:
    return tuple(map(str, st.secrets.get("class", {}).get("teachers", ())))


# --- in the sidebar ----------------------------------------------------------------------------


def card() -> None:
    """What the visitor may do here; nothing at one's own computer."""
    room = classroom()
    if room is None:
        return
    who = current()
    st.markdown("**This class**")
    if sign_in_is_set_up():
        _account()
    if who.limits is None:
        st.caption("You are a teacher: you may cancel, delete and change every run.")
        entered = room.visitor(_of_browser()).limits is None
        if entered and st.button("Leave", help="Makes you a visitor again.", key="leave class"):
            room.leave(_of_browser())
            st.rerun()
        return
    st.caption(rules(who.limits))
    _teachers_door(room)


def rules(limits: Limits) -> str:
    at_once = words.several(limits.quota, "training or comparison", "trainings or comparisons")
    return (
        f"You change only what you start: {at_once} at once, each for up to"
        f" {words.duration(limits.seconds)}."
    )


def _account() -> None:
    person = signed_in()
    if person:
        st.caption(f"Signed in as {words.plain(person)}.")
        st.button("Sign out", on_click=st.logout, help="Ends your visit here.", key="sign out")
    elif find_spec("authlib") is None:
        st.warning("Signing in needs Authlib on the server: pip install 'metacore[class]'.")
    else:
        st.button("Sign in", on_click=st.login, help="What you start is kept as yours.")


def _teachers_door(room: Classroom) -> None:
    with st.popover("I am the teacher", icon=":material/key:", help="Asks for the teacher's key."):
        with st.form("teacher", border=False):
            key = st.text_input(
                "Teacher's key",
                type="password",
                key="teachers key",
                help="It was printed when the class was started.",
            )
            pressed = st.form_submit_button("Enter", help="Lets you change every run.")
        if pressed and room.fits(key or ""):
            room.enter(_of_browser())
            st.rerun()
        if pressed:
            time.sleep(WRONG_SECONDS)
            st.error("This is not the teacher's key.")
