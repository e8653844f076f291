#include "cryoscape/training/reference_step.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/training/benchmark_globule.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;

namespace {

constexpr int kBox = 32, kResidues = 40, kBatch = 6, kGroups = 2;

/// Two models of the same random networks and spectral state, whose decoders bend the globule enough for
/// clashes.
struct Twins {
  structure::BeadModel beads =
      structure::make_beads(training::make_globule(kResidues), structure::BeadLevel::residue);
  structure::RestraintTopology topology = structure::make_restraints(beads, {});
  std::unique_ptr<model::HeterogeneityModel> first = make(), second = make();

  std::unique_ptr<model::HeterogeneityModel> make() const {
    model::ModelOptions options;
    options.encoder_input = "image";
    model::Scene scene;
    scene.box = kBox;
    scene.pixel_size = 1.5;
    scene.max_shell = 14;
    scene.optics_groups = kGroups;
    scene.coordinates = beads.coordinates;
    scene.amplitudes = beads.amplitudes;
    for (auto& a : scene.amplitudes) a *= 0.02f;
    auto model = std::make_unique<model::HeterogeneityModel>(options, scene, 3);
    torch::NoGradGuard no_grad;
    auto last = model->network_parameters();
    torch::manual_seed(5);
    last[last.size() - 2].normal_(0, 0.3);
    last[last.size() - 1].normal_(0, 1.5);
    // A gain and a noise power that differ between shells and groups.
    std::vector<model::SpectralSums> sums;
    for (int g = 0; g < kGroups; ++g)
      for (int s = 0; s < model->spectral().shells(); ++s)
        sums.push_back({1000.0 * (30 - s) * (g + 1), 0.7 + 0.01 * s, 1, 1});
    model->spectral().update(sums, 100, 1000);
    return model;
  }
};

particles::Batch random_batch() {
  particles::Batch b;
  torch::manual_seed(11);
  b.indices = torch::arange(kBatch);
  b.images = torch::randn({kBatch, kBox, kBox});
  b.spectra = torch::fft::rfft2(b.images).contiguous();
  b.ctf = torch::cos(torch::rand({kBatch, kBox, kBox / 2 + 1}) * 3);
  b.shifts = torch::randn({kBatch, 2});
  b.groups = torch::arange(kBatch) % kGroups;
  b.rotations = torch::empty({kBatch, 3, 3});
  for (int i = 0; i < kBatch; ++i) {
    Philox random(1, i);
    const auto r = geometry::random_rotation(random);
    for (int k = 0; k < 9; ++k) b.rotations.view({kBatch, 9})[i][k] = r[k];
  }
  return b;
}

training::RestraintSchedule stiff() {
  training::RestraintSchedule schedule;
  schedule.weights = {0.5f, 0.02f, 3.0f};
  schedule.drop_fraction = 0.2f;
  return schedule;
}

double relative_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

torch::Generator generator() { return torch::make_generator<at::CPUGeneratorImpl>(9); }

}  // namespace

TEST(ReferenceStep, LossAndGradientsAgreeWithTheObjective) {
  Twins twins;
  structure::RestraintEvaluator restraints(twins.topology);
  training::ReferenceStep reference(*twins.second, twins.topology, 1e-3);
  auto ours = generator(), theirs = generator();
  const auto batch = random_batch();
  // The second evaluation lets edges go that varied in the first.
  for (int round = 0; round < 2; ++round) {
    const auto a = training::evaluate_objective(*twins.first, batch, {0.7, stiff()}, restraints, ours);
    const auto b = reference.evaluate(batch, 0.7, stiff(), 0, theirs);
    EXPECT_NEAR(a.terms.loss.item<double>(), b.terms.loss.item<double>(),
                1e-4 * std::abs(b.terms.loss.item<double>()));
    EXPECT_NEAR(a.terms.log_likelihood, b.terms.log_likelihood, 1e-4 * std::abs(b.terms.log_likelihood));
    EXPECT_NEAR(a.terms.restraint, b.terms.restraint, 1e-4 * b.terms.restraint);
    EXPECT_NEAR(a.terms.kl, b.terms.kl, 1e-4 * std::abs(b.terms.kl));
    EXPECT_NEAR(a.terms.chi_square, b.terms.chi_square, 1e-4 * b.terms.chi_square);
    EXPECT_NEAR(a.terms.contrast, b.terms.contrast, 1e-3);
    for (auto& p : twins.first->network_parameters()) p.mutable_grad() = torch::Tensor();
    for (auto& p : twins.second->network_parameters()) p.mutable_grad() = torch::Tensor();
    a.terms.loss.backward();
    b.terms.loss.backward();
    const auto p = twins.first->network_parameters(), q = twins.second->network_parameters();
    for (std::size_t i = 0; i < p.size(); ++i)
      EXPECT_LT(relative_difference(p[i].grad(), q[i].grad()), 3e-3) << "parameter " << i;
  }
}

TEST(ReferenceStep, ClashesAndDroppedEdgesMatterInThatTest) {
  Twins twins;
  const auto batch = random_batch();
  training::ReferenceRestraints restraints(twins.topology, twins.beads.coordinates);
  torch::NoGradGuard no_grad;
  auto random = generator();
  const auto z = twins.first->prior().draw(twins.first->encode(batch), random).smooth;
  const auto coordinates = twins.first->decode(z);
  auto schedule = stiff();
  const auto energy = [&] { return restraints.energy(coordinates, schedule).mean().item<double>(); };
  const double everything = energy(), dropped = energy();
  schedule.weights.clash = 0;
  const double without_clashes = energy();
  EXPECT_GT(everything, 1.01 * dropped);
  EXPECT_GT(dropped, 1.01 * without_clashes);
}

TEST(ReferenceStep, SpectralSumsAgree) {
  Twins twins;
  structure::RestraintEvaluator restraints(twins.topology);
  training::ReferenceStep reference(*twins.second, twins.topology, 1e-3);
  auto ours = generator(), theirs = generator();
  const auto batch = random_batch();
  const auto a = training::evaluate_objective(*twins.first, batch, {1, stiff()}, restraints, ours).sums;
  const auto b = reference.evaluate(batch, 1, stiff(), 0, theirs).sums;
  ASSERT_EQ(a.size(), b.size());
  const auto shells = twins.first->spectral().shells();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto shell = static_cast<int>(i) % shells;
    if (shell < 1 || shell > twins.first->spectral().max_shell()) continue;
    EXPECT_NEAR(a[i].data_power, b[i].data_power, 1e-4 * a[i].data_power);
    EXPECT_NEAR(a[i].prediction_power, b[i].prediction_power, 1e-3 * a[i].prediction_power);
    EXPECT_NEAR(a[i].cross, b[i].cross, 1e-3 * std::sqrt(a[i].data_power * a[i].prediction_power));
    EXPECT_EQ(a[i].count, b[i].count);
  }
}

TEST(ReferenceStep, StepsLowerTheLoss) {
  Twins twins;
  training::ReferenceStep reference(*twins.first, twins.topology, 1e-3);
  auto random = generator();
  const auto batch = random_batch();
  const double first = reference.step(batch, 1, stiff(), 1000, random);
  double last = first;
  for (int i = 0; i < 10; ++i) last = reference.step(batch, 1, stiff(), 1000, random);
  EXPECT_LT(last, first);
}
