#include <gtest/gtest.h>

#include "cryoscape/training/test_data_set.hpp"
#include "cryoscape/training/trainer.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

/// Training as on a GPU, by tensor operations, on the CPU.
class DeviceTrainingTest : public DataSetTest {
 protected:
  /// A trainer with all that it refers to.
  struct Bench {
    Dataset data;
    model::HeterogeneityModel model;
    structure::RestraintEvaluator restraints;
    Trainer trainer;

    Bench(const RunSettings& s, const std::filesystem::path& out, bool tensors)
        : data(open_dataset(s.input, {})),
          model(s.model, data.scene(), s.training.seed),
          restraints(structure::make_restraints(data.beads, {})),
          trainer(moved(model, tensors), data.particles,
                  data.loader_options(s.training.batch, false, s.model.ctf_box == "wide"), restraints,
                  s.training, RunFolder::create(out, true)) {}

    static model::HeterogeneityModel& moved(model::HeterogeneityModel& model, bool tensors) {
      model.move_to(torch::kCPU, tensors);
      return model;
    }
    torch::Tensor parameters() const {
      std::vector<torch::Tensor> flat;
      for (const auto& p : model.parameters()) flat.push_back(p.detach().flatten());
      return torch::cat(flat);
    }
  };
};

TEST_F(DeviceTrainingTest, FindsWhatTheCpusKernelsFind) {
  const auto star = simulate_particles("data", 60, 0.5);
  for (const char* prior : {"gaussian", "mixture", "flow", "gbrbm", "ebm", "rbm", "rbm+gaussian"}) {
    auto settings = small_run(star, prior);
    settings.training.epochs = 2;
    Bench kernels(settings, folder_ / "kernels", false), tensors(settings, folder_ / "tensors", true);
    const auto start = tensors.trainer.held_out_bound(), expected_start = kernels.trainer.held_out_bound();
    ASSERT_EQ(start.bound.size(), expected_start.bound.size());
    for (std::size_t i = 0; i < start.bound.size(); ++i)
      EXPECT_NEAR(start.bound[i], expected_start.bound[i], 1e-5 * std::abs(start.bound[i])) << prior;
    kernels.trainer.run(false);
    tensors.trainer.run(false);
    const auto change = (tensors.parameters() - kernels.parameters()).norm().item<double>();
    EXPECT_LT(change, 0.02 * kernels.parameters().norm().item<double>()) << prior;
    EXPECT_NEAR(tensors.trainer.held_out_bound().mean, kernels.trainer.held_out_bound().mean,
                1e-3 * std::abs(kernels.trainer.held_out_bound().mean))
        << prior;
  }
}

TEST_F(DeviceTrainingTest, GoesOnFromItsCheckpoint) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "gbrbm");
  settings.training.epochs = 1;
  Bench bench(settings, folder_ / "run", true);
  bench.trainer.run(false);
  // By both ways: a checkpoint knows no device.
  for (const bool tensors : {true, false}) {
    Bench again(settings, folder_ / "run", tensors);
    again.trainer.load_checkpoint();
    EXPECT_TRUE(torch::equal(again.parameters(), bench.parameters()));
    EXPECT_NEAR(again.trainer.held_out_bound().mean, bench.trainer.held_out_bound().mean,
                1e-5 * std::abs(bench.trainer.held_out_bound().mean));
  }
}

TEST_F(DeviceTrainingTest, BatchesInPiecesAreTheSameSteps) {
  auto settings = small_run(simulate_particles("data", 60, 0.5), "gaussian");
  settings.training.epochs = 1;
  Bench whole(settings, folder_ / "whole", true);
  settings.training.accumulate = 3;
  Bench pieces(settings, folder_ / "pieces", true);
  whole.trainer.run(false);
  pieces.trainer.run(false);
  EXPECT_LT((pieces.parameters() - whole.parameters()).norm().item<double>(),
            1e-3 * whole.parameters().norm().item<double>());
}
