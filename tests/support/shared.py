"""Where real models lie, when they lie beside the repository; tests reach them by fixtures."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
