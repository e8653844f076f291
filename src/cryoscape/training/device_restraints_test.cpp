#include "cryoscape/training/device_restraints.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/training/objective.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

/// Both evaluators of a protein of two chains, and structures near it.
struct Setting {
  structure::BeadModel beads = make();
  structure::RestraintEvaluator evaluator{structure::make_restraints(beads, {})};
  DeviceRestraints device{evaluator.topology(), torch::kCPU};

  static structure::BeadModel make() {
    Philox random(1);
    io::AtomicModel model;
    structure::add_chain(model, "A", 90, {0, 0, 0}, random);
    structure::add_chain(model, "B", 50, {6, 0, 0}, random);
    return structure::make_beads(model, structure::BeadLevel::residue);
  }

  torch::Tensor structures(std::int64_t batch, int seed) const {
    torch::manual_seed(seed);
    const auto x = torch::tensor(beads.coordinates).view({1, -1, 3});
    return (x + torch::randn({batch, x.size(1), 3})).requires_grad_();
  }
};

/// Energies and gradients of both agree.
void expect_same(Setting& s, const torch::Tensor& x, const RestraintSchedule& schedule) {
  const auto expected = restraint_energy(x, s.evaluator, schedule);
  const auto gradient = torch::autograd::grad({expected.sum()}, {x})[0];
  const auto energy = restraint_energy(x, s.device, schedule);
  const auto found = torch::autograd::grad({energy.sum()}, {x})[0];
  EXPECT_TRUE(torch::allclose(energy, expected, 1e-4, 1e-5, true));
  EXPECT_TRUE(torch::allclose(found, gradient, 1e-4, 1e-4));
}

}  // namespace

TEST(DeviceRestraints, AreTheEvaluatorsBatchAfterBatch) {
  Setting s;
  const RestraintSchedule schedule{{2, 0.03f, 5}, 0.25f};
  for (int step = 0; step < 4; ++step) {
    expect_same(s, s.structures(5 + step, step), schedule);
    const auto mask = s.evaluator.edge_mask();
    EXPECT_TRUE(
        torch::equal(s.device.edge_mask(), torch::tensor(std::vector<float>(mask.begin(), mask.end()))))
        << step;
    const auto expected = s.evaluator.state(), state = s.device.state();
    ASSERT_EQ(state.size(), expected.size());
    for (std::size_t i = 0; i < state.size(); ++i)
      ASSERT_NEAR(state[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
  }
}

TEST(DeviceRestraints, LeaveBrokenStructuresOut) {
  Setting s;
  auto x = s.structures(3, 7).detach();
  x[1][4][2] = std::numeric_limits<float>::quiet_NaN();
  expect_same(s, x.requires_grad_(), {{1, 1, 1}, 0});
  EXPECT_EQ(s.device.state()[0], 2);
  expect_same(s, torch::full_like(x, std::numeric_limits<float>::infinity()).requires_grad_(),
              {{1, 1, 1}, 0});
  EXPECT_EQ(s.device.state()[0], 2);
}

TEST(DeviceRestraints, GoOnFromASavedState) {
  Setting s, other;
  const RestraintSchedule schedule{{1, 0.1f, 1}, 0.3f};
  s.device.energy(s.structures(6, 1), schedule);
  other.device.set_state(s.device.state());
  const auto x = s.structures(6, 2);
  EXPECT_TRUE(torch::equal(s.device.energy(x, schedule), other.device.energy(x, schedule)));
  EXPECT_TRUE(torch::equal(s.device.edge_mask(), other.device.edge_mask()));
  EXPECT_THROW(other.device.set_state(std::vector<double>(3)), std::invalid_argument);
}

TEST(DeviceRestraints, MomentsOfPartsAddUpToThoseOfTheBatch) {
  Setting parts, whole;
  const RestraintSchedule schedule{{1, 0.1f, 1}, 0.3f};
  const auto x = parts.structures(6, 1);
  whole.device.energy(x, schedule);
  parts.device.defer_moments();
  std::vector<double> sum(parts.device.state().size());
  for (const auto& rows : {x.narrow(0, 0, 2), x.narrow(0, 2, 4)}) {
    parts.device.energy(rows, schedule);
    const auto moments = parts.device.batch_moments();
    ASSERT_EQ(moments.size(), sum.size());
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += moments[i];
  }
  EXPECT_EQ(parts.device.state()[0], 0);
  parts.device.absorb(sum);
  const auto state = parts.device.state(), expected = whole.device.state();
  for (std::size_t i = 0; i < sum.size(); ++i)
    EXPECT_NEAR(state[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
}
