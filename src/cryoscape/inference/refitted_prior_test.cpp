#include "cryoscape/inference/refitted_prior.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_error.hpp"

namespace cryoscape::inference {
namespace {
namespace fs = std::filesystem;

constexpr std::uint32_t kParticles = 60;

/// A run that was never trained: a model of a few beads, and a checkpoint that nothing may touch.
training::Run small_run(const std::string& kind) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto path = fs::path(testing::TempDir()) / (std::string("refitted_prior_") + test->name());
  fs::remove_all(path);
  training::Run run{training::RunFolder::create(path, true), {}, {}, nullptr};
  auto& options = run.settings.model;
  options.latent_dim = 2, options.prior.kind = kind, options.prior.components = 3;
  model::Scene scene;
  scene.box = 24, scene.pixel_size = 3, scene.max_shell = 11;
  scene.coordinates.assign(18, 1), scene.amplitudes.assign(6, 10);
  run.model = std::make_unique<model::HeterogeneityModel>(options, scene, 1);
  run.data.particles.particles.resize(kParticles);
  for (std::uint32_t i = 0; i < kParticles; ++i) run.data.particles.particles[i].slice = i;
  replace_text_file(run.folder.file("checkpoint.pt"), "networks");
  return run;
}

Expansions wells() { return measured_particles(three_wells(2), kParticles, 2, 0.3, 12); }

}  // namespace

TEST(RefittedPrior, IsWrittenBesideTheCheckpointAndOpenedAgain) {
  auto run = small_run("mixture");
  EXPECT_FALSE(open_refitted_prior(run));
  EXPECT_EQ(density_samples(run), "prior_samples.npy");
  const auto z = torch::randn({20, 2});
  const auto trained = run.model->prior().energy(z).detach();
  const auto refitted = refit_prior(run, wells(), {});
  ASSERT_TRUE(refitted.report.changed);
  EXPECT_TRUE(is_reference(refitted));
  auto other = refitted;
  other.reference[0].mean[0] += 0.5;
  EXPECT_FALSE(is_reference(other));
  other.reference.clear();
  EXPECT_FALSE(is_reference(other));
  write_refitted_prior(run, refitted);
  EXPECT_EQ(read_text_file(run.folder.file("checkpoint.pt")), "networks");
  EXPECT_TRUE(run.model->prior().energy(z).detach().equal(trained));
  const auto again = open_refitted_prior(run);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->prior->energy(z).detach().equal(refitted.prior->energy(z).detach()));
  ASSERT_EQ(again->reference.size(), refitted.reference.size());
  EXPECT_EQ(again->reference[0].covariance, refitted.reference[0].covariance);
  EXPECT_EQ(density_samples(run), "refitted_prior_samples.npy");
  EXPECT_EQ(io::read_npy_matrix(run.folder.file("refitted_prior_samples.npy")).rows, 1000u);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("refitted_prior.json")));
  EXPECT_EQ(json["particles"], kParticles);
  // A decoder or a checkpoint that is written later makes it void.
  const auto file = run.folder.file("refitted_prior.pt");
  for (const char* name : {"refined_decoder.pt", "checkpoint.pt"}) {
    const auto model = run.folder.file(name);
    replace_text_file(model, "networks");
    fs::last_write_time(model, fs::last_write_time(file) + std::chrono::hours(1));
    EXPECT_FALSE(open_refitted_prior(run)) << name;
    EXPECT_EQ(density_samples(run), "prior_samples.npy") << name;
    fs::remove(model);
  }
}

TEST(RefittedPrior, OfAGaussianRunIsAMixture) {
  auto run = small_run("gaussian");
  const auto refitted = refit_prior(run, wells(), {});
  ASSERT_TRUE(refitted.report.changed);
  EXPECT_EQ(refitted.options.kind, "mixture");
  EXPECT_EQ(refitted.options.components, static_cast<int>(refitted.reference.size()));
  write_refitted_prior(run, refitted);
  const auto again = open_refitted_prior(run);
  ASSERT_TRUE(again);
  // The prior is the reference itself, normalised.
  const auto ready = prepared(again->reference);
  const auto z = torch::randn({5, 2});
  const auto energy = again->prior->energy(z).detach();
  for (int i = 0; i < 5; ++i)
    EXPECT_NEAR(energy[i].item<double>(),
                -log_density(ready, Eigen::Vector2d(z[i][0].item<double>(), z[i][1].item<double>())), 1e-3);
}

TEST(RefittedPrior, IsPartOfRefinementAndLeavesNothingWhereItIsSkipped) {
  auto run = small_run("mixture");
  write_expansions(run.folder.file("likelihood"), wells());
  nlohmann::ordered_json summary{{"usable", kParticles}};
  refit_refined(run, {}, summary);
  EXPECT_EQ(summary["refit"]["prior"], "mixture");
  EXPECT_EQ(nlohmann::ordered_json::parse(read_text_file(run.folder.file("refine.json"))), summary);
  EXPECT_TRUE(open_refitted_prior(run));
  write_expansions(run.folder.file("likelihood"), measured_particles(three_wells(2), 1, 2, 0.3, 12));
  refit_refined(run, {}, summary);
  EXPECT_NE(summary["refit"]["skipped"].get<std::string>().find("too few"), std::string::npos);
  EXPECT_FALSE(open_refitted_prior(run));
  EXPECT_FALSE(fs::exists(run.folder.file("refitted_prior.json")));
}

TEST(RefittedPrior, SaysWhatIsWrong) {
  auto run = small_run("mixture");
  replace_text_file(run.folder.file("refitted_prior.pt"), "damaged");
  EXPECT_NE(error_of([&] { open_refitted_prior(run); }).find("refitted_prior.pt is damaged"),
            std::string::npos);
  run.settings.training.energy_in_prior = true;
  EXPECT_NE(error_of([&] { refit_prior(run, wells(), {}); }).find("--energy-in-prior"), std::string::npos);
}

}  // namespace cryoscape::inference
