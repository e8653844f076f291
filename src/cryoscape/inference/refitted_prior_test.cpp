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
training::Run small_run(const fs::path& path) {
  training::Run run{training::RunFolder::create(path, true), {}, {}, nullptr};
  auto& options = run.settings.model;
  options.latent_dim = 2, options.prior.kind = "mixture", options.prior.components = 3;
  model::Scene scene;
  scene.box = 24, scene.pixel_size = 3, scene.max_shell = 11;
  scene.coordinates.assign(18, 1), scene.amplitudes.assign(6, 10);
  run.model = std::make_unique<model::HeterogeneityModel>(options, scene, 1);
  run.data.particles.particles.resize(kParticles);
  for (std::uint32_t i = 0; i < kParticles; ++i) run.data.particles.particles[i].slice = i;
  replace_text_file(run.folder.file("checkpoint.pt"), "networks");
  return run;
}

}  // namespace

TEST(RefittedPrior, IsWrittenBesideTheCheckpointAndOpenedAgain) {
  const auto path = fs::path(testing::TempDir()) / "refitted_prior_test";
  fs::remove_all(path);
  auto run = small_run(path);
  EXPECT_FALSE(open_refitted_prior(run));
  const auto e = measured_particles(three_wells(2), kParticles, 2, 0.3, 12);
  const auto report = refit_prior(run, e, {});
  ASSERT_TRUE(report.changed);
  write_refitted_prior(run, report);
  EXPECT_EQ(read_text_file(run.folder.file("checkpoint.pt")), "networks");
  const auto z = torch::randn({20, 2});
  const auto refitted = run.model->prior().energy(z).detach();
  auto again = small_run(path);
  EXPECT_FALSE(again.model->prior().energy(z).detach().equal(refitted));
  // A checkpoint that is written later makes it void.
  const auto file = run.folder.file("refitted_prior.pt"), checkpoint = run.folder.file("checkpoint.pt");
  fs::last_write_time(checkpoint, fs::last_write_time(file) + std::chrono::hours(1));
  EXPECT_FALSE(open_refitted_prior(again));
  fs::last_write_time(checkpoint, fs::last_write_time(file) - std::chrono::hours(1));
  EXPECT_TRUE(open_refitted_prior(again));
  EXPECT_TRUE(again.model->prior().energy(z).detach().equal(refitted));
  EXPECT_EQ(io::read_npy_matrix(run.folder.file("refitted_prior_samples.npy")).rows, 1000u);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("refitted_prior.json")));
  EXPECT_EQ(json["particles"], kParticles);
}

TEST(RefittedPrior, SaysWhatIsWrong) {
  const auto path = fs::path(testing::TempDir()) / "refitted_prior_test_damaged";
  fs::remove_all(path);
  auto run = small_run(path);
  replace_text_file(run.folder.file("refitted_prior.pt"), "damaged");
  EXPECT_NE(error_of([&] { open_refitted_prior(run); }).find("refitted_prior.pt is damaged"),
            std::string::npos);
  run.settings.training.energy_in_prior = true;
  const auto e = measured_particles(three_wells(2), kParticles, 2, 0.3, 12);
  EXPECT_NE(error_of([&] { refit_prior(run, e, {}); }).find("--energy-in-prior"), std::string::npos);
}

}  // namespace cryoscape::inference
