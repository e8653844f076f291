#include "cryoscape/inference/joint.hpp"

#include <gtest/gtest.h>

#include "cryoscape/inference/refine.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/simulation/truth.hpp"
#include "cryoscape/training/refined_decoder.hpp"
#include "cryoscape/training/test_data_set.hpp"

namespace cryoscape::inference {
namespace fs = std::filesystem;
namespace {

class Joint : public training::DataSetTest {
 protected:
  training::Run trained(const std::string& prior, double snr, double held_out = 0.2) {
    settings_ = small_run(simulate_particles("data", kParticles, snr), prior);
    settings_.training.epochs = 4, settings_.training.learning_rate = 0.005;
    settings_.training.held_out = held_out;
    training::train_run(settings_, folder_ / "run", false, false, "test");
    return training::open_run(folder_ / "run");
  }
  /// All structures are sheared, by 6 Å from end to end.
  static void damage(training::Run& run) {
    torch::NoGradGuard no_grad;
    torch::Tensor last;
    for (auto& p : run.model->named_parameters())
      if (p.key().starts_with("decoder") && p.key().ends_with("bias")) last = p.value();
    last.view({-1, 3}).select(1, 0).add_(torch::linspace(-3, 3, last.size(0) / 3));
  }
  /// Mean distance of the structures of refined latents from the particles' own true models, Å r.m.s. over
  /// centres of six residues: the images do not resolve a helix's beads.
  double distance(training::Run& run) const {
    const auto latents = io::read_npy_matrix(run.folder.file("refined_mean.npy"));
    const auto truth = simulation::read_truth(folder_ / "data" / "truth.star");
    const auto x = training::decode_latents(*run.model, latents.values);
    const auto& reference = run.model->scene().coordinates;
    const auto straight = io::positions_of(training::bent_helix(0)),
               bent = io::positions_of(training::bent_helix(1));
    const auto size = reference.size();
    double mean = 0;
    for (std::size_t i = 0; i < latents.rows; ++i) {
      double apart[12] = {}, square = 0;
      for (std::size_t k = 0; k < size; ++k) {
        const double moved = (truth.model[i] - 1) * (bent[k] - straight[k]);
        apart[3 * (k / 18) + k % 3] += (x[i * size + k] - reference[k] - moved) / 6;
      }
      for (const double a : apart) square += a * a / 4;
      mean += std::sqrt(square) / static_cast<double>(latents.rows);
    }
    return mean;
  }

  static constexpr int kParticles = 100;
  training::RunSettings settings_;
};

TEST_F(Joint, ADamagedDecoderRecovers) {
  auto run = trained("gaussian", 1);
  damage(run);
  refine_run(run, {});
  const double before = distance(run);
  const auto checkpoint = read_text_file(folder_ / "run" / "checkpoint.pt");
  RefineOptions options;
  options.joint = true, options.joint_rounds = 2;
  const auto json = refine_run(run, options);
  SCOPED_TRACE(json["joint"].dump());
  ASSERT_TRUE(json["joint"]["changed"]);
  const auto& first = json["joint"]["rounds"][0];
  EXPECT_GT(first["gain"].get<double>(), 3 * first["gain_error"].get<double>());
  EXPECT_GT(first["shift_A"].get<double>(), 0.1);
  // A later command sees what was found, and training can still go on from where it was.
  auto again = training::open_run(folder_ / "run");
  EXPECT_LT(distance(again), before);
  EXPECT_EQ(read_text_file(folder_ / "run" / "checkpoint.pt"), checkpoint);
}

TEST_F(Joint, BitsGoOnToo) {
  auto run = trained("rbm", 0.3);
  damage(run);
  RefineOptions options;
  options.joint = true, options.joint_rounds = 1;
  const auto json = refine_run(run, options);
  EXPECT_TRUE(json["joint"]["changed"]);
}

TEST_F(Joint, NoiseChangesNothingForTheWorse) {
  auto run = trained("gaussian", 1e-6);
  refine_run(run, {});
  const double before = distance(run);
  const auto report = improve_decoder(run, refined_proposal(run, 1), {3, 1});
  for (const auto& round : report.rounds) EXPECT_EQ(round.kept, round.gain > round.error);
  // What is not kept leaves no trace, and what is kept is not structure made of noise.
  EXPECT_LT(distance(run), before + 0.1);
}

TEST_F(Joint, NeedsHeldOutParticles) {
  auto run = trained("gaussian", 0.3, 0);
  RefineOptions options;
  options.joint = true;
  EXPECT_MENTIONS(error_of([&] { refine_run(run, options); }), "--held-out");
  EXPECT_FALSE(fs::exists(folder_ / "run" / "refine.json"));
}

}  // namespace
}  // namespace cryoscape::inference
