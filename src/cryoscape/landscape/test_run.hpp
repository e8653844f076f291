#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "cryoscape/io/npy.hpp"
#include "cryoscape/model/test_motions.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/random.hpp"
#include "cryoscape/util/test_error.hpp"

/// A tiny run for this room's tests: simulated particles of the demo protein, one epoch, then a decoder that
/// moves far and latents in two clusters, so that what must be found is known.
namespace cryoscape::landscape {

inline constexpr int kTestParticles = 150;
inline constexpr std::size_t kUnusable = 17;  ///< the particle whose latents are NaN
inline constexpr float kBoxCentre = 96;       ///< Å, where the reference stands in its file

/// The reference in a corner-based frame, with two more atoms in every residue.
inline void write_reference(const std::filesystem::path& path, const io::AtomicModel& ca) {
  io::AtomicModel model;
  for (auto atom : ca.atoms) {
    for (float& x : atom.position) x += kBoxCentre;
    for (const char* name : {"N", "CA", "C"}) {
      auto a = atom;
      a.name = name, a.element = name[0] == 'N' ? "N" : "C", a.atomic_number = name[0] == 'N' ? 7 : 6;
      if (a.name != "CA") a.position[name[0] == 'N' ? 0 : 1] += 1.4f;
      model.atoms.push_back(a);
    }
  }
  io::write_models(path, {&model, {io::positions_of(model)}, {}});
}

/// Trains the run once per process and returns its folder.
inline const std::filesystem::path& trained_run() {
  static const auto folder = [] {
    const auto root = std::filesystem::path(testing::TempDir()) / "cryoscape_landscape";
    std::filesystem::remove_all(root);
    std::filesystem::create_directories(root);
    const auto protein = simulation::make_demo_protein();
    std::vector<std::vector<float>> positions{io::positions_of(protein.path.front()),
                                              io::positions_of(protein.path.back())};
    io::write_models(root / "path.pdb", {&protein.path.front(), positions, {}});
    write_reference(root / "reference.cif", protein.path.front());
    simulation::SimulationOptions options;
    options.particles = kTestParticles, options.box = 48, options.pixel_size = 4;
    simulation::simulate({root / "path.pdb"}, root / "data", options, true);
    training::RunSettings settings;
    settings.input.particles = (root / "data/particles.star").string();
    settings.input.model = (root / "reference.cif").string();
    settings.model.latent_dim = 2;
    settings.training.epochs = 1;
    training::train_run(settings, root / "run", false, false, "test");
    return root / "run";
  }();
  return folder;
}

/// Whether the made-up latents put particle i into the smaller of two clusters (30 %).
inline bool in_minor(std::size_t i) { return i % 10 < 3; }

/// A copy of the run in a folder of the test's own, opened.
inline training::Run open_test_run() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder =
      trained_run().parent_path() / (std::string(test->test_suite_name()) + "_" + test->name());
  std::filesystem::remove_all(folder);
  std::filesystem::copy(trained_run(), folder, std::filesystem::copy_options::recursive);
  Philox random(5);
  std::vector<float> latents;
  for (std::size_t i = 0; i < kTestParticles; ++i) {
    latents.push_back(static_cast<float>((in_minor(i) ? 2 : -2) + 0.3 * random.normal()));
    latents.push_back(static_cast<float>(0.3 * random.normal()));
  }
  latents[2 * kUnusable] = latents[2 * kUnusable + 1] = std::numeric_limits<float>::quiet_NaN();
  io::write_npy(folder / "latents.npy", {kTestParticles, 2}, latents);
  auto run = training::open_run(folder);
  model::enlarge_motions(*run.model);
  return run;
}

}  // namespace cryoscape::landscape
