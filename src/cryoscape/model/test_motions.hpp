#pragma once
#include "cryoscape/model/heterogeneity_model.hpp"

namespace cryoscape::model {

/// Gives a decoder that has hardly been trained large motions, the same each time, for tests of what comes
/// after training.
inline void enlarge_motions(HeterogeneityModel& model) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  // The last layer starts at zero: it is what makes the motions large.
  for (auto& p : model.named_parameters()) {
    if (!p.key().starts_with("decoder")) continue;
    const bool last = p.key().find("layer5.weight") != std::string::npos;
    p.value().add_((last ? 2.0 : 0.05) * torch::randn_like(p.value()));
  }
}

}  // namespace cryoscape::model
