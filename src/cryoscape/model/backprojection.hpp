#pragma once
#include <span>
#include <vector>

#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/model/spectral_model.hpp"

namespace cryoscape::model {

/// Lattice points of the molecule's frame at which images are back-projected: (V, 3) Å, centred, and their
/// spacing.
struct FeatureLattice {
  std::vector<float> points;
  float spacing = 0;  ///< Å
  std::size_t size() const { return points.size() / 3; }
};

/// Cubic lattice within `margin` Å of any bead ((N, 3) Å), spaced as finely as `max_points` allows but not
/// below `min_spacing`. Empty without beads, or where no point is allowed.
FeatureLattice make_feature_lattice(std::span<const float> coordinates, double margin, double min_spacing,
                                    int max_points);

/// Images as the encoder sees them: y = IFFT[h·CTF·G·X / S], the noise-weighted, bead-filtered image, read at
/// the projections of the lattice points. Up to a term that depends on the pose alone, the log-likelihood of
/// any structure is Σ A_n y(p_n) − ½c: these features and the pose hold what the image says about the
/// structure, in the molecule's own frame whatever the view. features: (size, V), scaled to unit variance for
/// pure noise. Parallel over particles.
void backproject_features(const FeatureLattice& lattice, const projection::ProjectionSpec& projection,
                          const SpectralModel& spectral, const BatchView& batch, std::span<float> features);

}  // namespace cryoscape::model
