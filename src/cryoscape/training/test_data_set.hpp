#pragma once
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <string>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/simulation/simulator.hpp"
#include "cryoscape/structure/test_models.hpp"
#include "cryoscape/training/run.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_error.hpp"

/// A helix with a hinge, and images of it, for this room's tests.
namespace cryoscape::training {

/// 24 residues, centred; the second half is turned about the hinge by this angle.
inline io::AtomicModel bent_helix(double angle) {
  io::AtomicModel model;
  const auto position = [](int i) {
    const double turn = i * 100 * std::numbers::pi / 180;
    return std::array<double, 3>{2.3 * std::cos(turn), 2.3 * std::sin(turn), 1.5 * i - 17.25};
  };
  const auto hinge = position(12);
  for (int i = 0; i < 24; ++i) {
    auto p = position(i);
    if (i >= 12) {
      const double x = p[0] - hinge[0], z = p[2] - hinge[2];
      p[0] = hinge[0] + std::cos(angle) * x + std::sin(angle) * z;
      p[2] = hinge[2] - std::sin(angle) * x + std::cos(angle) * z;
    }
    structure::add_residue(model, {"ALA", "A", i + 1}, {{"CA", 6, {float(p[0]), float(p[1]), float(p[2])}}});
  }
  return model;
}

#define EXPECT_MENTIONS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)

/// A test with a folder of its own and a quiet log.
class DataSetTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    auto name = std::string(test->test_suite_name()) + "_" + test->name();
    std::replace(name.begin(), name.end(), '/', '_');
    folder_ = std::filesystem::path(testing::TempDir()) / "cryoscape_training" / name;
    // The process of a death test runs the test again from its start, beside what its parent has made so far.
    if (!std::getenv(kChild)) std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("quiet"));
    model::prepare_matrix_products();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path model_file() const {
    const auto path = folder_ / "models.pdb";
    if (std::filesystem::exists(path)) return path;
    const auto straight = bent_helix(0), bent = bent_helix(1);
    io::write_models(path, {&straight, {io::positions_of(straight), io::positions_of(bent)}, {}});
    return path;
  }

  /// Half of the particles straight, half bent; in a box of 24 pixels of 3 Å. Returns the STAR file.
  std::filesystem::path simulate_particles(const std::string& name, int particles, double snr) const {
    simulation::SimulationOptions options;
    options.particles = particles, options.box = 24, options.pixel_size = 3, options.snr = snr;
    options.populations = "1:0.5,2:0.5";
    options.shift = 2;
    simulation::simulate({model_file()}, folder_ / name, options, true);
    return folder_ / name / "particles.star";
  }

  /// The same particles with the sign of their images changed.
  std::filesystem::path negative(const std::filesystem::path& star, const std::string& name) const {
    std::filesystem::create_directories(folder_ / name);
    io::StackReader reader;
    const auto source = star.parent_path() / "particles.mrcs";
    const auto header = reader.header(source);
    io::StackWriter writer(folder_ / name / "particles.mrcs", header.nx, header.pixel_size);
    std::vector<float> image(static_cast<std::size_t>(header.nx) * header.ny);
    for (int i = 0; i < header.nz; ++i) {
      reader.read(source, i, image);
      for (auto& x : image) x = -x;
      writer.append(image);
    }
    writer.close();
    std::filesystem::copy_file(star, folder_ / name / "particles.star");
    return folder_ / name / "particles.star";
  }

  InputOptions input(const std::filesystem::path& star) const {
    InputOptions options;
    options.particles = star, options.model = model_file();
    return options;
  }

  /// A training of a few seconds.
  RunSettings small_run(const std::filesystem::path& star, const std::string& prior) const {
    RunSettings settings;
    settings.input = input(star);
    settings.model.latent_dim = 2;
    settings.model.prior.kind = prior;
    settings.model.prior.components = 3, settings.model.prior.hidden = 3, settings.model.prior.bits = 8,
    settings.model.prior.chains = 32;
    settings.training.epochs = 3, settings.training.batch = 16, settings.training.warm_up = 0.4;
    settings.training.held_out = 0.2, settings.training.seed = 3;
    return settings;
  }

  static constexpr const char* kChild = "CRYOSCAPE_DEATH_TEST_CHILD";
  std::filesystem::path folder_;
};

}  // namespace cryoscape::training
