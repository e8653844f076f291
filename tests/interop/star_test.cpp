#include <fmt/format.h>

#include <cmath>

#include "cryoscape/io/star.hpp"
#include "cryoscape/particles/export.hpp"
#include "cryoscape/particles/test_files.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/util/random.hpp"
#include "relion.hpp"

using namespace cryoscape;
using namespace cryoscape::interop;

namespace {

std::vector<float> all_images(const std::filesystem::path& path) { return io::read_mrc_volume(path).data; }

io::StarData table(const std::filesystem::path& path, const std::string& name) {
  const auto tables = io::read_star_tables(path, [&](const io::StarTable& t) { return t.name == name; });
  return tables.empty() ? io::StarData{} : tables[0];
}

/// Latents and states as a run writes them.
std::vector<particles::ExtraColumn> run_columns() {
  return {{"rlnClassNumber", [](std::size_t i) { return std::to_string(1 + i % 3); }},
          {"rlnHeterogeneityLatent1",
           [](std::size_t i) { return fmt::format("{:.6f}", std::sin(0.1 * static_cast<double>(i))); }},
          {"rlnHeterogeneityLatent2",
           [](std::size_t i) { return fmt::format("{:.6f}", std::cos(0.1 * static_cast<double>(i))); }}};
}

void simulate_particles(const Folder& folder, int count) {
  write_first_demo_model(folder / "model.pdb");
  simulation::SimulationOptions options;
  options.populations = "1:1", options.particles = count, options.box = 48, options.pixel_size = 2;
  simulation::simulate({folder / "model.pdb"}, folder.path(), options, false);
}

}  // namespace

TEST(RelionReads, SimulatedStacks) {
  REQUIRE_RELION("relion_stack_create");
  const Folder folder;
  simulate_particles(folder, 20);
  ASSERT_TRUE(folder.run("relion_stack_create --i particles.star --o copy"));
  EXPECT_EQ(all_images(folder / "copy.mrcs"), all_images(folder / "particles.mrcs"));
}

TEST(RelionReads, ParticlesOfARun) {
  REQUIRE_RELION("relion_star_handler");
  const Folder folder;
  simulate_particles(folder, 20);
  const auto set = particles::read_particles(folder / "particles.star", {});
  particles::write_particles_star(folder / "run.star", set, run_columns());
  ASSERT_TRUE(folder.run(
      "relion_star_handler --i run.star --o state2.star --select rlnClassNumber --minval 2 --maxval 2"));
  const auto selected = table(folder / "state2.star", "particles");
  ASSERT_EQ(selected.rows.size(), 7u);
  const int name = selected.table.column("rlnImageName"),
            latent = selected.table.column("rlnHeterogeneityLatent2");
  ASSERT_GE(name, 0);
  ASSERT_GE(latent, 0);
  for (std::size_t k = 0; k < selected.rows.size(); ++k) {
    const std::size_t i = 3 * k + 1;
    EXPECT_EQ(selected.rows[k][name], particles::image_name(set, i));
    EXPECT_NEAR(std::stod(selected.rows[k][latent]), std::cos(0.1 * static_cast<double>(i)), 1e-5);
  }
  // And back again: what RELION wrote is the same subset to us.
  const auto back = particles::read_particles(folder / "state2.star", {});
  ASSERT_EQ(back.size(), 7u);
  for (std::size_t k = 0; k < back.size(); ++k)
    for (int c = 0; c < 9; ++c)
      EXPECT_NEAR(back.particles[k].rotation[c], set.particles[3 * k + 1].rotation[c], 1e-5);
}

TEST(RelionReads, ParticlesExportedFromCryosparc) {
  REQUIRE_RELION("relion_stack_create");
  const Folder folder;
  const int count = 6;
  particles::write_stack(folder / "J1/p.mrc", 16, count, 1.5);
  Philox random(4);
  std::vector<std::vector<float>> poses(count, std::vector<float>(3)), shifts(count, std::vector<float>(2));
  for (auto& pose : poses)
    for (auto& x : pose) x = static_cast<float>(random.normal());
  for (auto& shift : shifts)
    for (auto& x : shift) x = static_cast<float>(random.normal());
  particles::CsBuilder(count)
      .images("J1/p.mrc", 16, 1.5)
      .ctf()
      .floats("alignments3D/pose", poses)
      .floats("alignments3D/shift", shifts)
      .floats("alignments3D/psize_A", {{1.5f}})
      .write(folder / "particles.cs");
  const auto set = particles::read_particles(folder / "particles.cs", {});
  particles::write_particles_star(folder / "run.star", set, run_columns());
  ASSERT_TRUE(folder.run("relion_stack_create --i run.star --o copy"));
  EXPECT_EQ(all_images(folder / "copy.mrcs"), all_images(folder / "J1/p.mrc"));
  const auto back = particles::read_particles(folder / "copy.star", {});
  ASSERT_EQ(back.size(), set.size());
  for (std::size_t i = 0; i < back.size(); ++i) {
    for (int c = 0; c < 9; ++c)
      EXPECT_NEAR(back.particles[i].rotation[c], set.particles[i].rotation[c], 1e-5);
    for (int c = 0; c < 2; ++c) EXPECT_NEAR(back.particles[i].shift[c], set.particles[i].shift[c], 1e-4);
  }
}
