#include "cryoscape/density/backproject.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cryoscape/density/mask.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "relion.hpp"

using namespace cryoscape;
using namespace cryoscape::interop;

namespace {

/// One simulated structure as 1,200 noisy particles with shifts and astigmatic CTFs, in folder/data.
void simulate_particles(const Folder& folder, const std::string& views) {
  write_first_demo_model(folder / "model.pdb");
  simulation::SimulationOptions options;
  options.populations = "1:1";
  options.particles = 1200;
  options.box = 48;
  options.pixel_size = 3;
  options.snr = 0.1;
  options.shift = 3;
  options.views = views;
  options.write_maps = true;
  simulation::simulate({folder / "model.pdb"}, folder / "data", options, false);
}

/// Expects a map as good as RELION's of the same particles, in the same frame; gives the mean gain in FSC
/// with the truth.
double compare_maps(const Folder& folder, const std::string& views) {
  simulate_particles(folder, views);
  EXPECT_TRUE(folder.run("cd data && relion_reconstruct --i particles.star --o ../relion.mrc --ctf"));
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
  double least = 1, gain = 0;
  for (int s = 1; s < 24; ++s) {
    least = std::min(least, a[s] - b[s]);
    gain += (a[s] - b[s]) / 23;
    if (views != "uniform") continue;
    EXPECT_GT(between[s], s < 20 ? 0.97 : 0.9) << s;
  }
  fmt::print("{} views: FSC with the truth less that of RELION's map: at least {:+.4f}, mean {:+.4f}\n",
             views, least, gain);
  EXPECT_GT(least, -0.01);
  return gain;
}

}  // namespace

TEST(RelionReconstruct, GivesNoBetterMapThanBackProjection) {
  REQUIRE_RELION("relion_reconstruct");
  compare_maps(Folder(), "uniform");
}

TEST(RelionReconstruct, GivesAWorseMapOfUnevenViews) {
  REQUIRE_RELION("relion_reconstruct");
  EXPECT_GT(compare_maps(Folder(), "uneven"), 0.003);
}

TEST(RelionPostprocess, MeasuresTheSameCurves) {
  REQUIRE_RELION("relion_postprocess");
  const Folder folder;
  simulate_particles(folder, "uniform");
  io::Volume mask;
  mask.nx = mask.ny = mask.nz = 48, mask.pixel_size = 3;
  mask.data = density::soft_sphere(48, 3, 80, 12);
  io::write_mrc(folder / "mask.mrc", mask);
  density::DensityOptions options;
  options.particles = folder / "data/particles.star";
  options.mask = folder / "mask.mrc";
  const auto ours = density::back_project_particles(options, folder / "ours", false);
  // A folder where it leaves its log.
  ASSERT_TRUE(
      folder.run("mkdir post && relion_postprocess --i ours/half1.mrc --i2 ours/half2.mrc --mask mask.mrc "
                 "--angpix 3 --o post"));
  const auto tables = io::read_star_tables(folder / "post.star",
                                           [](const io::StarTable& table) { return table.name == "fsc"; });
  ASSERT_EQ(tables.size(), 1u);
  const auto& [table, rows] = tables[0];
  const auto expect_curve = [&](const std::string& label, const std::vector<double>& curve,
                                double tolerance) {
    const int column = table.column("rlnFourierShellCorrelation" + label);
    ASSERT_GE(column, 0) << label;
    for (std::size_t s = 1; s + 1 < curve.size(); ++s)
      EXPECT_NEAR(curve[s], std::stod(rows[s][column]), tolerance) << label << " " << s;
  };
  // RELION counts what a half-complex transform stores once each, here what it stands for.
  expect_curve("UnmaskedMaps", ours.fsc.unmasked, 0.01);
  expect_curve("MaskedMaps", ours.fsc.masked, 0.01);
  // Random phases are others in every run: what they leave under the mask differs by its spread.
  expect_curve("Corrected", ours.fsc.corrected, 0.15);
}
