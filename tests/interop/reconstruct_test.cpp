#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "cryoscape/geometry/rotation.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/particle_set.hpp"
#include "cryoscape/particles/preprocessing.hpp"
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"
#include "relion.hpp"

using namespace cryoscape;
using namespace cryoscape::interop;

namespace {

/// First shell where the correlation falls below one half, in units of the box's frequency step.
int half_correlation_shell(const std::vector<double>& fsc) {
  for (int s = 1; s < static_cast<int>(fsc.size()); ++s)
    if (fsc[s] < 0.5) return s;
  return static_cast<int>(fsc.size());
}

double mean_of(const std::vector<double>& fsc, int first, int last) {
  double sum = 0;
  for (int s = first; s <= last; ++s) sum += fsc[s];
  return sum / (last - first + 1);
}

simulation::SimulationOptions one_structure() {
  simulation::SimulationOptions options;
  options.populations = "1:1";
  options.particles = 1500;
  options.box = 48;
  options.pixel_size = 2;
  options.snr = 0.5;
  options.shift = 3;
  options.astigmatism = 500;
  options.write_maps = true;
  return options;
}

}  // namespace

TEST(RelionReconstruct, SimulatedParticlesReproduceTheModelsMap) {
  REQUIRE_RELION("relion_reconstruct");
  const Folder folder;
  write_first_demo_model(folder / "model.pdb");
  const auto options = one_structure();
  simulation::simulate({folder / "model.pdb"}, folder / "data", options, false);
  ASSERT_TRUE(folder.run("cd data && relion_reconstruct --i particles.star --o ../map.mrc --ctf"));
  const auto map = io::read_mrc_volume(folder / "map.mrc"),
             truth = io::read_mrc_volume(folder / "data/truth_maps/model_001.mrc");
  ASSERT_EQ(map.nx, options.box);
  EXPECT_NEAR(map.pixel_size, options.pixel_size, 1e-4);
  const auto fsc = shell_correlation(map, truth);
  fmt::print(
      "FSC of RELION's reconstruction and the model's map falls to 0.5 at shell {} of {}; correlation "
      "{:.4f}\n",
      half_correlation_shell(fsc), options.box / 2, correlation(map.data, truth.data));
  EXPECT_GT(half_correlation_shell(fsc), options.box / 4);
  EXPECT_GT(mean_of(fsc, 1, options.box / 8), 0.98);
  EXPECT_GT(correlation(map.data, truth.data), 0.9);
}

namespace {

constexpr int kBox = 48, kCount = 1200;
constexpr float kPixel = 2, kSigma = 2.5f;

/// Noise-free particles of one optics group with a magnification matrix, as folder/particles.star and .mrcs.
void write_magnified_particles(const Folder& folder, const Beads& beads, const std::array<double, 4>& m) {
  std::string text = fmt::format(
      "data_optics\n\nloop_\n_rlnOpticsGroupName\n_rlnOpticsGroup\n_rlnVoltage\n_rlnSphericalAberration\n"
      "_rlnAmplitudeContrast\n_rlnImagePixelSize\n_rlnImageSize\n_rlnImageDimensionality\n_rlnMagMat00\n"
      "_rlnMagMat01\n_rlnMagMat10\n_rlnMagMat11\ng1 1 300 2.7 0.1 {} {} 2 {} {} {} {}\n\n"
      "data_particles\n\nloop_\n_rlnImageName\n_rlnOpticsGroup\n_rlnAngleRot\n_rlnAngleTilt\n_rlnAnglePsi\n"
      "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnDefocusU\n_rlnDefocusV\n_rlnDefocusAngle\n",
      kPixel, kBox, m[0], m[1], m[2], m[3]);
  Philox random(3);
  for (int i = 0; i < kCount; ++i) {
    auto angles = geometry::euler_from_rotation(geometry::random_rotation(random));
    for (double& a : angles) a *= 180 / std::numbers::pi;
    const double defocus = 8000 + 8000 * random.uniform();
    text += fmt::format("{:06}@particles.mrcs 1 {:.4f} {:.4f} {:.4f} {:.4f} {:.4f} {:.1f} {:.1f} {:.2f}\n",
                        i + 1, angles[0], angles[1], angles[2], 3 * random.normal(), 3 * random.normal(),
                        defocus, defocus - 500 * random.uniform(), 180 * random.uniform());
  }
  replace_text_file(folder / "particles.star", text);

  particles::ReadOptions options;
  options.images_required = false;
  const auto set = particles::read_particles(folder / "particles.star", options);
  const auto& group = set.optics_groups[0];
  particles::ImageGrid grid;
  grid.box = kBox, grid.pixel_size = kPixel;
  const auto placement = particles::place_on_grid(group, grid);
  projection::ProjectionSpec spec;
  spec.box = kBox, spec.pixel_size = kPixel, spec.sigma = kSigma;
  io::StackWriter stack(folder / "particles.mrcs", kBox, kPixel);
  std::vector<float> image(kBox * kBox), ctf(optics::half_size(kBox));
  for (const auto& p : set.particles) {
    projection::project_one(spec, beads.amplitudes, beads.coordinates.data(),
                            placement.rotation(p.rotation).data(), placement.shift(p.shift).data(),
                            image.data());
    optics::evaluate_ctf(group, p.ctf, kBox, kPixel, ctf);
    optics::apply_filter(kBox, image.data(), ctf.data());
    stack.append(image);
  }
  stack.close();
}

}  // namespace

TEST(RelionReconstruct, MagnificationMatricesAgree) {
  REQUIRE_RELION("relion_reconstruct");
  const Folder folder;
  const auto beads = asymmetric_beads(200, 0.38 * kBox * kPixel, 9);
  write_magnified_particles(folder, beads, {1.05, 0.04, -0.02, 0.96});
  ASSERT_TRUE(folder.run("relion_reconstruct --i particles.star --o with.mrc --ctf"));
  // The same images without the matrix: what the test can tell apart.
  ASSERT_TRUE(
      folder.run("sed 's/ 1.05 0.04 -0.02 0.96/ 1 0 0 1/' particles.star > plain.star && "
                 "relion_reconstruct --i plain.star --o without.mrc --ctf"));
  const auto truth = density(beads, kBox, kPixel, kSigma);
  const auto with = shell_correlation(io::read_mrc_volume(folder / "with.mrc"), truth),
             without = shell_correlation(io::read_mrc_volume(folder / "without.mrc"), truth);
  EXPECT_GT(mean_of(with, 1, kBox / 2 - 4), 0.98);
  EXPECT_LT(mean_of(without, kBox / 3, kBox / 2 - 4), 0.7);
}
