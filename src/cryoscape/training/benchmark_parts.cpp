#include "cryoscape/training/benchmark_parts.hpp"

#include <algorithm>
#include <chrono>
#include <complex>
#include <tuple>

#include "cryoscape/model/image_likelihood.hpp"
#include "cryoscape/optics/fft.hpp"
#include "cryoscape/projection/kernel.hpp"
#include "cryoscape/util/interrupt.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::training {
namespace {

using Complex = std::complex<float>;
using Clock = std::chrono::steady_clock;

template <class Body>
double milliseconds(Body&& body) {
  const auto start = Clock::now();
  body();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

/// Median over repetitions within a time.
template <class Body>
double median_milliseconds(double seconds, Body&& body) {
  std::vector<double> times;
  const auto start = Clock::now();
  do {
    throw_if_interrupted();
    times.push_back(milliseconds(body));
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds || times.size() < 3);
  return median(times);
}

using Times = std::map<std::string, std::vector<double>>;

/// evaluate_objective() and what follows it in a step, with a clock between.
void timed_step(FastPath& path, const particles::Batch& batch, Times& times) {
  auto& model = *path.model;
  const auto schedule = benchmark_schedule();
  latent::Posterior posterior;
  latent::Sample sample;
  torch::Tensor kl, coordinates, relaxed, energy;
  model::Scores scores;
  const auto part = [&](const char* name, auto&& body) { times[name].push_back(milliseconds(body)); };
  part("encode", [&] { posterior = model.encode(batch); });
  part("prior", [&] {
    sample = model.prior().draw(posterior, path.generator);
    kl = model.prior().cross_entropy(posterior, sample) - latent::entropy(posterior);
  });
  part("decode", [&] { std::tie(coordinates, relaxed) = model.decode_split(sample.smooth); });
  part("score", [&] { scores = model.score(coordinates, batch, true); });
  part("restraints", [&] { energy = restraint_energy(relaxed, path.restraints, schedule); });
  part("backward", [&] { (-scores.log_likelihood + kl + energy).mean().backward(); });
  part("optimiser", [&] { path.optimiser.step(kBenchmarkLearningRate); });
  part("spectral",
       [&] { model.spectral().update(scores.sums, static_cast<double>(batch.size()), kBenchmarkMemory); });
}

double time_loading(const BenchmarkData& data, double seconds) {
  particles::ParticleLoader loader(data.particles, data.loader);
  const std::size_t batches = 8;
  const auto order = data.order(batches * data.loader.batch);
  return median_milliseconds(seconds,
                             [&] {
                               loader.start(order);
                               for (particles::Batch batch; loader.next(batch);) throw_if_interrupted();
                             }) /
         static_cast<double>(batches);
}

/// Projection and transforms of a batch as the fused score does them, on the decoder's structures.
struct Separate {
  double project = 0, transform = 0;
};
Separate time_separately(FastPath& path, const particles::Batch& batch, double seconds) {
  torch::NoGradGuard no_grad;
  const auto spec = path.model->projection();
  const auto& amplitudes = path.model->scene().amplitudes;
  const int size = static_cast<int>(batch.size()), box = spec.box;
  const auto coordinates = path.model->decode(latent::expectation(path.model->encode(batch))).contiguous();
  auto images = torch::empty({size, box, box}), gradients = torch::empty_like(coordinates);
  const float *x = coordinates.data_ptr<float>(), *rotations = batch.rotations.data_ptr<float>(),
              *shifts = batch.shifts.data_ptr<float>();
  float* pixels = images.data_ptr<float>();
  Separate out;
  out.project = median_milliseconds(seconds, [&] {
    projection::project(spec, amplitudes, size, x, rotations, shifts, pixels);
    projection::project_backward(spec, amplitudes, size, x, rotations, shifts, pixels,
                                 gradients.data_ptr<float>());
  });
  out.transform = median_milliseconds(seconds, [&] {
    parallel_ranges(static_cast<std::size_t>(size), [&](std::size_t begin, std::size_t end) {
      std::vector<Complex> spectrum(optics::half_size(box));
      for (std::size_t i = begin; i < end; ++i) {
        float* image = pixels + i * static_cast<std::size_t>(box) * box;
        optics::rfft2(box, image, spectrum.data());
        optics::irfft2(box, spectrum.data(), image);
      }
    });
  });
  return out;
}

}  // namespace

std::map<std::string, double> measure_parts(const BenchmarkData& data, FastPath& path, double seconds) {
  std::map<std::string, double> parts;
  parts["load"] = time_loading(data, seconds / 4);
  particles::ParticleLoader loader(data.particles, data.loader);
  loader.start(data.order(data.loader.batch));
  particles::Batch batch;
  loader.next(batch);
  Times times;
  timed_step(path, batch, times);  // not counted: first use of memory
  times.clear();
  const auto start = Clock::now();
  do {
    throw_if_interrupted();
    timed_step(path, batch, times);
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds / 2 ||
           times["encode"].size() < 3);
  for (const auto& [name, values] : times) parts[name] = median(values);
  const auto separate = time_separately(path, batch, seconds / 8);
  parts["project"] = separate.project;
  parts["transform"] = separate.transform;
  parts["likelihood"] = std::max(0.0, parts["score"] - separate.project - separate.transform);
  parts.erase("score");
  for (auto& [name, value] : parts) value /= static_cast<double>(batch.size());
  return parts;
}

std::map<std::string, double> measure_kernels(const BenchmarkData& data, FastPath& path,
                                              const particles::Batch& batch) {
  constexpr double kSeconds = 0.2;
  const auto spec = path.model->projection();
  const auto& scene = data.scene;
  const auto beads = static_cast<double>(scene.beads());
  const auto coordinates = torch::tensor(scene.coordinates).view({1, -1, 3});
  const float *x = coordinates.data_ptr<float>(), *rotation = batch.rotations.data_ptr<float>(),
              *shift = batch.shifts.data_ptr<float>();
  std::vector<float> image(static_cast<std::size_t>(spec.box) * spec.box), gradient(scene.coordinates.size());
  std::vector<Complex> spectrum(optics::half_size(spec.box));
  const auto microseconds = [](auto&& body) { return 1000 * median_milliseconds(kSeconds, body); };
  std::map<std::string, double> out;
  out["project_us_per_image_and_bead"] =
      microseconds(
          [&] { projection::project_one(spec, scene.amplitudes, x, rotation, shift, image.data()); }) /
      beads;
  out["project_backward_us_per_image_and_bead"] =
      microseconds([&] {
        projection::project_one_backward(spec, scene.amplitudes, x, rotation, shift, image.data(),
                                         gradient.data());
      }) /
      beads;
  out["fft_us_per_image"] = microseconds([&] { optics::rfft2(spec.box, image.data(), spectrum.data()); });
  out["inverse_fft_us_per_image"] =
      microseconds([&] { optics::irfft2(spec.box, spectrum.data(), image.data()); });
  auto one = model::view(batch, coordinates);
  one.size = 1;
  float score = 0;
  std::vector<model::SpectralSums> sums;
  model::LikelihoodOutput output;
  output.log_likelihood = &score;
  output.coordinate_gradient = gradient.data();
  output.sums = &sums;
  out["likelihood_us_per_image"] = microseconds([&] {
    model::evaluate_likelihood(spec, scene.amplitudes, path.model->spectral(),
                               path.model->likelihood_options(), one, output);
  });
  return out;
}

}  // namespace cryoscape::training
