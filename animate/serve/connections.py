"""The page's connections: live pictures, a recording, a camera, a microphone, a sound, a stage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from animate.serve.camera import Camera
from animate.serve.live import Live, until_one_ends
from animate.serve.microphone import Microphone
from animate.serve.played_sound import PlayedSound
from animate.serve.recording import Recording
from animate.serve.sessions import Session, Sessions, made_in
from animate.serve.wire import LeftError, Wire, next_message, tell, tell_fault
from animate.track.face_measures import FaceFinder
from contract.errors import InputError

_FACES = 2  # that somebody comes in behind a person is usual


def serve_connections(
    app: FastAPI, sessions: Sessions, scratch: Path, background: str | None
) -> None:
    """Let pages connect; see ``make_app``."""

    @app.websocket("/api/live/{token}")
    async def live(socket: WebSocket, token: str) -> None:
        await _about(socket, sessions, token, lambda one: Live(socket, one.show).run())

    @app.websocket("/api/recording/{token}")
    async def recording(socket: WebSocket, token: str) -> None:
        async def run(session: Session) -> None:
            await Recording(socket, sessions, session, scratch).run()

        await _about(socket, sessions, token, run)

    @app.websocket("/api/stage")
    async def stage(socket: WebSocket) -> None:
        async def run() -> None:
            await tell(socket, background=background)
            await _show_what_was_opened_last(socket, sessions)

        await _connected(socket, sessions, run)

    _serve_people(app, sessions, scratch)


def _serve_people(app: FastAPI, sessions: Sessions, scratch: Path) -> None:
    """What of a person drives a drawing: face and voice."""

    @app.websocket("/api/camera/{token}")
    async def camera(socket: WebSocket, token: str) -> None:
        async def run(session: Session) -> None:
            watcher = sessions.threads.watcher
            finder = await made_in(watcher, lambda: FaceFinder(_FACES))
            try:
                await Camera(socket, session.show.driver, finder, watcher).run()
            finally:
                watcher.submit(finder.close)

        await _about(socket, sessions, token, run)

    @app.websocket("/api/microphone/{token}")
    async def microphone(socket: WebSocket, token: str) -> None:
        async def run(session: Session) -> None:
            await Microphone(socket, session.show.driver, sessions.threads.watcher).run()

        await _about(socket, sessions, token, run)

    @app.websocket("/api/sound/{token}")
    async def sound(socket: WebSocket, token: str) -> None:
        async def run(session: Session) -> None:
            opener = sessions.threads.opener
            await PlayedSound(socket, session.show.driver, opener, scratch).run()

        await _about(socket, sessions, token, run)


async def _about(
    socket: WebSocket, sessions: Sessions, token: str, run: Callable[[Session], Awaitable[None]]
) -> None:
    async def with_session() -> None:
        await run(sessions.session(token))

    await _connected(socket, sessions, with_session)


async def _connected(
    socket: WebSocket, sessions: Sessions, run: Callable[[], Awaitable[None]]
) -> None:
    """Run a connection, and close it in words where that cannot be."""
    await socket.accept()
    try:
        try:
            with sessions.connected():
                await run()
        except InputError as error:
            await tell_fault(socket, error)
        await socket.close(1000)
    except (LeftError, WebSocketDisconnect, RuntimeError):
        return  # the page left, perhaps while something was on its way to it


async def _show_what_was_opened_last(wire: Wire, sessions: Sessions) -> None:
    while True:
        session, another = sessions.opened_last, sessions.another
        shown = Live(wire, session.show, may_drive=False).run() if session else _waiting(wire)
        await until_one_ends(shown, another.wait())


async def _waiting(wire: Wire) -> None:
    while True:
        await next_message(wire)
