"""What is done of a plan, and what is left to do."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from contract.errors import InputError, ShardError
from contract.progress import Progress
from contract.text import counted, shown_path, time_left
from dataset.build.build_worker import SampleDrawn, ShardJob, ShardMade
from dataset.build.plan import WHOLE_BUILD, BuildPlan, BuildShare, ShardPart, shard_name
from dataset.catalog.choose import Selection
from dataset.catalog.quarantine import QUARANTINE_NAME, Quarantine, QuarantineRow
from dataset.jobs.messages import Message, ModelFailed
from dataset.shards.shard import ShardReader

_SHOW_SECONDS = 0.2


@dataclass(frozen=True)
class BuildSummary:
    """What a run left behind, and how fast it was: ``pictures`` were drawn in ``seconds``."""

    models: int
    quarantined: int
    samples: int
    shards: int
    shard_bytes: int
    pictures: int
    seconds: float


def left_out_lines(selection: Selection) -> Iterator[str]:
    """What is not drawn and why, in numbers."""
    reasons = Counter(selection.left_out.values())
    examples = {why: path for path, why in sorted(selection.left_out.items(), reverse=True)}
    for why, count in reasons.items():
        yield f"{counted(count, 'model')} left out: {why} (as {shown_path(examples[why])})"
    for paths, what in (
        (selection.duplicates, "copies of other files are left out"),
        (selection.archives, "archives are left packed; unpack them to use them"),
        (selection.links, "links are not followed"),
    ):
        if paths:
            yield f"{len(paths)} {what} (as {shown_path(min(paths))})"


class Ledger:
    """Keeps account of one run over a share of ``plan`` into the folder ``out``."""

    def __init__(
        self, plan: BuildPlan, out: Path, progress: Progress, share: BuildShare = WHOLE_BUILD
    ) -> None:
        self._plan = plan
        self._shards = plan.shards()
        self._numbers = share.shards(len(self._shards))
        self._out = out
        self._quarantine = Quarantine(out, progress.note)
        self._progress = progress
        self._made: dict[int, tuple[ShardPart, ...]] = {}
        # Samples of each model in the shards that are being made.
        self._drawn: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._pictures = 0
        self._kept_samples = 0
        self._began = self._shown = time.monotonic()

    def announce(self) -> None:
        """Say what will be done, and what will not."""
        plan, poses = self._plan, self._plan.configuration.poses
        self._progress.note(
            f"{counted(len(plan.models), 'model')} x {counted(poses, 'pose')} = "
            f"{counted(len(plan.models) * poses, 'sample')} "
            f"in {counted(len(self._shards), 'shard')}"
        )
        for line in left_out_lines(plan.selection):
            self._progress.note(line)
        for path, refusal in plan.selection.refused.items():
            self._put_away(QuarantineRow(shown_path(path), **asdict(refusal)))

    def keep_finished(self) -> None:
        """Verify what an earlier run finished; what is not sound will be made again."""
        present = [n for n in self._numbers if self._path(n).exists()]
        for done, number in enumerate(present):
            self._progress.show(done, len(present), "shards of an earlier run verified")
            if parts := self._verified_parts(number):
                self._made[number] = parts
        self._kept_samples = self._samples_made()
        if present:
            self._progress.note(f"{self.finished()} from an earlier run")

    def unmade(self) -> list[int]:
        """The shards that are not as they should be, the largest first, so that no worker is left
        with one at the end; those that should not be are removed."""
        unmade = []
        for number in self._numbers:
            wanted = self._wanted(number)
            if not wanted:
                self._path(number).unlink(missing_ok=True)
                self._made.pop(number, None)
            elif self._made.get(number) != wanted:
                unmade.append(number)
        return sorted(unmade, key=lambda number: -sum(part.count for part in self._wanted(number)))

    def job_of(self, number: int) -> ShardJob | None:
        """The job that makes a shard of the models that are still good; None without any."""
        parts = self._wanted(number)
        if not parts:
            return None
        models = {part.model: self._plan.models[part.model] for part in parts}
        return ShardJob(number, models, self._path(number), parts)

    def hear(self, number: int, message: Message) -> None:
        """Take what is said about the making of shard ``number``."""
        match message:
            case SampleDrawn(model, pictures):
                self._drawn[number][model] += 1
                self._pictures += pictures
            case ModelFailed(model, code, text, stage, worker_ends):
                planned = self._plan.models[model]
                path = shown_path(planned.path)
                self._put_away(QuarantineRow(path, planned.sha256, code, text, stage))
                lost = self._drawn.pop(number, Counter()) if worker_ends else self._drawn[number]
                lost.pop(model, None)
            case ShardMade(parts):
                self._made[number] = parts
                self._drawn.pop(number, None)
        self._show()

    def finished(self) -> str:
        """ "3 of 8 shards finished"."""
        return f"{len(self._made)} of {len(self._numbers)} shards finished"

    def summary(self) -> BuildSummary:
        """The account of the whole run; ``InputError`` when not one model could be drawn."""
        if not self._made and (self._numbers or not self._shards):
            if not self._quarantine.rows:
                raise InputError(f"{self._out}: no model is left to draw; see the reasons above")
            first = next(iter(self._quarantine.rows))
            raise InputError(
                f"all {len(self._quarantine.rows)} models are quarantined, see "
                f"{self._out / QUARANTINE_NAME} (the first: {first.message})"
            )
        return BuildSummary(
            models=len({part.model for parts in self._made.values() for part in parts}),
            quarantined=len(self._quarantine.rows),
            samples=self._samples_made(),
            shards=len(self._made),
            shard_bytes=sum(self._path(number).stat().st_size for number in self._made),
            pictures=self._pictures,
            seconds=time.monotonic() - self._began,
        )

    def _path(self, number: int) -> Path:
        return self._out / shard_name(number)

    def _wanted(self, number: int) -> tuple[ShardPart, ...]:
        return self._plan.without(self._quarantine, self._shards[number])

    def _verified_parts(self, number: int) -> tuple[ShardPart, ...]:
        """What a finished shard holds; nothing when it is unsound or not of this plan."""
        try:
            with ShardReader(self._path(number)) as reader:
                for frame in range(len(reader.frame_bytes)):
                    reader.encoded_frame(frame)
                return self._plan.parts_of(reader, number)
        except ShardError as error:
            self._progress.note(f"{error}: it is made again")
            return ()

    def _put_away(self, row: QuarantineRow) -> None:
        if self._quarantine.add(row):
            fault = row.message.removeprefix(f"{PurePosixPath(row.path).name}: ")
            self._progress.note(f"quarantined {row.path} ({row.code}): {fault}")

    def _samples_made(self) -> int:
        return sum(part.count for parts in self._made.values() for part in parts)

    def _show(self) -> None:
        if time.monotonic() - self._shown < _SHOW_SECONDS:
            return
        self._shown = time.monotonic()
        done = self._samples_made() + sum(count.total() for count in self._drawn.values())
        wanted = sum(part.count for n in self._numbers for part in self._wanted(n))
        seconds = time.monotonic() - self._began
        words = (
            f"{self._pictures / max(seconds, 1e-9):.1f} pictures/s",
            f"{counted(len(self._quarantine.rows), 'model')} quarantined",
            time_left(done - self._kept_samples, wanted - self._kept_samples, seconds),
        )
        self._progress.show(done, wanted, ", ".join(filter(None, words)))
