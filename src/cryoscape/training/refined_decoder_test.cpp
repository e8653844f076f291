#include "cryoscape/training/refined_decoder.hpp"

#include <gtest/gtest.h>

#include "cryoscape/training/test_data_set.hpp"

namespace cryoscape::training {
namespace fs = std::filesystem;
namespace {

class RefinedDecoder : public DataSetTest {
 protected:
  void train() {
    const auto edge_weight = settings_.training.edge_weight;
    settings_ = small_run(simulate_particles("data", 60, 0.3), "gaussian");
    settings_.training.epochs = 1, settings_.training.edge_weight = edge_weight;
    train_run(settings_, folder_ / "run", false, false, "test");
  }
  float structure() {
    auto run = open_run(folder_ / "run");
    return decode_latents(*run.model, std::vector<float>{1, -1})[0];
  }
  RunSettings settings_;
};

TEST_F(RefinedDecoder, CountsWhileItIsNewerThanTheCheckpoint) {
  train();
  const float trained = structure();
  {
    auto run = open_run(folder_ / "run");
    torch::NoGradGuard no_grad;
    for (auto& p : run.model->parameters()) p.add_(0.1);
    write_refined_decoder(run.folder, *run.model);
  }
  EXPECT_NE(structure(), trained);
  const auto checkpoint = folder_ / "run" / "checkpoint.pt", refined = folder_ / "run" / "refined_decoder.pt";
  fs::last_write_time(checkpoint, fs::last_write_time(refined) + std::chrono::seconds(1));
  EXPECT_EQ(structure(), trained);
  fs::last_write_time(refined, fs::last_write_time(checkpoint) + std::chrono::seconds(1));
  replace_text_file(refined, "not a model");
  fs::last_write_time(refined, fs::last_write_time(checkpoint) + std::chrono::seconds(1));
  EXPECT_MENTIONS(error_of([&] { structure(); }), "refined_decoder.pt");
  train_run(settings_, folder_ / "run", false, false, "test");
  EXPECT_FALSE(fs::exists(refined));
}

TEST_F(RefinedDecoder, EdgesAreAsStiffAsTrainingLeftThem) {
  settings_.training.edge_weight = 0.025;
  train();
  const auto run = open_run(folder_ / "run");
  EXPECT_NEAR(edge_stiffness(run.folder), 0.025, 1e-9);
  fs::remove(folder_ / "run" / "checkpoint.pt");
  EXPECT_MENTIONS(error_of([&] { edge_stiffness(run.folder); }), "checkpoint.pt");
}

}  // namespace
}  // namespace cryoscape::training
