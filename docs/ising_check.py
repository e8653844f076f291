#!/usr/bin/env python3
"""How far samples of a small problem are from its distribution: `cryoscape ising P.json ... | python3 ising_check.py P.json`.

Prints the total variation between the samples' frequencies and all enumerated states, and what as many independent
samples have on average. `ising_check.py --make N SEED` prints a glass of N spins.
"""
import collections
import itertools
import json
import math
import random
import sys

if sys.argv[1] == "--make":
    n, rng = int(sys.argv[2]), random.Random(int(sys.argv[3]))
    fields = [rng.gauss(0, 0.3) for _ in range(n)]
    pairs = [[i, j, rng.gauss(0, 1.5 / math.sqrt(n))] for i in range(n) for j in range(i + 1, n)]
    print(json.dumps({"spins": n, "fields": fields, "couplings": pairs, "beta": 1.0}))
    sys.exit()

problem = json.load(open(sys.argv[1]))
states = list(itertools.product((-1, 1), repeat=problem["spins"]))
weights = [math.exp(problem["beta"] * (sum(h * x for h, x in zip(problem["fields"], s)) +
                                       sum(v * s[i] * s[j] for i, j, v in problem["couplings"]))) for s in states]
total = sum(weights)
answer = json.load(sys.stdin)
count = len(answer["samples"])
seen = collections.Counter(map(tuple, answer["samples"]))
variation = sum(abs(seen[s] / count - w / total) for s, w in zip(states, weights)) / 2
noise = sum(math.sqrt(2 * w / total * (1 - w / total) / math.pi / count) for w in weights) / 2
print(f"total variation {variation:.3f} (noise {noise:.3f}), ln Z {math.log(total):.4f}",
      {key: value for key, value in answer.items() if key != "samples"})
