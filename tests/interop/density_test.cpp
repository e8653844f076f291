#include "cryoscape/density/backproject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cryoscape/simulation/simulator.hpp"
#include "relion.hpp"

using namespace cryoscape;
using namespace cryoscape::interop;

namespace {

/// One simulated structure as 1,200 noisy particles with shifts and astigmatic CTFs, in folder/data.
void simulate_particles(const Folder& folder) {
  write_first_demo_model(folder / "model.pdb");
  simulation::SimulationOptions options;
  options.populations = "1:1";
  options.particles = 1200;
  options.box = 48;
  options.pixel_size = 3;
  options.snr = 0.1;
  options.shift = 3;
  options.write_maps = true;
  simulation::simulate({folder / "model.pdb"}, folder / "data", options, false);
}

}  // namespace

TEST(RelionReconstruct, GivesNoBetterMapThanBackProjection) {
  REQUIRE_RELION("relion_reconstruct");
  const Folder folder;
  simulate_particles(folder);
  ASSERT_TRUE(folder.run("cd data && relion_reconstruct --i particles.star --o ../relion.mrc --ctf"));
  density::DensityOptions options;
  options.particles = folder / "data/particles.star";
  density::back_project_particles(options, folder / "ours", false);
  const auto theirs = io::read_mrc_volume(folder / "relion.mrc"),
             ours = io::read_mrc_volume(folder / "ours/map.mrc"),
             truth = io::read_mrc_volume(folder / "data/truth_maps/model_001.mrc");
  EXPECT_EQ(ours.nx, theirs.nx);
  EXPECT_NEAR(ours.pixel_size, theirs.pixel_size, 1e-4);
  EXPECT_EQ(ours.origin, theirs.origin);
  const auto a = shell_correlation(ours, truth), b = shell_correlation(theirs, truth),
             between = shell_correlation(ours, theirs);
  double least = 1;
  for (int s = 1; s < 24; ++s) {
    least = std::min(least, a[s] - b[s]);
    EXPECT_GT(between[s], s < 20 ? 0.97 : 0.9) << s;
  }
  fmt::print("FSC with the truth less that of RELION's map: at least {:+.4f} in {} shells\n", least, 23);
  EXPECT_GT(least, -0.01);
}
