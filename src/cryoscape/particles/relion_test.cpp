#include <gtest/gtest.h>

#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

constexpr double kDegree = std::numbers::pi / 180;

const std::vector<std::string> kFlatColumns{"rlnImageName",
                                            "rlnAngleRot",
                                            "rlnAngleTilt",
                                            "rlnAnglePsi",
                                            "rlnOriginX",
                                            "rlnOriginY",
                                            "rlnDefocusU",
                                            "rlnDefocusV",
                                            "rlnDefocusAngle",
                                            "rlnVoltage",
                                            "rlnSphericalAberration",
                                            "rlnAmplitudeContrast",
                                            "rlnDetectorPixelSize",
                                            "rlnMagnification"};

ParticleSet read(const std::filesystem::path& folder, const std::string& text, ReadOptions options = {}) {
  replace_text_file(folder / "p.star", text);
  return read_particles(folder / "p.star", options);
}

std::string error(const std::filesystem::path& folder, const std::string& text) {
  return error_of([&] { read(folder, text); });
}

std::string without(std::string text, const std::string& what, const std::string& replacement = "") {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), replacement);
}

void expect_rotation(const Particle& p, double rot, double tilt, double psi) {
  const auto r = geometry::rotation_from_euler(rot * kDegree, tilt * kDegree, psi * kDegree);
  for (int k = 0; k < 9; ++k) EXPECT_NEAR(p.rotation[k], r[k], 1e-6);
}

}  // namespace

TEST(ReadRelion, FlatFileOfVersion30) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 3, 0);
  const auto set =
      read(folder, star_table("", kFlatColumns,
                              {"000002@a.mrcs 10 20 30 2 -1 15000 14000 40 300 2.7 0.1 5.0 40000",
                               "3@a.mrcs -10 120 -30 0 0 1.6e4 +15000 -40 300.0 2.70 0.1 5 40000",
                               "1@a.mrcs 0 0 0 0 0 1 2 3 200 2.7 0.1 5 40000"}));
  EXPECT_EQ(set.format, "RELION 3.0");
  ASSERT_EQ(set.size(), 3u);
  EXPECT_EQ(set.source_rows, 3u);
  EXPECT_EQ(set.rows, (std::vector<std::uint32_t>{0, 1, 2}));
  const auto& p = set.particles[0];
  EXPECT_EQ(p.slice, 1u);
  expect_rotation(p, 10, 20, 30);
  // 5 µm / 40,000 = 1.25 Å.
  EXPECT_FLOAT_EQ(p.shift[0], 2.5f);
  EXPECT_FLOAT_EQ(p.shift[1], -1.25f);
  EXPECT_FLOAT_EQ(p.ctf.defocus_u, 15000);
  EXPECT_FLOAT_EQ(p.ctf.defocus_v, 14000);
  EXPECT_FLOAT_EQ(p.ctf.defocus_angle, static_cast<float>(40 * kDegree));
  EXPECT_EQ(p.half, 0);
  // 300 and 300.0 are one group, 200 is another.
  ASSERT_EQ(set.optics_groups.size(), 2u);
  EXPECT_EQ(set.particles[1].optics_group, 0);
  EXPECT_EQ(set.particles[2].optics_group, 1);
  EXPECT_DOUBLE_EQ(set.optics_groups[0].pixel_size, 1.25);
  EXPECT_EQ(set.optics_groups[0].box, 8);
  EXPECT_EQ(set.optics_groups[1].voltage_kv, 200);
  EXPECT_EQ(image_name(set, 0), "000002@a.mrcs");
}

TEST(ReadRelion, BeamTiltClassesOfAFlatFileAreGroups) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 3, 0);
  auto columns = kFlatColumns;
  columns.push_back("rlnBeamTiltX");
  const std::string row = "@a.mrcs 0 0 0 0 0 1 2 3 300 2.7 0.1 5 40000 ";
  const auto set =
      read(folder, star_table("", columns, {"1" + row + "0.5", "2" + row + "-0.5", "3" + row + "0.50"}));
  ASSERT_EQ(set.optics_groups.size(), 2u);
  EXPECT_EQ(set.optics_groups[1].beam_tilt_x, -0.5);
  EXPECT_EQ(set.particles[2].optics_group, 0);
}

TEST(ReadRelion, OpticsGroupsOfDifferentPixelSizeAndTerms) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.25);
  write_stack(folder / "b.mrcs", 16, 1, 0.7);
  const auto set = read(
      folder,
      star_table("optics",
                 {"rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage", "rlnSphericalAberration",
                  "rlnAmplitudeContrast", "rlnImagePixelSize", "rlnMicrographPixelSize", "rlnImageSize",
                  "rlnCtfDataArePhaseFlipped", "rlnCtfDataAreCtfPremultiplied", "rlnMagMat00", "rlnMagMat01",
                  "rlnMagMat10", "rlnMagMat11", "rlnBeamTiltX", "rlnOddZernike", "rlnEvenZernike"},
                 {"7 first 300 2.7 0.1 1.25 0.5 8 1 0 1.01 0.02 0.03 0.99 0 [0,0,0] [0.5,-1e-1]",
                  "2 second 200 1.4 0.07 0.7 0.7 16 0 1 1 0 0 1 0.3 [1,2] []"}) +
          star_table("particles",
                     {"rlnOpticsGroup", "rlnImageName", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi",
                      "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle",
                      "rlnPhaseShift", "rlnCtfBfactor", "rlnCtfScalefactor", "rlnRandomSubset"},
                     {"2 1@b.mrcs 1 2 3 4 5 6 7 8 90 10 0.9 2", "7 1@a.mrcs 1 2 3 4 5 6 7 8 0 0 1 1"}));
  EXPECT_EQ(set.format, "RELION 3.1 or later");
  ASSERT_EQ(set.optics_groups.size(), 2u);
  const auto &first = set.optics_groups[0], &second = set.optics_groups[1];
  EXPECT_EQ(first.name, "first");
  EXPECT_EQ(first.pixel_size, 1.25);
  EXPECT_TRUE(first.phase_flipped);
  EXPECT_FALSE(first.premultiplied);
  EXPECT_EQ(first.magnification, (std::array<double, 4>{1.01, 0.02, 0.03, 0.99}));
  EXPECT_EQ(first.even_zernike, (std::vector<double>{0.5, -0.1}));
  EXPECT_TRUE(second.premultiplied);
  EXPECT_EQ(second.box, 16);
  EXPECT_EQ(second.cs_mm, 1.4);
  EXPECT_TRUE(second.even_zernike.empty());
  const auto& p = set.particles[0];
  EXPECT_EQ(p.optics_group, 1);
  EXPECT_EQ(set.particles[1].optics_group, 0);
  EXPECT_FLOAT_EQ(p.shift[0], 4);
  EXPECT_FLOAT_EQ(p.shift[1], 5);
  EXPECT_FLOAT_EQ(p.ctf.phase_shift, static_cast<float>(90 * kDegree));
  EXPECT_FLOAT_EQ(p.ctf.b_factor, 10);
  EXPECT_FLOAT_EQ(p.ctf.scale, 0.9f);
  EXPECT_EQ(p.half, 2);
  EXPECT_EQ(second.beam_tilt_x, 0.3);
  EXPECT_EQ(second.odd_zernike, (std::vector<double>{1, 2}));
}

TEST(ReadRelion, ImageNamesOfEveryForm) {
  const auto folder = test_folder();
  for (const char* name : {"one.mrc", "p.mrc", "sub/q.mrcs"}) write_stack(folder / name, 8, 2, 1.5);
  auto text = relion31_text("p.mrc:mrcs", 1);
  text +=
      "one.mrc 1 0 0 0 0 0 1 2 3 1\n2@sub/q.mrcs 1 0 0 0 0 0 1 2 3 1\n000000002@>sub/q.mrcs 1 0 0 0 0 0 1 2 "
      "3 1\n";
  const auto set = read(folder, text);
  ASSERT_EQ(set.size(), 4u);
  EXPECT_EQ(set.stack_names, (std::vector<std::string>{"p.mrc", "one.mrc", "sub/q.mrcs"}));
  EXPECT_EQ(set.particles[1].slice, 0u);
  EXPECT_EQ(set.particles[2].slice, 1u);
  EXPECT_EQ(image_name(set, 3), "000002@sub/q.mrcs");
  EXPECT_EQ(set.stacks[2], folder / "sub/q.mrcs");
}

TEST(ReadRelion, MissingOptionalColumnsAreNoted) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 1, 1.5);
  const auto set = read(folder, star_table("optics",
                                           {"rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast",
                                            "rlnImagePixelSize", "rlnImageSize"},
                                           {"300 2.7 0.1 1.5 8"}) +
                                    star_table("particles",
                                               {"rlnImageName", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi",
                                                "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle"},
                                               {"1@a.mrcs 0 0 0 1 2 3"}));
  EXPECT_TRUE(has_note(set.notes, "no rlnOpticsGroup column"));
  EXPECT_TRUE(has_note(set.notes, "shifts are taken to be 0"));
  EXPECT_EQ(set.optics_groups[0].name, "opticsGroup1");
}

TEST(ReadRelion, MetadataThatCannotBeUsedAreOneLineErrors) {
  const auto folder = test_folder();
  write_stack(folder / "a.mrcs", 8, 3, 0);
  const auto good = relion31_text("a.mrcs", 3);
  ASSERT_EQ(error(folder, good), "");
  const auto row = "1@a.mrcs 1 0 0 -30 1.5 -2.5 15000 14000 25 1";
  const std::vector<std::pair<std::string, std::string>> cases{
      {without(good, "rlnAngleTilt", "rlnOther"), "has no rlnAngleTilt: the particles have no poses"},
      {without(good, "rlnAngleRot", "rlnHelicalTubeID"),
       "has no rlnAngleRot: the helical segments have no poses"},
      {without(good, "rlnDefocusU", "rlnOther"), "has no rlnDefocusU: the particles have no CTF"},
      {without(good, "rlnVoltage", "rlnOther"), "g1 has no rlnVoltage"},
      {without(good, "rlnImagePixelSize", "rlnOther"), "optics group g1 has no pixel size"},
      {without(good, "1.5 8", "1.5 7"), "optics group g1 has 7"},
      {without(good, row, "0@a.mrcs 1 0 0 0 0 0 1 2 3 1"), "row 1 names image '0' of a stack"},
      {without(good, row, "x@a.mrcs 1 0 0 0 0 0 1 2 3 1"), "row 1 names image 'x' of a stack"},
      {without(good, row, "4@a.mrcs 1 0 0 0 0 0 1 2 3 1"), "row 1 names image 4 of"},
      {without(good, row, "1@ 1 0 0 0 0 0 1 2 3 1"), "row 1 names no image"},
      {without(good, row, "1@a.mrcs 5 0 0 0 0 0 1 2 3 1"), "row 1 is of optics group 5"},
      {without(good, row, "1@a.mrcs 1 zero 0 0 0 0 1 2 3 1"), "'zero' is not a number (rlnAngleRot in row 1"},
      {without(good, row, "1@a.mrcs 1 0 0 0 0 0 nan 2 3 1"), "'nan' is not a number (rlnDefocusU in row 1"},
      {without(good, row, "1@a.mrcs 1 0 0 0 inf 0 1 2 3 1"), "'inf' is not a number (rlnOriginXAngst"},
      {without(good, row, "1@a.mrcs 1 0 0"), "4 values in a table of 11 columns"},
      {good + star_table("images", {"rlnImageName"}, {"1@a.mrcs"}), "two tables of particles"},
      {without(good, "rlnImageName", "rlnReferenceImage"), "no table of particles"},
      {without(good, "rlnOriginXAngst", "rlnTomoParticleName"),
       "tomographic particles (rlnTomoParticleName)"},
      {relion31_text("a.mrcs", 0), "holds no particles"},
      {"hello\n", "not a STAR file"},
      {star_table("particles", kFlatColumns, {"1@a.mrcs 0 0 0 0 0 1 2 3 300 2.7 0.1 0 0"}),
       "has no pixel size"},
      {without(star_table("particles", kFlatColumns, {}), "rlnVoltage", "rlnOther"),
       "neither data_optics before the particles nor rlnVoltage"},
  };
  for (const auto& [text, expected] : cases) {
    const auto message = error(folder, text);
    EXPECT_NE(message.find(expected), std::string::npos) << "expected: " << expected << "\ngot: " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_NE(message.find(folder.string()), std::string::npos) << message;
  }
}

TEST(ReadRelion, TomographySeveralGroupsWithoutColumnAndWrongNames) {
  const auto folder = test_folder();
  const auto optics = star_table("optics",
                                 {"rlnOpticsGroup", "rlnVoltage", "rlnSphericalAberration",
                                  "rlnAmplitudeContrast", "rlnImagePixelSize", "rlnImageDimensionality"},
                                 {"1 300 2.7 0.1 1.5 3"});
  EXPECT_NE(error(folder, optics).find("three-dimensional (tomographic)"), std::string::npos);
  const auto two =
      star_table("optics", {"rlnOpticsGroup", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"},
                 {"1 300 2.7 0.1", "2 300 2.7 0.1"}) +
      star_table("particles",
                 {"rlnImageName", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi", "rlnDefocusU", "rlnDefocusV",
                  "rlnDefocusAngle"},
                 {"1@a.mrcs 0 0 0 1 2 3"});
  EXPECT_NE(error(folder, two).find("several optics groups, but no column rlnOpticsGroup"),
            std::string::npos);
  EXPECT_NE(error(folder, without(two, "2 300", "1 300")).find("optics group 1 twice"), std::string::npos);
  EXPECT_NE(error_of([&] { read_particles(folder / "absent.star", {}); }).find("no such file"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read_particles(folder, {}); }).find("no such file"), std::string::npos);
  replace_text_file(folder / "p.txt", "x");
  EXPECT_NE(error_of([&] { read_particles(folder / "p.txt", {}); }).find("neither a .star nor a .cs"),
            std::string::npos);
}

TEST(ReadRelion, RealSampleWithItsStack) {
  const auto path = sample("relion31.star");
  if (!path) GTEST_SKIP() << "no shared/data";
  const auto set = read_particles(*path, {});
  ASSERT_EQ(set.size(), 5u);
  EXPECT_EQ(set.optics_groups[0].box, 256);
  EXPECT_DOUBLE_EQ(set.optics_groups[0].pixel_size, 2.806);
  expect_rotation(set.particles[0], -102.30296, 82.318041, 124.706463);
  EXPECT_FLOAT_EQ(set.particles[0].shift[1], -0.64686f);
  EXPECT_TRUE(has_note(set.notes, "image paths start in " + path->parent_path().string()));
}

TEST(ReadRelion, RealSampleOfSixOpticsGroups) {
  const auto path = sample("relion31.6opticsgroups.star");
  if (!path) GTEST_SKIP() << "no shared/data";
  ReadOptions options;
  options.images_required = false;
  const auto set = read_particles(*path, options);
  EXPECT_EQ(set.size(), set.source_rows);
  ASSERT_EQ(set.optics_groups.size(), 6u);
  EXPECT_EQ(set.optics_groups[set.particles[0].optics_group].name, "opticsGroup6");
  EXPECT_DOUBLE_EQ(set.optics_groups[0].magnification[0], 1.011472);
  EXPECT_EQ(set.optics_groups[0].even_zernike.size(), 9u);
  EXPECT_EQ(set.optics_groups[0].odd_zernike.size(), 6u);
  EXPECT_DOUBLE_EQ(set.optics_groups[5].beam_tilt_y, 2.446621);
  EXPECT_NE(error_of([&] { read_particles(*path, {}); }).find("image stacks are missing"), std::string::npos);
}

TEST(ReadRelion, RealSampleWithoutPosesIsRefused) {
  const auto path = sample("toy_projections_13.star");
  if (!path) GTEST_SKIP() << "no shared/data";
  EXPECT_NE(
      error_of([&] { read_particles(*path, {}); }).find("has no rlnAngleRot: the particles have no poses"),
      std::string::npos);
}
