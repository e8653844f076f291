#include "cryoscape/landscape/decode.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "cryoscape/landscape/conformations.hpp"
#include "cryoscape/landscape/test_run.hpp"

namespace cryoscape::landscape {
namespace fs = std::filesystem;
namespace {

TEST(DecodeToFile, ArrayHoldsEveryParticleInOrder) {
  auto run = open_test_run();
  const auto out = run.folder.file("all.npy");
  EXPECT_EQ(decode_to_file(run, {{}, out, false}), static_cast<std::size_t>(kTestParticles));
  const auto array = io::read_npy(out);
  const auto beads = run.data.beads.size();
  ASSERT_EQ(array.shape, (std::vector<std::size_t>{kTestParticles, beads, 3}));
  ASSERT_EQ(array.bytes.size(), 4 * 3 * beads * kTestParticles);
  const auto* values = reinterpret_cast<const float*>(array.bytes.data());
  const auto latents = io::read_npy_matrix(run.folder.file("latents.npy"));
  for (const std::size_t i : {std::size_t{0}, std::size_t{99}}) {
    const auto x = training::decode_latents(*run.model, std::span(latents.values).subspan(2 * i, 2));
    for (std::size_t j = 0; j < 3 * beads; ++j)
      ASSERT_NEAR(values[3 * beads * i + j], x[j] + static_cast<float>(run.data.grid.centre[j % 3]), 1e-3);
  }
  EXPECT_TRUE(std::isnan(values[3 * beads * kUnusable]));
}

TEST(OpenConformations, PrefersRefinedLatentsUnlessTheEncodersAreNewer) {
  auto run = open_test_run();
  const auto refined = run.folder.file("refined_mean.npy"), encoded = run.folder.file("latents.npy");
  EXPECT_NE(open_conformations(run).latent(3)[0], 7);
  io::write_npy(refined, {kTestParticles, 2}, std::vector<float>(2 * kTestParticles, 7.0f));
  EXPECT_EQ(open_conformations(run).latent(3)[0], 7);
  fs::last_write_time(encoded, fs::last_write_time(refined) + std::chrono::seconds(1));
  EXPECT_NE(open_conformations(run).latent(3)[0], 7);
  fs::last_write_time(encoded, fs::last_write_time(refined) - std::chrono::seconds(1));
  io::write_npy(refined, {5, 2}, std::vector<float>(10, 7.0f));
  EXPECT_NE(error_of([&] { open_conformations(run); }).find("refined_mean.npy has 5 rows"),
            std::string::npos);
}

TEST(DecodeToFile, ModelsOfGivenLatents) {
  auto run = open_test_run();
  const auto latents = run.folder.file("z.npy");
  io::write_npy(latents, {3, 2}, std::vector<float>{-2, 0, 0, 0, 2, 0});
  for (const char* name : {"z.cif", "z.pdb"}) {
    decode_to_file(run, {latents, run.folder.file(name), false});
    const auto models = io::read_models(run.folder.file(name));
    ASSERT_EQ(models.size(), 3u);
    const auto x = training::decode_latents(*run.model, std::vector<float>{2, 0});
    const auto last = io::positions_of(models[2]);
    for (std::size_t j = 0; j < x.size(); ++j)
      ASSERT_NEAR(last[j], x[j] + static_cast<float>(run.data.grid.centre[j % 3]), 2e-3);
  }
}

TEST(DecodeToFile, RefusesWhatItCannotDo) {
  auto run = open_test_run();
  const auto latents = run.folder.file("z.npy"), out = run.folder.file("out.cif");
  io::write_npy(latents, {2, 3}, std::vector<float>(6, 0.0f));
  EXPECT_NE(error_of([&] {
              decode_to_file(run, {latents, out, false});
            }).find("has 3 columns, but the model's latents have 2"),
            std::string::npos);
  io::write_npy(latents, {1001, 2}, std::vector<float>(2002, 0.0f));
  EXPECT_NE(error_of([&] {
              decode_to_file(run, {latents, out, false});
            }).find("write them to a .npy file"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              decode_to_file(run, {{}, out, false});
            }).find("row 18 of the latents is not finite"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              decode_to_file(run, {run.folder.file("none.npy"), out, false});
            }).find("none.npy"),
            std::string::npos);
  EXPECT_THROW(decode_to_file(run, {latents, run.folder.file("out.xyz"), false}), UsageError);
  EXPECT_FALSE(fs::exists(out));
  std::ofstream(out) << "mine";
  io::write_npy(latents, {1, 2}, std::vector<float>(2, 0.0f));
  EXPECT_NE(error_of([&] {
              decode_to_file(run, {latents, out, false});
            }).find("exists already"),
            std::string::npos);
  EXPECT_EQ(fs::file_size(out), 4u);
  decode_to_file(run, {latents, out, true});
  EXPECT_EQ(io::read_models(out).size(), 1u);
}

}  // namespace
}  // namespace cryoscape::landscape
