#include "cryoscape/training/benchmark.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/training/benchmark_parts.hpp"
#include "cryoscape/training/benchmark_step.hpp"
#include "cryoscape/util/blas_threads.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::training {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTurns = 5;
constexpr int kCheckedSteps = 3;
constexpr double kLossTolerance = 1e-3;
constexpr std::size_t kOrderBatches = 2048;

using Step = std::function<double(const particles::Batch&)>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = values.size();
  return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// The first batches of the work, for starting points and comparisons.
std::vector<particles::Batch> first_batches(const BenchmarkData& data,
                                            const particles::LoaderOptions& options, int count) {
  particles::ParticleLoader loader(data.particles, options);
  loader.start(data.order(static_cast<std::size_t>(count) * options.batch));
  std::vector<particles::Batch> batches(count);
  for (auto& batch : batches) loader.next(batch);
  return batches;
}

/// Images per second of a step fed by the loader. Steps until the loader has filled its queue are not
/// counted, so that what is counted includes loading as many batches as are used.
double measure_turn(const BenchmarkData& data, const particles::LoaderOptions& options, const Step& step,
                    double seconds) {
  const auto order = data.order(kOrderBatches * options.batch);
  particles::ParticleLoader loader(data.particles, options);
  loader.start(order);
  particles::Batch batch;
  const auto advance = [&] {
    throw_if_interrupted();
    if (!loader.next(batch)) {
      loader.start(order);
      loader.next(batch);
    }
    step(batch);
    return batch.size();
  };
  const auto begin = Clock::now();
  for (int i = 0; i <= options.queue && (i == 0 || seconds_since(begin) < 0.5 * seconds); ++i) advance();
  const auto start = Clock::now();
  std::int64_t images = 0;
  do images += advance();
  while (seconds_since(start) < seconds);
  return static_cast<double>(images) / seconds_since(start);
}

/// The losses of both paths after the same steps.
void compare_losses(FastPath& fast, ReferencePath& reference, std::span<const particles::Batch> batches,
                    BenchmarkResult& result) {
  for (const auto& batch : batches) {
    throw_if_interrupted();
    result.loss = fast.step(batch);
    result.reference_loss = reference.step(batch);
    if (!(std::abs(result.loss - result.reference_loss) <= kLossTolerance * std::abs(result.reference_loss)))
      fail("the losses of the two paths differ: {} and {} (the reference); please report this", result.loss,
           result.reference_loss);
  }
}

/// A turn of plain libtorch has all threads for libtorch's own loops and matrix products, whatever suits this
/// program's.
double measure_reference_turn(const BenchmarkData& data, ReferencePath& reference, double seconds) {
  const int threads = torch::get_num_threads();
  torch::set_num_threads(thread_count());
  set_blas_threads(thread_count());
  const double rate = measure_turn(
      data, data.loader, [&](const auto& batch) { return reference.step(batch); }, seconds);
  torch::set_num_threads(threads);
  set_blas_threads(threads);
  return rate;
}

void alternate(const BenchmarkData& data, FastPath& fast, ReferencePath& reference, BenchmarkResult& result) {
  std::vector<double> ours, theirs, ratios;
  for (int turn = 0; turn < kTurns; ++turn) {
    const double seconds = result.options.seconds / kTurns;
    ours.push_back(measure_turn(
        data, data.loader, [&](const auto& batch) { return fast.step(batch); }, seconds));
    theirs.push_back(measure_reference_turn(data, reference, seconds));
    ratios.push_back(ours.back() / theirs.back());
    spdlog::info("turn {}/{}: {:.1f} images/s, reference {:.1f}", turn + 1, kTurns, ours.back(),
                 theirs.back());
  }
  result.images_per_second = median(ours);
  result.reference_images_per_second = median(theirs);
  result.speedup = median(ratios);
}

/// The step that `train` makes by default: an encoder of back-projected features, which has no layer as wide
/// as the image, and CTFs in a box of twice the size.
double measure_defaults(const BenchmarkData& data, double seconds) {
  auto loader = data.loader;
  loader.with_images = false, loader.with_wide_ctf = true;
  FastPath path(data, first_batches(data, loader, 1).front(), {"backprojection"});
  return measure_turn(
      data, loader, [&](const auto& batch) { return path.step(batch); }, seconds);
}

/// The standard step with an encoder whose products are of bfloat16.
double measure_bfloat16(const BenchmarkData& data, const particles::Batch& first, double seconds) {
  FastPath path(data, first, {"image", "bfloat16"});
  return measure_turn(
      data, data.loader, [&](const auto& batch) { return path.step(batch); }, seconds);
}

}  // namespace

BenchmarkResult run_benchmark(const BenchmarkOptions& options) {
  BenchmarkResult result;
  result.options = options;
  result.threads = thread_count();
  const BenchmarkData data(options);
  result.metadata = static_cast<double>(data.particles.size()) *
                    (sizeof(particles::Particle) + sizeof(std::uint32_t)) / (1 << 20);
  const auto batches = first_batches(data, data.loader, kCheckedSteps);
  {
    FastPath fast(data, batches.front());
    measure_turn(
        data, data.loader, [&](const auto& batch) { return fast.step(batch); }, options.seconds / kTurns);
  }
  result.peak_rss = peak_rss_mib();
  FastPath fast(data, batches.front());
  ReferencePath reference(data, batches.front());
  compare_losses(fast, reference, batches, result);
  alternate(data, fast, reference, result);
  result.default_images_per_second = measure_defaults(data, options.seconds / kTurns);
  if (model::has_bfloat16(torch::kCPU))
    result.bfloat16_images_per_second = measure_bfloat16(data, batches.front(), options.seconds / kTurns);
  result.parts = measure_parts(data, fast, options.seconds / 2);
  result.kernels = measure_kernels(data, fast, batches.front());
  result.reference_peak_rss = peak_rss_mib();
  return result;
}

nlohmann::json to_json(const BenchmarkResult& r) {
  const auto bfloat16 = r.bfloat16_images_per_second;
  return {{"residues", r.options.residues},
          {"box", r.options.box},
          {"batch", r.options.batch},
          {"source_box", r.options.source_box > 0 ? r.options.source_box : r.options.box},
          {"particles", r.options.particles},
          {"threads", r.threads},
          {"images_per_second", r.images_per_second},
          {"reference_images_per_second", r.reference_images_per_second},
          {"default_images_per_second", r.default_images_per_second},
          {"bfloat16_images_per_second", bfloat16 ? nlohmann::json(*bfloat16) : nlohmann::json(nullptr)},
          {"speedup", r.speedup},
          {"loss", r.loss},
          {"reference_loss", r.reference_loss},
          {"parts_ms_per_image", r.parts},
          {"kernels", r.kernels},
          {"peak_rss_mb", r.peak_rss},
          {"reference_peak_rss_mb", r.reference_peak_rss},
          {"metadata_mb", r.metadata}};
}

std::string to_text(const BenchmarkResult& r) {
  std::string text = fmt::format("{} residues, box {}, batch {}, {} threads\n", r.options.residues,
                                 r.options.box, r.options.batch, r.threads);
  text += fmt::format("{:<44}{:10.1f} images/s\n", "training step, loading included", r.images_per_second);
  text += fmt::format("{:<44}{:10.1f} images/s\n", "plain libtorch reference", r.reference_images_per_second);
  text += fmt::format("{:<44}{:10.2f}\n", "ratio", r.speedup);
  text += fmt::format("{:<44}{:10.1f} images/s\n", "training step of train's defaults",
                      r.default_images_per_second);
  if (r.bfloat16_images_per_second)
    text += fmt::format("{:<44}{:10.1f} images/s\n", "training step, encoder in bfloat16",
                        *r.bfloat16_images_per_second);
  text +=
      fmt::format("loss after {} steps: {:.4f}, reference {:.4f}\n", kCheckedSteps, r.loss, r.reference_loss);
  text += fmt::format(
      "peak memory: {:.0f} MiB for {} particles (their metadata: {:.1f} MiB); with the reference {:.0f} "
      "MiB\n",
      r.peak_rss, r.options.particles, r.metadata, r.reference_peak_rss);
  text += "parts, ms per image (load runs beside the others):\n";
  for (const auto& [name, value] : r.parts) text += fmt::format("  {:<42}{:10.4f}\n", name, value);
  text += "kernels on one core, us:\n";
  for (const auto& [name, value] : r.kernels) text += fmt::format("  {:<42}{:10.4f}\n", name, value);
  return text;
}

}  // namespace cryoscape::training
