"""``train all | bundle | evaluate``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import click
import torch
from torch import distributed

from contract.cli import ErrorLineGroup, out_option
from contract.errors import InputError, TrainingError
from contract.lock import only_run
from dataset.shards.split_file import PARTS, SplitPart
from models.base.configurations import FULL_CONFIGURATIONS
from models.base.device import DEVICE, open_device
from models.files.bundle import Bundle, load_bundle, save_bundle
from models.files.tha1 import export_tha1, full_networks
from train.data.batch import require_size
from train.data.order import Share
from train.data.samples import (
    SampleSet,
    Splits,
    has_parts,
    open_samples,
    open_splits,
    require_origins,
)
from train.loss.vgg import find_vgg16, load_vgg16
from train.measure.evaluate import evaluate as measure
from train.measure.evaluate import mean_rest_picture
from train.measure.report import markdown, write_report
from train.plan.estimate import describe
from train.plan.plan import TrainingPlan, changed
from train.plan.presets import PRESETS
from train.plan.stages import STAGES, Stage
from train.run.assemble import assemble
from train.run.beginning import (
    Beginning,
    open_beginning,
    require_fitting,
    require_unmet,
    sources_of,
)
from train.run.loop import train_stage
from train.run.run import Run, require_same_bundle, write_run
from train.run.watch import open_watch

_PATH = click.Path(path_type=Path)
BUNDLE_FOLDER = "bundle"


@click.group(cls=ErrorLineGroup)
def main() -> None:
    """Train the three networks on shards, make a bundle of them, and measure it."""


@main.command("all")
@click.argument("data", type=_PATH)
@out_option("Folder for everything.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="paper", show_default=True)
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change the preset.")
@click.option("--stage", "wanted", multiple=True, type=click.Choice(list(STAGES)), help="Only it.")
@click.option(
    "--losses",
    type=click.Choice(["L1", "L1+P", "auto"]),
    default="auto",
    show_default=True,
    help="Which stages; auto: those with the perceptual loss too, unless in the presets demo "
    "and live VGG16's weights are missing.",
)
@click.option("--vgg16", type=_PATH, help="VGG16's weights (vgg16-397923af.pth).")
@click.option("--split", "split_file", type=_PATH, help="JSON: the sources of each part.")
@click.option("--resize", is_flag=True, help="Reduce the pictures to the networks' size.")
@click.option(
    "--skip-broken-shards", is_flag=True, help="Check all shards; leave out damaged ones."
)
@click.option(
    "--precompute",
    is_flag=True,
    help="Keep the rotators' pictures on disk for their combiners; says first how much that takes.",
)
@click.option(
    "--begin-with",
    metavar="BUNDLE",
    help="Begin with a bundle's networks, as far as it has them; the word pretrained means the "
    "bundle that came with the program.",
)
@DEVICE
@click.option("--dry-run", is_flag=True, help="Show the plan and its cost; train nothing.")
def train_all(
    data: Path,
    out: Path,
    preset: str,
    changes: tuple[str, ...],
    wanted: tuple[str, ...],
    losses: str,
    vgg16: Path | None,
    split_file: Path | None,
    resize: bool,
    skip_broken_shards: bool,
    precompute: bool,
    begin_with: str | None,
    device: str,
    dry_run: bool,
) -> None:
    """Train whatever is missing of a run on the shards in DATA, in order, and build its bundle.

    Run the same command again to go on where it stopped. DATA is a folder of shards (a file
    split.json there may list the sources of each part; else a tenth of the sources each is held
    out), or a folder with the folders train, validation and test. For several processes:
    torchrun --nproc-per-node N -m train.cli all DATA -o RUN.
    """
    plan, upkeep = changed(*PRESETS[preset], changes)
    upkeep = replace(upkeep, precompute=precompute or upkeep.precompute)
    splits = open_splits(data, split_file, skip_broken_shards, plan.seed)
    if plan.mirror:
        splits = replace(splits, train=splits.train.with_mirror_images())
    for part in PARTS:
        require_size(splits.part(part), plan.network.size, resize)
    stages = _choose(wanted, losses, vgg16, preset, dry_run)
    for stage in stages:
        if field := plan.stages[stage.name].needs_origins:
            require_origins(splits.train, f"{stage.name}.{field}")
    beginning = _beginning(begin_with, plan, stages, data, splits) if begin_with else None
    if dry_run:
        click.echo(describe(plan, upkeep, splits, stages, open_device(device)))
        return
    with _processes() as share:
        here = open_device(device)
        vgg = load_vgg16(vgg16).to(here) if any(stage.loss == "P" for stage in stages) else None
        fingerprint = splits.train.fingerprint()
        sets = splits.train, splits.validation, fingerprint
        run = Run(out, plan, upkeep, *sets, vgg, here, share, beginning)
        require_same_bundle(run)
        with only_run(out, _note) if share.rank == 0 else nullcontext():
            _train(run, stages, splits)


def _note(text: str) -> None:
    click.echo(text, err=True)


def _beginning(
    name: str, plan: TrainingPlan, stages: Sequence[Stage], data: Path, splits: Splits
) -> Beginning:
    """The bundle to begin with; refuses one that does not fit, or has met what is held out."""
    beginning = open_beginning(name)
    require_fitting(beginning, stages, plan.network)
    require_unmet(beginning.told, data, splits)
    begun = [stage.name for stage in stages if stage.name in beginning.networks]
    _note(f"{', '.join(begun)} begin with {beginning.told}")
    if not beginning.told.saw:
        _note(f"{name}: does not say which models it saw, and so the new bundle will not")
    return beginning


def _choose(
    wanted: Sequence[str], losses: str, vgg16: Path | None, preset: str, dry_run: bool
) -> tuple[Stage, ...]:
    """The stages to train; refuses now what would fail for want of VGG16 after days."""
    stages = [STAGES[name] for name in wanted or STAGES]
    if losses == "L1":
        stages = [stage for stage in stages if "P" not in stage.name]
    if any(stage.loss == "P" for stage in stages):
        try:
            find_vgg16(vgg16)
        except InputError as error:
            is_optional = losses == "auto" and preset in {"demo", "live"} and not vgg16
            if not is_optional and not dry_run:
                raise InputError(f"{error}; or train without it: --losses L1") from error
            _note(f"without the perceptual loss: {error}")
            if is_optional:
                stages = [stage for stage in stages if "P" not in stage.name]
    return tuple(stages)


def _train(run: Run, stages: Sequence[Stage], splits: Splits) -> None:
    if run.share.rank:
        for stage in stages:
            if not run.is_finished(stage.name):
                train_stage(run, stage, None)
            distributed.barrier()
        return
    run.folder.mkdir(parents=True, exist_ok=True)
    with open_watch(run.folder) as watch:
        for stage in stages:
            if run.is_finished(stage.name):
                watch.note(f"{stage.name}: finished before")
            else:
                write_run(run, splits.sources(), splits.models())
                train_stage(run, stage, watch)
            if run.share.ranks > 1:
                distributed.barrier()
    bundle = run.folder / BUNDLE_FOLDER
    save_bundle(bundle, assemble(run.folder), replace=True)
    click.echo(f"{bundle}: {', '.join(load_bundle(bundle).networks())}")


@contextmanager
def _processes() -> Iterator[Share]:
    """This process' share: all of the work, unless torchrun started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Share()
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Share(distributed.get_rank(), distributed.get_world_size())
    except RuntimeError as error:
        # What gloo raises has no class of its own.
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error):
            raise
        raise TrainingError(
            f"another process of this training ended or is not reached any more ({error}); start "
            "all of them again, or fewer: they go on from the last checkpoint"
        ) from error
    finally:
        distributed.destroy_process_group()


@main.command()
@click.argument("run", type=_PATH)
@out_option("The bundle's folder [default: RUN/bundle].", required=False)
@click.option("--tha1", type=_PATH, help="Write THA1's three files into this folder as well.")
@click.option("--configuration", type=click.Choice(FULL_CONFIGURATIONS), help="For --tha1.")
@click.option("--half", is_flag=True, help="Numbers of half the size (float16).")
def bundle(
    run: Path, out: Path | None, tha1: Path | None, configuration: str | None, half: bool
) -> None:
    """Build a bundle of the stages of RUN that are finished."""
    made, dtype = assemble(run), torch.float16 if half else torch.float32
    save_bundle(out or run / BUNDLE_FOLDER, made, out is None, dtype)
    click.echo(f"{out or run / BUNDLE_FOLDER}: {', '.join(made.networks())}")
    if tha1:
        export_tha1(tha1, full_networks(made, configuration))
        click.echo(f"{tha1}: THA1's three files")


@main.command()
@click.argument("bundles", type=_PATH, nargs=-1, required=True)
@click.option("--data", type=_PATH, required=True, help="Shards, as for training.")
@click.option("--split", "split_file", type=_PATH, help="JSON: the sources of each part.")
@click.option("--part", type=click.Choice(PARTS), default="test", show_default=True)
@out_option("Folder for Markdown, CSV, JSON, a page and pictures.", required=False)
@click.option("--resize", is_flag=True, help="Reduce the pictures to the networks' size.")
@DEVICE
def evaluate(
    bundles: tuple[Path, ...],
    data: Path,
    split_file: Path | None,
    part: SplitPart,
    out: Path | None,
    resize: bool,
    device: str,
) -> None:
    """Measure all configurations of BUNDLES on the part test of the data, beside baselines.

    What networks decide is applied at the pictures' size, which may be larger than theirs. OUT's
    samples.html shows the best, median and worst samples of each bundle, as all of them make them.
    Of a folder of shards without a split, those sources are used that no bundle has met.
    """
    loaded = {str(path): load_bundle(path) for path in bundles}
    here = open_device(device)
    for one in loaded.values():
        for network in one.networks().values():
            network.to(here)
    met = _sources(loaded.values(), ("train", "validation"))
    if has_parts(data, split_file):
        splits = open_splits(data, split_file)
        tested, trained = splits.part(part), splits.train
    else:
        samples = open_samples(data)
        tested = samples.of_sources(set(samples.sources) - met)
        trained = samples.of_sources(_sources(loaded.values(), ("train",)))
    _check_unseen(data, tested, _sources(loaded.values(), ("train",)))
    _check_unmet(tested, {sha256 for one in loaded.values() for sha256 in one.saw.get("train", ())})
    size = tested.size
    if resize:
        sizes = [n.config.size for one in loaded.values() for n in one.networks().values()]
        size = max(sizes, default=size)
        require_size(tested, size, resize)
    mean_rest = mean_rest_picture(trained if len(trained) else tested, size)
    results = measure(loaded, tested, mean_rest, size, here)
    click.echo(markdown(results))
    if out:
        write_report(out, results)


def _sources(bundles: Iterable[Bundle], parts: Sequence[str]) -> set[str]:
    """The sources that bundles record for some parts of their data."""
    return {name for one in bundles for name in sources_of(one.stages, parts)}


def _check_unseen(data: Path, tested: SampleSet, trained: set[str]) -> None:
    both = sorted(trained & set(tested.sources))
    if both:
        raise InputError(
            f"{data}: the source {both[0]} was trained on; measure on sources held out from it"
        )
    if not len(tested):
        raise InputError(f"{data}: no source is left that was not trained on; give other shards")


def _check_unmet(tested: SampleSet, trained: set[str]) -> None:
    """Sources of several data sets may be called alike, or a source be renamed: models tell."""
    for character in tested.characters:
        if character.sha256 in trained:
            raise InputError(
                f"{character.path}: was trained on; measure on models held out from it"
            )


if __name__ == "__main__":
    main()
