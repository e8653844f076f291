#include "cryoscape/structure/cuda/restraints.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/structure/cuda/compact.hpp"
#include "cryoscape/structure/cuda/restraint_math.hpp"
#include "cryoscape/structure/test_models.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;
namespace gpu = cryoscape::structure::cuda;

namespace {

BeadModel two_chains() {
  Philox random(1);
  io::AtomicModel model;
  add_chain(model, "A", 170, {0, 0, 0}, random);
  add_chain(model, "B", 50, {6, 0, 0}, random);
  return make_beads(model, BeadLevel::residue);
}

std::vector<float> jittered(std::span<const float> x, int batch, double jitter) {
  Philox random(2);
  std::vector<float> out;
  for (int b = 0; b < batch; ++b)
    for (const float v : x) out.push_back(static_cast<float>(v + jitter * random.normal()));
  return out;
}

/// Results of the threads' functions run on the host.
struct Threads {
  std::vector<float> energy, gradient, sum, square;
  std::vector<std::int32_t> finite;
};

Threads run_threads(const RestraintTopology& topology, std::span<const float> mask,
                    const RestraintWeights& weights, std::span<const float> x, int batch) {
  const auto lists = gpu::compact(topology);
  const int beads = static_cast<int>(topology.beads), edges = static_cast<int>(topology.edges.size());
  const gpu::RestraintArrays arrays{beads,
                                    edges,
                                    lists.start.data(),
                                    lists.neighbours.data(),
                                    lists.pairs.data(),
                                    mask.data(),
                                    topology.clash_distance,
                                    topology.clash_radii.data(),
                                    topology.own_limit_start.data(),
                                    lists.own_limits.data()};
  const int parts = (beads + gpu::kEnergyBeads - 1) / gpu::kEnergyBeads;
  Threads out{std::vector<float>(batch), std::vector<float>(x.size(), 7.0f), std::vector<float>(edges),
              std::vector<float>(edges), std::vector<std::int32_t>(batch)};
  std::vector<float> energy(static_cast<std::size_t>(batch) * parts),
      moments(2 * static_cast<std::size_t>(edges) * gpu::kMomentParts);
  std::vector<gpu::BeadBox> boxes(static_cast<std::size_t>(batch) * gpu::box_count(beads));
  gpu::evaluate_restraints_on_host(
      arrays, {weights.bond, weights.edge, weights.clash}, batch, x.data(),
      {out.gradient.data(), energy.data(), moments.data(), out.finite.data(), boxes.data()});
  for (std::size_t k = 0; k < energy.size(); ++k) out.energy[k / parts] += energy[k];
  for (int part = 0; part < gpu::kMomentParts; ++part)
    for (int e = 0; e < edges; ++e) {
      out.sum[e] += moments[(2 * part) * edges + e];
      out.square[e] += moments[(2 * part + 1) * edges + e];
    }
  return out;
}

}  // namespace

TEST(CudaRestraints, AgreeWithTheEvaluator) {
  const auto beads = two_chains();
  constexpr int kBatch = 11;
  for (const double jitter : {0.0, 0.3, 3.0}) {  // 3 Å: hundreds of clashes
    RestraintEvaluator evaluator(make_restraints(beads, {.between_chains = jitter > 1}));
    const RestraintWeights weights{2, 0.03f, 5};
    const auto x = jittered(beads.coordinates, kBatch, jitter);
    std::vector<float> energy(kBatch), gradient(x.size());
    for (int turn = 0; turn < 2; ++turn)  // the second time with edges let go
      evaluator.evaluate(x, kBatch, weights, 0.25f, energy, gradient);
    const auto threads = run_threads(evaluator.topology(), evaluator.edge_mask(), weights, x, kBatch);
    float largest = 0;
    for (const float g : gradient) largest = std::max(largest, std::abs(g));
    for (int s = 0; s < kBatch; ++s)
      EXPECT_NEAR(threads.energy[s], energy[s], 1e-4 * energy[s] + 1e-5) << jitter;
    for (std::size_t k = 0; k < x.size(); ++k)
      ASSERT_NEAR(threads.gradient[k], gradient[k], 1e-5 * largest + 1e-5) << jitter << " " << k;
  }
}

TEST(CudaRestraints, MomentsAreThoseOfTheEvaluator) {
  const auto beads = two_chains();
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  const auto x = jittered(beads.coordinates, 9, 0.5);
  std::vector<float> energy(9), gradient(x.size());
  evaluator.evaluate(x, 9, {}, 0, energy, gradient);
  const std::vector<float> mask(evaluator.topology().edges.size(), 1.0f);
  const auto threads = run_threads(evaluator.topology(), mask, {}, x, 9);
  const auto state = evaluator.state();  // weight, sums, sums of squares of the first batch
  EXPECT_EQ(state[0], 9);
  for (std::size_t e = 0; e < mask.size(); ++e) {
    ASSERT_NEAR(threads.sum[e], state[1 + e], 1e-4);
    ASSERT_NEAR(threads.square[e], state[1 + mask.size() + e], 1e-4);
  }
}

TEST(CudaRestraints, AStructureThatIsNotFiniteIsLeftOut) {
  const auto beads = two_chains();
  const auto topology = make_restraints(beads, {});
  const std::vector<float> mask(topology.edges.size(), 1.0f);
  auto x = jittered(beads.coordinates, 3, 0.5);
  const auto whole = run_threads(topology, mask, {1, 1, 1}, x, 3);
  const std::size_t values = beads.coordinates.size();
  x[values + 100] = std::numeric_limits<float>::infinity();
  const auto broken = run_threads(topology, mask, {1, 1, 1}, x, 3);
  EXPECT_EQ(broken.finite, (std::vector<std::int32_t>{1, 0, 1}));
  EXPECT_TRUE(std::isnan(broken.energy[1]));
  EXPECT_EQ(broken.energy[0], whole.energy[0]);
  EXPECT_EQ(broken.energy[2], whole.energy[2]);
  for (std::size_t k = 0; k < values; ++k) ASSERT_EQ(broken.gradient[values + k], 0);
  x.erase(x.begin() + values, x.begin() + 2 * values);
  const auto rest = run_threads(topology, mask, {1, 1, 1}, x, 2);
  for (std::size_t e = 0; e < mask.size(); ++e) ASSERT_NEAR(broken.sum[e], rest.sum[e], 1e-5);
}
