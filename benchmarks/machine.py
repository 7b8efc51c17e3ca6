"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def machine() -> dict[str, Any]:
    """CPU, threads, settings and versions, beside the figures."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    field = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = field.get("flags", field.get("Features", "")).split()
    return {
        "cpu": field.get("model name", platform.processor()),
        "flags": [flag for flag in flags if flag.startswith(("avx", "amx", "fma", "asimd", "sve", "bf16"))],
        "capability": torch.backends.cpu.get_cpu_capability(),
        "settings": {
            name: os.environ[name] for name in ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY") if name in os.environ
        },
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "transformers")},
    }
