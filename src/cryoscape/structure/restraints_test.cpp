#include "cryoscape/structure/restraints.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/geometry/superposition.hpp"
#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

BeadModel two_chains(std::uint64_t seed) {
  Philox random(seed);
  io::AtomicModel model;
  add_chain(model, "A", 70, {0, 0, 0}, random);
  add_chain(model, "B", 50, {6, 0, 0}, random);
  return make_beads(model, BeadLevel::residue);
}

std::vector<float> jittered(std::span<const float> x, int batch, double jitter, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> out;
  for (int b = 0; b < batch; ++b)
    for (const float v : x) out.push_back(static_cast<float>(v + jitter * random.normal()));
  return out;
}

double separation(std::span<const double> x, std::int32_t i, std::int32_t j) {
  return std::hypot(x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]);
}

/// The energy's formula, term by term, over all pairs; `mask` tells which edges are in force.
double plain_energy(const RestraintTopology& t, std::span<const double> x, const RestraintWeights& w,
                    std::span<const float> mask) {
  double energy = 0;
  for (const auto& b : t.bonds) energy += w.bond * std::pow(separation(x, b.i, b.j) - b.distance, 2);
  for (std::size_t e = 0; e < t.edges.size(); ++e)
    energy += w.edge * mask[e] * std::pow(separation(x, t.edges[e].i, t.edges[e].j) - t.edges[e].distance, 2);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(t.beads); ++i)
    for (std::int32_t j = i + 1; j < static_cast<std::int32_t>(t.beads); ++j)
      energy += w.clash * std::pow(std::max(0.0, t.clash_limit(i, j) - separation(x, i, j)), 2);
  return energy;
}

struct Result {
  std::vector<float> energy, gradient;
};

Result evaluate(RestraintEvaluator& evaluator, std::span<const float> x, const RestraintWeights& weights,
                float drop = 0) {
  const auto batch = x.size() / (3 * evaluator.topology().beads);
  Result r{std::vector<float>(batch), std::vector<float>(x.size(), 7.0f)};
  evaluator.evaluate(x, static_cast<int>(batch), weights, drop, r.energy, r.gradient);
  return r;
}

/// Two rigid halves of one chain that swing about a hinge: bead positions and the angle of each structure of
/// a batch.
std::vector<float> hinged(std::span<const float> x, std::size_t hinge, const std::vector<double>& angles) {
  std::vector<float> out;
  for (const double angle : angles) {
    const auto r = geometry::rotation_from_axis_angle({0, 0, angle});
    for (std::size_t i = 0; i < x.size() / 3; ++i) {
      const float* c = &x[3 * hinge];
      const auto moved =
          i <= hinge ? geometry::Vec3{x[3 * i] - c[0], x[3 * i + 1] - c[1], x[3 * i + 2] - c[2]}
                     : geometry::rotated(r, {x[3 * i] - c[0], x[3 * i + 1] - c[1], x[3 * i + 2] - c[2]});
      for (const double v : moved) out.push_back(static_cast<float>(v));
    }
  }
  return out;
}

}  // namespace

TEST(RestraintEvaluator, AgreesWithThePlainSumOverAllPairs) {
  const auto beads = two_chains(1);
  for (const double jitter : {0.0, 0.3, 3.0}) {  // 3 Å: hundreds of clashes
    RestraintEvaluator evaluator(make_restraints(beads, {.between_chains = jitter > 1}));
    const RestraintWeights weights{2, 0.03f, 5};
    const auto x = jittered(beads.coordinates, 5, jitter, 2);
    evaluate(evaluator, x, weights);
    const auto result = evaluate(evaluator, x, weights, 0.25f);
    const std::size_t values = beads.coordinates.size();
    for (std::size_t s = 0; s < 5; ++s) {
      const std::vector<double> one(x.begin() + s * values, x.begin() + (s + 1) * values);
      const double expected = plain_energy(evaluator.topology(), one, weights, evaluator.edge_mask());
      EXPECT_NEAR(result.energy[s], expected, 1e-4 * expected + 1e-6);
    }
  }
}

TEST(RestraintEvaluator, GradientIsThatOfThePlainEnergy) {
  const auto beads = two_chains(3);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  for (const RestraintWeights weights : {RestraintWeights{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {2, 0.03f, 5}}) {
    const auto x = jittered(beads.coordinates, 2, 1.5, 4);
    evaluate(evaluator, x, weights);
    const auto result = evaluate(evaluator, x, weights, 0.3f);
    const std::size_t values = beads.coordinates.size();
    double largest = 0;
    for (const float g : result.gradient) largest = std::max(largest, std::abs(static_cast<double>(g)));
    for (std::size_t s = 0; s < 2; ++s) {
      std::vector<double> one(x.begin() + s * values, x.begin() + (s + 1) * values);
      for (std::size_t k = 0; k < values; k += 7) {
        constexpr double kStep = 1e-5;
        const double at = one[k];
        one[k] = at + kStep;
        const double up = plain_energy(evaluator.topology(), one, weights, evaluator.edge_mask());
        one[k] = at - kStep;
        const double down = plain_energy(evaluator.topology(), one, weights, evaluator.edge_mask());
        one[k] = at;
        EXPECT_NEAR(result.gradient[s * values + k], (up - down) / (2 * kStep), 2e-4 * largest);
      }
    }
  }
}

TEST(RestraintEvaluator, RigidMotionsCostNothing) {
  const auto beads = two_chains(5);
  RestraintEvaluator evaluator(make_restraints(beads, {.between_chains = true}));
  Philox random(6);
  for (int trial = 0; trial < 5; ++trial) {
    const auto x = geometry::transformed({geometry::random_rotation(random), {5, -3, 8}}, beads.coordinates);
    const auto result = evaluate(evaluator, x, {10, 10, 10});
    EXPECT_LT(result.energy[0], 1e-5);
    for (const float g : result.gradient) EXPECT_NEAR(g, 0, 2e-3);
  }
}

TEST(RestraintEvaluator, StretchingOneBondByOneAngstromCostsItsStiffness) {
  io::AtomicModel model;
  for (int n = 0; n < 6; ++n)
    add_residue(model, {"ALA", "A", n + 1}, {{"CA", 6, {3.8f * static_cast<float>(n), 0, 0}}});
  const auto beads = make_beads(model, BeadLevel::residue);
  auto topology = make_restraints(beads, {});
  RestraintEvaluator evaluator(topology);
  auto x = beads.coordinates;
  for (int i = 3; i < 6; ++i) x[3 * i] += 1;
  const auto result = evaluate(evaluator, x, {7, 0, 3});
  EXPECT_NEAR(result.energy[0], 7, 1e-4);
  EXPECT_NEAR(result.gradient[3 * 2], -14, 1e-3);
  EXPECT_NEAR(result.gradient[3 * 3], 14, 1e-3);
  EXPECT_NEAR(result.gradient[0], 0, 1e-5);
}

TEST(RestraintEvaluator, BeadsFarApartInTheReferenceClashWhenTheyMeet) {
  io::AtomicModel model;
  for (int n = 0; n < 20; ++n)
    add_residue(model, {"ALA", "A", n + 1}, {{"CA", 6, {3.8f * static_cast<float>(n), 0, 0}}});
  const auto beads = make_beads(model, BeadLevel::residue);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  auto x = beads.coordinates;
  x[3 * 19] = 0, x[3 * 19 + 1] = 3;  // the last one comes within 3 Å of the first, 4.8 Å of the second
  const auto result = evaluate(evaluator, x, {0, 0, 2});
  EXPECT_NEAR(result.energy[0], 2 * 1 * 1, 1e-4);
  EXPECT_NEAR(result.gradient[3 * 19 + 1], -4, 1e-3);
  EXPECT_NEAR(result.gradient[1], 4, 1e-3);
}

TEST(RestraintEvaluator, EdgesAcrossAHingeAreLetGo) {
  Philox random(7);
  io::AtomicModel model;
  add_chain(model, "A", 60, {0, 0, 0}, random);
  const auto beads = make_beads(model, BeadLevel::residue);
  constexpr std::size_t kHinge = 30;
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  const auto& edges = evaluator.topology().edges;
  const auto crosses = [&](const Pair& e) {
    return e.i < static_cast<int>(kHinge) && e.j > static_cast<int>(kHinge);
  };
  const auto crossing = static_cast<double>(std::count_if(edges.begin(), edges.end(), crosses));
  ASSERT_GT(crossing, 10);
  const auto drop = static_cast<float>((crossing + 0.5) / static_cast<double>(edges.size()));
  for (const double a : {0.0, 0.7})  // small batches: the variance builds up over several
    evaluate(evaluator, hinged(beads.coordinates, kHinge, {a, a + 0.3}), {1, 1, 0}, drop);
  const auto x = hinged(beads.coordinates, kHinge, {0.5});
  const double held = evaluate(evaluator, x, {1, 1, 0}, 0).energy[0];
  const double free = evaluate(evaluator, x, {1, 1, 0}, drop).energy[0];
  std::size_t let_go = 0;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (evaluator.edge_mask()[e] != 0) continue;
    ++let_go;
    EXPECT_TRUE(crosses(edges[e])) << edges[e].i << " " << edges[e].j;
  }
  EXPECT_EQ(let_go, static_cast<std::size_t>(crossing));
  EXPECT_GT(held, 10);
  EXPECT_LT(free, 1e-3);
}

TEST(RestraintEvaluator, TheEdgesLetGoAreThoseOfTheHighestRunningVariance) {
  const auto beads = two_chains(20);
  const std::size_t values = beads.coordinates.size();
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  const auto& edges = evaluator.topology().edges;
  // Structures of earlier batches count 0.9 times less with every batch. The first are far off the reference,
  // all in the same way: their distances differ much from it but vary little.
  auto swollen = beads.coordinates;
  for (float& v : swollen) v *= 1.2f;
  std::vector<double> weight_sum(edges.size()), sum(edges.size()), square(edges.size());
  double weight = 0.81;
  for (const std::uint64_t batch : {21, 22, 23}) {
    const auto x = jittered(batch == 21 ? swollen : beads.coordinates, 4, batch == 22 ? 0.6 : 0.2, batch);
    evaluate(evaluator, x, {});
    for (std::size_t s = 0; s < 4; ++s) {
      const std::vector<double> one(x.begin() + s * values, x.begin() + (s + 1) * values);
      for (std::size_t e = 0; e < edges.size(); ++e) {
        const double d = separation(one, edges[e].i, edges[e].j);
        weight_sum[e] += weight, sum[e] += weight * d, square[e] += weight * d * d;
      }
    }
    weight /= 0.9;
  }
  evaluate(evaluator, beads.coordinates, {}, 0.3f);
  for (const int chain : {0, 1}) {
    double least_dropped = 1e30, most_kept = 0;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].chain != chain) continue;
      const double mean = sum[e] / weight_sum[e], variance = square[e] / weight_sum[e] - mean * mean;
      if (evaluator.edge_mask()[e] == 0)
        least_dropped = std::min(least_dropped, variance);
      else
        most_kept = std::max(most_kept, variance);
    }
    EXPECT_GE(least_dropped, most_kept - 1e-4);
    EXPECT_LT(least_dropped, 1e30);
  }
}

TEST(RestraintEvaluator, EveryChainLetsGoOfItsOwnShare) {
  const auto beads = two_chains(8);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  auto x = jittered(beads.coordinates, 8, 0.1, 9);
  // Chain A moves much more than B.
  Philox random(10);
  for (std::size_t k = 0; k < x.size(); ++k)
    if (k % beads.coordinates.size() < 3 * 70) x[k] += static_cast<float>(2 * random.normal());
  evaluate(evaluator, x, {}, 0.2f);
  evaluate(evaluator, x, {}, 0.2f);
  const auto& edges = evaluator.topology().edges;
  for (const int chain : {0, 1}) {
    double all = 0, let_go = 0;
    for (std::size_t e = 0; e < edges.size(); ++e)
      if (edges[e].chain == chain) all += 1, let_go += evaluator.edge_mask()[e] == 0;
    EXPECT_EQ(let_go, std::floor(0.2f * static_cast<float>(all)));
  }
}

TEST(RestraintEvaluator, GoesOnFromASavedState) {
  const auto beads = two_chains(11);
  RestraintEvaluator first(make_restraints(beads, {})), second(make_restraints(beads, {}));
  evaluate(first, jittered(beads.coordinates, 8, 0.5, 12), {1, 1, 1}, 0.2f);
  second.set_state(first.state());
  const auto x = jittered(beads.coordinates, 3, 0.5, 13);
  const auto a = evaluate(first, x, {1, 1, 1}, 0.2f), b = evaluate(second, x, {1, 1, 1}, 0.2f);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.gradient, b.gradient);
  EXPECT_EQ(first.state(), second.state());
  EXPECT_THROW(second.set_state(std::vector<double>(3)), std::invalid_argument);
}

TEST(RestraintEvaluator, KeepsItsMomentsWhereAsked) {
  const auto beads = two_chains(14);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  const auto x = jittered(beads.coordinates, 4, 0.4, 15), other = jittered(beads.coordinates, 4, 0.4, 16);
  evaluate(evaluator, x, {1, 1, 1}, 0.2f);
  const auto state = evaluator.state();
  std::vector<float> energy(4), gradient(x.size());
  evaluator.evaluate(other, 4, {1, 1, 1}, 0.2f, energy, gradient, Moments::keep);
  EXPECT_EQ(evaluator.state(), state);
}

TEST(RestraintEvaluator, MomentsOfPartsOfABatchAddUp) {
  const auto beads = two_chains(20);
  const auto x = jittered(beads.coordinates, 8, 0.5, 21);
  const auto first = std::vector<float>(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 4));
  const auto second = std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(x.size() / 4), x.end());
  RestraintEvaluator whole(make_restraints(beads, {})), part(make_restraints(beads, {})),
      other(make_restraints(beads, {}));
  part.defer_moments();
  for (int step = 0; step < 2; ++step) {
    evaluate(whole, x, {1, 1, 1});
    evaluate(part, first, {1, 1, 1});
    std::vector<double> sum(part.batch_moments().begin(), part.batch_moments().end());
    other.defer_moments();
    evaluate(other, second, {1, 1, 1});
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += other.batch_moments()[i];
    part.absorb(sum);
  }
  const auto a = whole.state(), b = part.state();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4);
  EXPECT_THROW(part.absorb(std::vector<double>(3)), std::invalid_argument);
}

TEST(RestraintEvaluator, SameResultForAnyNumberOfThreads) {
  const auto beads = two_chains(14);
  const auto x = jittered(beads.coordinates, 7, 0.5, 15);
  const int threads = thread_count();
  std::vector<Result> results;
  for (const int n : {1, 3}) {
    set_thread_count(n);
    RestraintEvaluator evaluator(make_restraints(beads, {}));
    results.push_back(evaluate(evaluator, x, {1, 1, 1}));
  }
  set_thread_count(threads);
  EXPECT_EQ(results[0].energy, results[1].energy);
  EXPECT_EQ(results[0].gradient, results[1].gradient);
}

TEST(RestraintEvaluator, OneBrokenStructureSpoilsNoOther) {
  const auto beads = two_chains(16);
  const std::size_t values = beads.coordinates.size();
  const auto good = jittered(beads.coordinates, 4, 0.5, 17);
  RestraintEvaluator clean(make_restraints(beads, {})), mixed(make_restraints(beads, {}));
  auto x = good;
  x.insert(x.end(), beads.coordinates.begin(), beads.coordinates.end());
  x[4 * values + 5] = std::numeric_limits<float>::quiet_NaN();
  const auto a = evaluate(clean, good, {1, 1, 1}), b = evaluate(mixed, x, {1, 1, 1});
  EXPECT_TRUE(std::isnan(b.energy[4]));
  for (std::size_t s = 0; s < 4; ++s) EXPECT_EQ(a.energy[s], b.energy[s]);
  for (std::size_t k = 4 * values; k < 5 * values; ++k) EXPECT_EQ(b.gradient[k], 0);
  for (const double v : mixed.state()) EXPECT_TRUE(std::isfinite(v));
  EXPECT_EQ(mixed.state()[0], clean.state()[0]);
}

TEST(RestraintEvaluator, CoincidentBeadsHaveAFiniteGradient) {
  const auto beads = two_chains(18);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  const std::vector<float> x(beads.coordinates.size(), 1.0f);
  const auto result = evaluate(evaluator, x, {1, 1, 1});
  EXPECT_TRUE(std::isfinite(result.energy[0]));
  for (const float g : result.gradient) EXPECT_TRUE(std::isfinite(g));
}

TEST(RestraintEvaluator, RefusesWrongSizes) {
  const auto beads = two_chains(19);
  RestraintEvaluator evaluator(make_restraints(beads, {}));
  std::vector<float> energy(1), gradient(3);
  EXPECT_THROW(evaluator.evaluate(beads.coordinates, 1, {}, 0, energy, gradient), std::invalid_argument);
}
