#include "cryoscape/inference/refine.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/expansions.hpp"
#include "cryoscape/inference/image_expansion.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/model/test_motions.hpp"
#include "cryoscape/training/test_data_set.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

constexpr int kParticles = 60;

class Refine : public training::DataSetTest {
 protected:
  /// A short training whose decoder is then made to move far, so that images tell latents.
  training::Run trained(const std::string& prior, const std::string& name = "run") {
    const auto star = simulate_particles("data", kParticles, 0.3);
    auto settings = small_run(star, prior);
    settings.training.epochs = 1;
    training::train_run(settings, folder_ / name, false, false, "test");
    return opened(name);
  }
  training::Run opened(const std::string& name = "run") {
    auto run = training::open_run(folder_ / name);
    model::enlarge_motions(*run.model);
    return run;
  }
  std::vector<float> matrix(const std::string& name) const {
    return io::read_npy_matrix(folder_ / "run" / name).values;
  }
};

TEST_F(Refine, RealLatentsGainOverTheEncoderAndKeepTheirLikelihoods) {
  auto run = trained("gaussian");
  const auto summary = refine_run(run, {});
  EXPECT_EQ(summary["usable"], kParticles);
  EXPECT_GT(summary["gain_over_encoder"], 0.1);
  EXPECT_GT(summary["share_converged"], 0.5);
  EXPECT_GT(summary["predicted_error_A"], 0);
  const auto mean = matrix("refined_mean.npy");
  const auto covariance = io::read_npy(folder_ / "run" / "refined_cov.npy");
  EXPECT_EQ(covariance.shape, (std::vector<std::size_t>{kParticles, 2, 2}));
  const auto e = read_expansions(folder_ / "run" / "likelihood");
  ASSERT_EQ(e.dim, 2u);
  std::vector<double> mass(kParticles), weighted(2 * kParticles);
  for (std::size_t m = 0; m < e.size(); ++m) {
    mass[e.particle[m]] += e.mass[m];
    for (std::size_t k = 0; k < 2; ++k) weighted[2 * e.particle[m] + k] += e.mass[m] * e.point[2 * m + k];
  }
  for (std::size_t i = 0; i < kParticles; ++i) {
    EXPECT_NEAR(mass[i], 1, 1e-5);
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(weighted[2 * i + k], mean[2 * i + k], 1e-4);
  }
  EXPECT_TRUE(fs::exists(folder_ / "run" / "refine.json"));
  EXPECT_NE(refine_table(summary).find("gain over the encoder"), std::string::npos);
}

/// The highest log joint found of every particle, with a standard normal prior.
std::vector<double> summits(const Expansions& e) {
  std::vector<double> best(kParticles, -1e30);
  for (std::size_t m = 0; m < e.size(); ++m) {
    double value = e.log_ratio[m];
    for (std::size_t k = 0; k < e.dim; ++k) value -= 0.5 * e.point[e.dim * m + k] * e.point[e.dim * m + k];
    best[e.particle[m]] = std::max(best[e.particle[m]], value);
  }
  return best;
}

TEST_F(Refine, SeveralStartsMakeUpForAWrongEncoder) {
  auto run = trained("gaussian");
  RefineOptions options;
  options.iterations = 20, options.starts = 9;
  refine_run(run, options);
  const auto right = summits(read_expansions(folder_ / "run" / "likelihood"));
  // Every particle gets the encoder's latents of another one.
  auto latents = matrix("latents.npy");
  std::rotate(latents.begin(), latents.begin() + 2 * 7, latents.end());
  io::write_npy(folder_ / "run" / "latents.npy", {kParticles, 2}, latents);
  const auto found_again = [&](int starts) {
    options.starts = starts;
    refine_run(run, options);
    const auto again = summits(read_expansions(folder_ / "run" / "likelihood"));
    int same = 0;
    for (std::size_t i = 0; i < kParticles; ++i) same += again[i] > right[i] - 0.1;
    return same;
  };
  EXPECT_GE(found_again(9), 0.9 * kParticles);
}

TEST_F(Refine, ResultsDoNotDependOnTheNumberOfThreads) {
  auto run = trained("mixture");
  const int threads = thread_count();
  set_thread_count(1);
  refine_run(run, {});
  const auto one = matrix("refined_mean.npy");
  set_thread_count(3);
  refine_run(run, {});
  set_thread_count(threads);
  EXPECT_EQ(matrix("refined_mean.npy"), one);
}

TEST_F(Refine, BitsGetScoredDrawsWithTheirExactRatios) {
  for (const std::string prior : {"rbm", "rbm+gaussian"}) {
    auto run = trained(prior);
    const auto summary = refine_run(run, {});
    EXPECT_EQ(summary["usable"], kParticles);
    EXPECT_GT(summary["median_effective_draws"], 2);
    const auto d = read_scored_draws(folder_ / "run" / "likelihood");
    ASSERT_EQ(d.size(), static_cast<std::size_t>(64 * kParticles));
    const auto bits = static_cast<std::size_t>(run.model->prior().bits());
    for (std::size_t m = 0; m < d.size(); ++m)
      for (std::size_t k = 0; k < bits; ++k)
        ASSERT_TRUE(d.latent[m * d.dim + k] == 0 || d.latent[m * d.dim + k] == 1);
    for (const float p : matrix("refined_mean.npy")) EXPECT_TRUE(std::isfinite(p));
    // The stored ratio of a draw is the image's own: scored again on its own batch.
    auto loader = run.data.loader_options(4, false, run.settings.model.ctf_box == "wide");
    particles::ParticleLoader reader(run.data.particles, loader);
    reader.start({d.particle[100]});
    particles::Batch batch;
    ASSERT_TRUE(reader.next(batch));
    const auto z =
        torch::tensor(std::vector<float>(d.latent.begin() + static_cast<std::ptrdiff_t>(100 * d.dim),
                                         d.latent.begin() + static_cast<std::ptrdiff_t>(101 * d.dim)))
            .unsqueeze(0);
    const auto again = image_log_ratios_at(*run.model, batch, torch::zeros({1}, torch::kInt64), z);
    EXPECT_NEAR(again.item<double>(), d.log_ratio[100], 1e-3);
    fs::remove_all(folder_ / "run");
    fs::remove_all(folder_ / "data");
  }
}

TEST_F(Refine, UnusableParticlesAreNan) {
  const auto star = simulate_particles("data", kParticles, 0.3);
  const auto source = star.parent_path() / "particles.mrcs", copy = folder_ / "copy.mrcs";
  {
    io::StackReader reader;
    const auto header = reader.header(source);
    io::StackWriter writer(copy, header.nx, header.pixel_size);
    std::vector<float> image(static_cast<std::size_t>(header.nx) * header.ny);
    for (int i = 0; i < header.nz; ++i) {
      reader.read(source, i, image);
      if (i == 5) std::fill(image.begin(), image.end(), 0.0f);
      writer.append(image);
    }
    writer.close();
  }
  fs::rename(copy, source);
  auto settings = small_run(star, "gaussian");
  settings.training.epochs = 1;
  training::train_run(settings, folder_ / "run", false, false, "test");
  auto run = opened();
  EXPECT_EQ(refine_run(run, {})["usable"], kParticles - 1);
  const auto mean = matrix("refined_mean.npy");
  for (std::size_t i = 0; i < kParticles; ++i) EXPECT_EQ(std::isnan(mean[2 * i]), i == 5) << i;
  const auto e = read_expansions(folder_ / "run" / "likelihood");
  EXPECT_EQ(std::count(e.particle.begin(), e.particle.end(), 5u), 0);
}

TEST_F(Refine, SaysWhatItCannotDo) {
  auto run = trained("gaussian");
  run.settings.training.energy_in_prior = true;
  EXPECT_MENTIONS(error_of([&] { refine_run(run, {}); }), "--energy-in-prior");
  run.settings.training.energy_in_prior = false;
  run.settings.model.likelihood = "correlation";
  EXPECT_MENTIONS(error_of([&] { refine_run(run, {}); }), "likelihood in nats");
  run.settings.model.likelihood = "gaussian";
  io::write_npy(folder_ / "run" / "latents.npy", {3, 2}, std::vector<float>(6));
  EXPECT_MENTIONS(error_of([&] { refine_run(run, {}); }), "has 3 rows");
  fs::remove(folder_ / "run" / "latents.npy");
  EXPECT_MENTIONS(error_of([&] { refine_run(run, {}); }), "training has not finished");
}

TEST_F(Refine, TrainingAgainRemovesWhatItFound) {
  auto run = trained("gaussian");
  refine_run(run, {});
  training::train_run(run.settings, folder_ / "run", false, false, "test");
  for (const char* name : {"refined_mean.npy", "refined_cov.npy", "likelihood", "refine.json"})
    EXPECT_FALSE(fs::exists(folder_ / "run" / name)) << name;
}

}  // namespace
}  // namespace cryoscape::inference
