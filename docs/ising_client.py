#!/usr/bin/env python3
"""A sampler for `cryoscape ising --sampler "external:python3 ising_client.py"`: a template for clients of annealers.

Reads {"spins": n, "fields": [h...], "couplings": [[i, j, J]...], "beta": b, "samples": K, "seed": r} on standard
input, where p(s) is proportional to exp(b (sum h_i s_i + sum J_ij s_i s_j)), and answers {"samples": [[1, -1, ...]...]}.
"""
import json
import math
import random
import sys


def sample(fields, couplings, beta, count, seed):
    """Replace this by the machine. Most minimise +h s + J s s, so give them -h and -J, e.g. with D-Wave's Ocean:
    sampler.sample_ising([-h for h in fields], {(i, j): -J for i, j, J in couplings}, num_reads=count)."""
    rng = random.Random(seed)
    neighbours = [[] for _ in fields]
    for i, j, value in couplings:
        neighbours[i].append((j, value))
        neighbours[j].append((i, value))
    for _ in range(count):
        spins = [rng.choice((-1, 1)) for _ in fields]
        for _ in range(100):
            for i, h in enumerate(fields):
                field = h + sum(value * spins[j] for j, value in neighbours[i])
                spins[i] = 1 if rng.random() < 1 / (1 + math.exp(min(700, -2 * beta * field))) else -1
        yield spins


problem = json.load(sys.stdin)
fields = problem.get("fields", [0] * problem["spins"])
samples = sample(fields, problem.get("couplings", []), problem.get("beta", 1), problem["samples"], problem["seed"])
json.dump({"samples": list(samples)}, sys.stdout)
