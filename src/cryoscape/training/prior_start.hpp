#pragma once
#include <string>

#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/structure/normal_modes.hpp"

namespace cryoscape::training {

/// The concerted motions that --prior-init names: "modes" or "segments".
structure::Motions starting_motions(const std::string& kind, const structure::RestraintTopology& topology,
                                    std::int64_t count);

/// How much each latent takes part in motions, (d, K) with columns of length 1 (or 0, where the decoder does
/// not move anything that way): the latents' steps, in units of their spread over particles, whose decoded
/// displacement comes closest to the motion. Of posterior means and standard deviations (M, d); NaN is left
/// out.
torch::Tensor participation(model::HeterogeneityModel& model, const torch::Tensor& means,
                            const torch::Tensor& deviations, const structure::Motions& motions);

}  // namespace cryoscape::training
