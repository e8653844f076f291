#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "cryoscape/model/heterogeneity_model.hpp"
#include "cryoscape/particles/loader.hpp"
#include "cryoscape/structure/beads.hpp"
#include "cryoscape/training/options.hpp"

namespace cryoscape::training {

/// What `bench` measures, and for how long; every field is an option of the command.
struct BenchmarkOptions {
  int residues = 1200;
  int box = 128;
  int batch = 64;
  int source_box = 0;  ///< pixels of the stored images; 0: as `box`
  int particles = 10000;
  double seconds = 10;  ///< of each path

  void declare(OptionSet& set);
};

/// A folder of its own under the system's temporary one, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The fixed work: a globule, and noisy images of it (SNR 0.05, defocus 1 to 2 µm) in a float32 stack just
/// written. Few images stand for many particles, each with a row of its own, so that large sets need no large
/// file.
struct BenchmarkData {
  TemporaryFolder folder;
  structure::BeadModel beads;
  model::Scene scene;
  particles::ParticleSet particles;
  particles::LoaderOptions loader;

  /// Throws UsageError for an odd box, or one that is too small for the globule.
  explicit BenchmarkData(const BenchmarkOptions& options);
  /// The particles in shuffled order, again and again, `count` in all.
  std::vector<std::uint32_t> order(std::size_t count) const;
};

}  // namespace cryoscape::training
