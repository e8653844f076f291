#include "cryoscape/inference/likelihood_table.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/training/test_data_set.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::inference {
namespace {
namespace fs = std::filesystem;

/// Images of a helix, straight or bent, and a model with unit noise.
class Tabulate : public training::DataSetTest {
 protected:
  void SetUp() override {
    training::DataSetTest::SetUp();
    data_ = training::open_dataset(input(simulate_particles("data", 20, 0.2)), std::nullopt);
    model::ModelOptions options;
    options.latent_dim = 2;
    model_ = std::make_unique<model::HeterogeneityModel>(options, data_.scene(), 1);
  }

  /// Structures a, a + δ·t and a − δ·t, with t the way from straight to bent, Å.
  std::vector<float> around(float step) const {
    const auto straight = io::positions_of(training::bent_helix(0)), bent = direction();
    std::vector<float> out;
    for (const float at : {0.3f, 0.3f + step, 0.3f - step})
      for (std::size_t i = 0; i < straight.size(); ++i) out.push_back(straight[i] + at * bent[i]);
    return out;
  }
  std::vector<float> direction() const {
    const auto straight = io::positions_of(training::bent_helix(0)),
               bent = io::positions_of(training::bent_helix(1));
    std::vector<float> out;
    for (std::size_t i = 0; i < straight.size(); ++i) out.push_back(bent[i] - straight[i]);
    return out;
  }
  std::vector<float> thrice(const std::vector<float>& x) const {
    auto out = x;
    for (int k = 0; k < 2; ++k) out.insert(out.end(), x.begin(), x.end());
    return out;
  }

  training::Dataset data_;
  std::unique_ptr<model::HeterogeneityModel> model_;
};

TEST_F(Tabulate, SlopesAreDerivativesOfTheValues) {
  const float step = 0.02f;
  const std::vector<std::uint32_t> particles{3, 7, 11, 19};
  const auto table = tabulate(*model_, data_, around(step), thrice(direction()), particles);
  EXPECT_EQ(table.particle, particles);
  ASSERT_EQ(table.nodes, 3u);
  ASSERT_EQ(table.slope.size(), 12u);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto v = table.values_of(i);
    // Values are rounded to 2^-12 of some 3,000 nats; the third derivative adds less than a hundredth.
    EXPECT_NEAR(table.slopes_of(i)[0], (v[1] - v[2]) / (2 * step),
                0.02 + 0.01 * std::abs(table.slopes_of(i)[0]));
  }
}

TEST_F(Tabulate, ValuesAreScoresAboveAnEmptyImage) {
  std::vector<std::uint32_t> all(data_.particles.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
  const auto table = tabulate(*model_, data_, around(0.1f), {}, all);
  EXPECT_TRUE(table.slope.empty());
  particles::ParticleLoader loader(data_.particles, data_.loader_options(20, false, true));
  loader.start(all);
  particles::Batch batch;
  ASSERT_TRUE(loader.next(batch));
  torch::NoGradGuard no_grad;
  const auto structures = around(0.1f);
  const auto score = [&](const std::vector<float>& x) {
    const auto one = torch::tensor(x).view({1, 24, 3}).expand({20, 24, 3}).contiguous();
    return model_->score(one, batch, false).log_likelihood;
  };
  const auto first = score({structures.begin(), structures.begin() + 72});
  const auto second = score({structures.begin() + 72, structures.begin() + 144});
  // The likelihood of an image without a molecule is that of its noise: −½ Σ |X|²/S − ½ Σ ln 2πS.
  const auto noise = score(std::vector<float>(72, 3e6f));
  for (int i = 0; i < 20; ++i) {
    EXPECT_NEAR(table.values_of(i)[0], (first[i] - noise[i]).item<float>(), 1e-3);
    EXPECT_NEAR(table.values_of(i)[1], (second[i] - noise[i]).item<float>(), 1e-3);
  }
}

TEST_F(Tabulate, ThreadsDoNotMatter) {
  const std::vector<std::uint32_t> particles{0, 1, 2, 5, 8};
  const int threads = thread_count();
  set_thread_count(1);
  const auto one = tabulate(*model_, data_, around(0.1f), thrice(direction()), particles);
  set_thread_count(3);
  const auto three = tabulate(*model_, data_, around(0.1f), thrice(direction()), particles);
  set_thread_count(threads);
  EXPECT_EQ(one.value, three.value);
  EXPECT_EQ(one.slope, three.slope);
}

TEST_F(Tabulate, ArraysOfAnotherMoleculeAreErrors) {
  const std::vector<std::uint32_t> particles{0};
  EXPECT_MENTIONS(error_of([&] { tabulate(*model_, data_, std::vector<float>(71), {}, particles); }),
                  "24 beads");
  EXPECT_MENTIONS(error_of([&] { tabulate(*model_, data_, around(0.1f), direction(), particles); }),
                  "3 structures to tabulate, but 1 tangents");
}

TEST(PathTable, WrittenAndReadAreTheSame) {
  const auto folder = fs::path(testing::TempDir()) / "path_table_same";
  fs::remove_all(folder);
  PathTable path{{0, 0.5f, 1}, {3, {4, 40000001}, {1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}}};
  write_path_table(folder, path);
  auto back = read_path_table(folder);
  EXPECT_EQ(back.node, path.node);
  EXPECT_EQ(back.table.nodes, 3u);
  EXPECT_EQ(back.table.particle, path.table.particle);
  EXPECT_EQ(back.table.value, path.table.value);
  EXPECT_EQ(back.table.slope, path.table.slope);

  path.table.slope.clear();
  write_path_table(folder, path);
  EXPECT_TRUE(read_path_table(folder).table.slope.empty());
  io::write_npy(folder / "path_nodes.npy", {2, 1}, std::vector<float>{0, 1});
  EXPECT_THROW(read_path_table(folder), Error);
}

}  // namespace
}  // namespace cryoscape::inference
