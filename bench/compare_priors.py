#!/usr/bin/env python3
"""Tables in Markdown of what compare_priors.sh has found: one per data set, one line per prior, mean over seeds with
the standard deviation between them.

    bench/compare_priors.py WORK/results.jsonl
"""
import json
import statistics
import sys


def scaled(key, factor=1.0):
    return lambda run: None if run[key] is None else factor * run[key]


def minor_state(run):
    """How far the population of the rarest true state is off, in points."""
    states = run["true_states"]
    if len(states) < 2:
        return None
    rarest = min(states, key=lambda s: s["true_population"])
    return 100 * abs(rarest["population"] - rarest["true_population"])


COLUMNS = [
    ("bound − gaussian's, nats", scaled("bound_difference"), 2),
    ("± within a run", scaled("bound_difference_error"), 2),
    ("states", scaled("states"), 1),
    ("population error, points", scaled("population_error"), 1),
    ("rarest state off by, points", minor_state, 1),
    ("median RMSD, Å", scaled("median_rmsd"), 2),
    ("adjusted Rand index", scaled("state_ari"), 2),
    ("junk AUC by energy", scaled("outlier_auc"), 2),
    ("samples intact, %", scaled("samples_intact", 100), 0),
    ("their spread, Å", scaled("samples_spread"), 2),
    ("latents used", scaled("active_latents"), 1),
]


def cell(values, digits):
    values = [v for v in values if v is not None]
    if not values:
        return "–"
    mean = f"{statistics.mean(values):.{digits}f}"
    spread = statistics.stdev(values) if len(values) > 1 else 0
    return f"{mean} ± {spread:.{digits}f}" if float(f"{spread:.{digits}f}") > 0 else mean


def main(path):
    with open(path) as lines:
        records = [json.loads(line) for line in lines]
    for data in dict.fromkeys(r["data"] for r in records):
        rows = {}
        for r in (r for r in records if r["data"] == data):
            rows.setdefault(r["row"], []).append(r["scores"]["runs"][-1])
        columns = [c for c in COLUMNS if any(c[1](run) is not None for runs in rows.values() for run in runs)]
        print(f"\n### {data}\n")
        print("| row | seeds | " + " | ".join(name for name, _, _ in columns) + " |")
        print("|---" * (len(columns) + 2) + "|")
        for row, runs in rows.items():
            cells = [cell([value(run) for run in runs], digits) for _, value, digits in columns]
            print(f"| `{row}` | {len(runs)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
