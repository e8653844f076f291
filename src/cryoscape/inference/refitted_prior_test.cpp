#include "cryoscape/inference/refitted_prior.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "cryoscape/inference/test_expansions.hpp"
#include "cryoscape/training/test_data_set.hpp"

namespace cryoscape::inference {

class RefitOfARun : public training::DataSetTest {
 protected:
  training::Run trained(const std::string& prior) {
    const auto star = simulate_particles("set", 60, 0.5);
    training::train_run(small_run(star, prior), folder_ / "run", false, false, "");
    return training::open_run(folder_ / "run");
  }
};

TEST_F(RefitOfARun, IsWrittenBesideTheCheckpointAndOpenedAgain) {
  auto run = trained("mixture");
  EXPECT_FALSE(open_refitted_prior(run));
  auto wells = three_wells(2);
  for (auto& c : wells) c.mean *= 2;
  const auto e = measured_particles(wells, 60, 2, 0.3, 12);
  const auto checkpoint = read_text_file(run.folder.file("checkpoint.pt"));
  const auto report = refit_prior(run, e, {});
  ASSERT_TRUE(report.changed);
  write_refitted_prior(run, report);
  EXPECT_EQ(read_text_file(run.folder.file("checkpoint.pt")), checkpoint);
  const auto z = torch::randn({20, 2});
  const auto refitted = run.model->prior().energy(z).detach();
  auto again = training::open_run(folder_ / "run");
  EXPECT_FALSE(again.model->prior().energy(z).detach().equal(refitted));
  EXPECT_TRUE(open_refitted_prior(again));
  EXPECT_TRUE(again.model->prior().energy(z).detach().equal(refitted));
  EXPECT_EQ(io::read_npy_matrix(run.folder.file("refitted_prior_samples.npy")).rows, 1000u);
  const auto json = nlohmann::json::parse(read_text_file(run.folder.file("refitted_prior.json")));
  EXPECT_EQ(json["particles"], 60);

  // A checkpoint that is trained further makes it void; a damaged file is one line.
  const auto file = run.folder.file("refitted_prior.pt");
  std::filesystem::last_write_time(
      file, std::filesystem::last_write_time(run.folder.file("checkpoint.pt")) - std::chrono::hours(1));
  EXPECT_FALSE(open_refitted_prior(again));
  replace_text_file(file, "damaged");
  EXPECT_MENTIONS(error_of([&] { open_refitted_prior(again); }), "refitted_prior.pt is damaged");
  run.settings.training.energy_in_prior = true;
  EXPECT_MENTIONS(error_of([&] { refit_prior(run, e, {}); }), "--energy-in-prior");
}

}  // namespace cryoscape::inference
