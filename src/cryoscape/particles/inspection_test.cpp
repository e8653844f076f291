#include "cryoscape/particles/inspection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

/// A set in memory whose pose i is rotation(i).
template <class Rotation>
ParticleSet posed(std::size_t count, Rotation&& rotation) {
  ParticleSet set;
  set.source = "p.star";
  set.source_rows = count;
  set.stack_names = {"a.mrcs"};
  set.stacks = {{}};
  set.optics_groups.resize(1);
  set.optics_groups[0].pixel_size = 1.5, set.optics_groups[0].box = 100;
  for (std::size_t i = 0; i < count; ++i) {
    Particle p;
    p.slice = static_cast<std::uint32_t>(i);
    p.ctf.defocus_u = p.ctf.defocus_v = 15000;
    const auto r = rotation(i);
    std::copy(r.begin(), r.end(), p.rotation.begin());
    set.particles.push_back(p);
    set.rows.push_back(static_cast<std::uint32_t>(i));
  }
  return set;
}

ParticleSet uniform(std::size_t count) {
  Philox random(3, 1);
  return posed(count, [&](std::size_t) { return geometry::random_rotation(random); });
}

}  // namespace

TEST(PoseCoverage, UniformViewsFillEverythingEvenly) {
  const auto c = measure_coverage(uniform(20000));
  EXPECT_EQ(c.filled, c.bins);
  EXPECT_NEAR(c.expected_filled, static_cast<double>(c.bins), 1);
  EXPECT_GT(c.least_sampled, 0.9);
  EXPECT_LT(c.largest_excess, 1.6);
  EXPECT_EQ(c.in_plane_filled, 1);
}

TEST(PoseCoverage, FewUniformViewsFillAsManyBinsAsExpected) {
  const auto c = measure_coverage(uniform(100));
  // Four standard deviations of an occupancy number.
  EXPECT_NEAR(static_cast<double>(c.filled), c.expected_filled, 4 * std::sqrt(c.expected_filled));
}

TEST(PoseCoverage, OneViewLeavesAConeUnsampled) {
  Philox random(3, 2);
  const auto c = measure_coverage(posed(
      5000, [&](std::size_t) { return geometry::rotation_from_euler(0, 0.02, 6.28 * random.uniform()); }));
  EXPECT_EQ(c.filled, 1u);
  EXPECT_EQ(c.least_sampled, 0);
  EXPECT_EQ(c.in_plane_filled, 1);
}

TEST(PoseCoverage, ViewsAroundOneAxisSampleAllOfFourierSpace) {
  Philox random(3, 3);
  const auto c = measure_coverage(posed(5000, [&](std::size_t) {
    return geometry::rotation_from_euler(6.28 * random.uniform(), std::acos(0.0), 6.28 * random.uniform());
  }));
  EXPECT_LT(c.filled, c.bins / 3);
  // A direction in the plane of the views gets 2/π of an even share, one along the axis more.
  EXPECT_NEAR(c.least_sampled, 2 / std::acos(-1.0), 0.15);
}

TEST(Inspect, CountsAndRangesOfASmallFile) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 3, 1.5);
  auto text = relion31_text("a.mrcs", 3);
  text += "2@a.mrcs 1 0 0 0 3 4 20000 18000 0 0\n";
  replace_text_file(folder / "p.star", text);
  const auto in = inspect(read_particles(folder / "p.star", {}));
  EXPECT_EQ(in.particles, 4u);
  EXPECT_EQ(in.repeated_images, 1u);
  EXPECT_EQ(in.halves, (std::array<std::size_t, 3>{1, 2, 1}));
  EXPECT_NEAR(in.defocus.low, 1.45, 1e-6);
  EXPECT_NEAR(in.defocus.high, 1.9, 1e-6);
  EXPECT_NEAR(in.astigmatism.high, 0.2, 1e-6);
  EXPECT_NEAR(in.shift.high, 5, 1e-6);
  EXPECT_EQ(in.images.read, 4u);
  EXPECT_EQ(in.images.unusable, 0u);
  // Images k, k + 1, … k + 63 for k = 0, 1, 2, 1.
  EXPECT_NEAR(in.images.mean, 32.5, 1e-6);
  EXPECT_TRUE(has_note(in.warnings, "only 4 particles"));
  EXPECT_TRUE(has_note(in.warnings, "1 particles use an image that an earlier row uses"));
  EXPECT_TRUE(has_note(in.warnings, "shifted by more than a quarter of the box"));
  const auto shown = inspection_text(in);
  for (const char* part :
       {"8 pixels of 1.5000 A: 12 A", "1.45 to 1.9 um", "2 and 1, 1 in neither", "warning: only 4"})
    EXPECT_NE(shown.find(part), std::string::npos) << part << "\n" << shown;
  const auto json = inspection_json(in);
  EXPECT_EQ(json["particles"], 4);
  EXPECT_EQ(json["optics_groups"][0]["name"], "g1");
  EXPECT_EQ(json["half_sets"]["first"], 2);
  EXPECT_EQ(nlohmann::json::parse(json.dump()).size(), json.size());
}

TEST(Inspect, ConstantAndNotFiniteImagesAreNamedByRow) {
  const auto folder = test_folder();
  io::Volume stack{4, 4, 4, 1.5, {}, std::vector<float>(64)};
  for (std::size_t i = 0; i < 64; ++i) stack.data[i] = static_cast<float>(i % 7);
  for (std::size_t i = 16; i < 32; ++i) stack.data[i] = 5;
  stack.data[50] = std::numeric_limits<float>::quiet_NaN();
  io::write_mrc(folder / "a.mrcs", stack);
  replace_text_file(folder / "p.star", relion31_text("a.mrcs", 4, "1 g1 300 2.7 0.1 1.5 4"));
  const auto in = inspect(read_particles(folder / "p.star", {}));
  EXPECT_EQ(in.images.bad_rows, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_TRUE(has_note(in.warnings,
                       "2 of 4 sampled images are constant or not finite and would be left out (rows 2, 4)"));
}

TEST(Inspect, SaysWhatLooksWrong) {
  const auto good = uniform(2000);
  ASSERT_EQ(inspect(good).warnings.size(), 1u);
  EXPECT_TRUE(has_note(inspect(good).warnings, "images are missing"));
  auto two_stacks = good;
  two_stacks.stacks.emplace_back();
  two_stacks.particles[1].stack = 1, two_stacks.particles[1].slice = 0;
  EXPECT_EQ(inspect(two_stacks).repeated_images, 0u);
  const auto warned = [&](auto&& change, const char* text) {
    auto set = good;
    change(set);
    return has_note(inspect(set).warnings, text);
  };
  const auto defocus = [](float value) {
    return [value](ParticleSet& s) {
      for (auto& p : s.particles) p.ctf.defocus_u = p.ctf.defocus_v = value;
    };
  };
  EXPECT_TRUE(warned(defocus(0), "every defocus is 0"));
  EXPECT_TRUE(warned(defocus(1.5f), "are they in micrometres"));
  EXPECT_TRUE(warned(defocus(-15000), "overfocus"));
  EXPECT_TRUE(warned(defocus(150000), "up to 15.0 um are unusual"));
  EXPECT_TRUE(
      warned([](ParticleSet& s) { s.particles[3].ctf.defocus_u = 30000; }, "astigmatism up to 1.50 um"));
  EXPECT_TRUE(
      warned([](ParticleSet& s) { s.particles[3].ctf.scale = 0; }, "1 particles have a CTF scale of 0"));
  EXPECT_TRUE(warned(
      [](ParticleSet& s) {
        s.particles[3].shift = {30, 30};
      },
      "1 particles are shifted by more"));
  EXPECT_TRUE(warned([](ParticleSet& s) { s.optics_groups[0].voltage_kv = 300000; }, "is it in V?"));
  EXPECT_TRUE(warned([](ParticleSet& s) { s.optics_groups[0].pixel_size = 40; }, "a pixel size of 40 A"));
  EXPECT_TRUE(warned(
      [](ParticleSet& s) {
        for (auto& p : s.particles) p.rotation = s.particles[0].rotation;
      },
      "the same pose"));
  EXPECT_TRUE(warned(
      [](ParticleSet& s) {
        s.optics_groups.push_back(s.optics_groups[0]);
        for (int i = 0; i < 50; ++i) s.particles[i].optics_group = 1;
      },
      "1 of 2 optics groups have fewer than 100 particles"));
  Philox random(3, 4);
  const auto top = posed(
      2000, [&](std::size_t) { return geometry::rotation_from_euler(0, 0.1, 6.28 * random.uniform()); });
  EXPECT_TRUE(has_note(inspect(top).warnings, "views are concentrated"));
}

TEST(Inspect, RealSamples) {
  int samples = 0;
  for (const char* name :
       {"relion31.star", "relion31.6opticsgroups.star", "cryosparc_P12_J24_001_particles.cs"}) {
    const auto path = sample(name);
    if (!path) continue;
    ++samples;
    ReadOptions options;
    options.images_required = false;
    const auto in = inspect(read_particles(*path, options));
    EXPECT_EQ(in.particles, in.source_rows);
    EXPECT_GT(in.poses.filled, 0u);
    const auto text = inspection_text(in);
    EXPECT_NE(text.find("defocus"), std::string::npos);
    if (std::string(name) == "relion31.6opticsgroups.star") {
      EXPECT_NE(text.find("magnification matrix, even aberrations, beam tilt, odd aberrations"),
                std::string::npos)
          << text;
    }
  }
  if (samples == 0) GTEST_SKIP() << "no shared/data";
}
