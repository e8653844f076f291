#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/io/mrc.hpp"

/// Calling RELION's programs from tests.
namespace cryoscape::interop {

/// An empty folder of the running test's own, removed when it passes.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

  /// Runs a command there; its output goes to the test's messages when it fails.
  testing::AssertionResult run(const std::string& command) const;

 private:
  std::filesystem::path path_;
};

/// Whether a program is on the PATH.
bool installed(const std::string& program);

/// Pearson correlation of two images or maps of the same size.
double correlation(std::span<const float> a, std::span<const float> b);

/// Beads without any symmetry: electrons (N) and centred coordinates (N, 3) Å within `radius`.
struct Beads {
  std::vector<float> amplitudes, coordinates;
};
Beads asymmetric_beads(std::size_t count, double radius, std::uint64_t seed);

/// Density of Gaussian beads on a centred grid, electrons per voxel.
io::Volume density(const Beads& beads, int box, double pixel_size, double sigma);

/// Writes the demo protein's first model.
void write_first_demo_model(const std::filesystem::path& path);

/// Fourier shell correlation of two maps of the same cube, shells 0 … box/2.
std::vector<double> shell_correlation(const io::Volume& a, const io::Volume& b);

}  // namespace cryoscape::interop

/// Leaves the test where RELION is not installed.
#define REQUIRE_RELION(program)                \
  if (!cryoscape::interop::installed(program)) \
  GTEST_SKIP() << program << " is not installed (Debian package relion)"
