"""From selected models to verified shards.

Running the same command again continues: finished shards are verified and kept.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from contract.files import remove_leftovers
from contract.lock import only_run
from contract.progress import Progress
from dataset.build.arrivals import Arrivals
from dataset.build.build_worker import WorkerSetup, run_worker
from dataset.build.configuration import Configuration
from dataset.build.ledger import BuildSummary, Ledger
from dataset.build.plan import WHOLE_BUILD, BuildShare, gather, settle_plan
from dataset.catalog.choose import Selection
from dataset.drawing.protocols import OpenRenderer
from dataset.jobs.cluster import Cluster, Site
from dataset.jobs.pool import Crew, Pool


def build(
    models_folder: Path,
    selection: Selection,
    out: Path,
    wanted: Configuration,
    crew: Crew,
    open_renderer: OpenRenderer,
    progress: Progress,
    site: Site | None = None,
    share: BuildShare = WHOLE_BUILD,
) -> BuildSummary:
    """Draw ``wanted.poses`` samples of each selected model into shards in ``out``.

    ``site``: the cluster that draws them, instead of ``crew`` on this machine. ``share``: make only
    these shards, in a folder of their own in ``out``.

    Raises:
        InputError: ``out`` holds something else, is in use by another run, or cannot
            be written; or every model is quarantined.
        DeviceError: there is no OpenGL, or no worker of the cluster is of use.
    """
    whole, out = share == WHOLE_BUILD, out if share == WHOLE_BUILD else share.folder(out)
    with only_run(out, progress.note):
        plan = settle_plan(selection, out, wanted)
        if whole:
            gather(out, progress.note)
        ledger = Ledger(plan, out, progress, share)
        setup = WorkerSetup(models_folder, plan.configuration, open_renderer)
        ledger.announce()
        try:
            ledger.keep_finished()
            # More than once when a model fails that is in shards already finished.
            while numbers := ledger.unmade():
                run = partial(run_worker, setup)
                if site is None:
                    Pool(run, crew, ledger.job_of, ledger.hear).run(numbers)
                    continue
                take = Arrivals(models_folder, plan, out).take
                Cluster(site, run, ledger.job_of, ledger.hear, take, progress.note).run(numbers)
        except KeyboardInterrupt:
            progress.note(f"stopped with {ledger.finished()}; the same command continues")
            raise
        finally:
            remove_leftovers(out)
        return ledger.summary()
