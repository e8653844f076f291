#include "cryoscape/training/benchmark.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/structure/restraints.hpp"
#include "cryoscape/training/benchmark_globule.hpp"
#include "cryoscape/util/error.hpp"

using namespace cryoscape;

TEST(Globule, IsACompactUnbrokenChainWithoutClashes) {
  for (const int residues : {10, 214, 1200, 4000}) {
    const auto model = training::make_globule(residues);
    ASSERT_EQ(model.atoms.size(), static_cast<std::size_t>(residues));
    const auto beads = structure::make_beads(model, structure::BeadLevel::residue);
    const auto topology = structure::make_restraints(beads, {});
    ASSERT_EQ(topology.bonds.size(), static_cast<std::size_t>(residues) - 1);
    for (const auto& bond : topology.bonds) EXPECT_NEAR(bond.distance, 3.8, 1e-3);
    for (const auto& edge : topology.edges) EXPECT_GT(edge.distance, 4.0);
    double square = 0;
    for (const float x : beads.coordinates) square += double(x) * x;
    // A ball of 135 Å³ per residue has the radius of gyration √(3/5)·(3·135 N/4π)^⅓.
    const double ball = std::sqrt(0.6) * std::cbrt(135.0 * residues * 3 / (4 * M_PI));
    EXPECT_NEAR(std::sqrt(square / residues), ball, (residues > 100 ? 0.12 : 0.5) * ball);
  }
}

TEST(BenchmarkData, ManyParticlesShareFewImages) {
  training::BenchmarkOptions options;
  options.residues = 20, options.box = 32, options.particles = 2000, options.batch = 8;
  const training::BenchmarkData data(options);
  EXPECT_EQ(data.particles.size(), 2000u);
  EXPECT_EQ(std::filesystem::file_size(data.particles.stacks.front()), 1024u + 512u * 32 * 32 * 4);
  const auto order = data.order(3000);
  ASSERT_EQ(order.size(), 3000u);
  EXPECT_EQ(std::set(order.begin(), order.begin() + 2000).size(), 2000u);
}

TEST(BenchmarkData, FolderIsRemoved) {
  std::filesystem::path folder;
  {
    training::BenchmarkOptions options;
    options.residues = 20, options.box = 32, options.particles = 4;
    const training::BenchmarkData data(options);
    folder = data.folder.path();
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(BenchmarkData, OptionsThatDoNotFitAreUsageErrors) {
  const auto message = [](int residues, int box, int source_box) -> std::string {
    training::BenchmarkOptions options;
    options.residues = residues, options.box = box, options.source_box = source_box, options.particles = 4;
    try {
      const training::BenchmarkData data(options);
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message(20, 33, 0), "--box is 33, but must be even");
  EXPECT_EQ(message(20, 32, 45), "--source-box is 45, but must be even");
  EXPECT_EQ(message(20, 32, 30), "--source-box is 30, but must not be smaller than --box, 32");
  EXPECT_NE(message(4000, 64, 0).find("--box is 64, but 4000 residues need at least "), std::string::npos);
  EXPECT_EQ(message(20, 32, 48), "");
}

TEST(Benchmark, BothPathsReachTheSameLossAndEveryPartIsMeasured) {
  training::BenchmarkOptions options;
  options.residues = 25, options.box = 36, options.batch = 4, options.source_box = 48, options.particles = 40,
  options.seconds = 0.2;
  const auto json = training::to_json(training::run_benchmark(options));
  EXPECT_EQ(json["residues"], 25);
  EXPECT_EQ(json["source_box"], 48);
  EXPECT_GT(json["images_per_second"], 0);
  EXPECT_GT(json["reference_images_per_second"], 0);
  EXPECT_GT(json["default_images_per_second"], 0);
  EXPECT_EQ(json["bfloat16_images_per_second"].is_number(), model::has_bfloat16(torch::kCPU));
  EXPECT_NEAR(json["loss"], json["reference_loss"], 1e-3 * std::abs(double(json["reference_loss"])));
  for (const auto* part :
       {"load", "encode", "decode", "project", "transform", "restraints", "backward", "optimiser", "prior"})
    EXPECT_GT(json["parts_ms_per_image"].at(part), 0) << part;
  EXPECT_TRUE(json["parts_ms_per_image"].contains("likelihood"));
  for (const auto* kernel : {"project_us_per_image_and_bead", "project_backward_us_per_image_and_bead",
                             "fft_us_per_image", "inverse_fft_us_per_image", "likelihood_us_per_image"})
    EXPECT_GT(json["kernels"].at(kernel), 0) << kernel;
  EXPECT_GT(json["peak_rss_mb"], 0);
}
