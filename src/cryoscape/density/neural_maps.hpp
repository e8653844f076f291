#pragma once
#include <array>
#include <filesystem>
#include <vector>

#include "cryoscape/density/half_source.hpp"
#include "cryoscape/density/run_conformations.hpp"
#include "cryoscape/density/targets.hpp"

namespace cryoscape::density {

/// Half-maps of targets from one NeuralDensity per half-set, [target][half-set]: each is learned from the
/// half's particles and their posterior means, `conformations` being those of the half's run, and evaluated
/// at the target's latents: its own, or the mean of those of the particles whose conformations are nearest to
/// it. Networks are kept in `folder` as neural_half1.pt and neural_half2.pt after every epoch; with `resume`
/// they go on from there. Shows progress; throws as NeuralDensity::train does.
std::vector<std::array<std::vector<float>, 2>> neural_half_maps(
    const std::array<HalfSource, 2>& halves, const std::array<const RunConformations*, 2>& conformations,
    io::StackReader& reader, const particles::ImageGrid& grid, const std::vector<Target>& targets,
    const std::filesystem::path& folder, bool resume);

}  // namespace cryoscape::density
