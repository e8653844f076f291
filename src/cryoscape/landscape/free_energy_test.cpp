#include "cryoscape/landscape/free_energy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/landscape/prior_landscape.hpp"
#include "cryoscape/landscape/test_run.hpp"

namespace cryoscape::landscape {
namespace {

StructureSpace space_of(const training::Run& run, const Conformations& conformations) {
  return fit_structure_space(conformations.decode(conformations.usable()), run.data.scene().coordinates);
}

TEST(PriorFreeEnergy, IsThatOfTheDrawsBesideTheParticles) {
  auto run = open_test_run();
  const auto conformations = open_conformations(run);
  const auto space = space_of(run, conformations);
  const auto variables = parse_collective_variables("pc1", {run.data.beads, space});
  const auto values = values_of(variables[0], conformations);
  const auto found = prior_free_energy(run, run.model->prior(), variables, {values}, 1);
  EXPECT_EQ(found.kind, "pc");
  EXPECT_EQ(found.units, std::vector<std::string>{"A"});
  ASSERT_EQ(found.axes.size(), 1u);
  // Particles lie in two clusters; draws of the standard normal prior fill what is between them.
  double raw = 0, middle = 0;
  for (const double share : found.raw_histogram) raw += share;
  EXPECT_NEAR(raw, 1, 1e-9);
  ASSERT_EQ(values.size(), conformations.usable().size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  for (std::size_t i = 0; i < found.energy.size(); ++i)
    if (std::abs(found.axes[0].at(i) - (*low + *high) / 2) < 0.1 * (*high - *low)) {
      middle += found.raw_histogram[i];
      EXPECT_TRUE(found.energy[i]);
    }
  EXPECT_EQ(middle, 0);
}

TEST(ConformationsAlongARun, StandAsTheDecoderPlacesThem) {
  auto run = open_test_run();
  const auto conformations = open_conformations(run);
  const auto space = space_of(run, conformations);
  const auto variable = parse_collective_variable("pc1", {run.data.beads, space});
  const auto path = conformations_along(variable, run, conformations, 1, 5);
  ASSERT_EQ(path.size(), 5u);
  // The ends are near the structure of some particle or draw, as it stands.
  auto structures = conformations.decode(conformations.usable());
  const auto drawn = training::decode_latents(*run.model, prior_draws(run.model->prior(), 10000, 1));
  structures.insert(structures.end(), drawn.begin(), drawn.end());
  for (const std::size_t k : {std::size_t{0}, path.size() - 1}) {
    const std::span<const float> x(path.structures.data() + k * conformations.length(),
                                   conformations.length());
    double nearest = 1e9;
    for (std::size_t i = 0; i < structures.size(); i += conformations.length())
      nearest = std::min(nearest, geometry::rmsd(x, {structures.data() + i, conformations.length()}));
    EXPECT_LT(nearest, 0.25 * space.standard_deviation[0]);
  }
}

}  // namespace
}  // namespace cryoscape::landscape
