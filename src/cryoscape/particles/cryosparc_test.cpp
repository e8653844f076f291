#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/preprocessing.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;

namespace {

constexpr float kQuarter = std::numbers::pi_v<float> / 2;

/// Three poses by hand, with A = exp([ω]×)ᵀ and RELION's matrix written out:
/// ω = (0, 0, 90°) is rot 90°; ω = (0, 90°, 0) is tilt 90°; ω = (90°, 0, 0) is rot −90°, tilt 90°, psi 90°.
const std::vector<std::vector<float>> kPoses{{0, 0, kQuarter}, {0, kQuarter, 0}, {kQuarter, 0, 0}};
const std::vector<std::string> kTwinAngles{"90 0 0", "0 90 0", "-90 90 90"};

CsBuilder refinement(std::size_t rows = 3) {
  CsBuilder cs(rows);
  std::vector<std::uint64_t> uid(rows);
  for (std::size_t i = 0; i < rows; ++i) uid[i] = 0xF000000000000000ull + 7 * i;
  cs.integers("uid", uid, "u8");
  return cs;
}

CsBuilder& aligned(CsBuilder& cs, const std::vector<std::vector<float>>& poses = kPoses) {
  return cs.floats("alignments3D/pose", poses)
      .floats("alignments3D/shift", {{2, -1}, {0, 3}, {-4, 0.5f}})
      .floats("alignments3D/psize_A", {{3}})
      .floats("alignments3D/alpha", {{0.8f}})
      .integers("alignments3D/split", {0, 1, 1});
}

ParticleSet read(const std::filesystem::path& path, ReadOptions options = {}) {
  return read_particles(path, options);
}

}  // namespace

TEST(ReadCryosparc, GivesTheSameParticlesAndImagesAsTheStarTwin) {
  const auto folder = test_folder();
  write_stack(folder / "J1/extract/p.mrc", 8, 3, 1.5);
  auto cs = refinement()
                .images("J1/extract/p.mrc", 8, 1.5f)
                .ctf()
                .floats("ctf/phase_shift_rad", {{kQuarter}})
                .floats("ctf/scale", {{0.5f}})
                .floats("ctf/bfactor", {{20}});
  aligned(cs).write(folder / "p.cs");
  std::vector<std::string> rows;
  const char* shifts[3] = {"6 -3", "0 9", "-12 1.5"};
  for (int i = 0; i < 3; ++i)
    rows.push_back(std::to_string(i + 1) + "@J1/extract/p.mrc:mrcs 1 " + kTwinAngles[i] + " " + shifts[i] +
                   " 12000 11500 28.64788976 90 20 0.4 " + (i ? "2" : "1"));
  replace_text_file(
      folder / "twin.star",
      star_table("optics",
                 {"rlnOpticsGroup", "rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast",
                  "rlnImagePixelSize", "rlnImageSize"},
                 {"1 300 2.7 0.1 1.5 8"}) +
          star_table("particles",
                     {"rlnImageName", "rlnOpticsGroup", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi",
                      "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle",
                      "rlnPhaseShift", "rlnCtfBfactor", "rlnCtfScalefactor", "rlnRandomSubset"},
                     rows));
  const auto a = read(folder / "p.cs"), b = read(folder / "twin.star");
  ASSERT_EQ(a.size(), 3u);
  EXPECT_EQ(a.format, "cryoSPARC");
  for (std::size_t i = 0; i < 3; ++i) {
    const auto &p = a.particles[i], &q = b.particles[i];
    EXPECT_EQ(image_name(a, i), image_name(b, i));
    for (int k = 0; k < 9; ++k) EXPECT_NEAR(p.rotation[k], q.rotation[k], 1e-6) << i << " " << k;
    for (int k = 0; k < 2; ++k) EXPECT_FLOAT_EQ(p.shift[k], q.shift[k]);
    EXPECT_EQ(p.half, q.half);
  }
  io::StackReader reader;
  const ImageGrid grid{8, 1.5, 8, 1};
  Preprocessor from_a(a, grid), from_b(b, grid);
  const std::size_t half = optics::half_size(8);
  std::vector<std::complex<float>> x(half), y(half);
  std::vector<float> ctf_x(half), ctf_y(half);
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(from_a.load(reader, i, x.data(), ctf_x.data()));
    ASSERT_TRUE(from_b.load(reader, i, y.data(), ctf_y.data()));
    for (std::size_t f = 0; f < half; ++f) {
      EXPECT_NEAR(std::abs(x[f] - y[f]), 0, 1e-4);
      EXPECT_NEAR(ctf_x[f], ctf_y[f], 1e-4);
    }
  }
}

TEST(ReadCryosparc, SignMagnificationAndExposureGroups) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrc", 8, 3, 1.5);
  auto cs = refinement()
                .images(">p.mrc", 8, 1.5f)
                .ctf()
                .integers("ctf/exp_group_id", {4, 9, 4})
                .floats("blob/sign", {{-1}, {1}, {-1}})
                .floats("ctf/anisomag",
                        {{0.01f, 0.02f, 0.03f, -0.01f}, {0, 0, 0, 0}, {0.01f, 0.02f, 0.03f, -0.01f}})
                .floats("ctf/tilt_A", {{0, 0}, {100, 0}, {0, 0}})
                .floats("ctf/tetra_A", {{0, 0, 0, 1}})
                .floats("ctf/shift_A", {{0, 0}, {0, 0}, {0, 0.1f}});
  aligned(cs).write(folder / "p.cs");
  const auto set = read("" + (folder / "p.cs").string());
  ASSERT_EQ(set.optics_groups.size(), 2u);
  EXPECT_EQ(set.optics_groups[0].name, "exposure_group_4");
  EXPECT_EQ(set.particles[2].optics_group, 0);
  EXPECT_NEAR(set.optics_groups[0].magnification[0], 1.01, 1e-6);
  EXPECT_NEAR(set.optics_groups[0].magnification[3], 0.99, 1e-6);
  EXPECT_EQ(set.optics_groups[1].magnification, (std::array<double, 4>{1, 0, 0, 1}));
  EXPECT_EQ(set.particles[0].sign, -1);
  EXPECT_EQ(set.particles[1].sign, 1);
  EXPECT_EQ(set.stack_names[0], "p.mrc");
  EXPECT_TRUE(has_note(set.notes, "ctf/shift_A, ctf/tetra_A, ctf/tilt_A are ignored"));
}

TEST(ReadCryosparc, PassthroughFilesAreJoinedByUidNotByRow) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrc", 8, 3, 1.5);
  auto cs = refinement();
  aligned(cs).write(folder / "cryosparc_P1_J2_particles.cs");
  // The other order, and particles that are not ours.
  const std::vector<std::uint64_t> base{0xF000000000000000ull};
  CsBuilder images(4);
  images.integers("uid", {base[0] + 14, base[0] + 7, 5, base[0]}, "u8")
      .strings("blob/path", {"p.mrc"})
      .integers("blob/idx", {2, 1, 77, 0})
      .integers("blob/shape", {8}, "u4", 2)
      .floats("blob/psize_A", {{1.5f}});
  images.write(folder / "P1_J2_passthrough_particles.cs");
  // CTFs come in two files, each with a part of the particles.
  CsBuilder one(1), two(2);
  one.integers("uid", {base[0] + 7}, "u8").ctf().floats("ctf/phase_shift_rad", {{0.25f}});
  one.write(folder / "P1_J2_passthrough_particles_class_0.cs");
  two.integers("uid", {base[0], base[0] + 14}, "u8").ctf().floats("ctf/phase_shift_rad", {{0.5f}, {0.75f}});
  two.write(folder / "P1_J2_passthrough_particles_class_1.cs");
  CsBuilder stranger(1);
  stranger.integers("uid", {3}, "u8").floats("alignments3D/pose", {{9, 9, 9}});
  stranger.write(folder / "P1_J9_passthrough_particles.cs");

  const auto set = read(folder / "cryosparc_P1_J2_particles.cs");
  ASSERT_EQ(set.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(set.particles[i].slice, i);
  EXPECT_FLOAT_EQ(set.particles[0].ctf.phase_shift, 0.5f);
  EXPECT_FLOAT_EQ(set.particles[1].ctf.phase_shift, 0.25f);
  EXPECT_FLOAT_EQ(set.particles[2].ctf.phase_shift, 0.75f);
  EXPECT_TRUE(has_note(set.notes, "joined with P1_J2_passthrough_particles.cs by uid"));
  EXPECT_FALSE(has_note(set.notes, "J9"));

  std::filesystem::remove(folder / "P1_J2_passthrough_particles_class_1.cs");
  EXPECT_NE(error_of([&] {
              read(folder / "cryosparc_P1_J2_particles.cs");
            }).find("row 1 (uid 17293822569102704640)"),
            std::string::npos);

  // Named files, wherever they lie.
  two.write(folder / "elsewhere/rest.cs");
  ReadOptions options;
  options.passthrough = {folder / "P1_J2_passthrough_particles.cs",
                         folder / "P1_J2_passthrough_particles_class_0.cs", folder / "elsewhere/rest.cs"};
  EXPECT_FLOAT_EQ(read(folder / "cryosparc_P1_J2_particles.cs", options).particles[2].ctf.phase_shift, 0.75f);
  options.passthrough = {folder / "P1_J9_passthrough_particles.cs"};
  EXPECT_NE(
      error_of([&] { read(folder / "cryosparc_P1_J2_particles.cs", options); }).find("shares no particle"),
      std::string::npos);
}

TEST(ReadCryosparc, AbInitioTakesTheMostProbableClassAndItsHeaderMayBeLong) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrc", 8, 3, 1.5);
  auto cs = refinement().images("p.mrc", 8, 1.5f).ctf();
  // 100 classes: a header of many kB.
  for (int k = 0; k < 100; ++k) {
    const auto prefix = "alignments_class_" + std::to_string(k) + "/";
    const float winner = k == 41 ? 0.9f : k == 7 ? 0.2f : 0.0f, other = k == 7 ? 0.8f : 0.001f;
    cs.floats(prefix + "class_posterior", {{winner}, {other}, {winner}})
        .floats(prefix + "pose", {k == 41  ? kPoses[0]
                                  : k == 7 ? kPoses[1]
                                           : kPoses[2]})
        .floats(prefix + "shift", {{static_cast<float>(k), 0}})
        .floats(prefix + "psize_A", {{1}})
        .floats(prefix + "alpha", {{1}});
  }
  cs.write(folder / "p.cs");
  const auto set = read(folder / "p.cs");
  EXPECT_FLOAT_EQ(set.particles[0].shift[0], 41);
  EXPECT_FLOAT_EQ(set.particles[1].shift[0], 7);
  EXPECT_FLOAT_EQ(set.particles[2].shift[0], 41);
  EXPECT_NEAR(set.particles[0].rotation[1], 1, 1e-6);
  EXPECT_EQ(set.particles[0].half, 0);
  EXPECT_TRUE(has_note(set.notes, "100 alignments per particle"));
}

TEST(ReadCryosparc, MissingParts) {
  const auto folder = test_folder();
  write_stack(folder / "p.mrc", 8, 3, 1.5);
  const auto message = [&](const CsBuilder& cs) {
    cs.write(folder / "p.cs");
    return error_of([&] { read(folder / "p.cs"); });
  };
  auto no_pose = refinement().images("p.mrc", 8, 1.5f).ctf();
  EXPECT_NE(message(no_pose).find("has no alignments3D/pose"), std::string::npos);
  auto no_ctf = refinement().images("p.mrc", 8, 1.5f);
  EXPECT_NE(message(aligned(no_ctf)).find("has no ctf/df1_A: the particles have no CTF"), std::string::npos);
  auto no_images = refinement().ctf();
  EXPECT_NE(message(aligned(no_images)).find("has no blob/path"), std::string::npos);
  auto not_finite = refinement().images("p.mrc", 8, 1.5f).ctf();
  EXPECT_NE(
      message(aligned(not_finite, {{0, 0, 0}, {0, NAN, 0}, {0, 0, 0}})).find("alignments3D/pose of row 2"),
      std::string::npos);
  auto wrong_slice = refinement(4).images("p.mrc", 8, 1.5f).ctf();
  EXPECT_NE(message(aligned(wrong_slice)).find("row 4 names image 4 of"), std::string::npos);
  // Without sizes in the metadata, the stack tells.
  auto bare = refinement().strings("blob/path", {"p.mrc"}).integers("blob/idx", {0, 1, 2}).ctf();
  bare.floats("alignments3D/pose", kPoses);
  ASSERT_EQ(message(bare), "");
  const auto set = read(folder / "p.cs");
  EXPECT_EQ(set.optics_groups[0].box, 8);
  EXPECT_NEAR(set.optics_groups[0].pixel_size, 1.5, 1e-6);
  EXPECT_TRUE(has_note(set.notes, "no alignments3D/shift"));
}

TEST(ReadCryosparc, RealSample) {
  const auto path = sample("cryosparc_P12_J24_001_particles.cs");
  if (!path) GTEST_SKIP() << "no shared/data";
  ReadOptions options;
  options.images_required = false;
  const auto set = read(*path, options);
  ASSERT_EQ(set.size(), 2019u);
  EXPECT_EQ(set.optics_groups[0].box, 180);
  EXPECT_NEAR(set.optics_groups[0].pixel_size, 2.95, 1e-6);
  EXPECT_NEAR(set.optics_groups[0].cs_mm, 2.0, 1e-6);
  int halves[3] = {};
  for (const auto& p : set.particles) {
    ++halves[static_cast<int>(p.half)];
    double squares = 0;
    for (const float x : p.rotation) squares += double(x) * x;
    EXPECT_NEAR(squares, 3, 1e-5);
  }
  EXPECT_EQ(halves[0], 0);
  EXPECT_GT(halves[1], 900);
  EXPECT_GT(halves[2], 900);
}
