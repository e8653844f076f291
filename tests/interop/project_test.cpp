#include <fmt/format.h>

#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/io/star.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/preprocessing.hpp"
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"
#include "relion.hpp"

using namespace cryoscape;
using namespace cryoscape::interop;

namespace {

constexpr int kBox = 64, kCount = 24;
constexpr float kPixel = 1.5f, kSigma = 3;

/// A STAR file of random views with shifts and astigmatic CTFs; more columns of the optics group as text.
std::string random_views(const std::string& optics_labels, const std::string& optics_values) {
  std::string text =
      "data_optics\n\nloop_\n_rlnOpticsGroupName\n_rlnOpticsGroup\n_rlnVoltage\n_rlnSphericalAberration\n"
      "_rlnAmplitudeContrast\n_rlnImagePixelSize\n_rlnImageSize\n_rlnImageDimensionality\n" +
      optics_labels + fmt::format("g1 1 200 2.7 0.07 {} {} 2 {}\n\n", kPixel, kBox, optics_values) +
      "data_particles\n\nloop_\n_rlnImageName\n_rlnOpticsGroup\n_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n"
      "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnDefocusU\n_rlnDefocusV\n_rlnDefocusAngle\n_rlnPhaseShift\n"
      "_rlnCtfBfactor\n_rlnCtfScalefactor\n";
  Philox random(11);
  for (int i = 0; i < kCount; ++i) {
    const double defocus = 8000 + 12000 * random.uniform();
    text += fmt::format(
        "{:06}@views.mrcs 1 {:.4f} {:.4f} {:.4f} {:.4f} {:.4f} {:.1f} {:.1f} {:.2f} {:.2f} {:.1f} {:.3f}\n",
        i + 1, 360 * random.uniform(), 180 * random.uniform(), 360 * random.uniform(), 4 * random.normal(),
        4 * random.normal(), defocus, defocus - 3000 * random.uniform(), 180 * random.uniform(),
        90 * random.uniform(), 80 * random.uniform(), 0.5 + random.uniform());
  }
  return text;
}

/// Our predicted images of every particle in a STAR file.
std::vector<std::vector<float>> predicted(const std::filesystem::path& star, const Beads& beads,
                                          bool with_ctf) {
  particles::ReadOptions options;
  options.images_required = false;
  const auto set = particles::read_particles(star, options);
  projection::ProjectionSpec spec;
  spec.box = kBox, spec.pixel_size = kPixel, spec.sigma = kSigma;
  particles::ImageGrid grid;
  grid.box = kBox, grid.pixel_size = kPixel;
  std::vector<std::vector<float>> images;
  for (const auto& p : set.particles) {
    const auto& group = set.optics_groups[p.optics_group];
    // relion_project magnifies the CTF only; reconstruct_test.cpp covers the projection's part.
    auto unmagnified = group;
    unmagnified.magnification = {1, 0, 0, 1};
    const auto placement = particles::place_on_grid(unmagnified, grid);
    auto& image = images.emplace_back(kBox * kBox);
    projection::project_one(spec, beads.amplitudes, beads.coordinates.data(),
                            placement.rotation(p.rotation).data(), placement.shift(p.shift).data(),
                            image.data());
    if (!with_ctf) continue;
    std::vector<float> ctf(optics::half_size(kBox));
    optics::evaluate_ctf(group, p.ctf, kBox, kPixel, ctf);
    optics::apply_filter(kBox, image.data(), ctf.data());
  }
  return images;
}

/// Correlation of RELION's projections with ours, particle by particle, and the spread of their scale.
void expect_agreement(const Folder& folder, const std::string& star, bool with_ctf) {
  const auto beads = asymmetric_beads(80, 0.3 * kBox * kPixel, 5);
  io::write_mrc(folder / "map.mrc", density(beads, kBox, kPixel, kSigma));
  replace_text_file(folder / "views.star", star);
  ASSERT_TRUE(
      folder.run(fmt::format("relion_project --i map.mrc --o out --ang views.star --angpix {} --pad 4{}",
                             kPixel, with_ctf ? " --ctf" : "")));
  const auto ours = predicted(folder / "views.star", beads, with_ctf);
  io::StackReader reader;
  ASSERT_EQ(reader.header(folder / "out.mrcs").nz, kCount);
  double least = 1, lowest_scale = 1e30, highest_scale = 0;
  for (int i = 0; i < kCount; ++i) {
    std::vector<float> theirs(kBox * kBox);
    reader.read(folder / "out.mrcs", i, theirs);
    const double r = correlation(theirs, ours[i]);
    least = std::min(least, r);
    double dot = 0, square = 0;
    for (std::size_t k = 0; k < theirs.size(); ++k)
      dot += double{theirs[k]} * ours[i][k], square += double{ours[i][k]} * ours[i][k];
    lowest_scale = std::min(lowest_scale, dot / square);
    highest_scale = std::max(highest_scale, dot / square);
    // Another particle's image must not pass.
    EXPECT_LT(correlation(theirs, ours[(i + 1) % kCount]), 0.99);
  }
  fmt::print("least correlation of {} images: {:.6f}\n", kCount, least);
  EXPECT_GT(least, 0.999);
  EXPECT_LT(highest_scale / lowest_scale, 1.01);
}

}  // namespace

TEST(RelionProject, RotationsAndShiftsAgree) {
  REQUIRE_RELION("relion_project");
  const Folder folder;
  expect_agreement(folder, random_views("", ""), false);
}

TEST(RelionProject, AstigmaticCtfsAgree) {
  REQUIRE_RELION("relion_project");
  const Folder folder;
  expect_agreement(folder, random_views("", ""), true);
}

TEST(RelionProject, CtfsUnderMagnificationMatricesAgree) {
  REQUIRE_RELION("relion_project");
  const Folder folder;
  expect_agreement(
      folder,
      random_views("_rlnMagMat00\n_rlnMagMat01\n_rlnMagMat10\n_rlnMagMat11\n", "1.03 0.02 -0.01 0.96"), true);
}

TEST(RelionProject, EvenAberrationsAgree) {
  REQUIRE_RELION("relion_project");
  const Folder folder;
  expect_agreement(folder, random_views("_rlnEvenZernike\n", "[0.3,0.5,-0.4,0.6,0.2,-0.3,0.5,0.1,-0.2]"),
                   true);
}
