#!/usr/bin/env bash
# Compares latent priors on simulated data with known truth, and appends one line of JSON per finished run to
# WORK/results.jsonl. Run again, it goes on where it stopped.
#
#   bench/compare_priors.sh WORK PATH.pdb [DATA…]
#
# PATH.pdb: a multi-model file of adenylate kinase from open to closed. DATA: demo, adk, broad (default: all three).
# From the environment: CRYOSCAPE (the program), SEEDS (default "1 2 3"), ROWS (default: all rows below), THREADS
# (default: all cores). Several of these may work side by side for different DATA. bench/compare_priors.py WORK/results.jsonl
# makes tables of the results.
set -euo pipefail
work=${1:?usage: bench/compare_priors.sh WORK PATH.pdb [DATA…]}
path=$(realpath "${2:?a multi-model PDB file is needed}")
shift 2
program=${CRYOSCAPE:-$(dirname "$0")/../build/bin/cryoscape}
mkdir -p "$work"
results=$work/results.jsonl
touch "$results"

# name: options of train
declare -A options=(
  [gaussian]="--prior gaussian" [mixture]="--prior mixture" [vamp]="--prior vamp" [flow]="--prior flow"
  [gbrbm]="--prior gbrbm" [ebm]="--prior ebm" [ebm-snl]="--prior ebm-snl" [diffusion-ebm]="--prior diffusion-ebm"
  [bernoulli]="--prior bernoulli" [rbm]="--prior rbm" [rbm-hidden]="--prior rbm-hidden"
  [boltzmann]="--prior boltzmann" [dbm]="--prior dbm" [qbm]="--prior qbm" [rbm+gaussian]="--prior rbm+gaussian"
  [gaussian-energy]="--prior gaussian --energy-in-prior" [mixture-energy]="--prior mixture --energy-in-prior"
  [gbrbm-energy]="--prior gbrbm --energy-in-prior" [rbm-energy]="--prior rbm --energy-in-prior"
  [gbrbm-modes]="--prior gbrbm --prior-init modes" [gbrbm-segments]="--prior gbrbm --prior-init segments"
  [rbm-modes]="--prior rbm --prior-init modes" [rbm-segments]="--prior rbm --prior-init segments"
)
order=(gaussian mixture gbrbm bernoulli rbm rbm+gaussian vamp flow ebm ebm-snl boltzmann rbm-hidden dbm qbm diffusion-ebm
  gaussian-energy mixture-energy gbrbm-energy rbm-energy gbrbm-modes gbrbm-segments rbm-modes rbm-segments)

declare -A models=([demo]=$work/demo/path.cif [adk]=$path [broad]=$work/demo/path.cif)
declare -A reference=([demo]=$work/demo/reference.cif [adk]=$path [broad]=$work/demo/reference.cif)
# True states; `broad` is one state along a smooth path, which must not be split.
declare -A states=(
  [demo]="--populations 6:0.6,56:0.3,31:0.1 --spread 2.5"
  [adk]="--populations 10:0.65,50:0.05,85:0.30 --spread 4"
  [broad]="--populations 31:1 --spread 12"
)

make_data() {
  local data=$work/data/$1
  [ -e "$data/truth.star" ] && return
  [ -e "$work/demo/path.cif" ] || "$program" demo --out "$work/demo" --quiet >/dev/null
  # shellcheck disable=SC2086
  "$program" simulate "${models[$1]}" --out "$data" --particles 5000 --box 64 --pixel-size 2 --snr 0.05 --junk 0.05 \
    --seed 11 ${states[$1]} --quiet
}

# One line: what was run, and what compare says of it beside the Gaussian prior.
record() {
  local beside=$work/runs/$1.gaussian.$3
  "$program" compare $([ "$4" = "$beside" ] || echo "$beside") "$4" --truth "$work/data/$1/truth.star" --models "${models[$1]}" --json |
    tr -d '\n' | sed "s/^/{\"data\": \"$1\", \"row\": \"$2\", \"seed\": $3, \"scores\": /; s/\$/}\n/" >>"$results"
}

(($#)) || set -- demo adk broad
for seed in ${SEEDS:-1 2 3}; do
  for data in "$@"; do
    for row in ${ROWS:-${order[*]}}; do
      grep -q "^{\"data\": \"$data\", \"row\": \"$row\", \"seed\": $seed," "$results" && continue
      make_data "$data"
      run=$work/runs/$data.$row.$seed
      # shellcheck disable=SC2086
      "$program" run "$work/data/$data/particles.star" --model "${reference[$data]}" --out "$run" --force --quiet \
        --seed "$seed" --epochs 30 ${THREADS:+--threads "$THREADS"} ${options[$row]}
      record "$data" "$row" "$seed" "$run"
    done
  done
done
