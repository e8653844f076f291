#include "cryoscape/density/backproject.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>

#include "cryoscape/density/fsc_output.hpp"
#include "cryoscape/density/mask.hpp"
#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/geometry/symmetry.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::density;
namespace fs = std::filesystem;

namespace {

constexpr int kBox = 32;
constexpr double kPixel = 2;

/// Simulated particles as a STAR file.
class BackProject : public testing::Test {
 protected:
  void simulate(const Gaussians& truth, int count, double noise, bool halves = true) {
    folder_ = particles::test_folder();
    truth_ = truth;
    const auto set = simulated_set(folder_, truth, kBox, count, noise);
    std::vector<std::string> columns{"rlnImageName", "rlnOpticsGroup",  "rlnAngleRot",     "rlnAngleTilt",
                                     "rlnAnglePsi",  "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU",
                                     "rlnDefocusV",  "rlnDefocusAngle"};
    if (halves) columns.emplace_back("rlnRandomSubset");
    std::vector<std::string> rows;
    for (int i = 0; i < count; ++i) {
      const auto& p = set.particles[i];
      geometry::Mat3 r;
      std::copy(p.rotation.begin(), p.rotation.end(), r.begin());
      const auto angles = geometry::euler_from_rotation(r);
      const double degrees = 180 / std::numbers::pi;
      rows.push_back(fmt::format("{}@p.mrcs 1 {} {} {} {} {} {} {} 0{}", i + 1, angles[0] * degrees,
                                 angles[1] * degrees, angles[2] * degrees, p.shift[0], p.shift[1],
                                 p.ctf.defocus_u, p.ctf.defocus_v, halves ? fmt::format(" {}", p.half) : ""));
    }
    replace_text_file(
        folder_ / "p.star",
        particles::star_table("optics",
                              {"rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage", "rlnSphericalAberration",
                               "rlnAmplitudeContrast", "rlnImagePixelSize", "rlnImageSize"},
                              {"1 g1 300 2.7 0.1 2 32"}) +
            particles::star_table("particles", columns, rows));
    options_.particles = folder_ / "p.star";
  }
  void write_truth() {
    io::Volume v;
    v.nx = v.ny = v.nz = kBox, v.pixel_size = kPixel, v.data = truth_.map(kBox);
    io::write_mrc(folder_ / "truth.mrc", v);
    options_.check = folder_ / "truth.mrc";
  }
  Reconstruction reconstruct(bool force = false) const {
    return back_project_particles(options_, folder_ / "out", force);
  }
  std::string error() const {
    return error_of([&] { reconstruct(); });
  }

  fs::path folder_;
  Gaussians truth_;
  DensityOptions options_;
};

}  // namespace

TEST_F(BackProject, ParticlesWithoutNoiseGiveTheirMap) {
  // A little noise, or the background's deviation, which every image is divided by, would be that of the
  // signal's fringes.
  simulate(random_gaussians(10, 7, 1), 1600, 0.03);
  write_truth();
  const auto result = reconstruct();
  EXPECT_EQ(result.particles, (std::array<std::size_t, 2>{800, 800}));
  for (int s = 1; s <= 7; ++s) EXPECT_GT((*result.check)[1][s], 0.98) << s;
  const auto map = io::read_mrc_volume(folder_ / "out/map.mrc");
  EXPECT_EQ(map.nx, kBox);
  EXPECT_NEAR(map.pixel_size, kPixel, 1e-6);
  EXPECT_EQ(map.origin, (std::array<double, 3>{}));  // as RELION has it
  EXPECT_FALSE(fs::exists(folder_ / "out/map_sharpened.mrc"));
  const auto tables = io::read_star_tables(folder_ / "out/fsc.star");
  ASSERT_EQ(tables.size(), 4u);
  EXPECT_EQ(tables[1].table.name, "fsc");
  EXPECT_EQ(tables[1].rows.size(), static_cast<std::size_t>(kBox / 2 + 1));
  const int column = tables[1].table.column("rlnFourierShellCorrelationCorrected");
  ASSERT_GE(column, 0);
  EXPECT_NEAR(std::stod(tables[1].rows[5][column]), result.fsc.corrected[5], 1e-6);
  EXPECT_NEAR(std::stod(tables[1].rows[5][tables[1].table.column("rlnAngstromResolution")]),
              kBox * kPixel / 5, 1e-5);
}

TEST_F(BackProject, ASmallerBoxIsTheSameMapCoarser) {
  simulate(random_gaussians(10, 7, 1), 400, 0.1);
  options_.box = 24;
  const auto result = reconstruct();
  EXPECT_NEAR(result.pixel_size, kPixel * kBox / 24, 1e-6);
  options_.box = 0;
  const auto whole = reconstruct(true);
  for (int s = 2; s <= 8; ++s) EXPECT_NEAR(result.fsc.unmasked[s], whole.fsc.unmasked[s], 0.02) << s;
}

TEST_F(BackProject, NoiseAloneCorrelatesNowhere) {
  simulate({}, 300, 1);
  options_.diameter = 40;
  const auto result = reconstruct();
  for (int s = 2; s <= kBox / 2; ++s) {
    const double pairs = 2 * std::numbers::pi * s * s;
    // Half of the volume is independent behind the sphere, and what the mask holds behind it.
    EXPECT_LT(std::abs(result.fsc.unmasked[s]), 4 / std::sqrt(pairs)) << s;
    EXPECT_LT(std::abs(result.fsc.corrected[s]), 5 / std::sqrt(2 * pairs * result.mask_fraction)) << s;
  }
  EXPECT_FALSE(std::isfinite(result.resolution()) && result.resolution() < 12);
}

TEST_F(BackProject, ThreadsChangeNothing) {
  simulate(random_gaussians(10, 7, 1), 150, 0.5);
  const int before = thread_count();
  set_thread_count(1);
  reconstruct();
  const auto one = io::read_mrc_volume(folder_ / "out/map.mrc").data;
  set_thread_count(3);
  reconstruct(true);
  set_thread_count(before);
  EXPECT_EQ(io::read_mrc_volume(folder_ / "out/map.mrc").data, one);
}

TEST_F(BackProject, SymmetryIsWorthAsManyParticles) {
  for (const std::string symbol : {"C4", "D2"}) {
    Gaussians symmetric;
    const auto part = random_gaussians(4, 7, 3);
    const auto group = geometry::point_group(symbol);
    for (std::size_t n = 0; n < part.centres.size(); ++n)
      for (const auto& r : group) {
        symmetric.centres.push_back(geometry::rotated(r, part.centres[n]));
        symmetric.amplitudes.push_back(part.amplitudes[n]);
      }
    simulate(symmetric, 60, 0.05);
    write_truth();
    options_.symmetry = "C1";
    const auto plain = reconstruct(true);
    options_.symmetry = symbol;
    const auto result = reconstruct(true);
    double before = 0, after = 0;
    for (int s = 3; s <= 6; ++s) before += (*plain.check)[1][s] / 4, after += (*result.check)[1][s] / 4;
    EXPECT_GT(after, before + 0.01) << symbol;
    EXPECT_GT(after, 0.9) << symbol;
  }
}

TEST_F(BackProject, SharpeningIsWrittenWhereAskedFor) {
  simulate(random_gaussians(10, 7, 1), 100, 0.01);
  options_.b_factor = "-50";
  EXPECT_EQ(reconstruct().b_factor, -50);
  EXPECT_TRUE(fs::exists(folder_ / "out/map_sharpened.mrc"));
  options_.b_factor = "auto";
  const auto fitted = reconstruct(true);
  // Gaussians of σ = 3 Å decay as exp(−2π²σ²f²) = exp(−B/4 f²) with B = 8π²σ² = 711 Å².
  ASSERT_TRUE(fitted.b_factor);
  EXPECT_NEAR(*fitted.b_factor, -711, 150);
  options_.b_factor.reset();
  reconstruct(true);
  EXPECT_FALSE(fs::exists(folder_ / "out/map_sharpened.mrc"));
}

TEST_F(BackProject, LocalResolutionIsWrittenWhereAskedFor) {
  simulate(random_gaussians(10, 7, 1), 200, 0.05);
  options_.local = true;
  const auto result = reconstruct();
  ASSERT_TRUE(result.local_resolution);
  EXPECT_GT((*result.local_resolution)[1], 2 * kPixel);
  EXPECT_EQ(io::read_mrc_volume(folder_ / "out/map_local.mrc").nx, kBox);
  EXPECT_EQ(io::read_mrc_volume(folder_ / "out/local_resolution.mrc").nx, kBox);
  options_.local = false;
  EXPECT_FALSE(reconstruct(true).local_resolution);
  EXPECT_FALSE(fs::exists(folder_ / "out/map_local.mrc"));
}

TEST_F(BackProject, HalfSetsAreMadeWhereMissing) {
  simulate(random_gaussians(10, 7, 1), 60, 0.5, false);
  const auto result = reconstruct();
  EXPECT_GT(result.particles[0], 15u);
  EXPECT_GT(result.particles[1], 15u);
  EXPECT_EQ(result.particles[0] + result.particles[1], 60u);
}

TEST_F(BackProject, OneHalfSetIsDividedAnew) {
  simulate(random_gaussians(10, 7, 1), 60, 0.5);
  std::string even;
  for (int i = 0; i < 60; i += 2) even += std::to_string(i) + "\n";
  replace_text_file(folder_ / "half.txt", even);
  options_.subset = folder_ / "half.txt";
  const auto result = reconstruct();
  EXPECT_GT(result.particles[0], 5u);
  EXPECT_EQ(result.particles[0] + result.particles[1], 30u);
}

TEST_F(BackProject, ErrorsSayWhatToDo) {
  simulate(random_gaussians(3, 7, 1), 20, 0.5);
  const auto fails = [&](const std::string& part) {
    const auto message = error();
    EXPECT_NE(message.find(part), std::string::npos) << message;
    options_ = {};
    options_.particles = folder_ / "p.star";
  };
  options_.box = 31, fails("--box is 31, but must be even");
  options_.box = 64, fails("the images have only 32 pixels");
  options_.box = 8, fails("too small for a map");
  options_.diameter = 500, fails("no background is left");
  options_.symmetry = "Q3", fails("is no point group");
  options_.b_factor = "strong", fails("--b-factor is 'strong'");
  options_.memory_limit = 1e-4, fails("lower --box");
  io::Volume mask;
  mask.nx = mask.ny = mask.nz = 16, mask.pixel_size = kPixel, mask.data.assign(4096, 1);
  io::write_mrc(folder_ / "small.mrc", mask);
  options_.mask = folder_ / "small.mrc", fails("the reconstruction has a box of 32");
  options_.check = folder_ / "small.mrc", fails("the reconstruction has a box of 32");
  replace_text_file(folder_ / "one.txt", "4\n");
  options_.subset = folder_ / "one.txt", fails("too few particles for two half-maps");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  reconstruct();
  fails("give --force to replace it");
}
