// Particle tables: reading one, and writing it again with columns added, in rows per second.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <ostream>

#include "cryoscape/particles/export.hpp"
#include "cryoscape/particles/readers.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
namespace fs = std::filesystem;

namespace {

constexpr int kRows = 200000, kPerMicrograph = 200;

constexpr const char* kHead =
    "# version 30001\n\ndata_optics\n\nloop_\n_rlnOpticsGroupName\n_rlnOpticsGroup\n_rlnVoltage\n"
    "_rlnSphericalAberration\n_rlnAmplitudeContrast\n_rlnImagePixelSize\n_rlnImageSize\n"
    "opticsGroup1 1 300.000000 2.700000 0.100000 1.100000 256\n\n# version 30001\n\ndata_particles\n\nloop_\n"
    "_rlnCoordinateX\n_rlnCoordinateY\n_rlnAutopickFigureOfMerit\n_rlnClassNumber\n_rlnAnglePsi\n"
    "_rlnImageName\n_rlnMicrographName\n_rlnOpticsGroup\n_rlnCtfMaxResolution\n_rlnCtfFigureOfMerit\n"
    "_rlnDefocusU\n_rlnDefocusV\n_rlnDefocusAngle\n_rlnCtfBfactor\n_rlnCtfScalefactor\n_rlnPhaseShift\n"
    "_rlnGroupNumber\n_rlnAngleRot\n_rlnAngleTilt\n_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnNormCorrection\n"
    "_rlnLogLikeliContribution\n_rlnMaxValueProbDistribution\n_rlnRandomSubset\n";

/// A table of 25 columns as a 3D refinement of RELION writes it; removed at the end.
class Table {
 public:
  Table() : path_(fs::temp_directory_path() / fmt::format("cryoscape-star-bench-{}.star", getpid())) {
    replace_file_stream(path_, [](std::ostream& stream) {
      Philox random(1, 0);
      const auto number = [&](double low, double high) {
        return fmt::format("{:12.6f} ", low + (high - low) * random.uniform());
      };
      stream << kHead;
      for (int i = 0; i < kRows; ++i) {
        const int micrograph = i / kPerMicrograph;
        stream << number(0, 4000) << number(0, 4000) << number(0, 5) << "           1 " << number(-180, 180)
               << fmt::format("{:06}@Extract/job018/Movies/{:05}_frames.mrcs ", i % kPerMicrograph + 1,
                              micrograph)
               << fmt::format("MotionCorr/job002/Movies/{:05}_frames.mrc            1 ", micrograph)
               << number(3, 6) << number(0, 1) << number(8000, 25000) << number(8000, 25000) << number(0, 90)
               << number(0, 0) << number(1, 1) << number(0, 0) << fmt::format("{:12} ", micrograph + 1)
               << number(-180, 180) << number(0, 180) << number(-8, 8) << number(-8, 8) << number(0.5, 1.2)
               << number(1e5, 2e5) << number(0, 1) << fmt::format("{:12} \n", i % 2 + 1);
      }
    });
  }
  ~Table() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const Table& table() {
  static const Table made;
  return made;
}

void read_table(benchmark::State& state) {
  const auto& path = table().path();
  for (auto _ : state) benchmark::DoNotOptimize(particles::read_relion(path));
  state.SetItemsProcessed(state.iterations() * kRows);
}

void write_table(benchmark::State& state) {
  auto set = particles::read_relion(table().path()).set;
  set.source = table().path();
  const auto out = table().path().string() + ".out";
  const std::vector<particles::ExtraColumn> extra{
      {"rlnClassNumber", [](std::size_t) { return "3"; }},
      {"rlnHeterogeneityLatent1",
       [](std::size_t i) { return fmt::format("{:.5f}", 1e-3 * static_cast<double>(i)); }}};
  for (auto _ : state) particles::write_particles_star(out, set, extra);
  state.SetItemsProcessed(state.iterations() * kRows);
  fs::remove(out);
}

BENCHMARK(read_table)->Unit(benchmark::kMillisecond);
BENCHMARK(write_table)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
