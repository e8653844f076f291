// What a loader thread does for one particle whose stack is in the page cache.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <complex>
#include <filesystem>
#include <vector>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/particles/preprocessing.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
namespace fs = std::filesystem;

namespace {

constexpr int kImages = 64;
constexpr double kExtent = 192;  ///< Å

/// A stack of noise and its particles; removed at the end.
class Stack {
 public:
  explicit Stack(int box) {
    const auto path =
        fs::temp_directory_path() / fmt::format("cryoscape-loader-bench-{}-{}.mrcs", getpid(), box);
    io::StackWriter writer(path, box, kExtent / box);
    Philox random(1, 0);
    std::vector<float> image(static_cast<std::size_t>(box) * box);
    set_.stacks = {path}, set_.stack_names = {path.string()};
    optics::OpticsGroup group;
    group.box = box, group.pixel_size = kExtent / box;
    set_.optics_groups = {group};
    for (int i = 0; i < kImages; ++i) {
      for (auto& x : image) x = static_cast<float>(random.normal());
      writer.append(image);
      particles::Particle p;
      p.slice = static_cast<std::uint32_t>(i);
      p.ctf.defocus_u = 15000, p.ctf.defocus_v = 14500, p.ctf.defocus_angle = 0.4f;
      set_.particles.push_back(p);
    }
    writer.close();
  }
  ~Stack() {
    std::error_code ignored;
    fs::remove(set_.stacks[0], ignored);
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  const particles::ParticleSet& set() const { return set_; }

 private:
  particles::ParticleSet set_;
};

/// Stored box, training box, 1 if a cache is read instead of the stack.
void load(benchmark::State& state) {
  const Stack stack(static_cast<int>(state.range(0)));
  const int box = static_cast<int>(state.range(1));
  particles::Preprocessor preprocessor(stack.set(), {box, kExtent / box, 0.8 * kExtent, 1});
  io::StackReader reader;
  spdlog::set_level(spdlog::level::warn);
  const auto cache = state.range(2)
                         ? particles::ImageCache::create(fs::temp_directory_path(), kImages,
                                                         particles::Preprocessor::cached_floats(box))
                         : nullptr;
  std::vector<std::complex<float>> spectrum(optics::half_size(box));
  std::vector<float> ctf(spectrum.size());
  std::size_t i = 0;
  const auto next = [&] {
    preprocessor.load(reader, i++ % kImages, spectrum.data(), ctf.data(), nullptr, cache.get());
    benchmark::ClobberMemory();
  };
  for (int k = 0; k < kImages; ++k) next();
  for (auto _ : state) next();
}

void wide_ctf(benchmark::State& state) {
  const int box = static_cast<int>(state.range(0));
  const Stack stack(box);
  const particles::Preprocessor preprocessor(stack.set(), {box, kExtent / box, 0.8 * kExtent, 1});
  std::vector<float> wide(optics::half_size(2 * box)), ctf(optics::half_size(box));
  for (auto _ : state) {
    preprocessor.wide_ctf(0, wide.data(), ctf.data());
    benchmark::ClobberMemory();
  }
}

BENCHMARK(load)
    ->ArgsProduct({{128, 256}, {128}, {0, 1}})
    ->Args({256, 64, 0})
    ->Args({256, 64, 1})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(wide_ctf)->Arg(128)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
