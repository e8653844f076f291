#pragma once
#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/prior_expansion.hpp"
#include "cryoscape/model/heterogeneity_model.hpp"

namespace cryoscape::inference {

/// How well single images tell the largest motion, in Å r.m.s. over the beads: the median over particles (at
/// most 512 of them) of √(aᵀ (F + Λ)⁻¹ a / N) at their heaviest mode, a = ∂(u·x)/∂z along the first principal
/// axis u (3N) of their decoded structures. The Cramér–Rao bound with the prior counted in (van Trees 1968):
/// directions that images say nothing of have no bound without one.
double predicted_error(model::HeterogeneityModel& model, const PriorExpander& prior,
                       const Expansions& expansions);

}  // namespace cryoscape::inference
